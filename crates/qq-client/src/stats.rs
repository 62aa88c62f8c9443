//! What a client has done, counted.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use qq_gateway::ShardErrorKind;
use qq_model::EventKind;

use crate::ReplyKind;

/// How many kinds of events there are.
const KINDS: usize = EventKind::ALL.len();
const SENDS: usize = SendKind::ALL.len();
const CAUSES: usize = ReconnectCause::ALL.len();

/// Counters since the client was made. They only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Events handed to handlers.
    pub events: u64,
    /// Events dropped because they had been seen before.
    pub duplicates: u64,
    /// Messages that the platform took.
    pub sent: u64,
    /// Messages that it did not take, or that were not sent.
    pub send_failures: u64,
    /// Interruptions of gateway sessions.
    pub interruptions: u64,
    /// Handlers that panicked.
    pub panics: u64,
    /// Handlers that took too long and were ended.
    pub timeouts: u64,
    /// Events dropped because [`event_capacity`](crate::ClientBuilder::event_capacity) was reached.
    pub dropped: u64,
    /// Events dropped because [`conversation_capacity`](crate::ClientBuilder::conversation_capacity) was reached.
    pub dropped_by_conversation: u64,
    /// Calls of the [`DedupeStore`](crate::DedupeStore) that failed.
    pub store_failures: u64,
    /// Calls of the reply store that failed.
    pub reply_store_failures: u64,
    kinds: Table<{ KINDS + 1 }>,
    sends: Table<{ SENDS * 2 }>,
    causes: Table<CAUSES>,
}

impl Stats {
    /// Events of this kind that were handed to handlers; `None`: those that this version does not know.
    #[must_use]
    pub fn events_of(&self, kind: Option<EventKind>) -> u64 {
        self.kinds.get(index(kind))
    }

    /// Kinds of which there were any, and how many.
    pub fn events_by_kind(&self) -> impl Iterator<Item = (EventKind, u64)> + '_ {
        let all = EventKind::ALL
            .iter()
            .map(|kind| (*kind, self.events_of(Some(*kind))));
        all.filter(|(_, count)| *count > 0)
    }

    /// Messages of this kind that the platform took.
    #[must_use]
    pub fn sent_of(&self, kind: SendKind) -> u64 {
        self.sends.get(kind as usize * 2)
    }

    /// Messages of this kind that it did not take, or that were not sent.
    #[must_use]
    pub fn send_failures_of(&self, kind: SendKind) -> u64 {
        self.sends.get(kind as usize * 2 + 1)
    }

    /// How often a gateway session was interrupted for this reason.
    #[must_use]
    pub fn interruptions_by(&self, cause: ReconnectCause) -> u64 {
        self.causes.get(cause as usize)
    }
}

/// What was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SendKind {
    /// An answer to a message or an event.
    Passive,
    /// A message that answers nothing.
    Active,
    /// A recall of a user.
    WakeUp,
    /// A part or the end of an answer that is streamed.
    Stream,
    /// A typing indicator.
    Typing,
    /// A file, a picture, a voice message.
    Media,
}

impl SendKind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Passive,
        Self::Active,
        Self::WakeUp,
        Self::Stream,
        Self::Typing,
        Self::Media,
    ];
}

impl From<ReplyKind> for SendKind {
    fn from(kind: ReplyKind) -> Self {
        match kind {
            ReplyKind::PassiveToMessage | ReplyKind::PassiveToEvent => Self::Passive,
            ReplyKind::Active => Self::Active,
            ReplyKind::WakeUp => Self::WakeUp,
        }
    }
}

/// Why a gateway session was interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReconnectCause {
    /// The connection was lost or could not be made.
    Network,
    /// A heartbeat or another deadline was missed.
    Timeout,
    /// The platform closed the connection.
    Closed,
    /// The platform asked for a new connection (op 7).
    Requested,
    /// The platform refused the session (op 9).
    InvalidSession,
    /// No access token, or the platform refused it.
    Authentication,
    /// Anything else.
    Other,
}

impl ReconnectCause {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Network,
        Self::Timeout,
        Self::Closed,
        Self::Requested,
        Self::InvalidSession,
        Self::Authentication,
        Self::Other,
    ];
}

