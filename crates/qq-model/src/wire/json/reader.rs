//! What stands in a text: values, members, items.

use super::Malformed;
use super::scratch;
use super::strings::{LANE, marks, part};
use crate::wire::Scalar;

/// How deep objects and lists may be nested, plus one: the limit of `serde_json`.
const DEPTH: u8 = 128;

/// Goes through a JSON text from value to value.
pub(crate) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    /// How many levels may be opened, plus one.
    depth: u8,
    /// Where escapes of strings are undone.
    pub(super) scratch: String,
}

/// A value, or the beginning of one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Token<'a> {
    Null,
    Scalar(Scalar<'a>),
    /// Its bracket is next: see [`Reader::item`].
    List,
    /// Its bracket is next: see [`Reader::key`].
    Object,
}

impl<'a> Reader<'a> {
    /// `levels`: how deep objects and lists may be nested, though never deeper than the limit of `serde_json`.
    pub(super) fn new(text: &'a str, levels: usize) -> Self {
        Self {
            text,
            at: 0,
            depth: u8::try_from(levels.saturating_add(1)).map_or(DEPTH, |depth| depth.min(DEPTH)),
            scratch: String::new(),
        }
    }

    /// The value that is next.
    #[inline(never)]
    pub(super) fn token(&mut self) -> Result<Token<'_>, Malformed> {
        // What calls nothing is done first.
        if let Some(text) = self.plain_string() {
            return Ok(Token::Scalar(Scalar::Text(text)));
        }
        self.other_token()
    }

    #[inline(never)]
    fn other_token(&mut self) -> Result<Token<'_>, Malformed> {
        match self.mark()? {
            b'"' => {
                self.at += 1;
                Ok(Token::Scalar(Scalar::Text(self.string()?)))
            }
            first @ (b'0'..=b'9' | b'-') => Ok(Token::Scalar(self.number(first)?)),
            b'{' => self.open(Token::Object),
            b'[' => self.open(Token::List),
            b'n' => self.word("null", Token::Null),
            b't' => self.word("true", Token::Scalar(Scalar::Bool(true))),
            b'f' => self.word("false", Token::Scalar(Scalar::Bool(false))),
            _ => Err(Malformed),
        }
    }

    /// The name of the next member, its value being next, if it is like most: short, without escapes, and without white
    /// space around it.
    ///
    /// `before` is the bracket that opens the object if the member is the first, or else a comma.
    #[inline(always)]
    pub(super) fn plain_key(&mut self, before: u8) -> Option<&'a str> {
        let text = self.text;
        let rest = text.as_bytes().get(self.at..)?;
        let [mark, b'"', name @ ..] = rest.first_chunk::<{ 2 + LANE }>()? else {
            return None;
        };
        let length = marks(name).trailing_zeros() as usize;
        if *mark != before || length >= LANE || *rest.get(2 + length..4 + length)? != *b"\":" {
            return None;
        }
        let name = part(text, self.at + 2, length)?;
        self.at += 4 + length;
        Some(name)
    }

    /// Whether the object is closed right behind its last member; [`key`](Self::key) finds out what else is next.
    #[inline(always)]
    pub(super) fn is_closed(&mut self) -> bool {
        let is_closed = self.text.as_bytes().get(self.at) == Some(&b'}');
        if is_closed {
            self.close();
        }
        is_closed
    }

    /// The name of the next member, its value being next; `None` behind the last one, where the object is closed.
    #[inline(never)]
    pub(super) fn key(&mut self, before: u8) -> Result<Option<&str>, Malformed> {
        let mut mark = self.mark()?;
        if before == b'{' {
            // It is still there.
            self.at += 1;
            mark = self.mark()?;
        }
        if mark == b'}' {
            self.close();
            return Ok(None);
        }
        if before == b',' {
            if mark != b',' {
                return Err(Malformed);
            }
            self.at += 1;
            mark = self.mark()?;
        }
        if mark != b'"' {
            return Err(Malformed);
        }
        self.at += 1;
        let borrowed = self.quoted()?;
        if self.mark()? != b':' {
            return Err(Malformed);
        }
        self.at += 1;
        Ok(Some(borrowed.unwrap_or(&self.scratch)))
    }

    /// Whether another item is next; `false` behind the last one, where the list is closed.
    ///
    /// `before` is the bracket that opens the list if the item is the first, or else a comma.
    #[inline(never)]
    pub(super) fn item(&mut self, before: u8) -> Result<bool, Malformed> {
        let mut mark = self.mark()?;
        if before == b'[' {
            // It is still there.
            self.at += 1;
            mark = self.mark()?;
        }
        if mark == b']' {
            self.close();
            return Ok(false);
        }
        if before == b',' {
            if mark != b',' {
                return Err(Malformed);
            }
            self.at += 1;
        }
        Ok(true)
    }

    /// Passes over the value that is next. It is as good as one that is read: `serde_json` is content with less.
    pub(super) fn skip(&mut self) -> Result<(), Malformed> {
        match self.token()? {
            Token::Null | Token::Scalar(_) => {}
            Token::List => {
                let mut before = b'[';
                while self.item(before)? {
                    self.skip()?;
                    before = b',';
                }
            }
            Token::Object => {
                let mut before = b'{';
                while self.key(before)?.is_some() {
                    self.skip()?;
                    before = b',';
                }
            }
        }
        Ok(())
    }

    /// Whether `null` is next, which is passed then.
    pub(super) fn null(&mut self) -> Result<bool, Malformed> {
        if self.mark()? != b'n' {
            return Ok(false);
        }
        self.token().map(|_| true)
    }

    /// How many levels may be opened; the same before a value and behind it.
    pub(super) const fn depth(&self) -> u8 {
        self.depth
    }

    /// Nothing but white space is left.
    pub(super) fn end(&mut self) -> Result<(), Malformed> {
        self.white_space();
        if self.at == self.text.len() {
            return Ok(());
        }
        Err(Malformed)
    }

    pub(super) fn give_scratch_back(self) {
        scratch::give_back(self.scratch);
    }

    /// The next byte that is no white space. It is not passed.
    #[inline]
    fn mark(&mut self) -> Result<u8, Malformed> {
        match self.text.as_bytes().get(self.at) {
            Some(byte) if *byte > b' ' => Ok(*byte),
            _ => self.mark_behind_space(),
        }
    }

    #[cold]
    fn mark_behind_space(&mut self) -> Result<u8, Malformed> {
        self.white_space();
        self.text.as_bytes().get(self.at).copied().ok_or(Malformed)
    }

    fn white_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.text.as_bytes().get(self.at) {
            self.at += 1;
        }
    }

    /// Goes a level deeper. The bracket is not passed: whoever reads on does.
    #[inline]
    const fn open(&mut self, token: Token<'static>) -> Result<Token<'static>, Malformed> {
        if self.depth <= 1 {
            return Err(Malformed);
        }
        self.depth -= 1;
        Ok(token)
    }

    #[inline]
    const fn close(&mut self) {
        self.at += 1;
        self.depth += 1;
    }

    #[inline]
    fn word(&mut self, word: &str, token: Token<'static>) -> Result<Token<'static>, Malformed> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err(Malformed);
        }
        self.at += word.len();
        Ok(token)
    }
}
