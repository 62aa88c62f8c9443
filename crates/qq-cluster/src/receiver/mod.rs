//! Holding gateway sessions, and publishing what comes.

mod outstanding;
mod publisher;
mod sessions;

#[cfg(feature = "webhook")]
pub(crate) use self::publisher::Stored;
pub(crate) use self::publisher::{Parcel, Publisher};

use std::sync::Arc;
use std::time::Duration;

use qq_gateway::{
    AckMode, CloseMode, IdentifyQueue, RawDispatch, Session, Shard, ShardError, Timeouts,
};
use qq_http::HttpClient;
use qq_model::gateway::ShardId;
use qq_model::{Event, Intents};
use qq_transport::{Connect, Tls};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use self::outstanding::Outstanding;
use self::sessions::Sessions;
use crate::claims::{Claim, Record, Tenant};
use crate::counters::Counters;
use crate::nats::Layout;
use crate::partition::{Place, message_id};
use crate::{ClusterError, ClusterErrorKind};

/// How often the resume position is written down.
const SAVE: Duration = Duration::from_millis(250);
/// How long what was read may take to be stored when a shard is handed over.
const LAST_PARCELS: Duration = Duration::from_secs(5);
/// How long the platform may take to answer a closing handshake. The next holder waits for it; the session is kept either way.
const FAREWELL: Duration = Duration::from_millis(500);

/// What a shard tells the process that holds it.
#[derive(Debug)]
pub(crate) enum ShardNews {
    /// It has a session.
    Live(ShardId),
    /// It lost its session, or could not get one.
    Interrupted(ShardId, ShardError),
    /// It ended for good, and would for every other process, too.
    Ended(ShardError),
    /// This process does not hold it any longer.
    Gone(ShardId),
}

/// Holds shards: reads their events and publishes them.
pub(crate) struct Receiver {
    pub(crate) layout: Layout,
    pub(crate) http: HttpClient,
    pub(crate) url: Box<str>,
    pub(crate) intents: Intents,
    pub(crate) shards: u32,
    pub(crate) partitions: u16,
    pub(crate) connect: Arc<dyn Connect>,
    pub(crate) tls: Tls,
    pub(crate) queue: Arc<dyn IdentifyQueue>,
    pub(crate) counters: Arc<Counters>,
    /// Read at once by whoever runs the process.
    pub(crate) news: mpsc::Sender<ShardNews>,
}

impl Receiver {
    /// A shard that resumes this session, if there is one, when it is read.
    pub(crate) fn shard(
        &self,
        id: ShardId,
        session: Option<Session>,
    ) -> Result<Shard, ClusterError> {
        let mut timeouts = Timeouts::default();
        timeouts.close = FAREWELL;
        Shard::builder(&*self.url, self.http.access_token(), self.intents)
            .shard(id)
            .session(session)
            .acknowledge_mode(AckMode::Manual)
            .timeouts(timeouts)
            .identify_queue(Arc::clone(&self.queue))
            .connect(Arc::clone(&self.connect))
            .tls(self.tls.clone())
            .build()
            .map_err(|error| {
                ClusterError::with_source(
                    ClusterErrorKind::Configuration,
                    "a shard cannot be opened",
                    error,
                )
            })
    }
}

impl Tenant for Receiver {
    async fn hold(&self, claim: Claim, stop: CancellationToken) -> Result<(), ClusterError> {
        let id = ShardId::new(claim.number, self.shards).ok_or_else(|| {
            ClusterError::new(
                ClusterErrorKind::Configuration,
                format!("there is no shard {} of {}", claim.number, self.shards),
            )
        })?;
        let mut sessions = Sessions::open(&self.layout, id).await?;
        let shard = self.shard(id, sessions.last())?;
        let mut holding = Holding {
            receiver: self,
            shard,
            publisher: Publisher::new(&self.layout, &self.counters),
            outstanding: Outstanding::default(),
        };
        let result = tokio::select! {
            result = holding.run(&mut sessions) => result,
            () = stop.cancelled() => Ok(()),
        };
        // Nobody hears it when the process ends.
        let _ = self.news.send(ShardNews::Gone(id)).await;
        result?;
        Box::pin(holding.hand_over(&mut sessions)).await
    }

