//! Handling what was published: a partition has one worker at a time.

mod consumer;
mod dead;
mod gate;
mod receipt;
mod recent;
mod stored;

pub(crate) use self::recent::Recent;

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::jetstream::stream::Stream;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use qq_model::gateway::Envelope;
use qq_model::{Dispatch, JsonText};
use tokio::sync::Semaphore;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use self::consumer::Events;
use self::gate::Gate;
use self::receipt::Receipt;
use self::stored::StoredId;
use crate::claims::{Claim, Record, Tenant};
use crate::counters::Counters;
use crate::dead_letters::PUT_BACK;
use crate::nats::{Layout, interrupted};
use crate::partition::{lane_key, message_id};
use crate::tenure::{Tenure, Tenures};
use crate::{ClusterError, ClusterErrorKind};

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was handled.
    Handled,
    /// It was not, and why; it is tried again.
    Failed(Box<str>),
    /// The process gave it up; another one has to handle it.
    Abandoned,
}

/// Handles events.
pub(crate) trait Handle: Send + Sync + 'static {
    /// Handles an event. `is_repeated` says that another process, or an earlier attempt, may have begun it.
    fn handle(&self, dispatch: Dispatch, is_repeated: bool)
    -> impl Future<Output = Outcome> + Send;
}

/// Works on partitions.
pub(crate) struct Worker<H> {
    pub(crate) layout: Layout,
    pub(crate) handler: Arc<H>,
    pub(crate) in_flight: usize,
    pub(crate) max_attempts: u32,
    pub(crate) counters: Arc<Counters>,
    pub(crate) tenures: Arc<Tenures>,
    pub(crate) recent: Recent,
    /// One event at a time that is suspected of having ended its workers: were there two, both would be to blame.
    pub(crate) suspects: Semaphore,
}

/// The pause before an event is handled again after it failed.
const AFTER_FAILURE: Duration = Duration::from_millis(100);
/// After so many deaths at one event it is suspected: events of the partition are handled one at a time, and it is written down
/// when it is begun, so that it shows whether the next death is its doing.
const SUSPICIOUS: u64 = 2;

impl<H: Handle> Tenant for Worker<H> {
    async fn hold(&self, claim: Claim, stop: CancellationToken) -> Result<(), ClusterError> {
        let partition = u16::try_from(claim.number).map_err(|_| {
            ClusterError::new(
                ClusterErrorKind::Corrupt,
                format!("there is no partition {}", claim.number),
            )
        })?;
        // One at a time while an event is suspected of having ended its workers.
        let is_suspicious = claim.deaths >= SUSPICIOUS;
        let in_flight = if is_suspicious { 1 } else { self.in_flight };
        let mut events = Events::new(&self.layout, &claim, partition, in_flight);
        let mut holding = Holding {
            worker: self,
            claim: &claim,
            partition,
            gate: Gate::new(),
            under_way: FuturesUnordered::new(),
            in_hand: HashMap::new(),
            unconfirmed: HashSet::new(),
        };
        let result = holding.run(&mut events, stop).await;
        Box::pin(events.close()).await;
        result
    }

    async fn autopsy(&self, number: u32, before: &Record) -> Result<(u64, u64), ClusterError> {
        use async_nats::jetstream::stream::RawMessageErrorKind;
        Counters::count(&self.counters.takeovers);
        let partition = u16::try_from(number).unwrap_or_default();
        let subject = self.layout.events.subject(partition);
        match self
            .layout
            .events
            .of(partition)
            .get_first_raw_message_by_subject(subject, 1)
            .await
        {
            Ok(first) if first.sequence == before.floor => {
                let is_to_blame =
                    before.deaths < SUSPICIOUS || self.last_begun(partition).await? == before.floor;
                let deaths = before.deaths + u64::from(is_to_blame);
                Ok((first.sequence, deaths))
            }
            Ok(first) => Ok((first.sequence, 1)),
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok((0, 0)),
            Err(error) => Err(interrupted(
                "NATS could not be asked for the first event of a partition",
                error,
            )),
        }
    }
}

