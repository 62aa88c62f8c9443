#![forbid(unsafe_code)]
//! Shards against a gateway in memory, on virtual time.

mod fake;
mod session;
