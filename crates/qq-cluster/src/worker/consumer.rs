//! The consumer of a partition. Each holder has its own, and makes another when events stop coming: with a new one every
//! event that is left comes again, in order, and what an earlier holder still acknowledges goes to a consumer that no
//! longer exists.

use std::time::Duration;

use async_nats::jetstream::consumer::pull::{Config, Stream};
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy};
use async_nats::jetstream::stream::{ConsumerError, ConsumerErrorKind};
use async_nats::jetstream::{ErrorCode, Message};
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, TryStreamExt};
use tokio::time::{Instant, sleep, timeout};

use crate::claims::Claim;
use crate::nats::{Layout, Pace, interrupted};
use crate::{ClusterError, ClusterErrorKind};

/// After how long an event that was neither acknowledged nor reported as under way is delivered again.
pub(crate) const ACK_WAIT: Duration = Duration::from_secs(30);
/// How long one request for events stays open, and how soon a server that has gone is noticed.
const EXPIRES: Duration = Duration::from_secs(10);
const HEARTBEAT: Duration = Duration::from_secs(2);
/// How long servers may take to elect the leader of a consumer.
const ELECTION: Duration = Duration::from_secs(12);
/// How long deleting the consumer may hold up who hands the partition over.
const CLOSE: Duration = Duration::from_millis(500);

/// The events of a partition, as long as somebody holds it.
pub(super) struct Events {
    place: Place,
    source: Source,
    pace: Pace,
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
    Opening(BoxFuture<'static, Result<(String, Stream), ClusterError>>),
    Open {
        consumer: String,
        events: Box<Stream>,
        /// The number of the last delivery: one that is left out got lost on the way.
        last: u64,
    },
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
        Self {
            source: Source::Opening(Box::pin(place.clone().open(None))),
            place,
            pace: Pace::new(),
        }
    }

    /// The next event. While NATS has none, or does not answer, it waits. Cancel-safe.
    ///
    /// # Errors
    ///
    /// A conflict, when a later holder has the partition by now.
    pub(super) async fn next(&mut self) -> Result<Message, ClusterError> {
        loop {
            let error = match &mut self.source {
                Source::Opening(opening) => match opening.await {
                    Ok((consumer, events)) => {
                        self.source = Source::Open {
                            consumer,
                            events: Box::new(events),
                            last: 0,
                        };
                        continue;
                    }
                    Err(error) => error,
                },
                Source::Open { events, last, .. } => match events.next().await {
                    Some(Ok(message)) => match message.info() {
                        Ok(info) if info.consumer_sequence == *last + 1 => {
                            *last += 1;
                            self.pace = Pace::new();
                            return Ok(message);
                        }
                        // What follows must not be handled before it. This happens when a server dies.
                        Ok(_) => ClusterError::new(
                            ClusterErrorKind::Interrupted,
                            "an event got lost on the way from NATS",
                        ),
                        Err(error) => ClusterError::with_source(
                            ClusterErrorKind::Corrupt,
                            "an event without a number",
                            error,
                        ),
                    },
                    Some(Err(error)) => {
                        interrupted("the events of a partition stopped coming", error)
                    }
                    None => ClusterError::new(
                        ClusterErrorKind::Interrupted,
                        "the events of a partition ended",
                    ),
                },
            };
            // Whoever comes now is told so at once.
            let pause = self.pace.pause();
            self.source = Source::Opening(Box::pin(self.place.clone().open(Some(pause))));
            if !error.is_retryable() || error.kind() == ClusterErrorKind::Conflict {
                return Err(error);
            }
            tracing::warn!(error = ?error, partition = self.place.partition, "events are asked for again");
        }
    }

    /// Deletes the consumer, so that the next holder need not.
    pub(super) async fn close(self) {
        let Source::Open { consumer, .. } = self.source else {
            return;
        };
        let stream = self.place.layout.events.of(self.place.partition);
        let deleted = timeout(CLOSE, stream.delete_consumer(&consumer)).await;
        if !matches!(deleted, Ok(Ok(_))) {
            tracing::debug!(consumer, "a consumer is left to the next holder");
        }
    }
}

/// Whether a consumer that is to be deleted is not there.
fn is_gone(error: &ConsumerError) -> bool {
    matches!(error.kind(), ConsumerErrorKind::JetStream(error) if error.error_code() == ErrorCode::CONSUMER_NOT_FOUND)
}

impl Place {
    /// Replaces the consumer of the partition, and asks it for events.
    async fn open(self, pause: Option<Duration>) -> Result<(String, Stream), ClusterError> {
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
            durable_name: Some(name.clone()),
            ack_policy: AckPolicy::Explicit,
            // The retention of the stream allows no other.
            deliver_policy: DeliverPolicy::All,
            ack_wait: ACK_WAIT,
            max_ack_pending: i64::try_from(self.in_flight).unwrap_or(i64::MAX),
            filter_subject: self.layout.events.subject(self.partition),
            // One of several servers that starts again would find consumers on its disk that were deleted meanwhile, and refuse
            // every other one for the partition. The others know what it knew.
            memory_storage: self.layout.events.replicas() > 1,
            ..Config::default()
        };
        let consumer = self.create(config).await?;
        let events = consumer
            .stream()
            .max_messages_per_batch(self.in_flight.max(1))
            .expires(EXPIRES)
            .heartbeat(HEARTBEAT)
            .messages()
            .await
            .map_err(|error| interrupted("the events of a partition cannot be asked for", error))?;
        Ok((name, events))
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
