//! One file for each kind of entry, and what they have in common.
#![expect(
    clippy::must_use_candidate,
    reason = "writes say what they changed, which most callers need not know"
)]

mod channel;
mod group;
mod group_member;
mod guild;
mod media;
mod member;
mod message;
mod message_index;
mod role;
mod texts;
mod user;
mod weigh;

pub use self::group::CachedGroup;
pub use self::group_member::CachedGroupMember;
pub use self::media::{CachedMedia, MediaKey};
pub use self::message::CachedMessage;
pub use self::user::CachedUser;

pub(crate) use self::channel::Channels;
pub(crate) use self::group::Groups;
pub(crate) use self::group_member::GroupMembers;
pub(crate) use self::guild::Guilds;
pub(crate) use self::media::MediaFiles;
pub(crate) use self::member::Members;
pub(crate) use self::message::{Messages, Scened};
pub(crate) use self::message_index::MessageIndexes;
pub(crate) use self::role::Roles;
pub(crate) use self::texts::Texts;
pub(crate) use self::user::{UserNews, Users};

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::clock::Clock;
use crate::config::KindConfig;
use crate::stats::KindStats;
use crate::store::{Expect, Kind, Lock, Proposal, Shard, Snapshot, Store, Tally};
use crate::update::Changed;

/// A kind as users see it.
pub(crate) trait Visible: Kind {
    /// What the keep-predicate is shown.
    type Seen;

    /// Shows a value.
    fn show<R>(key: &Self::Key, value: &Self::Value, look: impl FnOnce(&Self::Seen) -> R) -> R;
}

/// The entries of one kind; none when the kind is off.
pub(crate) struct Entries<K: Visible, L = Mutex<Shard<K>>> {
    store: Option<Store<K, L>>,
    config: KindConfig<K::Seen>,
    rejected: AtomicU64,
}

impl<K: Visible, L: Lock<Shard<K>>> Entries<K, L> {
    pub(crate) fn new(config: KindConfig<K::Seen>, shards: usize, clock: &Arc<dyn Clock>) -> Self {
        Self {
            store: (!config.is_off()).then(|| Store::new(&config.limits(), shards, clock)),
            config,
            rejected: AtomicU64::new(0),
        }
    }

    pub(crate) const fn is_off(&self) -> bool {
        self.store.is_none()
    }

    pub(crate) fn get(&self, owner: Option<&K::Owner>, key: &K::Key) -> Option<K::Value> {
        self.store.as_ref()?.get(owner, key)
    }

    /// The live entries of an owner.
    pub(crate) fn list(&self, owner: &K::Owner) -> Vec<(K::Key, K::Value)> {
        self.store
            .as_ref()
            .map(|store| store.list(owner))
            .unwrap_or_default()
    }

    /// Writes a value, whatever was there.
    pub(crate) fn insert(
        &self,
        owner: Option<&K::Owner>,
        key: &K::Key,
        value: K::Value,
    ) -> Option<Changed<K::Value>> {
        if self.config.has_predicate() {
            return self.merge(owner, key, |_| Some(value.clone()));
        }
        let store = self.store.as_ref()?;
        let (old, new) = store.apply(owner, key, |_| Some(value))?;
        Some(Changed::new(old, new))
    }

    /// Whether a value is there and already as a writer would make it; then it counts as written. The usual case of
    /// most events, without a copy.
    pub(crate) fn confirm(
        &self,
        owner: Option<&K::Owner>,
        key: &K::Key,
        is_settled: impl FnOnce(&K::Value) -> bool,
    ) -> bool {
        let store = self.store.as_ref();
        store.is_some_and(|store| store.confirm(owner, key, is_settled))
    }

    /// Asks for the memory that says where an entry is; what [`prefetch`](Self::prefetch) goes on with.
    pub(crate) fn preload(&self, owner: Option<&K::Owner>, key: &K::Key) -> Option<u64> {
        let store = self.store.as_ref()?;
        let hash = store.hash(owner, key);
        store.prefetch_index(hash);
        Some(hash)
    }

    /// Asks for the memory of an entry.
    pub(crate) fn prefetch(&self, hash: Option<u64>) {
        if let (Some(store), Some(hash)) = (&self.store, hash) {
            store.prefetch_entry(hash);
        }
    }

    /// Writes what `merge` makes of the value that is there; nothing when it makes none.
    ///
    /// Without a keep-predicate that is one step. The predicate is the user's and runs under no lock: then, when another thread was quicker meanwhile, all is
    /// done again on what it wrote: each round that fails is a round that another thread won.
    pub(crate) fn merge(
        &self,
        owner: Option<&K::Owner>,
        key: &K::Key,
        merge: impl Fn(Option<&K::Value>) -> Option<K::Value>,
    ) -> Option<Changed<K::Value>> {
        let store = self.store.as_ref()?;
        if !self.config.has_predicate() {
            let (old, new) = store.apply(owner, key, merge)?;
            return Some(Changed::new(old, new));
        }
        loop {
            let Proposal::Change { old, new } = store.propose(owner, key, &merge) else {
                return None;
            };
            let seen = Expect::Exactly(old.as_ref());
            let written = if K::show(key, &new, |seen| self.config.keeps(seen)) {
                store
                    .put(owner, key, &new, seen)
                    .map(|old| Some(Changed::new(old, new)))
            } else {
                let removed = store.remove(owner, key, seen);
                if removed.is_ok() {
                    self.rejected.fetch_add(1, Ordering::Relaxed);
                }
                removed.map(|old| old.map(|old| Changed::Deleted { old }))
            };
            if let Ok(changed) = written {
                return changed;
            }
        }
    }

    /// Writes into a value that is there what changes nothing about its meaning. `amend` runs under a lock: it only computes.
    pub(crate) fn amend(
        &self,
        owner: Option<&K::Owner>,
        key: &K::Key,
        amend: impl FnOnce(&mut K::Value),
    ) {
        if let Some(store) = &self.store {
            store.amend(owner, key, amend);
        }
    }

    pub(crate) fn remove(
        &self,
        owner: Option<&K::Owner>,
        key: &K::Key,
    ) -> Option<Changed<K::Value>> {
        let removed = self
            .store
            .as_ref()?
            .remove(owner, key, Expect::Anything)
            .ok()?;
        removed.map(|old| Changed::Deleted { old })
    }

    pub(crate) fn remove_owned(&self, owner: &K::Owner) -> usize {
        self.store
            .as_ref()
            .map_or(0, |store| store.remove_owned(owner))
    }

    pub(crate) fn sweep(&self) -> usize {
        self.store.as_ref().map_or(0, Store::sweep)
    }

    pub(crate) fn clear(&self) -> usize {
        self.store.as_ref().map_or(0, Store::clear)
    }

    /// The store's time; 0 when it keeps none.
    pub(crate) fn now(&self) -> crate::clock::Nanos {
        self.store.as_ref().map_or(0, Store::now)
    }

    pub(crate) fn stats(&self) -> KindStats {
        let tally = self
            .store
            .as_ref()
            .map_or_else(Tally::default, Store::tally);
        KindStats::new(tally, self.rejected.load(Ordering::Relaxed))
    }
}

impl<T: weigh::Weigh + PartialEq> Snapshot for Arc<T> {
    fn same(&self, other: &Self) -> bool {
        Self::ptr_eq(self, other)
    }

    fn heap_bytes(&self) -> usize {
        // Two reference counts stand before the value.
        2 * size_of::<usize>() + size_of::<T>() + self.owned_bytes()
    }
}

#[cfg(test)]
mod interleavings;
