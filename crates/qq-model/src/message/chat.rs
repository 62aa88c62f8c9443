//! What messages of all four scenes have in common.

use std::borrow::Cow;
use std::fmt;

use super::{
    Attachment, C2CMessage, Conversation, DirectMessage, GroupMessage, IncomingMessageType,
    Mention, MentionScope, Message, MessageAttachment, MessageScene, MsgElement,
};
use crate::id::{IdText, MemberOpenid, MessageId, UserId, UserOpenid};
use crate::timestamp::Timestamp;
use crate::user::User;

/// A message of any scene.
///
/// ```
/// use qq_model::Event;
/// use qq_model::message::ChatMessage;
///
/// fn describe(message: &dyn ChatMessage) -> String {
///     format!("{} in {}: {}", message.author_id(), message.conversation(), message.text())
/// }
///
/// let event = Event::decode(
///     "GROUP_AT_MESSAGE_CREATE",
///     r#"{"id":"M","group_openid":"G","author":{"member_openid":"A"},"content":" hi"}"#,
/// );
/// let message = event.as_message().unwrap();
/// assert_eq!(describe(message), "A in group G: hi");
/// assert!(message.is_addressed_to_me());
/// ```
pub trait ChatMessage: fmt::Debug + Send + Sync {
    /// Which message; what `msg_id` of a reply takes.
    fn id(&self) -> &MessageId;

    /// What the sender meant: mentions of bots at the start and white space around removed, entities of guild
    /// scenes turned back.
    fn text(&self) -> Cow<'_, str>;

    /// The text as the platform sent it.
    fn raw_content(&self) -> &str;

    /// Who sent it.
    fn author_id(&self) -> ChatUserId;

    /// The sender's display name; often missing in one-to-one chats.
    fn author_name(&self) -> Option<&str>;

    /// Whether a bot sent it.
    fn is_from_bot(&self) -> bool;

    /// Whether it is meant for this bot: it came in an AT event, it is in a direct or one-to-one chat, or a
    /// mention names this bot. A mention of everyone is not meant for the bot.
    fn is_addressed_to_me(&self) -> bool;

    /// Who is mentioned.
    fn mentions(&self) -> Vec<Mentioned<'_>>;

    /// Pictures, voices, videos and files.
    fn attachments(&self) -> Vec<Media<'_>>;

    /// The message that this one quotes.
    fn quoted(&self) -> Option<Quoted<'_>>;

    /// The chat it was sent in.
    fn conversation(&self) -> Conversation;

    /// When it was sent.
    fn timestamp(&self) -> Option<&Timestamp>;

    /// Where in the client it was written, and its indexes.
    fn scene(&self) -> Option<&MessageScene>;

    /// Whether it mentions everyone.
    fn mentions_everyone(&self) -> bool {
        self.mentions().iter().any(|mention| mention.is_everyone)
    }
}

/// A user, by the kind of id that the scene has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChatUserId {
    /// In guild scenes.
    User(UserId),
    /// In a QQ group.
    Member(MemberOpenid),
    /// In a one-to-one chat.
    Openid(UserOpenid),
}

impl ChatUserId {
    /// The text of the id.
    #[must_use]
    pub fn text(&self) -> IdText<'_> {
        match self {
            Self::User(id) => id.text(),
            Self::Member(id) => id.text(),
            Self::Openid(id) => id.text(),
        }
    }
}

impl fmt::Display for ChatUserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text())
    }
}

/// Somebody who is mentioned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mentioned<'a> {
    /// Who; `None` for everyone.
    pub id: Option<ChatUserId>,
    /// The display name.
    pub name: Option<&'a str>,
    /// Whether it is a bot.
    pub is_bot: bool,
    /// Whether it is this bot. Guild scenes do not say: compare the id with the bot's own.
    pub is_you: bool,
    /// Whether everyone is meant.
    pub is_everyone: bool,
}

