//! Signing and verifying.
//!
//! The arithmetic is ring's. Its verification is strict: S below the group order, and R compared as bytes, so
//! nobody without the secret can turn one valid signature into another.

use std::fmt;

use qq_model::Secret;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

use super::seed;
use super::{InvalidSecret, Signature};

/// The key pair that a bot and the platform share.
///
/// ```
/// use qq_model::Secret;
/// use qq_webhook::signature::KeyPair;
///
/// let keys = KeyPair::from_secret(&Secret::new("DG5g3B4j9X2KOErG"))?;
/// let signature = keys.sign_event("1725442341", b"{\"op\":0}");
/// assert!(keys.verify_event("1725442341", b"{\"op\":0}", &signature));
/// assert!(!keys.verify_event("1725442342", b"{\"op\":0}", &signature));
/// # Ok::<(), qq_webhook::signature::InvalidSecret>(())
/// ```
pub struct KeyPair(Ed25519KeyPair);

impl KeyPair {
    /// The key pair of a secret.
    ///
    /// # Errors
    ///
    /// [`InvalidSecret`] when the secret is empty.
    pub fn from_secret(secret: &Secret) -> Result<Self, InvalidSecret> {
        let seed = seed::derive(secret.expose())?;
        #[expect(
            clippy::expect_used,
            reason = "only the length of a seed can be wrong, and it is 32"
        )]
        let pair = Ed25519KeyPair::from_seed_unchecked(&*seed).expect("32 bytes are a seed");
        Ok(Self(pair))
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    /// Signs a callback as the platform does: for tests, and for whoever passes callbacks on.
    #[must_use]
    pub fn sign_event(&self, timestamp: &str, body: &[u8]) -> Signature {
        self.sign(&message(timestamp.as_bytes(), body))
    }

    /// Whether `signature` was made for exactly these bytes: the value of the header
    /// `X-Signature-Timestamp` and the raw body. How old the timestamp is, is not looked at.
    #[must_use]
    pub fn verify_event(
        &self,
        timestamp: impl AsRef<[u8]>,
        body: &[u8],
        signature: &Signature,
    ) -> bool {
        // The documentation's own test, before the arithmetic.
        let has_high_bits = signature.as_bytes()[63] & 0b1110_0000 != 0;
        let message = message(timestamp.as_ref(), body);
        !has_high_bits
            && UnparsedPublicKey::new(&ED25519, self.public_key())
                .verify(&message, signature.as_bytes())
                .is_ok()
    }

    /// Signs the answer to an address check. The caller has checked both texts: no signed text may pass as an event.
    pub(crate) fn sign_validation(&self, event_ts: &str, plain_token: &str) -> Signature {
        self.sign(&message(event_ts.as_bytes(), plain_token.as_bytes()))
    }

    fn sign(&self, message: &[u8]) -> Signature {
        let signature = self.0.sign(message);
        let mut bytes = [0; 64];
        bytes.copy_from_slice(signature.as_ref());
        Signature::from_bytes(bytes)
    }
}

/// Both operations want the message in one piece.
fn message(timestamp: &[u8], body: &[u8]) -> Vec<u8> {
    [timestamp, body].concat()
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyPair(<redacted>)")
    }
}
