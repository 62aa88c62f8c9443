//! Reads JSON, as `serde_json` does, with less work and less code.
//!
//! What stands in the text is found by functions that know no type ([`Reader`]); what is made of it is a small match
//! for each type (`serde.rs`). Errors say nothing: whoever wants to know more asks `serde_json`, which refuses
//! everything that is refused here or, rarely, accepts it, such as what is ignored. What is accepted here it accepts
//! with the same result.

#[cfg(test)]
mod differential;
mod number;
mod reader;
mod scratch;
mod serde;
mod strings;

use std::fmt;

pub(crate) use self::reader::Reader;

/// Reads a text that is one value, white space around it aside, with objects and lists nested to so many levels at most.
pub(crate) fn read<'a, T>(
    text: &'a str,
    levels: usize,
    value: impl FnOnce(&mut Reader<'a>) -> Result<T, Malformed>,
) -> Result<T, Malformed> {
    let mut reader = Reader::new(text, levels);
    let value = value(&mut reader).and_then(|value| reader.end().map(|()| value));
    reader.give_scratch_back();
    value
}

/// No JSON, or not of the wanted shape, or of a kind that is left to `serde_json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("malformed JSON")
    }
}

impl std::error::Error for Malformed {}

impl ::serde::de::Error for Malformed {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}
