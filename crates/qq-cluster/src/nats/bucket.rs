//! Entries that several processes change: each change names the revision that it replaces.

use std::error::Error;

use async_nats::jetstream::kv::{CreateErrorKind, Operation, Store, UpdateErrorKind};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::interrupted;
use crate::{ClusterError, ClusterErrorKind};

/// A key-value bucket.
#[derive(Clone, Debug)]
pub(crate) struct Bucket(Store);

/// An entry and the revision that a change must name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry<T> {
    pub(crate) value: T,
    pub(crate) revision: u64,
}

impl Bucket {
    pub(crate) const fn new(store: Store) -> Self {
        Self(store)
    }

    /// The entry, if there is one.
    pub(crate) async fn load<T: DeserializeOwned>(
        &self,
        key: &str,
    ) -> Result<Option<Entry<T>>, ClusterError> {
        let Some(entry) = self.load_bytes(key).await? else {
            return Ok(None);
        };
        let value = serde_json::from_slice(&entry.value).map_err(|error| {
            ClusterError::with_source(
                ClusterErrorKind::Corrupt,
                format!(
                    "the entry {key} of the bucket {} cannot be read",
                    self.0.name
                ),
                error,
            )
        })?;
        Ok(Some(Entry {
            value,
            revision: entry.revision,
        }))
    }

    /// The bytes of an entry, if there is one.
    pub(crate) async fn load_bytes(&self, key: &str) -> Result<Option<Entry<Bytes>>, ClusterError> {
        let entry = self
            .0
            .entry(key)
            .await
            .map_err(|error| interrupted("NATS could not be asked for an entry", error))?;
        Ok(entry
            .filter(|entry| entry.operation == Operation::Put)
            .map(|entry| Entry {
                value: entry.value,
                revision: entry.revision,
            }))
    }

    /// Writes the bytes of an entry that has this revision, or does not exist; its new revision, or a conflict.
    pub(crate) async fn save_bytes(
        &self,
        key: &str,
        value: Bytes,
        revision: Option<u64>,
    ) -> Result<u64, ClusterError> {
        let interrupted = |error| interrupted("NATS did not confirm an entry", error);
        match revision {
            None => match self.0.create(key, value).await {
                Ok(revision) => Ok(revision),
                Err(error) if error.kind() == CreateErrorKind::AlreadyExists => Err(conflict(key)),
                Err(error) => Err(interrupted(Box::new(error) as Box<dyn Error + Send + Sync>)),
            },
            Some(revision) => match self.0.update(key, value, revision).await {
                Ok(revision) => Ok(revision),
                Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => {
                    Err(conflict(key))
                }
                Err(error) => Err(interrupted(Box::new(error))),
            },
        }
    }

    /// Writes an entry that does not exist; its revision, or a conflict.
    pub(crate) async fn create(
        &self,
        key: &str,
        value: &impl Serialize,
    ) -> Result<u64, ClusterError> {
        self.save_bytes(key, encode(value)?, None).await
    }

    /// Replaces the entry of this revision; its new revision, or a conflict.
    pub(crate) async fn update(
        &self,
        key: &str,
        value: &impl Serialize,
        revision: u64,
    ) -> Result<u64, ClusterError> {
        self.save_bytes(key, encode(value)?, Some(revision)).await
    }

    /// Deletes the entry of this revision, or says that it was changed.
    ///
    /// The marker of a deletion takes the place of the entry, as a bucket keeps one value to a key. A purge would do the
    /// same, but servers of 2.9 then skip what other watchers have not been sent yet.
    pub(crate) async fn delete(&self, key: &str, revision: u64) -> Result<(), ClusterError> {
        self.0
            .delete_expect_revision(key, Some(revision))
            .await
            .map_err(|error| match error.kind() {
                UpdateErrorKind::WrongLastRevision => conflict(key),
                _ => interrupted("NATS did not confirm a deletion", error),
            })
    }

    /// Removes the entry of this revision without leaving a marker: whoever watches is not told.
    pub(crate) async fn erase(&self, revision: u64) -> Result<(), ClusterError> {
        match self.0.stream.delete_message(revision).await {
            Ok(_) => Ok(()),
            Err(error) => Err(interrupted("NATS did not confirm a deletion", error)),
        }
    }

    pub(crate) const fn store(&self) -> &Store {
        &self.0
    }
}

fn encode(value: &impl Serialize) -> Result<Bytes, ClusterError> {
    serde_json::to_vec(value).map(Bytes::from).map_err(|error| {
        ClusterError::with_source(
            ClusterErrorKind::Other,
            "an entry cannot be written as JSON",
            error,
        )
    })
}

fn conflict(key: &str) -> ClusterError {
    ClusterError::new(
        ClusterErrorKind::Conflict,
        format!("the entry {key} was changed by another process"),
    )
}
