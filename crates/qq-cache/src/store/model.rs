//! A store against a naive one.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::{Expect, Kind, Limits, Proposal, Snapshot, Store, Tally};
use crate::clock::{Clock, ManualClock, Nanos};
use crate::config::Eviction;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Value(u32);

impl Snapshot for Value {
    fn same(&self, other: &Self) -> bool {
        self == other
    }

    fn heap_bytes(&self) -> usize {
        self.0 as usize % 7
    }
}

struct Scoped;

impl Kind for Scoped {
    type Owner = u8;
    type Key = u8;
    type Value = Value;
    const INDEXED: bool = true;
    const SCOPED: bool = true;
}

/// As channels are: found by key alone, listed by owner, and able to change the owner.
struct Plain;

impl Kind for Plain {
    type Owner = u8;
    type Key = u8;
    type Value = Value;
    const INDEXED: bool = true;
    const SCOPED: bool = false;
}

#[derive(Clone, Debug)]
enum Op {
    Get(u8, u8),
    Put(u8, u8, u32),
    PutIf(u8, u8, u32, Option<u32>),
    Propose(u8, u8, Option<u32>),
    Remove(u8, u8),
    RemoveOwned(u8),
    List(u8),
    Wait(u64),
    Sweep,
    Clear,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let (owner, key, value) = (0..3_u8, 0..6_u8, 0..9_u32);
    let expected = proptest::option::of(0..9_u32);
    let op = prop_oneof![
        6 => (owner.clone(), key.clone()).prop_map(|(o, k)| Op::Get(o, k)),
        8 => (owner.clone(), key.clone(), 0..4_u32).prop_map(|(o, k, v)| Op::Put(o, k, v)),
        2 => (owner.clone(), key.clone(), value, expected).prop_map(|(o, k, v, e)| Op::PutIf(o, k, v, e)),
        3 => (owner.clone(), key.clone(), proptest::option::of(0..3_u32)).prop_map(|(o, k, v)| Op::Propose(o, k, v)),
        2 => (owner.clone(), key).prop_map(|(o, k)| Op::Remove(o, k)),
        1 => owner.clone().prop_map(Op::RemoveOwned),
        2 => owner.prop_map(Op::List),
        3 => (1..8_u64).prop_map(Op::Wait),
        1 => Just(Op::Sweep),
        1 => prop_oneof![9 => Just(Op::Sweep), 1 => Just(Op::Clear)],
    ];
    proptest::collection::vec(op, 1..120)
}

prop_compose! {
    fn limits()(
        capacity in proptest::option::of(1..8_usize),
        ttl in proptest::option::of(1..20_u64),
        idle in proptest::option::of(1..12_u64),
        oldest in any::<bool>(),
    ) -> Limits {
        Limits {
            capacity,
            ttl: ttl.map(|s| s * 1_000_000_000),
            idle: idle.map(|s| s * 1_000_000_000),
            eviction: if oldest { Eviction::Oldest } else { Eviction::LeastRecentlyUsed },
        }
    }
}

struct Entry {
    owner: u8,
    key: u8,
    value: u32,
    /// In steps, because several things happen at one time.
    accessed: (Nanos, u64),
    written: (Nanos, u64),
}

/// Does the same in the plainest way: a list, searched from one end to the other.
struct Naive {
    limits: Limits,
    scoped: bool,
    entries: Vec<Entry>,
    now: Nanos,
    step: u64,
    tally: Tally,
}

impl Naive {
    fn expire(&mut self) {
        let (limits, now) = (self.limits, self.now);
        let before = self.entries.len();
        self.entries
            .retain(|entry| limits.ttl.is_none_or(|ttl| now - entry.written.0 < ttl));
        self.tally.ttl += (before - self.entries.len()) as u64;
        let before = self.entries.len();
        self.entries
            .retain(|entry| limits.idle.is_none_or(|idle| now - entry.accessed.0 < idle));
        self.tally.idle += (before - self.entries.len()) as u64;
    }

