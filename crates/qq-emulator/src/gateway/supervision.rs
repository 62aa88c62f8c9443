//! How often a client speaks.
//!
//! Measured in real time, to which what was skipped by hand is added where that is wanted.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::receive::Received;
use crate::clock::Millis;
use crate::platform::FOREVER;
use crate::settings::Settings;

/// Watches how often a client speaks.
#[derive(Debug)]
pub(super) struct Supervision {
    pub(super) silence: Duration,
    interval: Duration,
    pub(super) beats_per_interval: u32,
    pub(super) frames_per_minute: u32,
    last_beat: Instant,
    /// How far the clock had been moved by hand at the last beat, and how far it is now.
    skipped_at_beat: Millis,
    skipped: Millis,
    /// Whether that is silence.
    skipping_counts: bool,
    beats: VecDeque<Instant>,
    beats_reported: bool,
    minute_began: Instant,
    frames: u32,
}

impl Supervision {
    /// `skipped` is how far the clock has been moved by hand.
    pub(super) fn new(settings: &Settings, skipped: Millis) -> Self {
        let now = Instant::now();
        let interval = Duration::from_millis(settings.heartbeat_interval);
        let tolerance = u32::try_from(settings.heartbeat_tolerance).unwrap_or(u32::MAX);
        Self {
            silence: interval.saturating_mul(tolerance).min(FOREVER),
            interval,
            beats_per_interval: settings.heartbeats_per_interval,
            frames_per_minute: frame_limit(settings),
            last_beat: now,
            skipped_at_beat: skipped,
            skipped,
            skipping_counts: settings.clock_moves_heartbeats,
            beats: VecDeque::new(),
            beats_reported: false,
            minute_began: now,
            frames: 0,
        }
    }

    /// When the client will have been silent for too long.
    pub(super) fn deadline(&self) -> Instant {
        let skipped = match self.skipping_counts {
            true => self.skipped.saturating_sub(self.skipped_at_beat),
            false => 0,
        };
        let skipped = Duration::from_millis(skipped);
        self.last_beat + self.silence.saturating_sub(skipped)
    }

    /// The clock has been moved by hand so far; `counts` says whether that is silence.
    pub(super) fn skipped(&mut self, (skipped, counts): (Millis, bool)) {
        self.skipped = skipped;
        self.skipping_counts = counts;
    }

    /// The client has shown that it is alive.
    pub(super) fn beat(&mut self, now: Instant) {
        self.last_beat = now;
        self.skipped_at_beat = self.skipped;
    }

    /// Counts a frame: whether heartbeats, or frames, have just become too many.
    pub(super) fn frame(&mut self, received: Received) -> (bool, bool) {
        let now = Instant::now();
        if now.duration_since(self.minute_began) >= Duration::from_secs(60) {
            self.minute_began = now;
            self.frames = 0;
        }
        self.frames = self.frames.saturating_add(1);
        let too_many_frames =
            self.frames_per_minute > 0 && self.frames == self.frames_per_minute.saturating_add(1);
        if received == Received::Other {
            return (false, too_many_frames);
        }
        self.beat(now);
        self.beats.push_back(now);
        while self
            .beats
            .front()
            .is_some_and(|beat| now.duration_since(*beat) > self.interval)
        {
            self.beats.pop_front();
        }
        let too_many = self.beats.len() > self.beats_per_interval as usize;
        if too_many {
            self.beats.pop_front();
        }
        let newly = too_many && !self.beats_reported;
        self.beats_reported |= too_many;
        (newly, too_many_frames)
    }
}

/// The frame limit; never so low that the heartbeats themselves would exceed it.
fn frame_limit(settings: &Settings) -> u32 {
    if settings.frames_per_minute == 0 {
        return 0;
    }
    let intervals = u32::try_from(60_000 / settings.heartbeat_interval.max(1)).unwrap_or(u32::MAX);
    settings
        .frames_per_minute
        .max(intervals.saturating_mul(settings.heartbeats_per_interval))
}
