//! Chance, for jitter and for names that must not meet. Nothing secret is made of it.

use std::hash::{BuildHasher as _, RandomState};

/// A number that differs from call to call and from process to process.
pub(crate) fn random() -> u64 {
    // Each state has keys of its own, seeded by the system.
    RandomState::new().hash_one(0_u8)
}

/// A fraction in `0.0..1.0`.
pub(crate) fn chance() -> f64 {
    // 32 bits are exact in either type, and finer than any wait.
    f64::from(u32::try_from(random() >> 32).unwrap_or_default()) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_are_spread_evenly() {
        let mut tenths = [0; 10];
        for _ in 0..10_000 {
            let chance = chance();
            assert!((0.0..1.0).contains(&chance));
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "below ten, and not negative"
            )]
            let tenth = (chance * 10.0) as usize;
            tenths[tenth] += 1;
        }
        assert!(
            tenths.iter().all(|&n| (800..1200).contains(&n)),
            "{tenths:?}"
        );
    }
}
