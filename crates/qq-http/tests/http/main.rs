//! The client against a strict server over the `Connect` seam, in virtual time.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what cannot be set up fails the test"
)]

mod faults;
mod limits;
mod observer;
mod proxy;
mod requests;
mod secrets;
mod sends;
mod support;
mod tls;
mod token_store;
mod tokens;
