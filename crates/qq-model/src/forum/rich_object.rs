//! The list form of forum contents, as events print it.

use crate::id::{ChannelId, GuildId, RoleId, UserId};

object! {
    /// A piece of a forum text in events.
    pub struct RichObject {
        /// What kind.
        pub kind: RichType = "type",
        /// A text.
        pub text_info: Option<TextInfo>,
        /// A mention.
        pub at_info: Option<Box<AtInfo>>,
        /// A link.
        pub url_info: Option<UrlInfo>,
        /// An emoji.
        pub emoji_info: Option<Box<ForumEmojiInfo>>,
        /// A channel.
        pub channel_info: Option<AtChannel>,
    }

    /// A text.
    pub struct TextInfo {
        /// The text.
        pub text: Box<str>,
    }

    /// A link.
    pub struct UrlInfo {
        /// Where it leads.
        pub url: Box<str>,
        /// What it says.
        pub display_text: Option<Box<str>>,
    }

    /// A channel.
    pub struct AtChannel {
        /// Which channel; a number on the wire.
        pub channel_id: ChannelId,
        /// Its name.
        pub channel_name: Option<Box<str>>,
    }

    /// A mention.
    pub struct AtInfo {
        /// Whom or what.
        pub kind: AtType = "type",
        /// A user.
        pub user_info: Option<AtUser>,
        /// A role.
        pub role_info: Option<AtRole>,
        /// Everybody.
        pub guild_info: Option<AtGuild>,
    }

    /// A mentioned user.
    pub struct AtUser {
        /// Who.
        pub id: UserId,
        /// The name.
        pub nick: Option<Box<str>>,
    }

    /// A mentioned role.
    pub struct AtRole {
        /// Which role; a number on the wire.
        pub role_id: RoleId,
        /// Its name.
        pub name: Option<Box<str>>,
        /// Its colour, ARGB.
        pub color: Option<u32>,
    }

    /// A mentioned guild.
    pub struct AtGuild {
        /// Which guild.
        pub guild_id: GuildId,
        /// Its name.
        pub guild_name: Option<Box<str>>,
    }

    /// An emoji. Its id is a number and its kind a text, the other way round than in
    /// [`Emoji`](crate::reaction::Emoji).
    pub struct ForumEmojiInfo {
        /// The number of the emoji.
        pub id: Box<str>,
        /// What kind; digits as text.
        pub kind: Box<str> = "type",
        /// Its name.
        pub name: Option<Box<str>>,
        /// Its picture.
        pub url: Option<Box<str>>,
    }
}

open_enum! {
    /// The kinds of pieces.
    pub enum RichType: i64 {
        /// A text.
        Text = 1,
        /// A mention.
        At = 2,
        /// A link.
        Url = 3,
        /// An emoji.
        Emoji = 4,
        /// A channel.
        Channel = 5,
        /// A video.
        Video = 10,
        /// A picture.
        Image = 11,
    }

    /// The kinds of mentions.
    pub enum AtType: i64 {
        /// A user.
        User = 1,
        /// A role.
        Role = 2,
        /// Everybody.
        Guild = 3,
    }
}

impl RichObject {
    /// What it says as plain text: texts, names, link names.
    #[must_use]
    pub fn plain_text(&self) -> &str {
        if let Some(text) = &self.text_info {
            return &text.text;
        }
        if let Some(url) = &self.url_info {
            return url.display_text.as_deref().unwrap_or(&url.url);
        }
        if let Some(at) = &self.at_info {
            let name = at.user_info.as_ref().and_then(|user| user.nick.as_deref());
            let name = name.or_else(|| at.role_info.as_ref()?.name.as_deref());
            return name
                .or_else(|| at.guild_info.as_ref()?.guild_name.as_deref())
                .unwrap_or_default();
        }
        let name = self
            .emoji_info
            .as_ref()
            .and_then(|emoji| emoji.name.as_deref());
        name.or_else(|| self.channel_info.as_ref()?.channel_name.as_deref())
            .unwrap_or_default()
    }
}
