//! Finding a name among those that are known.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Visitor};

/// Names that are known, with a table in which a hash of each finds its place.
///
/// It is data where a `match` would be code, a copy of it for every object.
pub(crate) struct Names {
    names: &'static [&'static str],
    /// The place of a name, or [`NONE`]; a power of two of them.
    table: &'static [u8],
}

/// The place of no name.
const NONE: u8 = u8::MAX;

impl Names {
    /// `table` is [`table`] of the names.
    pub(crate) const fn new(names: &'static [&'static str], table: &'static [u8]) -> Self {
        Self { names, table }
    }

    /// The place of a name in the list.
    #[inline]
    pub(crate) fn find(&self, name: &str) -> Option<u8> {
        let mut at = hash(name.as_bytes());
        loop {
            let place = *self.table.get(at & self.table.len().wrapping_sub(1))?;
            // Behind the end of the list is none.
            let known = self.names.get(usize::from(place))?;
            if are_same(known.as_bytes(), name.as_bytes()) {
                return Some(place);
            }
            at += 1;
        }
    }

    /// Reads the name of a member: its place, or that of none, with the name in `unknown`.
    #[inline]
    pub(crate) const fn reader<'a>(&'a self, unknown: &'a mut Option<Box<str>>) -> NameReader<'a> {
        NameReader {
            names: self,
            unknown,
        }
    }
}

/// How long the table is, of so many names: half of it stays empty.
pub(crate) const fn table_len(names: usize) -> usize {
    (2 * names + 1).next_power_of_two()
}

/// The table of the names, no two of which are the same.
pub(crate) const fn table<const LEN: usize>(names: &[&str]) -> [u8; LEN] {
    assert!(LEN.is_power_of_two() && names.len() < LEN && names.len() < NONE as usize);
    let mut table = [NONE; LEN];
    let mut place = 0;
    while place < names.len() {
        let name = names[place].as_bytes();
        let mut at = hash(name) & (LEN - 1);
        while table[at] != NONE {
            assert_differ(names[table[at] as usize].as_bytes(), name);
            at = (at + 1) & (LEN - 1);
        }
        #[expect(clippy::cast_possible_truncation, reason = "there are less than 255")]
        {
            table[at] = place as u8;
        }
        place += 1;
    }
    table
}

const fn assert_differ(a: &[u8], b: &[u8]) {
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    assert!(at < a.len() || at < b.len(), "a name is there twice");
}

/// Of names, those of the same length differ in the first, the middle or the last letter as a rule.
#[inline]
const fn hash(name: &[u8]) -> usize {
    let [first, .., last] = name else {
        return name.len();
    };
    let middle = name[name.len() / 2];
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a part of the length will do"
    )]
    let letters = u32::from_le_bytes([*first, middle, *last, name.len() as u8]);
    // The upper bits depend on all.
    (letters.wrapping_mul(0x9E37_79B1) >> 16) as usize
}

/// Whether the names are the same. Most are short: two words that overlap are compared, instead of many bytes.
#[inline]
fn are_same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    if let (Some(a_first), Some(b_first)) = (a.first_chunk::<8>(), b.first_chunk())
        && let (Some(a_last), Some(b_last)) = (a.last_chunk::<8>(), b.last_chunk())
        && a.len() <= 16
    {
        return a_first == b_first && a_last == b_last;
    }
    a == b
}

/// See [`Names::reader`].
pub(crate) struct NameReader<'a> {
    names: &'a Names,
    unknown: &'a mut Option<Box<str>>,
}

impl<'de> DeserializeSeed<'de> for NameReader<'_> {
    type Value = u8;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u8, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for NameReader<'_> {
    type Value = u8;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    #[inline]
    fn visit_str<E>(self, name: &str) -> Result<u8, E> {
        Ok(self
            .names
            .find(name)
            .unwrap_or_else(|| note(name, self.unknown)))
    }
}

#[cold]
#[inline(never)]
fn note(name: &str, unknown: &mut Option<Box<str>>) -> u8 {
    *unknown = Some(name.into());
    NONE
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAMES: &[&str] = &["id", "", "a", "b", "author", "arthor", "message_scene"];
    static TABLE: [u8; table_len(NAMES.len())] = table(NAMES);
    static ALL: Names = Names::new(NAMES, &TABLE);
    static NOTHING: Names = Names::new(&[], &[NONE]);

    #[test]
    fn every_name_is_at_its_place() {
        for (place, name) in NAMES.iter().enumerate() {
            assert_eq!(ALL.find(name).map(usize::from), Some(place));
        }
    }

    #[test]
    #[should_panic(expected = "a name is there twice")]
    fn two_of_a_name_are_refused() {
        let _: [u8; 8] = table(&["a", "b", "a"]);
    }

    proptest! {
        #[test]
        fn others_are_nowhere(name in "\\PC{0,20}|[a-c]{0,2}|(author|message_scene|id).{0,1}") {
            let place = NAMES.iter().position(|known| *known == name);
            prop_assert_eq!(ALL.find(&name).map(usize::from), place);
            prop_assert_eq!(NOTHING.find(&name), None);
        }
    }
}
