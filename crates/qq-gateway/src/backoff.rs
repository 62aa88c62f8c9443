//! How long to wait before the next attempt.
//!
//! Exponential with full jitter: a delay is drawn evenly between the floor and a ceiling that doubles with
//! every attempt. Full jitter spreads the clients of a restarted server better than any fraction of it.

use std::time::{Duration, Instant};

use fastrand::Rng;

/// The shortest delay, whatever is configured: a shard never spins.
const LEAST: Duration = Duration::from_millis(50);
/// The longest: as good as for ever, and nothing overflows.
const MOST: Duration = Duration::from_secs(365 * 24 * 3600);

/// How long a shard waits between attempts.
///
/// ```
/// use std::time::Duration;
///
/// let mut backoff = qq_gateway::Backoff::default();
/// backoff.cap = Duration::from_secs(20);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backoff {
    /// The shortest delay; 100 ms. Never below 50 ms.
    pub floor: Duration,
    /// The longest first delay; 1 s. It doubles with every failed attempt.
    pub first: Duration,
    /// The longest delay after a transient fault; 60 s.
    pub cap: Duration,
    /// A session that was live for this long starts again with the first delay; 60 s.
    pub stable: Duration,
    /// The pause after close code 4008 (too fast); 60 s.
    pub pause: Duration,
    /// The pause after an unknown close code, and when IDENTIFY keeps being refused; 5 min.
    pub slow: Duration,
    /// Refused tokens in a row (close code 4004) before the shard stops; 3.
    pub token_refusals: u32,
    /// Refused IDENTIFYs in a row before the shard turns slow, to spare the daily quota; 10.
    pub identify_refusals: u32,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            floor: Duration::from_millis(100),
            first: Duration::from_secs(1),
            cap: Duration::from_secs(60),
            stable: Duration::from_secs(60),
            pause: Duration::from_secs(60),
            slow: Duration::from_secs(300),
            token_refusals: 3,
            identify_refusals: 10,
        }
    }
}

impl Backoff {
    /// The delay before attempt number `attempt`, from 0.
    pub(crate) fn delay(&self, attempt: u32, rng: &mut Rng) -> Duration {
        let doubled = self.first.saturating_mul(1 << attempt.min(20));
        between(self.floor.max(LEAST), doubled.min(self.cap), rng)
    }

    /// A delay that only spreads.
    pub(crate) fn soon(&self, rng: &mut Rng) -> Duration {
        let floor = self.floor.max(LEAST);
        between(floor, floor.saturating_mul(2), rng)
    }

    /// The pause after 4008: a little more than configured, so that many shards do not return at once.
    pub(crate) fn pause(&self, rng: &mut Rng) -> Duration {
        between(self.pause, self.pause.saturating_mul(11) / 10, rng).max(LEAST)
    }

    /// The pause of a slow retry.
    pub(crate) fn slow(&self, rng: &mut Rng) -> Duration {
        between(self.slow / 2, self.slow, rng).max(LEAST)
    }
}

/// A duration from `low` to `high`; `low` when the two are the wrong way round.
pub(crate) fn between(low: Duration, high: Duration, rng: &mut Rng) -> Duration {
    let (low, high) = (low.min(MOST), high.min(MOST));
    low + high.saturating_sub(low).mul_f64(rng.f64())
}

/// The moment so much later.
pub(crate) fn later(now: Instant, duration: Duration) -> Instant {
    now + duration.min(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_stay_between_floor_and_cap_and_use_the_whole_range() {
        let backoff = Backoff::default();
        let mut rng = Rng::with_seed(7);
        for (attempt, ceiling) in [(0, 1), (1, 2), (3, 8), (6, 60), (31, 60), (u32::MAX, 60)] {
            let delays: Vec<_> = (0..2000)
                .map(|_| backoff.delay(attempt, &mut rng))
                .collect();
            let ceiling = Duration::from_secs(ceiling);
            assert!(
                delays
                    .iter()
                    .all(|delay| (backoff.floor..=ceiling).contains(delay)),
                "{attempt}"
            );
            assert!(delays.iter().any(|delay| *delay < ceiling / 4), "{attempt}");
            assert!(
                delays.iter().any(|delay| *delay > ceiling / 4 * 3),
                "{attempt}"
            );
        }
    }

    #[test]
    fn nothing_makes_it_spin() {
        let zero = Duration::ZERO;
        let backoff = Backoff {
            floor: zero,
            first: zero,
            cap: zero,
            pause: zero,
            slow: zero,
            ..Backoff::default()
        };
        let mut rng = Rng::with_seed(7);
        assert_eq!(backoff.delay(3, &mut rng), LEAST);
        assert_eq!(backoff.pause(&mut rng), LEAST);
        assert_eq!(backoff.slow(&mut rng), LEAST);
    }
}
