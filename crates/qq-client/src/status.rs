//! What a client is doing, truthfully.

use std::time::SystemTime;

use qq_model::gateway::ShardId;
use qq_model::id::SessionId;

/// What a client is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// It was not started.
    Idle,
    /// It is starting: not every shard has had a session yet.
    Connecting,
    /// Every shard has a live session.
    Ready {
        /// Since when.
        since: SystemTime,
    },
    /// At least one shard has lost its session and is getting it back.
    Degraded {
        /// What happened to the shard.
        reason: Box<str>,
    },
    /// It has stopped.
    Stopped {
        /// Why, unless it was asked to.
        reason: Option<Box<str>>,
    },
}

/// A live gateway session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionSession {
    /// What RESUME names.
    pub session_id: SessionId,
    /// Which shard, from 0.
    pub shard_id: u32,
    /// How many shards there are.
    pub shard_count: u32,
}

/// Counters since the client was made. They only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Events handed to callbacks.
    pub events: u64,
    /// Events dropped because they had been seen before.
    pub duplicates: u64,
    /// Messages that the platform took.
    pub sent: u64,
    /// Messages that it did not take, or that were not sent.
    pub send_failures: u64,
    /// Interruptions of gateway sessions.
    pub interruptions: u64,
    /// Callbacks that panicked.
    pub panics: u64,
}

/// What one shard is doing.
#[derive(Clone, Debug)]
pub(crate) struct ShardView {
    pub(crate) shard: ShardId,
    pub(crate) phase: ShardPhase,
}

#[derive(Clone, Debug)]
pub(crate) enum ShardPhase {
    Connecting,
    Live(SessionId),
    Interrupted(Box<str>),
}

/// The status of a running client, from that of its shards.
pub(crate) fn summarize(shards: &[ShardView], since: SystemTime) -> Status {
    if let Some(reason) = shards.iter().find_map(|view| match &view.phase {
        ShardPhase::Interrupted(reason) => Some(reason),
        _ => None,
    }) {
        return Status::Degraded {
            reason: reason.clone(),
        };
    }
    if shards.is_empty()
        || shards
            .iter()
            .any(|view| matches!(view.phase, ShardPhase::Connecting))
    {
        return Status::Connecting;
    }
    Status::Ready { since }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn views(phases: impl IntoIterator<Item = ShardPhase>) -> Vec<ShardView> {
        phases
            .into_iter()
            .map(|phase| ShardView {
                shard: ShardId::ONE,
                phase,
            })
            .collect()
    }

    #[test]
    fn ready_only_when_every_shard_is_live() {
        let now = SystemTime::now();
        let live = || ShardPhase::Live(SessionId::new("s"));
        assert_eq!(summarize(&[], now), Status::Connecting);
        assert_eq!(
            summarize(&views([live(), ShardPhase::Connecting]), now),
            Status::Connecting
        );
        assert_eq!(
            summarize(&views([live(), live()]), now),
            Status::Ready { since: now }
        );
        let interrupted = summarize(
            &views([live(), ShardPhase::Interrupted("gone".into())]),
            now,
        );
        assert_eq!(
            interrupted,
            Status::Degraded {
                reason: "gone".into()
            }
        );
    }
}
