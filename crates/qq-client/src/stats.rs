//! What a client has done, counted.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use qq_gateway::ShardErrorKind;
use qq_http::{OutgoingMessage, Sent};
use qq_model::EventKind;

use crate::{BotError, ErrorKind};

/// How many kinds of events there are.
const KINDS: usize = EventKind::ALL.len();
const SENDS: usize = SendKind::ALL.len();
const RESULTS: usize = SendResult::BEFORE_FAILED + ErrorKind::ALL.len();
const CAUSES: usize = ReconnectCause::ALL.len();

/// Counters since the client was made. They only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Events handed to handlers.
    pub events: u64,
    /// Events dropped because they had been seen before.
    pub duplicates: u64,
    /// Messages that the platform took: the kinds of [`SendKind::is_message`], whoever sent them.
    pub sent: u64,
    /// Messages that it did not take, or that were not sent. One that was refused as markdown and then taken as text
    /// counts here and there.
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
    /// Messages that the quote store did not take, and calls of it that failed otherwise.
    pub quote_store_failures: u64,
    /// Events that were dropped by their name, before they were decoded, because nobody asked for their kind:
    /// [`ClientBuilder::kinds`](crate::ClientBuilder::kinds).
    pub unwanted: u64,
    kinds: Table<{ KINDS + 1 }>,
    sends: Table<{ SENDS * RESULTS }>,
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

    /// What was sent of this kind and ended like this.
    ///
    /// ```
    /// # fn run(client: &qq_client::Client) {
    /// use qq_client::{ErrorKind, SendKind, SendResult};
    ///
    /// let stats = client.stats();
    /// let (kind, held_back) = (SendKind::Passive, SendResult::Failed(ErrorKind::RateLimited));
    /// println!("{} answers were held back", stats.sends_of(kind, held_back));
    /// # }
    /// ```
    #[must_use]
    pub fn sends_of(&self, kind: SendKind, result: SendResult) -> u64 {
        self.sends.get(place(kind, result))
    }

    /// Everything that was sent, by kind and result, where there was any.
    pub fn sends(&self) -> impl Iterator<Item = (SendKind, SendResult, u64)> + '_ {
        let all = SendKind::ALL
            .iter()
            .flat_map(|kind| SendResult::all().map(move |result| (*kind, result)));
        all.map(|(kind, result)| (kind, result, self.sends_of(kind, result)))
            .filter(|(.., count)| *count > 0)
    }

    /// What the platform took of this kind.
    #[must_use]
    pub fn sent_of(&self, kind: SendKind) -> u64 {
        self.sum_of(kind, true)
    }

    /// What it did not take of this kind, may not have taken, or was not sent.
    #[must_use]
    pub fn send_failures_of(&self, kind: SendKind) -> u64 {
        self.sum_of(kind, false)
    }

    fn sum_of(&self, kind: SendKind, was_taken: bool) -> u64 {
        SendResult::all()
            .filter(|result| result.was_taken() == was_taken)
            .map(|result| self.sends_of(kind, result))
            .sum()
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
    /// A text that grew while it was written, from its first frame to its last.
    Stream,
    /// A typing indicator.
    Typing,
    /// A message with a file, a picture, a voice message.
    Media,
    /// Taking a message back.
    Recall,
    /// Acknowledging an interaction.
    Ack,
}

impl SendKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Passive,
        Self::Active,
        Self::WakeUp,
        Self::Stream,
        Self::Typing,
        Self::Media,
        Self::Recall,
        Self::Ack,
    ];

    /// Whether it is a message that users see: all but typing indicators, recalls of messages, acknowledgements.
    #[must_use]
    pub const fn is_message(self) -> bool {
        !matches!(self, Self::Typing | Self::Recall | Self::Ack)
    }

    pub(crate) fn of_message(message: &OutgoingMessage<'_>) -> Self {
        let body = message.body;
        if body.is_input_notify() {
            Self::Typing
        } else if body.has_media() || message.has_image {
            Self::Media
        } else if body.target().is_some() {
            Self::Passive
        } else if body.is_wakeup() {
            Self::WakeUp
        } else {
            Self::Active
        }
    }
}

/// What became of something that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SendResult {
    /// The platform took it.
    Sent,
    /// The platform took it, and it waits for an audit.
    PendingAudit,
    /// The platform said yes and named no message: it may not have been delivered.
    Unconfirmed,
    /// No answer says whether the platform took it.
    Unknown,
    /// It was not sent, or the platform did not take it.
    Failed(ErrorKind),
}

