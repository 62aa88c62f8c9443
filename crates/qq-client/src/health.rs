//! How a client is doing, in figures.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use qq_model::gateway::ShardId;
use qq_model::id::SessionId;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior};

use crate::Status;
use crate::shared::Shared;

/// How a client is doing: [`Client::health`](crate::Client::health).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Health {
    /// What it is doing.
    pub status: Status,
    /// Its shards, in their order.
    pub shards: Vec<ShardHealth>,
    /// Events that wait for an earlier one of their conversation.
    pub waiting: usize,
    /// Events that are being handled.
    pub running: usize,
    /// When the last event came, from wherever, to the millisecond.
    pub last_event_at: Option<SystemTime>,
    /// Until when the access token is good; `None` while there is none, which is no trouble: one is fetched when
    /// something needs it.
    pub token_expires_at: Option<SystemTime>,
    /// Why the last fetch of an access token failed; `None` once one succeeded.
    pub token_failure: Option<Box<str>>,
    /// Answers that wait for the next message of their chat ([`WhenClosed::Queue`](crate::WhenClosed::Queue)).
    pub waiting_answers: usize,
    /// REST calls that wait for their turn, because of the platform's limits.
    pub waiting_calls: usize,
    /// REST calls that are under way, of those that are limited.
    pub calls_in_flight: usize,
}

/// The health of a client, again and again: [`Client::watch_health`](crate::Client::watch_health).
#[must_use = "it says nothing unless it is asked"]
pub struct HealthWatch {
    shared: Arc<Shared>,
    status: watch::Receiver<Status>,
    every: Interval,
}

impl HealthWatch {
    pub(crate) fn new(shared: &Arc<Shared>, every: Duration) -> Self {
        let mut every = tokio::time::interval(every.max(Duration::from_millis(1)));
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            shared: Arc::clone(shared),
            status: shared.status(),
            every,
        }
    }

    /// The health at once for the first time, then whenever the status has changed, and every so often without that.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Health {
        tokio::select! {
            biased;
            // The sender lives as long as `self.shared`.
            _ = self.status.changed() => {}
            _ = self.every.tick() => {}
        }
        self.shared.health()
    }
}

impl std::fmt::Debug for HealthWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HealthWatch")
            .field("status", &*self.status.borrow())
            .finish_non_exhaustive()
    }
}

/// How a shard is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShardHealth {
    /// Which shard.
    pub shard: ShardId,
    /// Its session, while it has a live one.
    pub session_id: Option<SessionId>,
    /// Why it has none, if it lost it.
    pub interruption: Option<Box<str>>,
    /// How long the answer to its last heartbeat took. Looked at with every event, and every few seconds without one.
    pub heartbeat_round_trip: Option<Duration>,
    /// When its last event came, to the millisecond.
    pub last_event_at: Option<SystemTime>,
}

/// How exactly it is known when the last event came.
pub(crate) const GRAIN: Duration = Duration::from_millis(1);

/// The figures of a shard that change all the time.
#[derive(Debug)]
pub(crate) struct Vitals {
    round_trip: Mutex<Option<Duration>>,
    since: Instant,
    /// Nanoseconds from there to the last event, and one; 0 before the first.
    last_event: AtomicU64,
}

impl Default for Vitals {
    fn default() -> Self {
        Self {
            round_trip: Mutex::default(),
            since: Instant::now(),
            last_event: AtomicU64::new(0),
        }
    }
}

impl Vitals {
    /// An event has come. Called for many: a store, and no lock.
    pub(crate) fn event(&self, at: Instant) {
        let nanos = at.saturating_duration_since(self.since).as_nanos();
        let nanos = u64::try_from(nanos).unwrap_or(u64::MAX).saturating_add(1);
        self.last_event.store(nanos, Ordering::Relaxed);
    }

    pub(crate) fn round_trip(&self, round_trip: Option<Duration>) {
        *self.lock() = round_trip;
    }

    pub(crate) fn read(&self) -> (Option<Duration>, Option<SystemTime>) {
        let nanos = self.last_event.load(Ordering::Relaxed).checked_sub(1);
        let at = nanos.and_then(|nanos| self.since.checked_add(Duration::from_nanos(nanos)));
        let last_event = at.and_then(|at| SystemTime::now().checked_sub(at.elapsed()));
        (*self.lock(), last_event)
    }

    /// Whole after every statement.
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Duration>> {
        self.round_trip
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
