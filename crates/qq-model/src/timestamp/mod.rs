//! Points in time, in each of the forms that the platform sends.

mod rfc3339;

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::wire::{FromScalar, Lenient, Scalar, read_scalar};

/// Numbers from here on are milliseconds, below it seconds: the year 5138 in seconds, 1973 in milliseconds.
const MILLISECONDS_FROM: i64 = 100_000_000_000;

/// A point in time.
///
/// Message events carry RFC 3339 texts with `+08:00`, group switches integer seconds, schedules milliseconds
/// in texts, direct-message sessions and threads seconds in texts. All of them are one type here, and each is
/// written back in the form in which it came.
///
/// ```
/// use qq_model::Timestamp;
///
/// let sent: Timestamp = "2026-05-23T10:00:00+08:00".parse().unwrap();
/// assert_eq!(sent.unix_seconds(), Some(1_779_501_600));
/// assert_eq!(sent.to_string(), "2026-05-23T10:00:00+08:00");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Timestamp(Form);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Form {
    Number(i64),
    NumberText(i64),
    /// RFC 3339 as message events write it: whole seconds, at `+08:00`. The text follows from the value.
    Beijing {
        unix_seconds: i64,
    },
    /// RFC 3339 in another way. The text is kept because the number of fraction digits and `Z` are not part of the value.
    DateTime {
        unix_millis: i64,
        text: Box<str>,
    },
    /// Not a point in time; kept as it came.
    Other(Box<str>),
}

impl Timestamp {
    /// The time as whole seconds since 1970, in the number form.
    #[must_use]
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self(Form::Number(seconds))
    }

    /// The time as milliseconds since 1970 in a text, the form of schedules; what is no point in time stays.
    #[must_use]
    pub fn to_millis_text(&self) -> Self {
        self.unix_millis()
            .map_or_else(|| self.clone(), |millis| Self(Form::NumberText(millis)))
    }

    /// Milliseconds since 1970, or `None` when the platform sent something that is no point in time.
    #[must_use]
    pub const fn unix_millis(&self) -> Option<i64> {
        match &self.0 {
            Form::Number(n) | Form::NumberText(n) => Some(millis(*n)),
            Form::Beijing { unix_seconds } => Some(*unix_seconds * 1000),
            Form::DateTime { unix_millis, .. } => Some(*unix_millis),
            Form::Other(_) => None,
        }
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub const fn unix_seconds(&self) -> Option<i64> {
        match self.unix_millis() {
            Some(millis) => Some(millis.div_euclid(1000)),
            None => None,
        }
    }

    /// The same moment for the standard library; `None` also for moments before 1970.
    #[must_use]
    pub fn to_system_time(&self) -> Option<SystemTime> {
        let millis = u64::try_from(self.unix_millis()?).ok()?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis))
    }
}

impl From<SystemTime> for Timestamp {
    /// An RFC 3339 text at `+08:00`, whole seconds, as message events carry it.
    fn from(time: SystemTime) -> Self {
        let whole = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX);
        let seconds = match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => whole(since.as_secs()),
            // Before 1970 the second that a moment is in begins earlier, not later.
            Err(before) => {
                let before = before.duration();
                -whole(before.as_secs()) - i64::from(before.subsec_nanos() > 0)
            }
        };
        if rfc3339::is_written(seconds) {
            return Self(Form::Beijing {
                unix_seconds: seconds,
            });
        }
        Self::from_unix_seconds(seconds)
    }
}

impl Timestamp {
    fn from_text(text: &str) -> Self {
        if let Some(unix_seconds) = rfc3339::parse_beijing(text) {
            return Self(Form::Beijing { unix_seconds });
        }
        // Only canonical digits, so that writing the number gives the same text.
        if let [b'0'] | [b'1'..=b'9', ..] | [b'-', b'1'..=b'9', ..] = text.as_bytes()
            && let Ok(n) = text.parse()
        {
            return Self(Form::NumberText(n));
        }
        match rfc3339::parse(text) {
            Some(unix_millis) => Self(Form::DateTime {
                unix_millis,
                text: text.into(),
            }),
            None => Self(Form::Other(text.into())),
        }
    }
}

