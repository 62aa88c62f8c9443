//! Whether a store works, said once for each outage.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::StoreError;
use crate::BotError;
use crate::error::ErrorKind;

/// The state of one store.
#[derive(Debug, Default)]
pub(crate) struct Health {
    is_failing: AtomicBool,
    failures: AtomicU64,
}

impl Health {
    /// The result of a call to the store: the value, or the report that is due when an outage begins.
    pub(crate) fn check<T>(
        &self,
        store: &str,
        result: Result<T, StoreError>,
    ) -> Result<T, Option<BotError>> {
        match result {
            Ok(value) => {
                if self.is_failing.swap(false, Ordering::AcqRel) {
                    tracing::info!(store, "the store works again");
                }
                Ok(value)
            }
            Err(error) => {
                self.failures.fetch_add(1, Ordering::Relaxed);
                let is_new = !self.is_failing.swap(true, Ordering::AcqRel);
                Err(is_new.then(|| {
                    let message = format!("{store} failed; the bot goes on without it");
                    BotError::with_source(ErrorKind::Store, message, error)
                }))
            }
        }
    }

    /// Calls that failed.
    pub(crate) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_reported_once() {
        let health = Health::default();
        let fail = || health.check("it", Err::<(), _>(StoreError::new("down")));
        assert!(fail().unwrap_err().is_some());
        assert!(fail().unwrap_err().is_none());
        assert!(health.check("it", Ok(())).is_ok());
        assert!(fail().unwrap_err().is_some(), "the next outage");
        assert_eq!(health.failures(), 3);
    }
}
