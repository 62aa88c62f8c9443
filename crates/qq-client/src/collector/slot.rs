//! One collector, as the events see it.
//!
//! A slot has one lock. The filter runs outside of it, because it is the user's. A slot ends once, by whichever
//! reason comes first; what it had collected by then can still be taken.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::time::Instant;

use super::end::EndReason;
use super::lock::{Lock, Locks};
use super::scope::Scope;

/// Decides whether an item is collected.
pub(super) type Filter<T> = Arc<dyn Fn(&T) -> bool + Send + Sync>;

/// What a collector may do.
pub(super) struct Limits<T> {
    pub(super) filter: Option<Filter<T>>,
    pub(super) with_removals: bool,
    pub(super) max: Option<u64>,
    pub(super) max_processed: Option<u64>,
    pub(super) time: Option<Duration>,
    pub(super) idle: Option<Duration>,
    /// The end of the window in which the event can be answered.
    pub(super) window: Option<Instant>,
    pub(super) buffer: usize,
    pub(super) keeps_from_handlers: bool,
}

pub(super) struct Slot<T: Send, L: Locks> {
    pub(super) scope: Scope,
    pub(super) limits: Limits<T>,
    state: L::Mutex<State<T>>,
}

struct State<T> {
    queue: VecDeque<T>,
    processed: u64,
    collected: u64,
    /// When the time began to count, and when the idle time did.
    began: Instant,
    active: Instant,
    end: Option<EndReason>,
    waker: Option<Waker>,
}

/// What became of an item that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offered {
    /// The collector wants it; handlers see it, too.
    Collected,
    /// The collector wants it, and handlers shall not see it.
    Taken,
    /// The collector does not want it.
    Refused,
}

impl<T> Limits<T> {
    /// When a collector ends by itself, and why.
    fn deadline(&self, began: Instant, active: Instant) -> Option<(Instant, EndReason)> {
        let at = |from: Instant, after: Option<Duration>| from.checked_add(after?);
        [
            at(began, self.time).map(|at| (at, EndReason::Time)),
            at(active, self.idle).map(|at| (at, EndReason::Idle)),
            self.window.map(|at| (at, EndReason::ReplyWindowOver)),
        ]
        .into_iter()
        .flatten()
        .min_by_key(|(at, _)| *at)
    }
}

impl<T: Send, L: Locks> Slot<T, L> {
    pub(super) fn new(scope: Scope, limits: Limits<T>, now: Instant) -> Self {
        Self {
            scope,
            limits,
            state: Lock::new(State {
                queue: VecDeque::new(),
                processed: 0,
                collected: 0,
                began: now,
                active: now,
                end: None,
                waker: None,
            }),
        }
    }

    /// Offers an item that the scope admits.
    pub(super) fn offer(&self, item: T, now: Instant) -> Offered {
        if self.end_if_due(now).is_some() {
            return Offered::Refused;
        }
        // A panic of the filter must not reach the connection that the event came from.
        let wanted = match &self.limits.filter {
            Some(filter) => catch_unwind(AssertUnwindSafe(|| filter(&item))),
            None => Ok(true),
        };
        let (offered, waker) = self.state.with(|state| {
            if state.end.is_some() {
                return (Offered::Refused, None);
            }
            state.processed += 1;
            let offered = match wanted {
                Ok(true) if state.queue.len() >= self.limits.buffer => {
                    state.end = Some(EndReason::Lagged);
                    Offered::Refused
                }
                Ok(true) => {
                    state.queue.push_back(item);
                    state.collected += 1;
                    state.active = now;
                    if self.limits.keeps_from_handlers {
                        Offered::Taken
                    } else {
                        Offered::Collected
                    }
                }
                Ok(false) => Offered::Refused,
                Err(_) => {
                    state.end = Some(EndReason::FilterPanicked);
                    Offered::Refused
                }
            };
            if state.end.is_none() {
                if self.limits.max.is_some_and(|max| state.collected >= max) {
                    state.end = Some(EndReason::Limit);
                } else if self
                    .limits
                    .max_processed
                    .is_some_and(|max| state.processed >= max)
                {
                    state.end = Some(EndReason::ProcessedLimit);
                }
            }
            let is_news = offered != Offered::Refused || state.end.is_some();
            (offered, is_news.then(|| state.waker.take()).flatten())
        });
        // Waking runs code of the executor: not under the lock.
        if let Some(waker) = waker {
            waker.wake();
        }
        offered
    }

    /// Ends the collector, unless it has ended.
    pub(super) fn close(&self, reason: EndReason) {
        let waker = self.state.with(|state| {
            if state.end.is_some() {
                return None;
            }
            state.end = Some(reason);
            state.waker.take()
        });
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Ends the collector if its time is over; why it ended, if it has.
    pub(super) fn end_if_due(&self, now: Instant) -> Option<EndReason> {
        let (end, waker) = self.state.with(|state| {
            if state.end.is_some() {
                return (state.end, None);
            }
            match self.limits.deadline(state.began, state.active) {
                Some((at, reason)) if at <= now => {
                    state.end = Some(reason);
                    (state.end, state.waker.take())
                }
                _ => (None, None),
            }
        });
        if let Some(waker) = waker {
            waker.wake();
        }
        end
    }

    /// The next item; `Ready(None)` after the end. The waker is woken by the next news.
    pub(super) fn poll_take(&self, waker: &Waker) -> Poll<Option<T>> {
        self.state.with(|state| {
            if let Some(item) = state.queue.pop_front() {
                return Poll::Ready(Some(item));
            }
            if state.end.is_some() {
                return Poll::Ready(None);
            }
            match &mut state.waker {
                Some(known) => known.clone_from(waker),
                none => *none = Some(waker.clone()),
            }
            Poll::Pending
        })
    }

    /// When the collector ends by itself.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.state
            .with(|state| self.limits.deadline(state.began, state.active))
            .map(|(at, _)| at)
    }

    /// Starts time and idle time again.
    pub(super) fn reset(&self, now: Instant) {
        let waker = self.state.with(|state| {
            state.began = now;
            state.active = now;
            // The timer of the one that waits is to be set anew.
            state.waker.take()
        });
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Why it ended, if it has.
    pub(super) fn end(&self) -> Option<EndReason> {
        self.state.with(|state| state.end)
    }

    /// How many items were looked at, and how many were collected.
    pub(super) fn counts(&self) -> (u64, u64) {
        self.state.with(|state| (state.processed, state.collected))
    }
}
