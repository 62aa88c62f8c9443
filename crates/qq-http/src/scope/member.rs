//! One member of a guild, there and in a channel.

use qq_model::guild::RemoveMember;
use qq_model::id::{ChannelId, RoleId};
use qq_model::mute::Mute;
use qq_model::permission::{ChannelPermissions, ModifyChannelPermissions};
use qq_model::role::{AssignRole, default_role};
use qq_model::user::Member;

use super::at::At;
use crate::request::{self, Call};
use crate::route::Route;

/// One member of a guild: [`GuildScope::member`](crate::GuildScope::member).
#[derive(Clone, Debug)]
pub struct GuildMemberScope(pub(super) At);

impl GuildMemberScope {
    /// The member. The only call that tells the union id, with a grant.
    pub fn get(&self) -> Call<Member> {
        self.0.read(Route::GetGuildMember, |response| {
            request::having(response, "user", |member: &Member| member.user.is_none())
        })
    }

    /// Removes the member; administrators cannot be removed. Private-domain bots that are administrators only.
    pub fn remove(&self, how: &RemoveMember) -> Call<()> {
        self.0.put(Route::DeleteGuildMember, how)
    }

    /// Gives the member a role; for administrators of one channel see
    /// [`add_channel_admin`](Self::add_channel_admin).
    pub fn add_role(&self, role: impl Into<RoleId>) -> Call<()> {
        self.0.and(role.into()).act(Route::AddGuildMemberRole)
    }

    /// Takes a role from the member.
    pub fn remove_role(&self, role: impl Into<RoleId>) -> Call<()> {
        self.0.and(role.into()).act(Route::RemoveGuildMemberRole)
    }

    /// Makes the member an administrator of this channel.
    pub fn add_channel_admin(&self, channel: impl Into<ChannelId>) -> Call<()> {
        self.channel_admin().put(
            Route::AddGuildMemberRole,
            &AssignRole::in_channel(channel.into()),
        )
    }

    /// The member is administrator of this channel no longer.
    pub fn remove_channel_admin(&self, channel: impl Into<ChannelId>) -> Call<()> {
        self.channel_admin().put(
            Route::RemoveGuildMemberRole,
            &AssignRole::in_channel(channel.into()),
        )
    }

    /// Mutes the member, or lifts it.
    pub fn mute(&self, mute: &Mute) -> Call<()> {
        self.0.put(Route::MuteGuildMember, mute)
    }

    fn channel_admin(&self) -> At {
        self.0.and(default_role::channel_admin())
    }
}

/// One member in a channel: [`ChannelScope::member`](crate::ChannelScope::member).
#[derive(Clone, Debug)]
pub struct ChannelMemberScope(pub(super) At);

impl ChannelMemberScope {
    /// What the member may do there.
    pub fn permissions(&self) -> Call<ChannelPermissions> {
        self.0.get(Route::GetChannelUserPermissions)
    }

    /// Changes what the member may do there.
    pub fn modify_permissions(&self, permissions: &ModifyChannelPermissions) -> Call<()> {
        self.0.put(Route::PutChannelUserPermissions, permissions)
    }
}
