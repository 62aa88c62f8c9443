//! The processes of a cluster: each has an entry that vanishes unless it is renewed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::nats::{Bucket, Pace, interrupted};
use crate::{ClusterError, ClusterErrorKind, ClusterStats, Role};

/// A process of the cluster, as it describes itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Member {
    /// What tells it from the others; a process that was taken for dead comes back under another id.
    pub id: Box<str>,
    /// What it does.
    pub role: Role,
    /// Whether it receives by webhook, and holds no shards.
    #[serde(default)]
    pub has_webhook: bool,
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
    /// What it has done; up to a quarter of a lease old.
    #[serde(default)]
    pub stats: ClusterStats,
}

impl Member {
    /// This process, under a new id.
    pub(crate) fn new(duty: Duty) -> Self {
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            id: format!("{:016x}", fastrand::u64(..)).into(),
            role: duty.role,
            has_webhook: duty.has_webhook,
            host: std::env::var("HOSTNAME").unwrap_or_default().into(),
            process: std::process::id(),
            since: since.as_secs(),
            shards: 0,
            partitions: 0,
            stats: ClusterStats::default(),
        }
    }
}

/// What of the work is a member's; the start of its key says so, and one request tells the duties of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Duty {
    pub(crate) role: Role,
    /// Its events come by webhook.
    pub(crate) has_webhook: bool,
}

impl Duty {
    const ALL: [Self; 5] = [
        Self::gateway(Role::Receiver),
        Self::gateway(Role::Worker),
        Self::gateway(Role::Both),
        Self::webhook(Role::Receiver),
        Self::webhook(Role::Both),
    ];

    /// Of a process that has no webhook.
    pub(crate) const fn gateway(role: Role) -> Self {
        Self {
            role,
            has_webhook: false,
        }
    }

    /// Of a process that has one.
    pub(crate) const fn webhook(role: Role) -> Self {
        Self {
            role,
            has_webhook: true,
        }
    }

    /// Whether it holds shards of the gateway.
    pub(crate) const fn holds_shards(self) -> bool {
        self.role.receives() && !self.has_webhook
    }

    /// Whether it works on partitions.
    pub(crate) const fn works(self) -> bool {
        self.role.works()
    }

    const fn label(self) -> &'static str {
        match (self.role, self.has_webhook) {
            (Role::Receiver, false) => "receiver",
            (Role::Receiver, true) => "webhook",
            // A webhook of a worker is its own affair: it holds partitions all the same.
            (Role::Worker, _) => "worker",
            (Role::Both, false) => "both",
            (Role::Both, true) => "webhook-both",
        }
    }

    fn of_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|duty| duty.label() == label)
    }
}

/// What the keys of those begin with who have a share of the rate limits.
const LIMITS: &str = "limits";
/// What the second keys of those begin with who are about to go.
const LEAVING: &str = "leaving";
/// How long handing over may be held up by saying so.
const SAY: Duration = Duration::from_millis(500);

fn key(label: &str, id: &str) -> String {
    format!("{label}.{id}")
}

/// This process's place among the members. Dropping it gives the place up when its lease ends.
#[derive(Debug)]
pub(crate) struct Membership {
    id: Box<str>,
    lost: CancellationToken,
    load: tokio::sync::watch::Sender<Load>,
    /// Cancelled when the others were told that this process is about to go.
    told: CancellationToken,
    leave: CancellationToken,
    renewal: AbortOnDropHandle<()>,
}

impl Membership {
    /// Takes a place among the members.
    pub(crate) async fn join(
        members: Bucket,
        duty: Duty,
        lease: Duration,
    ) -> Result<Self, ClusterError> {
        Self::enter(members, Member::new(duty), duty.label(), lease).await
    }

    /// Takes a place among those who have a share of the rate limits.
    pub(crate) async fn keep_limits(
        members: Bucket,
        lease: Duration,
    ) -> Result<Self, ClusterError> {
        Self::enter(
            members,
            Member::new(Duty::gateway(Role::Both)),
            LIMITS,
            lease,
        )
        .await
    }

