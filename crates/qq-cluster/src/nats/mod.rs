//! NATS: connecting, and the streams and buckets of a cluster.

mod bucket;
mod connect;
mod events;
mod layout;
mod pace;

pub(crate) use self::bucket::{Bucket, Entry};
pub(crate) use self::connect::{Connection, connect};
pub(crate) use self::layout::{BRIEF_AGE, Layout};
pub(crate) use self::pace::Pace;

use std::error::Error;

use crate::{ClusterError, ClusterErrorKind};

/// An error of a request that may well work a moment later.
pub(crate) fn interrupted(
    what: &str,
    error: impl Into<Box<dyn Error + Send + Sync>>,
) -> ClusterError {
    ClusterError::with_source(ClusterErrorKind::Interrupted, what, error)
}
