//! Finding a name among those that are known.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Visitor};

/// Names that are known, with a table in which a hash of each finds its place.
///
/// It is data where a `match` would be code, a copy of it for every object.
pub(crate) struct Names {
    names: &'static [Name],
    /// The place of a name, or [`NONE`]; a power of two of them.
    table: &'static [u8],
}

/// A name and its [`words`].
#[derive(Clone, Copy)]
pub(crate) struct Name {
    text: &'static str,
    words: [u64; 2],
}

/// The place of no name.
const NONE: u8 = u8::MAX;
/// Longer names are not settled by their length and [`words`].
const SHORT: usize = 16;

impl Names {
    /// `names` and `table` are [`names`] and [`table`] of the same texts.
    pub(crate) const fn new(names: &'static [Name], table: &'static [u8]) -> Self {
        Self { names, table }
    }

    /// The place of a name in the list.
    #[inline(always)]
    pub(crate) fn find(&self, name: &str) -> Option<u8> {
        if name.len() <= SHORT {
            let words = words(name.as_bytes());
            let at = hash(words, name.len());
            let place = *self.table.get(at & self.table.len().wrapping_sub(1))?;
            // Behind the end of the list is none.
            let known = self.names.get(usize::from(place))?;
            if known.words == words && known.text.len() == name.len() {
                return Some(place);
            }
        }
        self.find_further(name)
    }

    /// The same for long names, and for those that do not stand where they are looked for first.
    #[inline(never)]
    fn find_further(&self, name: &str) -> Option<u8> {
        let mut at = hash(words(name.as_bytes()), name.len());
        loop {
            let place = *self.table.get(at & self.table.len().wrapping_sub(1))?;
            if self.names.get(usize::from(place))?.text == name {
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

/// How long the table is, of so many names: most of it stays empty, so that most names stand where they are looked for first.
pub(crate) const fn table_len(names: usize) -> usize {
    (4 * names + 1).next_power_of_two()
}

/// The names with what is compared of them.
pub(crate) const fn names<const LEN: usize>(texts: [&'static str; LEN]) -> [Name; LEN] {
    let mut names = [Name {
        text: "",
        words: [0; 2],
    }; LEN];
    let mut place = 0;
    while place < LEN {
        names[place] = Name {
            text: texts[place],
            words: words(texts[place].as_bytes()),
        };
        place += 1;
    }
    names
}

/// The table of the names, no two of which are the same.
pub(crate) const fn table<const LEN: usize>(names: &[Name]) -> [u8; LEN] {
    assert!(LEN.is_power_of_two() && names.len() < LEN && names.len() < NONE as usize);
    let mut table = [NONE; LEN];
    let mut place = 0;
    while place < names.len() {
        let name = names[place];
        let mut at = hash(name.words, name.text.len()) & (LEN - 1);
        while table[at] != NONE {
            assert_differ(
                names[table[at] as usize].text.as_bytes(),
                name.text.as_bytes(),
            );
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

/// The beginning and the end of a name, which overlap if it is short: all of it then.
#[inline]
const fn words(name: &[u8]) -> [u64; 2] {
    if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
        return [u64::from_le_bytes(*first), u64::from_le_bytes(*last)];
    }
    if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
        return [
            u32::from_le_bytes(*first) as u64,
            u32::from_le_bytes(*last) as u64,
        ];
    }
    match *name {
        [] => [0; 2],
        [a] => [a as u64, 0],
        [a, b] => [a as u64, b as u64],
        [a, b, ..] => [a as u64 | (b as u64) << 8, name[name.len() - 1] as u64],
    }
}

/// The upper bits of a product depend on all of its factors.
#[inline]
const fn hash([first, last]: [u64; 2], len: usize) -> usize {
    let mixed = (first ^ last.rotate_left(29) ^ len as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 48) as usize
}

/// See [`Names::reader`].
pub(crate) struct NameReader<'a> {
    names: &'a Names,
    unknown: &'a mut Option<Box<str>>,
}

impl<'de> DeserializeSeed<'de> for NameReader<'_> {
    type Value = u8;

    #[inline(always)]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u8, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for NameReader<'_> {
    type Value = u8;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    #[inline(always)]
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

    const TEXTS: [&str; 12] = [
        "id",
        "",
        "a",
        "b",
        "aba",
        "baa",
        "author",
        "arthor",
        "message_scene",
        "0123456789abcdef",
        "01234567_89abcdef",
        "01234567-89abcdef",
    ];
    static NAMES: [Name; TEXTS.len()] = names(TEXTS);
    static TABLE: [u8; table_len(TEXTS.len())] = table(&NAMES);
    static ALL: Names = Names::new(&NAMES, &TABLE);
    static NOTHING: Names = Names::new(&[], &[NONE]);

    #[test]
    fn every_name_is_at_its_place() {
        for (place, name) in TEXTS.iter().enumerate() {
            assert_eq!(ALL.find(name).map(usize::from), Some(place));
        }
    }

    #[test]
    #[should_panic(expected = "a name is there twice")]
    fn two_of_a_name_are_refused() {
        let _: [u8; 8] = table(&names(["a", "b", "a"]));
    }

    proptest! {
        #[test]
        fn others_are_nowhere(name in "\\PC{0,20}|[a-c]{0,3}|(author|message_scene|id).{0,1}|01234567.{0,2}89abcdef") {
            let place = TEXTS.iter().position(|known| *known == name);
            prop_assert_eq!(ALL.find(&name).map(usize::from), place);
            prop_assert_eq!(NOTHING.find(&name), None);
        }
    }
}
