//! What happens to events that find no room.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::BotError;
use crate::error::ErrorKind;

/// What happens to an event that finds no room: see [`ClientBuilder::overflow`](crate::ClientBuilder::overflow) and
/// [`ClientBuilder::conversation_overflow`](crate::ClientBuilder::conversation_overflow).
///
/// Nothing is dropped in silence: [`Stats::dropped`](crate::Stats::dropped) counts every event, and
/// [`EventHandler::error`](crate::EventHandler::error) is told of the first of a burst and then of their number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OverflowPolicy {
    /// It waits where it is: on the connection, which is read no further, or at the platform. Nothing is lost.
    #[default]
    Wait,
    /// It is dropped.
    DropNewest,
    /// The one that has waited longest is dropped in its place. Events that are being handled are not: when all are,
    /// the new one is dropped.
    DropOldest,
}

/// Why an event was not handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// As many events waited or ran as may: [`ClientBuilder::event_capacity`](crate::ClientBuilder::event_capacity).
    Capacity,
    /// As many events of its conversation waited or ran as may:
    /// [`ClientBuilder::conversation_capacity`](crate::ClientBuilder::conversation_capacity).
    ConversationCapacity,
}

impl DropReason {
    pub(crate) const ALL: [Self; 2] = [Self::Capacity, Self::ConversationCapacity];

    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Capacity => "as many events waited as may (event_capacity)",
            Self::ConversationCapacity => {
                "as many events of its conversation waited as may (conversation_capacity)"
            }
        }
    }
}

/// How often a burst is summed up.
const BURST: Duration = Duration::from_secs(10);

/// Counts what was dropped, and says so neither never nor all the time.
#[derive(Debug, Default)]
pub(crate) struct Overflow {
    reasons: [Drops; DropReason::ALL.len()],
}

#[derive(Debug, Default)]
struct Drops {
    count: AtomicU64,
    reported: AtomicU64,
    is_burst: AtomicBool,
}

impl Overflow {
    pub(crate) fn count(&self, reason: DropReason) {
        self.of(reason).count.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn dropped(&self, reason: DropReason) -> u64 {
        self.of(reason).count.load(Ordering::Relaxed)
    }

    /// The report for the first event of a burst. Whoever gets it sees to the [`summary`](Self::summary).
    pub(crate) fn first_of_burst(&self, reason: DropReason) -> Option<BotError> {
        let drops = self.of(reason);
        if drops.is_burst.swap(true, Ordering::AcqRel) {
            return None;
        }
        drops.reported.fetch_add(1, Ordering::Relaxed);
        let message = format!("an event was dropped: {}", reason.text());
        Some(BotError::new(ErrorKind::Overflow, message))
    }

    /// After a while, or when the token says so: how many more there were. `None` when there were none, and the burst is over.
    pub(crate) async fn summary(
        &self,
        reason: DropReason,
        ends: &CancellationToken,
    ) -> Option<BotError> {
        // When the client stops, the end has come.
        let begun = Instant::now();
        ends.run_until_cancelled(tokio::time::sleep(BURST)).await;
        let drops = self.of(reason);
        let count = drops.count.load(Ordering::Relaxed);
        let more = count.saturating_sub(drops.reported.swap(count, Ordering::Relaxed));
        if more == 0 {
            drops.is_burst.store(false, Ordering::Release);
            return None;
        }
        let seconds = begun.elapsed().as_secs();
        let message = format!(
            "{more} more events were dropped within {seconds} s: {}",
            reason.text()
        );
        Some(BotError::new(ErrorKind::Overflow, message))
    }

    const fn of(&self, reason: DropReason) -> &Drops {
        let [capacity, conversation] = &self.reasons;
        match reason {
            DropReason::Capacity => capacity,
            DropReason::ConversationCapacity => conversation,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_reported_twice() {
        let (overflow, never) = (Overflow::default(), CancellationToken::new());
        let reason = DropReason::Capacity;
        let mut first = 0;
        for _ in 0..1000 {
            overflow.count(reason);
            first += usize::from(overflow.first_of_burst(reason).is_some());
        }
        assert_eq!((first, overflow.dropped(reason)), (1, 1000));
        let summary = overflow.summary(reason, &never).await.unwrap();
        assert!(
            summary.to_string().starts_with("999 more events"),
            "{summary}"
        );
        assert!(overflow.summary(reason, &never).await.is_none());
        assert!(overflow.first_of_burst(reason).is_some(), "the next burst");
        assert_eq!(overflow.dropped(DropReason::ConversationCapacity), 0);
    }
}
