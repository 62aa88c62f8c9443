//! How fast frames are read.
//!
//! A bucket that holds one second's frames and fills evenly, kept as the moment when it is full again (GCRA).
//! An empty one is left alone until a tenth has come back, so that a flood wakes the shard ten times a second
//! and not once per frame.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

const BUCKET: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Debug, Default)]
pub(super) struct Throttle {
    /// What one frame costs; zero without a limit.
    cost: Duration,
    full_at: Option<Instant>,
    /// Since when and until when nothing is read.
    pause: Option<(Instant, Instant)>,
}

impl Throttle {
    pub(super) fn new(per_second: Option<NonZeroU32>) -> Self {
        Self {
            cost: per_second.map_or(Duration::ZERO, |rate| BUCKET / rate.get()),
            ..Self::default()
        }
    }

    /// A frame was read; whether that was the last for now.
    pub(super) fn count(&mut self, now: Instant) -> bool {
        if self.cost.is_zero() {
            return false;
        }
        let full_at = self.full_at.map_or(now, |known| known.max(now)) + self.cost;
        self.full_at = Some(full_at);
        let is_empty = full_at.saturating_duration_since(now) + self.cost > BUCKET;
        if is_empty && self.pause.is_none() {
            // One that costs more than the pause brings must be paid for, too.
            let pause = PAUSE.max(self.cost);
            self.pause = Some((now, full_at + pause - BUCKET));
        }
        is_empty
    }

    /// Until when nothing is read.
    pub(super) fn until(&self) -> Option<Instant> {
        self.pause.map(|(_, until)| until)
    }

    /// Ends a pause that is over; how long it took.
    pub(super) fn end(&mut self, now: Instant) -> Option<Duration> {
        let (since, _) = self.pause.take_if(|(_, until)| *until <= now)?;
        Some(now.saturating_duration_since(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames read in so many seconds of a flood.
    fn flood(per_second: u32, seconds: u64) -> u64 {
        let mut throttle = Throttle::new(NonZeroU32::new(per_second));
        let start = Instant::now();
        let end = start + Duration::from_secs(seconds);
        let (mut now, mut frames) = (start, 0);
        while now < end {
            if let Some(until) = throttle.until() {
                assert!(until > now, "a pause takes time");
                now = until;
                assert!(throttle.end(now).is_some());
            } else {
                throttle.count(now);
                frames += 1;
            }
        }
        frames
    }

    #[test]
    fn a_flood_is_read_at_the_rate() {
        for rate in [1, 2, 7, 100, 10_000] {
            let frames = flood(rate, 20);
            let expected = u64::from(rate) * 20;
            assert!(
                (expected..=expected + u64::from(rate)).contains(&frames),
                "{rate}: {frames}"
            );
        }
    }

    #[test]
    fn a_seconds_worth_may_come_at_once_and_comes_back() {
        let mut throttle = Throttle::new(NonZeroU32::new(10));
        let start = Instant::now();
        for second in 0..3 {
            let now = start + Duration::from_secs(second);
            throttle.end(now);
            for frame in 1..=10 {
                assert_eq!(throttle.count(now), frame == 10, "{second}: {frame}");
            }
        }
    }

    #[test]
    fn without_a_limit_nothing_is_held_back() {
        let mut throttle = Throttle::new(None);
        let now = Instant::now();
        assert!((0..100_000).all(|_| !throttle.count(now)) && throttle.until().is_none());
    }
}
