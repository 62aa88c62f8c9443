//! Running callbacks.
//!
//! Each conversation with events has one task that handles them in order and ends with the last of them, so an
//! idle conversation costs nothing. The number of events that wait or run is bounded by a semaphore; whoever
//! delivers events waits for a permit first.

use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use qq_model::Event;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::Delivery;
use super::lane::Lane;
use crate::handler::call;
use crate::shared::Shared;
use crate::{BotError, Context, EventHandler};

pub(crate) struct Lanes<H> {
    handler: Arc<H>,
    shared: Arc<Shared>,
    permits: Arc<Semaphore>,
    waiting: Mutex<HashMap<Lane, VecDeque<Job>>>,
    tasks: Mutex<JoinSet<()>>,
}

struct Job {
    context: Context,
    delivery: Delivery,
    /// Given back when the event was handled.
    _permit: OwnedSemaphorePermit,
}

impl<H: EventHandler> Lanes<H> {
    pub(crate) fn new(handler: Arc<H>, shared: Arc<Shared>, capacity: usize) -> Arc<Self> {
        Arc::new(Self {
            handler,
            shared,
            permits: Arc::new(Semaphore::new(capacity)),
            waiting: Mutex::default(),
            tasks: Mutex::default(),
        })
    }

    /// Waits until one more event may wait or run. Cancel-safe.
    pub(crate) async fn permit(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        Arc::clone(&self.permits).acquire_owned().await
    }

    /// Has an event handled after those of its lane that came before.
    pub(crate) fn push(self: &Arc<Self>, delivery: Delivery, permit: OwnedSemaphorePermit) {
        let job = Job {
            context: Context::new(&self.shared, &delivery),
            delivery,
            _permit: permit,
        };
        let Some(lane) = Lane::of(&job.delivery.event) else {
            let lanes = Arc::clone(self);
            return self.spawn(async move { lanes.handle(job).await });
        };
        let mut waiting = lock(&self.waiting);
        if let Some(queue) = waiting.get_mut(&lane) {
            return queue.push_back(job);
        }
        waiting.insert(lane.clone(), VecDeque::new());
        drop(waiting);
        let lanes = Arc::clone(self);
        self.spawn(async move {
            let mut next = Some(job);
            while let Some(job) = next {
                lanes.handle(job).await;
                next = lanes.next_of(&lane);
            }
        });
    }

    /// Tells the handler of a failure, after nothing and beside everything.
    pub(crate) fn report(self: &Arc<Self>, error: BotError) {
        let lanes = Arc::clone(self);
        self.spawn(async move { lanes.tell(error).await });
    }

    /// Waits until every event was handled, at most until the deadline; what runs then is aborted.
    /// Returns how many callbacks were.
    pub(crate) async fn drain(&self, deadline: Duration) -> usize {
        let mut tasks = std::mem::take(&mut *lock(&self.tasks));
        let unfinished = match timeout(deadline, async {
            while tasks.join_next().await.is_some() {}
        })
        .await
        {
            Ok(()) => 0,
            Err(_) => tasks.len(),
        };
        // A callback that blocks its thread cannot be waited for; the others end where they wait.
        tasks.abort_all();
        lock(&self.waiting).clear();
        unfinished
    }

    async fn handle(&self, job: Job) {
        self.shared.counters.events.fetch_add(1, Ordering::Relaxed);
        let callback = job
            .delivery
            .event
            .kind()
            .map_or("unknown_event", qq_model::EventKind::callback);
        let outcome =
            catch_panic(call(&*self.handler, job.context, take(job.delivery.event))).await;
        if let Err(payload) = outcome {
            self.shared.counters.panics.fetch_add(1, Ordering::Relaxed);
            self.tell(BotError::panicked(callback, &*payload)).await;
        }
    }

    async fn tell(&self, error: BotError) {
        tracing::warn!(error = ?error, "reported to the handler");
        if catch_panic(self.handler.error(error)).await.is_err() {
            self.shared.counters.panics.fetch_add(1, Ordering::Relaxed);
            tracing::error!("the callback error panicked");
        }
    }

    /// The next event of a lane; without one the lane ends.
    fn next_of(&self, lane: &Lane) -> Option<Job> {
        let mut waiting = lock(&self.waiting);
        let next = waiting.get_mut(lane).and_then(VecDeque::pop_front);
        if next.is_none() {
            waiting.remove(lane);
        }
        next
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = lock(&self.tasks);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }
}

impl<H> Lanes<H> {
    /// Aborts every callback that runs.
    pub(crate) fn abort(&self) {
        lock(&self.tasks).abort_all();
    }
}

/// The event by value: moved when nobody else holds it.
fn take(event: Arc<Event>) -> Event {
    Arc::unwrap_or_clone(event)
}

/// Runs a future of the user's. One that panicked is dropped at once and never polled again, so nothing of it
/// can be seen in a broken state from here.
async fn catch_panic<T>(future: impl Future<Output = T>) -> Result<T, Box<dyn Any + Send>> {
    AssertUnwindSafe(future).catch_unwind().await
}

/// The locks here guard plain data that is whole after every statement, so a panic elsewhere spoils nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
