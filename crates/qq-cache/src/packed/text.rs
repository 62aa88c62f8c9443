//! Short text without an allocation.

use std::fmt;

/// How many bytes fit without an allocation: seven Chinese characters.
const INLINE: usize = 22;

/// Text in 24 bytes, and on the heap only when it is long. A display name hardly ever is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum PackedText {
    Inline { len: u8, bytes: [u8; INLINE] },
    Heap(Box<str>),
}

impl PackedText {
    pub(crate) const EMPTY: Self = Self::Inline {
        len: 0,
        bytes: [0; INLINE],
    };

    pub(crate) fn new(text: &str) -> Self {
        let mut bytes = [0; INLINE];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(start), Ok(len)) => {
                start.copy_from_slice(text.as_bytes());
                Self::Inline { len, bytes }
            }
            _ => Self::Heap(text.into()),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            // The bytes came from a text of this length, so this conversion cannot fail.
            Self::Inline { len, bytes } => {
                str::from_utf8(&bytes[..usize::from(*len)]).unwrap_or_default()
            }
            Self::Heap(text) => text,
        }
    }

    pub(crate) const fn heap_bytes(&self) -> usize {
        match self {
            Self::Inline { .. } => 0,
            Self::Heap(text) => text.len(),
        }
    }
}

impl fmt::Debug for PackedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

const _: () = assert!(size_of::<PackedText>() == 24);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_comes_back(text in "\\PC{0,40}") {
            let packed = PackedText::new(&text);
            prop_assert_eq!(packed.as_str(), &*text);
            prop_assert_eq!(packed.heap_bytes() == 0, text.len() <= INLINE);
            prop_assert_eq!(packed == PackedText::new("x"), text == "x");
        }
    }
}
