//! The consumer of a partition. Each holder has its own, and makes another when an event got lost or none comes for long: with
//! a new one every event that is left comes again, in order, and what an earlier holder still acknowledges goes to a consumer
//! that no longer exists.

use std::time::Duration;

use async_nats::jetstream::consumer::pull::{Config, MessagesErrorKind, Stream};
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy};
use async_nats::jetstream::stream::{ConsumerError, ConsumerErrorKind};
use async_nats::jetstream::{ErrorCode, Message};
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, TryStreamExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use crate::claims::Claim;
use crate::nats::{Layout, Pace, interrupted};
use crate::{ClusterError, ClusterErrorKind};

/// After how long an event that was neither acknowledged nor reported as under way is delivered again.
pub(crate) const ACK_WAIT: Duration = Duration::from_secs(30);
/// How long one request for events stays open: longer than a process runs, as a rule. Servers before 2.9.16 forget a request,
/// and do not say so, when an event comes just as it runs out; the event then waits until heartbeats are missed.
const EXPIRES: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How often a server says that a request is open. Twice as long without a word, and it is asked again.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// How long servers may take to elect the leader of a consumer.
const ELECTION: Duration = Duration::from_secs(12);
/// How long deleting the consumer may hold up who hands the partition over.
const CLOSE: Duration = Duration::from_millis(500);

/// The events of a partition, as long as somebody holds it.
pub(super) struct Events {
    place: Place,
    source: Source,
    /// Changes when the server may have started again, and forgotten its consumers; `None` where others know what it knew.
    made: Option<watch::Receiver<()>>,
    pace: Pace,
    /// Since when nothing comes but errors.
    silent: Option<Instant>,
}

/// Which partition, and whose.
#[derive(Clone)]
struct Place {
    layout: Layout,
    partition: u16,
    epoch: u64,
    in_flight: usize,
}

enum Source {
    Opening(BoxFuture<'static, Result<Open, ClusterError>>),
    Open(Box<Open>),
}

struct Open {
    consumer: Consumer<Config>,
    events: Stream,
    /// The number of the last delivery: one that is left out got lost on the way.
    last: u64,
}

impl Events {
    /// At most so many are under way at a time.
    pub(super) fn new(layout: &Layout, claim: &Claim, partition: u16, in_flight: usize) -> Self {
        let place = Place {
            layout: layout.clone(),
            partition,
            epoch: claim.epoch,
            in_flight,
        };
        let made = (!place.is_replicated()).then(|| {
            let mut made = layout.made.clone();
            made.mark_unchanged();
            made
        });
        Self {
            source: Source::Opening(Box::pin(place.clone().open(None))),
            made,
            place,
            pace: Pace::new(),
            silent: None,
        }
    }

    /// The next event. While NATS has none, or does not answer, it waits. Cancel-safe.
    ///
    /// # Errors
    ///
    /// A conflict, when a later holder has the partition by now.
    pub(super) async fn next(&mut self) -> Result<Message, ClusterError> {
        loop {
            let (error, kept) = match &mut self.source {
                Source::Opening(opening) => match opening.await {
                    Ok(open) => {
                        self.source = Source::Open(Box::new(open));
                        continue;
                    }
                    Err(error) => (error, None),
                },
                Source::Open(open) => match next(open, &mut self.made).await {
                    Ok(message) => {
                        (self.pace, self.silent) = (Pace::new(), None);
                        return Ok(message);
                    }
                    Err((error, is_over)) => {
                        let kept = (open.consumer.clone(), open.last);
                        (error, (!is_over).then_some(kept))
                    }
                },
            };
            let pause = self.pace.pause();
            let silent = self.silent.get_or_insert_with(Instant::now).elapsed();
            let place = self.place.clone();
            self.source = Source::Opening(match kept {
                // The servers elect another leader for it. One alone that has started again has forgotten it.
                Some((consumer, last)) if silent < ELECTION && place.is_replicated() => {
                    Box::pin(async move {
                        sleep(pause).await;
                        ask(consumer, place.in_flight, last).await
                    })
                }
                _ => {
                    self.silent = None;
                    Box::pin(place.open(Some(pause)))
                }
            });
            if !error.is_retryable() || error.kind() == ClusterErrorKind::Conflict {
                return Err(error);
            }
            tracing::warn!(error = ?error, partition = self.place.partition, "events are asked for again");
        }
    }

