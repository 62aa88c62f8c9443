//! What a shard is doing.

use std::time::{Duration, Instant};

use crate::ShardErrorKind;
use crate::timeouts::Phase;

/// What a shard is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShardStatus {
    /// It is on the way to a connection, or was not polled yet.
    Connecting {
        /// What it is busy with.
        phase: Phase,
    },
    /// IDENTIFY was sent.
    Identifying,
    /// RESUME was sent; missed events are coming in.
    Resuming,
    /// The session is live.
    Ready {
        /// Since when.
        since: Instant,
    },
    /// It waits before the next attempt.
    Waiting {
        /// Until when.
        until: Instant,
        /// What ended the last attempt.
        cause: ShardErrorKind,
    },
    /// Its close frame was sent, the gateway's has not come.
    Closing,
    /// It has ended.
    Closed,
}

/// Counters of a shard since it was built. They only grow, except for the round trip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShardStats {
    /// Events yielded.
    pub events: u64,
    /// Events dropped because nobody wants their kind.
    pub unwanted: u64,
    /// Events dropped because the session had had them before.
    pub repeats: u64,
    /// Holes in the numbers of events.
    pub gaps: u64,
    /// Frames dropped because they are malformed.
    pub malformed: u64,
    /// How long reading paused because frames came faster than
    /// [`Limits::max_rate`](crate::Limits::max_rate).
    pub held_back: Duration,
    /// WebSocket connections opened.
    pub connections: u64,
    /// IDENTIFYs sent.
    pub identifies: u64,
    /// RESUMEs sent.
    pub resumes: u64,
    /// Heartbeats sent.
    pub heartbeats: u64,
    /// From the last heartbeat to its ACK.
    pub round_trip: Option<Duration>,
}
