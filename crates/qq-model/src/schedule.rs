//! Entries of schedule channels.

use std::time::Duration;

use crate::id::{ChannelId, ScheduleId};
use crate::request::{BodyError, RequestBody, not_blank};
use crate::timestamp::Timestamp;
use crate::user::Member;

/// How long an entry may last.
pub const MAX_DURATION: Duration = Duration::from_secs(7 * 24 * 60 * 60);

object! {
    /// An entry of a schedule channel. All numbers are texts on the wire.
    pub struct Schedule {
        /// Which entry; not in requests.
        pub id: Option<ScheduleId>,
        /// The title.
        pub name: Box<str>,
        /// The text.
        pub description: Option<Box<str>>,
        /// When it begins, milliseconds as text.
        pub start_timestamp: Timestamp,
        /// When it ends, milliseconds as text.
        pub end_timestamp: Timestamp,
        /// Who made it, without roles; not in requests.
        pub creator: Option<Member>,
        /// The channel that it leads to; `"0"` for none.
        pub jump_channel_id: Option<ChannelId>,
        /// When members are reminded.
        pub remind_type: RemindType,
    }

    /// The body of making or changing an entry.
    pub struct ScheduleBody {
        /// The entry, without its id.
        pub schedule: Schedule,
    }

    /// The query of a channel's entries.
    pub struct ListSchedules {
        /// Entries that end after this moment, milliseconds; those of today by default.
        pub since: Option<Timestamp>,
    }
}

open_enum! {
    /// When members are reminded; digits as text on the wire.
    pub enum RemindType: str {
        /// Never.
        None = "0",
        /// When it begins.
        OnTime = "1",
        /// 5 minutes before.
        Min5 = "2",
        /// 15 minutes before.
        Min15 = "3",
        /// 30 minutes before.
        Min30 = "4",
        /// 60 minutes before.
        Min60 = "5",
    }
}

impl Schedule {
    /// An entry of this title between two moments, without a reminder.
    #[must_use]
    pub fn new(name: impl Into<Box<str>>, start: &Timestamp, end: &Timestamp) -> Self {
        Self {
            name: name.into(),
            start_timestamp: start.to_millis_text(),
            end_timestamp: end.to_millis_text(),
            remind_type: RemindType::None,
            ..Self::default()
        }
    }

    /// Reminds members.
    #[must_use]
    pub fn remind(mut self, when: RemindType) -> Self {
        self.remind_type = when;
        self
    }
}

setters! { Schedule {
    /// The text.
    description: Box<str>,
    /// The channel that it leads to; no schedule channel.
    jump_channel_id: ChannelId,
}}

impl From<Schedule> for ScheduleBody {
    /// Takes out what requests do not have: the id and the creator.
    fn from(mut schedule: Schedule) -> Self {
        schedule.id = None;
        schedule.creator = None;
        Self {
            schedule,
            ..Self::default()
        }
    }
}

setters! { ListSchedules {
    /// Entries that end after this moment.
    since: Timestamp,
}}

impl RequestBody for ScheduleBody {
    fn validate(&self) -> Result<(), BodyError> {
        let schedule = &self.schedule;
        not_blank("schedule.name", &schedule.name)?;
        let moment = |field, time: &Timestamp| {
            time.unix_millis()
                .ok_or(BodyError::new(field, "is no point in time"))
        };
        let start = moment("schedule.start_timestamp", &schedule.start_timestamp)?;
        let end = moment("schedule.end_timestamp", &schedule.end_timestamp)?;
        if end < start {
            return Err(BodyError::new(
                "schedule.end_timestamp",
                "is before the start",
            ));
        }
        if u128::from(end.abs_diff(start)) > MAX_DURATION.as_millis() {
            return Err(BodyError::new(
                "schedule.end_timestamp",
                "is more than 7 days after the start",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(end: i64) -> ScheduleBody {
        let time = Timestamp::from_unix_seconds;
        ScheduleBody::from(Schedule::new("x", &time(1_779_501_600), &time(end)))
    }

    #[test]
    fn times_are_milliseconds_in_texts() {
        assert_eq!(
            json!(entry(1_779_501_601)),
            json!({"schedule": {"name": "x", "start_timestamp": "1779501600000", "end_timestamp": "1779501601000", "remind_type": "0"}})
        );
    }

    #[test]
    fn seven_days_are_the_most() {
        entry(1_779_501_600 + 604_800).validate().unwrap();
        for end in [1_779_501_600 + 604_801, 1_779_501_599] {
            assert_eq!(
                entry(end).validate().unwrap_err().field(),
                "schedule.end_timestamp"
            );
        }
    }
}
