//! One shard: entries, the ways to find them, and the order in which they leave. Everything here is O(1).

use super::order::Order;
use super::owners::{OwnerAt, Owners};
use super::{Address, Column, Expect, Index, Kind, Limits, Proposal, Raced, Snapshot, Tally};
use crate::clock::Nanos;
use crate::config::Eviction;
use crate::prefetch::prefetch;
use crate::stats::Reason;

/// How many expired entries one insertion clears away at most, from each order.
///
/// More than it adds, so expired entries never accumulate, and few, so no insertion is much slower than others.
const EXPIRE_PER_PUT: usize = 8;

pub(crate) struct Shard<K: Kind> {
    capacity: usize,
    eviction: Eviction,
    slots: Column<Slot<K>>,
    index: Index,
    /// By the last read or write; kept when something asks for it.
    accessed: Option<Order>,
    /// By the last write; kept when something asks for it.
    written: Option<Order>,
    /// Kept for kinds whose entries are listed by owner.
    owners: Option<Owners<K::Owner>>,
    heap: usize,
    tally: Tally,
    /// Counts reads and writes of entries.
    clock: u32,
    /// An entry that became the newest so many reads and writes ago may be taken for the newest still: looking for its
    /// neighbours costs more than they are worth.
    leeway: u32,
}

/// In this order, so that no line of the processor's cache lies between the fields that are asked for in advance.
#[repr(C)]
struct Slot<K: Kind> {
    /// When it became the newest.
    newest_at: u32,
    owner: OwnerAt,
    key: K::Key,
    value: K::Value,
    /// Of the key and, for scoped kinds, the owner. Where it is the same and the key is, too, the owner is: that two of
    /// the owners of a key share one of 2^64 by chance is less likely than a failure of the machine, and who looks at the
    /// owner itself waits for memory that has long gone cold.
    hash: u64,
}

impl<K: Kind> Slot<K> {
    fn prefetch(&self) {
        prefetch(&self.newest_at);
        prefetch(&self.value);
        prefetch(&self.hash);
    }
}

impl<K: Kind> Shard<K> {
    /// Where it `is_one_of_many`, the entry that leaves is not chosen among all anyway.
    pub(crate) fn new(limits: &Limits, capacity: Option<usize>, is_one_of_many: bool) -> Self {
        let bounded = capacity.is_some();
        let leeway =
            capacity.filter(|_| is_one_of_many && limits.idle.is_none() && limits.ttl.is_none());
        let recency = bounded && limits.eviction == Eviction::LeastRecentlyUsed;
        let age = bounded && limits.eviction == Eviction::Oldest;
        Self {
            // The last index is the mark for "none".
            capacity: capacity.unwrap_or(usize::MAX).min(u32::MAX as usize),
            eviction: limits.eviction,
            slots: Column::new(),
            index: Index::new(),
            accessed: (recency || limits.idle.is_some()).then(|| Order::new(limits.idle)),
            written: (age || limits.ttl.is_some()).then(|| Order::new(limits.ttl)),
            owners: K::INDEXED.then(Owners::new),
            heap: 0,
            tally: Tally::default(),
            clock: 0,
            leeway: leeway.map_or(0, |capacity| {
                u32::try_from(capacity / 4).unwrap_or(u32::MAX)
            }),
        }
    }

    /// Reads an entry for somebody: counted, and the entry is fresh again.
    pub(crate) fn get(&mut self, address: &Address<'_, K>, now: Nanos) -> Option<K::Value> {
        let Some(at) = self.find_live(address, now) else {
            self.tally.misses += 1;
            return None;
        };
        self.tally.hits += 1;
        if self.accessed.is_some()
            && !self.is_new_enough(at)
            && let Some(accessed) = &mut self.accessed
        {
            accessed.refresh(at, now);
        }
        Some(self.slots.get(at).value.clone())
    }

    /// What `write` makes of an entry; marks it as written when that is what is there.
    pub(crate) fn propose(
        &mut self,
        address: &Address<'_, K>,
        write: impl FnOnce(Option<&K::Value>) -> Option<K::Value>,
        now: Nanos,
    ) -> Proposal<K::Value> {
        let found = self.find_live(address, now);
        let old = found.map(|at| &self.slots.get(at).value);
        let Some(new) = write(old) else {
            return Proposal::Settled;
        };
        match (found, old) {
            (Some(at), Some(old)) if old.same(&new) || *old == new => {
                self.refresh(at, now);
                Proposal::Settled
            }
            _ => Proposal::Change {
                old: old.cloned(),
                new,
            },
        }
    }

