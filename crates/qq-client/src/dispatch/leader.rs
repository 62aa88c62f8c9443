//! Reading a source and running callbacks on one task, so that an event that is handled at once costs no hand-over.
//!
//! On a runtime with several threads, a callback that blocks its thread would keep the source from being read, and
//! heartbeats with it. So whoever runs a callback leaves the source behind for that time, and a [`Watchdog`] gives it
//! to another task when the callback does not come back: whoever reads is the leader, and a leader that is late finds
//! that there is a new one.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::coop::has_budget_remaining;
use tokio::task::{JoinSet, yield_now};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::ack::Ack;
use super::callbacks::Place;
use super::pipeline::Entry;
use super::watchdog::{Watchdog, Watched};
use super::{Delivery, Executor, Job, Pipeline};

/// A source of events that one task reads.
pub(crate) trait Intake: Send + 'static {
    /// Puts the next event into the place, which is empty; `false` when there will be no more. Cancel-safe: an event that
    /// is in the place is the caller's.
    fn next(&mut self, place: &mut Box<Incoming>) -> impl Future<Output = bool> + Send;

    /// What must go on while an event waits for room. Cancel-safe.
    fn meanwhile(&mut self) -> impl Future<Output = ()> + Send;

    /// What is left to do after the last event.
    fn finish(self) -> impl Future<Output = ()> + Send;
}

/// An event that comes in, and who is told what becomes of it. Its place is used again for one event after the other: it is
/// large, and to move it takes longer than to swap places.
pub(crate) type Incoming = Option<(Delivery, Ack)>;

/// The tasks that read sources.
pub(crate) struct Leaders {
    tasks: Mutex<Option<JoinSet<()>>>,
    /// The sources that may still give an event.
    pub(crate) reading: TaskTracker,
}

