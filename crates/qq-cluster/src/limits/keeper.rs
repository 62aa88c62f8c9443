//! Keeping one client's share of each limit what it should be.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use async_nats::jetstream::kv::{Operation, Watch};
use data_encoding::BASE64URL_NOPAD;
use futures_util::StreamExt;
use qq_http::{LimitUsage, Route, SettledPlaces, SharedLimit, SharedLimits};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::plan::{Ledger, Own, Used};
use crate::members::{Membership, keepers_of_limits};
use crate::nats::{Bucket, Layout, interrupted};
use crate::{ClusterError, ClusterErrorKind};

/// What the keys of ledgers begin with.
const PREFIX: &str = "limit";
/// How often a limit is looked at whose places are wanted, or are being given back.
const LOOK: Duration = Duration::from_millis(250);
/// So many looks are between two of the slower ones: who lives, what is taken for long.
const SLOW: u32 = 4;
/// Places that are taken for longer than this are written down.
const LONG: Duration = Duration::from_secs(10 * 60);
/// How often a client that calls nobody is looked at, whether it is still there.
const IDLE: Duration = Duration::from_secs(60);
/// The pause after a failure.
const PAUSE: Duration = Duration::from_millis(250);
/// How often one change is tried that others are faster with, before the next look.
const TRIES: u32 = 8;

/// The share of one client.
pub(super) struct Keeper {
    claims: Bucket,
    members: Bucket,
    lease: Duration,
    shared: SharedLimits,
    entries: Vec<Entry>,
    requests: mpsc::Receiver<oneshot::Sender<()>>,
}

/// One limit.
struct Entry {
    key: String,
    limit: SharedLimit,
    /// What is written down, as far as is known, and its revision.
    ledger: Ledger,
    revision: Option<u64>,
    /// What the process has.
    given: u32,
    at_most: u32,
    /// Settled, and not written down yet.
    settled: Vec<Used>,
}

/// Why a share is kept no longer.
enum End {
    /// The client is gone.
    Gone,
    /// Everything was given back; somebody waits to hear it.
    Released(oneshot::Sender<()>),
}

impl Keeper {
    pub(super) fn new(
        layout: &Layout,
        lease: Duration,
        shared: SharedLimits,
        requests: mpsc::Receiver<oneshot::Sender<()>>,
    ) -> Self {
        let (alone, kept): (Vec<_>, Vec<_>) = shared.limits().iter().partition(|limit| {
            // Whoever starts asks for the gateway, and has to when others have died again and again.
            matches!(limit.route(), Route::GetGateway | Route::GetGatewayBot)
        });
        for limit in alone {
            limit.set_places(limit.places(), limit.places());
        }
        let entries = kept.into_iter().map(|limit| Entry {
            key: key(limit),
            limit: limit.clone(),
            ledger: Ledger::default(),
            revision: None,
            given: 0,
            at_most: limit.places(),
            settled: Vec::new(),
        });
        Self {
            claims: layout.claims.clone(),
            members: layout.members.clone(),
            lease,
            entries: entries.collect(),
            shared,
            requests,
        }
    }

    /// Keeps the share for as long as the client is there. Nothing is asked of NATS before a call is made.
    pub(super) async fn run(mut self) {
        loop {
            tokio::select! {
                () = self.shared.wanted() => {}
                Some(done) = self.requests.recv() => {
                    // Nobody hears it who waits no longer. The same holds below.
                    let _ = done.send(());
                    continue;
                }
                () = sleep(IDLE) => {
                    if self.is_gone() {
                        return;
                    }
                    continue;
                }
            }
            let membership = match Membership::keep_limits(self.members.clone(), self.lease).await {
                Ok(membership) => membership,
                Err(error) => {
                    tracing::warn!(error = ?error, "no share of the limits yet");
                    sleep(PAUSE).await;
                    // The calls still wait, so it is asked again.
                    self.close();
                    continue;
                }
            };
            let id: Box<str> = membership.id().into();
            let end = membership
                .lost()
                .clone()
                .run_until_cancelled(self.keep(&id))
                .await;
            match end {
                None => {
                    tracing::warn!(
                        "this process lost its share of the limits, and asks for another"
                    );
                    self.close();
                }
                Some(End::Gone) => return membership.leave().await,
                Some(End::Released(done)) => {
                    membership.leave().await;
                    self.close();
                    let _ = done.send(());
                }
            }
        }
    }

