//! Waiting for what is said or pressed next.
//!
//! A collector picks events out before the handlers' turn, so a callback can wait for the next message of its own conversation.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use qqbot::prelude::*;
//!
//! # async fn ask(ctx: Context) -> Result<(), BotError> {
//! ctx.reply("What is your name?").await?;
//! let name = ctx
//!     .next_message() // of the same author, in the same conversation
//!     .time(Duration::from_secs(60))
//!     .keep_from_handlers()
//!     .await;
//! match name {
//!     Ok(message) => message.reply(format!("Hello {}!", message.text())).await?,
//!     Err(_) => ctx.reply("Never mind.").await?,
//! };
//! # Ok(()) }
//! ```
//!
//! - Awaited, a collector gives one item, or the [`EndReason`](crate::EndReason) without one; [`start`](crate::client::CollectorBuilder::start) makes it a `Stream`;
//!   [`collect`](crate::client::CollectorBuilder::collect) gives all of them and the reason.
//! - It ends by `max`, `max_processed`, `time`, `idle`, `until`, when its conversation is gone, when the client stops, and when it is dropped.
//! - [`collect_buttons`](crate::Context::collect_buttons) and [`collect_reactions`](crate::Context::collect_reactions) do the same for presses and
//!   reactions. Begin to collect before the message with the buttons is sent: then no press is too early.
//! - What is collected reaches the handlers as well, unless [`keep_from_handlers`](crate::client::CollectorBuilder::keep_from_handlers) is set.
//! - `reply` of what was collected answers that message, which has a window and a budget of its own.
//!
//! A dialogue of many steps is a loop over a started collector; `examples/quiz.rs` is one. A thousand of them at a time cost an
//! event no more than one: they are found by conversation and author.
