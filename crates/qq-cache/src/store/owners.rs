//! Which entries belong to which owner, inside one shard.

use super::{Index, Links, List};

/// The index of an owner; entries carry it.
pub(crate) type OwnerAt = u32;

/// The owners that have entries in this shard, and the list of each.
pub(crate) struct Owners<O> {
    owners: Vec<Owner<O>>,
    index: Index,
    free: Vec<OwnerAt>,
    links: Links,
}

struct Owner<O> {
    hash: u64,
    /// A free place keeps its last id until it is used again.
    id: O,
    list: List,
    entries: u32,
}

impl<O: Eq> Owners<O> {
    pub(crate) const fn new() -> Self {
        Self {
            owners: Vec::new(),
            index: Index::new(),
            free: Vec::new(),
            links: Links::new(),
        }
    }

    pub(crate) fn id(&self, at: OwnerAt) -> &O {
        &self.owners[at as usize].id
    }

    pub(crate) fn find(&self, hash: u64, id: &O) -> Option<OwnerAt> {
        self.index.find(hash, |at| self.id(at) == id)
    }

    /// Adds the link of a new entry.
    pub(crate) fn push(&mut self, hash: u64, id: O) -> OwnerAt {
        let at = self.find_or_add(hash, id);
        let owner = &mut self.owners[at as usize];
        owner.entries += 1;
        self.links.push(&mut owner.list);
        at
    }

    /// Moves an entry to another owner.
    pub(crate) fn reassign(&mut self, entry: u32, from: OwnerAt, hash: u64, id: O) -> OwnerAt {
        let to = self.find_or_add(hash, id);
        self.links
            .detach(&mut self.owners[from as usize].list, entry);
        self.links.attach(&mut self.owners[to as usize].list, entry);
        self.owners[to as usize].entries += 1;
        self.leave(from);
        to
    }

    /// Removes the entry at `at`. The last one, which belongs to `moved`, takes its place.
    pub(crate) fn swap_remove(&mut self, at: u32, owner: OwnerAt, moved: Option<OwnerAt>) {
        self.links.detach(&mut self.owners[owner as usize].list, at);
        self.links.swap_remove(at);
        if let Some(moved) = moved {
            self.links.moved(&mut self.owners[moved as usize].list, at);
        }
        self.leave(owner);
    }

    /// The entries of an owner, newest first.
    pub(crate) fn entries(&self, at: OwnerAt) -> impl Iterator<Item = u32> {
        self.links.iter(&self.owners[at as usize].list)
    }

    pub(crate) fn count(&self, at: OwnerAt) -> usize {
        self.owners[at as usize].entries as usize
    }

    pub(crate) fn bytes(&self) -> usize {
        self.owners.capacity() * size_of::<Owner<O>>()
            + self.index.bytes()
            + self.free.capacity() * size_of::<OwnerAt>()
            + self.links.bytes()
    }

    fn find_or_add(&mut self, hash: u64, id: O) -> OwnerAt {
        if let Some(at) = self.find(hash, &id) {
            return at;
        }
        let owner = Owner {
            hash,
            id,
            list: List::EMPTY,
            entries: 0,
        };
        let at = if let Some(at) = self.free.pop() {
            self.owners[at as usize] = owner;
            at
        } else {
            self.owners.push(owner);
            // Owners are at most as many as entries, whose number the shard bounds.
            u32::try_from(self.owners.len() - 1).unwrap_or(u32::MAX)
        };
        let owners = &self.owners;
        self.index.insert(hash, at, |at| owners[at as usize].hash);
        at
    }

    /// An entry of this owner is gone.
    fn leave(&mut self, at: OwnerAt) {
        let owner = &mut self.owners[at as usize];
        owner.entries -= 1;
        if owner.entries > 0 {
            return;
        }
        let hash = owner.hash;
        let owners = &self.owners;
        self.index.remove(hash, at, |at| owners[at as usize].hash);
        if self.index.len() == 0 {
            // Nothing refers to any place any more.
            self.owners = Vec::new();
            self.free = Vec::new();
            self.index = Index::new();
        } else {
            self.free.push(at);
        }
    }
}

#[cfg(test)]
impl<O: Eq> Owners<O> {
    /// Checks that the lists hold each entry once, each under its owner, and that no owner is empty.
    pub(super) fn verify(&self, len: usize, owner_of: impl Fn(u32) -> OwnerAt) {
        let mut seen = Vec::new();
        for at in self.index.verify(|at| self.owners[at as usize].hash) {
            let entries: Vec<_> = self.entries(at).collect();
            assert!(!entries.is_empty());
            assert_eq!(entries.len(), self.count(at));
            assert!(entries.iter().all(|entry| owner_of(*entry) == at));
            seen.extend(entries);
        }
        seen.sort_unstable();
        assert!(seen.iter().map(|at| *at as usize).eq(0..len));
        assert_eq!(self.index.len() + self.free.len(), self.owners.len());
    }
}
