//! One run of a client, from the first REST call to the last closed connection.

use std::sync::Arc;
use std::time::Duration;

use qq_gateway::{IdentifyQueue, InMemoryIdentifyQueue, Shard, Timeouts};
use qq_model::gateway::{GatewayBot, ShardId};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::builder::Settings;
use super::report::StopReport;
use crate::dispatch::{Executor, Leaders, Pipeline, Post, Progress, Watchdog};
use crate::error::ErrorKind;
use crate::shard::{ShardIntake, ShardNews};
use crate::shared::Shared;
use crate::source::SourceIntake;
#[cfg(feature = "webhook")]
use crate::status::Phase;
use crate::status::Source;
#[cfg(feature = "webhook")]
use crate::webhook::WebhookRunner;
use crate::{BotError, EventHandler};

/// The part of a stop that closing connections may take at most.
const CLOSING: Duration = Duration::from_secs(1);

/// A client that runs. Dropping it ends everything that it started.
pub(super) struct Run<'a> {
    shared: &'a Arc<Shared>,
    settings: &'a Settings,
    pipeline: Arc<Pipeline>,
    leaders: Arc<Leaders>,
    /// `None` on a runtime with one thread: there, who blocks it blocks everything.
    watchdog: Option<Arc<Watchdog>>,
    /// The shards that are open.
    shards: TaskTracker,
    /// Webhooks: they end before the lanes do, so that what was acknowledged is handled.
    intake: JoinSet<()>,
    stop: CancellationToken,
    drained: CancellationToken,
    reason: Option<Box<str>>,
}

impl<'a> Run<'a> {
    pub(super) fn new<H: EventHandler>(
        shared: &'a Arc<Shared>,
        handler: &Arc<H>,
        settings: &'a Settings,
    ) -> Result<Self, BotError> {
        let stop = shared.begin(settings.stop_deadline).ok_or_else(|| {
            BotError::new(ErrorKind::AlreadyStarted, "the client was already started")
        })?;
        let executor = Executor::new(
            Arc::<H>::clone(handler),
            Arc::clone(shared),
            settings.dispatch.clone(),
        );
        let has_threads = Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread;
        let reporter = Arc::downgrade(&executor);
        shared.replies.start(move |error| {
            if let Some(executor) = reporter.upgrade() {
                executor.report(error);
            }
        });
        Ok(Self {
            shared,
            settings,
            pipeline: Pipeline::new(shared, executor),
            leaders: Leaders::new(),
            watchdog: has_threads.then(Arc::default),
            shards: TaskTracker::new(),
            intake: JoinSet::new(),
            stop,
            drained: CancellationToken::new(),
            reason: None,
        })
    }

    pub(super) async fn run(mut self) -> Result<(), BotError> {
        let stop = self.stop.clone();
        let result = match stop.run_until_cancelled(self.connect_and_watch()).await {
            Some(result) => result,
            None => Ok(()),
        };
        if let Err(error) = &result {
            self.reason = Some(format!("{error:?}").into());
        }
        self.shut_down().await;
        result
    }

    /// Starts the shards and follows them until the last has ended for good.
    async fn connect_and_watch(&mut self) -> Result<(), BotError> {
        // First of all, so that the platform's check of the address is answered whatever becomes of the rest.
        let has_webhook = self.listen().await?;
        let has_others = self.open_sources() || has_webhook;
        self.shared.set_user(self.shared.api.me().await?);
        if let Some(prefetch) = self.settings.knowledge.prefetch
            && let Err(error) = prefetch.run(self.shared).await
        {
            self.pipeline.executor.report(error);
        }
        if !self.settings.has_gateway {
            self.set_listening();
            return std::future::pending().await;
        }
        let gateway = self.shared.api.gateway_bot().await?;
        let mut news = self.spawn_shards(&gateway)?;
        // Not before the shards are known: without them the client would look ready.
        self.set_listening();
        let deadline = Instant::now() + self.settings.startup_deadline;
        let mut is_up = has_others;
        let mut last_error = None;
        loop {
            let next = if is_up {
                news.recv().await
            } else {
                match timeout_at(deadline, news.recv()).await {
                    Ok(next) => next,
                    Err(_) => return Err(last_error.unwrap_or_else(|| self.no_answer())),
                }
            };
            match next {
                Some(ShardNews::Live) => is_up = true,
                Some(ShardNews::Interrupted(error)) if is_up => {
                    self.pipeline.executor.report(error);
                }
                Some(ShardNews::Interrupted(error)) => last_error = Some(error),
                Some(ShardNews::Ended(error)) => {
                    if let Some(earlier) = last_error.replace(error) {
                        self.pipeline.executor.report(earlier);
                    }
                }
                // Every shard has ended, and the last one said why. Other sources go on without them.
                None if has_others => {
                    if let Some(error) = last_error.take() {
                        self.pipeline.executor.report(error);
                    }
                    return std::future::pending().await;
                }
                None => return last_error.map_or(Ok(()), Err),
            }
        }
    }

    /// Starts the sources that the user brought; whether there are any.
    fn open_sources(&self) -> bool {
        for (index, open) in self.settings.sources.iter().enumerate() {
            self.shared.add_source(Source::Other(index));
            let intake = SourceIntake {
                source: open(),
                index,
                shared: Arc::clone(self.shared),
                pipeline: Arc::clone(&self.pipeline),
                is_connected: false,
                stop: self.stop.clone(),
                stopped: Box::pin(self.stop.clone().cancelled_owned()),
                open: self.shards.token(),
            };
            let watchdog = self.watchdog.as_ref();
            Post::man(intake, &self.pipeline, &self.leaders, watchdog);
        }
        !self.settings.sources.is_empty()
    }

