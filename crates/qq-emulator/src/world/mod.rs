//! The people, groups and guilds that the emulator pretends exist.

mod check;
mod default;
pub(crate) mod events;
pub(crate) mod file;
pub(crate) mod messages;
pub(crate) mod store;

use serde::{Deserialize, Serialize};

/// Everything that exists before anybody says a word.
///
/// [`World::default`] has one bot (robin), three users (mia, leo, ana), one group with somebody
/// who asks to join it, and two guilds that fall on different shards of two. The first guild has
/// the text channels general and workshop, a category, a voice, a schedule and a forum channel; the
/// bot administers everything, and everybody is its friend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct World {
    /// The bots.
    pub bots: Vec<Bot>,
    /// The users.
    pub users: Vec<User>,
    /// QQ groups.
    pub groups: Vec<Group>,
    /// Guilds with their channels.
    pub guilds: Vec<Guild>,
    /// The direct conversations of guild users with the bots.
    pub direct: Vec<Direct>,
    /// Groups that the bot was thrown out of.
    pub left_groups: Vec<Group>,
    /// Guilds that the bot was thrown out of.
    pub left_guilds: Vec<Guild>,
}

/// A bot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Bot {
    /// The app id, decimal digits.
    pub app_id: String,
    /// The app secret.
    pub secret: String,
    /// The bot's user id, decimal.
    pub id: String,
    /// The bot's openid in groups.
    pub openid: String,
    /// The name.
    pub name: String,
    /// Address of the picture.
    pub avatar: String,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct User {
    /// The id on the guild side, decimal.
    pub id: String,
    /// The openid in groups and C2C conversations.
    pub openid: String,
    /// The name.
    pub name: String,
    /// Address of the picture.
    pub avatar: String,
}

/// A QQ group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Group {
    /// The openid, which is what the API calls the group by.
    pub id: String,
    /// The name.
    pub name: String,
    /// Its members; the bot is one, too, but not in this list.
    pub members: Vec<GroupMember>,
    /// What the bot is in it: `owner`, `admin` or `member`.
    pub bot_role: String,
    /// Who asks to join it.
    pub join_requests: Vec<JoinRequest>,
}

/// A user in a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GroupMember {
    /// The user's openid.
    pub openid: String,
    /// `owner`, `admin` or `member`.
    pub role: String,
    /// When, RFC 3339.
    pub joined_at: String,
}

/// Somebody who asks to join a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct JoinRequest {
    /// The request's id.
    pub id: String,
    /// Who: on approval they become a user of the world.
    pub user: User,
    /// What they say.
    pub message: String,
    /// When, RFC 3339.
    pub at: String,
}

/// A guild.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Guild {
    /// The id, decimal.
    pub id: String,
    /// The name.
    pub name: String,
    /// The owner's user id.
    pub owner_id: String,
    /// When the bot joined, RFC 3339.
    pub joined_at: String,
    /// Its channels.
    pub channels: Vec<Channel>,
    /// Its members, by user id.
    pub members: Vec<GuildMember>,
    /// Its roles: `1` everybody, `2` administrators, `4` the owner, `5` channel administrators.
    pub roles: Vec<Role>,
}

/// A role of a guild.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Role {
    /// The id, decimal.
    pub id: String,
    /// The name.
    pub name: String,
    /// ARGB.
    pub color: u32,
    /// Whether its members are listed separately.
    pub hoist: bool,
    /// How many members it may have.
    pub member_limit: u32,
}

/// A channel of a guild.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Channel {
    /// The id, decimal.
    pub id: String,
    /// The guild's id.
    pub guild_id: String,
    /// The name.
    pub name: String,
    /// `ChannelType`: 0 for text.
    #[serde(rename = "type")]
    pub kind: u32,
    /// The place in the list, from 1.
    pub position: u32,
    /// `ChannelSubType`: 0 for chat.
    pub sub_type: u32,
    /// The category's id; `0` for none.
    pub parent_id: String,
    /// Who made it, by user id.
    pub owner_id: String,
    /// `PrivateType`: 0 for public.
    pub private_type: u32,
    /// `SpeakPermission`: 1 for everybody.
    pub speak_permission: u32,
    /// The application in an application channel; `0` for none.
    pub application_id: String,
    /// Who may see it, if it is private.
    pub private_user_ids: Vec<String>,
}

