//! The one lock of a shard.

use std::sync::{Mutex, PoisonError};

/// A lock that never hands its guard out, so that none can be kept, nested or held across an await.
///
/// A trait, so that the model checker can put its own lock in this place.
pub(crate) trait Lock<T> {
    fn new(value: T) -> Self;

    /// Runs `f` alone with the value. `f` calls nothing that takes a lock, and nothing of the user's.
    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R;
}

impl<T> Lock<T> for Mutex<T> {
    fn new(value: T) -> Self {
        Self::new(value)
    }

    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        // Poison would need a panic in this crate while it holds the lock. The next caller is better served by
        // the entries as they are than by a second panic.
        f(&mut self.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
