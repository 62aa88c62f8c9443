//! Who has what, followed as it changes.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::jetstream::kv::{Entry, Operation};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

use crate::nats::{Bucket, interrupted};
use crate::{ClusterError, ClusterErrorKind};

/// What is written down about a shard or partition that is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The id of the process that has it.
    pub(crate) member: Box<str>,
    /// The first event that its last holder left unhandled, when it died over it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) floor: u64,
    /// How many holders have died at that event, one after another.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) deaths: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde calls"
)]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The records of one kind of thing, by its number.
pub(crate) type Records = BTreeMap<u32, (Record, u64)>;

/// The records of one kind of thing, as they change. They may lag; whoever acts on them names a revision.
#[derive(Debug)]
pub(crate) struct Table {
    records: watch::Receiver<Records>,
    _follower: AbortOnDropHandle<()>,
}

/// The pause before a broken watch is opened again.
const PAUSE: Duration = Duration::from_millis(200);

impl Table {
    /// Follows the keys that begin with this prefix and a dot.
    pub(crate) fn follow(bucket: Bucket, prefix: String) -> Self {
        let (sender, records) = watch::channel(Records::new());
        let follower = tokio::spawn(async move {
            loop {
                if let Err(error) = follow(&bucket, &prefix, &sender).await {
                    tracing::debug!(error = ?error, "the watch of {prefix} is opened again");
                }
                sleep(PAUSE).await;
            }
        });
        Self {
            records,
            _follower: AbortOnDropHandle::new(follower),
        }
    }

    /// What is known now.
    pub(crate) fn records(&self) -> Records {
        self.records.borrow().clone()
    }

    /// Waits for a change. Cancel-safe.
    pub(crate) async fn changed(&mut self) {
        if self.records.changed().await.is_err() {
            // The follower ends with this table only.
            std::future::pending::<()>().await;
        }
    }
}

async fn follow(
    bucket: &Bucket,
    prefix: &str,
    sender: &watch::Sender<Records>,
) -> Result<(), ClusterError> {
    let store = bucket.store();
    let mut entries = store
        .watch_with_history(format!("{prefix}.>"))
        .await
        .map_err(|error| interrupted("a watch cannot be opened", error))?;
    // What vanished while nobody watched is known by not being told again.
    let mut is_first = true;
    while let Some(entry) = entries.next().await {
        let entry = entry.map_err(|error| interrupted("a watch broke", error))?;
        let Some(number) = entry
            .key
            .rsplit('.')
            .next()
            .and_then(|number| number.parse().ok())
        else {
            continue;
        };
        let record = read(&entry)?;
        sender.send_modify(|records| {
            if std::mem::take(&mut is_first) {
                records.clear();
            }
            match record {
                Some(record) => records.insert(number, (record, entry.revision)),
                None => records.remove(&number),
            };
        });
    }
    Ok(())
}

fn read(entry: &Entry) -> Result<Option<Record>, ClusterError> {
    if entry.operation != Operation::Put {
        return Ok(None);
    }
    serde_json::from_slice(&entry.value)
        .map(Some)
        .map_err(|error| {
            ClusterError::with_source(
                ClusterErrorKind::Corrupt,
                format!(
                    "the entry {} of the bucket {} cannot be read",
                    entry.key, entry.bucket
                ),
                error,
            )
        })
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::super::holders;
    use super::*;
    use crate::nats_server::NatsServer;
    use crate::tests::{PATIENCE, layout};

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_watches_misses_no_change_while_much_is_handed_over() {
        let Some(server) = NatsServer::start().await else {
            return;
        };
        let layout = layout(&server).await;
        let claims = &layout.claims;
        let tables: Vec<Table> = (0..3)
            .map(|_| Table::follow(claims.clone(), "thing".to_owned()))
            .collect();
        let work = (0..16).map(|number| async move {
            let key = format!("thing.{number}");
            for round in 0..40 {
                let record = Record {
                    member: format!("m{round}").into(),
                    floor: 0,
                    deaths: 0,
                };
                let revision = claims.create(&key, &record).await.unwrap();
                // Half of them are left in the end.
                if round < 39 || number % 2 == 0 {
                    claims.delete(&key, revision).await.unwrap();
                }
            }
        });
        futures_util::future::join_all(work).await;
        let held = holders(claims, "thing").await.unwrap();
        assert_eq!(held.len(), 8);
        let start = Instant::now();
        for table in tables {
            loop {
                let records = table.records();
                let seen = records.iter().map(|(number, (record, _))| (number, record));
                if seen.eq(held.iter()) {
                    break;
                }
                assert!(start.elapsed() < PATIENCE, "{records:?} of {held:?}");
                sleep(Duration::from_millis(20)).await;
            }
        }
    }
}
