//! Publishing events: in order within a conversation, side by side across, and never given up.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::sleep;

use crate::counters::Counters;
use crate::nats::{Layout, Pace, interrupted};
use crate::partition::Place;
use crate::{ClusterError, ClusterErrorKind};

/// An event on its way into the stream.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    /// Where it belongs.
    pub(crate) place: Place,
    /// What NATS knows it again by.
    pub(crate) message_id: Box<str>,
    /// The envelope as the platform sent it.
    pub(crate) envelope: Bytes,
    /// The number of its session, for whoever waits for it to be stored.
    pub(crate) sequence: Option<u64>,
}

/// A parcel that is being sent, and the pauses between its attempts.
type Sending = BoxFuture<'static, (Parcel, Result<Stored, ClusterError>, Pace)>;

/// Publishes parcels. A conversation has one parcel on its way at a time: were there two, and the first got lost, the
/// second would overtake it.
pub(crate) struct Publisher {
    layout: Arc<Layout>,
    counters: Arc<Counters>,
    /// The conversations of which a parcel is on its way, and what comes after it.
    waiting: HashMap<u64, VecDeque<Parcel>>,
    under_way: FuturesUnordered<Sending>,
    /// Whether the last answer of NATS was a refusal, or none.
    is_held_up: bool,
    count: usize,
}

/// How many parcels may wait or be under way.
const CAPACITY: usize = 1024;

impl Publisher {
    pub(crate) fn new(layout: &Layout, counters: &Arc<Counters>) -> Self {
        Self {
            layout: Arc::new(layout.clone()),
            counters: Arc::clone(counters),
            waiting: HashMap::new(),
            under_way: FuturesUnordered::new(),
            is_held_up: false,
            count: 0,
        }
    }

    /// Whether one more parcel can be taken.
    pub(crate) const fn has_room(&self) -> bool {
        self.count < CAPACITY
    }

    /// Whether everything was stored.
    pub(crate) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Takes a parcel, to be published after those of its conversation that came before.
    pub(crate) fn push(&mut self, parcel: Parcel) {
        self.count += 1;
        match self.waiting.get_mut(&parcel.place.lane) {
            Some(queue) => queue.push_back(parcel),
            None => {
                self.waiting.insert(parcel.place.lane, VecDeque::new());
                self.send(parcel, None, Pace::new());
            }
        }
    }

    /// The next parcel that was stored; what was not is sent again, for ever. Waits for ever when there is nothing to
    /// wait for. Cancel-safe.
    pub(crate) async fn stored(&mut self) -> Parcel {
        loop {
            let Some((parcel, result, mut pace)) = self.under_way.next().await else {
                return std::future::pending().await;
            };
            match result {
                Ok(stored) => {
                    if std::mem::take(&mut self.is_held_up) {
                        tracing::info!("NATS confirms events again");
                    }
                    stored.count(&self.counters);
                    self.count -= 1;
                    match self
                        .waiting
                        .get_mut(&parcel.place.lane)
                        .and_then(VecDeque::pop_front)
                    {
                        Some(next) => self.send(next, None, Pace::new()),
                        None => drop(self.waiting.remove(&parcel.place.lane)),
                    }
                    return parcel;
                }
                Err(error) => {
                    if !std::mem::replace(&mut self.is_held_up, true) {
                        tracing::warn!(error = ?error, "events are published again until NATS confirms them");
                    }
                    let pause = pace.pause();
                    self.send(parcel, Some(pause), pace);
                }
            }
        }
    }

    fn send(&self, parcel: Parcel, pause: Option<Duration>, pace: Pace) {
        let layout = Arc::clone(&self.layout);
        self.under_way.push(Box::pin(async move {
            if let Some(pause) = pause {
                sleep(pause).await;
            }
            let result = parcel.publish(&layout).await;
            (parcel, result, pace)
        }));
    }
}

/// What became of a parcel that is in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    /// It is new.
    New,
    /// It was there already, or had been until a moment ago.
    Known,
}

impl Stored {
    pub(crate) fn count(self, counters: &Counters) {
        Counters::count(match self {
            Self::New => &counters.published,
            Self::Known => &counters.repeated,
        });
    }
}

impl Parcel {
    /// Puts it into the stream once.
    pub(crate) async fn publish(&self, layout: &Layout) -> Result<Stored, ClusterError> {
        let message = PublishMessage::build().payload(self.envelope.clone());
        let message = layout.known_again(message, &self.message_id);
        let subject = layout.events.subject(self.place.partition);
        let result = async { layout.context.send_publish(subject, message).await?.await };
        match result.await {
            // Several servers have not agreed on the first of them yet, and may not at all.
            Ok(ack) if ack.duplicate && ack.sequence == 0 => Err(ClusterError::new(
                ClusterErrorKind::Interrupted,
                "NATS knows an event, and does not have it yet",
            )),
            Ok(ack) if ack.duplicate => Ok(Stored::Known),
            Ok(_) => Ok(Stored::New),
            Err(error) if error.kind() == PublishErrorKind::Other => {
                Err(ClusterError::with_source(
                    ClusterErrorKind::Full,
                    "the stream took no more: workers are behind, or NATS lacks storage",
                    error,
                ))
            }
            Err(error) => Err(interrupted("NATS did not confirm an event", error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nats_server::NatsServer;
    use crate::tests::{PATIENCE, layout};

    fn parcel(lane: u64, number: u64) -> Parcel {
        Parcel {
            place: Place { partition: 0, lane },
            message_id: format!("m:{lane}-{number}").into(),
            envelope: Bytes::from_static(b"{}"),
            sequence: Some(number),
        }
    }

    #[tokio::test]
    async fn one_of_a_conversation_is_on_its_way_whatever_the_partition() {
        let Some(server) = NatsServer::start().await else {
            return;
        };
        let layout = layout(&server).await;
        let mut publisher = Publisher::new(&layout, &Arc::default());
        for number in 0..3 {
            for lane in 0..10 {
                publisher.push(parcel(lane, number));
            }
        }
        // How many were stored of each.
        let mut stored = [0_u64; 10];
        while !publisher.is_empty() {
            let unfinished = stored.iter().filter(|count| **count < 3).count();
            assert_eq!(publisher.under_way.len(), unfinished);
            let parcel = tokio::time::timeout(PATIENCE, publisher.stored()).await;
            let parcel = parcel.unwrap();
            let count = &mut stored[usize::try_from(parcel.place.lane).unwrap()];
            assert_eq!(parcel.sequence, Some(*count));
            *count += 1;
        }
        assert_eq!(stored, [3; 10]);
        assert!(publisher.waiting.is_empty());
    }
}
