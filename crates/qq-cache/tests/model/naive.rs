//! The naive cache: lists that are searched from one end to the other.

use std::time::Duration;

use qq_cache::{Eviction, KindConfig, KindStats};

/// A text, a switch and a time: what every kind is reduced to here.
pub(crate) type Value = (Option<String>, Option<bool>, Option<i64>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Guild,
    Channel,
    Member,
    Group,
    GroupMember,
    User,
}

pub(crate) const KINDS: [Kind; 6] = [
    Kind::Guild,
    Kind::Channel,
    Kind::Member,
    Kind::Group,
    Kind::GroupMember,
    Kind::User,
];

/// A change as both sides report it.
pub(crate) type Report = (Kind, u8, u8, Option<Value>, Option<Value>);

#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) capacity: usize,
    pub(crate) ttl: Option<u64>,
    pub(crate) idle: Option<u64>,
    pub(crate) oldest: bool,
}

impl Limits {
    pub(crate) fn apply<T>(&self, mut config: KindConfig<T>) -> KindConfig<T> {
        config = config.capacity(self.capacity);
        if let Some(ttl) = self.ttl {
            config = config.time_to_live(Duration::from_secs(ttl));
        }
        if let Some(idle) = self.idle {
            config = config.idle_time(Duration::from_secs(idle));
        }
        if self.oldest {
            config = config.eviction(Eviction::Oldest);
        }
        config
    }
}

pub(crate) struct Entry {
    pub(crate) owner: u8,
    pub(crate) key: u8,
    pub(crate) value: Value,
    pub(crate) accessed: (u64, u64),
    pub(crate) written: (u64, u64),
}

/// One kind, as a list that is searched from one end to the other.
pub(crate) struct Naive {
    pub(crate) kind: Kind,
    pub(crate) limits: Limits,
    pub(crate) entries: Vec<Entry>,
    pub(crate) stats: KindStats,
}

impl Naive {
    /// Channels are found by their own id alone; kinds without owners have owner 0.
    pub(crate) fn is(&self, entry: &Entry, owner: u8, key: u8) -> bool {
        entry.key == key && (self.kind == Kind::Channel || entry.owner == owner)
    }

    pub(crate) fn expire(&mut self, now: u64) {
        let Limits { ttl, idle, .. } = self.limits;
        let before = self.entries.len();
        self.entries.retain(|entry| {
            ttl.is_none_or(|ttl| now - entry.written.0 < ttl)
                && idle.is_none_or(|idle| now - entry.accessed.0 < idle)
        });
        self.stats.expired += (before - self.entries.len()) as u64;
    }

    pub(crate) fn read(&mut self, owner: u8, key: u8, now: (u64, u64)) -> Option<Value> {
        if self.limits.capacity == 0 {
            return None;
        }
        let found = (0..self.entries.len()).find(|at| self.is(&self.entries[*at], owner, key));
        let Some(at) = found else {
            self.stats.misses += 1;
            return None;
        };
        self.stats.hits += 1;
        self.entries[at].accessed = now;
        Some(self.entries[at].value.clone())
    }

    pub(crate) fn write(
        &mut self,
        owner: u8,
        key: u8,
        now: (u64, u64),
        write: impl Fn(Value) -> Value,
    ) -> Option<Report> {
        if self.limits.capacity == 0 {
            return None;
        }
        let found = (0..self.entries.len()).find(|at| self.is(&self.entries[*at], owner, key));
        if let Some(at) = found {
            let entry = &mut self.entries[at];
            let old = entry.value.clone();
            let moved = entry.owner != owner;
            (entry.value, entry.owner) = (write(old.clone()), owner);
            (entry.accessed, entry.written) = (now, now);
            if entry.value == old && !moved {
                return None;
            }
            self.stats.updates += 1;
            return Some((self.kind, owner, key, Some(old), Some(entry.value.clone())));
        }
        if self.entries.len() == self.limits.capacity {
            let age = |entry: &Entry| {
                if self.limits.oldest {
                    entry.written
                } else {
                    entry.accessed
                }
            };
            let oldest = (0..self.entries.len()).min_by_key(|at| age(&self.entries[*at]));
            self.entries.remove(oldest.unwrap());
            self.stats.evicted_for_capacity += 1;
        }
        let value = write((None, None, None));
        self.entries.push(Entry {
            owner,
            key,
            value: value.clone(),
            accessed: now,
            written: now,
        });
        self.stats.inserts += 1;
        Some((self.kind, owner, key, None, Some(value)))
    }

    pub(crate) fn remove(&mut self, owner: u8, key: u8) -> Option<Report> {
        let at = (0..self.entries.len()).find(|at| self.is(&self.entries[*at], owner, key))?;
        self.stats.removes += 1;
        let entry = self.entries.remove(at);
        Some((self.kind, entry.owner, key, Some(entry.value), None))
    }

    pub(crate) fn remove_owned(&mut self, owner: u8) {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.owner != owner);
        self.stats.removes += (before - self.entries.len()) as u64;
    }
}

pub(crate) const fn has_owner(kind: Kind) -> bool {
    matches!(kind, Kind::Channel | Kind::Member | Kind::GroupMember)
}
