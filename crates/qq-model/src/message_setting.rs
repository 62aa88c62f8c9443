//! How often a bot may speak in a guild.

use crate::id::{ChannelId, GuildId};
use crate::request::{BodyError, RequestBody, has_id, not_blank};

object! {
    /// What a guild's owner allows the bot to send unasked.
    pub struct MessageSetting {
        /// Whether the bot may not open direct conversations.
        pub disable_create_dm: bool,
        /// Whether the bot may not send unasked.
        pub disable_push_msg: bool,
        /// The channels it may send to.
        pub channel_ids: Vec<ChannelId>,
        /// How many messages per channel and day.
        pub channel_push_max_num: u32,
    }

    /// The body of posting a card that leads administrators to these settings. Undocumented; official SDKs
    /// have it.
    pub struct PostSettingGuide {
        /// The text above the card; may mention users.
        pub content: Box<str>,
    }

    /// The body of posting that card into a direct conversation. Undocumented; official SDKs have it.
    pub struct PostDirectSettingGuide {
        /// What the card opens.
        pub setting_guide: SettingGuide,
    }

    /// What a settings card opens.
    pub struct SettingGuide {
        /// The guild whose settings it opens.
        pub guild_id: GuildId,
    }
}

impl PostSettingGuide {
    /// A card below this text.
    #[must_use]
    pub fn new(content: impl Into<Box<str>>) -> Self {
        Self {
            content: content.into(),
            ..Self::default()
        }
    }
}

impl PostDirectSettingGuide {
    /// A card for the settings of this guild.
    #[must_use]
    pub fn new(guild: impl Into<GuildId>) -> Self {
        let setting_guide = SettingGuide {
            guild_id: guild.into(),
            ..SettingGuide::default()
        };
        Self {
            setting_guide,
            ..Self::default()
        }
    }
}

impl RequestBody for PostSettingGuide {
    fn validate(&self) -> Result<(), BodyError> {
        not_blank("content", &self.content)
    }
}

impl RequestBody for PostDirectSettingGuide {
    fn validate(&self) -> Result<(), BodyError> {
        has_id("setting_guide.guild_id", &self.setting_guide.guild_id)
    }
}
