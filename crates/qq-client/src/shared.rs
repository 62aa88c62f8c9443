//! What the parts of one client share. Nothing of it is shared between clients.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use qq_http::{Error, HttpClient};
use qq_model::Token;
use qq_model::user::SelfUser;
use tokio::sync::watch;

use crate::client::{Settings, StopReport};
use crate::dispatch::{DropReason, Duplicates, Executor, Overflow};
use crate::handlers::Handlers;
use crate::health::{Health, ShardHealth, Vitals};
use crate::knowledge::Knowledge;
use crate::reply::Replies;
use crate::stats::{Counters, SendResult};
use crate::status::{ConnectionSession, Phase, Source, SourceView, Status, summarize};
use crate::stop::Stop;
use crate::trouble::Troubles;
use crate::{BotAccess, BotError, Stats};

pub(crate) struct Shared {
    pub(crate) access: BotAccess,
    pub(crate) replies: Replies,
    pub(crate) knowledge: Knowledge,
    pub(crate) handlers: Arc<Handlers>,
    pub(crate) overflow: Overflow,
    user: Mutex<Option<Arc<SelfUser>>>,
    pub(crate) duplicates: Duplicates,
    sources: Mutex<Sources>,
    troubles: Troubles,
    run: Mutex<Option<RunControl>>,
    report: Mutex<Option<StopReport>>,
    status: watch::Sender<Status>,
    pub(crate) counters: Counters,
}

/// Where events come from.
#[derive(Default)]
struct Sources {
    views: Vec<SourceView>,
    /// Since when all of them are live, if they are.
    live_since: Option<SystemTime>,
}

/// A client that runs.
struct RunControl {
    stop: Stop,
    deadline: Duration,
    executor: Weak<Executor>,
}

impl Shared {
    pub(crate) fn new(
        api: HttpClient,
        token: Token,
        handlers: Arc<Handlers>,
        settings: &Settings,
    ) -> Self {
        Self {
            access: BotAccess { api, token },
            replies: Replies::new(&settings.reply),
            knowledge: Knowledge::new(&settings.knowledge),
            handlers,
            overflow: Overflow::default(),
            user: Mutex::default(),
            duplicates: Duplicates::new(settings.duplicates.clone()),
            sources: Mutex::default(),
            troubles: Troubles::default(),
            run: Mutex::default(),
            report: Mutex::default(),
            status: watch::Sender::new(Status::Idle),
            counters: Counters::default(),
        }
    }

    pub(crate) fn user(&self) -> Option<Arc<SelfUser>> {
        lock(&self.user).clone()
    }

    pub(crate) fn set_user(&self, user: SelfUser) {
        *lock(&self.user) = Some(Arc::new(user));
    }

    /// Takes note of what became of a message.
    pub(crate) fn note_send(&self, result: SendResult, error: Option<&Error>) {
        self.troubles.note_send(result, error);
        self.tell_status(&lock(&self.sources));
    }

    /// Takes note of what became of a fetch of an access token.
    pub(crate) fn note_token(&self, error: Option<&Error>) {
        self.troubles.note_token(error);
        self.tell_status(&lock(&self.sources));
    }

    /// Looks again at troubles that may have passed, as long as this is polled.
    pub(crate) async fn watch_troubles(&self) {
        let look = || self.tell_status(&lock(&self.sources));
        self.troubles.watch(look).await;
    }

    pub(crate) fn stats(&self) -> Stats {
        let mut stats = self.counters.stats();
        stats.duplicates = self.duplicates.count();
        stats.store_failures = self.duplicates.store_failures();
        stats.dropped = self.overflow.dropped(DropReason::Capacity);
        stats.dropped_by_conversation = self.overflow.dropped(DropReason::ConversationCapacity);
        stats.reply_store_failures = self.replies.store_failures();
        stats.quote_store_failures = self.knowledge.quotes.failures();
        stats
    }

    pub(crate) fn health(&self) -> Health {
        let sources = lock(&self.sources);
        let last_event = |view: &SourceView| view.vitals.read().1;
        let last_event_at = sources.views.iter().filter_map(last_event).max();
        let shards = sources
            .views
            .iter()
            .filter_map(|view| {
                let Source::Shard(shard) = view.source else {
                    return None;
                };
                let (heartbeat_round_trip, last_event_at) = view.vitals.read();
                let (session_id, interruption) = match &view.phase {
                    Phase::Live(id) => (Some(id.clone()), None),
                    Phase::Interrupted(reason) | Phase::Resuming(reason) => {
                        (None, Some(reason.clone()))
                    }
                    _ => (None, None),
                };
                Some(ShardHealth {
                    shard,
                    session_id,
                    interruption,
                    heartbeat_round_trip,
                    last_event_at,
                })
            })
            .collect();
        drop(sources);
        let executor = self.executor();
        let (waiting, running) = executor.map_or((0, 0), |executor| executor.load());
        let calls = self.access.api.limits().stats();
        Health {
            status: self.status.borrow().clone(),
            shards,
            waiting,
            running,
            last_event_at,
            token_expires_at: self.access.api.access_token().expires_at(),
            token_failure: self.troubles.token(),
            waiting_answers: self.replies.waiting_answers(),
            waiting_calls: calls.waiting,
            calls_in_flight: calls.in_flight,
        }
    }

