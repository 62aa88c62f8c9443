//! Where entries stand, by their hashes.
//!
//! A lookup takes one line of the processor's cache, whose address follows from the hash: so it can be asked for before
//! it is needed. A table of the usual kind takes two, and tells nobody which.

use wide::u8x16;

use crate::prefetch::prefetch;

/// Entries of a line.
const WAYS: usize = 12;
/// Of so many lines and more, most are given back when nearly all is free.
const MANY_LINES: usize = 16;
/// No entry.
const FREE: u32 = u32::MAX;

/// Positions below `u32::MAX` by hash. Entries with one hash are told apart by whoever asks.
pub(crate) struct Index {
    /// A power of two of them, or none. Three quarters full at most.
    lines: Vec<Line>,
    len: usize,
}

/// An entry that finds its line full stands in the next one that has room.
#[derive(Clone)]
#[repr(C, align(64))]
struct Line {
    /// A byte of each hash, so that few other entries are looked at; the last four count the entries that were to stand
    /// here or before, and stand behind.
    head: [u8; 16],
    positions: [u32; WAYS],
}

const _: () = assert!(size_of::<Line>() == 64);

impl Line {
    const EMPTY: Self = Self {
        head: [0; 16],
        positions: [FREE; WAYS],
    };

    /// The first place of an entry with this tag that is as wanted.
    fn find(&self, tag: u8, is_wanted: impl Fn(u32) -> bool) -> Option<usize> {
        let found = u8x16::new(self.head).cmp_eq(u8x16::splat(tag)).move_mask();
        let mut found = found & ((1 << WAYS) - 1);
        while found != 0 {
            let place = found.trailing_zeros() as usize;
            if is_wanted(self.positions[place]) {
                return Some(place);
            }
            found &= found - 1;
        }
        None
    }

    fn passed(&self) -> u32 {
        let [.., a, b, c, d] = self.head;
        u32::from_le_bytes([a, b, c, d])
    }

    fn set_passed(&mut self, count: u32) {
        self.head[WAYS..].copy_from_slice(&count.to_le_bytes());
    }
}

impl Index {
    pub(crate) const fn new() -> Self {
        Self {
            lines: Vec::new(),
            len: 0,
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) const fn bytes(&self) -> usize {
        self.lines.capacity() * size_of::<Line>()
    }

    /// Asks for the memory that [`find`](Self::find) will look at.
    pub(crate) fn prefetch(&self, hash: u64) {
        if let Some(line) = self.lines.get(self.home(hash)) {
            prefetch(line);
        }
    }

    /// The entry of this hash that is the one.
    pub(crate) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let (line, place) = self.locate(hash, |at| at != FREE && is_it(at))?;
        Some(self.lines[line].positions[place])
    }

    /// Adds an entry. `hash_of` is asked for the hashes of the others when all have to move.
    pub(crate) fn insert(&mut self, hash: u64, at: u32, hash_of: impl Fn(u32) -> u64) {
        if (self.len + 1) * 4 > self.lines.len() * WAYS * 3 {
            self.rebuild((self.lines.len() * 2).max(1), hash_of);
        }
        self.place(hash, at);
        self.len += 1;
    }

    /// Takes an entry out.
    pub(crate) fn remove(&mut self, hash: u64, at: u32, hash_of: impl Fn(u32) -> u64) {
        let Some((line, place)) = self.locate(hash, |known| known == at) else {
            return;
        };
        self.lines[line].positions[place] = FREE;
        self.len -= 1;
        let mut passed = self.home(hash);
        while passed != line {
            let line = &mut self.lines[passed];
            line.set_passed(line.passed() - 1);
            passed = self.after(passed);
        }
        if self.lines.len() >= MANY_LINES && self.len < self.lines.len() {
            self.rebuild(self.lines.len() / 4, hash_of);
        }
    }

    /// An entry stands elsewhere from now on.
    pub(crate) fn moved(&mut self, hash: u64, from: u32, to: u32) {
        if let Some((line, place)) = self.locate(hash, |known| known == from) {
            self.lines[line].positions[place] = to;
        }
    }

    fn locate(&self, hash: u64, is_wanted: impl Fn(u32) -> bool) -> Option<(usize, usize)> {
        let mut at = self.home(hash);
        // Entries may have passed every line.
        for _ in 0..self.lines.len() {
            let line = &self.lines[at];
            if let Some(place) = line.find(tag(hash), &is_wanted) {
                return Some((at, place));
            }
            if line.passed() == 0 {
                break;
            }
            at = self.after(at);
        }
        None
    }

