//! The three digests that the platform asks for, taken in one pass.

use qq_model::outgoing::{FileDigests, MD5_10M_BYTES};
use ring::digest::{self, SHA1_FOR_LEGACY_USE_ONLY};

/// Takes the digests of a file from its pieces, in order.
pub(super) struct Digests {
    md5: md5::Context,
    sha1: digest::Context,
    /// The MD5 of the beginning, once that is complete.
    head: Option<Box<str>>,
    seen: u64,
}

impl Digests {
    pub(super) fn new() -> Self {
        Self {
            md5: md5::Context::new(),
            sha1: digest::Context::new(&SHA1_FOR_LEGACY_USE_ONLY),
            head: None,
            seen: 0,
        }
    }

    pub(super) fn update(&mut self, piece: &[u8]) {
        self.sha1.update(piece);
        // Never more than the piece is long.
        let left = usize::try_from(MD5_10M_BYTES.saturating_sub(self.seen)).unwrap_or(usize::MAX);
        let (head, tail) = piece.split_at(left.min(piece.len()));
        self.md5.consume(head);
        self.seen += piece.len() as u64;
        if self.head.is_none() && self.seen >= MD5_10M_BYTES {
            self.head = Some(hex(&*self.md5.clone().finalize()));
        }
        self.md5.consume(tail);
    }

    pub(super) fn finish(self) -> FileDigests {
        let md5 = hex(&*self.md5.finalize());
        FileDigests {
            md5_10m: self.head.unwrap_or_else(|| md5.clone()),
            md5,
            sha1: hex(self.sha1.finish().as_ref()),
        }
    }
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> Box<str> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect::<String>()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digests<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> FileDigests {
        let mut digests = Digests::new();
        pieces.into_iter().for_each(|piece| digests.update(piece));
        digests.finish()
    }

    #[test]
    fn the_examples_of_the_standards() {
        let found = digests([b"a".as_slice(), b"", b"bc"]);
        assert_eq!(&*found.md5, "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(&*found.sha1, "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(found.md5_10m, found.md5);
        assert_eq!(&*digests([]).md5, "d41d8cd98f00b204e9800998ecf8427e");
    }

    #[test]
    fn the_beginning_ends_where_the_platform_says() {
        let limit = usize::try_from(MD5_10M_BYTES).unwrap();
        let file: Vec<u8> = (0..=250).cycle().take(limit + 70_000).collect();
        for (size, of) in [
            (limit - 1, limit - 1),
            (limit, limit),
            (limit + 1, limit),
            (file.len(), limit),
        ] {
            for piece in [65_536, 1 << 20, size] {
                let found = digests(file[..size].chunks(piece));
                assert_eq!(
                    found.md5_10m,
                    hex(&*md5::compute(&file[..of])),
                    "{size} {piece}"
                );
                assert_eq!(found.md5, hex(&*md5::compute(&file[..size])));
            }
        }
    }
}
