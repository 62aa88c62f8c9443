//! Guild direct messages: opening the conversation.

use crate::id::{ChannelId, GuildId, UserId};
use crate::request::{BodyError, RequestBody, has_id};
use crate::timestamp::Timestamp;

object! {
    /// A direct conversation with a member of a guild.
    pub struct DirectMessageSession {
        /// The guild of the conversation, which sending takes; not the guild it was opened from.
        pub guild_id: GuildId,
        /// The channel of the conversation.
        pub channel_id: ChannelId,
        /// When it was opened; seconds as text.
        pub create_time: Option<Timestamp>,
    }

    /// The body of opening a direct conversation.
    pub struct CreateDirectMessageSession {
        /// With whom.
        pub recipient_id: UserId,
        /// A guild that the bot and the member share.
        pub source_guild_id: GuildId,
    }
}

impl CreateDirectMessageSession {
    /// A conversation with this member of this guild.
    #[must_use]
    pub fn new(recipient: impl Into<UserId>, source_guild: impl Into<GuildId>) -> Self {
        Self {
            recipient_id: recipient.into(),
            source_guild_id: source_guild.into(),
            ..Self::default()
        }
    }
}

impl RequestBody for CreateDirectMessageSession {
    fn validate(&self) -> Result<(), BodyError> {
        has_id("recipient_id", &self.recipient_id)?;
        has_id("source_guild_id", &self.source_guild_id)
    }
}
