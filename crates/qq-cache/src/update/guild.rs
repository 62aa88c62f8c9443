//! What happens to guilds and their members.

use qq_model::guild::{Guild, GuildMemberEvent};
use qq_model::user::Member;

use super::{Change, Changes};
use crate::Cache;

impl Cache {
    pub(super) fn on_guild(&self, guild: &Guild, changes: &mut Changes) {
        changes.push(self.merge_guild(guild).map(Change::Guild));
        for channel in &guild.channels {
            let changed = if channel.guild_id.is_empty() {
                let mut channel = channel.clone();
                channel.guild_id = guild.id.clone();
                self.merge_channel(&channel)
            } else {
                self.merge_channel(channel)
            };
            changes.push(changed.map(Change::Channel));
        }
    }

    pub(super) fn on_guild_member(&self, event: &GuildMemberEvent, changes: &mut Changes) {
        let mut member = Member::default();
        member.nick.clone_from(&event.nick);
        member.roles.clone_from(&event.roles);
        member.joined_at.clone_from(&event.joined_at);
        let changed = self.merge_member(&event.guild_id, &event.user, Some(&member));
        changes.push(changed.map(|member| Change::Member {
            guild: event.guild_id.clone(),
            member,
        }));
    }

    pub(super) fn on_guild_member_remove(&self, event: &GuildMemberEvent, changes: &mut Changes) {
        let removed = self.remove_member(&event.guild_id, &event.user.id);
        changes.push(removed.map(|member| Change::Member {
            guild: event.guild_id.clone(),
            member,
        }));
    }
}
