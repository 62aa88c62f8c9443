//! From a secret of any length to the 32 bytes that an Ed25519 key pair is made of.

use std::fmt;

use zeroize::Zeroizing;

/// The length of an Ed25519 seed.
const LENGTH: usize = 32;

/// The secret repeated as often as it takes, then cut. Bytes count, not characters: a character of several bytes
/// may be cut in the middle.
pub(super) fn derive(secret: &str) -> Result<Zeroizing<[u8; LENGTH]>, InvalidSecret> {
    if secret.is_empty() {
        return Err(InvalidSecret(()));
    }
    let mut seed = Zeroizing::new([0; LENGTH]);
    for (to, from) in seed.iter_mut().zip(secret.bytes().cycle()) {
        *to = from;
    }
    Ok(seed)
}

/// No key can be made of the secret, because it is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidSecret(());

impl fmt::Display for InvalidSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the secret is empty: copy the bot's AppSecret from the console's development settings",
        )
    }
}

impl std::error::Error for InvalidSecret {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_secrets_repeat_and_long_ones_are_cut() {
        assert_eq!(
            &*derive("abc").unwrap(),
            b"abcabcabcabcabcabcabcabcabcabcab"
        );
        let long = "0123456789abcdefghijklmnopqrstuvwxyz";
        assert_eq!(derive(long).unwrap().as_slice(), &long.as_bytes()[..32]);
        // 3 bytes each: the eleventh character is cut after its second byte.
        assert_eq!(derive("密").unwrap()[30..], "密".as_bytes()[..2]);
    }

    #[test]
    fn an_empty_secret_is_refused() {
        assert_eq!(derive("").unwrap_err(), InvalidSecret(()));
    }
}
