//! Running a bot for years.
//!
//! # Starting
//!
//! [`Client::start`](crate::Client::start) returns when the bot was stopped, or with the reason when it cannot go on: wrong credentials, intents that were not granted, an
//! app that was banned. Everything else mends itself, however long it lasts. [`run_until_ctrl_c`](crate::Client::run_until_ctrl_c) also
//! stops on Ctrl-C and SIGTERM.
//!
//! # When it does not start
//!
//! [`Client::doctor`](crate::Client::doctor) goes through token, gateway, intents, quotas, clock and webhook, and says what is wrong and what to do.
//! `cargo install qqbot --features cli` makes it a program: `qqbot doctor`; `qqbot explain 4914` tells what a code means.
//!
//! # Stopping without loss
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use qqbot::prelude::*;
//!
//! # async fn run(token: Token) -> Result<(), Box<dyn std::error::Error>> {
//! let store = FileStore::open("state")?;
//! let client = Client::builder(token, Intents::default().with_group_and_c2c())
//!     .session_store(store.clone()) // resume where the last process ended
//!     .dedupe_store(store.clone())  // handle nothing twice
//!     .reply_store(store.clone())   // answer nothing twice
//!     .quote_store(store)           // know what users quote
//!     .stop_deadline(Duration::from_secs(10))
//!     .build()?;
//! client.run_until_ctrl_c().await?;
//! # Ok(()) }
//! ```
//!
//! A stop takes no more events, lets callbacks and answers on their way finish, saves what the stores do not have yet and the sessions, and closes
//! the connections, all within the deadline, and reports what it could not finish ([`StopReport`](crate::StopReport)). After a crash the platform sends again what was not handled; with the first three stores each event
//! is handled once and answered once.
//!
//! # Status and figures
//!
//! [`Client::status`](crate::Client::status) is a `watch` channel: connecting, ready, resuming, degraded with the reason, stopped. It never says ready without a live session.
//! Degraded is also a bot whose sessions live, but which gets no access token or whose messages fail one after the other.
//! [`health`](crate::Client::health) adds the shards with their heartbeats, the queues, and until when the access token is good;
//! [`watch_health`](crate::Client::watch_health) says it again and again. [`stats`](crate::Client::stats) counts events by kind, sends by kind and
//! result, repeats, drops, reconnects by cause, panics and time-outs. All of them work from a callback as well, through
//! [`ctx.client()`](crate::Context::client).
//!
//! ```no_run
//! # use qqbot::prelude::*;
//! # async fn watch(client: Client) {
//! let mut status = client.status();
//! while status.changed().await.is_ok() {
//!     println!("{:?}", *status.borrow_and_update());
//! }
//! # }
//! ```
//!
//! # Logs
//!
//! Everything is traced with [`tracing`](https://docs.rs/tracing). Secrets, tokens, texts and the ids of users are never logged at `info` or above.
//!
//! # Many bots
//!
//! Any number of clients run in one process and share nothing.
