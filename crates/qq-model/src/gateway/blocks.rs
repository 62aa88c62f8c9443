//! Finding the end of a string, and of an object or list, many bytes at a time.
//!
//! For the latter each block of 64 becomes bit masks, one bit per byte: where quotes are, which bytes are inside strings, and which
//! brackets are not. Only those brackets are looked at one by one; an event has a dozen.

use crate::lane::Lane;

/// How many bytes are compared at once.
const BLOCK: usize = 4 * LANE;
/// How many bytes are one vector.
const LANE: usize = 16;

/// Where the container ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Container {
    /// The place behind its closing bracket.
    pub(super) end: usize,
    /// How deep it is nested; 1 without inner ones.
    pub(super) depth: usize,
}

/// Follows the container that opens at `start` to its end; `None` when the text ends first.
///
/// Kinds of brackets are not compared: that is left to whoever decodes the text.
pub(super) fn container(bytes: &[u8], start: usize) -> Option<Container> {
    let mut walk = Walk::default();
    let mut at = start;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let end = match rest.first_chunk::<BLOCK>() {
            Some(block) => walk.block(block),
            None => {
                let mut block = [b' '; BLOCK];
                block[..rest.len()].copy_from_slice(rest);
                walk.block(&block)
            }
        };
        if let Some(end) = end {
            return Some(Container {
                end: at + end,
                depth: walk.deepest,
            });
        }
        at += BLOCK;
    }
    None
}

/// The next quote or backslash from a place on.
#[inline]
pub(super) fn quote_or_backslash(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some(lane) = bytes.get(at..)?.first_chunk::<LANE>() {
        let lane = Lane::new(*lane);
        let hits = lane.cmp_eq(Lane::splat(b'"')) | lane.cmp_eq(Lane::splat(b'\\'));
        let hits = hits.move_mask();
        if hits != 0 {
            return Some(at + hits.trailing_zeros() as usize);
        }
        at += LANE;
    }
    let found = bytes
        .get(at..)?
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\'));
    found.map(|offset| at + offset)
}

/// What is carried from block to block.
#[derive(Default)]
struct Walk {
    /// All bits set while a string is open.
    string: u64,
    /// 1 when the last byte of the block before was a backslash that escapes the first of this one.
    escape: u64,
    depth: usize,
    deepest: usize,
}

impl Walk {
    /// The place behind the bracket that closes the container, when it is in this block.
    #[inline]
    fn block(&mut self, block: &[u8; BLOCK]) -> Option<usize> {
        let marks = Marks::of(block);
        let quotes = if marks.has_backslash || self.escape != 0 {
            marks.quotes & !self.escaped(equal(block, b'\\'))
        } else {
            marks.quotes
        };
        let strings = toggles(quotes) ^ self.string;
        // The highest bit, everywhere.
        self.string = (strings >> 63).wrapping_neg();
        let mut brackets = marks.brackets & !strings;
        while brackets != 0 {
            let at = brackets.trailing_zeros() as usize;
            // The masks are of this block, so the place is in it.
            if matches!(block[at % BLOCK], b'{' | b'[') {
                self.depth += 1;
                self.deepest = self.deepest.max(self.depth);
            } else {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    return Some(at + 1);
                }
            }
            brackets &= brackets - 1;
        }
        None
    }

    /// The bytes that follow an odd run of backslashes. As few blocks have any, each is looked at by itself.
    #[cold]
    fn escaped(&mut self, mut backslashes: u64) -> u64 {
        let mut escaped = self.escape;
        backslashes &= !self.escape;
        self.escape = 0;
        while backslashes != 0 {
            let bit = backslashes & backslashes.wrapping_neg();
            let next = bit << 1;
            if next == 0 {
                self.escape = 1;
            }
            escaped |= next;
            // The byte behind it begins no escape, backslash or not.
            backslashes &= !(bit | next);
        }
        escaped
    }
}

/// What of a block is of interest.
struct Marks {
    quotes: u64,
    brackets: u64,
    has_backslash: bool,
}

