//! Who is banned from a group.

use super::ListOp;
use super::member::check_members;
use crate::id::{MemberOpenid, UnionOpenid};
use crate::request::{BodyError, RequestBody};
use crate::timestamp::Timestamp;

object! {
    /// Somebody who is banned.
    pub struct BlacklistUser {
        /// The id across bots of one owner.
        pub union_openid: Option<UnionOpenid>,
        /// Who.
        pub member_openid: MemberOpenid,
        /// The display name.
        pub username: Option<Box<str>>,
        /// Since when.
        pub banned_at: Timestamp,
        /// Whether it is a bot.
        pub bot: Option<bool>,
    }

    /// A page of those who are banned.
    pub struct BlacklistPage {
        /// Who.
        pub users: Vec<BlacklistUser>,
        /// What the next page takes; empty at the end.
        pub next_cursor: Option<Box<str>>,
    }

    /// The query of those who are banned.
    pub struct ListBlacklist {
        /// `next_cursor` of the previous page.
        pub cursor: Option<Box<str>>,
        /// How many, at most 100, 20 by default.
        pub limit: Option<u32>,
    }

    /// The body of banning people, who must have left the group, or of freeing them.
    pub struct ModifyBlacklist {
        /// Ban or free.
        pub op: ListOp,
        /// Whom, at most [`MAX_MEMBERS_PER_CALL`](super::MAX_MEMBERS_PER_CALL).
        pub member_openids: Vec<MemberOpenid>,
    }

    /// What came of it.
    pub struct BlacklistResult {
        /// For whom nothing changed.
        pub fail_openids: Vec<MemberOpenid>,
    }
}

setters! { ListBlacklist {
    /// Goes on where the previous page ended.
    cursor: Box<str>,
    /// How many, at most 100.
    limit: u32,
}}

impl ModifyBlacklist {
    /// Bans or frees these people.
    #[must_use]
    pub fn new(op: ListOp, members: impl IntoIterator<Item = impl Into<MemberOpenid>>) -> Self {
        Self {
            op,
            member_openids: members.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }
}

impl RequestBody for ModifyBlacklist {
    fn validate(&self) -> Result<(), BodyError> {
        check_members("member_openids", &self.member_openids)
    }
}
