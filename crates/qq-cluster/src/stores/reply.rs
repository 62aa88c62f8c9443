//! One ledger of answers for the cluster.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use qq_client::{ReplySave, ReplyStore, StoreError, StoreFuture, StoredReply};

use super::name;
use crate::nats::{Bucket, Layout, Pace};
use crate::tenure::{Tenure, Tenures};
use crate::{ClusterError, ClusterErrorKind};

/// A [`ReplyStore`] that all processes of a cluster share. Entries vanish when the longest window is over.
///
/// While NATS does not answer it waits: an answer that is sent without a record may be sent twice.
///
/// An entry names the epoch of the holder that wrote it. A process that takes an event over from one that seems dead
/// writes the entry anew before it answers, so that the other, should it live after all, is refused from then on.
#[derive(Clone, Debug)]
pub(crate) struct ClusterReplyStore {
    ledger: Bucket,
    tenures: Arc<Tenures>,
}

/// An entry of the bucket: `<epoch>;<value>`, the value empty while nothing was answered.
struct Entry {
    epoch: u64,
    value: Box<str>,
    revision: u64,
}

impl ClusterReplyStore {
    pub(crate) fn new(layout: &Layout, tenures: &Arc<Tenures>) -> Self {
        Self {
            ledger: layout.ledger.clone(),
            tenures: Arc::clone(tenures),
        }
    }

    async fn load(&self, key: &str) -> Result<Option<StoredReply>, StoreError> {
        let name = name(key);
        let mut pace = Pace::new();
        loop {
            let entry = match self.tenures.of(key) {
                // Nothing is sent from here: saving says so.
                Some(Tenure::Revoked(_)) => return Ok(None),
                Some(Tenure::Held {
                    epoch,
                    is_contested: true,
                }) => self.take_over(&name, epoch).await,
                _ => self.read(&name).await,
            };
            match entry {
                Ok(entry) => return Ok(entry.and_then(Entry::stored)),
                Err(error) if error.kind() == ClusterErrorKind::Conflict => {}
                Err(error) => retry(error, &mut pace).await?,
            }
        }
    }

    async fn save(
        &self,
        key: &str,
        value: &str,
        expected: Option<u64>,
    ) -> Result<ReplySave, StoreError> {
        let name = name(key);
        let mut is_ambiguous = false;
        let mut pace = Pace::new();
        loop {
            let epoch = match self.tenures.of(key) {
                Some(Tenure::Revoked(_)) => return Ok(ReplySave::Revoked),
                Some(Tenure::Held { epoch, .. }) => epoch,
                None => 0,
            };
            match self
                .try_save(&name, epoch, value, expected, is_ambiguous)
                .await
            {
                Ok(saved) => return Ok(saved),
                Err(error) => retry(error, &mut pace).await?,
            }
            is_ambiguous = true;
        }
    }

    async fn try_save(
        &self,
        name: &str,
        epoch: u64,
        value: &str,
        expected: Option<u64>,
        is_ambiguous: bool,
    ) -> Result<ReplySave, ClusterError> {
        let bytes = encode(epoch, value);
        match self.ledger.save_bytes(name, bytes.clone(), expected).await {
            Ok(revision) => return Ok(ReplySave::Saved(revision)),
            Err(error) if error.kind() == ClusterErrorKind::Conflict => {}
            Err(error) => return Err(error),
        }
        let Some(entry) = self.read(name).await? else {
            return Ok(ReplySave::Conflict);
        };
        if epoch > 0 && entry.epoch > epoch {
            return Ok(ReplySave::Revoked);
        }
        // The attempt before may have been this very entry's.
        if is_ambiguous && entry.epoch == epoch && *entry.value == *value {
            return Ok(ReplySave::Saved(entry.revision));
        }
        // The mark of a holder, where nothing was answered yet.
        if expected.is_none() && entry.value.is_empty() {
            let revision = self
                .ledger
                .save_bytes(name, bytes, Some(entry.revision))
                .await?;
            return Ok(ReplySave::Saved(revision));
        }
        Ok(ReplySave::Conflict)
    }

    /// Reads an entry and marks it as this holder's, so that an earlier one cannot write it any more.
    async fn take_over(&self, name: &str, epoch: u64) -> Result<Option<Entry>, ClusterError> {
        let entry = self.read(name).await?;
        if entry.as_ref().is_some_and(|entry| entry.epoch >= epoch) {
            return Ok(entry);
        }
        let value = entry.as_ref().map_or("", |entry| &*entry.value);
        let revision = entry.as_ref().map(|entry| entry.revision);
        let revision = self
            .ledger
            .save_bytes(name, encode(epoch, value), revision)
            .await?;
        Ok(Some(Entry {
            epoch,
            value: value.into(),
            revision,
        }))
    }

    async fn read(&self, name: &str) -> Result<Option<Entry>, ClusterError> {
        let Some(entry) = self.ledger.load_bytes(name).await? else {
            return Ok(None);
        };
        let corrupt = || {
            ClusterError::new(
                ClusterErrorKind::Corrupt,
                "an entry of the ledger cannot be read",
            )
        };
        let text = str::from_utf8(&entry.value).map_err(|_| corrupt())?;
        let (epoch, value) = text.split_once(';').ok_or_else(corrupt)?;
        Ok(Some(Entry {
            epoch: epoch.parse().map_err(|_| corrupt())?,
            value: value.into(),
            revision: entry.revision,
        }))
    }
}

impl Entry {
    fn stored(self) -> Option<StoredReply> {
        (!self.value.is_empty()).then_some(StoredReply {
            value: self.value,
            revision: self.revision,
        })
    }
}

impl ReplyStore for ClusterReplyStore {
    fn load<'a>(&'a self, key: &'a str) -> StoreFuture<'a, Option<StoredReply>> {
        Box::pin(self.load(key))
    }

    fn save<'a>(
        &'a self,
        key: &'a str,
        value: &'a str,
        expected: Option<u64>,
        // The bucket keeps everything for the longest window.
        _: Duration,
    ) -> StoreFuture<'a, ReplySave> {
        Box::pin(self.save(key, value, expected))
    }
}

/// Waits before another attempt, when there is any hope in it.
async fn retry(error: ClusterError, pace: &mut Pace) -> Result<(), StoreError> {
    if !error.is_retryable() {
        return Err(StoreError::new(error));
    }
    tracing::debug!(error = ?error, "the ledger is asked again");
    pace.wait().await;
    Ok(())
}

fn encode(epoch: u64, value: &str) -> Bytes {
    format!("{epoch};{value}").into()
}