    /// Starts the webhook, if there is one; whether there is.
    #[cfg(feature = "webhook")]
    async fn listen(&mut self) -> Result<bool, BotError> {
        let Some(settings) = &self.settings.webhook else {
            return Ok(false);
        };
        let webhook = WebhookRunner::bind(settings, &self.shared.token).await?;
        self.shared.add_source(Source::Webhook);
        self.intake
            .spawn(webhook.run(Arc::clone(&self.pipeline), self.stop.clone()));
        Ok(true)
    }

    #[cfg(not(feature = "webhook"))]
    #[expect(
        clippy::unused_async,
        reason = "the same call with the feature `webhook`"
    )]
    async fn listen(&mut self) -> Result<bool, BotError> {
        Ok(false)
    }

    fn set_listening(&self) {
        #[cfg(feature = "webhook")]
        self.shared.set_phase(Source::Webhook, Phase::Listening);
    }

    fn spawn_shards(
        &mut self,
        gateway: &GatewayBot,
    ) -> Result<mpsc::Receiver<ShardNews>, BotError> {
        let url = self.settings.gateway_url.as_deref().unwrap_or(&gateway.url);
        let count = gateway.shards.max(1);
        let queue = InMemoryIdentifyQueue::new(&gateway.session_start_limit);
        queue.check(count).map_err(|error| {
            BotError::with_source(
                ErrorKind::Gateway,
                "the bot may not open its sessions",
                error,
            )
        })?;
        let queue: Arc<dyn IdentifyQueue> = Arc::new(queue);
        let ids: Vec<_> = (0..count)
            .filter_map(|index| ShardId::new(index, count))
            .collect();
        for id in &ids {
            self.shared.add_source(Source::Shard(*id));
        }
        let (sender, receiver) = mpsc::channel(ids.len().max(1));
        for id in ids {
            let shard = Shard::builder(url, self.shared.api.access_token(), self.settings.intents)
                .shard(id)
                .connect(Arc::clone(&self.settings.connect))
                .tls(self.settings.tls.clone())
                .timeouts(self.timeouts())
                .identify_queue(Arc::clone(&queue))
                .build()?;
            self.shared.knowledge.gateways.add(id, shard.sender());
            let intake = ShardIntake {
                id,
                shard,
                shared: Arc::clone(self.shared),
                pipeline: Arc::clone(&self.pipeline),
                progress: Arc::new(Progress::default()),
                news: sender.clone(),
                stop: self.stop.clone(),
                stopped: Box::pin(self.stop.clone().cancelled_owned()),
                drained: self.drained.clone(),
                open: self.shards.token(),
            };
            let watchdog = self.watchdog.as_ref();
            Post::man(intake, &self.pipeline, &self.leaders, watchdog);
        }
        Ok(receiver)
    }

    /// A phase that hangs must be found before the start-up deadline, so that the error can name it.
    fn timeouts(&self) -> Timeouts {
        Timeouts::default().at_most(self.settings.startup_deadline / 2)
    }

    fn no_answer(&self) -> BotError {
        let seconds = self.settings.startup_deadline.as_secs_f32();
        BotError::new(
            ErrorKind::Timeout,
            format!("the gateway gave the bot no session within {seconds} s"),
        )
    }

    /// Lets callbacks finish and closes the connections, within the deadline of the stop.
    async fn shut_down(&mut self) {
        self.stop.cancel();
        // Callbacks that wait for what will not come must not wait.
        self.shared.knowledge.close();
        let begun = Instant::now();
        let limit = self.shared.stop_deadline();
        let end = begun + limit;
        let closing = CLOSING.min(limit / 4);
        let last_events = async { while self.intake.join_next().await.is_some() {} };
        // What is not handed out by then is handed to nobody.
        let _ = timeout_at(end - closing, last_events).await;
        self.intake.abort_all();
        self.leaders.reading.close();
        let _ = timeout_at(end - closing, self.leaders.reading.wait()).await;
        let left = self.pipeline.executor.drain(end - closing).await;
        // Callbacks have ended, so what they left unacknowledged is acknowledged now.
        let _ = timeout_at(end - closing, self.shared.replies.drain()).await;
        self.drained.cancel();
        self.shards.close();
        let closed = timeout_at(end, self.shards.wait()).await;
        let cut = if closed.is_err() {
            self.shards.len()
        } else {
            0
        };
        self.shared.set_report(StopReport {
            drained: left.drained,
            unfinished: left.running,
            unhandled: left.waiting,
            cut,
            sessions_saved: 0,
            duration: begun.elapsed(),
        });
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        if let Some(watchdog) = &self.watchdog {
            watchdog.end();
        }
        self.leaders.abort();
        self.intake.abort_all();
        self.pipeline.executor.abort();
        self.shared.replies.stop();
        self.shared.end(self.reason.take());
    }
}

/// Ends on Ctrl-C, and on SIGTERM where that exists.
pub(super) async fn shutdown_signal() -> Result<(), BotError> {
    let failed =
        |error| BotError::with_source(ErrorKind::Other, "signals cannot be listened to", error);
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        tokio::select! {
            result = tokio::signal::ctrl_c() => result.map_err(failed),
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.map_err(failed)
}
