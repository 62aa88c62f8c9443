//! A bounded, numbered log.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Keeps the newest entries; numbers them from 1 without gaps, so a reader can ask for "after n".
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ring<T> {
    entries: VecDeque<T>,
    last: u64,
}

impl<T> Default for Ring<T> {
    fn default() -> Self {
        Self {
            entries: VecDeque::new(),
            last: 0,
        }
    }
}

impl<T> Ring<T> {
    /// Appends the entry that `make` builds from its number; forgets the oldest beyond `capacity`.
    pub(crate) fn push(&mut self, capacity: usize, make: impl FnOnce(u64) -> T) -> u64 {
        self.last += 1;
        self.entries.push_back(make(self.last));
        while self.entries.len() > capacity.max(1) {
            self.entries.pop_front();
        }
        self.last
    }

    /// The number of the newest entry, 0 before the first.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// The number of the oldest entry that is still kept; of the next one if there is none.
    pub(crate) fn first(&self) -> u64 {
        self.last - self.entries.len() as u64 + 1
    }

    /// The newest entry that `wanted` accepts.
    pub(crate) fn find(&self, wanted: impl Fn(&T) -> bool) -> Option<&T> {
        self.entries.iter().rev().find(|entry| wanted(entry))
    }

    /// The newest entry that `wanted` accepts, to be changed.
    pub(crate) fn find_mut(&mut self, wanted: impl Fn(&T) -> bool) -> Option<&mut T> {
        self.entries.iter_mut().rev().find(|entry| wanted(entry))
    }

    /// The entries, newest first.
    pub(crate) fn newest(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().rev()
    }

    /// The entries with a number above `after`, oldest first.
    pub(crate) fn after(&self, after: u64) -> impl Iterator<Item = &T> {
        let len = self.entries.len() as u64;
        let evicted = self.last - len;
        let skip = usize::try_from(after.saturating_sub(evicted).min(len)).unwrap_or(usize::MAX);
        self.entries.iter().skip(skip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_eviction() {
        let mut ring = Ring::default();
        for _ in 0..5 {
            ring.push(3, |n| n);
        }
        assert_eq!(ring.after(0).copied().collect::<Vec<_>>(), [3, 4, 5]);
        assert_eq!(ring.after(4).copied().collect::<Vec<_>>(), [5]);
        assert_eq!(ring.after(9).count(), 0);
        assert_eq!((ring.first(), ring.last()), (3, 5));
        assert_eq!(ring.find(|n| *n < 5), Some(&4));
    }
}
