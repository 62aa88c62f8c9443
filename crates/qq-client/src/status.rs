//! What a client is doing, truthfully.

use std::sync::Arc;
use std::time::SystemTime;

use qq_model::gateway::ShardId;
use qq_model::id::SessionId;

use crate::health::Vitals;

/// What a client is doing, truthfully: never ready without a live session of every shard.
///
/// ```no_run
/// # async fn run(client: qq_client::Client) {
/// use qq_client::Status;
///
/// let mut status = client.status();
/// while status.changed().await.is_ok() {
///     match &*status.borrow_and_update() {
///         Status::Ready { .. } => println!("all is well"),
///         Status::Degraded { reason } => println!("look after me: {reason}"),
///         other => println!("{other:?}"),
///     }
/// }
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// It was not started.
    Idle,
    /// It is starting: not every shard has had a session yet.
    Connecting,
    /// Every shard has a live session, a webhook, if there is one, listens, and nothing is known to be wrong.
    Ready {
        /// Since when every shard has one.
        since: SystemTime,
    },
    /// At least one shard has lost its connection and goes on with the same session as soon as it has another; nothing
    /// is lost.
    Resuming {
        /// What happened to the shard.
        reason: Box<str>,
    },
    /// It runs, and does not do all of its work: at least one shard has lost its session and is getting a new one,
    /// another source of events was interrupted, no access token can be fetched, or what it sends fails: five times
    /// in a row and within the last minute, for reasons that are not the messages' own, or with answers that name no
    /// message.
    Degraded {
        /// What happened.
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
pub(crate) fn summarize(sources: &[SourceView]) -> Status {
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
    Status::Ready {
        since: SystemTime::now(),
    }
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
        let live = || Phase::Live(SessionId::new("s"));
        assert_eq!(summarize(&[]), Status::Connecting);
        let connecting = summarize(&views([live(), Phase::Connecting]));
        assert_eq!(connecting, Status::Connecting);
        let ready = summarize(&views([live(), live()]));
        assert!(matches!(ready, Status::Ready { .. }), "{ready:?}");
        let interrupted = summarize(&views([live(), Phase::Interrupted("gone".into())]));
        assert_eq!(
            interrupted,
            Status::Degraded {
                reason: "gone".into()
            }
        );
        let resuming = summarize(&views([live(), Phase::Resuming("cut".into())]));
        assert_eq!(
            resuming,
            Status::Resuming {
                reason: "cut".into()
            }
        );
    }
}
