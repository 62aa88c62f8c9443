//! When a failed attempt is followed by another one.

mod after;
mod budget;

use std::time::Duration;

use qq_model::Advice;
use qq_model::error_code::Retryable;

pub(crate) use self::after::retry_after;
pub(crate) use self::budget::Purse;
pub use self::budget::RetryBudget;
use crate::error::{Error, ErrorKind, Reach};
use crate::random::chance;
use crate::request::{Repeat, Request};

/// How often and how fast a call that failed is made again, within its deadline.
///
/// A call that reads is repeated after 429, 5xx and network failures. One that sends is repeated only where that
/// cannot show a message twice: nothing of it was written, or it carries `msg_id` and `msg_seq`, which the
/// platform refuses the second time. No setting changes that. A refused access token is replaced once
/// whatever the policy.
///
/// ```
/// use std::time::Duration;
/// use qq_http::RetryPolicy;
///
/// let patient = RetryPolicy::default().attempts(6).cap(Duration::from_secs(20));
/// let never = RetryPolicy::never();
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RetryPolicy {
    attempts: u32,
    attempt_timeout: Duration,
    base: Duration,
    cap: Duration,
    jitter: bool,
    budget: RetryBudget,
}

impl RetryPolicy {
    /// One attempt and no more.
    #[must_use]
    pub fn never() -> Self {
        Self::default().attempts(1)
    }

    /// The number of attempts of one call, the first included; 3 by default, at least 1.
    #[must_use]
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// How long one attempt may take where another one may follow, so that a connection that went silent does not use
    /// up the deadline of the call; 10 seconds by default, at least one. The last attempt of a call, a message that is
    /// not repeated, and an upload have what is left of the deadline.
    #[must_use]
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout.max(Duration::from_secs(1));
        self
    }

    /// The wait before the second attempt, which doubles from there; half a second by default.
    #[must_use]
    pub const fn base(mut self, base: Duration) -> Self {
        self.base = base;
        self
    }

    /// The longest wait, also where the server asks for a longer one: then the call fails at once and its error
    /// names that wait. 10 seconds by default.
    #[must_use]
    pub const fn cap(mut self, cap: Duration) -> Self {
        self.cap = cap;
        self
    }

    /// Whether waits are shortened by chance, by up to half; on by default, so that clients that failed together
    /// do not come back together.
    #[must_use]
    pub const fn jitter(mut self, jitter: bool) -> Self {
        self.jitter = jitter;
        self
    }

    /// How many repeats all calls together may make before some succeed.
    #[must_use]
    pub const fn budget(mut self, budget: RetryBudget) -> Self {
        self.budget = budget;
        self
    }

    /// The budget, full.
    pub(crate) const fn purse(&self) -> Purse {
        Purse::new(self.budget)
    }

    /// The wait before the next attempt; `None` when there is none. `attempt` counts from 1.
    pub(crate) fn wait(&self, error: &Error, repeat: Repeat, attempt: u32) -> Option<Duration> {
        if attempt >= self.attempts || !is_safe(error, repeat) || !may_help(error, repeat, attempt)
        {
            return None;
        }
        match error.retry_after() {
            Some(asked) if asked > self.cap => None,
            Some(asked) => Some(asked),
            None => Some(self.backoff(attempt)),
        }
    }

    /// The number of attempts.
    pub(crate) const fn most(&self) -> u32 {
        self.attempts
    }

    /// How long an attempt is waited for after so many failures; `None` is until the deadline.
    pub(crate) fn patience(&self, request: &Request, failures: u32) -> Option<Duration> {
        let may_follow = failures + 1 < self.attempts
            && matches!(
                request.repeatable(),
                Repeat::Idempotent | Repeat::SameSequence
            )
            && !request.is_slow();
        may_follow.then_some(self.attempt_timeout)
    }

    fn backoff(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(20);
        let wait = self.base.saturating_mul(1 << doublings).min(self.cap);
        if self.jitter {
            wait.mul_f64(0.5 + chance() / 2.0)
        } else {
            wait
        }
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 3,
            attempt_timeout: Duration::from_secs(10),
            base: Duration::from_millis(500),
            cap: Duration::from_secs(10),
            jitter: true,
            budget: RetryBudget::default(),
        }
    }
}

/// Whether another attempt cannot do anything twice.
fn is_safe(error: &Error, repeat: Repeat) -> bool {
    match repeat {
        Repeat::Idempotent | Repeat::SameSequence => true,
        Repeat::ByCaller => false,
        Repeat::Unsent => match error.reach() {
            Reach::Unsent => true,
            // The platform failed to look at the call; its documents allow one repeat.
            Reach::Refused => error.retryable() == Some(Retryable::Once),
            Reach::Unknown => false,
        },
    }
}

/// Whether another attempt may end differently. `attempt` counts from 1.
fn may_help(error: &Error, repeat: Repeat, attempt: u32) -> bool {
    let is_overload = || {
        error
            .status()
            .is_some_and(|status| status.as_u16() == 429 || status.is_server_error())
    };
    match (error.kind(), error.retryable()) {
        // A proxy that wants other settings.
        (ErrorKind::Network, _) if error.advice() == Advice::Configuration => false,
        (ErrorKind::Network | ErrorKind::Timeout, _)
        | (_, Some(Retryable::Yes | Retryable::Maybe)) => true,
        (_, Some(Retryable::Once)) => attempt == 1,
        // It may have been done, and the platform knows.
        (ErrorKind::Decode, _) => repeat == Repeat::SameSequence,
        // A code names no pause; status 429 asks to come back.
        (_, Some(Retryable::AfterPause) | None) => is_overload(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap() {
        let policy = RetryPolicy::default()
            .jitter(false)
            .cap(Duration::from_secs(3));
        let waits: Vec<_> = (1..6)
            .map(|attempt| policy.backoff(attempt).as_millis())
            .collect();
        assert_eq!(waits, [500, 1000, 2000, 3000, 3000]);
        assert_eq!(policy.backoff(u32::MAX), Duration::from_secs(3));
        for _ in 0..100 {
            let wait = policy.clone().jitter(true).backoff(2);
            assert!((500..=1000).contains(&wait.as_millis()), "{wait:?}");
        }
    }

    #[test]
    fn a_send_without_number_is_repeated_only_while_unsent() {
        let policy = RetryPolicy::default();
        for (reach, repeat, again) in [
            (Reach::Unsent, Repeat::Unsent, true),
            (Reach::Unknown, Repeat::Unsent, false),
            (Reach::Refused, Repeat::Unsent, false),
            (Reach::Unknown, Repeat::SameSequence, true),
            (Reach::Unknown, Repeat::Idempotent, true),
        ] {
            let error = Error::network(reach, "x");
            assert_eq!(
                policy.wait(&error, repeat, 1).is_some(),
                again,
                "{reach:?} {repeat:?}"
            );
            assert_eq!(policy.wait(&error, repeat, 3), None);
            assert_eq!(RetryPolicy::never().wait(&error, repeat, 1), None);
        }
    }
}