    /// Keeps the share under one place among the members.
    async fn keep(&mut self, id: &str) -> End {
        loop {
            match self.follow(id).await {
                Ok(end) => return end,
                Err(error) => {
                    tracing::debug!(error = ?error, "the shares of the limits are looked at again");
                    sleep(PAUSE).await;
                }
            }
        }
    }

    async fn follow(&mut self, id: &str) -> Result<End, ClusterError> {
        let mut changes = self.watch().await?;
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut looks = 0_u32;
        loop {
            let mut living = None;
            tokio::select! {
                change = changes.next() => {
                    let entry = change
                        .ok_or_else(|| ClusterError::new(ClusterErrorKind::Interrupted, "a watch ended"))?
                        .map_err(|error| interrupted("a watch broke", error))?;
                    let Some(at) = self.entries.iter().position(|own| own.key == entry.key) else {
                        continue;
                    };
                    self.entries[at].read(&entry.value, entry.operation, entry.revision);
                    if self.entries[at].is_due(id) {
                        self.balance(at, id, None).await?;
                    }
                    continue;
                }
                () = self.shared.wanted() => {}
                Some(done) = self.requests.recv() => {
                    self.release(id).await?;
                    return Ok(End::Released(done));
                }
                _ = look.tick() => {
                    looks += 1;
                    if looks.is_multiple_of(SLOW) {
                        if self.is_gone() {
                            return Ok(End::Gone);
                        }
                        if self.entries.iter().any(|entry| entry.is_due(id)) {
                            living = Some(keepers_of_limits(&self.members).await?);
                        }
                    }
                }
            }
            for at in 0..self.entries.len() {
                let entry = &self.entries[at];
                if entry.is_due(id) || (looks.is_multiple_of(SLOW) && entry.has_to_settle()) {
                    self.balance(at, id, living.as_ref()).await?;
                }
            }
        }
    }

    async fn watch(&self) -> Result<Watch, ClusterError> {
        self.claims
            .store()
            .watch_with_history(format!("{PREFIX}.>"))
            .await
            .map_err(|error| interrupted("a watch cannot be opened", error))
    }