    fn place(&mut self, hash: u64, at: u32) {
        let mut line = self.home(hash);
        // There is room: a quarter is free.
        for _ in 0..self.lines.len() {
            let here = &mut self.lines[line];
            if let Some(place) = here.positions.iter().position(|known| *known == FREE) {
                here.head[place] = tag(hash);
                here.positions[place] = at;
                return;
            }
            here.set_passed(here.passed() + 1);
            line = self.after(line);
        }
    }

    fn rebuild(&mut self, lines: usize, hash_of: impl Fn(u32) -> u64) {
        let before = std::mem::replace(&mut self.lines, vec![Line::EMPTY; lines]);
        for at in before.iter().flat_map(|line| line.positions) {
            if at != FREE {
                self.place(hash_of(at), at);
            }
        }
    }

    fn home(&self, hash: u64) -> usize {
        let mask = self.lines.len().wrapping_sub(1) as u64;
        usize::try_from(hash & mask).unwrap_or_default()
    }

    const fn after(&self, line: usize) -> usize {
        (line + 1) & (self.lines.len() - 1)
    }
}

/// What is used neither to find the line nor to choose the shard.
fn tag(hash: u64) -> u8 {
    hash.to_le_bytes()[5]
}

#[cfg(test)]
impl Index {
    /// Checks that each entry counts as passed where it does not stand, and returns all of them.
    pub(super) fn verify(&self, hash_of: impl Fn(u32) -> u64) -> Vec<u32> {
        let mut passed = vec![0; self.lines.len()];
        let mut seen = Vec::new();
        for (stands, line) in self.lines.iter().enumerate() {
            for at in line.positions.into_iter().filter(|at| *at != FREE) {
                let mut way = self.home(hash_of(at));
                while way != stands {
                    passed[way] += 1;
                    way = self.after(way);
                }
                seen.push(at);
            }
        }
        assert!(self.lines.iter().map(Line::passed).eq(passed));
        assert_eq!(seen.len(), self.len);
        seen.sort_unstable();
        seen
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The hash of an entry, of which few bits may differ.
    fn hash_of(kinds: u64, at: u32) -> u64 {
        (u64::from(at).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 7) % kinds
    }

    proptest! {
        #[test]
        fn it_finds_what_is_there(kinds in prop_oneof![Just(1_u64), Just(3), Just(40), Just(u64::MAX)], steps in prop::collection::vec((0_u32..400, 0..3_u8), 0..2000)) {
            let hash_of = |at| hash_of(kinds, at);
            let mut index = Index::new();
            let mut there = std::collections::BTreeSet::new();
            for (at, what) in steps {
                match what {
                    0 if there.remove(&at) => index.remove(hash_of(at), at, hash_of),
                    0 => index.remove(hash_of(at), at, hash_of),
                    _ if there.insert(at) => index.insert(hash_of(at), at, hash_of),
                    _ => {}
                }
                prop_assert_eq!(index.find(hash_of(at), |known| known == at), there.get(&at).copied());
            }
            prop_assert!(index.verify(hash_of).iter().eq(&there));
            for at in 0..400 {
                prop_assert_eq!(index.find(hash_of(at), |known| known == at), there.get(&at).copied());
            }
        }
    }

    #[test]
    fn memory_follows_the_number_of_entries() {
        let mut index = Index::new();
        let hash = |at: u32| u64::from(at).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for at in 0..100_000 {
            index.insert(hash(at), at, hash);
        }
        assert!(index.bytes() <= 100_000 * 20, "{}", index.bytes());
        for at in 0..100_000 {
            index.remove(hash(at), at, hash);
        }
        assert_eq!(index.len(), 0);
        assert!(index.bytes() <= MANY_LINES * size_of::<Line>());
    }

    #[test]
    fn an_entry_can_move() {
        let mut index = Index::new();
        for at in 0..50 {
            index.insert(7, at, |_| 7);
        }
        index.moved(7, 49, 60);
        assert_eq!(index.find(7, |at| at == 60), Some(60));
        assert_eq!(index.find(7, |at| at == 49), None);
        index.remove(7, 60, |_| 7);
        assert_eq!(index.verify(|_| 7), (0..49).collect::<Vec<_>>());
    }
}
