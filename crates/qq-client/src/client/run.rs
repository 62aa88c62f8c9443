//! One run of a client, from the first REST call to the last closed connection.

use std::sync::Arc;
use std::time::Duration;

use qq_cache::Preload;
use qq_gateway::{
    CloseMode, IdentifyQueue, InMemoryIdentifyQueue, Session, Shard, ShardPlan, Timeouts,
};
use qq_model::gateway::{GatewayBot, ShardId};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::builder::{Settings, ShardChoice};
use super::report::StopReport;
use crate::dispatch::{Executor, Leaders, Pipeline, Post, Progress, Watchdog};
use crate::error::ErrorKind;
use crate::handler::kinds_of;
use crate::shard::{ShardIntake, ShardNews, looks};
use crate::shared::Shared;
use crate::source::{SourceContext, SourceIntake};
#[cfg(feature = "webhook")]
use crate::status::Phase;
use crate::status::Source;
use crate::stop::Stop;
use crate::store::SessionKeeper;
use crate::wanted::Wanted;
#[cfg(feature = "webhook")]
use crate::webhook::{WebhookIntake, bind, serve};
use crate::{BotError, EventHandler};

/// The part of a stop that closing connections may take at most.
const CLOSING: Duration = Duration::from_secs(1);

/// A client that runs. Dropping it ends everything that it started.
pub(super) struct Run<'a> {
    shared: &'a Arc<Shared>,
    settings: &'a Settings,
    /// Which events are taken from gateway and webhook.
    wanted: Wanted,
    pipeline: Arc<Pipeline>,
    leaders: Arc<Leaders>,
    /// `None` on a runtime with one thread: there, who blocks it blocks everything.
    watchdog: Option<Arc<Watchdog>>,
    /// The shards that are open.
    shards: TaskTracker,
    /// Webhook servers: they end before their events do, so that what was acknowledged is handled.
    servers: JoinSet<()>,
    keeper: Option<Arc<SessionKeeper>>,
    saving: JoinSet<()>,
    stop: Stop,
    drained: CancellationToken,
    reason: Option<Box<str>>,
    /// Sources that have failed for good; the first is why the client stops.
    failed: (mpsc::Sender<BotError>, mpsc::Receiver<BotError>),
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
        shared.attach(&executor);
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
            wanted: Wanted::new(kinds_of::<H>(), settings),
            pipeline: Pipeline::new(shared, executor),
            leaders: Leaders::new(),
            watchdog: has_threads.then(Arc::default),
            shards: TaskTracker::new(),
            servers: JoinSet::new(),
            keeper: settings.session_store.as_ref().map(|store| {
                Arc::new(SessionKeeper::new(
                    Arc::clone(store),
                    shared.access.token.app_id().into(),
                    settings.intents,
                    settings.session_max_age,
                ))
            }),
            saving: JoinSet::new(),
            stop,
            drained: CancellationToken::new(),
            reason: None,
            failed: mpsc::channel(1),
        })
    }

    pub(super) async fn run(mut self) -> Result<(), BotError> {
        let (stop, shared) = (self.stop.token().clone(), Arc::clone(self.shared));
        self.save_quotes();
        let work = stop.run_until_cancelled(self.connect_and_watch());
        let result = tokio::select! {
            result = work => result.unwrap_or(Ok(())),
            // Never ends.
            () = shared.watch_troubles() => Ok(()),
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
        let has_others = has_webhook || !self.settings.sources.is_empty();
        self.shared.set_user(self.shared.access.api.me().await?);
        if let Some(prefetch) = self.settings.knowledge.prefetch
            && let Err(error) = prefetch.run(self.shared).await
        {
            self.pipeline.executor.report(error);
        }
        if !self.settings.has_gateway {
            self.open_others();
            return Err(self.failure().await);
        }
        let gateway = self.shared.access.api.gateway_bot().await?;
        let mut news = self.spawn_shards(&gateway).await?;
        // Not before the shards are known: without them the client would look ready.
        self.open_others();
        let deadline = Instant::now() + self.settings.startup_deadline;
        let mut is_up = has_others;
        let mut last_error = None;
        loop {
            let next = if is_up {
                tokio::select! {
                    next = news.recv() => next,
                    error = self.failure() => return Err(error),
                }
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
                    return Err(self.failure().await);
                }
                None => return last_error.map_or(Ok(()), Err),
            }
        }
    }

    /// Waits until a source that the user brought fails for good. Cancel-safe.
    async fn failure(&mut self) -> BotError {
        match self.failed.1.recv().await {
            Some(error) => error,
            // The other end is held beside it.
            None => std::future::pending().await,
        }
    }

    /// Starts the sources that the user brought.
    fn open_others(&self) {
        for index in 0..self.settings.sources.len() {
            self.shared.add_source(Source::Other(index));
        }
        self.set_listening();
        for (index, open) in self.settings.sources.iter().enumerate() {
            let mut source = open();
            source.open(self.source_context());
            let intake = SourceIntake {
                source,
                index,
                failed: self.failed.0.clone(),
                shared: Arc::clone(self.shared),
                pipeline: Arc::clone(&self.pipeline),
                is_connected: false,
                stop: self.stop.clone(),
                stopped: Box::pin(self.stop.token().clone().cancelled_owned()),
                open: self.shards.token(),
            };
            let watchdog = self.watchdog.as_ref();
            Post::man(intake, &self.pipeline, &self.leaders, watchdog);
        }
    }

    fn source_context(&self) -> SourceContext {
        SourceContext {
            api: self.shared.access.api.clone(),
            token: self.shared.access.token.clone(),
            intents: self.settings.intents,
            gateway_url: self.settings.gateway_url.clone(),
            connect: Arc::clone(&self.settings.connect),
            tls: self.settings.tls.clone(),
            #[cfg(feature = "webhook")]
            has_webhook: self.settings.webhook.is_some(),
            #[cfg(not(feature = "webhook"))]
            has_webhook: false,
        }
    }

    /// Starts the webhook, if there is one; whether there is.
    #[cfg(feature = "webhook")]
    async fn listen(&mut self) -> Result<bool, BotError> {
        let Some(settings) = &self.settings.webhook else {
            return Ok(false);
        };
        let sink = self.settings.webhook_sink.clone();
        let (server, events) = bind(settings, sink, &self.shared.access.token).await?;
        let vitals = self.shared.add_source(Source::Webhook);
        self.servers.spawn(serve(server, self.stop.token().clone()));
        if let Some(events) = events {
            let intake = WebhookIntake {
                events,
                vitals,
                shared: Arc::clone(self.shared),
                wanted: self.wanted,
            };
            let watchdog = self.watchdog.as_ref();
            Post::man(intake, &self.pipeline, &self.leaders, watchdog);
        }
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

    async fn spawn_shards(
        &mut self,
        gateway: &GatewayBot,
    ) -> Result<mpsc::Receiver<ShardNews>, BotError> {
        let url = self.settings.gateway_url.as_deref().unwrap_or(&gateway.url);
        let plan = match self.settings.shards {
            ShardChoice::Recommended => ShardPlan::recommended(gateway),
            ShardChoice::Plan(plan) => plan,
        };
        let ids: Vec<ShardId> = plan.shards().collect();
        let mut sessions = Vec::with_capacity(ids.len());
        for id in ids {
            let progress = Arc::new(Progress::default());
            let session = self.kept_session(id, &progress).await;
            sessions.push((id, progress, session));
        }
        let to_open = sessions
            .iter()
            .filter(|(.., session)| session.is_none())
            .count();
        let queue = self.identify_queue(gateway, to_open)?;
        // All of them before the first runs: fewer would look ready too early.
        let vitals: Vec<_> = sessions
            .iter()
            .map(|(id, ..)| self.shared.add_source(Source::Shard(*id)))
            .collect();
        let (sender, receiver) = mpsc::channel(sessions.len().max(1));
        for ((id, progress, session), vitals) in sessions.into_iter().zip(vitals) {
            let mut builder = Shard::builder(
                url,
                self.shared.access.api.access_token(),
                self.settings.intents,
            )
            .shard(id)
            .session(session)
            .connect(Arc::clone(&self.settings.connect))
            .tls(self.settings.tls.clone())
            .timeouts(self.timeouts())
            .identify_queue(Arc::clone(&queue));
            let (wanted, asked) = (self.wanted, Arc::clone(self.shared));
            builder = builder.kinds_when(move |kind| asked.wants(wanted, kind));
            let shard = builder.build()?;
            self.shared.knowledge.gateways.add(id, shard.sender());
            let intake = ShardIntake {
                id,
                shard,
                shared: Arc::clone(self.shared),
                pipeline: Arc::clone(&self.pipeline),
                progress: self.keeper.is_some().then_some(progress),
                vitals,
                looks: looks(),
                close_mode: if self.keeper.is_some() {
                    CloseMode::KeepSession
                } else {
                    CloseMode::Finish
                },
                news: sender.clone(),
                stop: self.stop.clone(),
                stopped: Box::pin(self.stop.token().clone().cancelled_owned()),
                drained: self.drained.clone(),
                open: self.shards.token(),
                texts: None,
                foreseen: self.wanted.always(),
                noted_until: None,
                ahead: Box::new(None),
                preload: Preload::default(),
            };
            let watchdog = self.watchdog.as_ref();
            Post::man(intake, &self.pipeline, &self.leaders, watchdog);
        }
        self.save_sessions();
        Ok(receiver)
    }

    /// The session of a shard that can be resumed.
    async fn kept_session(&self, id: ShardId, progress: &Arc<Progress>) -> Option<Session> {
        match self.keeper.as_ref()?.keep(id, progress).await {
            Ok(session) => session,
            Err(error) => {
                self.pipeline.executor.report(error);
                None
            }
        }
    }

    /// How many sessions the store has when the client has stopped.
    async fn save_for_the_last_time(&self, deadline: Instant) -> usize {
        let Some(keeper) = &self.keeper else {
            return 0;
        };
        let report = |error: BotError| tracing::warn!(error = ?error, "a session was not saved");
        keeper.finish(deadline, report).await
    }

    fn save_quotes(&mut self) {
        let executor = Arc::clone(&self.pipeline.executor);
        let shared = Arc::clone(self.shared);
        self.saving.spawn(async move {
            let quotes = &shared.knowledge.quotes;
            quotes.run(|error| executor.report(error)).await;
        });
    }

    fn save_sessions(&mut self) {
        if let Some(keeper) = self.keeper.clone() {
            let executor = Arc::clone(&self.pipeline.executor);
            self.saving
                .spawn(async move { keeper.run(|error| executor.report(error)).await });
        }
    }

    fn identify_queue(
        &self,
        gateway: &GatewayBot,
        to_open: usize,
    ) -> Result<Arc<dyn IdentifyQueue>, BotError> {
        if let Some(queue) = &self.settings.identify_queue {
            return Ok(Arc::clone(queue));
        }
        let queue = InMemoryIdentifyQueue::new(&gateway.session_start_limit);
        let to_open = u32::try_from(to_open).unwrap_or(u32::MAX);
        queue
            .check(to_open)
            .map_err(|error| BotError::of(ErrorKind::Gateway, error))?;
        Ok(Arc::new(queue))
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
        self.stop.set();
        // Callbacks that wait for what will not come must not wait.
        self.shared.knowledge.close();
        let answers_given_up = self.shared.replies.give_up_waiting();
        let begun = Instant::now();
        let limit = self.shared.stop_deadline();
        let end = begun + limit;
        let closing = CLOSING.min(limit / 4);
        let last_requests = async { while self.servers.join_next().await.is_some() {} };
        // What is not handed out by then is handed to nobody.
        let _ = timeout_at(end - closing, last_requests).await;
        self.servers.abort_all();
        self.leaders.reading.close();
        let _ = timeout_at(end - closing, self.leaders.reading.wait()).await;
        let left = self.pipeline.executor.drain(end - closing).await;
        // Callbacks have ended, so what they left unacknowledged is acknowledged now.
        let answers_on_their_way = self.shared.replies.drain(end - closing).await;
        let quotes_unsaved = self.shared.knowledge.quotes.flush(end - closing).await;
        self.drained.cancel();
        self.shards.close();
        self.saving.abort_all();
        let closed = timeout_at(end, self.shards.wait());
        let (closed, sessions_saved) = tokio::join!(closed, self.save_for_the_last_time(end));
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
            sessions_saved,
            answers_given_up,
            answers_on_their_way,
            quotes_unsaved,
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
        self.servers.abort_all();
        self.saving.abort_all();
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
