//! Strings, whose escapes are undone where there are any.

use super::{Malformed, Reader, scratch};
use crate::lane::Lane;

/// How many bytes are compared at once.
pub(super) const LANE: usize = 16;
/// The last of the bytes that no string contains as they are.
const LAST_CONTROL: u8 = 0x1F;

/// What each byte is as a hexadecimal digit; more than 15 where it is none.
const HEX: [u8; 256] = {
    let mut values = [u8::MAX; 256];
    let mut value = 0;
    while value < 16 {
        values[b"0123456789abcdef"[value as usize] as usize] = value;
        values[b"0123456789ABCDEF"[value as usize] as usize] = value;
        value += 1;
    }
    values
};

/// One bit for each quote, backslash or control character, the first byte's lowest.
#[inline]
pub(super) fn marks(bytes: &[u8; LANE]) -> i32 {
    let lane = Lane::new(*bytes);
    let last_control = Lane::splat(LAST_CONTROL);
    let hits = lane.cmp_eq(Lane::splat(b'"'))
        | lane.cmp_eq(Lane::splat(b'\\'))
        | lane.max(last_control).cmp_eq(last_control);
    hits.move_mask()
}

/// The first of them from a place on.
#[inline]
fn first_mark(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some(lane) = bytes.get(at..)?.first_chunk::<LANE>() {
        let hits = marks(lane);
        if hits != 0 {
            return Some(at + hits.trailing_zeros() as usize);
        }
        at += LANE;
    }
    last_mark(bytes, at)
}

/// The same where no whole lane is left.
#[inline(never)]
fn last_mark(bytes: &[u8], at: usize) -> Option<usize> {
    let is_mark = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=LAST_CONTROL);
    let found = bytes.get(at..)?.iter().position(is_mark);
    found.map(|offset| at + offset)
}

/// So many bytes of a text from a place on.
#[inline(always)]
pub(super) fn part(text: &str, start: usize, length: usize) -> Option<&str> {
    let (_, rest) = text.split_at_checked(start)?;
    let (part, _) = rest.split_at_checked(length)?;
    Some(part)
}

impl<'a> Reader<'a> {
    /// The string that is next, if it has no escapes, and no white space in front of it.
    #[inline(always)]
    pub(super) fn plain_string(&mut self) -> Option<&'a str> {
        let text = self.text;
        let rest = text.as_bytes().get(self.at..)?;
        if *rest.first()? != b'"' {
            return None;
        }
        let (lanes, _) = rest.get(1..)?.as_chunks();
        let mut lanes = lanes.iter().map(marks).enumerate();
        let (lane, marks) = lanes.find(|(_, marks)| *marks != 0)?;
        let end = 1 + LANE * lane + marks.trailing_zeros() as usize;
        if *rest.get(end)? != b'"' {
            return None;
        }
        let string = part(text, self.at + 1, end - 1)?;
        self.at += end + 1;
        Some(string)
    }

    /// The string whose opening quote was passed.
    #[inline]
    pub(super) fn string(&mut self) -> Result<&str, Malformed> {
        Ok(self.quoted()?.unwrap_or(&self.scratch))
    }

    /// The same; `None` when it is in the scratch because it had escapes.
    #[inline]
    pub(super) fn quoted(&mut self) -> Result<Option<&'a str>, Malformed> {
        let (text, start) = (self.text, self.at);
        let end = first_mark(text.as_bytes(), start).ok_or(Malformed)?;
        if text.as_bytes().get(end) == Some(&b'"') {
            self.at = end + 1;
            return part(text, start, end - start).map(Some).ok_or(Malformed);
        }
        self.unescape(end).map(|()| None)
    }

    /// Puts the string into the scratch, given the place of its first escape.
    #[inline(never)]
    fn unescape(&mut self, mut mark: usize) -> Result<(), Malformed> {
        let text = self.text;
        if self.scratch.capacity() == 0 {
            self.scratch = scratch::take();
        }
        self.scratch.clear();
        // No string of the rest is longer, so there is no more to reserve.
        self.scratch.reserve(text.len() - self.at);
        loop {
            let plain = text.get(self.at..mark).ok_or(Malformed)?;
            self.scratch.push_str(plain);
            self.at = mark + 1;
            match text.as_bytes().get(mark) {
                Some(b'"') => return Ok(()),
                Some(b'\\') => {
                    let undone = self.escape()?;
                    self.scratch.push(undone);
                }
                _ => return Err(Malformed),
            }
            mark = first_mark(text.as_bytes(), self.at).ok_or(Malformed)?;
        }
    }

    /// What the escape stands for whose backslash was passed.
    #[inline]
    fn escape(&mut self) -> Result<char, Malformed> {
        let letter = self.text.as_bytes().get(self.at).ok_or(Malformed)?;
        self.at += 1;
        Ok(match letter {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{C}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.hex_digits()?;
                match char::from_u32(unit) {
                    Some(character) => character,
                    None => self.pair(unit)?,
                }
            }
            _ => return Err(Malformed),
        })
    }

    /// The character of a surrogate and the one that must follow it.
    #[cold]
    fn pair(&mut self, leading: u32) -> Result<char, Malformed> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if !matches!(leading, 0xD800..=0xDBFF) || !rest.starts_with(b"\\u") {
            return Err(Malformed);
        }
        self.at += 2;
        let trailing = self.hex_digits()?;
        if !matches!(trailing, 0xDC00..=0xDFFF) {
            return Err(Malformed);
        }
        let code = 0x1_0000 + ((leading - 0xD800) << 10) + (trailing - 0xDC00);
        char::from_u32(code).ok_or(Malformed)
    }

    /// The number that four hexadecimal digits are.
    #[inline]
    fn hex_digits(&mut self) -> Result<u32, Malformed> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let digits: &[u8; 4] = rest.first_chunk().ok_or(Malformed)?;
        self.at += digits.len();
        let [a, b, c, d] = digits.map(|digit| u32::from(HEX[usize::from(digit)]));
        if (a | b | c | d) > 0xF {
            return Err(Malformed);
        }
        Ok(a << 12 | b << 8 | c << 4 | d)
    }
}
