//! An identify queue for the shards of one process.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use qq_model::gateway::{SessionStartLimit, ShardId};
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::{IdentifyFuture, IdentifyQueue, IdentifyTurn, SessionQuotaError};

/// `max_concurrency` counts sessions within this time.
const WINDOW: Duration = Duration::from_secs(5);
/// `remaining` counts sessions within this time.
const DAY: Duration = Duration::from_secs(24 * 3600);
/// A turn that is held for longer is taken as spent, so that one shard cannot hold up the others for ever.
const HOLD: Duration = Duration::from_secs(60);
/// More turns at a time than this make no difference.
const MOST_TURNS: u32 = 4096;

/// An identify queue for the shards of one process: first come, first served.
///
/// At most `max_concurrency` IDENTIFYs are sent within five seconds, and at most `remaining` before the
/// count starts anew. Clones share the queue.
#[derive(Clone)]
pub struct InMemoryIdentifyQueue {
    shared: Arc<Shared>,
}

struct Shared {
    /// Whoever waits holds the door; the others stand behind in order.
    door: Semaphore,
    given_back: Notify,
    state: Mutex<State>,
}

struct State {
    /// As many as there are places, and those of before that are not free yet.
    slots: Vec<Slot>,
    places: usize,
    next_ticket: u64,
    quota: Option<Quota>,
}

/// One of `max_concurrency` places.
#[derive(Clone, Copy)]
enum Slot {
    Free,
    Held { ticket: u64, until: Instant },
    Spent { until: Instant },
}

struct Quota {
    total: u32,
    remaining: u32,
    reset_at: Instant,
}

impl InMemoryIdentifyQueue {
    /// A queue within the limits that `GET /gateway/bot` named.
    #[must_use]
    pub fn new(limit: &SessionStartLimit) -> Self {
        Self::build(limit.max_concurrency, Quota::new(limit))
    }

    /// A queue that knows no daily quota, for shards whose limits are unknown.
    #[must_use]
    pub fn unlimited(max_concurrency: u32) -> Self {
        Self::build(max_concurrency, None)
    }

    /// Takes the limits of a newer answer of `GET /gateway/bot`, for everybody who shares this queue.
    pub fn update(&self, limit: &SessionStartLimit) {
        self.shared.state().update(limit);
        self.shared.given_back.notify_one();
    }

    /// Whether the day's quota covers so many shards, to be asked before they start.
    ///
    /// # Errors
    ///
    /// [`SessionQuotaError`] with the time until the count starts anew.
    pub fn check(&self, shards: u32) -> Result<(), SessionQuotaError> {
        let mut state = self.shared.state();
        let now = Instant::now();
        match state.quota(now) {
            Some((remaining, reset_after)) if remaining < shards => {
                Err(SessionQuotaError::new(shards, remaining, reset_after))
            }
            _ => Ok(()),
        }
    }

    fn build(max_concurrency: u32, quota: Option<Quota>) -> Self {
        let places = places(max_concurrency);
        let state = State {
            slots: vec![Slot::Free; places],
            places,
            next_ticket: 0,
            quota,
        };
        Self {
            shared: Arc::new(Shared {
                door: Semaphore::new(1),
                given_back: Notify::new(),
                state: Mutex::new(state),
            }),
        }
    }

    async fn turn(&self) -> Result<IdentifyTurn, SessionQuotaError> {
        // The door is never closed, so it always opens.
        let _door = self.shared.door.acquire().await;
        loop {
            let given_back = self.shared.given_back.notified();
            let next = self.shared.state().take(Instant::now())?;
            match next {
                Next::Turn(ticket) => {
                    let shared = Arc::clone(&self.shared);
                    return Ok(IdentifyTurn::new(move |spent| shared.settle(ticket, spent)));
                }
                // Either way the slots are looked at again.
                Next::NotBefore(until) => drop(timeout_at(until, given_back).await),
            }
        }
    }
}

impl IdentifyQueue for InMemoryIdentifyQueue {
    fn wait(&self, _: ShardId) -> IdentifyFuture<'_> {
        Box::pin(self.turn())
    }
}

