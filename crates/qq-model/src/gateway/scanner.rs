//! The structural scan behind [`Header`](super::Header) and [`Envelope`](super::Envelope).

use std::borrow::Cow;

use super::OpCode;
use super::blocks::{container, quote_or_backslash};
use super::envelope::EnvelopeError;

/// How the platform begins an event.
const BEGINNING: &[u8; 12] = br#"{"op":0,"s":"#;
/// What is between its number and its name.
const NAME: &[u8; 6] = br#","t":""#;

/// Walks over the members of one JSON object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// What stands before the next member: the opening brace, then commas.
    before: u8,
    /// How deep the deepest value so far is nested, not counting the object itself.
    depth: usize,
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            before: b'{',
            depth: 0,
        }
    }

    /// Reads `{"op":0,"s":7,"t":"..."`, which is how the platform begins every event; its number and name. Where a frame begins
    /// in any other way nothing has happened.
    #[inline(always)]
    pub(super) fn beginning(&mut self) -> Option<(u64, &'a str)> {
        // So many digits fit.
        const DIGITS: usize = 19;
        let bytes = self.text.as_bytes();
        let (mut sequence, mut at) = (0, BEGINNING.len());
        if bytes.first_chunk()? != BEGINNING {
            return None;
        }
        while let Some(digit @ b'0'..=b'9') = bytes.get(at) {
            if at == BEGINNING.len() + DIGITS {
                return None;
            }
            sequence = 10 * sequence + u64::from(digit - b'0');
            at += 1;
        }
        let name = at + NAME.len();
        if at == BEGINNING.len() || bytes.get(at..name)? != NAME {
            return None;
        }
        let end = quote_or_backslash(bytes, name)?;
        if bytes.get(end) != Some(&b'"') {
            return None;
        }
        (self.at, self.before) = (end + 1, b',');
        Some((sequence, self.text.get(name..end)?))
    }

    /// The next member's name, its value being next; `None` behind the last member.
    #[inline(always)]
    pub(super) fn key(&mut self) -> Result<Option<Key>, EnvelopeError> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        // Without white space and escapes, which is how the platform writes.
        let (key, length) = match rest.first_chunk() {
            Some([before, b'"', b's', b'"', b':', _]) if *before == self.before => {
                (Key::Sequence, 5)
            }
            Some([before, b'"', b't', b'"', b':', _]) if *before == self.before => (Key::Name, 5),
            Some([before, b'"', b'd', b'"', b':', _]) if *before == self.before => (Key::Data, 5),
            Some([before, b'"', b'o', b'p', b'"', b':']) if *before == self.before => (Key::Op, 6),
            Some([before, b'"', b'i', b'd', b'"', b':']) if *before == self.before => (Key::Id, 6),
            _ => return self.any_key(),
        };
        self.before = b',';
        self.at += length;
        self.white_space();
        Ok(Some(key))
    }

    #[inline(never)]
    fn any_key(&mut self) -> Result<Option<Key>, EnvelopeError> {
        self.white_space();
        if self.before == b',' && self.eat(b'}') {
            return Ok(None);
        }
        if self.before == b'{' {
            self.expect(b'{', "an object")?;
            self.before = b',';
            self.white_space();
            if self.eat(b'}') {
                return Ok(None);
            }
        } else {
            self.expect(b',', "a comma or the end of the object")?;
            self.white_space();
        }
        let name = self.string()?.string();
        self.white_space();
        self.expect(b':', "a colon")?;
        self.white_space();
        Ok(Some(match name.as_deref() {
            Some("op") => Key::Op,
            Some("s") => Key::Sequence,
            Some("t") => Key::Name,
            Some("id") => Key::Id,
            Some("d") => Key::Data,
            _ => Key::Other,
        }))
    }

    /// The value that is next.
    #[inline]
    pub(super) fn value(&mut self) -> Result<Token<'a>, EnvelopeError> {
        match self.peek() {
            Some(b'{' | b'[') => self.container(),
            Some(b'"') => self.string(),
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

    /// The whole number that is next, bare or as a string; `None` for any other value.
    #[inline(always)]
    pub(super) fn number(&mut self) -> Result<Option<u64>, EnvelopeError> {
        // So many digits fit.
        const DIGITS: usize = 19;
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let mut number = 0;
        for (length, byte) in rest.iter().take(DIGITS).enumerate() {
            match byte {
                b'0'..=b'9' => number = 10 * number + u64::from(byte - b'0'),
                b',' | b'}' if length > 0 => {
                    self.at += length;
                    return Ok(Some(number));
                }
                _ => break,
            }
        }
        self.value().map(Token::number)
    }

    /// What was not read yet.
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
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

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    #[inline]
    fn expect(&mut self, byte: u8, name: &'static str) -> Result<(), EnvelopeError> {
        if self.eat(byte) {
            return Ok(());
        }
        Err(self.error(name))
    }

    #[cold]
    const fn error(&self, expected: &'static str) -> EnvelopeError {
        EnvelopeError {
            at: self.at,
            expected,
        }
    }

    #[inline]
    fn white_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    #[inline]
    fn token(&self, start: usize, is_escaped: bool) -> Token<'a> {
        Token {
            text: &self.text[start..self.at],
            is_escaped,
        }
    }

    #[inline]
    fn string(&mut self) -> Result<Token<'a>, EnvelopeError> {
        let start = self.at;
        self.expect(b'"', "a string")?;
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

/// The text of a value.
#[derive(Clone, Copy)]
pub(super) struct Token<'a> {
    /// As it stands; a string has its quotes.
    pub(super) text: &'a str,
    /// Whether it is a string with escapes.
    is_escaped: bool,
}

impl<'a> Token<'a> {
    /// The string that it is; `None` for any other value, and for one with broken escapes.
    #[inline]
    pub(super) fn string(self) -> Option<Cow<'a, str>> {
        if self.is_escaped {
            return serde_json::from_str(self.text).ok().map(Cow::Owned);
        }
        match self.text.as_bytes() {
            [b'"', .., b'"'] => self.text.get(1..self.text.len() - 1).map(Cow::Borrowed),
            _ => None,
        }
    }

    fn number(self) -> Option<u64> {
        match self.string() {
            Some(digits) => digits.parse().ok(),
            None => self.text.parse().ok(),
        }
    }
}

/// The kind of frame that a number stands for.
pub(super) fn opcode(number: u64) -> Option<OpCode> {
    i64::try_from(number).ok().map(OpCode::from)
}
