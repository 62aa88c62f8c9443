//! Points in time in four bytes.

use std::time::{Duration, SystemTime};

use qq_model::Timestamp;

/// A time in one of the two forms in which the platform says when a member joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// An RFC 3339 text of whole seconds at `+08:00`.
    Text,
    /// Seconds since 1970.
    Seconds,
}

/// Seconds since 1970 and the form, if [`unpack`] gives exactly this time back.
pub(super) fn pack(time: &Timestamp) -> Option<(Form, u32)> {
    let seconds = u32::try_from(time.unix_seconds()?).ok()?;
    [Form::Seconds, Form::Text]
        .into_iter()
        .find(|form| unpack(*form, seconds) == *time)
        .map(|form| (form, seconds))
}

pub(super) fn unpack(form: Form, seconds: u32) -> Timestamp {
    match form {
        Form::Text => {
            Timestamp::from(SystemTime::UNIX_EPOCH + Duration::from_secs(u64::from(seconds)))
        }
        Form::Seconds => Timestamp::from_unix_seconds(i64::from(seconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_two_forms_are_packed() {
        let packs = |json: &str| pack(&serde_json::from_str(json).unwrap());
        assert_eq!(
            packs("\"2026-05-23T10:00:00+08:00\""),
            Some((Form::Text, 1_779_501_600))
        );
        assert_eq!(packs("1779501600"), Some((Form::Seconds, 1_779_501_600)));
        for other in [
            "\"2026-05-23T10:00:00Z\"",
            "\"2026-05-23T10:00:00.5+08:00\"",
            "\"1779501600\"",
            "-1",
            "1779501600000",
            "\"x\"",
        ] {
            assert_eq!(packs(other), None, "{other}");
        }
    }
}
