//! Members of groups.

use crate::id::{MemberOpenid, UnionOpenid};
use crate::message::MemberRole;
use crate::request::{BodyError, RequestBody, each, has_id, in_range, max_len, not_empty};
use crate::timestamp::Timestamp;

/// How many members one call may remove, ban, free or mute.
pub const MAX_MEMBERS_PER_CALL: usize = 20;

object! {
    /// A member of a group.
    pub struct GroupMember {
        /// Who.
        pub member_openid: MemberOpenid,
        /// The display name.
        pub username: Option<Box<str>>,
        /// The role.
        pub member_role: MemberRole,
        /// Whether it is a bot.
        pub bot: Option<bool>,
        /// Since when.
        pub joined_at: Option<Timestamp>,
        /// The id across bots of one owner.
        pub union_openid: Option<UnionOpenid>,
    }

    /// A page of members.
    pub struct GroupMemberList {
        /// At most 30.
        pub members: Vec<GroupMember>,
        /// What the next page takes; empty at the end.
        pub next_cursor: Option<Box<str>>,
    }

    /// The query of a group's members.
    pub struct ListGroupMembers {
        /// `next_cursor` of the previous page.
        pub cursor: Option<Box<str>>,
    }

    /// The body of the older list of members.
    pub struct ListGroupMembersLegacy {
        /// How many, 1 to 500.
        pub limit: Option<u32>,
        /// 0 at first, then `next_index` of the previous page.
        pub start_index: Option<u32>,
    }

    /// A page of the older list.
    pub struct LegacyGroupMemberList {
        /// The members.
        pub members: Vec<LegacyGroupMember>,
        /// What the next page takes.
        pub next_index: Option<u64>,
    }

    /// A member in the older list.
    pub struct LegacyGroupMember {
        /// Who.
        pub member_openid: MemberOpenid,
        /// Since when.
        pub join_timestamp: Option<Timestamp>,
    }

    /// The body of removing members, at most [`MAX_MEMBERS_PER_CALL`].
    pub struct BatchRemoveMembers {
        /// Whom.
        pub member_openids: Vec<MemberOpenid>,
        /// Whether to ban them as well; not by default.
        pub add_to_member_blacklist: Option<bool>,
    }

    /// What came of removing members.
    pub struct BatchRemoveResult {
        /// `success` when it worked.
        pub remove_members_result: Box<str>,
        /// Who could not be banned.
        pub add_to_member_blacklist_fail_openids: Vec<MemberOpenid>,
    }
}

open_enum! {
    /// What to do with the entries of a list.
    pub enum ListOp: str {
        /// Add them.
        Add = "add",
        /// Take them out.
        Del = "del",
    }
}

setters! { ListGroupMembers {
    /// Goes on where the previous page ended.
    cursor: Box<str>,
}}

setters! { ListGroupMembersLegacy {
    /// How many, 1 to 500.
    limit: u32,
    /// Goes on where the previous page ended.
    start_index: u32,
}}

impl BatchRemoveMembers {
    /// Removes these members.
    #[must_use]
    pub fn new(members: impl IntoIterator<Item = impl Into<MemberOpenid>>) -> Self {
        Self {
            member_openids: members.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }
}

setters! { BatchRemoveMembers {
    /// Bans them as well.
    add_to_member_blacklist: bool,
}}

/// A list of members that a call takes.
pub(super) fn check_members(
    field: &'static str,
    members: &[MemberOpenid],
) -> Result<(), BodyError> {
    not_empty(field, members)?;
    max_len(field, members, MAX_MEMBERS_PER_CALL)?;
    each(members, |member| has_id(field, member))
}

impl RequestBody for BatchRemoveMembers {
    fn validate(&self) -> Result<(), BodyError> {
        check_members("member_openids", &self.member_openids)
    }
}

impl RequestBody for ListGroupMembersLegacy {
    fn validate(&self) -> Result<(), BodyError> {
        self.limit
            .map_or(Ok(()), |limit| in_range("limit", limit.into(), 1, 500))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_members_are_the_most_of_one_call() {
        let body = |n: usize| BatchRemoveMembers::new((0..n).map(|i| format!("M{i}")));
        body(20).validate().unwrap();
        assert_eq!(body(21).validate().unwrap_err().limit(), Some(20));
        assert!(body(0).validate().is_err());
        assert_eq!(
            BatchRemoveMembers::new(["A", ""])
                .validate()
                .unwrap_err()
                .index(),
            Some(1)
        );
    }
}
