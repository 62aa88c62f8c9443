//! The structural scan behind [`Envelope`](super::Envelope) and [`Header`](super::Header).

use std::borrow::Cow;

use memchr::memchr2;

use super::OpCode;
use super::envelope::EnvelopeError;

/// Walks over the members of one JSON object.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    is_first: bool,
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            is_first: true,
        }
    }

    /// The start of the object.
    pub(super) fn open(&mut self) -> Result<(), EnvelopeError> {
        self.white_space();
        self.expect(b'{')
    }

    /// The next member and its value; `None` behind the last one.
    pub(super) fn member(&mut self) -> Result<Option<(Key, &'a str)>, EnvelopeError> {
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
        let value = self.value()?;
        Ok(Some((Key::of(name), value)))
    }

    /// Nothing but white space behind the object.
    pub(super) fn finish(&mut self) -> Result<(), EnvelopeError> {
        self.white_space();
        if self.at == self.text.len() {
            return Ok(());
        }
        Err(self.error("the end of the frame"))
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

    /// A string with its quotes.
    fn string(&mut self) -> Result<&'a str, EnvelopeError> {
        let start = self.at;
        if !self.eat(b'"') {
            return Err(self.error("a string"));
        }
        self.at = self.string_end(self.at)?;
        Ok(&self.text[start..self.at])
    }

    /// The place behind the closing quote of the string whose inside starts here.
    fn string_end(&self, mut at: usize) -> Result<usize, EnvelopeError> {
        let bytes = self.text.as_bytes();
        loop {
            at = quote_or_backslash(bytes, at).ok_or(EnvelopeError {
                at: bytes.len(),
                expected: "the end of a string",
            })?;
            if bytes[at] == b'"' {
                return Ok(at + 1);
            }
            // The escaped byte may be a quote or a backslash; either way it ends nothing.
            at += 2;
        }
    }

    /// Any value, as text.
    fn value(&mut self) -> Result<&'a str, EnvelopeError> {
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
                Ok(&self.text[start..self.at])
            }
            _ => Err(self.error("a value")),
        }
    }

    fn container(&mut self) -> Result<&'a str, EnvelopeError> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut at = start;
        let mut depth = 0_usize;
        while let Some(byte) = bytes.get(at) {
            at += 1;
            match byte {
                b'"' => at = self.string_end(at)?,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        self.at = at;
                        return Ok(&self.text[start..at]);
                    }
                }
                _ => {}
            }
        }
        self.at = bytes.len();
        Err(self.error("the end of an object or list"))
    }
}

/// The next quote or backslash from a place on.
///
/// Most strings are shorter than what a search with vectors takes to begin, so the first bytes are compared eight at
/// a time in a word.
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
#[derive(Clone, Copy)]
pub(super) enum Key {
    Op,
    Sequence,
    Name,
    Id,
    Data,
    Other,
}

impl Key {
    /// By the member's name in its quotes.
    fn of(name: &str) -> Self {
        match name {
            "\"op\"" => Self::Op,
            "\"s\"" => Self::Sequence,
            "\"t\"" => Self::Name,
            "\"id\"" => Self::Id,
            "\"d\"" => Self::Data,
            // A name may be written with escapes, and is the same name then.
            escaped if escaped.contains('\\') => match unquote(escaped).as_deref() {
                Some("op") => Self::Op,
                Some("s") => Self::Sequence,
                Some("t") => Self::Name,
                Some("id") => Self::Id,
                Some("d") => Self::Data,
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }
}

/// The text of a JSON string; `None` for any other value.
pub(super) fn unquote(value: &str) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(value).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

/// A whole number, bare or in quotes.
pub(super) fn number(value: &str) -> Option<u64> {
    value.trim_matches('"').parse().ok()
}

/// A frame's kind.
pub(super) fn opcode(value: &str) -> Option<OpCode> {
    number(value)
        .and_then(|n| i64::try_from(n).ok())
        .map(OpCode::from)
}
