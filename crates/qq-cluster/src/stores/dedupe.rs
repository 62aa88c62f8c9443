//! Which events were handled, for longer than NATS knows repeats.

use std::time::Duration;

use bytes::Bytes;
use qq_client::{Begun, DedupeStore, StoreError, StoreFuture};

use super::name;
use crate::nats::Bucket;
use crate::{ClusterError, ClusterErrorKind};

/// A [`DedupeStore`] that all processes of a cluster share. Entries vanish when the bucket's age is over.
///
/// What was begun and not handled is not its affair: NATS delivers it again, and says so.
#[derive(Clone, Debug)]
pub(crate) struct ClusterDedupeStore {
    handled: Bucket,
}

impl ClusterDedupeStore {
    pub(crate) const fn new(handled: Bucket) -> Self {
        Self { handled }
    }
}

impl DedupeStore for ClusterDedupeStore {
    fn begin<'a>(&'a self, key: &'a str, _: Duration) -> StoreFuture<'a, Begun> {
        Box::pin(async move {
            let entry = self.handled.load_bytes(&name(key)).await;
            Ok(match entry.map_err(failed)? {
                Some(_) => Begun::Handled,
                None => Begun::New,
            })
        })
    }

    fn handled<'a>(&'a self, key: &'a str, _: Duration) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            match self
                .handled
                .save_bytes(&name(key), Bytes::new(), None)
                .await
            {
                Ok(_) => Ok(()),
                Err(error) if error.kind() == ClusterErrorKind::Conflict => Ok(()),
                Err(error) => Err(failed(error)),
            }
        })
    }
}

fn failed(error: ClusterError) -> StoreError {
    StoreError::new(error)
}
