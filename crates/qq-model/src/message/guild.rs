//! Messages of guild channels and guild direct messages.

use std::borrow::Cow;
use std::ops::{Deref, DerefMut};

use serde::de::MapAccess;
use serde::{Deserialize, Deserializer, Serialize};

use super::text::{unescape, without_leading_mentions};
use super::{
    Conversation, MessageArk, MessageAttachment, MessageEmbed, MessageReference, MessageScene,
};
use crate::id::{ChannelId, GuildId, MessageId, UserId};
use crate::timestamp::Timestamp;
use crate::user::{Member, User};
use crate::wire::{Payload, Present, require_object};

object! {
    /// A message of a guild channel.
    pub struct Message {
        /// Which message.
        pub id: MessageId,
        /// The channel.
        pub channel_id: ChannelId,
        /// The guild; for direct messages the guild of the conversation.
        pub guild_id: GuildId,
        /// The text as sent, entities escaped; see [`text`](Self::text).
        pub content: Box<str>,
        /// When it was sent.
        pub timestamp: Option<Timestamp>,
        /// When it was edited.
        pub edited_timestamp: Option<Timestamp>,
        /// Whether it mentions everyone.
        pub mention_everyone: Option<bool>,
        /// The sender.
        pub author: User,
        /// The sender's membership, without the user.
        pub member: Option<Member>,
        /// Media.
        pub attachments: Vec<MessageAttachment>,
        /// Embed cards.
        pub embeds: Vec<MessageEmbed>,
        /// The mentioned users.
        pub mentions: Vec<User>,
        /// A template card.
        pub ark: Option<Box<MessageArk>>,
        /// Order inside the channel, retired.
        pub seq: Option<u64>,
        /// Order inside the channel.
        pub seq_in_channel: Option<Box<str>>,
        /// The quoted message.
        pub message_reference: Option<Box<MessageReference>>,
        /// Whether this is a direct message.
        pub direct_message: Option<bool>,
        /// The guild that a direct message was opened from.
        pub src_guild_id: Option<GuildId>,
        /// In answers to sends only.
        pub tts: Option<bool>,
        /// In answers to sends only.
        pub pinned: Option<bool>,
        /// In answers to sends only.
        pub kind: Option<i64> = "type",
        /// In answers to sends only.
        pub flags: Option<i64>,
        /// Known from the Go SDK only.
        pub group_id: Option<Box<str>>,
        /// Context.
        pub message_scene: Option<Box<MessageScene>>,
        /// Known from the Go SDK only.
        pub file_info: Option<Box<str>>,
        /// Known from the Go SDK only.
        pub ttl: Option<u64>,
        ; addressed: bool,
    }
}

impl Message {
    /// What the sender meant: entities turned back, mentions of bots at the start and white space around
    /// removed. [`content`](Self::content) keeps the raw text.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        let is_bot = |id: &str| self.mentions.iter().any(|user| user.bot && user.id == id);
        unescape(without_leading_mentions(&self.content, is_bot))
    }

    /// Who sent it.
    #[must_use]
    pub const fn author_id(&self) -> &UserId {
        &self.author.id
    }

    /// Whether a bot sent it.
    #[must_use]
    pub const fn is_from_bot(&self) -> bool {
        self.author.bot
    }

    /// The chat it was sent in.
    #[must_use]
    pub fn conversation(&self) -> Conversation {
        if self.direct_message == Some(true) {
            Conversation::Direct(self.guild_id.clone())
        } else {
            Conversation::Channel(self.channel_id.clone())
        }
    }
}

/// A guild direct message: a [`Message`] whose answers go to the direct-message guild.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DirectMessage(pub Message);

impl DirectMessage {
    /// The chat it was sent in.
    #[must_use]
    pub fn conversation(&self) -> Conversation {
        Conversation::Direct(self.guild_id.clone())
    }
}

impl<'de> Present<'de> for DirectMessage {
    fn fill<A: MapAccess<'de>>(&mut self, map: A) -> Result<(), A::Error> {
        self.0.fill(map)
    }
}

impl<'de> Payload<'de> for DirectMessage {
    fn read_payload<D: Deserializer<'de>>(deserializer: D) -> Result<Box<Self>, D::Error> {
        require_object::<Self, _, D>(deserializer)
    }
}

impl Deref for DirectMessage {
    type Target = Message;

    fn deref(&self) -> &Message {
        &self.0
    }
}

impl DerefMut for DirectMessage {
    fn deref_mut(&mut self) -> &mut Message {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_what_the_person_typed() {
        let message: Message = serde_json::from_str(
            r#"{"content":"<@!149> /cmd  &lt;b&gt; &amp;amp;","mentions":[{"id":"149","bot":true},{"id":"7"}]}"#,
        )
        .unwrap();
        assert_eq!(message.text(), "/cmd  <b> &amp;");
    }

    #[test]
    fn people_who_are_mentioned_stay_in_the_text() {
        let message: Message = serde_json::from_str(
            r#"{"content":"<@!7> hello","mentions":[{"id":"7","bot":false}]}"#,
        )
        .unwrap();
        assert_eq!(message.text(), "<@!7> hello");
    }

    #[test]
    fn a_direct_message_is_answered_in_its_own_guild() {
        let message: DirectMessage =
            serde_json::from_str(r#"{"guild_id":"1","channel_id":"2"}"#).unwrap();
        assert_eq!(message.conversation(), Conversation::Direct("1".into()));
    }
}
