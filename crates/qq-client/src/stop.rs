//! The word to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::CancellationToken;

/// Tells everything that a run of a client has started to stop. Asking takes no lock, so it can be asked for each event.
#[derive(Clone, Default)]
pub(crate) struct Stop {
    token: CancellationToken,
    is_set: Arc<AtomicBool>,
}

impl Stop {
    pub(crate) fn set(&self) {
        self.is_set.store(true, Ordering::Release);
        self.token.cancel();
    }

    pub(crate) fn is_set(&self) -> bool {
        self.is_set.load(Ordering::Acquire)
    }

    /// For waiting.
    pub(crate) const fn token(&self) -> &CancellationToken {
        &self.token
    }
}
