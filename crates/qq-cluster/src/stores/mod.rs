//! What the processes of a cluster share, in the places where a single process has its own.

mod dedupe;
mod reply;
mod token;

pub(crate) use self::dedupe::ClusterDedupeStore;
pub(crate) use self::reply::ClusterReplyStore;
pub(crate) use self::token::ClusterTokenStore;

use data_encoding::BASE64URL_NOPAD;

/// Keys are any text, and NATS takes letters, digits and a few signs.
fn name(key: &str) -> String {
    BASE64URL_NOPAD.encode(key.as_bytes())
}
