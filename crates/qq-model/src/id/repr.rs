//! How an id is stored: compact where formatting the compact form gives the same text back.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

const HEX_LEN: usize = 32;
const DECIMAL_MAX: usize = 20;

#[derive(Clone, PartialEq, Eq)]
pub(super) enum Repr {
    Empty,
    /// Decimal digits without a leading zero, up to `u64::MAX`.
    Decimal(u64),
    /// Exactly 32 upper-case hexadecimal digits that are not a [`Repr::Decimal`].
    Hex([u8; HEX_LEN / 2]),
    Text(Arc<str>),
}

impl Repr {
    pub(super) fn parse(text: &str) -> Self {
        let bytes = text.as_bytes();
        let compact = match bytes.len() {
            0 => Some(Self::Empty),
            1..=DECIMAL_MAX => decimal(bytes).map(Self::Decimal),
            HEX_LEN => hex(bytes).map(Self::Hex),
            _ => None,
        };
        compact.unwrap_or_else(|| Self::Text(text.into()))
    }

    pub(super) fn text(&self) -> Text<'_> {
        match self {
            Self::Empty => Text::Borrowed(""),
            Self::Decimal(n) => Text::decimal(*n),
            Self::Hex(bytes) => Text::hex(bytes),
            Self::Text(text) => Text::Borrowed(text),
        }
    }
}

/// Ids are looked up with every event, so a hasher is given no more words than it takes to tell them apart.
impl Hash for Repr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Empty => state.write_u8(0),
            Self::Decimal(n) => state.write_u64(*n),
            Self::Hex(bytes) => {
                let word = u128::from_ne_bytes(*bytes);
                state.write_u128(word);
            }
            Self::Text(text) => text.hash(state),
        }
    }
}

pub(super) enum Text<'a> {
    Borrowed(&'a str),
    /// ASCII digits in the last `len` bytes of the buffer.
    Stack {
        buffer: [u8; HEX_LEN],
        len: usize,
    },
}

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            // The buffer only ever holds ASCII, so this conversion cannot fail.
            Self::Stack { buffer, len } => {
                str::from_utf8(&buffer[HEX_LEN - len..]).unwrap_or_default()
            }
        }
    }

    fn decimal(mut n: u64) -> Self {
        let mut buffer = [b'0'; HEX_LEN];
        let mut at = HEX_LEN;
        loop {
            at -= 1;
            buffer[at] = DIGITS[(n % 10) as usize];
            n /= 10;
            if n == 0 {
                return Self::Stack {
                    buffer,
                    len: HEX_LEN - at,
                };
            }
        }
    }

    fn hex(bytes: &[u8; HEX_LEN / 2]) -> Self {
        let mut buffer = [0; HEX_LEN];
        for (pair, byte) in buffer.chunks_exact_mut(2).zip(bytes) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 0xF)];
        }
        Self::Stack {
            buffer,
            len: HEX_LEN,
        }
    }
}

const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

/// One in each byte of a word.
const ONES: u64 = u64::MAX / 255;
/// The highest bit of each byte.
const HIGH: u64 = ONES << 7;

fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.first() == Some(&b'0') && digits.len() > 1 {
        return None;
    }
    let (words, rest) = digits.as_chunks();
    let number = words.iter().try_fold(0_u64, |number, word| {
        number.checked_mul(100_000_000)?.checked_add(eight(*word)?)
    })?;
    rest.iter().try_fold(number, |number, digit| {
        let digit = digit.wrapping_sub(b'0');
        (digit < 10).then(|| number.checked_mul(10)?.checked_add(u64::from(digit)))?
    })
}

/// The number that eight decimal digits are. All are handled at once: pairs, then pairs of pairs.
fn eight(digits: [u8; 8]) -> Option<u64> {
    let digits = u64::from_le_bytes(digits).wrapping_sub(ONES * u64::from(b'0'));
    // More than nine has the highest bit with this added, or without.
    if (digits.wrapping_add(ONES * (0x7F - 9)) | digits) & HIGH != 0 {
        return None;
    }
    let pairs = (digits * 10 + (digits >> 8)) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_FFFF_0000_FFFF;
    Some((fours * 10_000 + (fours >> 32)) & 0xFFFF_FFFF)
}

fn hex(digits: &[u8]) -> Option<[u8; HEX_LEN / 2]> {
    let mut out = [0; HEX_LEN / 2];
    let (words, _) = digits.as_chunks();
    for (bytes, word) in out.as_chunks_mut().0.iter_mut().zip(words) {
        *bytes = four(*word)?;
    }
    Some(out)
}

/// The bytes that eight upper-case hexadecimal digits are.
fn four(digits: [u8; 8]) -> Option<[u8; 4]> {
    let digits = u64::from_le_bytes(digits);
    // Letters have this bit, digits have not.
    let letters = digits >> 6 & ONES;
    let nibbles = (digits & (ONES * 0xF)) + letters * 9;
    // Written again they are the same, unless they were none.
    let is_letter = (nibbles + ONES * (0x7F - 9)) >> 7 & ONES;
    let written = nibbles + ONES * u64::from(b'0') + is_letter * 7;
    if written != digits || nibbles & (ONES * 0xF0) != 0 {
        return None;
    }
    let bytes = (nibbles << 4 | nibbles >> 8) & 0x00FF_00FF_00FF_00FF;
    let pairs = (bytes | bytes >> 8) & 0x0000_FFFF_0000_FFFF;
    let [a, b, _, _, c, d, _, _] = pairs.to_le_bytes();
    Some([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Any byte at any place: only digits are digits.
    #[test]
    fn words_are_read_like_single_digits() {
        let digit = |byte: u8, radix| char::from(byte).to_digit(radix);
        for at in 0..8 {
            for byte in 0..=u8::MAX {
                let mut text = *b"12345678";
                text[at] = byte;
                let value = |radix: u32| {
                    text.iter().try_fold(0_u64, |value, byte| {
                        Some(value * u64::from(radix) + u64::from(digit(*byte, radix)?))
                    })
                };
                assert_eq!(eight(text), value(10), "{text:?}");
                let is_upper = !byte.is_ascii_lowercase();
                let bytes = value(16).filter(|_| is_upper);
                assert_eq!(
                    four(text).map(|bytes| u64::from(u32::from_be_bytes(bytes))),
                    bytes,
                    "{text:?}"
                );
            }
        }
        assert_eq!(eight(*b"99999999"), Some(99_999_999));
        assert_eq!(four(*b"FEDCBA98"), Some([0xFE, 0xDC, 0xBA, 0x98]));
        assert_eq!(four(*b"01234567"), Some([0x01, 0x23, 0x45, 0x67]));
    }
}
