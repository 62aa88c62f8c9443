//! Heartbeats and their ACKs.
//!
//! A beat is sent every interval, the first after a random part of one. Its ACK may take one interval, in
//! time spent reading: while the consumer keeps the shard from reading, an ACK may wait in the socket's
//! buffers, and its lateness says nothing about the connection.

use std::time::{Duration, Instant};

use crate::backoff::later;

/// No server makes the shard beat faster than this: a wrong unit in HELLO is no flood, and an emulator may hurry.
const FLOOR: Duration = Duration::from_millis(100);
/// No server makes the shard beat slower than this.
const CEILING: Duration = Duration::from_secs(3600);
/// The interval when HELLO names none.
const UNNAMED: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
pub(super) struct Heart {
    interval: Duration,
    /// When the next beat is due; `None` while the heart stands still.
    next: Option<Instant>,
    /// When the oldest beat without an ACK was sent, moved on by the time that was not spent reading.
    unanswered: Option<Instant>,
    last_beat: Option<Instant>,
    outstanding: u32,
    /// Since when nothing is read.
    suspended: Option<Instant>,
    round_trip: Option<Duration>,
}

impl Heart {
    /// Takes the interval of HELLO.
    pub(super) fn set_interval(&mut self, milliseconds: u64) {
        self.interval = match milliseconds {
            0 => UNNAMED,
            named => Duration::from_millis(named).clamp(FLOOR, CEILING),
        };
    }

    /// Starts beating; `fraction` of an interval passes before the first beat.
    pub(super) fn start(&mut self, now: Instant, fraction: f64) {
        self.next = Some(later(now, self.interval.mul_f64(fraction)));
    }

    /// Stops beating and forgets what is unanswered.
    pub(super) fn stop(&mut self) {
        *self = Self {
            interval: self.interval,
            suspended: self.suspended,
            round_trip: self.round_trip,
            ..Self::default()
        };
    }

    pub(super) const fn is_beating(&self) -> bool {
        self.next.is_some()
    }

    /// Whether a beat is to be sent now. One whose predecessor is overdue waits for the verdict on it.
    pub(super) fn take_due(&mut self, now: Instant) -> bool {
        let Some(next) = self.next else { return false };
        if now < next || self.is_overdue(now) {
            return false;
        }
        let following = next + self.interval;
        self.next = Some(if following > now {
            following
        } else {
            now + self.interval
        });
        self.unanswered.get_or_insert(now);
        self.last_beat = Some(now);
        self.outstanding = self.outstanding.saturating_add(1);
        true
    }

    pub(super) fn acknowledged(&mut self, now: Instant) {
        if let Some(sent) = self.last_beat
            && self.outstanding == 1
        {
            self.round_trip = Some(now.saturating_duration_since(sent));
        }
        self.outstanding = 0;
        self.unanswered = None;
    }

    /// Whether an ACK is missing.
    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        self.suspended.is_none() && self.ack_deadline().is_some_and(|deadline| deadline <= now)
    }

    /// Nothing is read from now on.
    pub(super) fn suspend(&mut self, now: Instant) {
        self.suspended.get_or_insert(now);
    }

    /// Reading goes on, which it did not since `held_up`, or since it was suspended if that is longer.
    pub(super) fn read(&mut self, now: Instant, held_up: Option<Instant>) {
        let since = [held_up, self.suspended.take()].into_iter().flatten().min();
        // With each event, and most of the time there is nothing to move.
        if let Some(sent) = &mut self.unanswered
            && let Some(since) = since
        {
            *sent = later(*sent, now.saturating_duration_since(since)).min(now);
        }
    }

    pub(super) const fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// When to look again.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.ack_deadline().filter(|_| self.suspended.is_none()) {
            Some(ack) => self.next.map(|next| next.min(ack)),
            None => self.next,
        }
    }

    fn ack_deadline(&self) -> Option<Instant> {
        self.unanswered.map(|since| since + self.interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heart(interval: u64) -> (Heart, Instant) {
        let now = Instant::now();
        let mut heart = Heart::default();
        heart.set_interval(interval);
        heart.start(now, 0.5);
        (heart, now)
    }

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn beats_follow_the_interval() {
        let (mut heart, start) = heart(10_000);
        let mut beats = Vec::new();
        for second in 0..40 {
            let now = start + ms(second * 1000);
            if heart.take_due(now) {
                beats.push(second);
                heart.acknowledged(now);
            }
        }
        assert_eq!(beats, [5, 15, 25, 35]);
    }

    #[test]
    fn intervals_are_bounded() {
        for (named, used) in [
            (1, FLOOR),
            (200, ms(200)),
            (0, UNNAMED),
            (41_250, ms(41_250)),
            (u64::MAX, CEILING),
        ] {
            let (heart, _) = heart(named);
            assert_eq!(heart.interval, used, "{named}");
        }
    }

    #[test]
    fn an_ack_may_take_one_interval() {
        let (mut heart, start) = heart(10_000);
        let beat = start + ms(5000);
        assert!(heart.take_due(beat));
        assert!(!heart.is_overdue(beat + ms(9_900)));
        heart.acknowledged(beat + ms(9_900));
        assert_eq!(heart.round_trip(), Some(ms(9_900)));
        assert!(heart.take_due(beat + ms(10_000)));
        assert!(heart.is_overdue(beat + ms(20_000)));
        assert!(
            !heart.take_due(beat + ms(20_000)),
            "the verdict comes first"
        );
    }

    #[test]
    fn time_without_reading_does_not_count() {
        let (mut heart, start) = heart(10_000);
        let beat = start + ms(5000);
        assert!(heart.take_due(beat));
        heart.suspend(beat);
        assert!(!heart.is_overdue(beat + ms(60_000)));
        assert!(heart.take_due(beat + ms(60_000)));
        heart.read(beat + ms(60_000), None);
        assert!(!heart.is_overdue(beat + ms(69_999)));
        heart.read(beat + ms(69_000), Some(beat + ms(64_000)));
        assert!(!heart.is_overdue(beat + ms(73_999)));
        assert!(heart.is_overdue(beat + ms(75_000)));
    }

    /// A consumer that is now and then short of room does not put off the verdict for ever.
    #[test]
    fn only_the_time_without_reading_is_left_out() {
        let (mut heart, start) = heart(10_000);
        let beat = start + ms(5000);
        assert!(heart.take_due(beat));
        for second in 1..=5 {
            heart.suspend(beat + ms(second * 1000));
            heart.suspend(beat + ms(second * 1000 + 100));
            let held_up = beat + ms(second * 1000 + 50);
            heart.read(beat + ms(second * 1000 + 200), Some(held_up));
        }
        assert!(!heart.is_overdue(beat + ms(10_999)));
        assert!(heart.is_overdue(beat + ms(11_000)));
    }

    #[test]
    fn a_beat_long_due_is_sent_once() {
        let (mut heart, start) = heart(10_000);
        heart.suspend(start);
        let now = start + ms(100_000);
        assert!(heart.take_due(now));
        assert!(!heart.take_due(now + ms(9_999)));
        assert!(heart.take_due(now + ms(10_000)));
    }
}