impl Marks {
    #[inline]
    fn of(block: &[u8; BLOCK]) -> Self {
        let mut backslashes = Lane::ZERO;
        let (mut quotes, mut brackets) = (0, 0);
        for (n, lane) in lanes(block).enumerate() {
            quotes |= bits(lane.cmp_eq(Lane::splat(b'"')), n);
            backslashes |= lane.cmp_eq(Lane::splat(b'\\'));
            // With this bit `[` becomes `{` and `]` becomes `}`, and nothing else becomes either.
            let folded = lane | Lane::splat(0x20);
            let hits = folded.cmp_eq(Lane::splat(b'{')) | folded.cmp_eq(Lane::splat(b'}'));
            brackets |= bits(hits, n);
        }
        Self {
            quotes,
            brackets,
            has_backslash: backslashes.move_mask() != 0,
        }
    }
}

/// Which bytes of the block equal this one.
fn equal(block: &[u8; BLOCK], byte: u8) -> u64 {
    lanes(block).enumerate().fold(0, |mask, (n, lane)| {
        mask | bits(lane.cmp_eq(Lane::splat(byte)), n)
    })
}

#[inline]
fn lanes(block: &[u8; BLOCK]) -> impl Iterator<Item = Lane> {
    let (lanes, _) = block.as_chunks::<LANE>();
    lanes.iter().copied().map(Lane::new)
}

/// One bit per byte of the lane, at the lane's place in the block.
#[inline]
fn bits(hits: Lane, lane: usize) -> u64 {
    // Sixteen bits; the sign is never set.
    u64::from(hits.move_mask().cast_unsigned()) << (LANE * lane)
}

/// Sets each bit that has an odd number of set bits at or below it: all between an opening quote and the closing one.
#[inline]
const fn toggles(mut bits: u64) -> u64 {
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    bits ^ (bits << 32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same, a byte at a time.
    fn plain(bytes: &[u8], start: usize) -> Option<Container> {
        let (mut depth, mut deepest) = (0_usize, 0);
        let (mut in_string, mut escaped) = (false, false);
        for (at, byte) in bytes.iter().enumerate().skip(start) {
            // Outside of strings, where none belongs, a backslash has no say about brackets.
            if std::mem::take(&mut escaped) && matches!(byte, b'"' | b'\\') {
                continue;
            }
            match byte {
                b'\\' => escaped = true,
                b'"' => in_string = !in_string,
                b'{' | b'[' if !in_string => {
                    depth += 1;
                    deepest = deepest.max(depth);
                }
                b'}' | b']' if !in_string => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return Some(Container {
                            end: at + 1,
                            depth: deepest,
                        });
                    }
                }
                _ => {}
            }
        }
        None
    }

    #[test]
    fn ends_are_found_at_every_place_of_a_block() {
        for length in 0..200 {
            for inside in ["x", "\\\"", "\\\\", "\"}\"", "\"\\\"]\"", "{}[]"] {
                let mut text = String::from("{");
                while text.len() < length {
                    text.push_str(inside);
                }
                text.push_str("}}]  ");
                assert_eq!(
                    container(text.as_bytes(), 0),
                    plain(text.as_bytes(), 0),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn depth_is_the_deepest_inner_container() {
        let found = container(br#"x[{"a":[[]]},{"b":"[[[[[["}]"#, 1).unwrap();
        assert_eq!((found.end, found.depth), (28, 4));
        assert_eq!(container(b"{\"never closed", 0), None);
        assert_eq!(container(b"", 0), None);
        let deep = "[".repeat(1000) + &"]".repeat(1000);
        assert_eq!(
            container(deep.as_bytes(), 0),
            Some(Container {
                end: 2000,
                depth: 1000
            })
        );
    }

    proptest! {
        #[test]
        fn agrees_with_one_byte_at_a_time(inside in "([\\\\\"{}\\[\\]]|[ a-z\u{7b0}\u{5b5b}\u{7d7d}]){0,300}", start in 0..3_usize) {
            let text = format!("{}{{{inside}", &"   "[..start]);
            prop_assert_eq!(container(text.as_bytes(), start), plain(text.as_bytes(), start));
        }
    }
}
