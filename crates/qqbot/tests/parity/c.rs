//! `on`, `on_typed`, caches, collectors, managers and the errors of a client.

mod cache;
mod client;
mod collectors;
mod errors;
mod handlers;
mod managers;
#[path = "../end_to_end/support.rs"]
#[expect(dead_code, reason = "each test target uses its part of it")]
mod support;
mod transport;
