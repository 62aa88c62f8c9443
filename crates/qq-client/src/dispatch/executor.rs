//! Running callbacks: at once on the task of the source where they return at once, on a task of their conversation
//! where they wait.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as TaskContext, Poll};

use qq_model::Event;
use qq_model::message::Conversation;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::ack::{Ack, Outcome};
use super::callbacks::{Callbacks, Place};
use super::guard::guarded;
use super::lane::{Lane, LaneKeys};
use super::overflow::DropReason;
use super::table::{Admission, Table};
use super::{DispatchSettings, Held, Seen};
use crate::BotError;
use crate::context::Origin;
use crate::shared::Shared;

/// Failures that are being told at a time; with more, they are logged only.
const REPORTS: usize = 256;

pub(crate) struct Executor {
    pub(crate) shared: Arc<Shared>,
    pub(crate) settings: DispatchSettings,
    callbacks: Arc<dyn Callbacks>,
    keys: LaneKeys,
    table: Mutex<Table<Job>>,
    /// Told when a job has ended, if a source waits for room.
    room: Notify,
    waiting_for_room: AtomicUsize,
    /// Told when the last job has ended, if somebody waits for that.
    idle: Notify,
    waiting_for_idle: AtomicUsize,
    /// `None` once nothing is run any more.
    tasks: Mutex<Option<JoinSet<()>>>,
    reports: AtomicUsize,
    /// The client stops.
    draining: CancellationToken,
}

/// An event to be handled.
pub(crate) struct Job {
    pub(crate) event: Held,
    /// The payload as it came, where somebody asked for it.
    pub(crate) text: Option<Arc<str>>,
    pub(crate) sequence: Option<u64>,
    /// Whether an earlier process may have begun to handle it and did not finish.
    pub(crate) is_redelivered: bool,
    pub(crate) origin: Arc<Origin>,
    pub(crate) seen: Seen,
    pub(crate) ack: Ack,
    pub(crate) lane: Option<Lane>,
}

/// What became of the job in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It is there, and may run now.
    Run,
    /// It was taken: it runs after those of its lane, or was dropped.
    Done,
    /// It is there, and has to wait for room.
    Full,
}

/// What was left when callbacks were no longer waited for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Left {
    /// Events handled since they were waited for.
    pub(crate) drained: usize,
    /// Callbacks that ran.
    pub(crate) running: usize,
    /// Events that no callback had been called for.
    pub(crate) waiting: usize,
}

impl Executor {
    pub(crate) fn new(
        callbacks: Arc<dyn Callbacks>,
        shared: Arc<Shared>,
        settings: DispatchSettings,
    ) -> Arc<Self> {
        Arc::new(Self {
            table: Mutex::new(Table::new(settings.bounds())),
            shared,
            settings,
            callbacks,
            keys: LaneKeys::default(),
            room: Notify::new(),
            waiting_for_room: AtomicUsize::new(0),
            idle: Notify::new(),
            waiting_for_idle: AtomicUsize::new(0),
            tasks: Mutex::new(Some(JoinSet::new())),
            reports: AtomicUsize::new(0),
            draining: CancellationToken::new(),
        })
    }

    /// Finds a place for the job in the slot, which stays there while it is not taken.
    pub(crate) fn admit(self: &Arc<Self>, slot: &mut Option<Job>) -> Step {
        let Some(lane) = slot.as_ref().map(|job| job.lane) else {
            return Step::Done;
        };
        let (admission, evicted) = lock(&self.table).admit(lane, slot);
        if let Some(evicted) = evicted {
            let (job, reason) = *evicted;
            self.drop_job(job, reason);
        }
        match admission {
            Admission::Run => Step::Run,
            Admission::Queued => Step::Done,
            Admission::Full => Step::Full,
            Admission::Dropped(reason) => {
                if let Some(job) = slot.take() {
                    self.drop_job(job, reason);
                }
                Step::Done
            }
        }
    }

    /// The lane of an event of this chat.
    pub(crate) fn lane(&self, event: &Event, conversation: Option<&Conversation>) -> Option<Lane> {
        self.keys.of(event, conversation)
    }

    /// [`admit`](Self::admit) for a job that found no room; whether it may run now. Cancelled, it is as if the event had
    /// not come, once the slot is dropped.
    pub(crate) async fn wait_for_room(self: &Arc<Self>, slot: &mut Option<Job>) -> bool {
        let _waiting = Waiting::new(&self.waiting_for_room);
        loop {
            let mut room = pin!(self.room.notified());
            room.as_mut().enable();
            match self.admit(slot) {
                Step::Run => return true,
                Step::Done => return false,
                Step::Full => room.await,
            }
        }
    }

    /// An event needs no handler.
    pub(crate) fn settle(self: &Arc<Self>, seen: Seen, ack: Ack) {
        if !self.shared.duplicates.has_store() {
            seen.given_up();
            return ack.done(Outcome::Handled);
        }
        let executor = Arc::clone(self);
        self.spawn(async move {
            seen.handled(|error| executor.report(error)).await;
            ack.done(Outcome::Handled);
        });
    }

    /// Runs the job in the slot here as long as it does not wait, and on a task of its own from there.
    pub(crate) fn run(
        self: &Arc<Self>,
        place: &mut Place,
        slot: &mut Option<Job>,
        cx: &mut TaskContext<'_>,
    ) {
        let Some(lane) = slot.as_ref().map(|job| job.lane) else {
            return;
        };
        place.start(slot);
        match place.poll(cx) {
            Poll::Ready(()) => {
                if let Some(next) = self.finish(lane) {
                    self.run_apart(next);
                }
            }
            Poll::Pending => {
                let place = std::mem::replace(place, self.place());
                self.spawn(Arc::clone(self).run_lane(place, lane));
            }
        }
    }

