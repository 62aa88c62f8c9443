//! Numbers.

use super::{Malformed, Reader};
use crate::wire::Scalar;

/// So many digits fit into 64 bits, whatever they are, with a sign as well.
const DIGITS: usize = 18;

impl Reader<'_> {
    /// The number that is next, given its first byte.
    #[inline]
    pub(super) fn number(&mut self, first: u8) -> Result<Scalar<'static>, Malformed> {
        let is_negative = first == b'-';
        let start = self.at + usize::from(is_negative);
        let digits = self.text.as_bytes().get(start..).unwrap_or_default();
        let (mut number, mut length) = (0_i64, 0);
        let behind = loop {
            match digits.get(length) {
                Some(digit @ b'0'..=b'9') if length < DIGITS => {
                    number = 10 * number + i64::from(digit - b'0');
                    length += 1;
                }
                behind => break behind,
            }
        };
        let goes_on = matches!(behind, Some(b'0'..=b'9' | b'.' | b'e' | b'E'));
        // A zero in front of other digits is no number, and one with a sign is a float.
        let is_odd = digits.first() == Some(&b'0') && (length > 1 || is_negative);
        if goes_on || is_odd || length == 0 {
            return self.odd_number();
        }
        self.at = start + length;
        Ok(if is_negative {
            Scalar::Signed(-number)
        } else {
            Scalar::Unsigned(number.unsigned_abs())
        })
    }

    /// Numbers that are long, have a fraction or an exponent, or are none.
    #[cold]
    fn odd_number(&mut self) -> Result<Scalar<'static>, Malformed> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let is_of_number =
            |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let length = rest.bytes().take_while(is_of_number).count();
        let number: serde_json::Number = rest
            .get(..length)
            .and_then(|number| number.parse().ok())
            .ok_or(Malformed)?;
        self.at += length;
        let unsigned = number.as_u64().map(Scalar::Unsigned);
        let signed = || number.as_i64().map(Scalar::Signed);
        let float = || number.as_f64().map(Scalar::Float);
        unsigned.or_else(signed).or_else(float).ok_or(Malformed)
    }
}
