//! Who may speak in a group.

use super::MAX_MEMBERS_PER_CALL;
use crate::id::{MemberOpenid, UnionOpenid};
use crate::request::{BodyError, RequestBody, each, has_id, max_len, not_empty};
use crate::timestamp::Timestamp;

object! {
    /// Who is muted.
    pub struct RestrictChatSetting {
        /// The rule for the whole group; cannot be changed through the interface.
        pub global_rule: Option<Box<GlobalMuteRule>>,
        /// The muted members; those whose time is over are left out.
        pub members: Vec<MemberMuteState>,
    }

    /// The rule for the whole group.
    pub struct GlobalMuteRule {
        /// Off, on, or by the clock.
        pub mode: GroupMuteMode,
        /// Times that come once.
        pub schedule_rules: Vec<MuteScheduleRule>,
        /// Times that come every week.
        pub recurring_rules: Vec<MuteRecurringRule>,
    }

    /// A time that comes once.
    pub struct MuteScheduleRule {
        /// Which rule.
        pub task_id: Box<str>,
        /// From.
        pub start_at: Timestamp,
        /// To.
        pub end_at: Timestamp,
        /// Whether it is switched on.
        pub enabled: bool,
    }

    /// A time that comes every week.
    pub struct MuteRecurringRule {
        /// Which rule.
        pub task_id: Box<str>,
        /// The days, 1 Monday to 7 Sunday.
        pub weekdays: Vec<u32>,
        /// From, `HH:mm` in Beijing.
        pub start_time: Box<str>,
        /// To, `HH:mm` in Beijing; of the next day when it is before `start_time`.
        pub end_time: Box<str>,
        /// Whether it is switched on.
        pub enabled: bool,
    }

    /// A muted member.
    pub struct MemberMuteState {
        /// Who.
        pub member_openid: MemberOpenid,
        /// Until when.
        pub mute_expire_at: Timestamp,
        /// The display name.
        pub username: Option<Box<str>>,
        /// The id across bots of one owner.
        pub union_openid: Option<UnionOpenid>,
    }

    /// The body of muting members or lifting it. At most 30 days; the owner, administrators and bots cannot be
    /// muted.
    pub struct SetRestrictChat {
        /// The changes, at most [`MAX_MEMBERS_PER_CALL`].
        pub members: Vec<SetMemberMuteState>,
    }

    /// A change of one member. Made by [`SetMemberMuteState::mute`] and its siblings.
    pub struct SetMemberMuteState {
        /// What to do.
        pub(crate) op: MuteOp,
        /// With whom.
        pub(crate) member_openid: MemberOpenid,
        /// Until when; absent when a mute is lifted.
        pub(crate) mute_expire_at: Option<Timestamp>,
    }
}

open_enum! {
    /// Whether the whole group is muted.
    pub enum GroupMuteMode: str {
        /// It is not.
        None = "none",
        /// It is.
        Always = "always",
        /// At certain times.
        Schedule = "schedule",
    }

    /// What to do with a mute.
    pub enum MuteOp: str {
        /// Mute.
        Add = "add",
        /// Change until when.
        Update = "update",
        /// Lift it.
        Del = "del",
    }
}

impl SetMemberMuteState {
    /// Mutes this member.
    #[must_use]
    pub fn mute(member: impl Into<MemberOpenid>, until: Timestamp) -> Self {
        Self::new(MuteOp::Add, member.into(), Some(until))
    }

    /// Changes until when this member is muted.
    #[must_use]
    pub fn update(member: impl Into<MemberOpenid>, until: Timestamp) -> Self {
        Self::new(MuteOp::Update, member.into(), Some(until))
    }

    /// Lets this member speak again.
    #[must_use]
    pub fn lift(member: impl Into<MemberOpenid>) -> Self {
        Self::new(MuteOp::Del, member.into(), None)
    }

    fn new(op: MuteOp, member_openid: MemberOpenid, mute_expire_at: Option<Timestamp>) -> Self {
        Self {
            op,
            member_openid,
            mute_expire_at,
            ..Self::default()
        }
    }
}

impl FromIterator<SetMemberMuteState> for SetRestrictChat {
    fn from_iter<I: IntoIterator<Item = SetMemberMuteState>>(changes: I) -> Self {
        Self {
            members: changes.into_iter().collect(),
            ..Self::default()
        }
    }
}

impl RequestBody for SetRestrictChat {
    fn validate(&self) -> Result<(), BodyError> {
        not_empty("members", &self.members)?;
        max_len("members", &self.members, MAX_MEMBERS_PER_CALL)?;
        each(&self.members, |change| {
            has_id("members.member_openid", &change.member_openid)?;
            let until = change.mute_expire_at.as_ref();
            if change.op != MuteOp::Del && until.and_then(Timestamp::unix_millis).is_none() {
                return Err(BodyError::new(
                    "members.mute_expire_at",
                    "is no point in time",
                ));
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mute_needs_an_end_and_lifting_it_none() {
        let body = |change| SetRestrictChat::from_iter([change]);
        body(SetMemberMuteState::lift("M")).validate().unwrap();
        let endless = body(SetMemberMuteState::mute("M", Timestamp::default()));
        assert_eq!(
            endless.validate().unwrap_err().field(),
            "members.mute_expire_at"
        );
    }
}