    async fn enter(
        members: Bucket,
        member: Member,
        label: &str,
        lease: Duration,
    ) -> Result<Self, ClusterError> {
        let key = key(label, &member.id);
        let (asked, revision) = announce(&members, &key, &member, lease).await?;
        let (load, loads) = tokio::sync::watch::channel(Load::default());
        let lost = CancellationToken::new();
        let told = CancellationToken::new();
        let leave = CancellationToken::new();
        let renewal = Renewal {
            members,
            key,
            member: member.clone(),
            revision,
            lease,
            confirmed: asked,
            loads,
            told: told.clone(),
            farewell: None,
            leave: leave.clone(),
        };
        let is_over = lost.clone();
        Ok(Self {
            id: member.id,
            lost,
            load,
            told,
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
            let is_news = (load.shards, load.partitions) != (shards, partitions);
            (load.shards, load.partitions) = (shards, partitions);
            is_news
        });
    }

    /// Says what this process has done; it is told with the next renewal.
    pub(crate) fn note(&self, stats: ClusterStats) {
        self.load.send_if_modified(|load| {
            load.stats = stats;
            false
        });
    }

    /// Tells the others that this process takes nothing more and hands over what it has: each thing has another holder as soon
    /// as it is free, and not only when the place is given up.
    pub(crate) async fn retire(&self) {
        self.load
            .send_if_modified(|load| !std::mem::replace(&mut load.is_leaving, true));
        if timeout(SAY, self.told.cancelled()).await.is_err() {
            tracing::debug!("the others hear that this process leaves when it has left");
        }
    }

    /// Gives the place up at once.
    pub(crate) async fn leave(self) {
        self.leave.cancel();
        // It ends after one request, which has a time-out.
        let _ = self.renewal.await;
    }
}

/// Writes a member's entry, again while NATS does not answer; when the request was made that NATS confirmed, and the
/// entry's revision.
async fn announce(
    members: &Bucket,
    key: &str,
    member: &Member,
    lease: Duration,
) -> Result<(Instant, u64), ClusterError> {
    let end = Instant::now() + lease;
    let mut pace = Pace::new();
    let mut known = None;
    loop {
        let asked = Instant::now();
        let result = match known {
            None => members.create(key, member).await,
            Some(revision) => members.update(key, member, revision).await,
        };
        let error = match result {
            Ok(revision) => return Ok((asked, revision)),
            Err(error) => error,
        };
        if !error.is_retryable() || Instant::now() >= end {
            return Err(error);
        }
        if error.kind() == ClusterErrorKind::Conflict {
            // The id is nobody else's, so the answer to an earlier attempt got lost. The entry may be gone by now.
            let entry = members.load::<Member>(key).await?;
            known = entry.map(|entry| entry.revision);
        }
        pace.wait().await;
    }
}

/// What a member says of itself that changes.
#[derive(Clone, Copy, Debug, Default)]
struct Load {
    shards: u32,
    partitions: u32,
    stats: ClusterStats,
    is_leaving: bool,
}

struct Renewal {
    members: Bucket,
    key: String,
    member: Member,
    revision: u64,
    lease: Duration,
    /// When the last request that NATS confirmed was made: its clock cannot have started earlier.
    confirmed: Instant,
    loads: tokio::sync::watch::Receiver<Load>,
    told: CancellationToken,
    /// The revision of the entry that says that it is about to go.
    farewell: Option<u64>,
    leave: CancellationToken,
}

impl Renewal {
    async fn run(mut self) {
        while !self.leave.is_cancelled() {
            let pause = sleep(self.lease / 4);
            tokio::select! {
                () = pause => {}
                () = self.leave.cancelled() => break,
                changed = self.loads.changed() => if changed.is_err() { break },
            }
            let load = *self.loads.borrow_and_update();
            (self.member.shards, self.member.partitions) = (load.shards, load.partitions);
            self.member.stats = load.stats;
            if let Err(error) = self.renew().await {
                tracing::warn!(error = ?error, "this process lost its place in the cluster");
                return;
            }
            if load.is_leaving {
                self.say_that_it_leaves().await;
            }
        }
        // The place first: without it the other entry means nothing.
        for revision in [Some(self.revision), self.farewell].into_iter().flatten() {
            if let Err(error) = self.members.erase(revision).await {
                tracing::debug!(error = ?error, "the place in the cluster ends by itself");
            }
        }
    }

    /// Writes the entry that says so, or renews it.
    async fn say_that_it_leaves(&mut self) {
        let key = key(LEAVING, &self.member.id);
        match self.members.put(&key, &()).await {
            Ok(revision) => self.farewell = Some(revision),
            // Those who do not hear of it wait until it has left.
            Err(error) => tracing::debug!(error = ?error, "the others were not told"),
        }
        self.told.cancel();
    }

