//! Callbacks from the platform's side: one request at a time, the service, the server.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests may fail as tests do"
)]

mod handle;
mod properties;
#[cfg(feature = "server")]
mod server;
#[cfg(feature = "server")]
mod service;
mod support;
mod vectors;
