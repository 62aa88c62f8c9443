//! The collectors of one kind, filed by what they are about.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::time::Instant;

use super::end::EndReason;
use super::lock::{Lock, Locks, Std};
use super::scope::{Key, Subject};
use super::slot::{Limits, Offered, Slot};

/// Finding the collectors that an event is for takes at most five look-ups, however many there are.
pub struct Registry<T: Send, L: Locks = Std> {
    entries: L::Mutex<Entries<T, L>>,
    /// How many there are: an event for nobody takes no lock.
    len: AtomicUsize,
}

/// A collector and what it is removed by.
type Filed<T, L> = (u64, Arc<Slot<T, L>>);

struct Entries<T: Send, L: Locks> {
    /// Each list in the order of registration, which is that of the ids.
    by_key: HashMap<Key, Vec<Filed<T, L>>>,
    next_id: u64,
    is_closed: bool,
}

impl<T: Send, L: Locks> Registry<T, L> {
    pub(super) fn new() -> Self {
        Self {
            entries: Lock::new(Entries {
                by_key: HashMap::new(),
                next_id: 0,
                is_closed: false,
            }),
            len: AtomicUsize::new(0),
        }
    }

    /// Files a collector; what it is removed by.
    pub(super) fn insert(&self, slot: &Arc<Slot<T, L>>) -> u64 {
        let (id, is_closed) = self.entries.with(|entries| {
            let id = entries.next_id;
            entries.next_id += 1;
            if !entries.is_closed {
                self.len.fetch_add(1, Ordering::Release);
                entries
                    .by_key
                    .entry(slot.scope.key())
                    .or_default()
                    .push((id, Arc::clone(slot)));
            }
            (id, entries.is_closed)
        });
        if is_closed {
            slot.close(EndReason::Shutdown);
        }
        id
    }

    /// Removes a collector, if it is still filed.
    pub(super) fn remove(&self, slot: &Slot<T, L>, id: u64) {
        let key = slot.scope.key();
        // Dropped outside of the lock: it may be the last reference, and the filter is the user's.
        let _removed = self.entries.with(|entries| {
            let list = entries.by_key.get_mut(&key)?;
            let place = list.binary_search_by_key(&id, |(id, _)| *id).ok()?;
            let removed = list.remove(place);
            if list.is_empty() {
                entries.by_key.remove(&key);
            }
            self.len.fetch_sub(1, Ordering::Release);
            Some(removed)
        });
    }

    pub(super) fn len(&self) -> usize {
        self.len.load(Ordering::Acquire)
    }

    /// Offers what an event brought to whom it is for; whether handlers shall not see it.
    pub(super) fn offer(
        &self,
        subject: &Subject,
        now: Instant,
        make: impl Fn(&Limits<T>) -> Option<T>,
    ) -> bool {
        let mut is_taken = false;
        for (id, slot) in self.find(subject) {
            if slot.scope.admits(subject)
                && let Some(item) = make(&slot.limits)
            {
                is_taken |= slot.offer(item, now) == Offered::Taken;
            }
            // One that has ended must not hold anything back from handlers until somebody looks at it.
            if slot.end().is_some() {
                self.remove(&slot, id);
            }
        }
        is_taken
    }

    /// Ends the collectors that a test picks.
    pub(super) fn close_where(&self, reason: EndReason, picks: impl Fn(&Slot<T, L>) -> bool) {
        for (id, slot) in self.all() {
            if picks(&slot) {
                slot.close(reason);
                self.remove(&slot, id);
            }
        }
    }

    /// Ends every collector, and those to come.
    pub(super) fn shut_down(&self) {
        let lists = self.entries.with(|entries| {
            entries.is_closed = true;
            self.len.store(0, Ordering::Release);
            std::mem::take(&mut entries.by_key)
        });
        for (_, slot) in lists.into_values().flatten() {
            slot.close(EndReason::Shutdown);
        }
    }

    /// Takes collectors again.
    pub(super) fn reopen(&self) {
        self.entries.with(|entries| entries.is_closed = false);
    }

    fn find(&self, subject: &Subject) -> Vec<Filed<T, L>> {
        let mut found = self.entries.with(|entries| {
            let mut found = Vec::new();
            for key in subject.keys() {
                if let Some(list) = entries.by_key.get(&key) {
                    found.extend(list.iter().cloned());
                }
            }
            found
        });
        found.sort_unstable_by_key(|(id, _)| *id);
        found
    }

    fn all(&self) -> Vec<Filed<T, L>> {
        self.entries
            .with(|entries| entries.by_key.values().flatten().cloned().collect())
    }
}
