//! Pinned messages of channels.

use crate::id::{ChannelId, GuildId, MessageId};

object! {
    /// The pinned messages of a channel.
    pub struct PinsMessage {
        /// The guild.
        pub guild_id: GuildId,
        /// The channel.
        pub channel_id: ChannelId,
        /// The messages.
        pub message_ids: Vec<MessageId>,
    }
}