impl From<ShardErrorKind> for ReconnectCause {
    fn from(kind: ShardErrorKind) -> Self {
        match kind {
            ShardErrorKind::Network => Self::Network,
            ShardErrorKind::Timeout => Self::Timeout,
            ShardErrorKind::Closed => Self::Closed,
            ShardErrorKind::Reconnect => Self::Requested,
            ShardErrorKind::InvalidSession => Self::InvalidSession,
            ShardErrorKind::Authentication => Self::Authentication,
            _ => Self::Other,
        }
    }
}

/// [`Stats`] while they are counted.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) panics: AtomicU64,
    pub(crate) timeouts: AtomicU64,
    kinds: Cells<{ KINDS + 1 }>,
    sends: Cells<{ SENDS * 2 }>,
    causes: Cells<CAUSES>,
}

impl Counters {
    pub(crate) fn event(&self, kind: Option<EventKind>) {
        self.kinds.add(index(kind));
    }

    pub(crate) fn send(&self, kind: SendKind, is_sent: bool) {
        self.sends.add(kind as usize * 2 + usize::from(!is_sent));
    }

    pub(crate) fn interruption(&self, cause: ReconnectCause) {
        self.causes.add(cause as usize);
    }

    /// What is counted here; the rest is for others to fill in.
    pub(crate) fn stats(&self) -> Stats {
        let sends = self.sends.read();
        let by_result = |result: usize| sends.0.iter().skip(result).step_by(2).sum();
        let (kinds, causes) = (self.kinds.read(), self.causes.read());
        Stats {
            events: kinds.0.iter().sum(),
            sent: by_result(0),
            send_failures: by_result(1),
            interruptions: causes.0.iter().sum(),
            panics: self.panics.load(Ordering::Relaxed),
            timeouts: self.timeouts.load(Ordering::Relaxed),
            kinds,
            sends,
            causes,
            ..Stats::default()
        }
    }
}

/// Where a kind is counted; unknown events come last.
fn index(kind: Option<EventKind>) -> usize {
    kind.map_or(KINDS, |kind| kind as usize)
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Table<const N: usize>([u64; N]);

impl<const N: usize> Table<N> {
    fn get(&self, index: usize) -> u64 {
        self.0.get(index).copied().unwrap_or_default()
    }
}

impl<const N: usize> Default for Table<N> {
    fn default() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> fmt::Debug for Table<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().filter(|count| **count > 0))
            .finish()
    }
}

struct Cells<const N: usize>([AtomicU64; N]);

impl<const N: usize> Cells<N> {
    fn add(&self, index: usize) {
        if let Some(cell) = self.0.get(index) {
            cell.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn read(&self) -> Table<N> {
        Table(std::array::from_fn(|index| {
            self.0
                .get(index)
                .map_or(0, |cell| cell.load(Ordering::Relaxed))
        }))
    }
}

impl<const N: usize> Default for Cells<N> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_counted_by_kind_and_in_sum() {
        let counters = Counters::default();
        counters.event(Some(EventKind::Ready));
        counters.event(Some(EventKind::C2CMessageCreate));
        counters.event(Some(EventKind::C2CMessageCreate));
        counters.event(None);
        for kind in SendKind::ALL {
            counters.send(kind, true);
        }
        counters.send(SendKind::Media, false);
        for cause in ReconnectCause::ALL {
            counters.interruption(cause);
        }
        let stats = counters.stats();
        assert_eq!((stats.events, stats.events_of(None)), (4, 1));
        let by_kind: Vec<_> = stats.events_by_kind().collect();
        assert_eq!(
            by_kind,
            [(EventKind::Ready, 1), (EventKind::C2CMessageCreate, 2)]
        );
        assert_eq!((stats.sent, stats.send_failures), (6, 1));
        assert_eq!(
            (
                stats.sent_of(SendKind::Media),
                stats.send_failures_of(SendKind::Media)
            ),
            (1, 1)
        );
        assert_eq!(stats.send_failures_of(SendKind::Passive), 0);
        assert_eq!(stats.interruptions, 7);
        assert_eq!(stats.interruptions_by(ReconnectCause::Other), 1);
    }
}
