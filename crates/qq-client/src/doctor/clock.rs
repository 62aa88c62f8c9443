//! The time of an HTTP answer.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Reads `Sat, 21 Nov 2026 17:07:18 GMT`, the only form that servers may send today.
pub(super) fn parse(date: &str) -> Option<SystemTime> {
    let date = date.split_once(", ")?.1.strip_suffix(" GMT")?;
    let mut parts = date.split(' ');
    let day: u64 = parts
        .next()?
        .parse()
        .ok()
        .filter(|day| (1..=31).contains(day))?;
    let month = parts.next()?;
    let month = MONTHS.iter().position(|name| *name == month)? as u64 + 1;
    let year: u64 = parts
        .next()?
        .parse()
        .ok()
        .filter(|year| (1970..10_000).contains(year))?;
    let mut clock = parts
        .next()?
        .split(':')
        .map(|part| part.parse::<u64>().ok());
    let (hours, minutes, seconds) = (clock.next()??, clock.next()??, clock.next()??);
    if hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hours * 3_600 + minutes * 60 + seconds;
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// Days since 1970: with years that begin in March, leap days are at the end.
const fn days(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468
}

/// Positive when the second is later.
pub(super) fn seconds_between(first: SystemTime, second: SystemTime) -> i64 {
    let whole = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    match second.duration_since(first) {
        Ok(later) => whole(later),
        Err(earlier) => -whole(earlier.duration()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read() {
        for (date, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Thu, 29 Feb 2024 12:00:00 GMT", 1_709_208_000),
            ("Sat, 21 Nov 2026 17:07:18 GMT", 1_795_280_838),
        ] {
            let read = parse(date).unwrap();
            assert_eq!(
                read.duration_since(UNIX_EPOCH).unwrap().as_secs(),
                seconds,
                "{date}"
            );
        }
        for date in [
            "",
            "now",
            "Sat, 32 Nov 2026 17:07:18 GMT",
            "Sat, 21 Nov 2026 25:07:18 GMT",
            "Sat, 21 Nov 2026 17:07 GMT",
        ] {
            assert_eq!(parse(date), None, "{date}");
        }
    }

    #[test]
    fn clocks_are_compared_both_ways() {
        let noon = UNIX_EPOCH + Duration::from_secs(43_200);
        assert_eq!(seconds_between(noon, noon + Duration::from_secs(5)), 5);
        assert_eq!(seconds_between(noon, noon - Duration::from_secs(5)), -5);
    }
}
