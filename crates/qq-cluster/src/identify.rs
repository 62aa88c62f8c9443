//! Who may IDENTIFY when, among all processes of the cluster.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::TryStreamExt;
use qq_gateway::{IdentifyFuture, IdentifyQueue, IdentifyTurn, SessionQuotaError};
use qq_http::HttpClient;
use qq_model::gateway::{SessionStartLimit, ShardId};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

use crate::nats::{BRIEF_AGE, Bucket, interrupted};
use crate::{ClusterError, ClusterErrorKind};

/// What the keys of slots begin with.
const PREFIX: &str = "identify";
/// The pause before the slots are looked at again.
const PAUSE: Duration = Duration::from_millis(250);
/// The pause after a failure.
const AFTER_FAILURE: Duration = Duration::from_secs(2);
/// A turn that is held for longer is taken as spent, so that one shard cannot hold up the others for ever.
const HOLD: Duration = Duration::from_secs(60);

/// An identify queue that all processes of a cluster share: a slot is an entry that vanishes after five seconds.
pub(crate) struct ClusterIdentifyQueue {
    brief: Bucket,
    http: HttpClient,
    /// How many sessions may be opened within five seconds, as the platform said last; 0 when it was not asked yet.
    slots: AtomicU32,
    /// One shard of this process asks at a time, so that they come in order.
    door: tokio::sync::Semaphore,
}

impl ClusterIdentifyQueue {
    pub(crate) fn new(brief: Bucket, http: HttpClient) -> Arc<Self> {
        Arc::new(Self {
            brief,
            http,
            slots: AtomicU32::new(0),
            door: tokio::sync::Semaphore::new(1),
        })
    }

    async fn turn(&self) -> Result<IdentifyTurn, SessionQuotaError> {
        // The door is never closed, so it always opens.
        let _door = self.door.acquire().await;
        loop {
            let pause = match self.try_turn().await {
                Ok(Some(turn)) => return Ok(turn),
                Ok(None) => PAUSE,
                Err(Refused::Quota(error)) => return Err(error),
                Err(Refused::Cluster(error)) => {
                    tracing::warn!(error = ?error, "asks for a turn to identify again");
                    AFTER_FAILURE
                }
                Err(Refused::Rest(error)) => {
                    tracing::warn!(error = ?error, "asks for the quota of sessions again");
                    AFTER_FAILURE
                }
            };
            // Processes that wait for the same slot must not ask in step.
            sleep(pause + pause.mul_f32(fastrand::f32())).await;
        }
    }

    async fn try_turn(&self) -> Result<Option<IdentifyTurn>, Refused> {
        let mut slots = self.slots.load(Ordering::Relaxed);
        if slots == 0 {
            slots = self.limit().await?.max_concurrency.max(1);
        }
        let Some(turn) = self.take(slots).await? else {
            return Ok(None);
        };
        // The platform's own count: it knows of the sessions of every process, and of other programs, too. It is asked
        // with a slot in hand, so that waiting for one asks nothing of the platform. Returning gives the slot back.
        let limit = self.limit().await?;
        let others = self.taken().await?.saturating_sub(1);
        if limit.total > 0 && limit.remaining <= others {
            return Err(Refused::Quota(SessionQuotaError::new(
                1,
                limit.remaining.saturating_sub(others),
                limit.reset_after(),
            )));
        }
        Ok(Some(turn))
    }

    async fn limit(&self) -> Result<SessionStartLimit, Refused> {
        let gateway = self.http.gateway_bot().await.map_err(Refused::Rest)?;
        let limit = gateway.session_start_limit;
        self.slots
            .store(limit.max_concurrency.max(1), Ordering::Relaxed);
        Ok(limit)
    }

    /// The first of so many slots that is free.
    async fn take(&self, slots: u32) -> Result<Option<IdentifyTurn>, ClusterError> {
        for slot in 0..slots {
            let key = format!("{PREFIX}.{slot}");
            match self.brief.create(&key, &()).await {
                Ok(revision) => return Ok(Some(self.hold(key, revision))),
                Err(error) if error.kind() == ClusterErrorKind::Conflict => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// How many slots are taken: sessions that were just opened, or are about to be. The platform may not count them yet.
    async fn taken(&self) -> Result<u32, ClusterError> {
        let store = self.brief.store();
        let failed = |error| interrupted("NATS could not be asked for the slots", error);
        let subjects = store
            .stream
            .info_with_subjects(format!("{}{PREFIX}.>", store.prefix))
            .await
            .map_err(|error| interrupted("NATS could not be asked for the slots", error))?;
        subjects
            .try_fold(
                0,
                |count: u32, _| async move { Ok(count.saturating_add(1)) },
            )
            .await
            .map_err(failed)
    }

    /// Keeps a slot until its IDENTIFY was sent, and from then on for as long as the entry lives.
    fn hold(&self, key: String, revision: u64) -> IdentifyTurn {
        let (settle, settled) = oneshot::channel();
        let brief = self.brief.clone();
        tokio::spawn(async move {
            if let Err(error) = keep(&brief, &key, revision, settled).await {
                // The slot is free some seconds early or late.
                tracing::warn!(error = ?error, "a turn to identify was not kept");
            }
        });
        IdentifyTurn::new(move |is_spent| {
            // Nobody hears it when the runtime ends, and then nobody needs to.
            let _ = settle.send(is_spent);
        })
    }
}

async fn keep(
    brief: &Bucket,
    key: &str,
    mut revision: u64,
    mut settled: oneshot::Receiver<bool>,
) -> Result<(), ClusterError> {
    let end = Instant::now() + HOLD;
    let is_spent = loop {
        match timeout(BRIEF_AGE / 4, &mut settled).await {
            Ok(is_spent) => break is_spent.unwrap_or(true),
            Err(_) if Instant::now() >= end => break true,
            Err(_) => revision = brief.update(key, &(), revision).await?,
        }
    };
    if is_spent {
        brief.update(key, &(), revision).await.map(drop)
    } else {
        brief.erase(revision).await
    }
}

enum Refused {
    Quota(SessionQuotaError),
    Cluster(ClusterError),
    Rest(qq_http::Error),
}

impl From<ClusterError> for Refused {
    fn from(error: ClusterError) -> Self {
        Self::Cluster(error)
    }
}

impl IdentifyQueue for ClusterIdentifyQueue {
    fn wait(&self, _: ShardId) -> IdentifyFuture<'_> {
        Box::pin(self.turn())
    }
}
