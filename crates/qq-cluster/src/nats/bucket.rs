//! Entries that several processes change: each change names the revision that it replaces.
//!
//! Of several servers that keep a bucket, those before 2.9.21 compare the revision when a change arrives, and not when it is
//! made: of two changes that arrive together both are confirmed, and the later one stays. Where that matters a change of an
//! [exact](Bucket::exact) bucket is looked at again when whatever arrived before it was made. Newer ones refuse the second, and
//! need not be asked again.

use std::error::Error;
use std::time::Duration;

use async_nats::jetstream::kv::{
    CreateErrorKind, EntryError, Operation, Store, UpdateError, UpdateErrorKind,
};
use async_nats::jetstream::{self, ErrorCode};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::sleep;

use super::interrupted;
use crate::{ClusterError, ClusterErrorKind};

/// A key-value bucket.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    store: Store,
    /// Whether a change is looked at again.
    is_exact: bool,
}

/// The entry that is written before a change is looked at again. Nobody reads it.
const BARRIER: &str = "barrier";
const UNCONFIRMED: &str = "NATS did not confirm an entry";
/// The pauses in milliseconds before a change is tried again that met another one under way.
const PAUSES: [u64; 5] = [5, 20, 80, 200, 500];

/// An entry and the revision that a change must name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry<T> {
    pub(crate) value: T,
    pub(crate) revision: u64,
}

impl Bucket {
    pub(crate) const fn new(store: Store) -> Self {
        Self {
            store,
            is_exact: false,
        }
    }

    /// A bucket of which no two changes of one revision are confirmed. Where several servers keep it that do not see to it
    /// themselves, a change costs two requests more.
    pub(crate) fn exact(store: Store, are_servers_exact: bool) -> Self {
        Self {
            is_exact: is_replicated(&store) && !are_servers_exact,
            store,
        }
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
                    self.store.name
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
        let entry = self.store.entry(key).await.map_err(unasked)?;
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
        let expected = match revision {
            Some(revision) => Some(revision),
            // What several servers refuse after they have agreed on it counts for some of them, and for one that starts again
            // it does not. So they are not tempted.
            None if is_replicated(&self.store) => {
                match self.store.entry(key).await.map_err(unasked)? {
                    Some(entry) if entry.operation == Operation::Put => return Err(conflict(key)),
                    Some(marker) => Some(marker.revision),
                    None => Some(0),
                }
            }
            None => None,
        };
        let revision = match expected {
            Some(expected) => {
                change(key, move || self.store.update(key, value.clone(), expected)).await?
            }
            None => self.store.create(key, value).await.map_err(|error| {
                if error.kind() == CreateErrorKind::AlreadyExists {
                    conflict(key)
                } else {
                    interrupted(UNCONFIRMED, error)
                }
            })?,
        };
        if self.is_exact && !self.is_last(key, revision).await? {
            return Err(conflict(key));
        }
        Ok(revision)
    }

    /// Whether a change has not been replaced by one that arrived at the same moment.
    async fn is_last(&self, key: &str, revision: u64) -> Result<bool, ClusterError> {
        // When this is made, so is everything that arrived before; what arrives after it finds the change.
        self.store
            .put(BARRIER, Bytes::new())
            .await
            .map_err(|error| interrupted(UNCONFIRMED, error))?;
        let entry = self.store.entry(key).await.map_err(unasked)?;
        Ok(entry.is_some_and(|entry| entry.revision == revision))
    }

    /// Writes an entry, whatever it was before; its revision.
    pub(crate) async fn put(&self, key: &str, value: &impl Serialize) -> Result<u64, ClusterError> {
        let written = self.store.put(key, encode(value)?).await;
        written.map_err(|error| interrupted(UNCONFIRMED, error))
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
        let delete = move || self.store.delete_expect_revision(key, Some(revision));
        change(key, delete).await
    }

    /// Removes the entry of this revision without leaving a marker: whoever watches is not told.
    pub(crate) async fn erase(&self, revision: u64) -> Result<(), ClusterError> {
        match self.store.stream.delete_message(revision).await {
            Ok(_) => Ok(()),
            Err(error) => Err(interrupted("NATS did not confirm a deletion", error)),
        }
    }

    pub(crate) const fn store(&self) -> &Store {
        &self.store
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

/// Makes a change that names a revision; again while the servers are about to make another one of the same entry, of which
/// nobody knows yet whether it will count.
async fn change<T, F: Future<Output = Result<T, UpdateError>>>(
    key: &str,
    attempt: impl Fn() -> F,
) -> Result<T, ClusterError> {
    let mut pauses = PAUSES.into_iter();
    loop {
        let error = match attempt().await {
            Ok(done) => return Ok(done),
            Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => {
                return Err(conflict(key));
            }
            Err(error) => error,
        };
        match pauses.next() {
            Some(pause) if is_being_changed(&error) => sleep(Duration::from_millis(pause)).await,
            _ => return Err(interrupted(UNCONFIRMED, error)),
        }
    }
}

/// Whether a change was refused because of another one that is not made yet. Several servers of 2.11 and newer say so.
fn is_being_changed(error: &UpdateError) -> bool {
    const BEING_CHANGED: ErrorCode = ErrorCode::STREAM_WRONG_LAST_SEQUENCE_CONSTANT;
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<jetstream::Error>() {
            return error.error_code() == BEING_CHANGED;
        }
        source = error.source();
    }
    false
}

fn is_replicated(store: &Store) -> bool {
    store.stream.cached_info().config.num_replicas > 1
}

fn unasked(error: EntryError) -> ClusterError {
    interrupted("NATS could not be asked for an entry", error)
}

fn conflict(key: &str) -> ClusterError {
    ClusterError::new(
        ClusterErrorKind::Conflict,
        format!("the entry {key} was changed by another process"),
    )
}