    /// Runs a job on a task of its own from the start.
    pub(crate) fn run_apart(self: &Arc<Self>, job: Job) {
        let lane = job.lane;
        let mut place = self.place();
        place.start(&mut Some(job));
        self.spawn(Arc::clone(self).run_lane(place, lane));
    }

    /// Tells the handler of a failure, after nothing and beside everything.
    pub(crate) fn report(self: &Arc<Self>, error: BotError) {
        tracing::warn!(error = ?error, "reported to the handler");
        if self.reports.fetch_add(1, Ordering::Relaxed) >= REPORTS {
            self.reports.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        let executor = Arc::clone(self);
        self.spawn(async move { executor.tell(error).await });
    }

    /// Waits until every event was handled, at most until the deadline; what runs then is aborted.
    pub(crate) async fn drain(&self, deadline: Instant) -> Left {
        self.draining.cancel();
        let before = lock(&self.table).len();
        let all = async {
            let _waiting = Waiting::new(&self.waiting_for_idle);
            loop {
                let mut idle = pin!(self.idle.notified());
                idle.as_mut().enable();
                if lock(&self.table).len() == 0 {
                    break;
                }
                idle.await;
            }
            // What is left are reports.
            poll_fn(|cx| match &mut *lock(&self.tasks) {
                None => Poll::Ready(()),
                Some(tasks) => loop {
                    match tasks.poll_join_next(cx) {
                        Poll::Ready(Some(_)) => {}
                        Poll::Ready(None) => return Poll::Ready(()),
                        Poll::Pending => return Poll::Pending,
                    }
                },
            })
            .await;
        };
        let _ = timeout_at(deadline, all).await;
        let (len, waiting) = {
            let table = lock(&self.table);
            (table.len(), table.waiting())
        };
        // A callback that blocks its thread cannot be waited for; the others end where they wait.
        self.abort();
        Left {
            drained: before.saturating_sub(len),
            running: len - waiting,
            waiting,
        }
    }

    /// Ends every callback that runs.
    pub(crate) fn abort(&self) {
        let waiting = lock(&self.table).clear();
        let tasks = lock(&self.tasks).take();
        // What callbacks hold may do anything when it is dropped.
        drop((waiting, tasks));
    }

    /// Events that wait, and events that are being handled.
    pub(crate) fn load(&self) -> (usize, usize) {
        let table = lock(&self.table);
        let waiting = table.waiting();
        (waiting, table.len() - waiting)
    }

    /// A place where events are handled.
    pub(crate) fn place(&self) -> Place {
        let limit = self.settings.handler_timeout;
        Arc::clone(&self.callbacks).place(limit)
    }

    /// Runs the jobs of a lane until none is left.
    async fn run_lane(self: Arc<Self>, mut place: Place, lane: Option<Lane>) {
        loop {
            poll_fn(|cx| place.poll(cx)).await;
            let mut next = self.finish(lane);
            if next.is_none() {
                return;
            }
            place.start(&mut next);
            tokio::task::coop::consume_budget().await;
        }
    }

    /// A job of this lane has ended; the next one.
    fn finish(&self, lane: Option<Lane>) -> Option<Job> {
        let mut table = lock(&self.table);
        let next = table.finish(lane);
        let is_idle = table.len() == 0;
        drop(table);
        if self.waiting_for_room.load(Ordering::SeqCst) > 0 {
            self.room.notify_waiters();
        }
        if is_idle && self.waiting_for_idle.load(Ordering::SeqCst) > 0 {
            self.idle.notify_waiters();
        }
        // Usually there is none, and nothing is moved.
        let next = next?;
        Some(next)
    }

    fn drop_job(self: &Arc<Self>, job: Job, reason: DropReason) {
        let Job {
            event, seen, ack, ..
        } = job;
        seen.given_up();
        ack.done(Outcome::Dropped(reason));
        self.shared.overflow.count(reason);
        tracing::debug!(event = event.name(), ?reason, "an event was dropped");
        if let Some(report) = self.shared.overflow.first_of_burst(reason) {
            self.report(report);
            let executor = Arc::clone(self);
            self.spawn(async move {
                while let Some(summary) = executor.sum_up(reason).await {
                    executor.report(summary);
                }
            });
        }
    }

    async fn sum_up(&self, reason: DropReason) -> Option<BotError> {
        let overflow = &self.shared.overflow;
        overflow.summary(reason, &self.draining).await
    }

    async fn tell(self: Arc<Self>, error: BotError) {
        let limit = self.settings.handler_timeout;
        let mut told = Ok(());
        for closure in self.shared.handlers.on_error() {
            let error = error.clone();
            told = told.and(guarded(limit, async { closure(error).await }).await);
        }
        told = told.and(guarded(limit, Arc::clone(&self.callbacks).error(error)).await);
        self.reports.fetch_sub(1, Ordering::Relaxed);
        if told.is_err() {
            self.shared.counters.panics.fetch_add(1, Ordering::Relaxed);
            tracing::error!("the callback error did not return");
        }
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(tasks) = &mut *lock(&self.tasks) {
            while tasks.try_join_next().is_some() {}
            tasks.spawn(task);
        }
    }
}

/// Somebody waits for room as long as this is there.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The locks here guard plain data that is whole after every statement, so a panic elsewhere spoils nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
