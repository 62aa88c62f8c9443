//! Where messages are, by what later messages of the chat quote them by.
//!
//! Nearly every message has such an index, and few are ever quoted. So the pair is only noted when a message comes. Pairs are
//! filed when somebody looks, or when many wait for it; most have left before.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::clock::{Clock, Nanos, nanos};
use crate::config::Eviction;
use crate::store::{Index, Limits};

/// So many pairs wait to be filed at most: whoever looks has to do it.
const WAITING: u64 = 1024;
/// The numbers of pairs in the index are modulo this, since it has no greater ones.
const NUMBERS: u64 = u32::MAX as u64;

/// From one number to another, both of which are hashes: of what a message is quoted by, and of its id. Bounded as messages
/// are. May lead to another message, or nowhere.
pub(crate) struct MessageIndexes {
    notes: Mutex<Notes>,
    clock: Option<(Arc<dyn Clock>, Instant)>,
}

impl MessageIndexes {
    pub(crate) fn new(limits: &Limits, clock: &Arc<dyn Clock>) -> Self {
        let notes = Notes::new(limits);
        Self {
            clock: notes.age.map(|_| (Arc::clone(clock), clock.now())),
            notes: Mutex::new(notes),
        }
    }

    /// The message that is quoted by a key from now on.
    pub(crate) fn insert(&self, key: u64, message: u64) {
        let now = self.now();
        self.lock().note(key, message, now);
    }

    /// The message that is quoted by a key.
    pub(crate) fn get(&self, key: u64) -> Option<u64> {
        let now = self.now();
        self.lock().get(key, now)
    }

