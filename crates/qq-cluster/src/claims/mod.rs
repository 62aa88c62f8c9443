//! Holding shards and partitions: each has one process at a time.
//!
//! A claim is an entry that names its holder. It counts as long as the holder is a member, so that one renewal keeps
//! everything that a process holds. Taking, changing and releasing name the revision that they replace.

mod balance;
mod table;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use self::balance::moves;
pub(crate) use self::table::Record;
use self::table::{Records, Table};
use crate::members::{Duty, Membership, living};
use crate::nats::{Bucket, interrupted};
use crate::{ClusterError, ClusterErrorKind};

/// A shard or partition that this process has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    /// Which one.
    pub(crate) number: u32,
    /// Grows with every holder: what an earlier holder still does carries a smaller one.
    pub(crate) epoch: u64,
    /// Whether the holder before seems to have died, and did not give it up.
    pub(crate) is_takeover: bool,
    /// What it died over; see [`Record`].
    pub(crate) floor: u64,
    pub(crate) deaths: u64,
}

/// What a process does with the things that it holds.
pub(crate) trait Tenant: Send + Sync + 'static {
    /// Works on a thing until `stop`, then finishes what it has begun. It is dropped when the process must not hold the
    /// thing any longer, and called again when it fails.
    fn hold(
        &self,
        claim: Claim,
        stop: CancellationToken,
    ) -> impl Future<Output = Result<(), ClusterError>> + Send;

    /// What a process died over that had the thing before: the first event that is left, and how often now.
    fn autopsy(
        &self,
        number: u32,
        before: &Record,
    ) -> impl Future<Output = Result<(u64, u64), ClusterError>> + Send;
}

/// Which things there are, and who may have them.
#[derive(Clone, Debug)]
pub(crate) struct Things {
    /// The bucket of claims.
    pub(crate) claims: Bucket,
    /// The bucket of members.
    pub(crate) members: Bucket,
    /// What keys begin with.
    pub(crate) prefix: String,
    /// How many there are.
    pub(crate) count: u32,
    /// Which members take part.
    pub(crate) takes_part: fn(Duty) -> bool,
}

/// How often the members are looked at.
const LOOK: Duration = Duration::from_millis(500);
/// The pause before a thing is worked on again after a failure.
const AFTER_FAILURE: Duration = Duration::from_millis(500);
/// How long handing one thing over may take before it is dropped as it is.
pub(crate) const HAND_OVER: Duration = Duration::from_secs(30);

/// Holds this process's share of the things until `stop`, then hands everything over.
///
/// # Errors
///
/// [`ClusterErrorKind::Interrupted`] when the process lost its place: nothing is held any longer.
pub(crate) async fn keep<T: Tenant>(
    things: &Things,
    membership: &Membership,
    tenant: &Arc<T>,
    held: &tokio::sync::watch::Sender<u32>,
    stop: &CancellationToken,
    deadline: Duration,
) -> Result<(), ClusterError> {
    let mut keeper = Keeper {
        things,
        me: membership.id().into(),
        table: Table::follow(things.claims.clone(), things.prefix.clone()),
        tenant: Arc::clone(tenant),
        held: HashMap::new(),
        tasks: JoinSet::new(),
        count: held,
    };
    let result = tokio::select! {
        biased;
        () = membership.lost().cancelled() => Err(ClusterError::new(
            ClusterErrorKind::Interrupted,
            "this process was taken for dead, or could not say that it lives",
        )),
        () = keeper.run(stop) => Ok(()),
    };
    if result.is_ok() {
        tokio::select! {
            () = keeper.hand_over_all(deadline) => {}
            () = membership.lost().cancelled() => {}
        }
    }
    // Nothing is worked on any longer when this returns.
    keeper.tasks.shutdown().await;
    held.send_replace(0);
    result
}

/// Who has what now, by what is written down: some of them may have died.
pub(crate) async fn holders(
    claims: &Bucket,
    prefix: &str,
) -> Result<BTreeMap<u32, Record>, ClusterError> {
    let store = claims.store();
    let failed = |error| interrupted("NATS could not be asked for the claims", error);
    let subjects: Vec<(String, usize)> = store
        .stream
        .info_with_subjects(format!("{}{prefix}.>", store.prefix))
        .await
        .map_err(|error| interrupted("NATS could not be asked for the claims", error))?
        .try_collect()
        .await
        .map_err(failed)?;
    let mut holders = BTreeMap::new();
    for (subject, _) in subjects {
        let key = subject.strip_prefix(&*store.prefix).unwrap_or(&subject);
        let number = key
            .rsplit('.')
            .next()
            .and_then(|number| number.parse().ok());
        // What was handed over has left a marker, and no entry.
        if let (Some(number), Some(entry)) = (number, claims.load::<Record>(key).await?) {
            holders.insert(number, entry.value);
        }
    }
    Ok(holders)
}

