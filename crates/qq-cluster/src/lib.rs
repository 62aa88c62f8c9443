#![forbid(unsafe_code)]
//! Many processes as one bot, on NATS JetStream.

mod claims;
mod cluster;
mod config;
mod counters;
mod dead_letters;
mod error;
mod identify;
mod limits;
mod members;
mod nats;
#[cfg(test)]
#[path = "../tests/support/nats_server.rs"]
mod nats_server;
#[cfg(test)]
#[path = "../tests/support/nats_trio.rs"]
mod nats_trio;
mod partition;
mod process;
mod receiver;
mod rival;
mod source;
mod stores;
mod tenure;
#[cfg(test)]
mod tests;
#[cfg(feature = "webhook")]
mod webhook;
mod worker;

pub use self::cluster::{Cluster, ClusterStats, HeldShard, Overview, Partition};
pub use self::config::{ClusterConfig, Role};
pub use self::dead_letters::DeadLetter;
pub use self::error::{ClusterError, ClusterErrorKind};
pub use self::members::Member;
pub use self::source::ClusterExt;
#[cfg(feature = "webhook")]
pub use self::webhook::ClusterSink;