/// An event of the partition.
struct Item {
    id: StoredId,
    lane: u64,
    envelope: Bytes,
    /// Read once; an attempt takes it, and the next one reads it anew.
    dispatch: Result<Option<Dispatch>, Box<str>>,
    receipt: Arc<Receipt>,
    is_repeated: bool,
    /// What it is remembered by when it was handled.
    fingerprint: u64,
}

/// An event that waits or is under way.
struct InHand {
    /// What the ledger knows it by.
    key: Box<str>,
    receipt: Arc<Receipt>,
}

/// What became of an event of the partition.
struct Done {
    id: StoredId,
    lane: u64,
    fate: Fate,
}

enum Fate {
    Acknowledged,
    /// It is done with, and NATS may not know.
    Unconfirmed,
    /// The process gave it up.
    Abandoned,
}

struct Holding<'a, H> {
    worker: &'a Worker<H>,
    claim: &'a Claim,
    partition: u16,
    gate: Gate<Item>,
    under_way: FuturesUnordered<BoxFuture<'a, Result<Done, ClusterError>>>,
    /// The events that wait or are under way, by their numbers. NATS sends no more than the consumer allows.
    in_hand: HashMap<StoredId, InHand>,
    /// Events that are done with, and may be delivered again because NATS did not confirm the acknowledgement.
    unconfirmed: HashSet<StoredId>,
}

impl<'a, H: Handle> Holding<'a, H> {
    async fn run(
        &mut self,
        events: &mut Events,
        stop: CancellationToken,
    ) -> Result<(), ClusterError> {
        let mut progress = interval(consumer::ACK_WAIT / 3);
        progress.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut result = loop {
            tokio::select! {
                biased;
                Some(done) = self.under_way.next() => {
                    if let Err(error) = done.and_then(|done| self.after(&done)) {
                        break Err(error);
                    }
                }
                () = stop.cancelled() => break Ok(()),
                _ = progress.tick() => self.report_waiting().await,
                // Always asked, or a server's heartbeats would seem to be missing.
                message = events.next() => {
                    if let Err(error) = message.and_then(|message| self.take(message)) {
                        break Err(error);
                    }
                }
            }
        };
        // Whatever ended it, what is being handled is finished, or it would be handled again; what waits is left to the
        // next holder, or to the next attempt.
        while let Some(done) = self.under_way.next().await {
            result = result.and(done.map(drop));
        }
        result
    }

    fn take(&mut self, message: Message) -> Result<(), ClusterError> {
        let info = message.info().map_err(|error| {
            ClusterError::with_source(
                ClusterErrorKind::Corrupt,
                "an event without a number",
                error,
            )
        })?;
        let (id, attempt) = (StoredId::of(&info), info.delivered);
        let sequence = id.sequence;
        let (message, context) = (message.message, message.context);
        let Some(address) = message.reply else {
            return Err(ClusterError::new(
                ClusterErrorKind::Corrupt,
                "an event that cannot be acknowledged",
            ));
        };
        if let Some(event) = self.in_hand.get(&id) {
            // NATS lost patience with it, or the consumer was made anew.
            event.receipt.renew(address);
            return Ok(());
        }
        let receipt = Arc::new(Receipt::new(context.client(), address));
        if self.unconfirmed.contains(&id) {
            self.begin_acknowledging(id, receipt);
            return Ok(());
        }
        let put_back = message
            .headers
            .as_ref()
            .and_then(|headers| headers.get(PUT_BACK));
        let dispatch = decode(&message.payload);
        let lane = dispatch.as_ref().map_or(sequence, lane_key);
        // What cannot be read has no name, and is not another that cannot be read either.
        let key = match &dispatch {
            Ok(dispatch) => message_id(dispatch),
            Err(_) => format!("{}.{id}", self.partition).into(),
        };
        // This process may have begun it itself, before it was taken for dead, and another holder has left it since.
        let was_taken_away = matches!(self.worker.tenures.of(&key), Some(Tenure::Revoked(_)));
        let is_repeated = attempt > 1
            || put_back.is_some()
            || was_taken_away
            || (self.claim.deaths > 0 && sequence >= self.claim.floor);
        if is_repeated {
            Counters::count(&self.worker.counters.redelivered);
        }
        // What is put back was handled before, and is to be handled again.
        let fingerprint = match put_back {
            Some(letter) => self.worker.recent.fingerprint(letter.as_str()),
            None => self.worker.recent.fingerprint(&key),
        };
        self.worker
            .tenures
            .begin(&key, self.claim.epoch, self.claim.is_takeover);
        let item = Item {
            id,
            lane,
            envelope: message.payload,
            dispatch: dispatch.map(Some),
            receipt: Arc::clone(&receipt),
            is_repeated,
            fingerprint,
        };
        self.in_hand.insert(id, InHand { key, receipt });
        if let Some(item) = self.gate.enter(lane, item) {
            self.begin(item);
        }
        Ok(())
    }