    /// Takes what is wanted of a limit and free, and gives back what others want more.
    async fn balance(
        &mut self,
        at: usize,
        id: &str,
        mut living: Option<&BTreeSet<Box<str>>>,
    ) -> Result<(), ClusterError> {
        let Some(entry) = self.entries.get_mut(at) else {
            return Ok(());
        };
        for _ in 0..TRIES {
            if entry.limit.memory() >= LONG {
                entry.settle();
            }
            let Some(usage) = entry.usage() else {
                return Ok(());
            };
            let own = Own {
                id,
                whole: entry.limit.places(),
                memory: entry.limit.memory(),
                given: entry.given,
                taken: usage.taken,
                waiting: usage.waiting,
                is_wanted: usage.is_wanted,
                settled: &entry.settled,
            };
            let plan = own.plan(&entry.ledger, living, now());
            if plan.given < entry.given {
                // Before anybody else has them. What becomes free from now on is written down by the next look.
                entry.give(plan.given, plan.at_most);
            }
            match entry.save(&self.claims, plan.ledger).await {
                Ok(()) => {
                    entry.settled.clear();
                    entry.give(plan.given, plan.at_most);
                    return Ok(());
                }
                Err(error) if error.kind() == ClusterErrorKind::Conflict => {
                    entry.load(&self.claims).await?;
                    // Whoever is new in the ledger may live without having been seen.
                    living = None;
                }
                Err(error) => {
                    // It may have been written.
                    entry.load(&self.claims).await?;
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Gives back what is not taken, and writes down what is.
    async fn release(&mut self, id: &str) -> Result<(), ClusterError> {
        for entry in &mut self.entries {
            if entry.given == 0 && !entry.ledger.held.contains_key(id) {
                continue;
            }
            entry.give(0, entry.limit.places());
            for _ in 0..TRIES {
                entry.settle();
                let Some(usage) = entry.limit.usage() else {
                    break;
                };
                let own = Own {
                    id,
                    whole: entry.limit.places(),
                    memory: entry.limit.memory(),
                    given: 0,
                    taken: usage.taken,
                    waiting: 0,
                    is_wanted: false,
                    settled: &entry.settled,
                };
                let plan = own.plan(&entry.ledger, None, now());
                match entry.save(&self.claims, plan.ledger).await {
                    Ok(()) => {
                        entry.settled.clear();
                        break;
                    }
                    Err(error) if error.kind() == ClusterErrorKind::Conflict => {
                        entry.load(&self.claims).await?;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Has no share any longer. What was taken counts on in the ledger, as somebody's who is dead.
    fn close(&mut self) {
        for entry in &mut self.entries {
            drop(entry.limit.settle());
            entry.settled.clear();
            entry.given = 0;
            entry.at_most = entry.limit.places();
            entry.limit.set_places(0, entry.at_most);
        }
    }

    fn is_gone(&self) -> bool {
        self.entries
            .first()
            .is_none_or(|entry| entry.limit.usage().is_none())
    }
}

impl Entry {
    /// Whether there is something to do: places are wanted here or elsewhere, or given back.
    fn is_due(&self, id: &str) -> bool {
        let Some(usage) = self.limit.usage() else {
            return false;
        };
        let written = self.ledger.held.get(id);
        let is_hungry = usage.waiting > 0 && usage.taken >= self.given;
        let has_more_written =
            written.is_some_and(|written| written.places > usage.taken.max(self.given));
        let is_short = written.is_some_and(|written| written.is_short);
        usage.is_wanted
            || is_hungry
            || has_more_written
            || is_short
            || (self.given > 0 && self.ledger.is_another_short(id))
    }

    fn has_to_settle(&self) -> bool {
        self.limit.memory() >= LONG && self.limit.usage().is_some_and(|usage| usage.taken > 0)
    }

    fn settle(&mut self) {
        let (instant, now) = (Instant::now(), now());
        for SettledPlaces {
            free_at, places, ..
        } in self.limit.settle()
        {
            let left = free_at.saturating_duration_since(instant).as_millis();
            self.settled.push(Used {
                until: now.saturating_add(u64::try_from(left).unwrap_or(u64::MAX)),
                places,
            });
            self.given = self.given.saturating_sub(places);
        }
    }

    /// How the places are used; those that are taken no more are no more counted.
    fn usage(&self) -> Option<LimitUsage> {
        let usage = self.limit.usage()?;
        if usage.places > usage.taken.max(self.given) {
            return self.limit.set_places(self.given, self.at_most);
        }
        Some(usage)
    }

    fn give(&mut self, places: u32, at_most: u32) {
        if (places, at_most) != (self.given, self.at_most) {
            (self.given, self.at_most) = (places, at_most);
            self.limit.set_places(places, at_most);
        }
    }

    fn read(&mut self, value: &[u8], operation: Operation, revision: u64) {
        if self.revision.is_some_and(|known| known >= revision) {
            return;
        }
        self.revision = Some(revision);
        self.ledger = match operation {
            Operation::Put => serde_json::from_slice(value).unwrap_or_else(|error| {
                tracing::warn!(error = %error, key = self.key, "a ledger of a limit cannot be read, and is begun anew");
                Ledger::default()
            }),
            _ => Ledger::default(),
        };
    }

    async fn load(&mut self, claims: &Bucket) -> Result<(), ClusterError> {
        match claims.load_bytes(&self.key).await? {
            Some(entry) => {
                // Whoever watches may have been told more than is so, by a server that counts otherwise.
                self.revision = None;
                self.read(&entry.value, Operation::Put, entry.revision);
            }
            None => (self.ledger, self.revision) = (Ledger::default(), None),
        }
        Ok(())
    }

    async fn save(&mut self, claims: &Bucket, ledger: Ledger) -> Result<(), ClusterError> {
        if ledger == self.ledger {
            return Ok(());
        }
        let saved = match self.revision {
            Some(revision) => claims.update(&self.key, &ledger, revision).await,
            None => claims.create(&self.key, &ledger).await,
        };
        self.revision = Some(saved?);
        self.ledger = ledger;
        Ok(())
    }
}

/// The key of a limit's ledger: letters, digits and a few signs, whatever its name is.
fn key(limit: &SharedLimit) -> String {
    let (route, name) = (limit.route().id(), limit.name());
    let is_plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
    let is_whole = name.split('.').all(|part| !part.is_empty());
    if is_plain && is_whole {
        format!("{PREFIX}.{route}.{name}")
    } else {
        format!(
            "{PREFIX}.{route}.={}",
            BASE64URL_NOPAD.encode(name.as_bytes())
        )
    }
}

/// In milliseconds since 1970.
fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    u64::try_from(now.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}
