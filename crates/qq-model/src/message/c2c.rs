//! Messages of one-to-one chats, and what group messages share with them.

use std::borrow::Cow;

use super::{ArkData, Attachment, Conversation, MemberRole, MessageScene};
use crate::id::{MemberOpenid, MessageId, PersonOpenid, UnionOpenid, UserOpenid};
use crate::timestamp::Timestamp;

object! {
    /// A message of a one-to-one chat.
    pub struct C2CMessage {
        /// Which message; what `msg_id` of a reply takes.
        pub id: MessageId,
        /// The sender.
        pub author: V2User,
        /// The text as sent.
        pub content: Box<str>,
        /// When it was sent.
        pub timestamp: Timestamp,
        /// What kind of message.
        pub message_type: Option<IncomingMessageType>,
        /// Context and indexes.
        pub message_scene: Option<Box<MessageScene>>,
        /// Media.
        pub attachments: Vec<Attachment>,
        /// A shared card ([`IncomingMessageType::Ark`]).
        pub ark_data: Option<Box<ArkData>>,
        /// The quoted message ([`IncomingMessageType::Quote`]) or the merged ones.
        pub msg_elements: Vec<MsgElement>,
    }

    /// A user of groups and one-to-one chats. Which ids are there depends on the scene.
    pub struct V2User {
        /// The same as the openid of the scene.
        pub id: Option<PersonOpenid>,
        /// In one-to-one chats.
        pub user_openid: Option<UserOpenid>,
        /// In groups.
        pub member_openid: Option<MemberOpenid>,
        /// In groups.
        pub member_role: Option<MemberRole>,
        /// The display name; often empty in one-to-one chats.
        pub username: Option<Box<str>>,
        /// Whether it is a bot.
        pub bot: bool,
        /// The id across bots of one owner; may be empty.
        pub union_openid: Option<UnionOpenid>,
        /// A linked account; may be empty.
        pub union_user_account: Option<Box<str>>,
    }

    /// A quoted or merged message. Every member may be missing.
    pub struct MsgElement {
        /// Its index.
        pub msg_idx: Option<Box<str>>,
        /// Its sender.
        pub author: Option<V2User>,
        /// What kind of message.
        pub message_type: Option<IncomingMessageType>,
        /// Its text.
        pub content: Option<Box<str>>,
        /// Its media.
        pub attachments: Vec<Attachment>,
        /// Its card.
        pub ark_data: Option<Box<ArkData>>,
        /// What it quotes or merges in turn.
        pub msg_elements: Vec<MsgElement>,
    }
}

open_enum! {
    /// The kinds of received group and one-to-one messages.
    pub enum IncomingMessageType: i64 {
        /// Text.
        Text = 0,
        /// A shared card.
        Ark = 3,
        /// Parallel messages.
        Parallel = 101,
        /// A forwarded record.
        ChatRecord = 102,
        /// A quote.
        Quote = 103,
    }
}

impl C2CMessage {
    /// The text without white space around it. [`content`](Self::content) keeps the raw text.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.content.trim())
    }

    /// Who sent it.
    #[must_use]
    pub fn author_id(&self) -> UserOpenid {
        let author = &self.author;
        author
            .user_openid
            .clone()
            .unwrap_or_else(|| author.id.clone().unwrap_or_default().cast())
    }

    /// Whether a bot sent it.
    #[must_use]
    pub const fn is_from_bot(&self) -> bool {
        self.author.bot
    }

    /// The chat it was sent in.
    #[must_use]
    pub fn conversation(&self) -> Conversation {
        Conversation::C2C(self.author_id())
    }
}
