//! The people, groups and guilds that the emulator pretends exist.

mod default;
pub(crate) mod events;
pub(crate) mod messages;

use serde::Serialize;

/// Everything that exists before anybody says a word.
///
/// [`World::default`] has one bot, three users (mia, leo, ana), one group and one guild with two
/// text channels; the bot is a member everywhere, and everybody is its friend.
#[derive(Debug, Clone, Serialize)]
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
}

/// A bot.
#[derive(Debug, Clone, Serialize)]
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
#[derive(Debug, Clone, Serialize)]
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
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Group {
    /// The openid, which is what the API calls the group by.
    pub id: String,
    /// The name.
    pub name: String,
    /// Its members.
    pub members: Vec<GroupMember>,
}

/// A user in a group.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct GroupMember {
    /// The user's openid.
    pub openid: String,
    /// `owner`, `admin` or `member`.
    pub role: String,
}

/// A guild.
#[derive(Debug, Clone, Serialize)]
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
}

/// A channel of a guild.
#[derive(Debug, Clone, Serialize)]
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
}

/// A user in a guild.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct GuildMember {
    /// The user's id.
    pub user_id: String,
    /// Role ids: `1` everybody, `4` owner.
    pub roles: Vec<String>,
    /// When, RFC 3339.
    pub joined_at: String,
}

/// A direct conversation of a guild user with the bots.
#[derive(Debug, Clone, Serialize)]
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

impl Guild {
    /// The membership of a user.
    pub(crate) fn member(&self, user_id: &str) -> Option<&GuildMember> {
        self.members.iter().find(|member| member.user_id == user_id)
    }
}