    fn begin(&self, mut item: Item) {
        let worker = self.worker;
        let partition = self.partition;
        let deaths = self.claim.deaths;
        let is_suspect = self.claim.floor == item.id.sequence && deaths >= SUSPICIOUS;
        // That it was begun is known of the last death only if it was suspected before.
        let enough = u64::from(worker.max_attempts).max(SUSPICIOUS + 1);
        let is_culprit = is_suspect && deaths >= enough;
        self.under_way.push(Box::pin(async move {
            let _turn = if is_suspect {
                // Never closed.
                let turn = worker.suspects.acquire().await;
                worker.note_begun(partition, item.id.sequence).await?;
                Some(turn)
            } else {
                None
            };
            let result = if is_culprit {
                let reason = format!("{deaths} processes ended while they handled it");
                worker.give_up(partition, &item, deaths, &reason).await
            } else {
                worker.handle(partition, &mut item).await
            };
            result.map(|fate| Done {
                id: item.id,
                lane: item.lane,
                fate,
            })
        }));
    }

    /// Acknowledges an event again that is done with.
    fn begin_acknowledging(&mut self, id: StoredId, receipt: Arc<Receipt>) {
        let event = InHand {
            key: Box::default(),
            receipt: Arc::clone(&receipt),
        };
        self.in_hand.insert(id, event);
        let stream = self.worker.layout.events.of(self.partition);
        self.under_way.push(Box::pin(async move {
            Ok(Done {
                id,
                // It is in nobody's way, and its number is no conversation's.
                lane: id.sequence,
                fate: acknowledge(stream, id, &receipt).await,
            })
        }));
    }

    fn after(&mut self, done: &Done) -> Result<(), ClusterError> {
        match done.fate {
            Fate::Acknowledged => drop(self.unconfirmed.remove(&done.id)),
            Fate::Unconfirmed => drop(self.unconfirmed.insert(done.id)),
            Fate::Abandoned => {
                return Err(ClusterError::new(
                    ClusterErrorKind::Interrupted,
                    "the process gives its events up",
                ));
            }
        }
        if let Some(event) = self.in_hand.remove(&done.id) {
            self.worker.tenures.end(&event.key);
        }
        if let Some(next) = self.gate.leave(done.lane) {
            self.begin(next);
        }
        Ok(())
    }

    /// Says of what waits that it is not forgotten.
    async fn report_waiting(&mut self) {
        for item in self.gate.iter() {
            item.receipt.report_progress().await;
        }
    }
}

/// What is still in hand is another process's from now on.
impl<H> Drop for Holding<'_, H> {
    fn drop(&mut self) {
        self.worker
            .tenures
            .revoke(self.in_hand.drain().map(|(_, event)| event.key));
    }
}

