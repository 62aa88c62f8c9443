#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail"
)]
//! Shards against a gateway in memory, on virtual time.

mod ahead;
mod cancel;
mod deadlines;
mod fake;
mod faults;
mod group;
mod heartbeat;
mod input;
mod long;
mod queue;
mod raw;
mod secure;
mod sender;
mod session;
mod streams;
mod tokens;
