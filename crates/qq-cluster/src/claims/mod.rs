//! Holding shards and partitions: each has one process at a time.
//!
//! A claim is an entry that names its holder. It counts as long as the holder is a member, so that one renewal keeps
//! everything that a process holds. Taking, changing and releasing name the revision that they replace.

mod balance;
mod claimer;
mod table;

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use self::balance::moves;
use self::claimer::Claimer;
pub(crate) use self::table::Record;
use self::table::{Records, Table};
use crate::members::{Duty, Membership};
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
/// How many things are taken at a time.
const AT_ONCE: usize = 16;
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
        claimer: Claimer {
            things,
            me: membership.id().into(),
            tenant: Arc::clone(tenant),
        },
        table: Table::follow(things.claims.clone(), things.prefix.clone()),
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
            () = keeper.hand_over_all(membership, deadline) => {}
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
    claimer: Claimer<'a, T>,
    table: Table,
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
                    let others = std::iter::from_fn(|| self.tasks.try_join_next());
                    let ended: Vec<_> = std::iter::once(ended).chain(others).flatten().collect();
                    self.give_up(&ended).await;
                }
            }
            if let Err(error) = self.balance().await {
                tracing::debug!(error = ?error, "the {} are looked at again", self.claimer.things.prefix);
            }
        }
    }

    /// Takes what is free and hands over what is too much.
    async fn balance(&mut self) -> Result<(), ClusterError> {
        let mut records = self.table.records();
        self.drop_what_is_anothers(&mut records).await?;
        let Claimer { things, me, .. } = &self.claimer;
        let present = self.claimer.present().await?;
        let mut holders: BTreeMap<u32, Box<str>> = records
            .iter()
            .map(|(number, (record, _))| (*number, record.member.clone()))
            .collect();
        // The table may lag behind what this process did itself.
        holders.retain(|number, holder| holder != me || self.held.contains_key(number));
        for number in self.held.keys() {
            holders.insert(*number, me.clone());
        }
        let moves = moves(things.count, &holders, &present, me);
        for number in moves.release {
            if let Some(holding) = self.held.get(&number) {
                holding.stop.cancel();
            }
        }
        // Claims of this process that it does not know of: the answer to taking them got lost. They are taken again, or
        // given up, for nobody else would take them from somebody who lives.
        for (number, (record, revision)) in &records {
            let is_orphan = record.member == *me && !self.held.contains_key(number);
            if is_orphan && !moves.take.contains(number) {
                let key = self.claimer.key(*number);
                let result = match things.claims.delete(&key, *revision).await {
                    Err(error) if error.kind() == ClusterErrorKind::Conflict => {
                        // The table lags: it was given up before, or is to be given up as it is now.
                        match self.claimer.look(*number).await? {
                            Some((now, revision)) if now.member == *me => {
                                things.claims.delete(&key, revision).await
                            }
                            _ => Ok(()),
                        }
                    }
                    result => result,
                };
                result?;
            }
        }
        let claimer = self.claimer.clone();
        let mut taking = stream::iter(moves.take)
            .map(|number| claimer.clone().take(number, records.remove(&number)))
            .buffer_unordered(AT_ONCE);
        let mut result = Ok(());
        while let Some(taken) = taking.next().await {
            match taken {
                Ok(Some(claim)) => self.begin(claim),
                Ok(None) => {}
                Err(error) => result = Err(error),
            }
        }
        result
    }

    /// Works on a thing that was taken.
    fn begin(&mut self, claim: Claim) {
        let (number, revision) = (claim.number, claim.epoch);
        let stop = CancellationToken::new();
        let tenant = Arc::clone(&self.claimer.tenant);
        let thing = self.claimer.key(number);
        let end = stop.clone();
        let task = self.tasks.spawn(async move {
            work(&*tenant, &claim, &thing, &end).await;
            (claim.number, claim.epoch)
        });
        let holding = Holding {
            revision,
            stop,
            task,
        };
        self.held.insert(number, holding);
        self.say_how_many();
    }

    /// Stops at once what another process has by now, and mends what the table says of the rest. It should not come to that
    /// while this process lives; but a server that has just become the leader may know less than it should.
    async fn drop_what_is_anothers(&mut self, records: &mut Records) -> Result<(), ClusterError> {
        let suspects: Vec<u32> = self
            .held
            .iter()
            .filter(|(number, holding)| {
                records.get(*number).is_some_and(|(record, revision)| {
                    record.member != self.claimer.me && *revision > holding.revision
                })
            })
            .map(|(number, _)| *number)
            .collect();
        for number in suspects {
            match self.claimer.look(number).await? {
                Some(now) if now.0.member == self.claimer.me => drop(records.insert(number, now)),
                _ => {
                    tracing::warn!(thing = self.claimer.key(number), "another process has it");
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

    /// Forgets a thing whose work has ended; whether its claim is still this process's to give up.
    fn forget(&mut self, number: u32, epoch: u64) -> bool {
        let is_mine = self
            .held
            .get(&number)
            .is_some_and(|holding| holding.revision == epoch);
        // Otherwise another process has it, or this one again.
        if is_mine {
            self.held.remove(&number);
            self.say_how_many();
        }
        is_mine
    }

    /// Gives up things whose work has ended.
    async fn give_up(&mut self, ended: &[(u32, u64)]) {
        let claimer = self.claimer.clone();
        let giving_up: FuturesUnordered<_> = ended
            .iter()
            .filter(|(number, epoch)| self.forget(*number, *epoch))
            .map(|(number, epoch)| claimer.clone().give_up(*number, *epoch))
            .collect();
        giving_up.collect::<()>().await;
    }

    /// Finishes everything side by side, and gives up each thing when it is finished.
    async fn hand_over_all(&mut self, membership: &Membership, deadline: Duration) {
        for holding in self.held.values() {
            holding.stop.cancel();
        }
        // Before anything is free: whoever has its share otherwise would leave it.
        membership.retire().await;
        let end = sleep_until(Instant::now() + deadline.min(HAND_OVER));
        tokio::pin!(end);
        let claimer = self.claimer.clone();
        let mut giving_up = FuturesUnordered::new();
        loop {
            tokio::select! {
                ended = self.tasks.join_next() => match ended {
                    Some(Ok((number, epoch))) => if self.forget(number, epoch) {
                        giving_up.push(claimer.clone().give_up(number, epoch));
                    },
                    // It panicked; its claim is given up with what is left.
                    Some(Err(_)) => {}
                    None => break,
                },
                Some(()) = giving_up.next() => {}
                () = &mut end => break,
            }
        }
        // What could not finish is dropped before its claim is given up.
        self.tasks.shutdown().await;
        for (number, holding) in self.held.drain() {
            giving_up.push(claimer.clone().give_up(number, holding.revision));
        }
        self.say_how_many();
        while giving_up.next().await.is_some() {}
    }
}

/// Works on a thing until `stop`, again after failures.
async fn work<T: Tenant>(tenant: &T, claim: &Claim, thing: &str, stop: &CancellationToken) {
    while let Err(error) = tenant.hold(claim.clone(), stop.clone()).await {
        // Somebody else has it, so there is nothing to begin again; or the process stops, which may be the cause of the failure
        // and be known here a moment later.
        let is_over = error.kind() == ClusterErrorKind::Conflict
            || stop
                .run_until_cancelled(sleep(AFTER_FAILURE))
                .await
                .is_none();
        if is_over {
            tracing::info!(error = ?error, thing, "ended");
            break;
        }
        tracing::warn!(error = ?error, thing, "begun again");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// Fails whenever it is begun, and counts how often that was.
    #[derive(Default)]
    struct Failing(AtomicU32);

    impl Tenant for Failing {
        async fn hold(&self, _: Claim, _: CancellationToken) -> Result<(), ClusterError> {
            self.0.fetch_add(1, Ordering::Relaxed);
            let failed = "the process gives its events up";
            Err(ClusterError::new(ClusterErrorKind::Interrupted, failed))
        }

        async fn autopsy(&self, _: u32, _: &Record) -> Result<(u64, u64), ClusterError> {
            Ok((0, 0))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_is_begun_again_and_a_stop_does_not_wait_for_that() {
        let tenant = Failing::default();
        let claim = Claim {
            number: 1,
            epoch: 1,
            is_takeover: false,
            floor: 0,
            deaths: 0,
        };
        let stop = CancellationToken::new();
        let begun = Instant::now();
        let stopped = async {
            sleep(AFTER_FAILURE * 5 / 2).await;
            stop.cancel();
        };
        tokio::join!(work(&tenant, &claim, "thing.1", &stop), stopped);
        assert_eq!(begun.elapsed(), AFTER_FAILURE * 5 / 2);
        assert_eq!(tenant.0.load(Ordering::Relaxed), 3);
    }
}
