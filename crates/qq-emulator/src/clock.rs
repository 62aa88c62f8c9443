//! The emulator's time: real time that can be moved forward.
//!
//! Everything that has a duration on the platform (token life, reply windows, quotas, the resume
//! window, audits, time stamps) is measured with this clock. Heartbeat supervision is if
//! `clock_moves_heartbeats` says so. The pauses before a close and those of faults are not: they are
//! about a live socket and use real time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// A point of the emulator's time: milliseconds since the Unix epoch.
pub(crate) type Millis = u64;

/// Wall-clock time at the start, plus what has passed since, plus what was skipped.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    started_at: Millis,
    started: Instant,
    skipped: Millis,
}

impl Clock {
    pub(crate) fn new() -> Self {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        Self {
            started_at: millis(now),
            started: Instant::now(),
            skipped: 0,
        }
    }

    /// The current time.
    pub(crate) fn now(&self) -> Millis {
        self.started_at
            .saturating_add(millis(self.started.elapsed()))
            .saturating_add(self.skipped)
    }

    /// Moves the time forward.
    pub(crate) fn advance(&mut self, by: Millis) {
        self.skipped = self.skipped.saturating_add(by);
    }

    /// How far the time has been moved in total.
    pub(crate) fn skipped(&self) -> Millis {
        self.skipped
    }
}

/// A duration in whole milliseconds, saturating.
pub(crate) fn millis(duration: Duration) -> Millis {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Formats a time as the platform does: RFC 3339 with seconds, in Beijing time.
pub(crate) fn rfc3339(at: Millis) -> String {
    let (date, time, _) = beijing(at);
    format!("{date}T{time}+08:00")
}

/// Reads RFC 3339 with whole seconds or a fraction, and any offset; `None` for anything else.
pub(crate) fn parse(text: &str) -> Option<Millis> {
    let number = |range: std::ops::Range<usize>| -> Option<i64> {
        let digits = text.get(range)?;
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| digits.parse().ok()).flatten()
    };
    let bytes = text.as_bytes();
    let at = |place: usize, wanted: &[u8]| bytes.get(place).is_some_and(|b| wanted.contains(b));
    if !(at(4, b"-") && at(7, b"-") && at(10, b"Tt ") && at(13, b":") && at(16, b":")) {
        return None;
    }
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let rest = text.get(19..)?;
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    let offset = match zone.as_bytes() {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let hours: i64 = zone.get(1..3)?.parse().ok()?;
            let minutes: i64 = zone.get(4..6)?.parse().ok()?;
            let offset = (hours * 60 + minutes) * 60;
            if *sign == b'+' { offset } else { -offset }
        }
        _ => return None,
    };
    // The same calendar as below, the other way round.
    let shifted = if month > 2 { month - 3 } else { month + 9 };
    let year = year - i64::from(month <= 2);
    let era = year / 400;
    let year_of_era = year - era * 400;
    let day_of_year = (153 * shifted + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset;
    u64::try_from(seconds).ok()?.checked_mul(1000)
}

/// The same with milliseconds, for the emulator's own logs.
pub(crate) fn rfc3339_millis(at: Millis) -> String {
    let (date, time, fraction) = beijing(at);
    format!("{date}T{time}.{fraction:03}+08:00")
}

fn beijing(at: Millis) -> (String, String, u64) {
    const OFFSET_SECONDS: u64 = 8 * 3600;
    // Year 9999: later times would need more digits than the format has.
    const LAST_SECOND: u64 = 253_402_300_799 - OFFSET_SECONDS;
    let seconds = (at / 1000).min(LAST_SECOND) + OFFSET_SECONDS;
    let (year, month, day) = civil_from_days(seconds / 86_400);
    let of_day = seconds % 86_400;
    (
        format!("{year:04}-{month:02}-{day:02}"),
        format!(
            "{:02}:{:02}:{:02}",
            of_day / 3600,
            of_day / 60 % 60,
            of_day % 60
        ),
        at % 1000,
    )
}

/// Days since 1970-01-01 to a date of the proleptic Gregorian calendar, counted in eras of 400
/// years that begin on 1 March, so that the leap day is the last day of a year.
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    const DAYS_PER_ERA: u64 = 146_097;
    const DAYS_0000_03_01_TO_1970: u64 = 719_468;
    let days = days + DAYS_0000_03_01_TO_1970;
    let era = days / DAYS_PER_ERA;
    let day_of_era = days % DAYS_PER_ERA;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_known_instants() {
        assert_eq!(rfc3339(0), "1970-01-01T08:00:00+08:00");
        assert_eq!(rfc3339(951_753_600_000), "2000-02-29T00:00:00+08:00");
        assert_eq!(rfc3339(1_704_038_399_000), "2023-12-31T23:59:59+08:00");
        assert_eq!(rfc3339(1_704_038_400_000), "2024-01-01T00:00:00+08:00");
        assert_eq!(
            rfc3339_millis(1_795_266_766_042),
            "2026-11-21T21:12:46.042+08:00"
        );
        assert_eq!(rfc3339(u64::MAX), "9999-12-31T23:59:59+08:00");
    }

    #[test]
    fn reads_what_it_formats() {
        for at in [0, 951_753_600_000, 1_704_038_399_000, 1_795_266_766_000] {
            assert_eq!(parse(&rfc3339(at)), Some(at));
            assert_eq!(parse(&rfc3339_millis(at)), Some(at));
        }
        assert_eq!(parse("1970-01-01T00:00:01Z"), Some(1000));
        assert_eq!(parse("1970-01-01T00:30:00-00:30"), Some(3_600_000));
        for bad in [
            "",
            "2026",
            "2026-13-01T00:00:00Z",
            "2026-01-01T00:00:00",
            "你好你好你好你好",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn moves_with_time_and_by_hand() {
        let mut clock = Clock::new();
        let start = clock.now();
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(clock.now(), start + 5000);
        clock.advance(60_000);
        assert_eq!(clock.now(), start + 65_000);
        assert_eq!(clock.skipped(), 60_000);
    }
}