/// A picture, a voice, a video or a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Media<'a> {
    /// A media type, `voice` or `file`; empty when the platform left it out.
    pub content_type: &'a str,
    /// The address with a scheme. Those of groups and one-to-one chats expire within minutes to hours.
    pub url: Option<Cow<'a, str>>,
    /// The file's name.
    pub filename: Option<&'a str>,
    /// Bytes.
    pub size: Option<u64>,
    /// Pixels.
    pub width: Option<u32>,
    /// Pixels.
    pub height: Option<u32>,
    /// The address of a voice as WAV.
    pub voice_wav_url: Option<&'a str>,
    /// What was said in a voice, as the platform heard it.
    pub transcript: Option<&'a str>,
}

/// A quoted message.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Quoted<'a> {
    /// In guild scenes the id of the message; elsewhere its index (`ref_msg_idx`), if it came.
    pub reference: Option<&'a str>,
    /// What it says. Guild scenes leave it out.
    pub element: Option<&'a MsgElement>,
}

impl Quoted<'_> {
    /// The quoted text.
    #[must_use]
    pub fn content(&self) -> Option<&str> {
        self.element?.content.as_deref()
    }
}

impl ChatMessage for Message {
    fn id(&self) -> &MessageId {
        &self.id
    }

    fn text(&self) -> Cow<'_, str> {
        Self::text(self)
    }

    fn raw_content(&self) -> &str {
        &self.content
    }

    fn author_id(&self) -> ChatUserId {
        ChatUserId::User(self.author.id.clone())
    }

    fn author_name(&self) -> Option<&str> {
        filled(Some(&self.author.username))
    }

    fn is_from_bot(&self) -> bool {
        Self::is_from_bot(self)
    }

    fn is_addressed_to_me(&self) -> bool {
        self.addressed || self.direct_message == Some(true)
    }

    fn mentions(&self) -> Vec<Mentioned<'_>> {
        let everyone = (self.mention_everyone == Some(true)).then_some(Mentioned {
            id: None,
            name: None,
            is_bot: false,
            is_you: false,
            is_everyone: true,
        });
        let users = self.mentions.iter().map(|user: &User| Mentioned {
            id: Some(ChatUserId::User(user.id.clone())),
            name: filled(Some(&user.username)),
            is_bot: user.bot,
            is_you: false,
            is_everyone: false,
        });
        users.chain(everyone).collect()
    }

    fn attachments(&self) -> Vec<Media<'_>> {
        self.attachments.iter().map(Media::from).collect()
    }

    fn quoted(&self) -> Option<Quoted<'_>> {
        let reference = self.message_reference.as_ref()?;
        Some(Quoted {
            reference: filled(Some(&reference.message_id)),
            element: None,
        })
    }

    fn conversation(&self) -> Conversation {
        Self::conversation(self)
    }

    fn timestamp(&self) -> Option<&Timestamp> {
        self.timestamp.as_ref()
    }

    fn scene(&self) -> Option<&MessageScene> {
        self.message_scene.as_deref()
    }
}

impl ChatMessage for DirectMessage {
    fn id(&self) -> &MessageId {
        &self.0.id
    }

    fn text(&self) -> Cow<'_, str> {
        self.0.text()
    }

    fn raw_content(&self) -> &str {
        &self.0.content
    }

    fn author_id(&self) -> ChatUserId {
        ChatMessage::author_id(&self.0)
    }

    fn author_name(&self) -> Option<&str> {
        self.0.author_name()
    }

    fn is_from_bot(&self) -> bool {
        self.0.is_from_bot()
    }

    fn is_addressed_to_me(&self) -> bool {
        true
    }

    fn mentions(&self) -> Vec<Mentioned<'_>> {
        ChatMessage::mentions(&self.0)
    }

    fn attachments(&self) -> Vec<Media<'_>> {
        ChatMessage::attachments(&self.0)
    }

    fn quoted(&self) -> Option<Quoted<'_>> {
        self.0.quoted()
    }

    fn conversation(&self) -> Conversation {
        Self::conversation(self)
    }

    fn timestamp(&self) -> Option<&Timestamp> {
        self.0.timestamp.as_ref()
    }

    fn scene(&self) -> Option<&MessageScene> {
        self.0.message_scene.as_deref()
    }
}

impl ChatMessage for GroupMessage {
    fn id(&self) -> &MessageId {
        &self.id
    }

