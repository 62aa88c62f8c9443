//! One QQ group: itself, its members, who wants to join and who must not.

use qq_model::group::{
    BatchRemoveMembers, BatchRemoveResult, BlacklistPage, BlacklistResult, BlacklistUser,
    GroupBotState, GroupInfo, GroupMember, GroupMemberList, JoinRequest, JoinRequestList,
    LegacyGroupMemberList, ListBlacklist, ListGroupMembers, ListGroupMembersLegacy,
    ListJoinRequests, ModifyBlacklist, RestrictChatSetting, SetRestrictChat,
};
use qq_model::id::{MemberOpenid, MessageId};

use super::at::At;
use super::{GroupMemberScope, GroupScope};
use crate::error::Error;
use crate::request::{self, Call, Paged, Query, QueryCall};
use crate::response::Response;
use crate::route::Route;

impl GroupScope {
    /// The group itself.
    pub fn info(&self) -> Call<GroupInfo> {
        self.at().read(Route::GetGroupInfo, |response| {
            request::having(response, "group_openid", |info: &GroupInfo| {
                info.group_openid.is_empty()
            })
        })
    }

    /// The bot in this group.
    pub fn bot_state(&self) -> Call<GroupBotState> {
        self.at().read(Route::GetGroupBotState, |response| {
            request::having(response, "member_openid", |state: &GroupBotState| {
                state.member_openid.is_empty()
            })
        })
    }

    /// Its members, at most 30 per page.
    pub fn members(&self) -> QueryCall<ListGroupMembers> {
        self.at()
            .query(Route::ListGroupMembers, ListGroupMembers::default())
    }

    /// Its members, the older way. Legacy: see [`members`](Self::members).
    pub fn members_legacy(&self, query: &ListGroupMembersLegacy) -> Call<LegacyGroupMemberList> {
        self.at()
            .write(Route::ListGroupMembersLegacy, query, request::json)
    }

    /// One of its members, or somebody who wants to be.
    pub fn member(&self, member: impl Into<MemberOpenid>) -> GroupMemberScope {
        GroupMemberScope {
            group: self.at(),
            member: member.into(),
        }
    }

    /// Removes members, at most 20.
    pub fn remove_members(&self, members: &BatchRemoveMembers) -> Call<BatchRemoveResult> {
        self.at()
            .write(Route::BatchRemoveGroupMembers, members, request::json)
    }

    /// Who asks to join, 20 per page by default and at most 50.
    pub fn join_requests(&self) -> QueryCall<ListJoinRequests> {
        self.at()
            .query(Route::ListGroupJoinRequests, ListJoinRequests::default())
    }

    /// Who is banned, 20 per page by default and at most 100.
    pub fn blacklist(&self) -> QueryCall<ListBlacklist> {
        self.at()
            .query(Route::ListGroupMemberBlacklist, ListBlacklist::default())
    }

    /// Bans people who left, or frees them, at most 20. Answers for whom nothing changed.
    pub fn modify_blacklist(&self, change: &ModifyBlacklist) -> Call<BlacklistResult> {
        self.at()
            .write(Route::ModifyGroupMemberBlacklist, change, request::json)
    }

    /// Who is muted, and the rule for the whole group.
    pub fn mutes(&self) -> Call<RestrictChatSetting> {
        self.at().get(Route::GetGroupRestrictChatSetting)
    }

    /// Mutes members or lifts it, at most 20 at once and for at most 30 days; see also
    /// [`GroupMemberScope::mute`].
    pub fn set_mutes(&self, changes: &SetRestrictChat) -> Call<()> {
        self.at().put(Route::SetGroupRestrictChatSetting, changes)
    }

    /// A message in this group.
    pub fn message(&self, message: impl Into<MessageId>) -> GroupMessageScope {
        GroupMessageScope(self.at().and(message.into()))
    }
}

/// One message in a group: [`GroupScope::message`].
#[derive(Clone, Debug)]
pub struct GroupMessageScope(At);

impl GroupMessageScope {
    /// Recalls it: the bot's own within 2 minutes, and those of ordinary members if the bot is administrator.
    pub fn recall(&self) -> Call<()> {
        self.0.act(Route::DeleteGroupMessage)
    }
}

/// Lists of a group: pages with a cursor.
macro_rules! cursor_pages {
    ($($query:ident => $page:ident.$entries:ident: [$item:ident] by $key:ident, $largest:tt;)*) => {$(
        impl Query for $query {
            type Answer = $page;

            fn read(response: &Response) -> Result<$page, Error> {
                response.json()
            }
        }

        impl Paged for $query {
            type Item = $item;
            type Key = Box<str>;

            fn in_large_pages(self) -> Self {
                cursor_pages!(@largest self $largest)
            }

            fn following(&self, page: &$page) -> Option<Self> {
                let cursor = page.next_cursor.clone().filter(|cursor| !cursor.is_empty())?;
                Some(self.clone().cursor(cursor))
            }

            fn entries(page: $page) -> Vec<$item> {
                page.$entries
            }

            fn key(item: &$item) -> Option<Box<str>> {
                let key = item.$key.to_string();
                (!key.is_empty()).then(|| key.into())
            }
        }

        impl QueryCall<$query> {
            /// Goes on where the previous page ended.
            pub fn cursor(self, cursor: impl Into<Box<str>>) -> Self {
                self.map(|query| query.cursor(cursor))
            }

            cursor_pages!(@limit $largest);
        }
    )*};
    (@largest $query:ident none) => { $query };
    (@largest $query:ident $largest:literal) => {{
        let mut query = $query;
        query.limit.get_or_insert($largest);
        query
    }};
    (@limit none) => {};
    (@limit $largest:literal) => {
        #[doc = concat!("How many per page, at most ", stringify!($largest), ".")]
        pub fn limit(self, limit: u32) -> Self {
            self.map(|query| query.limit(limit))
        }
    };
}
pub(super) use cursor_pages;

cursor_pages! {
    ListGroupMembers => GroupMemberList.members: [GroupMember] by member_openid, none;
    ListJoinRequests => JoinRequestList.list: [JoinRequest] by join_request_id, 50;
    ListBlacklist => BlacklistPage.users: [BlacklistUser] by member_openid, 100;
}
