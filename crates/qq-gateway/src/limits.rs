//! Limits on what goes in and out.

use std::num::NonZeroU32;

/// Limits on what a shard reads, writes and buffers.
///
/// ```
/// let mut limits = qq_gateway::Limits::default();
/// limits.read_buffer = 8 * 1024;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The largest frame that is read, in bytes; 4 MiB. A larger one ends the connection.
    pub max_frame: usize,
    /// How deep objects and lists may be nested in an event's frame; 64. A deeper one is dropped and reported as
    /// [`ShardErrorKind::Decode`](crate::ShardErrorKind::Decode); the connection lives. The platform's own events
    /// stay below ten.
    pub max_depth: usize,
    /// The most frames that are read in a second, in the mean; no limit by default. A second's worth may come
    /// at once. What comes faster waits in the network: nothing is lost, the gateway is held back by TCP, and
    /// [`ShardStats::held_back`](crate::ShardStats::held_back) says for how long. Heartbeats go on, and an ACK
    /// that has to wait is not held against the gateway.
    pub max_rate: Option<NonZeroU32>,
    /// The size of the read buffer in bytes; 4 KiB. An idle shard keeps it. While more comes than it holds, 128 KiB are
    /// used, and given back when nothing is left to read.
    pub read_buffer: usize,
    /// The largest frame that [`ShardSender`](crate::ShardSender) takes, in bytes; 4,096. The platform
    /// documents no limit; this is the one of the protocol that it follows.
    pub max_outgoing_frame: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_frame: 4 << 20,
            max_depth: 64,
            max_rate: None,
            read_buffer: 4 << 10,
            max_outgoing_frame: 4096,
        }
    }
}