struct Keeper<'a, T> {
    things: &'a Things,
    me: Box<str>,
    table: Table,
    tenant: Arc<T>,
    held: HashMap<u32, Holding>,
    /// Ends with the keeper, and so does everything that is held.
    tasks: JoinSet<(u32, u64)>,
    count: &'a tokio::sync::watch::Sender<u32>,
}

struct Holding {
    revision: u64,
    stop: CancellationToken,
    task: AbortHandle,
}

impl<T: Tenant> Keeper<'_, T> {
    async fn run(&mut self, stop: &CancellationToken) {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = look.tick() => {}
                () = self.table.changed() => {}
                Some(ended) = self.tasks.join_next() => {
                    if let Ok((number, epoch)) = ended {
                        self.let_go(number, epoch).await;
                    }
                }
            }
            if let Err(error) = self.balance().await {
                tracing::debug!(error = ?error, "the {} are looked at again", self.things.prefix);
            }
        }
    }

    /// Takes what is free and hands over what is too much.
    async fn balance(&mut self) -> Result<(), ClusterError> {
        let mut records = self.table.records();
        self.drop_what_is_anothers(&mut records).await?;
        let living = self.living().await?;
        let mut holders: BTreeMap<u32, Box<str>> = records
            .iter()
            .map(|(number, (record, _))| (*number, record.member.clone()))
            .collect();
        // The table may lag behind what this process did itself.
        holders.retain(|number, holder| **holder != *self.me || self.held.contains_key(number));
        for number in self.held.keys() {
            holders.insert(*number, self.me.clone());
        }
        let moves = moves(self.things.count, &holders, &living, &self.me);
        for number in moves.release {
            if let Some(holding) = self.held.get(&number) {
                holding.stop.cancel();
            }
        }
        // Claims of this process that it does not know of: the answer to taking them got lost. They are taken again, or
        // given up, for nobody else would take them from somebody who lives.
        for (number, (record, revision)) in &records {
            let is_orphan = record.member == self.me && !self.held.contains_key(number);
            if is_orphan && !moves.take.contains(number) {
                let key = self.key(*number);
                let result = match self.things.claims.delete(&key, *revision).await {
                    Err(error) if error.kind() == ClusterErrorKind::Conflict => {
                        // The table lags: it was given up before, or is to be given up as it is now.
                        match self.look(*number).await? {
                            Some((now, revision)) if now.member == self.me => {
                                self.things.claims.delete(&key, revision).await
                            }
                            _ => Ok(()),
                        }
                    }
                    result => result,
                };
                result?;
            }
        }
        for number in moves.take {
            let before = records.get(&number);
            let result = match self.take(number, before).await {
                Err(error) if error.kind() == ClusterErrorKind::Conflict => {
                    // Another process was faster, which may have joined since; or the table lags.
                    let now = self.look(number).await?;
                    let living = self.living().await?;
                    let is_free = now.as_ref().is_none_or(|(record, _)| {
                        record.member == self.me || !living.contains(&record.member)
                    });
                    if !is_free || now.as_ref() == before {
                        continue;
                    }
                    self.take(number, now.as_ref()).await
                }
                result => result,
            };
            match result {
                Err(error) if error.kind() != ClusterErrorKind::Conflict => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// The members that take part and live now.
    async fn living(&self) -> Result<BTreeSet<Box<str>>, ClusterError> {
        let living = living(&self.things.members).await?.into_iter();
        Ok(living
            .filter(|(_, duty)| (self.things.takes_part)(*duty))
            .map(|(id, _)| id)
            .collect())
    }

    /// Who has a thing, as NATS says now.
    async fn look(&self, number: u32) -> Result<Option<(Record, u64)>, ClusterError> {
        let entry = self.things.claims.load(&self.key(number)).await?;
        Ok(entry.map(|entry| (entry.value, entry.revision)))
    }

    async fn take(
        &mut self,
        number: u32,
        before: Option<&(Record, u64)>,
    ) -> Result<(), ClusterError> {
        let key = self.key(number);
        let mut record = Record {
            member: self.me.clone(),
            floor: 0,
            deaths: 0,
        };
        let revision = match before {
            None => self.things.claims.create(&key, &record).await?,
            Some((last, revision)) if last.member == self.me => {
                (record.floor, record.deaths) = (last.floor, last.deaths);
                self.things.claims.update(&key, &record, *revision).await?
            }
            Some((last, revision)) => {
                (record.floor, record.deaths) = self.tenant.autopsy(number, last).await?;
                self.things.claims.update(&key, &record, *revision).await?
            }
        };
        tracing::info!(
            thing = key,
            epoch = revision,
            is_takeover = before.is_some(),
            "taken"
        );
        let claim = Claim {
            number,
            epoch: revision,
            is_takeover: before.is_some(),
            floor: record.floor,
            deaths: record.deaths,
        };
        let stop = CancellationToken::new();
        let tenant = Arc::clone(&self.tenant);
        let end = stop.clone();
        let task = self.tasks.spawn(async move {
            while let Err(error) = tenant.hold(claim.clone(), end.clone()).await {
                tracing::warn!(error = ?error, thing = key, "begun again");
                // Somebody else has it, so there is nothing to begin again.
                if end.is_cancelled() || error.kind() == ClusterErrorKind::Conflict {
                    break;
                }
                sleep(AFTER_FAILURE).await;
            }
            (claim.number, claim.epoch)
        });
        let holding = Holding {
            revision,
            stop,
            task,
        };
        self.held.insert(number, holding);
        self.say_how_many();
        Ok(())
    }

    /// Stops at once what another process has by now, and mends what the table says of the rest. It should not come to that
    /// while this process lives; but a server that has just become the leader may know less than it should.
    async fn drop_what_is_anothers(&mut self, records: &mut Records) -> Result<(), ClusterError> {
        let suspects: Vec<u32> = self
            .held
            .iter()
            .filter(|(number, holding)| {
                records.get(*number).is_some_and(|(record, revision)| {
                    record.member != self.me && *revision > holding.revision
                })
            })
            .map(|(number, _)| *number)
            .collect();
        for number in suspects {
            match self.look(number).await? {
                Some(now) if now.0.member == self.me => drop(records.insert(number, now)),
                _ => {
                    tracing::warn!(thing = self.key(number), "another process has it");
                    if let Some(holding) = self.held.remove(&number) {
                        holding.task.abort();
                    }
                    self.say_how_many();
                }
            }
        }
        Ok(())
    }

    fn say_how_many(&self) {
        let count = u32::try_from(self.held.len()).unwrap_or(u32::MAX);
        self.count.send_if_modified(|said| {
            let is_news = *said != count;
            *said = count;
            is_news
        });
    }

    /// Gives the claim of a thing up whose work has ended.
    async fn let_go(&mut self, number: u32, epoch: u64) {
        let is_over = self
            .held
            .get(&number)
            .is_none_or(|holding| holding.revision != epoch);
        // Another process has it, or this one again.
        if is_over {
            return;
        }
        self.held.remove(&number);
        self.say_how_many();
        let key = self.key(number);
        match self.things.claims.delete(&key, epoch).await {
            Ok(()) => tracing::info!(thing = key, "handed over"),
            // The claim ends with this process's place among the members.
            Err(error) => {
                tracing::warn!(error = ?error, thing = key, "the claim could not be given up");
            }
        }
    }

    async fn hand_over_all(&mut self, deadline: Duration) {
        for holding in self.held.values() {
            holding.stop.cancel();
        }
        let end = Instant::now() + deadline.min(HAND_OVER);
        while let Ok(Some(ended)) = timeout(
            end.saturating_duration_since(Instant::now()),
            self.tasks.join_next(),
        )
        .await
        {
            if let Ok((number, epoch)) = ended {
                self.let_go(number, epoch).await;
            }
        }
        // What could not finish is dropped before its claim is given up.
        self.tasks.shutdown().await;
        let left: Vec<(u32, u64)> = self
            .held
            .iter()
            .map(|(number, holding)| (*number, holding.revision))
            .collect();
        for (number, epoch) in left {
            self.let_go(number, epoch).await;
        }
    }

    fn key(&self, number: u32) -> String {
        format!("{}.{number}", self.things.prefix)
    }
}
