//! How a client is doing, in figures.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use qq_model::gateway::ShardId;
use qq_model::id::SessionId;
use tokio::time::Instant;

use crate::Status;

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
    /// When its last event came.
    pub last_event_at: Option<SystemTime>,
}

/// The figures of a shard that change all the time.
#[derive(Debug, Default)]
pub(crate) struct Vitals(Mutex<Figures>);

#[derive(Clone, Copy, Debug, Default)]
struct Figures {
    round_trip: Option<Duration>,
    last_event: Option<Instant>,
}

impl Vitals {
    pub(crate) fn event(&self, at: Instant) {
        self.lock().last_event = Some(at);
    }

    pub(crate) fn round_trip(&self, round_trip: Option<Duration>) {
        self.lock().round_trip = round_trip;
    }

    pub(crate) fn read(&self) -> (Option<Duration>, Option<SystemTime>) {
        let Figures {
            round_trip,
            last_event,
        } = *self.lock();
        let last_event = last_event.and_then(|at| SystemTime::now().checked_sub(at.elapsed()));
        (round_trip, last_event)
    }

    /// Whole after every statement.
    fn lock(&self) -> std::sync::MutexGuard<'_, Figures> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
