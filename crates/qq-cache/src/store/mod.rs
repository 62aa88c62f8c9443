//! The bounded, sharded map under every kind.
//!
//! Everything about a shard is behind its one lock: the table, the entries, the orders in which they leave, the
//! lists of owners. The lock is held for one O(1) step at a time and never leaves this module. Why it is not
//! `DashMap` is in the documentation of the crate.

mod column;
mod index;
mod links;
mod lock;
mod order;
mod owners;
mod shard;

use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use foldhash::fast::RandomState;

use self::column::Column;
pub(crate) use self::index::Index;
use self::links::{Links, List};
pub(crate) use self::lock::Lock;
pub(crate) use self::shard::Shard;
use crate::clock::{Clock, Nanos};
use crate::config::Eviction;
pub(crate) use crate::stats::Tally;

/// What a store keeps.
pub(crate) trait Kind: Sized {
    /// What entries are listed by; `()` for kinds without such a list.
    type Owner: Clone + Eq + Hash;
    type Key: Clone + Eq + Hash;
    type Value: Snapshot;
    /// Whether entries are listed by owner.
    const INDEXED: bool;
    /// Whether a key says nothing without its owner, as a role's id says nothing without its guild.
    const SCOPED: bool;
    /// Whether values have deadlines of their own.
    const DEADLINES: bool = false;

    /// Approximate bytes that a key owns on the heap.
    fn key_heap_bytes(_key: &Self::Key) -> usize {
        0
    }
}

/// A stored value: cheap to clone, never changed in place.
pub(crate) trait Snapshot: Clone + PartialEq {
    /// Whether this is the very value that was read before.
    fn same(&self, other: &Self) -> bool;

    /// Approximate bytes on the heap.
    fn heap_bytes(&self) -> usize;

    /// Whether the value itself says that it is over.
    fn is_past_deadline(&self, _now: Nanos) -> bool {
        false
    }
}

/// When entries leave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) capacity: Option<usize>,
    pub(crate) ttl: Option<Nanos>,
    pub(crate) idle: Option<Nanos>,
    pub(crate) eviction: Eviction,
}

/// Another thread has written the entry in the meantime.
#[derive(Debug)]
pub(crate) struct Raced;

/// What a writer believes to replace.
pub(crate) enum Expect<'a, V> {
    Anything,
    /// This very value, or no entry.
    Exactly(Option<&'a V>),
}

impl<V> Clone for Expect<'_, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for Expect<'_, V> {}

impl<V: Snapshot> Expect<'_, V> {
    fn matches(&self, found: Option<&V>) -> bool {
        match (self, found) {
            (Self::Anything, _) | (Self::Exactly(None), None) => true,
            (Self::Exactly(Some(expected)), Some(found)) => found.same(expected),
            (Self::Exactly(_), _) => false,
        }
    }
}

/// An entry's names, and how to hash them.
pub(crate) struct Address<'a, K: Kind> {
    owner: Option<&'a K::Owner>,
    key: &'a K::Key,
    hash: u64,
    hasher: &'a RandomState,
}

impl<'a, K: Kind> Address<'a, K> {
    /// The owner and its hash, for kinds that list by owner. Needed only when an entry is new.
    fn indexed_owner(&self) -> Option<(&'a K::Owner, u64)> {
        let owner = self.owner.filter(|_| K::INDEXED)?;
        Some((owner, self.hasher.hash_one(owner)))
    }
}

/// What a writer wants to make of an entry.
pub(crate) enum Proposal<V> {
    /// Nothing, or what is there already.
    Settled,
    /// To replace `old` by `new`.
    Change { old: Option<V>, new: V },
}

/// A bounded map from keys, inside owners where the kind has them, to snapshots.
pub(crate) struct Store<K: Kind, L = Mutex<Shard<K>>> {
    shards: Box<[L]>,
    hasher: RandomState,
    clock: Option<(Arc<dyn Clock>, Instant)>,
    kind: std::marker::PhantomData<fn() -> K>,
}

