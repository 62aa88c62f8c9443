//! Messages of QQ groups.

use std::borrow::Cow;

use super::text::without_leading_mentions;
use super::{
    ArkData, Attachment, Conversation, IncomingMessageType, MessageScene, MsgElement, V2User,
};
use crate::id::{GroupOpenid, MemberOpenid, MessageId, UnionOpenid, UserOpenid};
use crate::timestamp::Timestamp;

object! {
    /// A message of a QQ group.
    pub struct GroupMessage {
        /// Which message; what `msg_id` of a reply takes.
        pub id: MessageId,
        /// The group.
        pub group_openid: GroupOpenid,
        /// The same as [`group_openid`](Self::group_openid) on the wire, undocumented.
        pub group_id: Option<GroupOpenid>,
        /// The sender.
        pub author: V2User,
        /// The text as sent, with a space where the mention of the bot was; see [`text`](Self::text).
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
        /// Who is mentioned.
        pub mentions: Vec<Mention>,
        /// The parts of a message of [`IncomingMessageType::Parallel`]; observed, undocumented.
        pub parallel_message: Option<Box<ParallelMessage>>,
        ; addressed: bool,
    }

    /// A mention in a group message.
    pub struct Mention {
        /// The same as the member openid.
        pub id: Option<MemberOpenid>,
        /// The mentioned member.
        pub member_openid: Option<MemberOpenid>,
        /// Listed by the documents, not seen in groups.
        pub user_openid: Option<UserOpenid>,
        /// The member's role.
        pub member_role: Option<MemberRole>,
        /// The display name.
        pub username: Option<Box<str>>,
        /// The display name, in some captures.
        pub nickname: Option<Box<str>>,
        /// Whether it is a bot.
        pub bot: bool,
        /// Whether it is this bot.
        pub is_you: bool,
        /// One member or all.
        pub scope: Option<MentionScope>,
        /// The id across bots of one owner.
        pub union_openid: Option<UnionOpenid>,
        /// A linked account; may be empty.
        pub union_user_account: Option<Box<str>>,
    }

    /// The parts of a parallel message.
    pub struct ParallelMessage {
        /// The parts, undocumented.
        pub msg_nodes: Vec<ParallelNode>,
    }

    /// A part of a parallel message; its members are undocumented and all in `extra`.
    pub struct ParallelNode {}
}

open_enum! {
    /// The roles of group members.
    pub enum MemberRole: str {
        /// An ordinary member.
        Member = "member",
        /// An administrator.
        Admin = "admin",
        /// The owner.
        Owner = "owner",
    }

    /// Whom a mention means.
    pub enum MentionScope: str {
        /// One member.
        Single = "single",
        /// Everyone.
        All = "all",
    }
}

impl GroupMessage {
    /// What the sender meant: mentions of this bot at the start and white space around removed.
    /// [`content`](Self::content) keeps the raw text.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed(without_leading_mentions(&self.content, |id| {
            self.mentions
                .iter()
                .any(|mention| mention.is_you && mention.is_of(id))
        }))
    }

    /// Who sent it.
    #[must_use]
    pub fn author_id(&self) -> MemberOpenid {
        let author = &self.author;
        author
            .member_openid
            .clone()
            .unwrap_or_else(|| author.id.clone().unwrap_or_default().cast())
    }

    /// Whether a bot sent it.
    #[must_use]
    pub const fn is_from_bot(&self) -> bool {
        self.author.bot
    }

    /// Whether a mention names this bot. In `GROUP_AT_MESSAGE_CREATE` the documents leave it out of the list.
    #[must_use]
    pub fn mentions_me(&self) -> bool {
        self.mentions.iter().any(|mention| mention.is_you)
    }

    /// The chat it was sent in.
    #[must_use]
    pub fn conversation(&self) -> Conversation {
        let group = if self.group_openid.is_empty() {
            self.group_id.as_ref()
        } else {
            None
        };
        Conversation::Group(group.unwrap_or(&self.group_openid).clone())
    }
}

impl Mention {
    fn is_of(&self, id: &str) -> bool {
        let names = [&self.member_openid, &self.id];
        names.into_iter().flatten().any(|name| *name == *id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mention_of_this_bot_goes_and_others_stay() {
        let message: GroupMessage = serde_json::from_str(
            r#"{"content":" <@AA> <@BB> hi ","mentions":[{"member_openid":"AA","is_you":true},{"id":"BB","is_you":false}]}"#,
        )
        .unwrap();
        assert_eq!(message.text(), "<@BB> hi");
        assert!(message.mentions_me());
    }

    #[test]
    fn the_undocumented_group_id_serves_when_the_openid_is_missing() {
        let message: GroupMessage = serde_json::from_str(r#"{"group_id":"FEC0"}"#).unwrap();
        assert_eq!(message.conversation(), Conversation::Group("FEC0".into()));
    }
}