    pub(crate) fn sweep(&self) {
        let now = self.now();
        self.lock().expire(now, usize::MAX);
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    pub(crate) fn bytes(&self) -> usize {
        self.lock().bytes()
    }

    /// On a scale of its own; it stands still where pairs do not get old.
    fn now(&self) -> Nanos {
        self.clock.as_ref().map_or(0, |(clock, start)| {
            nanos(clock.now().saturating_duration_since(*start))
        })
    }

    /// Whole whenever something could panic.
    fn lock(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was noted, and what of it was filed.
struct Notes {
    capacity: usize,
    /// How old pairs get.
    age: Option<Nanos>,
    renewal: Renewal,
    pairs: Pairs,
    /// The number of the first pair that is not filed.
    unfiled: u64,
    /// Where the pairs before that are. Of several with one key, the newest: the others do not count.
    filed: Index,
}

/// Pairs in the order in which they came. Their numbers have no gaps.
struct Pairs {
    list: VecDeque<Pair>,
    /// The number of the oldest.
    first: u64,
}

#[derive(Clone, Copy)]
struct Pair {
    key: u64,
    message: u64,
    at: Nanos,
}

/// Whether a pair that is read counts as new.
#[derive(Clone, Copy, PartialEq)]
enum Renewal {
    Never,
    /// It need not while it is among the newer half.
    OfOlder,
    Always,
}

impl Notes {
    fn new(limits: &Limits) -> Self {
        let largest = usize::try_from(NUMBERS / 4).unwrap_or(usize::MAX);
        Self {
            capacity: limits.capacity.unwrap_or(largest).clamp(1, largest),
            age: [limits.ttl, limits.idle].into_iter().flatten().min(),
            renewal: match (limits.idle, limits.eviction) {
                (Some(_), _) => Renewal::Always,
                (None, Eviction::LeastRecentlyUsed) => Renewal::OfOlder,
                (None, Eviction::Oldest) => Renewal::Never,
            },
            pairs: Pairs {
                list: VecDeque::new(),
                first: 0,
            },
            unfiled: 0,
            filed: Index::new(),
        }
    }

    fn note(&mut self, key: u64, message: u64, now: Nanos) {
        // More than are added, so that pairs that are over never pile up.
        self.expire(now, 2);
        // A pair that was renewed leaves one behind that does not count, and takes room all the same.
        while self.counted() >= self.capacity || self.pairs.list.len() >= self.capacity * 2 {
            self.forget_oldest();
        }
        let at = now;
        self.pairs.list.push_back(Pair { key, message, at });
        if self.pairs.next() - self.unfiled > WAITING {
            self.file_one();
        }
    }

    fn get(&mut self, key: u64, now: Nanos) -> Option<u64> {
        self.expire(now, usize::MAX);
        while self.unfiled < self.pairs.next() {
            self.file_one();
        }
        let number = self.filed.find(key, |at| self.pairs.key(at) == Some(key))?;
        let place = self.pairs.place(number);
        let message = self.pairs.list.get(place)?.message;
        let is_older = place < self.pairs.list.len() / 2;
        if self.renewal == Renewal::Always || self.renewal == Renewal::OfOlder && is_older {
            self.note(key, message, now);
            self.file_one();
        }
        Some(message)
    }

    /// How many pairs there are that count.
    fn counted(&self) -> usize {
        let unfiled = usize::try_from(self.pairs.next() - self.unfiled);
        self.filed.len() + unfiled.unwrap_or(usize::MAX)
    }

    /// Files the first pair that is not filed.
    fn file_one(&mut self) {
        let number = number(self.unfiled);
        let Some(key) = self.pairs.key(number) else {
            return;
        };
        let key_of = |at| self.pairs.key(at).unwrap_or_default();
        if let Some(older) = self.filed.find(key, |at| key_of(at) == key) {
            self.filed.remove(key, older, key_of);
        }
        self.filed.insert(key, number, key_of);
        self.unfiled += 1;
    }

    /// Forgets pairs that are over, but not more than so many.
    fn expire(&mut self, now: Nanos, most: usize) {
        let Some(age) = self.age else { return };
        for _ in 0..most {
            match self.pairs.list.front() {
                Some(oldest) if now.saturating_sub(oldest.at) >= age => self.forget_oldest(),
                _ => return,
            }
        }
    }

    fn forget_oldest(&mut self) {
        let Some(oldest) = self.pairs.list.front() else {
            return;
        };
        if self.pairs.first < self.unfiled {
            let key_of = |at| self.pairs.key(at).unwrap_or_default();
            // Unless a newer one is filed in its place.
            self.filed
                .remove(oldest.key, number(self.pairs.first), key_of);
        }
        self.pairs.list.pop_front();
        self.pairs.first += 1;
        self.unfiled = self.unfiled.max(self.pairs.first);
    }

    fn clear(&mut self) {
        self.pairs.first = self.pairs.next();
        self.unfiled = self.pairs.first;
        self.pairs.list = VecDeque::new();
        self.filed = Index::new();
    }

    fn bytes(&self) -> usize {
        self.pairs.list.capacity() * size_of::<Pair>() + self.filed.bytes()
    }
}

impl Pairs {
    /// The number of the pair that comes next.
    fn next(&self) -> u64 {
        self.first + self.list.len() as u64
    }

    fn key(&self, number: u32) -> Option<u64> {
        self.list.get(self.place(number)).map(|pair| pair.key)
    }

    /// The place of a pair that is there.
    fn place(&self, number: u32) -> usize {
        let place = (u64::from(number) + NUMBERS - self.first % NUMBERS) % NUMBERS;
        usize::try_from(place).unwrap_or(usize::MAX)
    }
}

/// What a number is called in the index.
fn number(number: u64) -> u32 {
    u32::try_from(number % NUMBERS).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(capacity: usize) -> Limits {
        Limits {
            capacity: Some(capacity),
            ttl: None,
            idle: None,
            eviction: Eviction::Oldest,
        }
    }

    fn notes(limits: &Limits, first: u64) -> Notes {
        let mut notes = Notes::new(limits);
        (notes.pairs.first, notes.unfiled) = (first, first);
        notes
    }

    /// Few keys and many, read often and seldom, with numbers that begin again.
    #[test]
    fn the_newest_of_each_key_is_found_until_others_have_come() {
        for (seed, keys) in [3, 40, 3_000, u64::MAX].into_iter().enumerate() {
            for capacity in [1, 2, 50, 3_000] {
                let mut notes = notes(&limits(capacity), NUMBERS - 500);
                let mut random = seed as u64 + 1;
                let mut below = |end: u64| {
                    random = random
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    (random >> 20) % end
                };
                let mut all: Vec<(u64, u64)> = Vec::new();
                for message in 0..8_000 {
                    let key = below(keys);
                    notes.note(key, message, 0);
                    all.push((key, message));
                    if below(if message < 4_000 { 5 } else { 700 }) == 0 {
                        let back = below(all.len().min(capacity * 2) as u64);
                        let (key, _) = all[all.len() - 1 - usize::try_from(back).unwrap()];
                        let newest = all.iter().rposition(|pair| pair.0 == key).unwrap();
                        let found = notes.get(key, 0);
                        // Of one key, only the newest counts.
                        if all.len() - newest <= capacity {
                            assert_eq!(found, Some(all[newest].1), "{keys} {capacity}");
                        } else {
                            assert!(found.is_none_or(|found| found == all[newest].1));
                        }
                    }
                    assert!(notes.counted() <= capacity && notes.pairs.list.len() <= capacity * 2);
                }
                let largest = capacity.max(8) * 4 * (size_of::<Pair>() + 16);
                assert!(notes.bytes() <= largest, "{capacity}: {}", notes.bytes());
            }
        }
    }

    #[test]
    fn nothing_is_filed_that_nobody_looks_for() {
        let mut notes = notes(&limits(1_000), 0);
        for n in 0..10_000 {
            notes.note(n, n, 0);
        }
        assert_eq!((notes.filed.bytes(), notes.counted()), (0, 1_000));
        assert_eq!(notes.get(9_500, 0), Some(9_500));
        assert_eq!(notes.get(8_999, 0), None);
        // However many there are, looking takes no longer than this.
        let mut many = self::notes(&limits(1_000_000), 0);
        for n in 0..10_000 {
            many.note(n, n, 0);
        }
        assert_eq!(many.pairs.next() - many.unfiled, WAITING);
    }

    #[test]
    fn what_is_read_stays_where_that_is_wanted() {
        let recent = Limits {
            eviction: Eviction::LeastRecentlyUsed,
            ..limits(100)
        };
        for (limits, stays) in [(recent, true), (limits(100), false)] {
            let mut notes = notes(&limits, 0);
            for n in 0..100_000 {
                notes.note(n, n, 0);
                if n % 20 == 0 {
                    let found = notes.get(0, 0);
                    assert_eq!(found.is_some(), stays || n < 100, "{n}");
                }
                assert!(notes.pairs.list.len() <= 200);
            }
        }
    }

    #[test]
    fn pairs_get_as_old_as_they_may() {
        let of = |ttl, idle| {
            let limits = Limits {
                ttl,
                idle,
                ..limits(usize::MAX)
            };
            let mut notes = notes(&limits, 0);
            for n in 0..1_000 {
                notes.note(n, n, n);
            }
            notes
        };
        let mut notes = of(Some(100), None);
        assert_eq!(notes.pairs.list.len(), 100);
        assert_eq!(
            (notes.get(899, 999), notes.get(900, 999)),
            (None, Some(900))
        );
        assert_eq!(notes.get(900, 1_000), None);
        let mut notes = of(None, Some(100));
        assert_eq!(notes.get(950, 1_049), Some(950));
        assert_eq!(
            (notes.get(951, 1_051), notes.get(950, 1_148)),
            (None, Some(950))
        );
        notes.expire(2_000, usize::MAX);
        assert_eq!((notes.counted(), notes.pairs.list.len()), (0, 0));
        notes.note(1, 2, 2_000);
        notes.clear();
        assert_eq!((notes.get(1, 2_000), notes.bytes()), (None, 0));
    }
}
