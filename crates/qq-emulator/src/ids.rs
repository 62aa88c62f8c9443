//! Identifiers with the platform's shapes, repeatable from a seed.

use std::fmt::Write as _;

/// Makes identifiers. The same seed gives the same sequence.
#[derive(Debug)]
pub(crate) struct Ids {
    random: fastrand::Rng,
}

impl Ids {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed),
        }
    }

    /// What makes the same identifiers from here on.
    pub(crate) fn seed(&self) -> u64 {
        self.random.get_seed()
    }

    /// `length` lower-case hexadecimal digits.
    pub(crate) fn hex(&mut self, length: usize) -> String {
        let mut out = String::with_capacity(length + 16);
        while out.len() < length {
            // Writing into a String cannot fail.
            let _ = write!(out, "{:016x}", self.random.u64(..));
        }
        out.truncate(length);
        out
    }

    /// An openid of a user or a group: 32 upper-case hexadecimal digits.
    pub(crate) fn openid(&mut self) -> String {
        self.hex(32).to_ascii_uppercase()
    }

    /// A guild-side id: a decimal u64.
    pub(crate) fn snowflake(&mut self) -> String {
        self.random
            .u64(1_000_000_000_000_000_000..i64::MAX.unsigned_abs())
            .to_string()
    }

    /// A channel id: a shorter decimal number.
    pub(crate) fn channel(&mut self) -> String {
        self.random.u32(1_000_000..99_999_999).to_string()
    }

    /// A group or C2C message id.
    pub(crate) fn robot_message(&mut self) -> String {
        format!("ROBOT1.0_{}", self.hex(56))
    }

    /// A guild message id.
    pub(crate) fn guild_message(&mut self) -> String {
        format!("08{}", self.hex(54))
    }

    /// An index with which a group or C2C message is quoted.
    pub(crate) fn reference_index(&mut self) -> String {
        format!("REFIDX_{}==", self.hex(22))
    }

    /// A lower-case UUID, version 4.
    pub(crate) fn uuid(&mut self) -> String {
        let hex = self.hex(32);
        let variant = ['8', '9', 'a', 'b'][self.random.usize(..4)];
        format!(
            "{}-{}-4{}-{variant}{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[13..16],
            &hex[17..20],
            &hex[20..]
        )
    }

    /// An access token.
    pub(crate) fn access_token(&mut self) -> String {
        std::iter::repeat_with(|| self.random.alphanumeric())
            .take(64)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_ids() {
        let (mut a, mut b, mut c) = (Ids::new(7), Ids::new(7), Ids::new(8));
        let first = [a.openid(), a.uuid(), a.robot_message(), a.access_token()];
        assert_eq!(
            first,
            [b.openid(), b.uuid(), b.robot_message(), b.access_token()]
        );
        assert_ne!(first[0], c.openid());
    }

    #[test]
    fn ids_have_the_platform_shapes() {
        let mut ids = Ids::new(1);
        for _ in 0..100 {
            let openid = ids.openid();
            assert_eq!(openid.len(), 32);
            assert!(
                openid
                    .bytes()
                    .all(|b| matches!(b, b'0'..=b'9' | b'A'..=b'F'))
            );
            assert!(ids.snowflake().parse::<u64>().unwrap() >> 22 > 0);
            let uuid = ids.uuid();
            assert_eq!(uuid.len(), 36);
            assert_eq!(&uuid[14..15], "4");
            assert_eq!(uuid.matches('-').count(), 4);
        }
    }
}
