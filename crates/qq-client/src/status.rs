//! What a client is doing, truthfully.

use std::sync::Arc;
use std::time::SystemTime;

use qq_model::gateway::ShardId;
use qq_model::id::SessionId;

use crate::health::Vitals;

/// What a client is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// It was not started.
    Idle,
    /// It is starting: not every shard has had a session yet.
    Connecting,
    /// Every shard has a live session, and a webhook, if there is one, listens.
    Ready {
        /// Since when.
        since: SystemTime,
    },
    /// At least one shard has lost its connection and goes on with the same session as soon as it has another; nothing
    /// is lost.
    Resuming {
        /// What happened to the shard.
        reason: Box<str>,
    },
    /// At least one shard has lost its session and is getting a new one, or another source of events was interrupted.
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

/// Where events come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Shard(ShardId),
    #[cfg(feature = "webhook")]
    Webhook,
    /// One of [`ClientBuilder::event_source`](crate::ClientBuilder::event_source), in the order of the calls.
    Other(usize),
}

/// What one source of events is doing.
#[derive(Clone, Debug)]
pub(crate) struct SourceView {
    pub(crate) source: Source,
    pub(crate) phase: Phase,
    pub(crate) vitals: Arc<Vitals>,
}

#[derive(Clone, Debug)]
pub(crate) enum Phase {
    Connecting,
    /// A gateway session.
    Live(SessionId),
    /// A webhook's address.
    #[cfg(feature = "webhook")]
    Listening,
    /// Another source.
    Connected,
    /// The connection is lost, the session is not.
    Resuming(Box<str>),
    Interrupted(Box<str>),
}

/// The status of a running client, from that of its sources of events.
pub(crate) fn summarize(sources: &[SourceView], since: SystemTime) -> Status {
    if let Some(reason) = sources.iter().find_map(|view| match &view.phase {
        Phase::Interrupted(reason) => Some(reason),
        _ => None,
    }) {
        return Status::Degraded {
            reason: reason.clone(),
        };
    }
    if sources.is_empty()
        || sources
            .iter()
            .any(|view| matches!(view.phase, Phase::Connecting))
    {
        return Status::Connecting;
    }
    if let Some(reason) = sources.iter().find_map(|view| match &view.phase {
        Phase::Resuming(reason) => Some(reason),
        _ => None,
    }) {
        return Status::Resuming {
            reason: reason.clone(),
        };
    }
    Status::Ready { since }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn views(phases: impl IntoIterator<Item = Phase>) -> Vec<SourceView> {
        phases
            .into_iter()
            .map(|phase| SourceView {
                source: Source::Shard(ShardId::ONE),
                phase,
                vitals: Arc::default(),
            })
            .collect()
    }

    #[test]
    fn ready_only_when_every_shard_is_live() {
        let now = SystemTime::now();
        let live = || Phase::Live(SessionId::new("s"));
        assert_eq!(summarize(&[], now), Status::Connecting);
        assert_eq!(
            summarize(&views([live(), Phase::Connecting]), now),
            Status::Connecting
        );
        assert_eq!(
            summarize(&views([live(), live()]), now),
            Status::Ready { since: now }
        );
        let interrupted = summarize(&views([live(), Phase::Interrupted("gone".into())]), now);
        assert_eq!(
            interrupted,
            Status::Degraded {
                reason: "gone".into()
            }
        );
        let resuming = summarize(&views([live(), Phase::Resuming("cut".into())]), now);
        assert_eq!(
            resuming,
            Status::Resuming {
                reason: "cut".into()
            }
        );
    }
}
