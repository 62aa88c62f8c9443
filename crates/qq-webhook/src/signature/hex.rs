//! The 64 bytes of a signature, and their text.

use std::fmt;
use std::str::FromStr;

/// A signature; its text is 128 hexadecimal digits.
///
/// Digits are read in either case and written in lower case:
///
/// ```
/// use qq_webhook::signature::Signature;
///
/// let signature: Signature = "0A".repeat(64).parse()?;
/// assert_eq!(signature.to_string(), "0a".repeat(64));
/// # Ok::<(), qq_webhook::signature::InvalidSignature>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

impl Signature {
    /// A signature from its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The bytes: the point R, then the number S, least significant byte first.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }

    /// Reads the value of a header.
    pub(crate) fn from_hex(digits: &[u8]) -> Result<Self, InvalidSignature> {
        if digits.len() != 128 {
            return Err(InvalidSignature(()));
        }
        let mut bytes = [0; 64];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = match pair {
                [high, low] => nibble(*high)? << 4 | nibble(*low)?,
                _ => return Err(InvalidSignature(())),
            };
        }
        Ok(Self(bytes))
    }
}

fn nibble(digit: u8) -> Result<u8, InvalidSignature> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        b'A'..=b'F' => Ok(digit - b'A' + 10),
        _ => Err(InvalidSignature(())),
    }
}

impl FromStr for Signature {
    type Err = InvalidSignature;

    fn from_str(text: &str) -> Result<Self, InvalidSignature> {
        Self::from_hex(text.as_bytes())
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({self})")
    }
}

/// A text that is not 128 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidSignature(());

impl fmt::Display for InvalidSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a signature is 128 hexadecimal digits")
    }
}

impl std::error::Error for InvalidSignature {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_come_back(bytes in proptest::collection::vec(any::<u8>(), 64)) {
            let signature = Signature::from_bytes(bytes.try_into().unwrap());
            let text = signature.to_string();
            prop_assert_eq!(text.parse(), Ok(signature));
            prop_assert_eq!(text.to_uppercase().parse(), Ok(signature));
        }

        #[test]
        fn other_texts_are_refused(text in "\\PC{0,140}|[0-9a-f]{127}[^0-9a-fA-F]|[0-9a-f]{126}|[0-9a-f]{129,130}") {
            prop_assert!(text.parse::<Signature>().is_err());
        }
    }
}
