//! One member of a group, or somebody who wants to be.

use qq_model::Timestamp;
use qq_model::group::{ApproveJoinRequest, GroupMember, SetMemberMuteState, SetRestrictChat};
use qq_model::id::MemberOpenid;

use super::at::At;
use crate::request::{self, Call};
use crate::route::Route;

/// One member of a group, or somebody who wants to be: [`GroupScope::member`](crate::GroupScope::member).
#[derive(Clone, Debug)]
pub struct GroupMemberScope {
    pub(super) group: At,
    pub(super) member: MemberOpenid,
}

impl GroupMemberScope {
    /// The member.
    pub fn get(&self) -> Call<GroupMember> {
        self.at().read(Route::GetGroupMember, |response| {
            request::having(response, "member_openid", |member: &GroupMember| {
                member.member_openid.is_empty()
            })
        })
    }

    /// Answers the request to join: [`ApproveJoinRequest::approve`] and its siblings.
    pub fn answer_join_request(&self, answer: &ApproveJoinRequest) -> Call<()> {
        self.at().put(Route::ApproveGroupJoinRequest, answer)
    }

    /// Mutes the member until this moment, at most 30 days from now. The owner, administrators and bots cannot be
    /// muted.
    pub fn mute(&self, until: Timestamp) -> Call<()> {
        self.set_mute(SetMemberMuteState::mute(&self.member, until))
    }

    /// Lets the member speak again.
    pub fn unmute(&self) -> Call<()> {
        self.set_mute(SetMemberMuteState::lift(&self.member))
    }

    fn set_mute(&self, change: SetMemberMuteState) -> Call<()> {
        let changes: SetRestrictChat = [change].into_iter().collect();
        self.group.put(Route::SetGroupRestrictChatSetting, &changes)
    }

    fn at(&self) -> At {
        self.group.and(&self.member)
    }
}
