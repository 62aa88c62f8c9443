//! Where events come from. Handlers, answers, repeats, cache and collectors are the same for all of them.
//!
//! # Gateway
//!
//! The default: the platform says how many shards it wants, and they all run in this process. [`ClientBuilder::shards`](crate::ClientBuilder::shards) says otherwise, for
//! example a range for each of several machines. Connections that break are resumed without loss where the platform allows it.
//!
//! # Webhook
//!
//! With the feature `webhook`, the platform calls the bot. Callbacks are verified, acknowledged at once, and handled afterwards.
//!
//! ```no_run
//! # #[cfg(feature = "webhook")]
//! # async fn run() -> Result<(), qqbot::BotError> {
//! use qqbot::prelude::*;
//!
//! let client = Client::builder(Token::from_env()?, Intents::default())
//!     .webhook("127.0.0.1:8080", "/qqbot") // behind a proxy that speaks HTTPS
//!     .build()?;
//! client.run_until_ctrl_c().await
//! # }
//! ```
//!
//! Without a proxy, `webhook_tls_files` takes a certificate. To mount it in an axum application see
//! `examples/webhook_axum.rs`; for a serverless function, `examples/webhook_function.rs`. Gateway and webhook may run together
//! while a bot moves from one to the other: no event is handled twice.
//!
//! # Several processes
//!
//! With the feature `cluster`, processes on one machine or many are one bot, on NATS JetStream. See `docs/cluster.md` in the repository.
//!
//! # Something else
//!
//! A broker of your own, a file, a test: implement [`EventSource`](crate::EventSource) and give it to
//! [`ClientBuilder::event_source`](crate::ClientBuilder::event_source). Each event is acknowledged to it when it was handled. Who wants only the frames takes
//! [`Shard`](crate::gateway::Shard) from `qq-gateway`, with its own runtime around it.
