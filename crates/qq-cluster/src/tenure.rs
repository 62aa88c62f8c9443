//! Which events this process may answer: those of partitions that it holds, and none that another holder has by now.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Nobody answers an event that is older than the longest window.
const MEMORY: Duration = Duration::from_secs(65 * 60);

/// The events that this process handles, and those that were taken from it, by what the ledger knows them by.
#[derive(Debug, Default)]
pub(crate) struct Tenures {
    of: Mutex<HashMap<Box<str>, Tenure>>,
}

/// This process's right to answer an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tenure {
    /// It handles the event, as the holder of a partition since this epoch.
    Held {
        epoch: u64,
        /// The holder before may have died over the event, or merely seem dead.
        is_contested: bool,
    },
    /// Another process handles it from now on.
    Revoked(Instant),
}

impl Tenures {
    /// This process handles an event.
    pub(crate) fn begin(&self, key: &str, epoch: u64, is_contested: bool) {
        let tenure = Tenure::Held {
            epoch,
            is_contested,
        };
        self.lock().insert(key.into(), tenure);
    }

    /// The event was handled. Whoever answers it later does so without a rival.
    pub(crate) fn end(&self, key: &str) {
        self.lock().remove(key);
    }

    /// Another process handles these events from now on.
    pub(crate) fn revoke(&self, keys: impl IntoIterator<Item = Box<str>>) {
        let now = Instant::now();
        let mut of = self.lock();
        of.retain(|_, tenure| match tenure {
            Tenure::Held { .. } => true,
            Tenure::Revoked(since) => now.duration_since(*since) < MEMORY,
        });
        of.extend(keys.into_iter().map(|key| (key, Tenure::Revoked(now))));
    }

    /// What this process may do about an event; `None` for one that it does not handle now.
    pub(crate) fn of(&self, key: &str) -> Option<Tenure> {
        self.lock().get(key).copied()
    }

    /// Plain data that is whole after every statement, so a panic elsewhere spoils nothing.
    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Tenure>> {
        self.of.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_comes_back_may_be_answered_again() {
        let tenures = Tenures::default();
        tenures.begin("m:1", 7, false);
        tenures.revoke(["m:1".into(), "m:2".into()]);
        for key in ["m:1", "m:2"] {
            assert!(matches!(tenures.of(key), Some(Tenure::Revoked(_))));
        }
        tenures.begin("m:1", 9, true);
        let held = Tenure::Held {
            epoch: 9,
            is_contested: true,
        };
        assert_eq!(tenures.of("m:1"), Some(held));
        tenures.end("m:1");
        tokio::time::advance(MEMORY).await;
        tenures.revoke([]);
        assert!(tenures.lock().is_empty());
    }
}
