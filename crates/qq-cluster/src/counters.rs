//! What a process counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a process has done; see [`ClusterStats`](crate::ClusterStats).
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) published: AtomicU64,
    pub(crate) repeated: AtomicU64,
    pub(crate) handled: AtomicU64,
    pub(crate) redelivered: AtomicU64,
    pub(crate) dead: AtomicU64,
    pub(crate) takeovers: AtomicU64,
}

impl Counters {
    /// One more.
    pub(crate) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