    fn find(&mut self, owner: u8, key: u8) -> Option<&mut Entry> {
        let scoped = self.scoped;
        self.entries
            .iter_mut()
            .find(|entry| entry.key == key && (!scoped || entry.owner == owner))
    }

    fn value(&mut self, owner: u8, key: u8) -> Option<u32> {
        self.find(owner, key).map(|entry| entry.value)
    }

    fn get(&mut self, owner: u8, key: u8) -> Option<u32> {
        let now = (self.now, self.step);
        let found = self.find(owner, key).map(|entry| {
            entry.accessed = now;
            entry.value
        });
        *if found.is_some() {
            &mut self.tally.hits
        } else {
            &mut self.tally.misses
        } += 1;
        found
    }

    fn put(&mut self, owner: u8, key: u8, value: u32) -> Option<u32> {
        let now = (self.now, self.step);
        if let Some(entry) = self.find(owner, key) {
            let old = std::mem::replace(&mut entry.value, value);
            (entry.owner, entry.accessed, entry.written) = (owner, now, now);
            self.tally.updates += 1;
            return Some(old);
        }
        if self.limits.capacity == Some(self.entries.len()) {
            let age = |entry: &Entry| match self.limits.eviction {
                Eviction::LeastRecentlyUsed => entry.accessed,
                Eviction::Oldest => entry.written,
            };
            let oldest = (0..self.entries.len()).min_by_key(|at| age(&self.entries[*at]));
            self.entries.remove(oldest.unwrap());
            self.tally.capacity += 1;
        }
        self.entries.push(Entry {
            owner,
            key,
            value,
            accessed: now,
            written: now,
        });
        self.tally.inserts += 1;
        None
    }

    fn touch(&mut self, owner: u8, key: u8) {
        let now = (self.now, self.step);
        if let Some(entry) = self.find(owner, key) {
            (entry.accessed, entry.written) = (now, now);
        }
    }

    fn remove_where(&mut self, gone: impl Fn(&Entry) -> bool) -> Vec<u32> {
        let removed: Vec<_> = self.entries.extract_if(.., |entry| gone(entry)).collect();
        self.tally.removes += removed.len() as u64;
        removed.into_iter().map(|entry| entry.value).collect()
    }
}