impl<H: Handle> Worker<H> {
    /// Handles an event until it is handled or has failed too often.
    async fn handle(&self, partition: u16, item: &mut Item) -> Result<Fate, ClusterError> {
        if self.recent.contains(item.fingerprint) {
            Counters::count(&self.counters.repeated);
            let stream = self.layout.events.of(partition);
            return Ok(acknowledge(stream, item.id, &item.receipt).await);
        }
        let mut is_repeated = item.is_repeated;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let dispatch = match &mut item.dispatch {
                Ok(dispatch) => dispatch.take(),
                Err(reason) => {
                    let reason = std::mem::take(reason);
                    return self.give_up(partition, item, attempts, &reason).await;
                }
            };
            let dispatch = match dispatch.map_or_else(|| decode(&item.envelope), Ok) {
                Ok(dispatch) => dispatch,
                Err(reason) => return self.give_up(partition, item, attempts, &reason).await,
            };
            let outcome = self
                .alive(item, self.handler.handle(dispatch, is_repeated))
                .await;
            match outcome {
                Outcome::Handled => {
                    Counters::count(&self.counters.handled);
                    return Ok(self.finish(partition, item).await);
                }
                Outcome::Abandoned => return Ok(Fate::Abandoned),
                Outcome::Failed(reason) if attempts >= u64::from(self.max_attempts) => {
                    return self.give_up(partition, item, attempts, &reason).await;
                }
                Outcome::Failed(reason) => {
                    tracing::warn!(partition, attempts, reason, "an event is handled again");
                    is_repeated = true;
                    self.alive(item, sleep(AFTER_FAILURE)).await;
                }
            }
        }
    }

    /// Awaits something, and tells NATS meanwhile that the event is under way.
    async fn alive<T>(&self, item: &Item, future: impl Future<Output = T> + Send) -> T {
        tokio::pin!(future);
        loop {
            match timeout(consumer::ACK_WAIT / 3, &mut future).await {
                Ok(result) => return result,
                Err(_) => item.receipt.report_progress().await,
            }
        }
    }

    /// Acknowledges an event that is done with, and remembers it.
    async fn finish(&self, partition: u16, item: &Item) -> Fate {
        let stream = self.layout.events.of(partition);
        let fate = acknowledge(stream, item.id, &item.receipt).await;
        // Otherwise another process may have the partition by now: what is left of the event is its affair, and may come back.
        if matches!(fate, Fate::Acknowledged) {
            self.recent.insert(item.fingerprint);
        }
        fate
    }

    /// Writes down that a suspect is about to be handled.
    async fn note_begun(&self, partition: u16, sequence: u64) -> Result<(), ClusterError> {
        let noted = self.layout.state.put(&begun(partition), &sequence).await;
        noted.map(drop)
    }

    /// The last suspect of a partition that was about to be handled.
    async fn last_begun(&self, partition: u16) -> Result<u64, ClusterError> {
        let entry = self.layout.state.load(&begun(partition)).await?;
        Ok(entry.map_or(0, |entry| entry.value))
    }

    async fn give_up(
        &self,
        partition: u16,
        item: &Item,
        attempts: u64,
        reason: &str,
    ) -> Result<Fate, ClusterError> {
        let envelope = item.envelope.clone();
        dead::bury(&self.layout, partition, item.id, envelope, attempts, reason).await?;
        Counters::count(&self.counters.dead);
        Ok(self.finish(partition, item).await)
    }
}

/// The key of the suspect that was about to be handled.
fn begun(partition: u16) -> String {
    format!("begun.{partition}")
}

async fn acknowledge(stream: &Stream, id: StoredId, receipt: &Receipt) -> Fate {
    if receipt.acknowledge(|| id.is_gone(stream)).await {
        Fate::Acknowledged
    } else {
        Fate::Unconfirmed
    }
}

/// Reads an event from the stream; otherwise what is wrong with it.
fn decode(message: &Bytes) -> Result<Dispatch, Box<str>> {
    let text = std::str::from_utf8(message).map_err(|error| format!("it is no text: {error}"))?;
    let envelope = Envelope::scan(text).map_err(|error| format!("it is no envelope: {error}"))?;
    let mut dispatch = Dispatch::decode(&envelope).ok_or("it has no name")?;
    dispatch.text = Some(JsonText::part_of(message, envelope.data));
    Ok(dispatch)
}
