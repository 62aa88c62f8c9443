//! What the processes of a cluster share, in the places where a single process has its own.

mod reply;
mod token;

pub(crate) use self::reply::ClusterReplyStore;
pub(crate) use self::token::ClusterTokenStore;