    /// Tells the handler of a failure, if the client runs.
    pub(crate) fn tell(&self, error: BotError) {
        match self.executor() {
            Some(executor) => executor.report(error),
            None => tracing::warn!(error = ?error, "the client has stopped"),
        }
    }

    fn executor(&self) -> Option<Arc<Executor>> {
        let run = lock(&self.run);
        run.as_ref().and_then(|run| run.executor.upgrade())
    }

    /// Marks what runs the callbacks of this run.
    pub(crate) fn attach(&self, executor: &Arc<Executor>) {
        if let Some(run) = &mut *lock(&self.run) {
            run.executor = Arc::downgrade(executor);
        }
    }

    /// Marks the client as running; `None` when it already is.
    pub(crate) fn begin(&self, stop_deadline: Duration) -> Option<Stop> {
        let mut run = lock(&self.run);
        if run.is_some() {
            return None;
        }
        let stop = Stop::default();
        *run = Some(RunControl {
            stop: stop.clone(),
            deadline: stop_deadline,
            executor: Weak::new(),
        });
        drop(run);
        *lock(&self.report) = None;
        self.knowledge.open();
        self.status.send_replace(Status::Connecting);
        Some(stop)
    }

    /// Marks the client as stopped.
    pub(crate) fn end(&self, reason: Option<Box<str>>) {
        let mut sources = lock(&self.sources);
        *sources = Sources::default();
        self.status.send_replace(Status::Stopped { reason });
        drop(sources);
        self.knowledge.close();
        *lock(&self.run) = None;
    }

    /// Asks the running client to stop; `false` when none runs.
    pub(crate) fn request_stop(&self, deadline: Option<Duration>) -> bool {
        let mut run = lock(&self.run);
        let Some(control) = &mut *run else {
            return false;
        };
        if let Some(deadline) = deadline {
            control.deadline = deadline;
        }
        control.stop.set();
        true
    }

    /// How long the client may take to stop.
    pub(crate) fn stop_deadline(&self) -> Duration {
        lock(&self.run)
            .as_ref()
            .map_or(Duration::ZERO, |control| control.deadline)
    }

    pub(crate) fn set_report(&self, report: StopReport) {
        *lock(&self.report) = Some(report);
    }

    pub(crate) fn report(&self) -> Option<StopReport> {
        *lock(&self.report)
    }

    /// Adds a source of events that is not ready yet.
    pub(crate) fn add_source(&self, source: Source) -> Arc<Vitals> {
        let vitals = Arc::<Vitals>::default();
        lock(&self.sources).views.push(SourceView {
            source,
            phase: Phase::Connecting,
            vitals: Arc::clone(&vitals),
        });
        vitals
    }

    pub(crate) fn set_phase(&self, source: Source, phase: Phase) {
        let mut sources = lock(&self.sources);
        if let Some(view) = sources.views.iter_mut().find(|view| view.source == source) {
            view.phase = phase;
        }
        sources.live_since = match summarize(&sources.views) {
            Status::Ready { since } => Some(sources.live_since.unwrap_or(since)),
            _ => None,
        };
        self.tell_status(&sources);
    }

    /// Since when every source is live, if every one is.
    pub(crate) fn live_since(&self) -> Option<SystemTime> {
        lock(&self.sources).live_since
    }

    /// Tells what the client is doing, if that is news. With the lock held, so that what is told last is what is.
    fn tell_status(&self, sources: &Sources) {
        if sources.views.is_empty() {
            // It is starting, or does not run.
            return;
        }
        let status = match (sources.live_since, self.troubles.reason()) {
            (Some(_), Some(reason)) => Status::Degraded { reason },
            (Some(since), None) => Status::Ready { since },
            (None, _) => summarize(&sources.views),
        };
        self.status.send_if_modified(|current| {
            let is_news = *current != status;
            if is_news {
                *current = status;
            }
            is_news
        });
    }

    pub(crate) fn sessions(&self) -> Vec<ConnectionSession> {
        let live = |view: &SourceView| match (&view.source, &view.phase) {
            (Source::Shard(shard), Phase::Live(session_id)) => Some(ConnectionSession {
                session_id: session_id.clone(),
                shard_id: shard.index(),
                shard_count: shard.count(),
            }),
            _ => None,
        };
        lock(&self.sources).views.iter().filter_map(live).collect()
    }

    pub(crate) fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }
}

/// The locks here guard plain data that is whole after every statement, so a panic elsewhere spoils nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
