//! Muting guilds and their members.

use std::time::Duration;

use crate::id::UserId;
use crate::request::{BodyError, RequestBody, not_empty};
use crate::timestamp::Timestamp;

object! {
    /// The body of muting a guild or one of its members. Made by [`Mute::until`], [`Mute::lasting`] or
    /// [`Mute::lift`], so that it never says two things.
    ///
    /// A guild's mute reaches everyone who is no administrator.
    pub struct Mute {
        /// When it ends, seconds since 1970 as text; wins over `mute_seconds`.
        pub(crate) mute_end_timestamp: Option<Box<str>>,
        /// How long it lasts, seconds as text.
        pub(crate) mute_seconds: Option<Box<str>>,
    }

    /// The body of muting several members of a guild at once.
    pub struct MuteMembers {
        /// When it ends, seconds since 1970 as text; wins over `mute_seconds`.
        pub(crate) mute_end_timestamp: Option<Box<str>>,
        /// How long it lasts, seconds as text.
        pub(crate) mute_seconds: Option<Box<str>>,
        /// Whom. Without it the whole guild would be muted.
        pub(crate) user_ids: Vec<UserId>,
    }

    /// Whom the platform really muted.
    pub struct MuteResult {
        /// Some or all of those asked for.
        pub user_ids: Vec<UserId>,
    }
}

impl Mute {
    /// Mutes until this moment; `None` when the timestamp is no point in time.
    #[must_use]
    pub fn until(end: &Timestamp) -> Option<Self> {
        Some(Self {
            mute_end_timestamp: Some(end.unix_seconds()?.to_string().into()),
            ..Self::default()
        })
    }

    /// Mutes for this long, in whole seconds, a part of a second counting as one.
    #[must_use]
    pub fn lasting(duration: Duration) -> Self {
        let seconds = duration
            .as_secs()
            .saturating_add(u64::from(duration.subsec_nanos() > 0));
        Self {
            mute_seconds: Some(seconds.to_string().into()),
            ..Self::default()
        }
    }

    /// Lifts a mute.
    #[must_use]
    pub fn lift() -> Self {
        Self::lasting(Duration::ZERO)
    }

    /// The same for several members of the guild.
    #[must_use]
    pub fn members(self, ids: impl IntoIterator<Item = impl Into<UserId>>) -> MuteMembers {
        MuteMembers {
            mute_end_timestamp: self.mute_end_timestamp,
            mute_seconds: self.mute_seconds,
            user_ids: ids.into_iter().map(Into::into).collect(),
            ..MuteMembers::default()
        }
    }
}

impl MuteMembers {
    /// Whom.
    #[must_use]
    pub fn user_ids(&self) -> &[UserId] {
        &self.user_ids
    }
}

impl RequestBody for Mute {
    fn validate(&self) -> Result<(), BodyError> {
        says_when(
            self.mute_end_timestamp.as_deref(),
            self.mute_seconds.as_deref(),
        )
    }
}

impl RequestBody for MuteMembers {
    fn validate(&self) -> Result<(), BodyError> {
        not_empty("user_ids", &self.user_ids)?;
        says_when(
            self.mute_end_timestamp.as_deref(),
            self.mute_seconds.as_deref(),
        )
    }
}

fn says_when(end: Option<&str>, seconds: Option<&str>) -> Result<(), BodyError> {
    if end.is_none() && seconds.is_none() {
        return Err(BodyError::new(
            "mute_end_timestamp or mute_seconds",
            "must be there",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_texts_and_zero_lifts() {
        assert_eq!(json!(Mute::lift()), json!({"mute_seconds": "0"}));
        assert_eq!(
            json!(Mute::lasting(Duration::from_millis(1500))),
            json!({"mute_seconds": "2"})
        );
        let end = "2026-05-23T10:00:00+08:00".parse().unwrap();
        assert_eq!(
            json!(Mute::until(&end).unwrap().members(["1"])),
            json!({"mute_end_timestamp": "1779501600", "user_ids": ["1"]})
        );
    }

    #[test]
    fn muting_nobody_is_not_muting_everybody() {
        let nobody = Mute::lift().members(Vec::<UserId>::new());
        assert_eq!(nobody.validate().unwrap_err().field(), "user_ids");
    }
}
