//! Ed25519 signatures as the platform makes them.
//!
//! The key pair is derived from the bot's secret, so that both sides hold the same one: the platform signs
//! callbacks with it, and the bot signs its answer to an address check. Platform page:
//! <https://bot.q.qq.com/wiki/develop/api-v2/dev-prepare/interface-framework/sign.html>.

mod hex;
mod key_pair;
mod seed;

pub use self::hex::{InvalidSignature, Signature};
pub use self::key_pair::KeyPair;
pub use self::seed::InvalidSecret;
