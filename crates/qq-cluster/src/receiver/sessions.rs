//! Where a shard's session is written down, for whoever holds the shard next.

use qq_gateway::Session;
use qq_model::gateway::ShardId;

use crate::nats::{Bucket, Layout};
use crate::{ClusterError, ClusterErrorKind};

/// The entry of one shard's session.
#[derive(Debug)]
pub(crate) struct Sessions {
    state: Bucket,
    key: String,
    last: Option<Session>,
    revision: Option<u64>,
}

impl Sessions {
    pub(crate) async fn open(layout: &Layout, shard: ShardId) -> Result<Self, ClusterError> {
        let key = format!("session.{}.{}", shard.count(), shard.index());
        let (last, revision) = match layout.state.load::<Session>(&key).await {
            Ok(Some(entry)) => (Some(entry.value), Some(entry.revision)),
            Ok(None) => (None, None),
            // Without it the shard identifies anew, and the entry is replaced.
            Err(error) if error.kind() == ClusterErrorKind::Corrupt => {
                tracing::warn!(error = ?error, "a session is opened anew");
                let bytes = layout.state.load_bytes(&key).await?;
                (None, bytes.map(|entry| entry.revision))
            }
            Err(error) => return Err(error),
        };
        Ok(Self {
            state: layout.state.clone(),
            key,
            last,
            revision,
        })
    }

    /// The session that was written down last.
    pub(crate) fn last(&self) -> Option<Session> {
        self.last.clone()
    }

    /// Writes a session down, unless nothing has changed.
    ///
    /// # Errors
    ///
    /// A conflict, when another process holds the shard by now.
    pub(crate) async fn save(&mut self, session: Option<Session>) -> Result<(), ClusterError> {
        let Some(session) = session else {
            return Ok(());
        };
        if let Some(last) = &self.last
            && last.id == session.id
            && last.sequence == session.sequence
        {
            return Ok(());
        }
        let result = match self.revision {
            Some(revision) => self.state.update(&self.key, &session, revision).await,
            None => self.state.create(&self.key, &session).await,
        };
        match result {
            Ok(revision) => {
                self.revision = Some(revision);
                self.last = Some(session);
                Ok(())
            }
            Err(error) if error.is_retryable() => {
                // It may have been written. The position is behind for a moment, which costs repeats and no event.
                let is_conflict = error.kind() == ClusterErrorKind::Conflict;
                let entry = match self.state.load_bytes(&self.key).await {
                    Ok(entry) => entry,
                    Err(_) if is_conflict => return Err(error),
                    Err(_) => None,
                };
                if let Some(entry) = entry {
                    let is_mine =
                        serde_json::from_slice::<Session>(&entry.value).is_ok_and(|written| {
                            written.id == session.id && written.sequence <= session.sequence
                        });
                    // Of several servers one may count otherwise than the others.
                    if is_mine && self.revision != Some(entry.revision) {
                        self.revision = Some(entry.revision);
                    } else if is_conflict {
                        return Err(error);
                    }
                }
                tracing::debug!(error = ?error, "a resume position is written down again");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}
