//! Every write path under a model checker, which runs threads in many different orders.

use std::sync::Arc;

use shuttle::sync::Mutex;
use shuttle::thread;

use super::{Entries, Visible};
use crate::SystemClock;
use crate::clock::Clock;
use crate::config::KindConfig;
use crate::store::{Kind, Lock, Shard, Snapshot};
use crate::update::Changed;

impl<T> Lock<T> for Mutex<T> {
    fn new(value: T) -> Self {
        Self::new(value)
    }

    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.lock().unwrap())
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Count(u32);

impl Snapshot for Count {
    fn same(&self, other: &Self) -> bool {
        self == other
    }

    fn heap_bytes(&self) -> usize {
        self.0 as usize
    }
}

struct Counts;

impl Kind for Counts {
    type Owner = u8;
    type Key = u8;
    type Value = Count;
    const INDEXED: bool = true;
    const SCOPED: bool = true;
}

impl Visible for Counts {
    type Seen = Count;

    fn show<R>(_: &u8, value: &Count, look: impl FnOnce(&Count) -> R) -> R {
        look(value)
    }
}

type Checked = Entries<Counts, Mutex<Shard<Counts>>>;

fn entries(config: KindConfig<Count>) -> Arc<Checked> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    Arc::new(Entries::new(config, 2, &clock))
}

fn add_one(entries: &Checked, owner: u8, key: u8) -> Option<Changed<Count>> {
    entries.merge(Some(&owner), &key, |old| {
        Some(Count(old.map_or(0, |old| old.0) + 1))
    })
}

#[test]
fn no_update_is_lost_and_every_old_value_is_reported_once() {
    // A predicate runs under no lock, so that there are two ways to write.
    for has_predicate in [false, true] {
        let run = move || {
            let config = KindConfig::new(1).unbounded();
            let entries = entries(if has_predicate {
                config.keep(|_| true)
            } else {
                config
            });
            let threads: Vec<_> = (0..3)
                .map(|_| {
                    let entries = Arc::clone(&entries);
                    thread::spawn(move || [(); 2].map(|()| add_one(&entries, 1, 1).unwrap()))
                })
                .collect();
            let mut seen: Vec<_> = threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap())
                .map(|changed| changed.old().map_or(0, |old| old.0))
                .collect();
            seen.sort_unstable();
            assert_eq!(seen, [0, 1, 2, 3, 4, 5]);
            assert_eq!(entries.get(Some(&1), &1), Some(Count(6)));
        };
        shuttle::check_random(run, 1_000);
    }
}

#[test]
fn eviction_removal_and_reading_agree_at_every_moment() {
    let run = || {
        let entries = entries(KindConfig::new(2).keep(|count: &Count| count.0 < 3));
        let writers = (0..3_u8).map(|key| {
            let entries = Arc::clone(&entries);
            thread::spawn(move || {
                for round in 0..4 {
                    add_one(&entries, key % 2, key);
                    if round == 2 {
                        entries.remove(Some(&(key % 2)), &key);
                    }
                }
            })
        });
        let reader = {
            let entries = Arc::clone(&entries);
            thread::spawn(move || {
                for _ in 0..3 {
                    for owner in 0..2_u8 {
                        let listed = entries.list(&owner);
                        assert!(listed.len() <= 2);
                        assert!(listed.iter().all(|(key, _)| key % 2 == owner));
                        assert!(listed.iter().all(|(_, count)| count.0 < 3));
                    }
                    entries.remove_owned(&1);
                }
            })
        };
        for thread in writers.chain([reader]).collect::<Vec<_>>() {
            thread.join().unwrap();
        }
        entries.store.as_ref().unwrap().verify();
        let stats = entries.stats();
        let left = stats.removes + stats.evicted_for_capacity;
        assert_eq!(stats.inserts, left + stats.entries);
    };
    shuttle::check_random(run, 1_000);
}