    /// Whether an entry is there and already as a writer would make it; then it is marked as written.
    pub(crate) fn confirm(
        &mut self,
        address: &Address<'_, K>,
        is_settled: impl FnOnce(&K::Value) -> bool,
        now: Nanos,
    ) -> bool {
        let Some(at) = self.find_live(address, now) else {
            return false;
        };
        let is_settled = is_settled(&self.slots.get(at).value);
        if is_settled {
            self.refresh(at, now);
        }
        is_settled
    }

    /// Writes an entry and returns what it held, if it is as expected.
    pub(crate) fn put(
        &mut self,
        address: &Address<'_, K>,
        value: &K::Value,
        expect: Expect<'_, K::Value>,
        now: Nanos,
    ) -> Result<Option<K::Value>, Raced> {
        self.expire(now, EXPIRE_PER_PUT);
        let found = self.find_live(address, now);
        let old = found.map(|at| &self.slots.get(at).value);
        if !expect.matches(old) {
            return Err(Raced);
        }
        match found {
            Some(at) => Ok(Some(self.replace(at, address, value.clone(), now))),
            None => {
                self.insert(address, value.clone(), now);
                Ok(None)
            }
        }
    }

    /// Writes what `write` makes of an entry, and returns what it held and holds; `None` when that is the same.
    pub(crate) fn apply(
        &mut self,
        address: &Address<'_, K>,
        write: impl FnOnce(Option<&K::Value>) -> Option<K::Value>,
        now: Nanos,
    ) -> Option<(Option<K::Value>, K::Value)> {
        self.expire(now, EXPIRE_PER_PUT);
        let found = self.find_live(address, now);
        let old = found.map(|at| &self.slots.get(at).value);
        let new = write(old)?;
        match (found, old) {
            (Some(at), Some(old)) if old.same(&new) || *old == new => {
                self.refresh(at, now);
                None
            }
            (Some(at), _) => {
                let old = self.replace(at, address, new.clone(), now);
                Some((Some(old), new))
            }
            (None, _) => {
                self.insert(address, new.clone(), now);
                Some((None, new))
            }
        }
    }

    /// Writes into a value what does not change its meaning.
    pub(crate) fn amend(&mut self, address: &Address<'_, K>, amend: impl FnOnce(&mut K::Value)) {
        if let Some(at) = self.find(address) {
            let value = &mut self.slots.get_mut(at).value;
            let before = value.heap_bytes();
            amend(value);
            self.heap = self.heap - before + value.heap_bytes();
        }
    }

    /// Takes an entry out on request, if it is as expected.
    pub(crate) fn remove(
        &mut self,
        address: &Address<'_, K>,
        expect: Expect<'_, K::Value>,
        now: Nanos,
    ) -> Result<Option<K::Value>, Raced> {
        let found = self.find_live(address, now);
        let old = found.map(|at| &self.slots.get(at).value);
        if !expect.matches(old) {
            return Err(Raced);
        }
        Ok(found.and_then(|at| self.take(at, Reason::Removed)))
    }

    /// Adds the live entries of an owner to `out`.
    pub(crate) fn list(
        &self,
        owner: &K::Owner,
        hash: u64,
        now: Nanos,
        out: &mut Vec<(K::Key, K::Value)>,
    ) {
        let Some(owners) = &self.owners else { return };
        let Some(owner) = owners.find(hash, owner) else {
            return;
        };
        out.reserve(owners.count(owner));
        out.extend(
            owners
                .entries(owner)
                .filter(|at| !self.is_expired(*at, now))
                .map(|at| {
                    let slot = self.slots.get(at);
                    (slot.key.clone(), slot.value.clone())
                }),
        );
    }

    /// Removes up to `limit` entries of an owner; returns how many.
    pub(crate) fn remove_owned(&mut self, owner: &K::Owner, hash: u64, limit: usize) -> usize {
        for removed in 0..limit {
            let Some(at) = self.owners.as_ref().and_then(|owners| {
                let owner = owners.find(hash, owner)?;
                owners.entries(owner).next()
            }) else {
                return removed;
            };
            self.take(at, Reason::Removed);
        }
        limit
    }

