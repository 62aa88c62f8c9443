//! Sixteen bytes that are compared at once: as a vector with the feature `simd`, one by one without it.

#[cfg(not(feature = "simd"))]
pub(crate) use self::plain::Lane;
#[cfg(feature = "simd")]
pub(crate) use wide::u8x16 as Lane;

#[cfg(any(test, not(feature = "simd")))]
mod plain {
    use std::ops::{BitOr, BitOrAssign};

    /// What is used of `wide::u8x16`, without it.
    #[derive(Clone, Copy)]
    pub(crate) struct Lane([u8; 16]);

    impl Lane {
        pub(crate) const ZERO: Self = Self::splat(0);

        #[inline]
        pub(crate) const fn new(bytes: [u8; 16]) -> Self {
            Self(bytes)
        }

        #[inline]
        pub(crate) const fn splat(byte: u8) -> Self {
            Self([byte; 16])
        }

        /// All bits of each byte that is equal.
        #[inline]
        pub(crate) fn cmp_eq(self, other: Self) -> Self {
            Self(std::array::from_fn(|at| {
                u8::from(self.0[at] == other.0[at]).wrapping_neg()
            }))
        }

        /// The larger one of each two bytes.
        #[inline]
        pub(crate) fn max(self, other: Self) -> Self {
            Self(std::array::from_fn(|at| self.0[at].max(other.0[at])))
        }

        /// The highest bit of each byte, the first byte's lowest.
        #[inline]
        pub(crate) fn move_mask(self) -> i32 {
            let bytes = self.0.iter().rev();
            bytes.fold(0, |mask, byte| mask << 1 | i32::from(byte >> 7))
        }
    }

    impl BitOr for Lane {
        type Output = Self;

        #[inline]
        fn bitor(self, other: Self) -> Self {
            Self(std::array::from_fn(|at| self.0[at] | other.0[at]))
        }
    }

    impl BitOrAssign for Lane {
        #[inline]
        fn bitor_assign(&mut self, other: Self) {
            *self = *self | other;
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_mask_has_a_bit_for_each_equal_byte() {
            let bytes = *b"a\"b\"cdefghijklm\"";
            let mut hits = Lane::ZERO;
            hits |= Lane::new(bytes).cmp_eq(Lane::splat(b'"'));
            assert_eq!(hits.move_mask(), 1 << 1 | 1 << 3 | 1 << 15);
            let hits = hits | Lane::new(bytes).cmp_eq(Lane::splat(b'a'));
            assert_eq!(hits.move_mask(), 1 | 1 << 1 | 1 << 3 | 1 << 15);
            let lane = Lane::new(bytes).max(Lane::splat(b'b'));
            assert_eq!(lane.cmp_eq(Lane::splat(b'b')).move_mask(), 0x800F | 1 << 2);
        }
    }
}
