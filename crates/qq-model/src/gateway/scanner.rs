//! The structural scan behind [`Header`](super::Header) and [`Envelope`](super::Envelope).

use std::borrow::Cow;

use memchr::memchr2;

use super::OpCode;
use super::blocks::container;
use super::envelope::EnvelopeError;

/// Walks over the members of one JSON object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    is_first: bool,
    /// How deep the deepest value so far is nested, not counting the object itself.
    depth: usize,
}

impl<'a> Scanner<'a> {
    /// The start of the object.
    pub(super) fn open(text: &'a str) -> Result<Self, EnvelopeError> {
        let mut scanner = Self {
            text,
            at: 0,
            is_first: true,
            depth: 0,
        };
        scanner.white_space();
        scanner.expect(b'{')?;
        Ok(scanner)
    }

    /// The next member's name, its value being next; `None` behind the last member.
    #[inline]
    pub(super) fn key(&mut self) -> Result<Option<Key>, EnvelopeError> {
        self.white_space();
        if self.eat(b'}') {
            return Ok(None);
        }
        if !self.is_first {
            self.expect(b',')?;
            self.white_space();
        }
        self.is_first = false;
        let name = self.string()?;
        self.white_space();
        self.expect(b':')?;
        self.white_space();
        Ok(Some(Key::of(name)))
    }

    /// The value that is next.
    #[inline]
    pub(super) fn value(&mut self) -> Result<Token<'a>, EnvelopeError> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'{' | b'[') => self.container(),
            Some(b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                let start = self.at;
                while matches!(
                    self.peek(),
                    Some(b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z')
                ) {
                    self.at += 1;
                }
                Ok(self.token(start, false))
            }
            _ => Err(self.error("a value")),
        }
    }

    /// Nothing but white space behind the object.
    pub(super) fn finish(&mut self) -> Result<(), EnvelopeError> {
        self.white_space();
        if self.at == self.text.len() {
            return Ok(());
        }
        Err(self.error("the end of the frame"))
    }

    /// How deep the object is nested so far, itself included.
    pub(super) const fn depth(&self) -> usize {
        self.depth + 1
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), EnvelopeError> {
        if self.eat(byte) {
            return Ok(());
        }
        Err(self.error(match byte {
            b'{' => "an object",
            b':' => "a colon",
            _ => "a comma or the end of the object",
        }))
    }

    #[cold]
    const fn error(&self, expected: &'static str) -> EnvelopeError {
        EnvelopeError {
            at: self.at,
            expected,
        }
    }

    fn white_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn token(&self, start: usize, is_escaped: bool) -> Token<'a> {
        Token {
            text: &self.text[start..self.at],
            is_escaped,
        }
    }

    fn string(&mut self) -> Result<Token<'a>, EnvelopeError> {
        let start = self.at;
        if !self.eat(b'"') {
            return Err(self.error("a string"));
        }
        let bytes = self.text.as_bytes();
        let mut is_escaped = false;
        loop {
            let Some(at) = quote_or_backslash(bytes, self.at) else {
                self.at = bytes.len();
                return Err(self.error("the end of a string"));
            };
            if bytes[at] == b'"' {
                self.at = at + 1;
                return Ok(self.token(start, is_escaped));
            }
            is_escaped = true;
            // The escaped byte may be a quote or a backslash; either way it ends nothing.
            self.at = at + 2;
        }
    }

    fn container(&mut self) -> Result<Token<'a>, EnvelopeError> {
        let start = self.at;
        let Some(found) = container(self.text.as_bytes(), start) else {
            self.at = self.text.len();
            return Err(self.error("the end of an object or list"));
        };
        self.at = found.end;
        self.depth = self.depth.max(found.depth);
        Ok(self.token(start, false))
    }
}

/// The next quote or backslash from a place on.
///
/// Most strings are shorter than what a search with vectors takes to begin, so the first bytes are compared eight at
/// a time in a word.
#[inline]
fn quote_or_backslash(bytes: &[u8], mut at: usize) -> Option<usize> {
    const WORDS: usize = 4;
    for _ in 0..WORDS {
        let Some(word) = bytes.get(at..)?.first_chunk::<8>() else {
            break;
        };
        let word = u64::from_le_bytes(*word);
        let hits = bytes_equal(word, b'"') | bytes_equal(word, b'\\');
        if hits != 0 {
            return Some(at + hits.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    memchr2(b'"', b'\\', bytes.get(at..)?).map(|offset| at + offset)
}

/// Has the high bit of each byte of the word that equals `byte`; only the lowest such bit is reliable.
const fn bytes_equal(word: u64, byte: u8) -> u64 {
    const LOW: u64 = 0x0101_0101_0101_0101;
    let difference = word ^ (LOW * byte as u64);
    difference.wrapping_sub(LOW) & !difference & (LOW << 7)
}

/// Which outer member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Op,
    Sequence,
    Name,
    Id,
    Data,
    Other,
}

impl Key {
    #[inline]
    fn of(name: Token<'_>) -> Self {
        if name.is_escaped {
            // A name may be written with escapes, and is the same name then.
            return name.string().map_or(Self::Other, |name| Self::named(&name));
        }
        Self::named(name.inner().unwrap_or_default())
    }

    fn named(name: &str) -> Self {
        match name.as_bytes() {
            b"op" => Self::Op,
            b"s" => Self::Sequence,
            b"t" => Self::Name,
            b"id" => Self::Id,
            b"d" => Self::Data,
            _ => Self::Other,
        }
    }
}

/// The text of a value.
#[derive(Clone, Copy)]
pub(super) struct Token<'a> {
    /// As it stands; a string has its quotes.
    pub(super) text: &'a str,
    /// Whether it is a string with escapes.
    is_escaped: bool,
}

impl<'a> Token<'a> {
    /// What stands between the quotes of a string; `None` for any other value.
    fn inner(self) -> Option<&'a str> {
        self.text.strip_prefix('"')?.strip_suffix('"')
    }

    /// The string that it is; `None` for any other value, and for one with broken escapes.
    #[inline]
    pub(super) fn string(self) -> Option<Cow<'a, str>> {
        if self.is_escaped {
            return serde_json::from_str(self.text).ok().map(Cow::Owned);
        }
        self.inner().map(Cow::Borrowed)
    }

    /// The whole number that it is, bare or as a string.
    #[inline]
    pub(super) fn number(self) -> Option<u64> {
        match self.string() {
            Some(digits) => digits.parse().ok(),
            None => self.text.parse().ok(),
        }
    }

    /// The kind of frame that it stands for.
    #[inline]
    pub(super) fn opcode(self) -> Option<OpCode> {
        let number = self.number()?;
        i64::try_from(number).ok().map(OpCode::from)
    }
}
