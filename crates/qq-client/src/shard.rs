//! Running one shard: from its stream to the pipeline.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;
use qq_cache::Preload;
use qq_gateway::{CloseMode, Shard, ShardError, ShardErrorKind};
use qq_model::gateway::ShardId;
use qq_model::{Dispatch, Event, EventKinds};
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::BotError;
use crate::dispatch::{Ack, Delivery, Incoming, Intake, Pipeline, Progress};
use crate::health::{GRAIN, Vitals};
use crate::shared::Shared;
use crate::status::{Phase, Source};
use crate::stop::Stop;

/// What a shard tells the client that runs it.
pub(crate) enum ShardNews {
    /// It has a session.
    Live,
    /// It lost its session, or could not get one, and goes on trying.
    Interrupted(BotError),
    /// It ended for good.
    Ended(BotError),
}

/// How often the heartbeat of a quiet shard is looked at.
pub(crate) fn looks() -> Interval {
    let mut looks = tokio::time::interval(Duration::from_secs(5));
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks
}

/// One shard while it runs.
pub(crate) struct ShardIntake {
    pub(crate) id: ShardId,
    pub(crate) shard: Shard,
    pub(crate) shared: Arc<Shared>,
    pub(crate) pipeline: Arc<Pipeline>,
    /// How far events were handled; `None` where nobody keeps that.
    pub(crate) progress: Option<Arc<Progress>>,
    pub(crate) vitals: Arc<Vitals>,
    /// An event that comes before this is as good as noted.
    pub(crate) noted_until: Option<Instant>,
    /// When to look at the heartbeat of a quiet shard.
    pub(crate) looks: Interval,
    /// Whether the session is to be resumed after a stop.
    pub(crate) close_mode: CloseMode,
    /// Read by the client at once, so that a send waits for nothing.
    pub(crate) news: mpsc::Sender<ShardNews>,
    /// No more events are taken.
    pub(crate) stop: Stop,
    pub(crate) stopped: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Every event was handled.
    pub(crate) drained: CancellationToken,
    /// Counted as open as long as this is there.
    pub(crate) open: TaskTrackerToken,
    /// Which closures the shard keeps texts for.
    pub(crate) texts: Option<u64>,
    /// The kinds of events that are asked for whatever happens.
    pub(crate) foreseen: EventKinds,
    /// The event after the last one, if it was read together with that. Its turn has not come.
    pub(crate) ahead: Box<Incoming>,
    /// What was asked for in advance for it.
    pub(crate) preload: Preload,
}

/// What a shard was waited for.
enum News {
    Item(Option<Result<Dispatch, ShardError>>),
    /// No more events are taken.
    Stopped,
    /// It is time to look at the heartbeat.
    Look,
}

impl Intake for ShardIntake {
    async fn next(&mut self, place: &mut Box<Incoming>) -> bool {
        while !self.stop.is_set() {
            self.keep_texts();
            if self.ahead.is_some() {
                std::mem::swap(place, &mut self.ahead);
                self.pipeline.finish_prefetch(&self.preload);
                self.begin(place).await;
                return true;
            }
            match poll_fn(|cx| self.poll_news(cx)).await {
                News::Item(Some(Ok(dispatch))) => {
                    **place = Some((self.delivery(dispatch), Ack::None));
                    self.begin(place).await;
                    return true;
                }
                News::Item(Some(Err(error))) => self.failed(error).await,
                News::Item(None) | News::Stopped => return false,
                News::Look => self.vitals.round_trip(self.shard.stats().round_trip),
            }
        }
        false
    }

    async fn meanwhile(&mut self) {
        self.shard.keep_alive().await;
    }

    async fn finish(mut self) {
        if self.stop.is_set() {
            // The session lives on while callbacks finish: guild channels take messages of connected bots only.
            let drained = self.drained.clone();
            drained.run_until_cancelled(self.shard.keep_alive()).await;
            drained.cancelled().await;
            self.shard.close(self.close_mode).await;
        }
        drop(self.open);
    }
}

