#![forbid(unsafe_code)]
//! One WebSocket session of the QQ bot platform as a [`Stream`](futures_core::Stream), around a sans-I/O state
//! machine.
//!
//! * [`Shard`] is the stream: it connects, identifies, resumes, keeps the connection alive and yields events.
//!   It spawns nothing.
//! * [`RawShard`] is the same with events that are not decoded: header and text, and
//!   [`decode`](RawDispatch::decode) on request.
//! * [`Session`] is what another process needs to go on where this one stopped.
//! * [`ShardSender`] sends frames and close requests from other tasks.
//! * [`ShardGroup`] runs many shards as one stream; [`ShardPlan`] says which.
//! * [`IdentifyQueue`] spaces the IDENTIFYs of many shards; [`InMemoryIdentifyQueue`] does so in one process.
//! * [`Timeouts`], [`Backoff`] and [`Limits`] bound every wait, retry and buffer.
//!
//! ```no_run
//! use qq_gateway::Shard;
//! use qq_model::{BearerToken, Intents};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let token = BearerToken::new(std::env::var("QQ_BOT_ACCESS_TOKEN")?);
//! let intents = Intents::default().with_group_and_c2c();
//! let url = std::env::var("QQ_BOT_GATEWAY_URL")?; // what `GET /gateway` returned
//! let mut shard = Shard::builder(url, token, intents).build()?;
//! while let Some(item) = shard.next().await {
//!     match item {
//!         Ok(dispatch) => println!("{}", dispatch.event.name()),
//!         Err(error) => eprintln!("{error}"), // the shard reconnects by itself, unless error.is_fatal()
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # After a connection has ended
//!
//! | What happened | What the shard does |
//! |---|---|
//! | connection lost, op 7, op 9 `true`, close 1xxx, 4000, 4009 | RESUME |
//! | 4008 | RESUME after a pause of a minute |
//! | 4004 | replaces the token, then RESUME; stops when three in a row are refused |
//! | op 9 `false` or without `d`, 4003, 4005 to 4007, 4900 to 4913 | IDENTIFY |
//! | RESUME refused, or not answered; two connections in a row lost before RESUMED | IDENTIFY |
//! | an unknown code | IDENTIFY after some minutes, with an error in the log |
//! | 4001, 4002, 4010 to 4014, 4914, 4915, refused credentials | stops with the reason |
//!
//! The codes and their meanings are in [`CloseCode`](qq_model::gateway::CloseCode). Delays grow from at most
//! one second to at most one minute, drawn with full jitter, and start anew after a minute of stable session.
//!
//! # Features
//!
//! * `simd-json` decodes events with `simd-json`, in buffers that each shard keeps, instead of `serde_json`. The events are
//!   the same; what `simd-json` refuses or reads otherwise is left to `serde_json`. Over the event fixtures it takes 5 %
//!   fewer instructions and about the same time (`benches/README.md`), so it is off by default: measure it on your traffic.
//!
//! # Logs
//!
//! `tracing` events carry the field `shard`, and where they apply `session`, `sequence`, `code`, `cause`.
//! Payloads and tokens are never logged.
//!
//! Source: the platform's pages on [WebSocket access](https://bot.q.qq.com/wiki/develop/api-v2/dev-prepare/interface-framework/event-emit.html)
//! and [opcodes](https://bot.q.qq.com/wiki/develop/api-v2/dev-prepare/interface-framework/opcode.html), and what
//! has been observed where they are silent.

/// How connections are opened: the [`Connect`](transport::Connect) seam of [`ShardBuilder::connect`], its default over
/// TCP, proxies, and TLS.
pub use qq_transport as transport;

mod backoff;
mod error;
mod group;
mod limits;
mod machine;
mod plan;
mod queue;
mod session;
mod shard;
mod status;
mod timeouts;

pub use self::backoff::Backoff;
pub use self::error::{ShardError, ShardErrorKind};
pub use self::group::{ShardGroup, ShardStream};
pub use self::limits::Limits;
pub use self::machine::{SequenceGap, SequenceRepeat};
pub use self::plan::{ShardPlan, ShardPlanError};
pub use self::queue::{
    IdentifyFuture, IdentifyQueue, IdentifyTurn, InMemoryIdentifyQueue, SessionQuotaError,
};
pub use self::session::{AckMode, CloseMode, Session};
pub use self::shard::{RawDispatch, RawShard, SendError, Shard, ShardBuilder, ShardSender};
pub use self::status::{ShardStats, ShardStatus};
pub use self::timeouts::{Phase, Timeouts};

/// Drives the state machine as the bytes say, and panics when it breaks a promise. For the fuzz target alone: it
/// exists in builds by cargo-fuzz only.
#[cfg(fuzzing)]
#[doc(hidden)]
pub fn fuzz_machine(bytes: &[u8]) {
    machine::fuzz_machine(bytes);
}
