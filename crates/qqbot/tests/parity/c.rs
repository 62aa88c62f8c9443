//! `on`, `on_typed`, caches, collectors, managers and the errors of a client.

mod cache;
mod client;
mod collectors;
mod errors;
mod handlers;
mod managers;
mod transport;

use crate::support;
