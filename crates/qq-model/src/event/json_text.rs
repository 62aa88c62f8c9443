//! JSON that is kept as it came.

use std::fmt;
use std::ops::Range;

use bytes::{Buf, Bytes};

/// A JSON text as it came, cheap to clone.
///
/// It may be a part of what was read together with it, all of which stays in memory as long as the text does:
/// [`detached`](Self::detached) makes a copy for those who keep it.
///
/// ```
/// use qq_model::JsonText;
///
/// let text = JsonText::from(r#"{"id":"1"}"#);
/// assert_eq!(text.get(), r#"{"id":"1"}"#);
/// assert_eq!(text.detached(), text);
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct JsonText(Bytes);

impl JsonText {
    /// A text that stands in what was read; copied where it does not.
    #[must_use]
    pub fn part_of(read: &Bytes, text: &str) -> Self {
        match range(text, read) {
            Some(range) => Self(read.slice(range)),
            None => text.into(),
        }
    }

    /// Where a text stands in what was read; `None` where it does not. For [`cut`](Self::cut).
    #[must_use]
    pub fn place(read: &str, text: &str) -> Option<Range<usize>> {
        range(text, read.as_bytes())
    }

    /// The text in this place of what was read, without counting one more who holds that. It ends where that ends.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use qq_model::JsonText;
    ///
    /// let read = Bytes::from_static(br#"{"d":{"id":"1"}}"#);
    /// let text = JsonText::cut(read, 5..15);
    /// assert_eq!(text.get(), r#"{"id":"1"}"#);
    /// ```
    #[must_use]
    pub fn cut(mut read: Bytes, place: Range<usize>) -> Self {
        read.truncate(place.end);
        read.advance(place.start.min(read.len()));
        Self(read)
    }

    /// The text; empty where it is none, since what it was [cut](Self::cut) out of is not UTF-8. It is looked through, which
    /// takes time in proportion to its length.
    #[must_use]
    pub fn get(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The text as bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &Bytes {
        &self.0
    }

    /// A copy that keeps no more memory than itself.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self(Bytes::copy_from_slice(&self.0))
    }
}

impl From<&str> for JsonText {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<String> for JsonText {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// Without the text, which is what people said.
impl fmt::Debug for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonText")
            .field("bytes", &self.0.len())
            .finish_non_exhaustive()
    }
}

/// Where this text stands in what was read; `None` when it does not.
fn range(text: &str, read: &[u8]) -> Option<Range<usize>> {
    let start = text.as_ptr().addr().checked_sub(read.as_ptr().addr())?;
    let end = start.checked_add(text.len())?;
    (end <= read.len()).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_shared_and_anything_else_copied() {
        let read = Bytes::from_static("{\"d\":{\"content\":\"你好\"}}".as_bytes());
        let whole = str::from_utf8(&read).unwrap();
        let part = JsonText::part_of(&read, &whole[5..whole.len() - 1]);
        assert_eq!(part.get(), "{\"content\":\"你好\"}");
        assert_eq!(part.as_bytes().as_ptr(), read[5..].as_ptr());
        assert_ne!(part.detached().as_bytes().as_ptr(), read[5..].as_ptr());
        let other = String::from("null");
        assert_eq!(JsonText::part_of(&read, &other).get(), "null");
        assert_eq!(JsonText::part_of(&read, ""), "".into());
        let place = JsonText::place(whole, &whole[5..whole.len() - 1]).unwrap();
        let cut = JsonText::cut(read.clone(), place);
        assert_eq!(
            (&cut, cut.as_bytes().as_ptr()),
            (&part, part.as_bytes().as_ptr())
        );
        assert_eq!(JsonText::place(whole, "null"), None);
        for (place, text) in [
            (0..2, "{\""),
            (3..usize::MAX, &whole[3..]),
            (90..100, ""),
            (18..19, ""),
        ] {
            assert_eq!(
                JsonText::cut(read.clone(), place.clone()).get(),
                text,
                "{place:?}"
            );
        }
    }
}
