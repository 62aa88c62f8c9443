//! What happens to QQ groups, their members, and users of one-to-one chats.

use qq_model::friend::{FriendAddEvent, UserSwitchEvent};
use qq_model::group::{GroupMemberEvent, GroupRobotEvent};
use qq_model::message::MemberRole;

use super::{Change, Changes};
use crate::Cache;
use crate::kinds::UserNews;
use crate::packed::MemberNews;

impl Cache {
    pub(super) fn on_group_switch(
        &self,
        event: &GroupRobotEvent,
        allow: bool,
        changes: &mut Changes,
    ) {
        let changed = self.change_group(&event.group_openid, |group| {
            group.allow_proactive_msg = Some(allow);
        });
        changes.push(changed.map(Change::Group));
    }

    pub(super) fn on_group_member_add(&self, event: &GroupMemberEvent, changes: &mut Changes) {
        let news = MemberNews {
            // Nobody joins as an administrator.
            role: Some(&MemberRole::Member),
            joined_at: Some(&event.timestamp),
            ..MemberNews::default()
        };
        let changed = self.merge_group_member(&event.group_openid, &event.member_openid, &news);
        changes.push(changed.map(|member| Change::GroupMember {
            group: event.group_openid.clone(),
            member,
        }));
    }

    pub(super) fn on_group_member_remove(&self, event: &GroupMemberEvent, changes: &mut Changes) {
        let removed = self.remove_group_member(&event.group_openid, &event.member_openid);
        changes.push(removed.map(|member| Change::GroupMember {
            group: event.group_openid.clone(),
            member,
        }));
    }

    pub(super) fn on_friend_add(&self, event: &FriendAddEvent, changes: &mut Changes) {
        let news = UserNews {
            username: event.nick.as_deref().filter(|nick| !nick.is_empty()),
            union_openid: event
                .author
                .as_ref()
                .and_then(|author| author.union_openid.as_ref())
                .filter(|id| !id.is_empty()),
            allow_proactive_msg: None,
        };
        changes.push(self.merge_user(&event.openid, &news).map(Change::User));
    }

    pub(super) fn on_user_switch(
        &self,
        event: &UserSwitchEvent,
        allow: bool,
        changes: &mut Changes,
    ) {
        let news = UserNews {
            allow_proactive_msg: Some(allow),
            ..UserNews::default()
        };
        changes.push(self.merge_user(&event.openid, &news).map(Change::User));
    }
}
