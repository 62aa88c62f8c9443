//! How an id is stored: compact where formatting the compact form gives the same text back.

use std::sync::Arc;

const HEX_LEN: usize = 32;
const DECIMAL_MAX: usize = 20;

#[derive(Clone, PartialEq, Eq, Hash)]
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
        if bytes.is_empty() {
            Self::Empty
        } else if let Some(n) = decimal(bytes) {
            Self::Decimal(n)
        } else if let Some(hex) = hex(bytes) {
            Self::Hex(hex)
        } else {
            Self::Text(text.into())
        }
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

fn decimal(bytes: &[u8]) -> Option<u64> {
    if bytes.len() > DECIMAL_MAX || (bytes[0] == b'0' && bytes.len() > 1) {
        return None;
    }
    bytes.iter().try_fold(0_u64, |n, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| n.checked_mul(10)?.checked_add(u64::from(digit)))?
    })
}

fn hex(bytes: &[u8]) -> Option<[u8; HEX_LEN / 2]> {
    let bytes: &[u8; HEX_LEN] = bytes.try_into().ok()?;
    let mut out = [0; HEX_LEN / 2];
    for (byte, pair) in out.iter_mut().zip(bytes.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(out)
}

const fn nibble(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}
