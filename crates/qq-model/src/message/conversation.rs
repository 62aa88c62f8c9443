//! Where a message was said.

use std::fmt;

use crate::id::{ChannelId, GroupOpenid, GuildId, UserOpenid};

/// The four kinds of chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scene {
    /// A channel of a guild.
    Channel,
    /// A direct message inside a guild.
    Direct,
    /// A QQ group.
    Group,
    /// A one-to-one chat.
    C2C,
}

impl Scene {
    /// A short lower-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Channel => "channel",
            Self::Direct => "direct",
            Self::Group => "group",
            Self::C2C => "c2c",
        }
    }
}

impl fmt::Display for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One chat: where a message came from, and where an answer goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Conversation {
    /// A channel of a guild.
    Channel(ChannelId),
    /// A direct message; the guild id is that of the conversation, not of the guild it was opened from.
    Direct(GuildId),
    /// A QQ group.
    Group(GroupOpenid),
    /// A one-to-one chat.
    C2C(UserOpenid),
}

impl Conversation {
    /// The kind of chat.
    #[must_use]
    pub const fn scene(&self) -> Scene {
        match self {
            Self::Channel(_) => Scene::Channel,
            Self::Direct(_) => Scene::Direct,
            Self::Group(_) => Scene::Group,
            Self::C2C(_) => Scene::C2C,
        }
    }
}

impl fmt::Display for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channel(id) => write!(f, "channel {id}"),
            Self::Direct(id) => write!(f, "direct {id}"),
            Self::Group(id) => write!(f, "group {id}"),
            Self::C2C(id) => write!(f, "c2c {id}"),
        }
    }
}
