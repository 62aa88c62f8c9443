//! Signatures of callbacks: Ed25519 with a key made from the bot's secret.

use std::fmt::Write as _;

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

const SEED: usize = 32;

/// The key that both sides make from the secret.
pub(super) struct Key(Ed25519KeyPair);

impl Key {
    /// The seed is the secret, repeated and cut to 32 bytes. `None` for an empty secret, of which
    /// no repetition gets longer.
    pub(super) fn new(secret: &str) -> Option<Self> {
        let mut seed = [0; SEED];
        if secret.is_empty() {
            return None;
        }
        for (slot, byte) in seed.iter_mut().zip(secret.bytes().cycle()) {
            *slot = byte;
        }
        Ed25519KeyPair::from_seed_unchecked(&seed).ok().map(Self)
    }

    /// The signature over the parts one after the other, as lower-case hexadecimal digits.
    pub(super) fn sign(&self, parts: [&[u8]; 2]) -> String {
        let signature = self.0.sign(&parts.concat());
        let mut hex = String::with_capacity(128);
        for byte in signature.as_ref() {
            // Writing into a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        hex
    }

    /// Whether `hex` is a signature over the parts.
    pub(super) fn verifies(&self, parts: [&[u8]; 2], hex: &str) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, self.0.public_key().as_ref());
        decode(hex).is_some_and(|signature| key.verify(&parts.concat(), &signature).is_ok())
    }
}

fn decode(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = hex.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    digits
        .chunks_exact(2)
        .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The platform's own example of an address check.
    const SECRET: &str = "DG5g3B4j9X2KOErG";
    const PARTS: [&[u8]; 2] = [b"1725442341", b"Arq0D5A61EgUu4OxUvOp"];
    const SIGNATURE: &str = "87befc99c42c651b3aac0278e71ada338433ae26fcb24307bdc5ad38c1adc2d0\
                             1bcfcadc0842edac85e85205028a1132afe09280305f13aa6909ffc2d652c706";

    #[test]
    fn signs_as_the_documents_print_it() {
        let key = Key::new(SECRET).unwrap();
        assert_eq!(key.sign(PARTS), SIGNATURE);
        assert!(key.verifies(PARTS, SIGNATURE));
        assert!(key.verifies(PARTS, &SIGNATURE.to_uppercase()));
    }

    #[test]
    fn refuses_what_is_no_signature() {
        let key = Key::new(SECRET).unwrap();
        for wrong in [
            "",
            "8",
            "zz",
            "\u{e9}\u{e9}",
            &SIGNATURE[2..],
            &SIGNATURE.replace("87be", "87bf"),
        ] {
            assert!(!key.verifies(PARTS, wrong), "{wrong}");
        }
        assert!(!key.verifies([b"1", b"2"], SIGNATURE));
        assert!(Key::new("").is_none());
    }

    #[test]
    fn long_secrets_are_cut_and_short_ones_repeated() {
        let long = "0123456789abcdef0123456789abcdefXYZ";
        let of = |secret: &str| Key::new(secret).unwrap().sign(PARTS);
        assert_eq!(of(long), of(&long[..32]));
        assert_eq!(of("0123456789abcdef"), of(&long[..32]));
    }
}