/// A shard holds at least so many entries before another one is opened: hashing spreads entries over shards
/// evenly up to the square root of their number, and a small cache should use what it was given.
const ENTRIES_PER_SHARD: usize = 1024;

/// How many entries are removed under one lock when many go at once.
const BATCH: usize = 256;

impl<K: Kind, L: Lock<Shard<K>>> Store<K, L> {
    pub(crate) fn new(limits: &Limits, shards: usize, clock: &Arc<dyn Clock>) -> Self {
        let useful = limits
            .capacity
            .map_or(usize::MAX, |capacity| capacity / ENTRIES_PER_SHARD);
        let count = shards.min(useful).max(1);
        // The first shards take one more where the capacity does not divide.
        let share = |at| {
            limits
                .capacity
                .map(|capacity| capacity / count + usize::from(at < capacity % count))
        };
        let timed = K::DEADLINES || limits.ttl.is_some() || limits.idle.is_some();
        Self {
            shards: (0..count)
                .map(|at| L::new(Shard::new(limits, share(at), count > 1)))
                .collect(),
            hasher: RandomState::default(),
            clock: timed.then(|| (Arc::clone(clock), clock.now())),
            kind: std::marker::PhantomData,
        }
    }

    /// The time on the store's own scale.
    pub(crate) fn now(&self) -> Nanos {
        self.clock.as_ref().map_or(0, |(clock, start)| {
            crate::clock::nanos(clock.now().saturating_duration_since(*start))
        })
    }

    pub(crate) fn get(&self, owner: Option<&K::Owner>, key: &K::Key) -> Option<K::Value> {
        let now = self.now();
        self.at(owner, key, |shard, address| shard.get(address, now))
    }

    /// What `write` makes of an entry. When that is what is there already, the entry is marked as written. `write`
    /// runs under the shard's lock: it only computes.
    pub(crate) fn propose(
        &self,
        owner: Option<&K::Owner>,
        key: &K::Key,
        write: impl FnOnce(Option<&K::Value>) -> Option<K::Value>,
    ) -> Proposal<K::Value> {
        let now = self.now();
        self.at(owner, key, |shard, address| {
            shard.propose(address, write, now)
        })
    }

    /// Whether an entry is there and already as a writer would make it; then it is marked as written. `is_settled` runs
    /// under the shard's lock: it only compares.
    pub(crate) fn confirm(
        &self,
        owner: Option<&K::Owner>,
        key: &K::Key,
        is_settled: impl FnOnce(&K::Value) -> bool,
    ) -> bool {
        let now = self.now();
        self.at(owner, key, |shard, address| {
            shard.confirm(address, is_settled, now)
        })
    }

    /// What the memory of an entry is asked for by.
    pub(crate) fn hash(&self, owner: Option<&K::Owner>, key: &K::Key) -> u64 {
        if K::SCOPED {
            self.hasher.hash_one((owner, key))
        } else {
            self.hasher.hash_one(key)
        }
    }

    /// Asks for the memory that says where an entry is.
    pub(crate) fn prefetch_index(&self, hash: u64) {
        self.shard(hash).with(|shard| shard.prefetch_index(hash));
    }

    /// Asks for the memory of an entry.
    pub(crate) fn prefetch_entry(&self, hash: u64) {
        self.shard(hash).with(|shard| shard.prefetch_entry(hash));
    }

    pub(crate) fn put(
        &self,
        owner: Option<&K::Owner>,
        key: &K::Key,
        value: &K::Value,
        expect: Expect<'_, K::Value>,
    ) -> Result<Option<K::Value>, Raced> {
        let now = self.now();
        self.at(owner, key, |shard, address| {
            shard.put(address, value, expect, now)
        })
    }

