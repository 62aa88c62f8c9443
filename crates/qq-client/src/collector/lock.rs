//! The locks of collectors.

use std::sync::{Mutex, PoisonError};

/// A lock that never hands its guard out, so that none can be kept, nested or held across an await.
pub trait Lock<T>: Send + Sync {
    fn new(value: T) -> Self;

    /// Runs `f` alone with the value. `f` takes no lock and calls nothing of the user's.
    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R;
}

/// Which locks: a trait, so that the model checker can put its own in their place.
pub trait Locks: Send + Sync + 'static {
    type Mutex<T: Send>: Lock<T>;
}

/// The locks of the standard library.
#[derive(Debug)]
pub struct Std;

impl Locks for Std {
    type Mutex<T: Send> = Mutex<T>;
}

impl<T: Send> Lock<T> for Mutex<T> {
    fn new(value: T) -> Self {
        Self::new(value)
    }

    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        // What is guarded is whole after every statement, so a panic elsewhere spoils nothing.
        f(&mut self.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