/// Runs the operations on both and compares every answer.
fn compare<K: Kind<Owner = u8, Key = u8, Value = Value>>(
    limits: Limits,
    ops: Vec<Op>,
) -> Result<(), TestCaseError> {
    let clock = Arc::new(ManualClock::new());
    let shared: Arc<dyn Clock> = clock.clone();
    // Exact equality needs one shard; several are compared without a capacity, where each is independent.
    let shards = if limits.capacity.is_some() { 1 } else { 3 };
    let store: Store<K> = Store::new(&limits, shards, &shared);
    let mut naive = Naive {
        limits,
        scoped: K::SCOPED,
        entries: Vec::new(),
        now: 0,
        step: 0,
        tally: Tally::default(),
    };
    for op in ops {
        naive.step += 1;
        naive.expire();
        match op {
            Op::Get(owner, key) => {
                let got = store.get(Some(&owner), &key).map(|value| value.0);
                prop_assert_eq!(got, naive.get(owner, key));
            }
            Op::Put(owner, key, value) => {
                let old = store.put(Some(&owner), &key, &Value(value), Expect::Anything);
                prop_assert_eq!(old.unwrap().map(|v| v.0), naive.put(owner, key, value));
            }
            Op::PutIf(owner, key, value, expected) => {
                let matches = naive.value(owner, key) == expected;
                let expected = expected.map(Value);
                let expect = Expect::Exactly(expected.as_ref());
                let put = store.put(Some(&owner), &key, &Value(value), expect);
                prop_assert_eq!(put.is_ok(), matches);
                if let Ok(old) = put {
                    prop_assert_eq!(old.map(|v| v.0), naive.put(owner, key, value));
                }
            }
            Op::Propose(owner, key, value) => {
                let mut seen = None;
                let proposal = store.propose(Some(&owner), &key, |old| {
                    seen = old.map(|old| old.0);
                    value.map(Value)
                });
                let there = naive.value(owner, key);
                prop_assert_eq!(seen, there);
                match proposal {
                    Proposal::Settled if value.is_some() => {
                        prop_assert_eq!(there, value);
                        naive.touch(owner, key);
                    }
                    Proposal::Settled => {}
                    Proposal::Change { old, new } => {
                        prop_assert_eq!(old.map(|v| v.0), there);
                        prop_assert_eq!(Some(new.0), value);
                        prop_assert_ne!(there, value);
                    }
                }
            }
            Op::Remove(owner, key) => {
                let removed = store.remove(Some(&owner), &key, Expect::Anything).unwrap();
                let scoped = K::SCOPED;
                let expected =
                    naive.remove_where(|e| e.key == key && (!scoped || e.owner == owner));
                prop_assert_eq!(removed.map(|v| v.0), expected.first().copied());
            }
            Op::RemoveOwned(owner) => {
                // Expired entries leave as removed here unless they are cleared away first.
                store.sweep();
                let removed = store.remove_owned(&owner);
                prop_assert_eq!(removed, naive.remove_where(|e| e.owner == owner).len());
            }
            Op::List(owner) => {
                let mut listed: Vec<_> = store
                    .list(&owner)
                    .into_iter()
                    .map(|(key, value)| (key, value.0))
                    .collect();
                listed.sort_unstable();
                let mut expected: Vec<_> = naive
                    .entries
                    .iter()
                    .filter(|entry| entry.owner == owner)
                    .map(|entry| (entry.key, entry.value))
                    .collect();
                expected.sort_unstable();
                prop_assert_eq!(listed, expected);
            }
            Op::Wait(seconds) => {
                clock.advance(Duration::from_secs(seconds));
                naive.now += seconds * 1_000_000_000;
            }
            Op::Sweep => {
                store.sweep();
            }
            Op::Clear => {
                store.sweep();
                prop_assert_eq!(store.clear(), naive.remove_where(|_| true).len());
            }
        }
        store.verify();
    }
    naive.expire();
    store.sweep();
    let tally = store.tally();
    // An entry that is too old and too idle at once counts as either.
    let expired = |tally: &Tally| tally.ttl + tally.idle;
    prop_assert_eq!(expired(&tally), expired(&naive.tally));
    if limits.ttl.is_none() || limits.idle.is_none() {
        prop_assert_eq!(tally.ttl, naive.tally.ttl);
    }
    naive.tally.entries = naive.entries.len() as u64;
    let rest = |tally: Tally| Tally {
        bytes: 0,
        ttl: 0,
        idle: 0,
        ..tally
    };
    prop_assert_eq!(rest(tally), rest(naive.tally));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn scoped_entries_are_those_of_a_naive_store(limits in limits(), ops in ops()) {
        compare::<Scoped>(limits, ops)?;
    }

    #[test]
    fn plain_entries_are_those_of_a_naive_store(limits in limits(), ops in ops()) {
        compare::<Plain>(limits, ops)?;
    }
}

#[test]
fn memory_is_given_back() {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new());
    let limits = Limits {
        capacity: None,
        ttl: Some(1),
        idle: None,
        eviction: Eviction::Oldest,
    };
    struct Many;
    impl Kind for Many {
        type Owner = u32;
        type Key = u32;
        type Value = Value;
        const INDEXED: bool = true;
        const SCOPED: bool = true;
    }
    let store: Store<Many> = Store::new(&limits, 4, &clock);
    for key in 0..50_000_u32 {
        let owner = key % 5_000;
        store
            .put(Some(&owner), &key, &Value(key), Expect::Anything)
            .unwrap();
    }
    store.verify();
    let full = store.tally().bytes;
    assert!(full > 50_000 * 20);
    assert_eq!(store.clear(), 50_000);
    store.verify();
    assert!(store.tally().bytes < full / 50, "{}", store.tally().bytes);
}
