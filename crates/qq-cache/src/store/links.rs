//! Doubly linked lists through a dense array.

use super::Column;
use crate::prefetch::prefetch;

/// No entry.
pub(crate) const NIL: u32 = u32::MAX;

/// The neighbours of an entry in its list.
#[derive(Clone, Copy)]
struct Link {
    newer: u32,
    older: u32,
}

/// The ends of a list.
#[derive(Clone, Copy)]
pub(crate) struct List {
    newest: u32,
    oldest: u32,
}

impl List {
    pub(crate) const EMPTY: Self = Self {
        newest: NIL,
        oldest: NIL,
    };

    pub(crate) const fn oldest(&self) -> Option<u32> {
        if self.oldest == NIL {
            None
        } else {
            Some(self.oldest)
        }
    }
}

/// One link per entry, at the entry's own index. Entries of one array may stand in different lists.
pub(crate) struct Links(Column<Link>);

impl Links {
    pub(crate) const fn new() -> Self {
        Self(Column::new())
    }

    /// A link for the next entry, as the newest of `list`.
    pub(crate) fn push(&mut self, list: &mut List) {
        // An entry count beyond u32 is refused by the shard.
        let at = u32::try_from(self.0.len()).unwrap_or(NIL);
        self.0.push(Link {
            newer: NIL,
            older: NIL,
        });
        self.attach(list, at);
    }

    /// Makes `at`, which is in no list, the newest of `list`.
    pub(crate) fn attach(&mut self, list: &mut List, at: u32) {
        *self.0.get_mut(at) = Link {
            newer: NIL,
            older: list.newest,
        };
        if list.newest == NIL {
            list.oldest = at;
        } else {
            self.0.get_mut(list.newest).newer = at;
        }
        list.newest = at;
    }

    /// Takes `at` out of `list`.
    pub(crate) fn detach(&mut self, list: &mut List, at: u32) {
        let Link { newer, older } = *self.0.get(at);
        self.point(list, newer, older, older, newer);
    }

    /// Makes `at` the newest of `list`, in which it is.
    pub(crate) fn refresh(&mut self, list: &mut List, at: u32) {
        if list.newest != at {
            self.detach(list, at);
            self.attach(list, at);
        }
    }

    /// Asks for the memory of a link.
    pub(crate) fn prefetch(&self, at: u32) {
        prefetch(self.0.get(at));
    }

    /// Removes the link of `at`, which is in no list; the last entry takes its place.
    pub(crate) fn swap_remove(&mut self, at: u32) {
        self.0.swap_remove(at);
    }

    /// Tells the neighbours in `list` of an entry that it stands at `at` now.
    pub(crate) fn moved(&mut self, list: &mut List, at: u32) {
        let Link { newer, older } = *self.0.get(at);
        self.point(list, newer, at, older, at);
    }

    /// The entry after `at` on the way from the newest to the oldest.
    pub(crate) fn older(&self, at: u32) -> u32 {
        self.0.get(at).older
    }

    /// The entries of `list`, newest first.
    pub(crate) fn iter(&self, list: &List) -> impl Iterator<Item = u32> {
        let mut next = list.newest;
        std::iter::from_fn(move || {
            let at = (next != NIL).then_some(next)?;
            next = self.older(at);
            Some(at)
        })
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0.bytes()
    }

    fn point(&mut self, list: &mut List, newer: u32, to_older: u32, older: u32, to_newer: u32) {
        if newer == NIL {
            list.newest = to_older;
        } else {
            self.0.get_mut(newer).older = to_older;
        }
        if older == NIL {
            list.oldest = to_newer;
        } else {
            self.0.get_mut(older).newer = to_newer;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_survive_moves() {
        let (mut links, mut list) = (Links::new(), List::EMPTY);
        // What stands at each index, and the names from oldest to newest.
        let mut names = Vec::new();
        let mut order = Vec::new();
        let mut random = 1_u32;
        for step in 0..4_000_u32 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let pick = (random >> 8) as usize % names.len().max(1);
            let at = u32::try_from(pick).unwrap();
            match random >> 30 {
                0 | 1 => {
                    links.push(&mut list);
                    names.push(step);
                    order.push(step);
                }
                2 if !names.is_empty() => {
                    links.refresh(&mut list, at);
                    order.retain(|name| *name != names[pick]);
                    order.push(names[pick]);
                }
                3 if !names.is_empty() => {
                    links.detach(&mut list, at);
                    links.swap_remove(at);
                    order.retain(|name| *name != names[pick]);
                    names.swap_remove(pick);
                    if pick < names.len() {
                        links.moved(&mut list, at);
                    }
                }
                _ => {}
            }
            let seen: Vec<_> = links.iter(&list).map(|at| names[at as usize]).collect();
            assert!(seen.iter().rev().eq(&order));
            assert_eq!(
                list.oldest().map(|at| names[at as usize]),
                order.first().copied()
            );
        }
    }
}
