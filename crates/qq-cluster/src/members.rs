//! The processes of a cluster: each has an entry that vanishes unless it is renewed.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::nats::{Bucket, interrupted};
use crate::{ClusterError, ClusterErrorKind, Role};

/// A process of the cluster, as it describes itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Member {
    /// What tells it from the others; a process that was taken for dead comes back under another id.
    pub id: Box<str>,
    /// What it does.
    pub role: Role,
    /// The name of its machine, where that is known.
    pub host: Box<str>,
    /// Its process id.
    pub process: u32,
    /// Since when it takes part, in seconds since 1970.
    pub since: u64,
    /// How many shards it holds.
    pub shards: u32,
    /// How many partitions it works on.
    pub partitions: u32,
}

impl Member {
    /// This process, under a new id.
    pub(crate) fn new(role: Role) -> Self {
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            id: format!("{:016x}", fastrand::u64(..)).into(),
            role,
            host: std::env::var("HOSTNAME").unwrap_or_default().into(),
            process: std::process::id(),
            since: since.as_secs(),
            shards: 0,
            partitions: 0,
        }
    }

    fn key(&self) -> String {
        key(&self.id, self.role)
    }
}

/// This process's place among the members. Dropping it gives the place up when its lease ends.
#[derive(Debug)]
pub(crate) struct Membership {
    id: Box<str>,
    lost: CancellationToken,
    load: tokio::sync::watch::Sender<(u32, u32)>,
    leave: CancellationToken,
    renewal: AbortOnDropHandle<()>,
}

impl Membership {
    /// Takes a place among the members.
    pub(crate) async fn join(
        members: Bucket,
        role: Role,
        lease: Duration,
    ) -> Result<Self, ClusterError> {
        let member = Member::new(role);
        let asked = Instant::now();
        let revision = members.create(&member.key(), &member).await?;
        let (load, loads) = tokio::sync::watch::channel((0, 0));
        let lost = CancellationToken::new();
        let leave = CancellationToken::new();
        let renewal = Renewal {
            members,
            member: member.clone(),
            revision,
            lease,
            confirmed: asked,
            loads,
            leave: leave.clone(),
        };
        let is_over = lost.clone();
        Ok(Self {
            id: member.id,
            lost,
            load,
            leave,
            renewal: AbortOnDropHandle::new(tokio::spawn(async move {
                // However renewing ends, by a panic as well, nothing may be held any longer.
                let _guard = is_over.drop_guard();
                renewal.run().await;
            })),
        })
    }

    /// What tells this process from the others.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Cancelled when the process may no longer hold anything: others take it for dead, or will in a moment.
    pub(crate) const fn lost(&self) -> &CancellationToken {
        &self.lost
    }

    /// Says how much this process holds.
    pub(crate) fn describe(&self, shards: u32, partitions: u32) {
        self.load.send_if_modified(|load| {
            let is_news = *load != (shards, partitions);
            *load = (shards, partitions);
            is_news
        });
    }

    /// Gives the place up at once.
    pub(crate) async fn leave(self) {
        self.leave.cancel();
        // It ends after one request, which has a time-out.
        let _ = self.renewal.await;
    }
}

struct Renewal {
    members: Bucket,
    member: Member,
    revision: u64,
    lease: Duration,
    /// When the last request that NATS confirmed was made: its clock cannot have started earlier.
    confirmed: Instant,
    loads: tokio::sync::watch::Receiver<(u32, u32)>,
    leave: CancellationToken,
}

impl Renewal {
    async fn run(mut self) {
        let key = self.member.key();
        while !self.leave.is_cancelled() {
            let pause = sleep(self.lease / 4);
            tokio::select! {
                () = pause => {}
                () = self.leave.cancelled() => break,
                changed = self.loads.changed() => if changed.is_err() { break },
            }
            (self.member.shards, self.member.partitions) = *self.loads.borrow_and_update();
            if let Err(error) = self.renew(&key).await {
                tracing::warn!(error = ?error, "this process lost its place in the cluster");
                return;
            }
        }
        if let Err(error) = self.members.erase(self.revision).await {
            tracing::debug!(error = ?error, "the place in the cluster ends by itself");
        }
    }

    /// Renews the entry, again and again until it would be too late.
    async fn renew(&mut self, key: &str) -> Result<(), ClusterError> {
        // A fifth of the lease is left to stop in.
        let deadline = self.confirmed + self.lease * 4 / 5;
        let mut last = None;
        while Instant::now() < deadline {
            let asked = Instant::now();
            match timeout_at(
                deadline,
                self.members.update(key, &self.member, self.revision),
            )
            .await
            {
                Ok(Ok(revision)) => {
                    self.revision = revision;
                    self.confirmed = asked;
                    return Ok(());
                }
                Ok(Err(error)) if error.kind() == ClusterErrorKind::Conflict => {
                    // A renewal whose answer was lost looks like somebody else's.
                    match timeout_at(deadline, self.members.load::<Member>(key)).await {
                        Ok(Ok(Some(entry))) => self.revision = entry.revision,
                        Ok(Ok(None)) => return Err(error),
                        Ok(Err(error)) => last = Some(error),
                        Err(_) => break,
                    }
                }
                Ok(Err(error)) => {
                    last = Some(error);
                    sleep(self.lease / 50).await;
                }
                Err(_) => break,
            }
        }
        Err(last.unwrap_or_else(|| {
            ClusterError::new(
                ClusterErrorKind::Interrupted,
                "NATS did not confirm that this process lives",
            )
        }))
    }
}

/// The ids and roles of the members that live, by one request.
pub(crate) async fn living(members: &Bucket) -> Result<BTreeMap<Box<str>, Role>, ClusterError> {
    let store = members.store();
    let subjects = store
        .stream
        .info_with_subjects(format!("{}>", store.prefix))
        .await
        .map_err(|error| interrupted("NATS could not be asked for the members", error))?;
    use futures_util::TryStreamExt;
    subjects
        .try_filter_map(|(subject, _)| async move {
            Ok(subject.rsplit_once('.').and_then(|(start, id)| {
                let role = role_of(start.rsplit('.').next()?)?;
                Some((Box::from(id), role))
            }))
        })
        .try_collect()
        .await
        .map_err(|error| interrupted("NATS could not be asked for the members", error))
}

/// How the members that live describe themselves.
pub(crate) async fn describe(members: &Bucket) -> Result<Vec<Member>, ClusterError> {
    let mut list = Vec::new();
    for (id, role) in living(members).await? {
        // It may have gone since.
        if let Some(entry) = members.load(&key(&id, role)).await? {
            list.push(entry.value);
        }
    }
    Ok(list)
}

fn key(id: &str, role: Role) -> String {
    let role = match role {
        Role::Receiver => "receiver",
        Role::Worker => "worker",
        Role::Both => "both",
    };
    format!("{role}.{id}")
}

fn role_of(text: &str) -> Option<Role> {
    match text {
        "receiver" => Some(Role::Receiver),
        "worker" => Some(Role::Worker),
        "both" => Some(Role::Both),
        _ => None,
    }
}
