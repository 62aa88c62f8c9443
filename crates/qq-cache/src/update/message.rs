//! What messages tell of their senders and of those whom they mention.

use qq_model::id::{GroupOpenid, MemberOpenid};
use qq_model::message::{C2CMessage, Conversation, DirectMessage, GroupMessage, Message};

use super::{Change, Changes};
use crate::Cache;
use crate::kinds::UserNews;
use crate::packed::MemberNews;

impl Cache {
    pub(super) fn on_channel_message(&self, message: &Message, changes: &mut Changes) {
        let changed =
            self.merge_member(&message.guild_id, &message.author, message.member.as_ref());
        changes.push(changed.map(|member| Change::Member {
            guild: message.guild_id.clone(),
            member,
        }));
    }

    /// A direct message has a guild of its own; the sender is a member of the guild it was opened from.
    pub(super) fn on_direct_message(&self, message: &DirectMessage, changes: &mut Changes) {
        let Some(guild) = &message.src_guild_id else {
            return;
        };
        let changed = self.merge_member(guild, &message.author, message.member.as_ref());
        changes.push(changed.map(|member| Change::Member {
            guild: guild.clone(),
            member,
        }));
    }

    pub(super) fn on_group_message(&self, message: &GroupMessage, changes: &mut Changes) {
        let Conversation::Group(group) = message.conversation() else {
            return;
        };
        changes.push(self.see_group(&group).map(Change::Group));
        let author = &message.author;
        let news = MemberNews {
            username: not_empty(author.username.as_deref()),
            role: author.member_role.as_ref(),
            bot: Some(author.bot),
            joined_at: None,
            union_openid: author.union_openid.as_ref().filter(|id| !id.is_empty()),
        };
        self.see_group_member(&group, &message.author_id(), &news, changes);
        for mention in &message.mentions {
            let Some(member) = &mention.member_openid else {
                continue;
            };
            let name = mention.username.as_deref().or(mention.nickname.as_deref());
            let news = MemberNews {
                username: not_empty(name),
                role: mention.member_role.as_ref(),
                bot: Some(mention.bot),
                joined_at: None,
                union_openid: mention.union_openid.as_ref().filter(|id| !id.is_empty()),
            };
            self.see_group_member(&group, member, &news, changes);
        }
    }

    pub(super) fn on_c2c_message(&self, message: &C2CMessage, changes: &mut Changes) {
        let author = &message.author;
        let news = UserNews {
            username: not_empty(author.username.as_deref()),
            union_openid: author.union_openid.as_ref().filter(|id| !id.is_empty()),
            allow_proactive_msg: None,
        };
        let changed = self.merge_user(&message.author_id(), &news);
        changes.push(changed.map(Change::User));
    }

    fn see_group_member(
        &self,
        group: &GroupOpenid,
        member: &MemberOpenid,
        news: &MemberNews<'_>,
        changes: &mut Changes,
    ) {
        let changed = self.merge_group_member(group, member, news);
        changes.push(changed.map(|member| Change::GroupMember {
            group: group.clone(),
            member,
        }));
    }
}

fn not_empty(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}
