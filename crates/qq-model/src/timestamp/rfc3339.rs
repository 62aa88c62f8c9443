//! Dates and times as RFC 3339 writes them.

use std::ops::Range;

const MILLIS_OF_SECOND: i64 = 1000;
const SECONDS_OF_DAY: i64 = 24 * 60 * 60;
/// From the first of March of the year 0, with which the years of the calculation begin, to 1970.
const DAYS_TO_1970: i64 = 719_468;
const DAYS_OF_ERA: i64 = 146_097;
const YEARS_OF_ERA: i64 = 400;
/// Of Beijing, in seconds.
const EAST_OF_GREENWICH: i64 = 8 * 3600;
/// When the years 0 to 9999 begin and end there: those that have four digits.
const WRITTEN: Range<i64> = days(0, 1, 1) * SECONDS_OF_DAY - EAST_OF_GREENWICH
    ..days(10_000, 1, 1) * SECONDS_OF_DAY - EAST_OF_GREENWICH;

/// Milliseconds since 1970. What is finer is cut off, and a leap second counts as the end of the one before.
pub(super) fn parse(text: &str) -> Option<i64> {
    let mut rest = text.as_bytes();
    let year = digits(&mut rest, 4)?;
    let month = after(&mut rest, b"-").and_then(|()| digits(&mut rest, 2))?;
    let day = after(&mut rest, b"-").and_then(|()| digits(&mut rest, 2))?;
    let hour = after(&mut rest, b"Tt ").and_then(|()| digits(&mut rest, 2))?;
    let minute = after(&mut rest, b":").and_then(|()| digits(&mut rest, 2))?;
    let second = after(&mut rest, b":").and_then(|()| digits(&mut rest, 2))?;
    let millis = match after(&mut rest, b".") {
        Some(()) => fraction(&mut rest)?,
        None => 0,
    };
    let offset = offset(&mut rest)?;
    if !rest.is_empty() || !is_date(year, month, day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (second, millis) = if second == 60 {
        (59, 999)
    } else {
        (second, millis)
    };
    let seconds = days(year, month, day) * SECONDS_OF_DAY + hour * 3600 + minute * 60 + second;
    Some((seconds - offset) * MILLIS_OF_SECOND + millis)
}

/// Seconds since 1970, of a text that [`at_beijing`] writes.
pub(super) fn parse_beijing(text: &str) -> Option<i64> {
    let text: &[u8; 25] = text.as_bytes().try_into().ok()?;
    let marks = [text[4], text[7], text[10], text[13], text[16]];
    if marks != *b"--T::" || !text.ends_with(b"+08:00") {
        return None;
    }
    let two = |at: usize| {
        let (tens, ones) = (text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0'));
        (tens < 10 && ones < 10).then(|| i64::from(tens * 10 + ones))
    };
    let year = two(0)? * 100 + two(2)?;
    let (month, day) = (two(5)?, two(8)?);
    let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
    if !is_date(year, month, day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let time = hour * 3600 + minute * 60 + second;
    Some(days(year, month, day) * SECONDS_OF_DAY + time - EAST_OF_GREENWICH)
}

/// Whether [`at_beijing`] gives a text.
pub(super) fn is_written(seconds: i64) -> bool {
    WRITTEN.contains(&seconds)
}

/// Whole seconds since 1970 at `+08:00`; `None` outside of the years 0 to 9999.
pub(super) fn at_beijing(seconds: i64) -> Option<String> {
    if !is_written(seconds) {
        return None;
    }
    let local = seconds + EAST_OF_GREENWICH;
    let (year, month, day) = date(local.div_euclid(SECONDS_OF_DAY));
    let time = local.rem_euclid(SECONDS_OF_DAY);
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    Some(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}+08:00"
    ))
}

/// A number of so many digits.
fn digits(rest: &mut &[u8], count: usize) -> Option<i64> {
    let (digits, tail) = rest.split_at_checked(count)?;
    *rest = tail;
    digits.iter().try_fold(0, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + i64::from(digit - b'0'))
    })
}

/// Steps over one of these bytes.
fn after(rest: &mut &[u8], any: &[u8]) -> Option<()> {
    let (first, tail) = rest.split_first()?;
    any.contains(first).then(|| *rest = tail)
}

fn fraction(rest: &mut &[u8]) -> Option<i64> {
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, tail) = rest.split_at(length);
    *rest = tail;
    let digit = |at: usize| i64::from(digits.get(at).map_or(0, |digit| digit - b'0'));
    (length > 0).then(|| digit(0) * 100 + digit(1) * 10 + digit(2))
}

