//! The right to send one IDENTIFY.

use std::fmt;

/// The right to send one IDENTIFY. Dropped without [`spend`](Self::spend), it goes back to the queue.
pub struct IdentifyTurn {
    settle: Option<Box<dyn FnOnce(bool) + Send>>,
}

impl IdentifyTurn {
    /// A turn that calls `settle` once: with `true` when an IDENTIFY was sent, with `false` when the turn was
    /// given back.
    pub fn new(settle: impl FnOnce(bool) + Send + 'static) -> Self {
        Self {
            settle: Some(Box::new(settle)),
        }
    }

    /// An IDENTIFY was sent.
    pub fn spend(mut self) {
        self.settle(true);
    }

    fn settle(&mut self, spent: bool) {
        if let Some(settle) = self.settle.take() {
            settle(spent);
        }
    }
}

impl Drop for IdentifyTurn {
    fn drop(&mut self) {
        self.settle(false);
    }
}

impl fmt::Debug for IdentifyTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentifyTurn").finish_non_exhaustive()
    }
}
