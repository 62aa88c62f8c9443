//! Where the texts of messages are kept: many in one block.
//!
//! Messages come and go in the same order, so nearly all texts of a block are forgotten together. Taken one by one, memory
//! for them would have to be looked for, and given back, among what was last used a thousand messages ago.

use std::sync::{Mutex, PoisonError};

use bytes::{Bytes, BytesMut};

use crate::prefetch::prefetch_all;

/// A block stays as long as one of its texts.
const BLOCK: usize = 16 << 10;
/// A longer text has memory of its own.
const LONGEST: usize = BLOCK / 4;

/// As long as most texts.
const AHEAD: usize = 1 << 10;

#[derive(Default)]
pub(crate) struct Texts(Mutex<BytesMut>);

impl Texts {
    /// A copy of a text.
    pub(crate) fn keep(&self, text: &[u8]) -> Bytes {
        if text.len() > LONGEST {
            return Bytes::copy_from_slice(text);
        }
        // Whole after every statement, so a panic elsewhere spoils nothing.
        let mut block = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if block.capacity() < text.len() {
            *block = BytesMut::with_capacity(BLOCK);
        }
        block.extend_from_slice(text);
        let text = block.split().freeze();
        // Where the next one goes.
        let room = block.spare_capacity_mut();
        prefetch_all(&room[..room.len().min(AHEAD)]);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stand_side_by_side_until_the_block_is_full() {
        let texts = Texts::default();
        let first = texts.keep(b"one");
        let second = texts.keep(b"other");
        assert_eq!((&*first, &*second), (&b"one"[..], &b"other"[..]));
        assert_eq!(second.as_ptr().addr() - first.as_ptr().addr(), 3);
        let mut kept = Vec::new();
        for n in 0..100_u8 {
            kept.push(texts.keep(&[n; 1_000]));
        }
        assert!(kept.iter().zip(0..).all(|(text, n)| **text == [n; 1_000]));
        let long = vec![7; BLOCK];
        assert_eq!(texts.keep(&long), long);
        assert_eq!(&*first, b"one");
    }
}