const fn millis(n: i64) -> i64 {
    if n < MILLISECONDS_FROM {
        n.saturating_mul(1000)
    } else {
        n
    }
}

impl Default for Timestamp {
    fn default() -> Self {
        Self(Form::Other("".into()))
    }
}

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, ParseTimestampError> {
        match Self::from_text(text) {
            Self(Form::Other(_)) => Err(ParseTimestampError(())),
            timestamp => Ok(timestamp),
        }
    }
}

/// The text is neither RFC 3339 nor whole seconds or milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseTimestampError(());

impl fmt::Display for ParseTimestampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("neither an RFC 3339 time nor seconds or milliseconds since 1970")
    }
}

impl std::error::Error for ParseTimestampError {}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Number(n) | Form::NumberText(n) => fmt::Display::fmt(n, f),
            Form::Beijing { unix_seconds } => {
                f.pad(&rfc3339::at_beijing(*unix_seconds).unwrap_or_default())
            }
            Form::DateTime { text, .. } | Form::Other(text) => f.pad(text),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

impl FromScalar for Timestamp {
    fn from_scalar(scalar: Scalar<'_>) -> Option<Self> {
        match scalar {
            Scalar::Text(text) => Some(Self::from_text(text)),
            other => i64::from_scalar(other).map(|n| Self(Form::Number(n))),
        }
    }
}

impl<'de> Lenient<'de> for Timestamp {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        read_scalar(deserializer)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(deserializer).map(Option::unwrap_or_default)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Form::Number(n) => serializer.serialize_i64(*n),
            _ => serializer.collect_str(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_form_of_the_platform_is_one_moment() {
        for (json, millis) in [
            ("\"2026-05-23T10:00:00+08:00\"", 1_779_501_600_000),
            ("\"2026-05-23T02:00:00.250Z\"", 1_779_501_600_250),
            ("1779501600", 1_779_501_600_000),
            ("\"1779501600\"", 1_779_501_600_000),
            ("\"1779501600250\"", 1_779_501_600_250),
        ] {
            let time: Timestamp = serde_json::from_str(json).unwrap();
            assert_eq!(time.unix_millis(), Some(millis), "{json}");
            assert_eq!(serde_json::to_string(&time).unwrap(), json);
        }
    }

    #[test]
    fn what_is_no_time_is_kept_and_says_so() {
        let time: Timestamp = serde_json::from_str("\"yesterday\"").unwrap();
        assert_eq!(time.unix_millis(), None);
        assert_eq!(time.to_string(), "yesterday");
        assert!("yesterday".parse::<Timestamp>().is_err());
    }

    #[test]
    fn now_is_written_as_message_events_write_it() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_779_501_600_999);
        assert_eq!(
            Timestamp::from(time).to_string(),
            "2026-05-23T10:00:00+08:00"
        );
    }

    #[test]
    fn what_messages_carry_needs_no_text() {
        let time: Timestamp = "2026-05-23T10:00:00+08:00".parse().unwrap();
        assert!(matches!(time.0, Form::Beijing { .. }));
        for text in [
            "2026-05-23T10:00:00+09:00",
            "2026-05-23t10:00:00+08:00",
            "2026-05-23T10:00:60+08:00",
            "2026-05-23T10:00:00.0Z",
        ] {
            let time: Timestamp = text.parse().unwrap();
            assert!(matches!(time.0, Form::DateTime { .. }), "{text}");
            assert_eq!(time.to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back(
            text in "\\PC*|[+-]?[0-9]{0,20}|[0-9]{4}-[0-9]{2}-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9][+-]08:00",
        ) {
            let json = serde_json::to_string(&text).unwrap();
            let time: Timestamp = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(serde_json::to_string(&time).unwrap(), json);
        }
    }
}