    fn text(&self) -> Cow<'_, str> {
        Self::text(self)
    }

    fn raw_content(&self) -> &str {
        &self.content
    }

    fn author_id(&self) -> ChatUserId {
        ChatUserId::Member(Self::author_id(self))
    }

    fn author_name(&self) -> Option<&str> {
        filled(self.author.username.as_deref())
    }

    fn is_from_bot(&self) -> bool {
        Self::is_from_bot(self)
    }

    fn is_addressed_to_me(&self) -> bool {
        self.addressed
            || self
                .mentions
                .iter()
                .any(|mention| mention.is_you && !mention.is_everyone())
    }

    fn mentions(&self) -> Vec<Mentioned<'_>> {
        self.mentions
            .iter()
            .map(|mention| Mentioned {
                id: mention.openid().map(ChatUserId::Member),
                name: filled(mention.username.as_deref())
                    .or_else(|| filled(mention.nickname.as_deref())),
                is_bot: mention.bot,
                is_you: mention.is_you && !mention.is_everyone(),
                is_everyone: mention.is_everyone(),
            })
            .collect()
    }

    fn attachments(&self) -> Vec<Media<'_>> {
        self.attachments.iter().map(Media::from).collect()
    }

    fn quoted(&self) -> Option<Quoted<'_>> {
        quoted(
            self.message_type,
            self.message_scene.as_deref(),
            &self.msg_elements,
        )
    }

    fn conversation(&self) -> Conversation {
        Self::conversation(self)
    }

    fn timestamp(&self) -> Option<&Timestamp> {
        Some(&self.timestamp)
    }

    fn scene(&self) -> Option<&MessageScene> {
        self.message_scene.as_deref()
    }
}

impl ChatMessage for C2CMessage {
    fn id(&self) -> &MessageId {
        &self.id
    }

    fn text(&self) -> Cow<'_, str> {
        Self::text(self)
    }

    fn raw_content(&self) -> &str {
        &self.content
    }

    fn author_id(&self) -> ChatUserId {
        ChatUserId::Openid(Self::author_id(self))
    }

    fn author_name(&self) -> Option<&str> {
        filled(self.author.username.as_deref())
    }

    fn is_from_bot(&self) -> bool {
        Self::is_from_bot(self)
    }

    fn is_addressed_to_me(&self) -> bool {
        true
    }

    fn mentions(&self) -> Vec<Mentioned<'_>> {
        Vec::new()
    }

    fn attachments(&self) -> Vec<Media<'_>> {
        self.attachments.iter().map(Media::from).collect()
    }

    fn quoted(&self) -> Option<Quoted<'_>> {
        quoted(
            self.message_type,
            self.message_scene.as_deref(),
            &self.msg_elements,
        )
    }

    fn conversation(&self) -> Conversation {
        Self::conversation(self)
    }

    fn timestamp(&self) -> Option<&Timestamp> {
        Some(&self.timestamp)
    }

    fn scene(&self) -> Option<&MessageScene> {
        self.message_scene.as_deref()
    }
}

impl Mention {
    /// Whether everyone is meant.
    #[must_use]
    pub fn is_everyone(&self) -> bool {
        self.scope == Some(MentionScope::All)
    }

    /// Who is meant; `None` for everyone.
    #[must_use]
    pub fn openid(&self) -> Option<MemberOpenid> {
        let names = [&self.member_openid, &self.id];
        let mut names = names.into_iter().flatten();
        names.find(|id| !id.is_empty()).cloned()
    }
}

impl<'a> From<&'a MessageAttachment> for Media<'a> {
    fn from(attachment: &'a MessageAttachment) -> Self {
        Self {
            content_type: attachment.content_type.as_deref().unwrap_or_default(),
            url: Some(attachment.https_url()).filter(|url| !url.is_empty()),
            filename: attachment.filename.as_deref(),
            size: attachment.size,
            width: attachment.width,
            height: attachment.height,
            voice_wav_url: None,
            transcript: None,
        }
    }
}

impl<'a> From<&'a Attachment> for Media<'a> {
    fn from(attachment: &'a Attachment) -> Self {
        Self {
            content_type: &attachment.content_type,
            url: attachment.https_url(),
            filename: attachment.filename.as_deref(),
            size: attachment.size,
            width: attachment.width,
            height: attachment.height,
            voice_wav_url: filled(attachment.voice_wav_url.as_deref()),
            transcript: filled(attachment.asr_refer_text.as_deref()),
        }
    }
}

