//! Running one shard: from its stream to the lanes.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use qq_gateway::{CloseMode, Shard, ShardErrorKind};
use qq_model::gateway::ShardId;
use qq_model::{Dispatch, Event};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::dispatch::{Delivery, Pipeline};
use crate::shared::Shared;
use crate::status::{Phase, Source};
use crate::{BotError, EventHandler};

/// What a shard tells the client that runs it.
pub(crate) enum ShardNews {
    /// It has a session.
    Live,
    /// It lost its session, or could not get one, and goes on trying.
    Interrupted(BotError),
    /// It ended for good.
    Ended(BotError),
}

/// One shard while it runs.
pub(crate) struct ShardRunner<H> {
    pub(crate) id: ShardId,
    pub(crate) shard: Shard,
    pub(crate) shared: Arc<Shared>,
    pub(crate) pipeline: Arc<Pipeline<H>>,
    /// Read by the client at once, so that a send waits for nothing.
    pub(crate) news: mpsc::Sender<ShardNews>,
    /// No more events are taken.
    pub(crate) stop: CancellationToken,
    /// Every event was handled.
    pub(crate) drained: CancellationToken,
}

impl<H: EventHandler> ShardRunner<H> {
    /// Runs until the client stops or the shard ends for good.
    pub(crate) async fn run(mut self) {
        let stop = self.stop.clone();
        if stop.run_until_cancelled(self.pump()).await.is_some() {
            return;
        }
        // The session lives on while callbacks finish: guild channels take messages of connected bots only.
        let drained = self.drained.clone();
        drained.run_until_cancelled(self.shard.keep_alive()).await;
        drained.cancelled().await;
        self.shard.close(CloseMode::Finish).await;
    }

    /// Reads events until the shard ends.
    async fn pump(&mut self) {
        while let Some(item) = self.shard.next().await {
            match item {
                Ok(dispatch) => self.deliver(dispatch).await,
                // Dropped already, as the platform's pages say may happen.
                Err(error) if error.kind() == ShardErrorKind::SequenceRepeat => {
                    tracing::debug!(error = %error, "an event came again");
                }
                // A frame that could not be read, or a gap: the connection lives.
                Err(error) if !error.is_fatal() && error.retry_after().is_none() => {
                    self.pipeline.report(error.into());
                }
                Err(error) => {
                    let is_fatal = error.is_fatal();
                    self.shared
                        .counters
                        .interruptions
                        .fetch_add(1, Ordering::Relaxed);
                    self.shared.set_phase(
                        Source::Shard(self.id),
                        Phase::Interrupted(error.to_string().into()),
                    );
                    // The platform ends connections every half hour; that is nobody's concern.
                    if error.is_routine() {
                        tracing::debug!(error = %error, "the connection is renewed");
                        continue;
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
        }
    }

    async fn deliver(&mut self, dispatch: Dispatch) {
        if let Event::Ready(_) | Event::Resumed(_) = &dispatch.event
            && let Some(session) = self.shard.session()
        {
            self.shared
                .set_phase(Source::Shard(self.id), Phase::Live(session.id));
            let _ = self.news.send(ShardNews::Live).await;
        }
        let delivery = Delivery::new(dispatch, Source::Shard(self.id));
        let pipeline = Arc::clone(&self.pipeline);
        let mut delivered = pin!(pipeline.deliver(delivery));
        // While every place is taken nothing is read, and heartbeats go on.
        tokio::select! {
            biased;
            () = &mut delivered => {}
            // The connection is gone; reading will say so.
            () = self.shard.keep_alive() => delivered.await,
        }
    }
}
