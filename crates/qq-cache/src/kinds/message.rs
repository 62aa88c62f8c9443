//! Received messages of all scenes.

use std::sync::Arc;

use qq_model::Event;
use qq_model::id::MessageId;
use qq_model::message::{
    C2CMessage, Conversation, DirectMessage, GroupMessage, Message, MessageScene,
};

use super::Visible;
use super::weigh::Weigh;
use crate::Cache;
use crate::store::{Kind, Snapshot};
use crate::update::Changed;

/// A message, shared with the event that brought it.
///
/// ```
/// use qq_cache::Cache;
/// use qq_model::Event;
///
/// let cache = Cache::default();
/// cache.update(&Event::decode("C2C_MESSAGE_CREATE", r#"{"id":"M1","content":"hi","author":{"user_openid":"U"}}"#));
/// let message = cache.message(&"M1".into()).unwrap();
/// assert_eq!(message.content(), "hi");
/// assert!(message.as_c2c().is_some());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct CachedMessage(Arc<Event>);

/// A message of one of the four scenes.
enum Scened<'a> {
    Channel(&'a Message),
    Direct(&'a DirectMessage),
    Group(&'a GroupMessage),
    C2C(&'a C2CMessage),
}

fn scened(event: &Event) -> Option<Scened<'_>> {
    Some(match event {
        Event::MessageCreate(message) | Event::AtMessageCreate(message) => Scened::Channel(message),
        Event::DirectMessageCreate(message) => Scened::Direct(message),
        Event::GroupMessageCreate(message) | Event::GroupAtMessageCreate(message) => {
            Scened::Group(message)
        }
        Event::C2CMessageCreate(message) => Scened::C2C(message),
        _ => return None,
    })
}

impl Scened<'_> {
    const fn id(&self) -> &MessageId {
        match self {
            Self::Channel(message) => &message.id,
            Self::Direct(message) => &message.0.id,
            Self::Group(message) => &message.id,
            Self::C2C(message) => &message.id,
        }
    }
}

impl CachedMessage {
    /// The message of an event; `None` for other events and for messages without an id.
    #[must_use]
    pub fn from_event(event: &Arc<Event>) -> Option<Self> {
        Self::is_message(event).then(|| Self(Arc::clone(event)))
    }

    /// Whether an event brings a message that can be kept.
    pub(crate) fn is_message(event: &Event) -> bool {
        scened(event).is_some_and(|message| !message.id().is_empty())
    }

    /// The event with the message.
    #[must_use]
    pub const fn event(&self) -> &Arc<Event> {
        &self.0
    }

    /// Which message.
    #[must_use]
    pub fn id(&self) -> MessageId {
        scened(&self.0)
            .map(|message| message.id().clone())
            .unwrap_or_default()
    }

    /// The text as sent.
    #[must_use]
    pub fn content(&self) -> &str {
        match scened(&self.0) {
            Some(Scened::Channel(message)) => &message.content,
            Some(Scened::Direct(message)) => &message.content,
            Some(Scened::Group(message)) => &message.content,
            Some(Scened::C2C(message)) => &message.content,
            None => "",
        }
    }

    /// The chat it was sent in.
    #[must_use]
    pub fn conversation(&self) -> Option<Conversation> {
        Some(match scened(&self.0)? {
            Scened::Channel(message) => message.conversation(),
            Scened::Direct(message) => message.conversation(),
            Scened::Group(message) => message.conversation(),
            Scened::C2C(message) => message.conversation(),
        })
    }

    /// The message, if it was sent in a channel.
    #[must_use]
    pub fn as_channel(&self) -> Option<&Message> {
        match scened(&self.0)? {
            Scened::Channel(message) => Some(message),
            _ => None,
        }
    }

    /// The message, if it is a direct message.
    #[must_use]
    pub fn as_direct(&self) -> Option<&DirectMessage> {
        match scened(&self.0)? {
            Scened::Direct(message) => Some(message),
            _ => None,
        }
    }

    /// The message, if it was sent in a QQ group.
    #[must_use]
    pub fn as_group(&self) -> Option<&GroupMessage> {
        match scened(&self.0)? {
            Scened::Group(message) => Some(message),
            _ => None,
        }
    }

    /// The message, if it was sent in a one-to-one chat.
    #[must_use]
    pub fn as_c2c(&self) -> Option<&C2CMessage> {
        match scened(&self.0)? {
            Scened::C2C(message) => Some(message),
            _ => None,
        }
    }

    /// What later messages of the chat quote it by.
    fn index(&self) -> Option<&str> {
        let scene: Option<&MessageScene> = match scened(&self.0)? {
            Scened::Group(message) => message.message_scene.as_deref(),
            Scened::C2C(message) => message.message_scene.as_deref(),
            Scened::Channel(_) | Scened::Direct(_) => None,
        };
        scene?.msg_idx()
    }
}

impl From<Message> for CachedMessage {
    /// A message of a channel, as a REST call gives it.
    fn from(message: Message) -> Self {
        Self(Arc::new(Event::MessageCreate(Box::new(message))))
    }
}

impl Snapshot for CachedMessage {
    fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn heap_bytes(&self) -> usize {
        let payload = match scened(&self.0) {
            Some(Scened::Channel(message)) => size_of_val(message) + message.owned_bytes(),
            Some(Scened::Direct(message)) => size_of_val(message) + message.0.owned_bytes(),
            Some(Scened::Group(message)) => size_of_val(message) + message.owned_bytes(),
            Some(Scened::C2C(message)) => size_of_val(message) + message.owned_bytes(),
            None => 0,
        };
        2 * size_of::<usize>() + size_of::<Event>() + payload
    }
}

pub(crate) struct Messages;

impl Kind for Messages {
    type Owner = ();
    type Key = MessageId;
    type Value = CachedMessage;
    const INDEXED: bool = false;
    const SCOPED: bool = false;

    fn key_heap_bytes(key: &MessageId) -> usize {
        key.text().len()
    }
}

impl Visible for Messages {
    type Seen = CachedMessage;

    fn show<R>(_: &MessageId, value: &CachedMessage, look: impl FnOnce(&CachedMessage) -> R) -> R {
        look(value)
    }
}

/// Which message of a chat has an index. May outlive the message and then leads nowhere.
pub(crate) struct MessageIndexes;

impl Kind for MessageIndexes {
    type Owner = ();
    type Key = (Conversation, Box<str>);
    type Value = MessageId;
    const INDEXED: bool = false;
    const SCOPED: bool = false;

    fn key_heap_bytes(key: &Self::Key) -> usize {
        key.1.len()
    }
}

impl Visible for MessageIndexes {
    type Seen = MessageId;

    fn show<R>(_: &Self::Key, value: &MessageId, look: impl FnOnce(&MessageId) -> R) -> R {
        look(value)
    }
}

impl Snapshot for MessageId {
    fn same(&self, other: &Self) -> bool {
        self == other
    }

    fn heap_bytes(&self) -> usize {
        // Shared with the message's own entry.
        0
    }
}

impl Cache {
    /// A message of any scene.
    #[must_use]
    pub fn message(&self, message: &MessageId) -> Option<CachedMessage> {
        self.kinds.messages.get(None, message)
    }

    /// The message that later messages of a QQ group or one-to-one chat quote by this index (`REFIDX_...`; see
    /// [`MessageScene::ref_msg_idx`]).
    #[must_use]
    pub fn message_by_index(
        &self,
        conversation: &Conversation,
        index: &str,
    ) -> Option<CachedMessage> {
        let message = self
            .kinds
            .message_indexes
            .get(None, &(conversation.clone(), index.into()))?;
        self.message(&message)
    }

    /// Keeps a message, in place of what was known.
    pub fn insert_message(
        &self,
        message: impl Into<CachedMessage>,
    ) -> Option<Changed<CachedMessage>> {
        if self.kinds.messages.is_off() {
            return None;
        }
        let message = message.into();
        let id = message.id();
        if id.is_empty() {
            return None;
        }
        if let (Some(conversation), Some(index)) = (message.conversation(), message.index()) {
            let key = (conversation, index.into());
            self.kinds.message_indexes.insert(None, &key, &id);
        }
        self.kinds.messages.insert(None, &id, &message)
    }

    /// Forgets a message.
    pub fn remove_message(&self, message: &MessageId) -> Option<Changed<CachedMessage>> {
        self.kinds.messages.remove(None, message)
    }
}