fn quoted<'a>(
    kind: Option<IncomingMessageType>,
    scene: Option<&'a MessageScene>,
    elements: &'a [MsgElement],
) -> Option<Quoted<'a>> {
    if kind != Some(IncomingMessageType::Quote) {
        return None;
    }
    let element = elements.first();
    let reference = scene
        .and_then(MessageScene::ref_msg_idx)
        .or_else(|| element?.msg_idx.as_deref());
    Some(Quoted { reference, element })
}

fn filled(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Event;

    #[test]
    fn who_is_addressed() {
        let me = r#"{"member_openid":"ME","is_you":true,"scope":"single"}"#;
        let all = r#"{"is_you":true,"scope":"all"}"#;
        let other = r#"{"member_openid":"X","is_you":false,"scope":"single"}"#;
        for (event, mentions, addressed) in [
            ("GROUP_AT_MESSAGE_CREATE", "", true),
            ("GROUP_AT_MESSAGE_CREATE", other, true),
            ("GROUP_MESSAGE_CREATE", "", false),
            ("GROUP_MESSAGE_CREATE", me, true),
            ("GROUP_MESSAGE_CREATE", all, false),
            ("GROUP_MESSAGE_CREATE", other, false),
            ("AT_MESSAGE_CREATE", "", true),
            ("MESSAGE_CREATE", "", false),
            ("DIRECT_MESSAGE_CREATE", "", true),
            ("C2C_MESSAGE_CREATE", "", true),
        ] {
            let event = Event::decode(event, &format!(r#"{{"mentions":[{mentions}]}}"#));
            let message = event.as_message().unwrap();
            assert_eq!(message.is_addressed_to_me(), addressed, "{event:?}");
        }
    }

    #[test]
    fn everyone_is_not_somebody() {
        let event = Event::decode(
            "GROUP_MESSAGE_CREATE",
            r#"{"mentions":[{"is_you":true,"scope":"all","username":"x"},{"id":"B","nickname":"b"}]}"#,
        );
        let message = event.as_message().unwrap();
        let mentions = message.mentions();
        assert!(message.mentions_everyone());
        assert!(mentions[0].is_everyone && !mentions[0].is_you && mentions[0].id.is_none());
        assert_eq!(mentions[1].id, Some(ChatUserId::Member("B".into())));
        assert_eq!(mentions[1].name, Some("b"));
    }

    #[test]
    fn quotes_of_both_generations() {
        let event = Event::decode(
            "C2C_MESSAGE_CREATE",
            r#"{"message_type":103,"message_scene":{"ext":["ref_msg_idx=REFIDX_A=="]},"msg_elements":[{"msg_idx":"x","content":"old"}]}"#,
        );
        let quoted = event.as_message().unwrap().quoted().unwrap();
        assert_eq!(
            (quoted.reference, quoted.content()),
            (Some("REFIDX_A=="), Some("old"))
        );
        let event = Event::decode(
            "MESSAGE_CREATE",
            r#"{"message_reference":{"message_id":"08"}}"#,
        );
        let quoted = event.as_message().unwrap().quoted().unwrap();
        assert_eq!((quoted.reference, quoted.content()), (Some("08"), None));
        assert!(
            Event::decode("C2C_MESSAGE_CREATE", r#"{"msg_elements":[{}]}"#)
                .as_message()
                .unwrap()
                .quoted()
                .is_none()
        );
    }

    #[test]
    fn media_of_both_generations_have_a_scheme() {
        for (event, attachment) in [
            ("MESSAGE_CREATE", r#"{"url":"a.example/x"}"#),
            (
                "C2C_MESSAGE_CREATE",
                r#"{"url":"a.example/x","content_type":"voice"}"#,
            ),
        ] {
            let event = Event::decode(event, &format!(r#"{{"attachments":[{attachment}]}}"#));
            let message = event.as_message().unwrap();
            assert_eq!(
                message.attachments()[0].url.as_deref(),
                Some("https://a.example/x")
            );
        }
        assert!(Event::decode("READY", "{}").as_message().is_none());
    }
}
