//! Telling the handler of failures, from where no handler is at hand.

use std::sync::{Arc, Mutex, PoisonError};

use crate::BotError;

type Tell = Box<dyn Fn(BotError) + Send + Sync>;

/// Where failures go that nobody else is told about. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Reporter(Arc<Mutex<Option<Tell>>>);

impl Reporter {
    /// From now on failures go there; `None` when the client does not run.
    pub(crate) fn set(&self, tell: Option<Tell>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = tell;
    }

    pub(crate) fn report(&self, error: BotError) {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(tell) => tell(error),
            None => tracing::warn!(?error, "a failure while the client does not run"),
        }
    }
}
