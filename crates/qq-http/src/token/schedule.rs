//! When tokens are renewed, and how fast failed fetches are repeated.

use std::time::Duration;

use tokio::time::Instant;

/// The least time between two fetches.
pub(super) const GAP: Duration = Duration::from_secs(1);
/// Renewals happen so long before the end: inside the 60 seconds in which the platform gives a new token.
const LEAD: Duration = Duration::from_secs(50);
/// Renewals are spread over so long, later than `LEAD` says.
const SPREAD: Duration = Duration::from_secs(10);
/// A token that says nothing else is good for this long.
pub(super) const DEFAULT_LIFETIME: Duration = Duration::from_secs(60);
/// No token is taken to be good for longer; the platform's maximum is two hours.
const MAX_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest wait between failed fetches.
const BACKOFF_CAP: Duration = Duration::from_secs(15);

/// When a token is renewed, and until when it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Validity {
    pub(super) renew_at: Instant,
    pub(super) expires_at: Instant,
}

/// The validity of a token with so much time left when it was asked for at `started`; the answer came at
/// `arrived`. `chance` is in `0.0..1.0`.
pub(super) fn validity(
    started: Instant,
    arrived: Instant,
    lifetime: Duration,
    chance: f64,
) -> Validity {
    let lifetime = lifetime.min(MAX_LIFETIME);
    // Even a token without time left serves the calls that wait for it, and a second of others.
    let expires_at = (started + lifetime).max(arrived + GAP);
    let lead = if lifetime > LEAD {
        LEAD - SPREAD.mul_f64(chance)
    } else {
        lifetime / 2
    };
    let renew_at = (started + lifetime.saturating_sub(lead)).clamp(arrived, expires_at);
    Validity {
        renew_at,
        expires_at,
    }
}

/// The wait after so many failures in a row. `chance` is in `0.0..1.0`.
pub(super) fn backoff(failures: u32, chance: f64) -> Duration {
    let doublings = failures.saturating_sub(1).min(10);
    let wait = GAP.saturating_mul(1 << doublings).min(BACKOFF_CAP);
    wait.mul_f64(0.5 + chance / 2.0).max(GAP)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(lifetime: u64, chance: f64) -> (u64, u64) {
        let now = Instant::now();
        let validity = validity(now, now, Duration::from_secs(lifetime), chance);
        (
            (validity.renew_at - now).as_secs(),
            (validity.expires_at - now).as_secs(),
        )
    }

    #[test]
    fn renewal_is_inside_the_last_minute() {
        assert_eq!(seconds(7200, 0.0), (7150, 7200));
        assert_eq!(seconds(7200, 1.0), (7160, 7200));
        assert_eq!(seconds(61, 0.0), (11, 61));
        assert_eq!(seconds(50, 0.5), (25, 50));
        assert_eq!(seconds(0, 0.5), (0, 1));
        assert_eq!(seconds(u64::MAX, 0.0), (86_350, 86_400));
    }

    #[test]
    fn a_slow_answer_shortens_the_life() {
        let started = Instant::now();
        let validity = validity(
            started,
            started + Duration::from_secs(9),
            Duration::from_secs(30),
            0.0,
        );
        assert_eq!(validity.expires_at - started, Duration::from_secs(30));
        assert_eq!(validity.renew_at - started, Duration::from_secs(15));
    }

    #[test]
    fn failures_wait_from_one_second_to_fifteen() {
        assert_eq!(backoff(1, 0.0), GAP);
        assert_eq!(backoff(3, 1.0), Duration::from_secs(4));
        assert_eq!(backoff(u32::MAX, 1.0), BACKOFF_CAP);
        assert_eq!(backoff(0, 1.0), GAP);
    }
}