    /// Clears away up to `limit` expired entries by each limit; returns how many.
    pub(crate) fn expire(&mut self, now: Nanos, limit: usize) -> usize {
        let mut expired = 0;
        for _ in 0..limit {
            let by_age = self
                .written
                .as_ref()
                .and_then(|order| order.oldest_expired(now));
            let Some(at) = by_age else { break };
            self.take(at, Reason::TimeToLive);
            expired += 1;
        }
        for _ in 0..limit {
            let by_idleness = self
                .accessed
                .as_ref()
                .and_then(|order| order.oldest_expired(now));
            let Some(at) = by_idleness else { break };
            self.take(at, Reason::Idle);
            expired += 1;
        }
        expired
    }

    /// Clears away all entries whose own deadline has passed; O(n), for kinds that have such deadlines.
    pub(crate) fn expire_deadlines(&mut self, now: Nanos) -> usize {
        let before = self.slots.len();
        let mut at = 0;
        while (at as usize) < self.slots.len() {
            if self.slots.get(at).value.is_past_deadline(now) {
                // Another entry stands here now.
                self.take(at, Reason::TimeToLive);
            } else {
                at += 1;
            }
        }
        before - self.slots.len()
    }

    /// Removes up to `limit` entries, whichever; returns how many.
    pub(crate) fn clear(&mut self, limit: usize) -> usize {
        for removed in 0..limit {
            if self.slots.len() == 0 {
                return removed;
            }
            self.take(0, Reason::Removed);
        }
        limit
    }

    /// What has happened so far, and what is here now.
    pub(crate) fn tally(&self) -> Tally {
        let structure = self.slots.bytes()
            + self.index.bytes()
            + self.accessed.as_ref().map_or(0, Order::bytes)
            + self.written.as_ref().map_or(0, Order::bytes)
            + self.owners.as_ref().map_or(0, Owners::bytes);
        Tally {
            entries: self.slots.len() as u64,
            bytes: (structure + self.heap) as u64,
            ..self.tally
        }
    }

    /// Asks for the memory that says where an entry is.
    pub(crate) fn prefetch_index(&self, hash: u64) {
        self.index.prefetch(hash);
    }

    /// Asks for the memory of an entry.
    pub(crate) fn prefetch_entry(&self, hash: u64) {
        self.index.find(hash, |at| {
            self.slots.get(at).prefetch();
            false
        });
    }

    fn prefetch_slot(&self, at: u32) {
        self.slots.get(at).prefetch();
        for order in [&self.accessed, &self.written].into_iter().flatten() {
            order.prefetch(at);
        }
    }

    fn find(&self, address: &Address<'_, K>) -> Option<u32> {
        self.index.find(address.hash, |at| {
            let slot = self.slots.get(at);
            slot.key == *address.key && slot.hash == address.hash
        })
    }

    /// Finds an entry; one that has expired is cleared away instead.
    fn find_live(&mut self, address: &Address<'_, K>, now: Nanos) -> Option<u32> {
        let at = self.find(address)?;
        let Some(reason) = self.expiry(at, now) else {
            return Some(at);
        };
        self.take(at, reason);
        None
    }

    fn is_expired(&self, at: u32, now: Nanos) -> bool {
        self.expiry(at, now).is_some()
    }

    fn expiry(&self, at: u32, now: Nanos) -> Option<Reason> {
        let expired = |order: &Option<Order>| order.as_ref().is_some_and(|o| o.is_expired(at, now));
        if expired(&self.written) || self.slots.get(at).value.is_past_deadline(now) {
            Some(Reason::TimeToLive)
        } else if expired(&self.accessed) {
            Some(Reason::Idle)
        } else {
            None
        }
    }

    /// Counts a read or a write of an entry; whether it can stay where it is in the order.
    fn is_new_enough(&mut self, at: u32) -> bool {
        self.clock = self.clock.wrapping_add(1);
        if self.leeway == 0 {
            return false;
        }
        let slot = self.slots.get_mut(at);
        let is_new_enough = self.clock.wrapping_sub(slot.newest_at) < self.leeway;
        if !is_new_enough {
            slot.newest_at = self.clock;
        }
        is_new_enough
    }

    fn refresh(&mut self, at: u32, now: Nanos) {
        if self.is_new_enough(at) {
            return;
        }
        for order in [&mut self.accessed, &mut self.written]
            .into_iter()
            .flatten()
        {
            order.refresh(at, now);
        }
    }

