//! What time it is.

use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Nanoseconds since a store was made; enough for 584 years.
pub(crate) type Nanos = u64;

pub(crate) fn nanos(duration: Duration) -> Nanos {
    Nanos::try_from(duration.as_nanos()).unwrap_or(Nanos::MAX)
}

/// Where a cache takes the time from.
///
/// The cache never sleeps and starts no task: entries that have outlived their time are recognised when they
/// are met. Tests therefore need only a clock that they move themselves, [`ManualClock`].
pub trait Clock: Debug + Send + Sync {
    /// The current time. Must never go back; the cache takes an earlier time for "no time has passed".
    fn now(&self) -> Instant;
}

/// The machine's monotonic clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }
}

/// A clock that stands still until it is moved.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use qq_cache::{Cache, ManualClock};
/// use qq_model::guild::Guild;
///
/// let clock = Arc::new(ManualClock::new());
/// let cache = Cache::builder()
///     .guilds(|guilds| guilds.time_to_live(Duration::from_secs(60)))
///     .clock(clock.clone())
///     .build();
///
/// let mut guild = Guild::default();
/// guild.id = "1".into();
/// cache.insert_guild(guild);
/// assert!(cache.guild(&"1".into()).is_some());
/// clock.advance(Duration::from_secs(60));
/// assert!(cache.guild(&"1".into()).is_none());
/// ```
#[derive(Debug)]
pub struct ManualClock(Mutex<Instant>);

impl ManualClock {
    /// A clock that shows the current time.
    #[must_use]
    pub fn new() -> Self {
        Self(Mutex::new(Instant::now()))
    }

    /// Moves the clock forward. Stops at the end of the machine's time scale.
    pub fn advance(&self, by: Duration) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(later) = now.checked_add(by) {
            *now = later;
        }
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