impl ShardIntake {
    /// The shard comes first: the others are looked at when it has nothing.
    fn poll_news(&mut self, cx: &mut Context<'_>) -> Poll<News> {
        if let Poll::Ready(item) = Pin::new(&mut self.shard).poll_next(cx) {
            return Poll::Ready(News::Item(item));
        }
        if self.stopped.as_mut().poll(cx).is_ready() {
            return Poll::Ready(News::Stopped);
        }
        self.looks.poll_tick(cx).map(|_| News::Look)
    }

    /// Lets the shard keep the texts that somebody wants: closures come and go.
    fn keep_texts(&mut self) {
        let version = self.shared.handlers.version();
        if self.texts != Some(version) {
            self.texts = Some(version);
            let kinds = self.shared.handlers.text_kinds();
            let kinds = self
                .shared
                .knowledge
                .text_kinds()
                .iter()
                .chain(kinds.iter());
            self.shard.keep_text(kinds.collect());
        }
    }

    /// There is a session.
    async fn live(&mut self, event: &Event) {
        let Some(session) = self.shard.session() else {
            return;
        };
        if let (Event::Ready(_), Some(progress)) = (event, &self.progress) {
            progress.restart(session.id.clone(), session.sequence);
        }
        let phase = Phase::Live(session.id);
        self.shared.set_phase(Source::Shard(self.id), phase);
        let _ = self.news.send(ShardNews::Live).await;
    }

    fn delivery(&self, dispatch: Dispatch) -> Delivery {
        let yielded_at = self.shard.yielded_at().map(Instant::from_std);
        Delivery::new(dispatch, yielded_at.unwrap_or_else(Instant::now))
    }

    /// Takes the next event if it is there, so that the memory it needs comes while this one is handled.
    ///
    /// Its session does not know of it before [`begin`](Self::begin): when the client stops, it comes again.
    fn look_ahead(&mut self) {
        if let Some(dispatch) = self.shard.next_read(self.foreseen) {
            let delivery = self.delivery(dispatch);
            let (delivery, _) = self.ahead.insert((delivery, Ack::None));
            self.preload = self.pipeline.prefetch(delivery);
        }
    }

    /// The turn of an event has come.
    async fn begin(&mut self, incoming: &mut Incoming) {
        let Some((delivery, ack)) = incoming else {
            return;
        };
        let received_at = delivery.received_at;
        if self.noted_until.is_none_or(|until| received_at >= until) {
            self.noted_until = Some(received_at + GRAIN);
            self.vitals.event(received_at);
        }
        let is_resumed = matches!(*delivery.event, Event::Resumed(_));
        if is_resumed || matches!(*delivery.event, Event::Ready(_)) {
            self.live(&delivery.event).await;
        } else {
            self.look_ahead();
        }
        // RESUMED has the number of another event.
        let sequence = delivery.sequence.filter(|_| !is_resumed);
        if let (Some(sequence), Some(progress)) = (sequence, &self.progress) {
            *ack = Ack::Shard(Arc::clone(progress), progress.begin(sequence));
        }
    }

    async fn failed(&mut self, error: ShardError) {
        // Dropped already, as the platform's pages say may happen.
        if error.kind() == ShardErrorKind::SequenceRepeat {
            tracing::debug!(error = %error, "an event came again");
            return;
        }
        // A frame that could not be read, or a gap: the connection lives.
        if !error.is_fatal() && error.retry_after().is_none() {
            self.pipeline.executor.report(error.into());
            return;
        }
        let is_fatal = error.is_fatal();
        self.shared.counters.interruption(error.kind().into());
        let reason = error.to_string().into();
        let phase = if self.shard.session().is_some() && !is_fatal {
            Phase::Resuming(reason)
        } else {
            Phase::Interrupted(reason)
        };
        self.shared.set_phase(Source::Shard(self.id), phase);
        // The platform ends connections every half hour; that is nobody's concern.
        if error.is_routine() {
            tracing::debug!(error = %error, "the connection is renewed");
            return;
        }
        let error = BotError::from(error);
        let news = if is_fatal {
            ShardNews::Ended(error)
        } else {
            ShardNews::Interrupted(error)
        };
        // Nobody to tell means that the client is being dropped, and this task with it.
        let _ = self.news.send(news).await;
    }
}
