//! The client against a platform that misbehaves on the wire, over real sockets: what each fault gives, how many requests
//! it takes, and that no message shows twice.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod answers;
mod faults;
mod platform;
mod tokens;