    /// Deletes the consumer, so that the next holder need not.
    pub(super) async fn close(self) {
        let Source::Open(open) = self.source else {
            return;
        };
        let consumer = &*open.consumer.cached_info().name;
        let stream = self.place.layout.events.of(self.place.partition);
        let deleted = timeout(CLOSE, stream.delete_consumer(consumer)).await;
        if !matches!(deleted, Ok(Ok(_))) {
            tracing::debug!(consumer, "a consumer is left to the next holder");
        }
    }
}

/// The next event; otherwise what is wrong, and whether the consumer can be used no longer. Cancel-safe.
async fn next(
    open: &mut Open,
    made: &mut Option<watch::Receiver<()>>,
) -> Result<Message, (ClusterError, bool)> {
    let Some(made) = made else {
        return open.next().await;
    };
    tokio::select! {
        biased;
        // When the connection has gone for good the events say so.
        Ok(()) = made.changed() => {
            let again = "the connection to NATS was made again";
            let error = ClusterError::new(ClusterErrorKind::Interrupted, again);
            Err((error, true))
        }
        result = open.next() => result,
    }
}

impl Open {
    /// The next event; otherwise what is wrong, and whether the consumer can be used no longer.
    async fn next(&mut self) -> Result<Message, (ClusterError, bool)> {
        match self.events.next().await {
            Some(Ok(message)) => match message.info() {
                Ok(info) if info.consumer_sequence == self.last + 1 => {
                    self.last += 1;
                    Ok(message)
                }
                // What follows must not be handled before it. This happens when a server dies.
                Ok(_) => {
                    let lost = "an event got lost on the way from NATS";
                    let error = ClusterError::new(ClusterErrorKind::Interrupted, lost);
                    Err((error, true))
                }
                Err(error) => {
                    let what = "an event without a number";
                    let error = ClusterError::with_source(ClusterErrorKind::Corrupt, what, error);
                    Err((error, true))
                }
            },
            Some(Err(error)) => {
                let is_over = error.kind() == MessagesErrorKind::ConsumerDeleted;
                let what = "the events of a partition stopped coming";
                Err((interrupted(what, error), is_over))
            }
            None => {
                let ended = "the events of a partition ended";
                let error = ClusterError::new(ClusterErrorKind::Interrupted, ended);
                Err((error, true))
            }
        }
    }
}

/// Asks a consumer for events.
async fn ask(
    consumer: Consumer<Config>,
    in_flight: usize,
    last: u64,
) -> Result<Open, ClusterError> {
    let events = consumer
        .stream()
        .max_messages_per_batch(in_flight.max(1))
        .expires(EXPIRES)
        .heartbeat(HEARTBEAT)
        .messages()
        .await
        .map_err(|error| interrupted("the events of a partition cannot be asked for", error))?;
    Ok(Open {
        consumer,
        events,
        last,
    })
}

/// Whether a consumer that is to be deleted is not there.
fn is_gone(error: &ConsumerError) -> bool {
    matches!(error.kind(), ConsumerErrorKind::JetStream(error) if error.error_code() == ErrorCode::CONSUMER_NOT_FOUND)
}

impl Place {
    fn is_replicated(&self) -> bool {
        self.layout.events.replicas() > 1
    }

    /// Replaces the consumer of the partition, and asks it for events.
    async fn open(self, pause: Option<Duration>) -> Result<Open, ClusterError> {
        if let Some(pause) = pause {
            sleep(pause).await;
        }
        self.remove_earlier().await?;
        let name = format!(
            "p{}-{}-{:08x}",
            self.partition,
            self.epoch,
            fastrand::u32(..)
        );
        let config = Config {
            durable_name: Some(name),
            ack_policy: AckPolicy::Explicit,
            // The retention of the stream allows no other.
            deliver_policy: DeliverPolicy::All,
            ack_wait: ACK_WAIT,
            max_ack_pending: i64::try_from(self.in_flight).unwrap_or(i64::MAX),
            filter_subject: self.layout.events.subject(self.partition),
            // Only what is left of the events matters, and that is in the stream: another consumer begins there. On disk each would
            // write its state ten times a second, and one of several servers that starts again would find consumers that were
            // deleted meanwhile, and refuse every other one for the partition.
            memory_storage: true,
            ..Config::default()
        };
        let consumer = self.create(config).await?;
        ask(consumer, self.in_flight, 0).await
    }

    /// Deletes the consumers that earlier holders left, and this one's own: nobody else is sent events, and what is left
    /// comes in order.
    ///
    /// # Errors
    ///
    /// A conflict, when a later holder has one by now.
    async fn remove_earlier(&self) -> Result<(), ClusterError> {
        let prefix = format!("p{}-", self.partition);
        let stream = self.layout.events.of(self.partition);
        let mut names = stream.consumer_names();
        while let Some(name) = names
            .try_next()
            .await
            .map_err(|error| interrupted("the consumers cannot be listed", error))?
        {
            let Some(epoch) = name
                .strip_prefix(&prefix)
                .and_then(|other| other.split('-').next()?.parse::<u64>().ok())
            else {
                continue;
            };
            if epoch > self.epoch {
                return Err(ClusterError::new(
                    ClusterErrorKind::Conflict,
                    format!("partition {} has another holder", self.partition),
                ));
            }
            match stream.delete_consumer(&name).await {
                Ok(_) => {}
                // It is the consumer's leader that answers, and there may be none any more.
                Err(error) if error.kind() == ConsumerErrorKind::TimedOut => {
                    tracing::debug!(consumer = name, "nobody says that a consumer is deleted");
                }
                Err(error) if is_gone(&error) => {}
                Err(error) => {
                    return Err(interrupted("an earlier consumer cannot be deleted", error));
                }
            }
        }
        Ok(())
    }

    /// Creates a consumer. Several servers may give it to one that is down, and elect another leader then, which takes some
    /// seconds; to begin anew would take no less.
    async fn create(&self, config: Config) -> Result<Consumer<Config>, ClusterError> {
        let end = Instant::now() + ELECTION;
        let stream = self.layout.events.of(self.partition);
        loop {
            match stream.create_consumer(config.clone()).await {
                Ok(consumer) => return Ok(consumer),
                Err(error)
                    if error.kind() == ConsumerErrorKind::TimedOut && Instant::now() < end =>
                {
                    tracing::debug!(partition = self.partition, "a consumer is awaited");
                }
                Err(error) => {
                    return Err(interrupted(
                        "the consumer of a partition cannot be created",
                        error,
                    ));
                }
            }
        }
    }
}