    async fn autopsy(&self, _: u32, _: &Record) -> Result<(u64, u64), ClusterError> {
        Counters::count(&self.counters.takeovers);
        // A shard's events are not handled here, so none of them can be to blame.
        Ok((0, 0))
    }
}

struct Holding<'a> {
    receiver: &'a Receiver,
    shard: Shard,
    publisher: Publisher,
    outstanding: Outstanding,
}

impl Holding<'_> {
    /// Reads and publishes until the shard ends for good.
    async fn run(&mut self, sessions: &mut Sessions) -> Result<(), ClusterError> {
        let mut save = interval(SAVE);
        save.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if !self.publisher.has_room() {
                // The platform is held back, and heartbeats go on.
                let sequence = tokio::select! {
                    parcel = self.publisher.stored() => parcel.sequence,
                    // The connection is gone; reading will say so.
                    () = self.shard.keep_alive() => self.publisher.stored().await.sequence,
                };
                self.finish(sequence);
                continue;
            }
            tokio::select! {
                item = self.shard.next_raw() => match item {
                    Some(Ok(raw)) => if self.take(raw).await {
                        // Before anything is published: whoever holds the shard next must not open another session, for what
                        // came meanwhile would be lost.
                        sessions.save(self.shard.session()).await?;
                    },
                    Some(Err(error)) => self.report(error).await,
                    // It said why. Whoever begins it anew would hear the same, so it stays as it is.
                    None => std::future::pending().await,
                },
                parcel = self.publisher.stored() => self.finish(parcel.sequence),
                _ = save.tick() => sessions.save(self.shard.session()).await?,
            }
        }
    }

    /// Publishes an event; whether it began a session.
    async fn take(&mut self, raw: RawDispatch) -> bool {
        let dispatch = raw.decode();
        if let Event::Ready(_) | Event::Resumed(_) = &dispatch.event {
            if matches!(&dispatch.event, Event::Ready(_)) {
                self.outstanding.clear();
            }
            if let Some(sequence) = dispatch.sequence {
                self.finish(Some(sequence));
            }
            let _ = self
                .receiver
                .news
                .send(ShardNews::Live(self.shard.id()))
                .await;
            return matches!(&dispatch.event, Event::Ready(_));
        }
        if let Some(sequence) = dispatch.sequence {
            self.outstanding.begin(sequence);
        }
        self.publisher.push(Parcel {
            place: Place::of(&dispatch, self.receiver.partitions),
            message_id: message_id(&dispatch),
            envelope: raw.into_bytes(),
            sequence: dispatch.sequence,
        });
        false
    }

    fn finish(&mut self, sequence: Option<u64>) {
        if let Some(sequence) = sequence {
            self.outstanding.finish(sequence);
            self.shard.acknowledge(self.outstanding.position());
        }
    }

    /// Tells of a failure, which the shard mends by itself unless it is fatal.
    async fn report(&mut self, error: ShardError) {
        let id = self.shard.id();
        let news = match error {
            error if error.is_fatal() => ShardNews::Ended(error),
            error if error.is_routine() => return,
            error => ShardNews::Interrupted(id, error),
        };
        // Nobody hears it when the process ends.
        let _ = self.receiver.news.send(news).await;
    }

    /// Stores what was read, and leaves the session for the next holder.
    async fn hand_over(mut self, sessions: &mut Sessions) -> Result<(), ClusterError> {
        let end = Instant::now() + LAST_PARCELS;
        while !self.publisher.is_empty() {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(parcel) = timeout(left, self.publisher.stored()).await else {
                // The next holder is sent it again.
                break;
            };
            self.finish(parcel.sequence);
        }
        let session = self.shard.session();
        let close = self.shard.close(CloseMode::KeepSession);
        let (saved, _) = tokio::join!(sessions.save(session), close);
        saved
    }
}
