//! Who may IDENTIFY when.
//!
//! The platform counts sessions twice: how many are opened within five seconds, and within a day. Every
//! IDENTIFY counts, RESUME does not. A shard asks for its turn before it connects, and holds the turn until
//! its IDENTIFY was sent.

mod memory;
mod turn;

pub use self::memory::InMemoryIdentifyQueue;
pub use self::turn::IdentifyTurn;

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use qq_model::gateway::ShardId;

/// What [`IdentifyQueue::wait`] returns.
pub type IdentifyFuture<'a> =
    Pin<Box<dyn Future<Output = Result<IdentifyTurn, SessionQuotaError>> + Send + 'a>>;

/// Hands out turns to IDENTIFY, to all shards of a bot.
///
/// [`InMemoryIdentifyQueue`] serves the shards of one process. Shards of many processes need one that they
/// share.
pub trait IdentifyQueue: Send + Sync {
    /// Waits for a turn. Dropping the future gives the place in the queue up.
    ///
    /// # Errors
    ///
    /// [`SessionQuotaError`] when the day's sessions are used up. The shard asks again after the reset.
    fn wait(&self, shard: ShardId) -> IdentifyFuture<'_>;
}

/// The bot may not open as many sessions today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionQuotaError {
    needed: u32,
    remaining: u32,
    reset_after: Duration,
}

impl SessionQuotaError {
    /// `needed` sessions are more than the `remaining` ones; the count starts anew after `reset_after`.
    #[must_use]
    pub const fn new(needed: u32, remaining: u32, reset_after: Duration) -> Self {
        Self {
            needed,
            remaining,
            reset_after,
        }
    }

    /// How many sessions are needed.
    #[must_use]
    pub const fn needed(&self) -> u32 {
        self.needed
    }

    /// How many sessions can still be opened.
    #[must_use]
    pub const fn remaining(&self) -> u32 {
        self.remaining
    }

    /// The time until the count of sessions starts anew, from the moment of the error.
    #[must_use]
    pub const fn reset_after(&self) -> Duration {
        self.reset_after
    }
}

impl fmt::Display for SessionQuotaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.reset_after.as_secs();
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(
            f,
            "{} sessions are needed, {} of the day's are left: the count starts anew in {hours}:{minutes:02}:{seconds:02} h",
            self.needed, self.remaining
        )
    }
}

impl Error for SessionQuotaError {}