/// Seconds east of Greenwich.
fn offset(rest: &mut &[u8]) -> Option<i64> {
    if after(rest, b"Zz").is_some() {
        return Some(0);
    }
    let sign = if after(rest, b"-").is_some() {
        -1
    } else {
        after(rest, b"+")?;
        1
    };
    let hours = digits(rest, 2)?;
    let minutes = after(rest, b":").and_then(|()| digits(rest, 2))?;
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

fn is_date(year: i64, month: i64, day: i64) -> bool {
    (1..=12).contains(&month) && (1..=days_of(year, month)).contains(&day)
}

const fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970. Years are taken to begin in March, so that a leap day is the last of its year.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let (era, of_era) = (year.div_euclid(YEARS_OF_ERA), year.rem_euclid(YEARS_OF_ERA));
    let month_of_year = (month + 9) % 12;
    let day_of_year = (153 * month_of_year + 2) / 5 + day - 1;
    let day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + day_of_year;
    era * DAYS_OF_ERA + day_of_era - DAYS_TO_1970
}

/// Year, month and day of so many days since 1970.
const fn date(days: i64) -> (i64, i64, i64) {
    let days = days.saturating_add(DAYS_TO_1970);
    let (era, of_era) = (days.div_euclid(DAYS_OF_ERA), days.rem_euclid(DAYS_OF_ERA));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_of_year = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_of_year + 2) / 5 + 1;
    let month = if month_of_year < 10 {
        month_of_year + 3
    } else {
        month_of_year - 9
    };
    let year = era * YEARS_OF_ERA + year_of_era;
    (if month > 2 { year } else { year + 1 }, month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::format_description::well_known::Rfc3339;
    use time::{OffsetDateTime, UtcOffset};

    use super::*;

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2026-05-23",
            "2026-05-23T10:00:00",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2026-05-23T24:00:00Z",
            "2026-05-23T10:60:00Z",
            "2026-05-23T10:00:61Z",
            "2026-05-23T10:00:00.Z",
            "2026-05-23T10:00:00+8:00",
            "2026-05-23T10:00:00+24:00",
            "2026-05-23T10:00:00Zx",
            "+026-05-23T10:00:00Z",
            "2026-00-23T10:00:00Z",
            "2026-05-00T10:00:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse("2016-12-31T23:59:60Z"), Some(1_483_228_799_999));
        assert_eq!(parse("0001-01-01T00:00:00Z"), Some(-62_135_596_800_000));
        assert_eq!(at_beijing(i64::MAX), None);
        assert_eq!(at_beijing(i64::MIN), None);
    }

    #[test]
    fn the_first_and_the_last_year_are_whole() {
        for text in ["0000-01-01T00:00:00+08:00", "9999-12-31T23:59:59+08:00"] {
            let seconds = parse_beijing(text).unwrap();
            assert_eq!(at_beijing(seconds).as_deref(), Some(text));
        }
        assert_eq!(at_beijing(WRITTEN.start - 1), None);
        assert_eq!(at_beijing(WRITTEN.end), None);
        assert_eq!(
            at_beijing(WRITTEN.start).as_deref(),
            Some("0000-01-01T00:00:00+08:00")
        );
        assert_eq!(
            at_beijing(WRITTEN.end - 1).as_deref(),
            Some("9999-12-31T23:59:59+08:00")
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn a_calendar_of_others_agrees(
            seconds in -62_135_000_000_i64..253_402_000_000,
            nanos in 0_u32..1_000_000_000,
            offset in -23_i8..=23,
            minutes in 0_i8..60,
        ) {
            let theirs = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
            let zone = UtcOffset::from_hms(offset, minutes * offset.signum(), 0).unwrap();
            let there = theirs.replace_nanosecond(nanos).unwrap().to_offset(zone);
            let text = there.format(&Rfc3339).unwrap();
            prop_assert_eq!(parse(&text), Some(seconds * 1000 + i64::from(nanos / 1_000_000)), "{}", text);
            let beijing = theirs.to_offset(UtcOffset::from_hms(8, 0, 0).unwrap());
            let beijing = beijing.format(&Rfc3339).unwrap();
            prop_assert_eq!(parse_beijing(&beijing), Some(seconds), "{}", beijing);
            prop_assert_eq!(at_beijing(seconds), Some(beijing));
        }

        #[test]
        fn no_text_is_a_panic(text in "\\PC*|[0-9TZ:.+-]{0,30}") {
            let theirs = OffsetDateTime::parse(&text, &Rfc3339).is_ok();
            prop_assert_eq!(parse(&text).is_some(), theirs, "{}", text);
        }

        #[test]
        fn what_is_short_is_no_other_time(text in "[0-9]{4}-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9][+]08:00|[0-9TZ:.+-]{25}") {
            if let Some(seconds) = parse_beijing(&text) {
                prop_assert_eq!(at_beijing(seconds), Some(text.clone()));
                prop_assert_eq!(parse(&text), Some(seconds * 1000));
            } else if text.ends_with("+08:00") && !text.ends_with(":60+08:00") {
                prop_assert_eq!(parse(&text), None, "{}", text);
            }
        }
    }
}