impl fmt::Debug for InMemoryIdentifyQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InMemoryIdentifyQueue")
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settle(&self, ticket: u64, spent: bool) {
        self.state().settle(ticket, spent, Instant::now());
        self.given_back.notify_one();
    }
}

impl Quota {
    /// `None` when the answer names no total: it was sent without a limit.
    fn new(limit: &SessionStartLimit) -> Option<Self> {
        (limit.total > 0).then(|| Self {
            total: limit.total,
            remaining: limit.remaining,
            reset_at: Instant::now() + limit.reset_after().min(DAY),
        })
    }
}

fn places(max_concurrency: u32) -> usize {
    max_concurrency.clamp(1, MOST_TURNS) as usize
}

enum Next {
    Turn(u64),
    NotBefore(Instant),
}

impl State {
    fn update(&mut self, limit: &SessionStartLimit) {
        self.quota = Quota::new(limit);
        self.places = places(limit.max_concurrency);
        if self.slots.len() < self.places {
            self.slots.resize(self.places, Slot::Free);
        }
        self.drop_surplus();
    }

    /// Free slots beyond the places there are.
    fn drop_surplus(&mut self) {
        let mut surplus = self.slots.len().saturating_sub(self.places);
        self.slots.retain(|slot| {
            let goes = surplus > 0 && matches!(slot, Slot::Free);
            surplus -= usize::from(goes);
            !goes
        });
    }

    fn take(&mut self, now: Instant) -> Result<Next, SessionQuotaError> {
        if let Some((0, reset_after)) = self.quota(now) {
            return Err(SessionQuotaError::new(1, 0, reset_after));
        }
        self.release(now);
        let held = self
            .slots
            .iter()
            .filter(|slot| matches!(slot, Slot::Held { .. }))
            .count();
        let may_start = self
            .quota
            .as_ref()
            .is_none_or(|quota| held < quota.remaining as usize);
        let ticket = self.next_ticket;
        if let Some(free) = self
            .slots
            .iter_mut()
            .find(|slot| matches!(slot, Slot::Free))
            && may_start
        {
            *free = Slot::Held {
                ticket,
                until: now + HOLD,
            };
            self.next_ticket += 1;
            return Ok(Next::Turn(ticket));
        }
        let ends = self.slots.iter().filter_map(|slot| match slot {
            Slot::Held { until, .. } | Slot::Spent { until } => Some(*until),
            Slot::Free => None,
        });
        Ok(Next::NotBefore(ends.min().unwrap_or(now + WINDOW)))
    }

    /// Frees what was spent long enough ago; what was held for too long counts as spent.
    fn release(&mut self, now: Instant) {
        for slot in &mut self.slots {
            match *slot {
                Slot::Held { until, .. } if until <= now => {
                    *slot = Slot::Free;
                    if let Some(quota) = &mut self.quota {
                        quota.remaining = quota.remaining.saturating_sub(1);
                    }
                }
                Slot::Spent { until } if until <= now => *slot = Slot::Free,
                _ => {}
            }
        }
        self.drop_surplus();
    }

    fn settle(&mut self, ticket: u64, spent: bool, now: Instant) {
        let held =
            |slot: &&mut Slot| matches!(slot, Slot::Held { ticket: held, .. } if *held == ticket);
        let Some(slot) = self.slots.iter_mut().find(held) else {
            return;
        };
        *slot = if spent {
            Slot::Spent {
                until: now + WINDOW,
            }
        } else {
            Slot::Free
        };
        if let Some(quota) = self.quota.as_mut().filter(|_| spent) {
            quota.remaining = quota.remaining.saturating_sub(1);
        }
    }

    /// Sessions left of the day's, and the time until they are counted anew.
    fn quota(&mut self, now: Instant) -> Option<(u32, Duration)> {
        let quota = self.quota.as_mut()?;
        if quota.reset_at <= now {
            quota.remaining = quota.total;
            quota.reset_at = now + DAY;
        }
        Some((quota.remaining, quota.reset_at - now))
    }
}
