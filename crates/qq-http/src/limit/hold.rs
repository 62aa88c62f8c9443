//! What the platform's refusals teach.

use std::time::Duration;

use tokio::time::Instant;

use super::{Counted, LimitScope};
use crate::error::{Error, ErrorKind};

/// No refusal holds anything back for longer; the longest documented window is a day.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// What a refusal taught is kept so long after its end, so that the next one backs off further.
const MEMORY: Duration = Duration::from_secs(10 * 60);

/// How long to stay away where the platform names no time; doubled by each refusal in a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pause {
    base: Duration,
    cap: Duration,
}

const SHORT: Pause = Pause {
    base: Duration::from_secs(1),
    cap: Duration::from_secs(60),
};
/// For allowances that last for hours or a day.
const LONG: Pause = Pause {
    base: Duration::from_secs(60),
    cap: Duration::from_secs(60 * 60),
};

/// Which bucket a code is about. Source: the platform's error pages; what the code counts is in its meaning.
const CODES: &[(i64, LimitScope, Counted, Pause)] = &[
    (100_017, LimitScope::Bot, Counted::All, SHORT),
    (40_023_001, LimitScope::Bot, Counted::All, SHORT),
    (20_028, LimitScope::Peer, Counted::All, SHORT),
    (50_002, LimitScope::Peer, Counted::All, SHORT),
    (22_009, LimitScope::Peer, Counted::Active, SHORT),
    (40_034_100, LimitScope::Peer, Counted::Active, SHORT),
    (304_022, LimitScope::Peer, Counted::Active, LONG),
    (304_035, LimitScope::Peer, Counted::Active, LONG),
    (304_045, LimitScope::Peer, Counted::Active, LONG),
    (304_047, LimitScope::Peer, Counted::Active, LONG),
    (304_049, LimitScope::Peer, Counted::Active, LONG),
    (304_050, LimitScope::Bot, Counted::Active, LONG),
    (302_012, LimitScope::Peer, Counted::All, LONG),
    (302_021, LimitScope::Peer, Counted::All, LONG),
    (304_052, LimitScope::Peer, Counted::All, LONG),
    (503_004, LimitScope::Peer, Counted::All, SHORT),
    (610_013, LimitScope::Peer, Counted::All, SHORT),
    (620_006, LimitScope::Peer, Counted::All, SHORT),
    (1_100_100, LimitScope::Peer, Counted::All, SHORT),
    (1_100_308, LimitScope::Peer, Counted::All, SHORT),
];

/// What an attempt showed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lesson {
    /// Nothing: it was given up, or nobody knows what became of it.
    None,
    /// The platform did not mind the pace.
    Welcome,
    Refused(Refusal),
}

/// A refusal because of the pace.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal {
    pub(super) scope: LimitScope,
    pub(super) counted: Counted,
    pub(super) told: Option<Duration>,
    pub(super) pause: Pause,
}

impl Lesson {
    pub(super) fn of(error: Option<&Error>) -> Self {
        let Some(error) = error else {
            return Self::Welcome;
        };
        let known = CODES.iter().find(|(code, ..)| error.has_code(*code));
        let is_429 = error.status().is_some_and(|status| status.as_u16() == 429);
        match (known, error.kind()) {
            (Some(&(_, scope, counted, pause)), _) => Self::Refused(Refusal {
                scope,
                counted,
                told: error.retry_after(),
                pause,
            }),
            _ if is_429 => Self::Refused(Refusal {
                scope: LimitScope::Bot,
                counted: Counted::All,
                told: error.retry_after(),
                pause: SHORT,
            }),
            (None, ErrorKind::Api) => Self::Welcome,
            _ => Self::None,
        }
    }
}

/// A bucket that is held back, or was until lately.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hold {
    until: Option<Instant>,
    refusals: u32,
}

/// Why something cannot start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// It can at this time, at the earliest.
    Until(Instant),
    /// One request tries whether the platform relents; its answer decides.
    Probe,
}

impl Hold {
    /// A request that started at `started` was refused.
    pub(super) fn refused(&mut self, refusal: &Refusal, started: Instant, now: Instant) {
        let is_same_wave = self.until.is_some_and(|until| started < until);
        if !is_same_wave {
            self.refusals = self.refusals.saturating_add(1);
        }
        let wait = match refusal.told {
            Some(told) => told.min(LONGEST),
            None if is_same_wave => return,
            None => {
                let doublings = self.refusals.saturating_sub(1).min(16);
                let Pause { base, cap } = refusal.pause;
                base.saturating_mul(1 << doublings).min(cap)
            }
        };
        self.until = self.until.max(Some(now + wait));
    }

    /// A request that started at `started` was not refused.
    pub(super) fn welcome(&mut self, started: Instant) {
        if self.until.is_some_and(|until| until <= started) {
            *self = Self::default();
        }
    }

    /// What it keeps from starting while so many are in flight.
    pub(super) fn block(&self, in_flight: u32, now: Instant) -> Option<Block> {
        let until = self.until?;
        if now < until {
            Some(Block::Until(until))
        } else {
            (in_flight > 0).then_some(Block::Probe)
        }
    }

    pub(super) fn is_held(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// Whether nothing would be lost by forgetting it.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| until + MEMORY <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(told: Option<u64>) -> Refusal {
        Refusal {
            scope: LimitScope::Bot,
            counted: Counted::All,
            told: told.map(Duration::from_secs),
            pause: SHORT,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_wave_of_refusals_backs_off_once() {
        let start = Instant::now();
        let mut hold = Hold::default();
        for _ in 0..100 {
            hold.refused(&refusal(None), start, start);
        }
        let second = Duration::from_secs(1);
        assert_eq!(hold.block(0, start), Some(Block::Until(start + second)));
        let again = start + second;
        assert_eq!(hold.block(1, again), Some(Block::Probe));
        assert_eq!(hold.block(0, again), None);
        hold.refused(&refusal(None), again, again);
        assert_eq!(hold.block(0, again), Some(Block::Until(again + 2 * second)));
        hold.refused(&refusal(Some(7)), again, again);
        assert_eq!(hold.block(0, again), Some(Block::Until(again + 7 * second)));
        hold.welcome(again);
        assert!(
            hold.is_held(again),
            "an answer to an older request says nothing"
        );
        hold.welcome(again + 7 * second);
        assert_eq!(hold.block(9, again), None);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_held_for_ever() {
        let now = Instant::now();
        let mut hold = Hold::default();
        hold.refused(&refusal(Some(u64::MAX)), now, now);
        assert!(!hold.is_held(now + LONGEST));
        assert!(hold.is_over(now + LONGEST + MEMORY));
        let mut hold = Hold::default();
        for _ in 0..100 {
            let started = hold.until.unwrap_or(now);
            hold.refused(&refusal(None), started, started);
            assert!(hold.until <= Some(started + SHORT.cap));
        }
    }
}
