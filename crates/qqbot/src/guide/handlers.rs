//! Handling events.
//!
//! # A trait, or closures
//!
//! [`EventHandler`](crate::EventHandler) has one `async` callback for each event of the platform, all of them empty
//! unless written. A handler is a value of your own type; what it needs is in its fields, behind an `Arc`, a lock or an atomic where it
//! changes, since callbacks of different conversations run side by side.
//!
//! ```
//! use std::sync::atomic::{AtomicU64, Ordering};
//!
//! use qqbot::prelude::*;
//!
//! #[derive(Default)]
//! struct Counter {
//!     heard: AtomicU64,
//! }
//!
//! impl EventHandler for Counter {
//!     async fn group_message_create(&self, ctx: Context, message: GroupMessage) {
//!         let count = self.heard.fetch_add(1, Ordering::Relaxed) + 1;
//!         if message.text() == "!count" {
//!             let _ = ctx.reply(format!("{count} messages so far")).await;
//!         }
//!     }
//!
//!     async fn error(&self, error: BotError) {
//!         eprintln!("{error:?}"); // whatever has no other receiver ends up here
//!     }
//! }
//! ```
//!
//! Closures stand beside the trait or replace it. They are called first, in the order in which they were added, and can be
//! added and removed while the bot runs:
//!
//! ```no_run
//! use qqbot::prelude::*;
//!
//! # fn build(token: Token) -> Result<(), BotError> {
//! let client = Client::builder(token, Intents::default().with_group_and_c2c())
//!     .on_typed(|ctx, event| async move {
//!         if let Some(message) = event.as_message() {
//!             println!("{:?} says {}", message.author_id(), message.text());
//!         }
//!         let _ = ctx;
//!     })
//!     .on("SOMETHING_NEW", |_, raw| async move { println!("{}", raw.json()) })
//!     .build()?;
//! let registration = client.on_typed(|_, _| async {});
//! registration.remove();
//! # Ok(()) }
//! ```
//!
//! # Which events come
//!
//! By the gateway, those of the [`Intents`](crate::Intents); by webhook, those chosen in the platform's console. Messages that mention the
//! bot arrive at `message_create` and `group_message_create` together with the others, once, even where the platform sends both
//! kinds. What nobody asks for, no callback, no
//! closure, no collector and not the cache, is not even decoded; [`ClientBuilder::kinds`](crate::ClientBuilder::kinds) says who asks for what, and
//! chooses otherwise.
//!
//! # Order and time
//!
//! Events of one conversation are handled one after another, those of different conversations side by side. A callback may
//! wait as long as it likes, up to [`handler_timeout`](crate::ClientBuilder::handler_timeout): heartbeats and other conversations do not
//! notice. Two things to know:
//!
//! - Work that blocks its thread (a large computation, a synchronous database) belongs into `tokio::task::spawn_blocking`. The client
//!   notices callbacks that block and reads on without them, but the thread is gone meanwhile.
//! - A callback that waits for the next message of its own conversation uses a [collector](super::conversations): callbacks after it
//!   would never see that message in time.
//!
//! One that panics or takes too long is counted, reported to [`error`](crate::EventHandler::error) and costs nothing but itself.
//!
//! # Too much at once
//!
//! At most [`event_capacity`](crate::ClientBuilder::event_capacity) events wait or run. What happens beyond that is an
//! [`OverflowPolicy`](crate::OverflowPolicy): hold the platform back (the default, nothing is lost), drop the newest, drop the oldest. Each
//! drop is in [`Stats`](crate::Stats). [`conversation_capacity`](crate::ClientBuilder::conversation_capacity) does the same for
//! one conversation, so that a single busy group cannot take everybody's room.
//!
//! # Repeats
//!
//! The platform may send an event twice: after a resume, by a webhook that it believes lost, as two kinds of one message. The client drops
//! repeats by their ids, never by their text. With a [`dedupe_store`](crate::ClientBuilder::dedupe_store) it does so across restarts.
