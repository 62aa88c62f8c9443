//! Which events this process has handled lately.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// So many events are remembered at least, if they came within the time.
const CAPACITY: usize = 1 << 16;

/// The events that were handled within some time, by fingerprints of what NATS knows them by: those that come again are
/// dropped. NATS does it better where it can; several servers together cannot before 2.10.14, see
/// [`Layout::drops_repeats`](crate::nats::Layout::drops_repeats), and one that starts again has forgotten what it deleted.
#[derive(Debug)]
pub(crate) struct Recent {
    time: Duration,
    hasher: RandomState,
    handled: Mutex<Handled>,
}

/// The older half goes when the newer one has had its time, or is full.
#[derive(Debug)]
struct Handled {
    older: HashSet<u64>,
    newer: HashSet<u64>,
    since: Instant,
}

impl Recent {
    /// Remembers for so long at least.
    pub(crate) fn new(time: Duration) -> Self {
        Self {
            time,
            hasher: RandomState::new(),
            handled: Mutex::new(Handled {
                older: HashSet::new(),
                newer: HashSet::new(),
                since: Instant::now(),
            }),
        }
    }

    pub(super) fn fingerprint(&self, key: &str) -> u64 {
        self.hasher.hash_one(key)
    }

    /// An event was handled.
    pub(super) fn insert(&self, fingerprint: u64) {
        let mut handled = self.lock();
        if handled.newer.len() >= CAPACITY || handled.since.elapsed() >= self.time {
            handled.older = std::mem::take(&mut handled.newer);
            handled.since = Instant::now();
        }
        handled.newer.insert(fingerprint);
    }

    /// Whether an event was handled.
    pub(super) fn contains(&self, fingerprint: u64) -> bool {
        let handled = self.lock();
        handled.newer.contains(&fingerprint) || handled.older.contains(&fingerprint)
    }

    /// Plain data that is whole after every statement, so a panic elsewhere spoils nothing.
    fn lock(&self) -> MutexGuard<'_, Handled> {
        self.handled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_was_handled_is_known_for_its_time_and_not_for_ever() {
        let recent = Recent::new(Duration::from_secs(60));
        let (one, two) = (recent.fingerprint("m:1"), recent.fingerprint("m:2"));
        assert!(!recent.contains(one));
        recent.insert(one);
        tokio::time::advance(Duration::from_secs(60)).await;
        recent.insert(two);
        assert!(recent.contains(one) && recent.contains(two));
        tokio::time::advance(Duration::from_secs(60)).await;
        recent.insert(recent.fingerprint("m:3"));
        assert!(!recent.contains(one) && recent.contains(two));
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded() {
        let recent = Recent::new(Duration::from_secs(60));
        for number in 0..5 * CAPACITY as u64 {
            recent.insert(number);
        }
        let handled = recent.lock();
        assert!(handled.newer.len() + handled.older.len() <= 2 * CAPACITY);
    }
}