/// A user in a guild.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GuildMember {
    /// The user's id.
    pub user_id: String,
    /// Role ids, see [`Guild::roles`].
    pub roles: Vec<String>,
    /// When, RFC 3339.
    pub joined_at: String,
}

/// A direct conversation of a guild user with the bots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Direct {
    /// The conversation's own guild id, which is what the API calls it by.
    pub guild_id: String,
    /// The conversation's channel id.
    pub channel_id: String,
    /// The user's id.
    pub user_id: String,
    /// The guild from which it was opened.
    pub src_guild_id: String,
}

impl World {
    /// Whether the routes can work on it.
    ///
    /// # Errors
    /// The path of the first field that is wrong, and what is wrong with it.
    pub(crate) fn check(&self) -> Result<(), (String, String)> {
        check::check(self)
    }

    /// The user with this id, openid or name.
    pub(crate) fn user(&self, key: &str) -> Option<&User> {
        self.users
            .iter()
            .find(|user| user.id == key || user.openid == key || user.name == key)
    }

    /// The group with this openid or name.
    pub(crate) fn group(&self, key: &str) -> Option<&Group> {
        self.groups
            .iter()
            .find(|group| group.id == key || group.name == key)
    }

    /// The guild with this id.
    pub(crate) fn guild(&self, id: &str) -> Option<&Guild> {
        self.guilds.iter().find(|guild| guild.id == id)
    }

    /// Every channel of every guild.
    pub(crate) fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.guilds.iter().flat_map(|guild| &guild.channels)
    }

    /// The channel with this id.
    pub(crate) fn channel(&self, id: &str) -> Option<&Channel> {
        self.channels().find(|channel| channel.id == id)
    }

    /// The guild with this id, to be changed.
    pub(crate) fn guild_mut(&mut self, id: &str) -> Option<&mut Guild> {
        self.guilds.iter_mut().find(|guild| guild.id == id)
    }

    /// The channel with this id, to be changed.
    pub(crate) fn channel_mut(&mut self, id: &str) -> Option<&mut Channel> {
        self.guilds
            .iter_mut()
            .flat_map(|guild| &mut guild.channels)
            .find(|channel| channel.id == id)
    }

    /// The group with this openid, to be changed.
    pub(crate) fn group_mut(&mut self, id: &str) -> Option<&mut Group> {
        self.groups.iter_mut().find(|group| group.id == id)
    }

    /// The direct conversation with this guild id.
    pub(crate) fn direct(&self, guild_id: &str) -> Option<&Direct> {
        self.direct
            .iter()
            .find(|direct| direct.guild_id == guild_id)
    }

    /// The bot with this app id.
    pub(crate) fn bot(&self, app_id: &str) -> Option<&Bot> {
        self.bots.iter().find(|bot| bot.app_id == app_id)
    }
}

impl Channel {
    /// Text.
    pub(crate) const TEXT: u32 = 0;
    /// Voice.
    pub(crate) const VOICE: u32 = 2;
    /// A category of channels.
    pub(crate) const CATEGORY: u32 = 4;
    /// Live.
    pub(crate) const LIVE: u32 = 10_005;
    /// An application, such as a calendar.
    pub(crate) const APPLICATION: u32 = 10_006;
    /// A forum.
    pub(crate) const FORUM: u32 = 10_007;
    /// The calendar's application id.
    pub(crate) const CALENDAR: &str = "1000050";

    /// Whether it holds schedules.
    pub(crate) fn is_calendar(&self) -> bool {
        self.kind == Self::APPLICATION && self.application_id == Self::CALENDAR
    }
}

impl Guild {
    /// The role with this id.
    pub(crate) fn role(&self, id: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.id == id)
    }

    /// The membership of a user.
    pub(crate) fn member(&self, user_id: &str) -> Option<&GuildMember> {
        self.members.iter().find(|member| member.user_id == user_id)
    }
}
