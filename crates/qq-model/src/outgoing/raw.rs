//! Message bodies as they are on the wire, for tools that read what bots send. Bots use
//! [`MessageBody`](super::MessageBody), which cannot say two things at once.

use serde_json::Value;

use super::{
    ActionButton, InputNotify, Keyboard, LegacyStream, MediaInfo, MessageMarkdown, MsgType,
    PromptKeyboard,
};
use crate::id::{EventId, MessageId};
use crate::message::{MessageArk, MessageEmbed, MessageReference};
use crate::request::{BodyError, RequestBody};

object! {
    /// A message as groups and one-to-one chats take it.
    pub struct V2MessageRequest {
        /// What kind of message; text by default.
        pub msg_type: Option<MsgType>,
        /// The text.
        pub content: Option<Box<str>>,
        /// Markdown.
        pub markdown: Option<Box<MessageMarkdown>>,
        /// Buttons.
        pub keyboard: Option<Box<Keyboard>>,
        /// A template card.
        pub ark: Option<Box<MessageArk>>,
        /// An embed card.
        pub embed: Option<Box<MessageEmbed>>,
        /// An upload.
        pub media: Option<MediaInfo>,
        /// A quote.
        pub message_reference: Option<Box<MessageReference>>,
        /// The message that is answered.
        pub msg_id: Option<MessageId>,
        /// The event that is answered.
        pub event_id: Option<EventId>,
        /// The number of the answer.
        pub msg_seq: Option<u32>,
        /// Whether it is a recall.
        pub is_wakeup: Option<bool>,
        /// Typing.
        pub input_notify: Option<InputNotify>,
        /// The older way of streaming.
        pub stream: Option<Box<LegacyStream>>,
        /// A bar of suggestions.
        pub prompt_keyboard: Option<Box<PromptKeyboard>>,
        /// A bar of feedback.
        pub action_button: Option<Box<ActionButton>>,
        /// The subscription it is sent to.
        pub subscribe_id: Option<Box<str>>,
        /// The feature it belongs to.
        pub feature_id: Option<u64>,
        /// Reserved; always `null`.
        pub image: Option<Value>,
        /// Seconds since 1970; some SDKs send it, the platform ignores it.
        pub timestamp: Option<i64>,
    }

    /// A message as guild channels and guild direct messages take it in JSON.
    pub struct GuildMessageRequest {
        /// The text.
        pub content: Option<Box<str>>,
        /// An embed card.
        pub embed: Option<Box<MessageEmbed>>,
        /// A template card.
        pub ark: Option<Box<MessageArk>>,
        /// A quote.
        pub message_reference: Option<Box<MessageReference>>,
        /// The address of a picture.
        pub image: Option<Box<str>>,
        /// The message that is answered.
        pub msg_id: Option<MessageId>,
        /// The event that is answered.
        pub event_id: Option<EventId>,
        /// Markdown.
        pub markdown: Option<Box<MessageMarkdown>>,
        /// Buttons.
        pub keyboard: Option<Box<Keyboard>>,
    }

    /// The body of changing one of the bot's guild messages that has a keyboard. Undocumented; official SDKs
    /// have it.
    pub struct EditMessage {
        /// The message that is answered.
        pub msg_id: Option<MessageId>,
        /// The event that is answered.
        pub event_id: Option<EventId>,
        /// The markdown from now on.
        pub markdown: Option<Box<MessageMarkdown>>,
        /// The buttons from now on; without them the platform refuses (50050).
        pub keyboard: Keyboard,
    }

    /// The query of recalling a guild message.
    pub struct DeleteMessage {
        /// Whether the grey notice is hidden; it is shown by default.
        pub hidetip: Option<bool>,
    }

    /// The query of a channel's messages. Undocumented; official SDKs have it.
    pub struct ListMessages {
        /// The message in the middle of the page.
        pub around: Option<MessageId>,
        /// Messages before this one.
        pub before: Option<MessageId>,
        /// Messages after this one.
        pub after: Option<MessageId>,
        /// How many, at most 20.
        pub limit: Option<u32>,
    }

    /// One message. Older answers are the bare message.
    pub struct MessageDetail {
        /// The message.
        pub message: Option<Box<crate::message::Message>>,
    }
}

impl EditMessage {
    /// Replaces the buttons.
    #[must_use]
    pub fn new(keyboard: Keyboard) -> Self {
        Self {
            keyboard,
            ..Self::default()
        }
    }

    /// Replaces the text as well.
    #[must_use]
    pub fn markdown(mut self, markdown: MessageMarkdown) -> Self {
        self.markdown = Some(Box::new(markdown));
        self
    }
}

setters! { DeleteMessage {
    /// Hides the grey notice.
    hidetip: bool,
}}

setters! { ListMessages {
    /// The message in the middle of the page.
    around: MessageId,
    /// Messages before this one.
    before: MessageId,
    /// Messages after this one.
    after: MessageId,
    /// How many, at most 20.
    limit: u32,
}}

impl RequestBody for EditMessage {
    fn validate(&self) -> Result<(), BodyError> {
        self.keyboard.validate()?;
        self.markdown
            .as_deref()
            .map_or(Ok(()), MessageMarkdown::validate)
    }
}
