//! Who may IDENTIFY when, among all processes of the cluster.

mod gateway;

pub(crate) use self::gateway::{ClusterGateway, Unanswered};

use std::sync::Arc;
use std::time::Duration;

use qq_gateway::{IdentifyFuture, IdentifyQueue, IdentifyTurn, SessionQuotaError};
use qq_model::gateway::ShardId;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

use self::gateway::Session;
use crate::nats::{BRIEF_AGE, Bucket, Layout};
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
    gateway: ClusterGateway,
    /// One shard of this process asks at a time, so that they come in order.
    door: tokio::sync::Semaphore,
}

impl ClusterIdentifyQueue {
    pub(crate) fn new(layout: &Layout, gateway: ClusterGateway) -> Arc<Self> {
        Arc::new(Self {
            brief: layout.brief.clone(),
            gateway,
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
                Err(Refused::Unanswered(error)) => {
                    tracing::warn!(error = ?error, "asks for a turn to identify again");
                    AFTER_FAILURE
                }
            };
            // Processes that wait for the same slot must not ask in step.
            sleep(pause + pause.mul_f32(fastrand::f32())).await;
        }
    }

    async fn try_turn(&self) -> Result<Option<IdentifyTurn>, Refused> {
        let slots = self.gateway.answer().await?.slots;
        let Some(turn) = self.take(slots).await? else {
            return Ok(None);
        };
        // Returning without the turn gives the slot back.
        match self.gateway.take_session().await? {
            Session::Granted => Ok(Some(turn)),
            Session::Later => Ok(None),
            Session::UsedUp(error) => Err(Refused::Quota(error)),
        }
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
    Unanswered(Unanswered),
}

impl<E: Into<Unanswered>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Unanswered(error.into())
    }
}

impl IdentifyQueue for ClusterIdentifyQueue {
    fn wait(&self, _: ShardId) -> IdentifyFuture<'_> {
        Box::pin(self.turn())
    }
}
