//! Publishing events: in order within a partition, side by side across, and never given up.

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
use crate::nats::{Layout, interrupted};
use crate::{ClusterError, ClusterErrorKind};

/// An event on its way into the stream.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    /// Where it belongs.
    pub(crate) partition: u16,
    /// What NATS knows it again by.
    pub(crate) message_id: Box<str>,
    /// The envelope as the platform sent it.
    pub(crate) envelope: Bytes,
    /// The number of its session, for whoever waits for it to be stored.
    pub(crate) sequence: Option<u64>,
}

/// Publishes parcels. A partition has one parcel on its way at a time: were there two, and the first got lost, the
/// second would overtake it.
pub(crate) struct Publisher {
    layout: Layout,
    counters: Arc<Counters>,
    waiting: HashMap<u16, VecDeque<Parcel>>,
    under_way: FuturesUnordered<BoxFuture<'static, (Parcel, Result<(), ClusterError>)>>,
    count: usize,
}

/// How many parcels may wait or be under way.
const CAPACITY: usize = 1024;
/// The first pause after a parcel was not taken, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

impl Publisher {
    pub(crate) fn new(layout: &Layout, counters: &Arc<Counters>) -> Self {
        Self {
            layout: layout.clone(),
            counters: Arc::clone(counters),
            waiting: HashMap::new(),
            under_way: FuturesUnordered::new(),
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

    /// Takes a parcel, to be published after those of its partition that came before.
    pub(crate) fn push(&mut self, parcel: Parcel) {
        self.count += 1;
        match self.waiting.get_mut(&parcel.partition) {
            Some(queue) => queue.push_back(parcel),
            None => {
                self.waiting.insert(parcel.partition, VecDeque::new());
                self.send(parcel, None);
            }
        }
    }

    /// The next parcel that was stored; what was not is sent again, for ever. Waits for ever when there is nothing to
    /// wait for. Cancel-safe.
    pub(crate) async fn stored(&mut self) -> Parcel {
        let mut pause = PAUSES.0;
        loop {
            let Some((parcel, result)) = self.under_way.next().await else {
                return std::future::pending().await;
            };
            match result {
                Ok(()) => {
                    Counters::count(&self.counters.published);
                    self.count -= 1;
                    match self
                        .waiting
                        .get_mut(&parcel.partition)
                        .and_then(VecDeque::pop_front)
                    {
                        Some(next) => self.send(next, None),
                        None => drop(self.waiting.remove(&parcel.partition)),
                    }
                    return parcel;
                }
                Err(error) => {
                    tracing::warn!(error = ?error, "an event is published again");
                    self.send(parcel, Some(pause));
                    pause = (pause * 2).min(PAUSES.1);
                }
            }
        }
    }

    fn send(&self, parcel: Parcel, pause: Option<Duration>) {
        let context = self.layout.context.clone();
        let subject = self.layout.events_of(parcel.partition);
        self.under_way.push(Box::pin(async move {
            if let Some(pause) = pause {
                sleep(pause).await;
            }
            let message = PublishMessage::build()
                .payload(parcel.envelope.clone())
                .message_id(&parcel.message_id);
            let result = async { context.send_publish(subject, message).await?.await };
            let result = result.await.map(drop).map_err(|error| match error.kind() {
                PublishErrorKind::Other => ClusterError::with_source(
                    ClusterErrorKind::Full,
                    "the stream took no more: workers are behind, or NATS lacks storage",
                    error,
                ),
                _ => interrupted("NATS did not confirm an event", error),
            });
            (parcel, result)
        }));
    }
}
