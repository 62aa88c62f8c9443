#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test may fail, and says with which seed"
)]
//! Shards on a simulated network, against a gateway that keeps its word, on virtual time.
//!
//! Every scenario runs with several seeds, which decide latencies, fragments, when events happen and where the
//! consumer drops its futures. A failure prints its seed: `QQ_GATEWAY_SIM_SEED=<seed>` runs that one alone, and
//! `QQ_GATEWAY_SIM_RUNS=<count>` as many as there is time for.

mod drops;
mod faults;
mod long;
mod net;
mod partitions;
mod platform;
mod random;
mod storms;
mod world;
