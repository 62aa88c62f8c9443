//! Tests without account and network.
//!
//! `qq-emulator` is the platform on a port of this machine: token, REST, gateway, webhooks, media. It enforces what the platform enforces, from
//! windows and budgets to limits, and its list of violations says what a bot did wrong.
//!
//! ```no_run
//! use qq_emulator::Emulator;
//! use qqbot::prelude::*;
//!
//! struct Echo;
//!
//! impl EventHandler for Echo {
//!     async fn group_message_create(&self, ctx: Context, message: GroupMessage) {
//!         let _ = ctx.reply(message.text()).await;
//!     }
//! }
//!
//! # async fn test() -> Result<(), Box<dyn std::error::Error>> {
//! let emulator = Emulator::builder().start().await?;
//! let token = Token::new(emulator.app_id(), emulator.secret());
//! let bot = Client::builder(token, Intents::default().with_group_and_c2c())
//!     .environment(Environment::custom(emulator.base_url())?)
//!     .handler(Echo)
//!     .build()?;
//! tokio::spawn(async move { bot.start().await });
//! emulator.connected().await?;
//! emulator.user("mia").in_group("tea house").says("hi").await;
//! assert_eq!(emulator.next_reply().await?.text(), "hi");
//! assert!(emulator.violations().is_empty());
//! # Ok(()) }
//! ```
//!
//! Many emulators run in one test process, each with a port of its own, and start in a millisecond. Its clock can be moved, so that
//! an hour's window is over at once, and faults can be planned: a lost answer, a 429, a broken connection, a close code, an
//! acknowledgement that never comes.
//!
//! By hand: `cargo run --release -p qq-emulator` prints the address of a chat page with an inspector, and the environment variables that
//! make any bot, in any language, talk to it.
//!
//! Parts are tested without it: a REST call is a value
//! ([`try_into_request`](crate::http::Call::try_into_request)), and events are made by [`Event::decode`](crate::Event::decode).