    /// Renews the entry, again and again until it would be too late.
    async fn renew(&mut self) -> Result<(), ClusterError> {
        // A fifth of the lease is left to stop in.
        let deadline = self.confirmed + self.lease * 4 / 5;
        let mut pace = Pace::new();
        let mut last = None;
        while Instant::now() < deadline {
            let asked = Instant::now();
            match timeout_at(
                deadline,
                self.members.update(&self.key, &self.member, self.revision),
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
                    match timeout_at(deadline, self.members.load::<Member>(&self.key)).await {
                        Ok(Ok(Some(entry))) => self.revision = entry.revision,
                        Ok(Ok(None)) => return Err(error),
                        Ok(Err(error)) => last = Some(error),
                        Err(_) => break,
                    }
                }
                Ok(Err(error)) => {
                    last = Some(error);
                    sleep(pace.pause().min(self.lease / 10)).await;
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

/// What the others know of a member that lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Presence {
    pub(crate) duty: Duty,
    /// It hands over what it has, and takes nothing more.
    pub(crate) is_leaving: bool,
}

/// The members that live, by their ids, by one request.
pub(crate) async fn living(members: &Bucket) -> Result<BTreeMap<Box<str>, Presence>, ClusterError> {
    let store = members.store();
    let subjects = store
        .stream
        .info_with_subjects(format!("{}>", store.prefix))
        .await
        .map_err(|error| interrupted("NATS could not be asked for the members", error))?;
    use futures_util::TryStreamExt;
    let subjects: Vec<(String, usize)> = subjects
        .try_collect()
        .await
        .map_err(|error| interrupted("NATS could not be asked for the members", error))?;
    Ok(presences(subjects.iter().map(|(subject, _)| &**subject)))
}

/// Who lives, by the keys of the members, whatever they begin with.
fn presences<'a>(subjects: impl Iterator<Item = &'a str> + Clone) -> BTreeMap<Box<str>, Presence> {
    let entries = subjects.filter_map(|subject| {
        let (start, id) = subject.rsplit_once('.')?;
        Some((start.rsplit('.').next()?, id))
    });
    let leaving: BTreeSet<&str> = entries
        .clone()
        .filter(|(label, _)| *label == LEAVING)
        .map(|(_, id)| id)
        .collect();
    entries
        .filter_map(|(label, id)| {
            let duty = Duty::of_label(label)?;
            let is_leaving = leaving.contains(id);
            Some((id.into(), Presence { duty, is_leaving }))
        })
        .collect()
}

/// How the members that live describe themselves.
pub(crate) async fn describe(members: &Bucket) -> Result<Vec<Member>, ClusterError> {
    let mut list = Vec::new();
    for (id, presence) in living(members).await? {
        // It may have gone since.
        if let Some(entry) = members.load(&key(presence.duty.label(), &id)).await? {
            list.push(entry.value);
        }
    }
    Ok(list)
}

/// The ids of those who have a share of the rate limits, by one request.
pub(crate) async fn keepers_of_limits(
    members: &Bucket,
) -> Result<BTreeSet<Box<str>>, ClusterError> {
    use futures_util::TryStreamExt;
    let store = members.store();
    let failed = |error| interrupted("NATS could not be asked for the members", error);
    store
        .stream
        .info_with_subjects(format!("{}{LIMITS}.>", store.prefix))
        .await
        .map_err(|error| interrupted("NATS could not be asked for the members", error))?
        .try_filter_map(|(subject, _)| async move {
            Ok(subject.rsplit_once('.').map(|(_, id)| Box::from(id)))
        })
        .try_collect()
        .await
        .map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_leaves_lives_and_whoever_has_left_does_not() {
        let subjects = [
            "$KV.q-members.worker.1",
            "$KV.q-members.both.2",
            "$KV.q-members.leaving.2",
            "$KV.q-members.leaving.3",
            "$KV.q-members.limits.4",
            "$KV.q-members.newer.5",
        ];
        let presence = |role, is_leaving| Presence {
            duty: Duty::gateway(role),
            is_leaving,
        };
        assert_eq!(
            presences(subjects.into_iter()),
            BTreeMap::from([
                ("1".into(), presence(Role::Worker, false)),
                ("2".into(), presence(Role::Both, true)),
            ])
        );
    }
}