impl SendResult {
    /// How many there are beside [`Failed`](Self::Failed).
    const BEFORE_FAILED: usize = 4;

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let failed = ErrorKind::ALL.iter().copied().map(Self::Failed);
        [
            Self::Sent,
            Self::PendingAudit,
            Self::Unconfirmed,
            Self::Unknown,
        ]
        .into_iter()
        .chain(failed)
    }

    /// Whether the platform took it.
    #[must_use]
    pub const fn was_taken(self) -> bool {
        matches!(self, Self::Sent | Self::PendingAudit | Self::Unconfirmed)
    }

    pub(crate) fn of(kind: SendKind, sent: &Sent) -> Self {
        match sent {
            Sent::PendingAudit(_) => Self::PendingAudit,
            // An indicator is no message and has no id.
            Sent::Delivered(message) if message.id.is_empty() && kind != SendKind::Typing => {
                Self::Unconfirmed
            }
            _ => Self::Sent,
        }
    }

    pub(crate) fn of_error(error: &qq_http::Error) -> Self {
        Self::of_kind(ErrorKind::of_rest(error))
    }

    pub(crate) fn of_failure(error: &BotError) -> Self {
        Self::of_kind(error.kind())
    }

    const fn of_kind(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::OutcomeUnknown => Self::Unknown,
            kind => Self::Failed(kind),
        }
    }

    const fn index(self) -> usize {
        match self {
            Self::Sent => 0,
            Self::PendingAudit => 1,
            Self::Unconfirmed => 2,
            Self::Unknown => 3,
            Self::Failed(kind) => Self::BEFORE_FAILED + kind as usize,
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
    pub(crate) unwanted: AtomicU64,
    kinds: Cells<{ KINDS + 1 }>,
    sends: Cells<{ SENDS * RESULTS }>,
    causes: Cells<CAUSES>,
}

impl Counters {
    pub(crate) fn event(&self, kind: Option<EventKind>) {
        self.kinds.add(index(kind));
    }

    pub(crate) fn send(&self, kind: SendKind, result: SendResult) {
        self.sends.add(place(kind, result));
    }

    pub(crate) fn interruption(&self, cause: ReconnectCause) {
        self.causes.add(cause as usize);
    }

    /// What is counted here; the rest is for others to fill in.
    pub(crate) fn stats(&self) -> Stats {
        let (kinds, causes) = (self.kinds.read(), self.causes.read());
        let mut stats = Stats {
            events: kinds.0.iter().sum(),
            interruptions: causes.0.iter().sum(),
            panics: self.panics.load(Ordering::Relaxed),
            timeouts: self.timeouts.load(Ordering::Relaxed),
            unwanted: self.unwanted.load(Ordering::Relaxed),
            kinds,
            sends: self.sends.read(),
            causes,
            ..Stats::default()
        };
        for kind in SendKind::ALL.iter().filter(|kind| kind.is_message()) {
            stats.sent += stats.sent_of(*kind);
            stats.send_failures += stats.send_failures_of(*kind);
        }
        stats
    }
}

/// Where a kind is counted; unknown events come last.
fn index(kind: Option<EventKind>) -> usize {
    kind.map_or(KINDS, |kind| kind as usize)
}

/// Where a result of a kind is counted.
const fn place(kind: SendKind, result: SendResult) -> usize {
    kind as usize * RESULTS + result.index()
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
            for result in SendResult::all() {
                counters.send(kind, result);
            }
        }
        let unknown = SendResult::of_kind(ErrorKind::OutcomeUnknown);
        assert_eq!(unknown, SendResult::Unknown);
        counters.send(SendKind::Media, unknown);
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
        let messages = 5;
        let failures = 1 + ErrorKind::ALL.len() as u64;
        assert_eq!(stats.sent, messages * 3);
        assert_eq!(stats.send_failures, messages * failures + 1);
        for kind in SendKind::ALL {
            let more = u64::from(kind == SendKind::Media);
            assert_eq!(stats.sent_of(kind), 3);
            assert_eq!(stats.send_failures_of(kind), failures + more);
            for result in SendResult::all() {
                let more = if result == unknown { more } else { 0 };
                assert_eq!(
                    stats.sends_of(kind, result),
                    1 + more,
                    "{kind:?} {result:?}"
                );
            }
        }
        assert_eq!(stats.sends().count(), SENDS * RESULTS);
        assert_eq!(stats.interruptions, 7);
        assert_eq!(stats.interruptions_by(ReconnectCause::Other), 1);
    }
}