impl Leaders {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            tasks: Mutex::new(Some(JoinSet::new())),
            reading: TaskTracker::new(),
        })
    }

    /// Ends all of them. None is started any more.
    pub(crate) fn abort(&self) {
        let tasks = self.lock().take();
        drop(tasks);
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static, runtime: &Handle) {
        if let Some(tasks) = &mut *self.lock() {
            while tasks.try_join_next().is_some() {}
            tasks.spawn_on(task, runtime);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<JoinSet<()>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A source, for whoever reads it.
struct Seat<I> {
    intake: I,
    reading: TaskTrackerToken,
}

/// A source, and who reads it.
pub(crate) struct Post<I> {
    pipeline: Arc<Pipeline>,
    leaders: Arc<Leaders>,
    runtime: Handle,
    /// `None` where nobody could take over: on a runtime with one thread.
    watchdog: Option<Arc<Watchdog>>,
    /// The source while its leader runs a callback.
    left: Mutex<Option<Box<Seat<I>>>>,
    /// Odd while the leader runs a callback; grows with each. A leader that somebody else has taken over from finds
    /// another number than its own. Set from odd to even only by whoever holds `left`.
    pulse: AtomicU64,
    /// Callbacks run on tasks of their own for now, since they use up the leader's time.
    is_apart: AtomicBool,
}

impl<I: Intake> Post<I> {
    /// Reads a source from now on.
    pub(crate) fn man(
        intake: I,
        pipeline: &Arc<Pipeline>,
        leaders: &Arc<Leaders>,
        watchdog: Option<&Arc<Watchdog>>,
    ) {
        let post = Arc::new(Self {
            pipeline: Arc::clone(pipeline),
            leaders: Arc::clone(leaders),
            runtime: Handle::current(),
            watchdog: watchdog.cloned(),
            left: Mutex::new(None),
            pulse: AtomicU64::new(0),
            is_apart: AtomicBool::new(false),
        });
        if let Some(watchdog) = watchdog {
            let watched: Arc<dyn Watched> = post.clone();
            watchdog.watch(&watched);
        }
        let reading = leaders.reading.token();
        post.hand_to_new_leader(Box::new(Seat { intake, reading }));
    }

    fn hand_to_new_leader(self: &Arc<Self>, seat: Box<Seat<I>>) {
        self.leaders
            .spawn(Arc::clone(self).lead(seat), &self.runtime);
    }

    /// Reads until there are no more events, or somebody else does.
    async fn lead(self: Arc<Self>, mut seat: Box<Seat<I>>) {
        let executor = &self.pipeline.executor;
        let mut place = executor.place();
        let mut slot = None;
        let mut incoming = Box::new(None);
        let has_others = self.watchdog.is_some();
        let mut turn = Turn::new(if has_others { SLICE_OF_MANY } else { SLICE });
        while turn.of(seat.intake.next(&mut incoming)).await {
            if let Some((delivery, _)) = &*incoming
                && turn.is_over(delivery.received_at)
            {
                yield_now().await;
            }
            let may_run = match self.pipeline.enter(&mut incoming, &mut slot) {
                Entry::Run => true,
                Entry::Done => false,
                Entry::Waiting(waiting) => {
                    let admitted = self.pipeline.wait(waiting, &mut slot);
                    tokio::pin!(admitted);
                    tokio::select! {
                        biased;
                        may_run = &mut admitted => may_run,
                        () = seat.intake.meanwhile() => admitted.await,
                    }
                }
            };
            if !may_run {
                continue;
            }
            if self.is_apart.load(Ordering::Relaxed) {
                if let Some(job) = slot.take() {
                    executor.run_apart(job);
                }
            } else if let Some(watchdog) = &self.watchdog {
                *self.lock() = Some(seat);
                let mine = (self.pulse.load(Ordering::Acquire) | 1) + 2;
                self.pulse.store(mine, Ordering::Release);
                watchdog.wake();
                run_here(executor, &mut place, &mut slot).await;
                let Some(left) = self.take_back(mine) else {
                    return;
                };
                seat = left;
            } else {
                run_here(executor, &mut place, &mut slot).await;
            }
        }
        let Seat { intake, reading } = *seat;
        drop(reading);
        intake.finish().await;
    }

    /// The source that was left behind with this pulse, whose callback runs no longer or is given up; `None` when somebody
    /// else was quicker.
    fn take_back(&self, pulse: u64) -> Option<Box<Seat<I>>> {
        let mut left = self.lock();
        if self.pulse.load(Ordering::Acquire) != pulse {
            return None;
        }
        self.pulse.store(pulse + 1, Ordering::Release);
        left.take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Box<Seat<I>>>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<I: Intake> Watched for Post<I> {
    fn pulse(&self) -> u64 {
        self.pulse.load(Ordering::Acquire)
    }

    fn take_over(self: Arc<Self>, pulse: u64) {
        let left = self.take_back(pulse);
        if let Some(seat) = left {
            self.hand_to_new_leader(seat);
        }
    }

    fn set_apart(&self, is_apart: bool) {
        self.is_apart.store(is_apart, Ordering::Relaxed);
    }

    fn abandon(&self) {
        let left = self.lock().take();
        drop(left);
    }
}

/// For how long events are handled one after the other before other tasks of the thread have a turn.
const SLICE: Duration = Duration::from_millis(1);
/// The same where most of them need not wait for that: other threads take them.
const SLICE_OF_MANY: Duration = Duration::from_millis(4);
/// How many are, where the clock stands still.
const EVENTS: u32 = 1024;

/// A leader's turn among the tasks of its runtime.
///
/// A runtime with several threads wakes one of those that rest whenever a task gives way, though there may be nothing for it
/// to do: so not with every so many events, as [`consume_budget`](tokio::task::coop::consume_budget) would.
struct Turn {
    slice: Duration,
    ends: Option<Instant>,
    events: u32,
}

impl Turn {
    const fn new(slice: Duration) -> Self {
        Self {
            slice,
            ends: None,
            events: 0,
        }
    }

    /// Waits for something. Whoever waits has given way: then the next turn begins.
    async fn of<T>(&mut self, step: impl Future<Output = T>) -> T {
        let mut step = pin!(step);
        poll_fn(|cx| {
            let polled = step.as_mut().poll(cx);
            if polled.is_pending() {
                *self = Self::new(self.slice);
            }
            polled
        })
        .await
    }

    /// Whether the turn is over before an event of this time is handled; then the next one begins.
    fn is_over(&mut self, now: Instant) -> bool {
        let ends = *self.ends.get_or_insert_with(|| now + self.slice);
        self.events += 1;
        let is_over = self.events > EVENTS
            || now >= ends
            // What callbacks do counts, too.
            || !has_budget_remaining();
        if is_over {
            *self = Self::new(self.slice);
        }
        is_over
    }
}

/// Runs the job in the slot on this task as long as it does not wait.
async fn run_here(executor: &Arc<Executor>, place: &mut Place, slot: &mut Option<Job>) {
    poll_fn(|cx| {
        executor.run(place, slot, cx);
        Poll::Ready(())
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_ends_with_its_time_or_its_events() {
        let mut turn = Turn::new(SLICE);
        let now = Instant::now();
        assert!(!turn.is_over(now));
        assert!(!turn.is_over(now + SLICE / 2));
        assert!(turn.is_over(now + SLICE));
        // The next one begins with the event after it.
        assert!(!turn.is_over(now + SLICE * 5));
        for _ in 1..EVENTS {
            assert!(!turn.is_over(now + SLICE * 5));
        }
        assert!(turn.is_over(now + SLICE * 5));
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_for_an_event_begins_the_next_one() {
        let mut turn = Turn::new(SLICE);
        let begun = Instant::now();
        assert!(!turn.is_over(begun));
        turn.of(tokio::time::sleep(SLICE * 5)).await;
        assert!(!turn.is_over(Instant::now()));
        turn.of(std::future::ready(())).await;
        assert!(turn.is_over(Instant::now() + SLICE));
    }

    #[tokio::test]
    async fn what_callbacks_use_up_ends_it_too() {
        let mut turn = Turn::new(SLICE);
        let now = Instant::now();
        while has_budget_remaining() {
            assert!(!turn.is_over(now));
            tokio::task::coop::consume_budget().await;
        }
        assert!(turn.is_over(now));
    }
}