    /// Writes what `write` makes of an entry, and returns what it held and holds; `None` when that is the same. `write`
    /// runs under the shard's lock: it only computes.
    pub(crate) fn apply(
        &self,
        owner: Option<&K::Owner>,
        key: &K::Key,
        write: impl FnOnce(Option<&K::Value>) -> Option<K::Value>,
    ) -> Option<(Option<K::Value>, K::Value)> {
        let now = self.now();
        self.at(owner, key, |shard, address| {
            shard.apply(address, write, now)
        })
    }

    /// Writes into a value that is there what does not change its meaning. `amend` runs under the shard's
    /// lock: it only computes.
    pub(crate) fn amend(
        &self,
        owner: Option<&K::Owner>,
        key: &K::Key,
        amend: impl FnOnce(&mut K::Value),
    ) {
        self.at(owner, key, |shard, address| shard.amend(address, amend));
    }

    pub(crate) fn remove(
        &self,
        owner: Option<&K::Owner>,
        key: &K::Key,
        expect: Expect<'_, K::Value>,
    ) -> Result<Option<K::Value>, Raced> {
        let now = self.now();
        self.at(owner, key, |shard, address| {
            shard.remove(address, expect, now)
        })
    }

    /// The live entries of an owner, in no order. One shard after another: each is consistent in itself.
    pub(crate) fn list(&self, owner: &K::Owner) -> Vec<(K::Key, K::Value)> {
        let (now, hash) = (self.now(), self.owner_hash(owner));
        let mut entries = Vec::new();
        for shard in &self.shards {
            shard.with(|shard| shard.list(owner, hash, now, &mut entries));
        }
        entries
    }

    /// Removes all entries of an owner, in batches, so that nobody waits long; returns how many.
    pub(crate) fn remove_owned(&self, owner: &K::Owner) -> usize {
        let hash = self.owner_hash(owner);
        self.batches(|shard| shard.remove_owned(owner, hash, BATCH))
    }

    /// Clears away everything that has expired, in batches; returns how many.
    pub(crate) fn sweep(&self) -> usize {
        let now = self.now();
        let mut swept = self.batches(|shard| shard.expire(now, BATCH));
        if K::DEADLINES {
            for shard in &self.shards {
                swept += shard.with(|shard| shard.expire_deadlines(now));
            }
        }
        swept
    }

    /// Removes everything, in batches; returns how many.
    pub(crate) fn clear(&self) -> usize {
        self.batches(|shard| shard.clear(BATCH))
    }

    pub(crate) fn tally(&self) -> Tally {
        self.shards
            .iter()
            .map(|shard| shard.with(|shard| shard.tally()))
            .fold(Tally::default(), Tally::plus)
    }

    /// Checks everything that must hold inside each shard.
    #[cfg(test)]
    pub(crate) fn verify(&self) {
        for shard in &self.shards {
            shard.with(|shard| shard.verify());
        }
    }

    /// Repeats `step` on each shard until it has nothing more to do there.
    fn batches(&self, mut step: impl FnMut(&mut Shard<K>) -> usize) -> usize {
        let mut total = 0;
        for shard in &self.shards {
            loop {
                let done = shard.with(&mut step);
                total += done;
                if done < BATCH {
                    break;
                }
            }
        }
        total
    }

    fn at<R>(
        &self,
        owner: Option<&K::Owner>,
        key: &K::Key,
        f: impl FnOnce(&mut Shard<K>, &Address<'_, K>) -> R,
    ) -> R {
        let hash = self.hash(owner, key);
        let address = Address {
            owner,
            key,
            hash,
            hasher: &self.hasher,
        };
        self.shard(hash).with(|shard| f(shard, &address))
    }

    fn shard(&self, hash: u64) -> &L {
        let scaled = (u128::from(hash) * self.shards.len() as u128) >> 64;
        let shard = usize::try_from(scaled).unwrap_or_default();
        &self.shards[shard]
    }

    fn owner_hash(&self, owner: &K::Owner) -> u64 {
        self.hasher.hash_one(owner)
    }
}

#[cfg(test)]
mod model;
