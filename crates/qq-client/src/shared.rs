//! What the parts of one client share. Nothing of it is shared between clients.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use qq_http::HttpClient;
use qq_model::Token;
use qq_model::user::SelfUser;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::Stats;
use crate::client::{Settings, StopReport};
use crate::dispatch::{DropReason, Duplicates, Executor, Overflow};
use crate::handlers::Handlers;
use crate::health::{Health, ShardHealth, Vitals};
use crate::knowledge::Knowledge;
use crate::reply::Replies;
use crate::stats::{Counters, SendKind};
use crate::status::{ConnectionSession, Phase, Source, SourceView, Status, summarize};

pub(crate) struct Shared {
    pub(crate) api: HttpClient,
    pub(crate) token: Token,
    pub(crate) replies: Replies,
    pub(crate) knowledge: Knowledge,
    pub(crate) handlers: Arc<Handlers>,
    pub(crate) overflow: Overflow,
    user: Mutex<Option<Arc<SelfUser>>>,
    pub(crate) duplicates: Arc<Duplicates>,
    sources: Mutex<Vec<SourceView>>,
    run: Mutex<Option<RunControl>>,
    report: Mutex<Option<StopReport>>,
    status: watch::Sender<Status>,
    pub(crate) counters: Counters,
}

/// A client that runs.
struct RunControl {
    stop: CancellationToken,
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
            api,
            token,
            replies: Replies::new(&settings.reply),
            knowledge: Knowledge::new(&settings.knowledge),
            handlers,
            overflow: Overflow::default(),
            user: Mutex::default(),
            duplicates: Duplicates::new(settings.duplicates.clone()),
            sources: Mutex::default(),
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

    /// Counts what became of a message.
    pub(crate) fn count_send<T, E>(&self, kind: SendKind, result: Result<T, E>) -> Result<T, E> {
        self.counters.send(kind, result.is_ok());
        result
    }

    pub(crate) fn stats(&self) -> Stats {
        let mut stats = self.counters.stats();
        stats.duplicates = self.duplicates.count();
        stats.store_failures = self.duplicates.store_failures();
        stats.dropped = self.overflow.dropped(DropReason::Capacity);
        stats.dropped_by_conversation = self.overflow.dropped(DropReason::ConversationCapacity);
        stats.reply_store_failures = self.replies.store_failures();
        stats
    }

    pub(crate) fn health(&self) -> Health {
        let shards = lock(&self.sources)
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
        let executor = lock(&self.run)
            .as_ref()
            .and_then(|run| run.executor.upgrade());
        let (waiting, running) = executor.map_or((0, 0), |executor| executor.load());
        Health {
            status: self.status.borrow().clone(),
            shards,
            waiting,
            running,
        }
    }

    /// Marks what runs the callbacks of this run.
    pub(crate) fn attach(&self, executor: &Arc<Executor>) {
        if let Some(run) = &mut *lock(&self.run) {
            run.executor = Arc::downgrade(executor);
        }
    }

    /// Marks the client as running; `None` when it already is.
    pub(crate) fn begin(&self, stop_deadline: Duration) -> Option<CancellationToken> {
        let mut run = lock(&self.run);
        if run.is_some() {
            return None;
        }
        let stop = CancellationToken::new();
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
        lock(&self.sources).clear();
        self.knowledge.close();
        *lock(&self.run) = None;
        self.status.send_replace(Status::Stopped { reason });
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
        control.stop.cancel();
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
        lock(&self.sources).push(SourceView {
            source,
            phase: Phase::Connecting,
            vitals: Arc::clone(&vitals),
        });
        vitals
    }

    pub(crate) fn set_phase(&self, source: Source, phase: Phase) {
        let mut sources = lock(&self.sources);
        if let Some(view) = sources.iter_mut().find(|view| view.source == source) {
            view.phase = phase;
        }
        let status = summarize(&sources, SystemTime::now());
        drop(sources);
        self.status.send_if_modified(|current| {
            let is_news = !matches!(
                (&*current, &status),
                (Status::Ready { .. }, Status::Ready { .. })
            ) && *current != status;
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
        lock(&self.sources).iter().filter_map(live).collect()
    }

    pub(crate) fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }
}

/// The locks here guard plain data that is whole after every statement, so a panic elsewhere spoils nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