    fn replace(
        &mut self,
        at: u32,
        address: &Address<'_, K>,
        value: K::Value,
        now: Nanos,
    ) -> K::Value {
        let slot = self.slots.get_mut(at);
        self.heap += value.heap_bytes();
        let old = std::mem::replace(&mut slot.value, value);
        self.heap -= old.heap_bytes();
        if !K::SCOPED
            && let Some(owners) = &mut self.owners
            && let Some((owner, hash)) = address.indexed_owner()
            && owners.id(slot.owner) != owner
        {
            slot.owner = owners.reassign(at, slot.owner, hash, owner.clone());
        }
        self.tally.updates += 1;
        self.refresh(at, now);
        old
    }

    fn insert(&mut self, address: &Address<'_, K>, value: K::Value, now: Nanos) {
        self.clock = self.clock.wrapping_add(1);
        self.heap += K::key_heap_bytes(address.key) + value.heap_bytes();
        self.tally.inserts += 1;
        let slot = |owner| Slot {
            newest_at: self.clock,
            owner,
            key: address.key.clone(),
            value,
            hash: address.hash,
        };
        let at = if self.slots.len() >= self.capacity {
            let at = self.oldest();
            let before = self.slots.get(at).owner;
            let owner = match (&mut self.owners, address.indexed_owner()) {
                (Some(owners), Some((id, hash))) => owners.reassign(at, before, hash, id.clone()),
                _ => 0,
            };
            let gone = std::mem::replace(self.slots.get_mut(at), slot(owner));
            let slots = &self.slots;
            self.index.remove(gone.hash, at, |at| slots.get(at).hash);
            for order in [&mut self.accessed, &mut self.written]
                .into_iter()
                .flatten()
            {
                order.refresh(at, now);
            }
            self.heap -= K::key_heap_bytes(&gone.key) + gone.value.heap_bytes();
            self.tally.removed(Reason::Capacity);
            // Its place is the next one to be needed, and nobody has looked at it for long.
            self.prefetch_slot(self.oldest());
            at
        } else {
            let owner = match (&mut self.owners, address.indexed_owner()) {
                (Some(owners), Some((id, hash))) => owners.push(hash, id.clone()),
                _ => 0,
            };
            for order in [&mut self.accessed, &mut self.written]
                .into_iter()
                .flatten()
            {
                order.push(now);
            }
            self.slots.push(slot(owner));
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        };
        let slots = &self.slots;
        self.index.insert(address.hash, at, |at| slots.get(at).hash);
    }

    /// The entry that makes room for another one. Expired ones were cleared away before: while any of them was left,
    /// there was room.
    fn oldest(&self) -> u32 {
        let order = match self.eviction {
            Eviction::LeastRecentlyUsed => &self.accessed,
            Eviction::Oldest => &self.written,
        };
        // An unbounded kind has no such order and gets here only when its indices run out.
        order.as_ref().and_then(Order::oldest).unwrap_or(0)
    }

    /// Takes an entry out of everything; the last entry takes its place everywhere.
    fn take(&mut self, at: u32, reason: Reason) -> Option<K::Value> {
        let last = u32::try_from(self.slots.len().checked_sub(1)?).ok()?;
        let slots = &self.slots;
        let gone = slots.get(at).hash;
        self.index.remove(gone, at, |at| slots.get(at).hash);
        let mut moved = None;
        if at != last {
            let slot = self.slots.get(last);
            moved = Some(slot.owner);
            self.index.moved(slot.hash, last, at);
        }
        for order in [&mut self.accessed, &mut self.written]
            .into_iter()
            .flatten()
        {
            order.swap_remove(at, last);
        }
        let slot = self.slots.swap_remove(at)?;
        if let Some(owners) = &mut self.owners {
            owners.swap_remove(at, slot.owner, moved);
        }
        self.heap -= K::key_heap_bytes(&slot.key) + slot.value.heap_bytes();
        self.tally.removed(reason);
        Some(slot.value)
    }
}

#[cfg(test)]
impl<K: Kind> Shard<K> {
    /// Checks that all ways to an entry agree.
    pub(crate) fn verify(&self) {
        let len = self.slots.len();
        let all = 0..u32::try_from(len).unwrap();
        assert!(len <= self.capacity);
        let indexed = self.index.verify(|at| self.slots.get(at).hash);
        assert!(indexed.into_iter().eq(all.clone()));
        for order in [&self.accessed, &self.written].into_iter().flatten() {
            order.verify(len);
        }
        if let Some(owners) = &self.owners {
            owners.verify(len, |at| self.slots.get(at).owner);
        }
        let heap = all
            .map(|at| self.slots.get(at))
            .map(|slot| K::key_heap_bytes(&slot.key) + slot.value.heap_bytes())
            .sum::<usize>();
        assert_eq!(heap, self.heap);
    }
}
