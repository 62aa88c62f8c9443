//! One process of the cluster: joins, holds its share, and joins again when it was taken for dead.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use crate::claims::{HAND_OVER, Things, keep};
use crate::cluster::Cluster;
use crate::members::{Duty, Membership};
use crate::receiver::Receiver;
use crate::worker::{Handle, Worker};
use crate::{ClusterError, ClusterErrorKind};

/// The pause before a process that lost its place asks for another.
const PAUSE: Duration = Duration::from_millis(500);

/// What a process tells whoever runs it.
#[derive(Debug)]
pub(crate) enum ProcessNews {
    /// It takes part, under this id.
    Joined(Box<str>),
    /// It lost its place, and asks for another.
    Lost(ClusterError),
    /// It cannot take part, and has ended.
    Refused(ClusterError),
}

/// What a process does.
pub(crate) struct Process<H> {
    pub(crate) cluster: Cluster,
    pub(crate) duty: Duty,
    /// What holds shards, when the process receives from a gateway.
    pub(crate) receiver: Option<Arc<Receiver>>,
    pub(crate) worker: Option<Arc<Worker<H>>>,
    pub(crate) news: mpsc::Sender<ProcessNews>,
    pub(crate) stop: CancellationToken,
}

impl<H: Handle> Process<H> {
    /// Takes part until it is stopped.
    pub(crate) async fn run(self) {
        while !self.stop.is_cancelled() {
            let result = match self.stop.run_until_cancelled(self.join()).await {
                None => return,
                Some(Ok(membership)) => {
                    // Nobody hears it when the process ends. The same holds below.
                    let _ = self
                        .news
                        .send(ProcessNews::Joined(membership.id().into()))
                        .await;
                    let result = Box::pin(self.take_part(&membership)).await;
                    if result.is_ok() {
                        membership.leave().await;
                    }
                    result
                }
                Some(Err(error)) => Err(error),
            };
            match result {
                Ok(()) => return,
                Err(error) if error.kind() == ClusterErrorKind::Rival => {
                    let _ = self.news.send(ProcessNews::Refused(error)).await;
                    return;
                }
                Err(error) => {
                    tracing::warn!(error = ?error, "this process asks for another place in the cluster");
                    let _ = self.news.send(ProcessNews::Lost(error)).await;
                    self.stop.run_until_cancelled(sleep(PAUSE)).await;
                }
            }
        }
    }

    async fn join(&self) -> Result<Membership, ClusterError> {
        let members = self.cluster.layout().members.clone();
        let membership = Membership::join(members, self.duty, self.cluster.config().lease).await?;
        // Another cluster may have been enrolled while no process of this one lived.
        if let Err(error) = self.cluster.enrol().await {
            membership.leave().await;
            return Err(error);
        }
        Ok(membership)
    }

    async fn take_part(&self, membership: &Membership) -> Result<(), ClusterError> {
        let layout = self.cluster.layout();
        let things = |prefix, count, takes_part| Things {
            claims: layout.claims.clone(),
            members: layout.members.clone(),
            prefix,
            count,
            takes_part,
        };
        let (shards, partitions) = (watch::Sender::new(0), watch::Sender::new(0));
        let receive = async {
            match &self.receiver {
                None => self.until_over(membership).await,
                Some(receiver) => {
                    let things = things(
                        format!("shard.{}", receiver.shards),
                        receiver.shards,
                        Duty::holds_shards,
                    );
                    keep(
                        &things, membership, receiver, &shards, &self.stop, HAND_OVER,
                    )
                    .await
                }
            }
        };
        let work = async {
            match &self.worker {
                None => self.until_over(membership).await,
                Some(worker) => {
                    let count = self.cluster.config().partitions.into();
                    let things = things("partition".to_owned(), count, Duty::works);
                    keep(
                        &things,
                        membership,
                        worker,
                        &partitions,
                        &self.stop,
                        HAND_OVER,
                    )
                    .await
                }
            }
        };
        let describe = async {
            let (mut shards, mut partitions) = (shards.subscribe(), partitions.subscribe());
            // Twice for each renewal.
            let mut note = interval(self.cluster.config().lease / 8);
            note.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                membership.describe(*shards.borrow_and_update(), *partitions.borrow_and_update());
                tokio::select! {
                    Ok(()) = shards.changed() => {}
                    Ok(()) = partitions.changed() => {}
                    _ = note.tick() => membership.note(self.cluster.stats()),
                }
            }
        };
        tokio::select! {
            (received, worked) = async { tokio::join!(receive, work) } => received.and(worked),
            never = describe => never,
        }
    }

    /// For what this process does not do.
    async fn until_over(&self, membership: &Membership) -> Result<(), ClusterError> {
        tokio::select! {
            () = self.stop.cancelled() => {}
            // The other half says so.
            () = membership.lost().cancelled() => {}
        }
        Ok(())
    }
}
