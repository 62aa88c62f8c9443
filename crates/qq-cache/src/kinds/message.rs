//! Received messages of all scenes.

use std::fmt;
use std::hash::BuildHasher;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use qq_model::id::MessageId;
use qq_model::message::{
    C2CMessage, Conversation, DirectMessage, GroupMessage, Message, MessageScene,
};
use qq_model::{Event, EventKind, EventKinds};

use super::Visible;
use super::weigh::Weigh;
use crate::Cache;
use crate::store::{Kind, Snapshot};
use crate::update::Changed;

/// A message: shared with the event that brought it, or as the text that it came as, which is decoded when somebody
/// reads it for the first time.
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
#[derive(Clone)]
pub struct CachedMessage(Form);

#[derive(Clone)]
enum Form {
    Event(Arc<Event>),
    Text(Text),
}

/// A message as it came. It is decoded in each clone of its own, unless that was made of one that was decoded before:
/// most are never read, and should be little to throw away.
#[derive(Clone)]
struct Text {
    kind: EventKind,
    json: Bytes,
    event: OnceLock<Arc<Event>>,
}

/// A message of one of the four scenes.
pub(crate) enum Scened<'a> {
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

    fn conversation(&self) -> Conversation {
        match self {
            Self::Channel(message) => message.conversation(),
            Self::Direct(message) => message.conversation(),
            Self::Group(message) => message.conversation(),
            Self::C2C(message) => message.conversation(),
        }
    }

    /// What later messages of the chat quote it by.
    fn index(&self) -> Option<&str> {
        let scene: Option<&MessageScene> = match self {
            Self::Group(message) => message.message_scene.as_deref(),
            Self::C2C(message) => message.message_scene.as_deref(),
            Self::Channel(_) | Self::Direct(_) => None,
        };
        scene?.msg_idx()
    }
}

impl CachedMessage {
    /// The message of an event; `None` for other events and for messages without an id.
    #[must_use]
    pub fn from_event(event: &Arc<Event>) -> Option<Self> {
        Self::is_message(event).then(|| Self::from_shared(Arc::clone(event)))
    }

    /// Whether an event brings a message that can be kept.
    fn is_message(event: &Event) -> bool {
        scened(event).is_some_and(|message| !message.id().is_empty())
    }

    /// The message of an event that is known to have one.
    pub(crate) const fn from_shared(event: Arc<Event>) -> Self {
        Self(Form::Event(event))
    }

    /// A message that came as this payload of this event.
    pub(crate) const fn from_text(kind: EventKind, json: Bytes) -> Self {
        Self(Form::Text(Text {
            kind,
            json,
            event: OnceLock::new(),
        }))
    }

    const fn is_text(&self) -> bool {
        matches!(self.0, Form::Text(_))
    }

    /// The event with the message.
    #[must_use]
    pub fn event(&self) -> &Arc<Event> {
        match &self.0 {
            Form::Event(event) => event,
            Form::Text(text) => text.event.get_or_init(|| {
                // It was a text before it became bytes.
                let json = str::from_utf8(&text.json).unwrap_or_default();
                Arc::new(Event::decode(text.kind.as_str(), json))
            }),
        }
    }

    /// Which message.
    #[must_use]
    pub fn id(&self) -> MessageId {
        scened(self.event())
            .map(|message| message.id().clone())
            .unwrap_or_default()
    }

    /// The text as sent.
    #[must_use]
    pub fn content(&self) -> &str {
        match scened(self.event()) {
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
        scened(self.event()).map(|message| message.conversation())
    }

    /// The message, if it was sent in a channel.
    #[must_use]
    pub fn as_channel(&self) -> Option<&Message> {
        match scened(self.event())? {
            Scened::Channel(message) => Some(message),
            _ => None,
        }
    }

    /// The message, if it is a direct message.
    #[must_use]
    pub fn as_direct(&self) -> Option<&DirectMessage> {
        match scened(self.event())? {
            Scened::Direct(message) => Some(message),
            _ => None,
        }
    }

    /// The message, if it was sent in a QQ group.
    #[must_use]
    pub fn as_group(&self) -> Option<&GroupMessage> {
        match scened(self.event())? {
            Scened::Group(message) => Some(message),
            _ => None,
        }
    }

    /// The message, if it was sent in a one-to-one chat.
    #[must_use]
    pub fn as_c2c(&self) -> Option<&C2CMessage> {
        match scened(self.event())? {
            Scened::C2C(message) => Some(message),
            _ => None,
        }
    }
}

impl From<Message> for CachedMessage {
    /// A message of a channel, as a REST call gives it.
    fn from(message: Message) -> Self {
        Self::from_shared(Arc::new(Event::MessageCreate(Box::new(message))))
    }
}

impl PartialEq for CachedMessage {
    fn eq(&self, other: &Self) -> bool {
        self.same(other) || self.event() == other.event()
    }
}

impl fmt::Debug for CachedMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CachedMessage").field(self.event()).finish()
    }
}

impl Snapshot for CachedMessage {
    fn same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Form::Event(one), Form::Event(other)) => Arc::ptr_eq(one, other),
            (Form::Text(one), Form::Text(other)) => one.json.as_ptr() == other.json.as_ptr(),
            _ => false,
        }
    }

    fn heap_bytes(&self) -> usize {
        let counts = 2 * size_of::<usize>();
        let event = match &self.0 {
            // What a clone is decoded into is the clone's.
            Form::Text(text) => return text.json.len(),
            Form::Event(event) => event,
        };
        let payload = match scened(event) {
            Some(Scened::Channel(message)) => size_of_val(message) + message.owned_bytes(),
            Some(Scened::Direct(message)) => size_of_val(message) + message.0.owned_bytes(),
            Some(Scened::Group(message)) => size_of_val(message) + message.owned_bytes(),
            Some(Scened::C2C(message)) => size_of_val(message) + message.owned_bytes(),
            None => 0,
        };
        counts + size_of::<Event>() + payload
    }
}

/// Messages by a hash of their ids, which says where the message is that may have the id: the ids themselves would be
/// looked for in memory that has long gone cold, whenever a message makes room.
pub(crate) struct Messages;

impl Kind for Messages {
    type Owner = ();
    type Key = u64;
    type Value = CachedMessage;
    const INDEXED: bool = false;
    const SCOPED: bool = false;
}

impl Visible for Messages {
    type Seen = CachedMessage;

    fn show<R>(_: &u64, value: &CachedMessage, look: impl FnOnce(&CachedMessage) -> R) -> R {
        look(value)
    }
}

impl Cache {
    /// A message of any scene.
    #[must_use]
    pub fn message(&self, message: &MessageId) -> Option<CachedMessage> {
        let found = self.message_at(self.message_key(message))?;
        let is_it = scened(found.event()).is_some_and(|found| found.id() == message);
        is_it.then_some(found)
    }

    /// The message that later messages of a QQ group or one-to-one chat quote by this index (`REFIDX_...`; see
    /// [`MessageScene::ref_msg_idx`]).
    ///
    /// Indexes are filed when somebody asks for one, or when 1,024 of them wait for it: so whoever asks seldom waits for some
    /// ten microseconds.
    #[must_use]
    pub fn message_by_index(
        &self,
        conversation: &Conversation,
        index: &str,
    ) -> Option<CachedMessage> {
        let key = self.index_key(conversation, index);
        let message = self.kinds.message_indexes.get(key)?;
        let message = self.message_at(message)?;
        let found = scened(message.event())?;
        let is_it = found.index() == Some(index) && found.conversation() == *conversation;
        is_it.then_some(message)
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
        let event = Arc::clone(message.event());
        self.keep_message(&scened(&event)?, || message.clone())
    }

    /// Whether this is a message that is kept: one that is not off, and has an id.
    #[must_use]
    pub fn keeps_message(&self, event: &Event) -> bool {
        !self.kinds.messages.is_off() && CachedMessage::is_message(event)
    }

    /// The kinds of events whose messages are kept; none when messages are off.
    #[must_use]
    pub fn message_kinds(&self) -> EventKinds {
        if self.kinds.messages.is_off() {
            return EventKinds::none();
        }
        EventKinds::none()
            .with(EventKind::MessageCreate)
            .with(EventKind::AtMessageCreate)
            .with(EventKind::DirectMessageCreate)
            .with(EventKind::GroupMessageCreate)
            .with(EventKind::GroupAtMessageCreate)
            .with(EventKind::C2CMessageCreate)
    }

    /// Keeps a message, made in whichever form, if it has an id and messages are kept.
    pub(crate) fn keep_message(
        &self,
        message: &Scened<'_>,
        make: impl FnOnce() -> CachedMessage,
    ) -> Option<Changed<CachedMessage>> {
        if self.kinds.messages.is_off() || message.id().is_empty() {
            return None;
        }
        let place = self.message_key(message.id());
        if let Some(index) = message.index() {
            let key = self.index_key(&message.conversation(), index);
            self.kinds.message_indexes.insert(key, place);
        }
        self.kinds.messages.insert(None, &place, make())
    }

    /// The message in a place, decoded, and decoded there from now on: one that is read stays longer than its neighbours,
    /// and its text would keep theirs.
    fn message_at(&self, place: u64) -> Option<CachedMessage> {
        let found = self.kinds.messages.get(None, &place)?;
        if !found.is_text() {
            return Some(found);
        }
        let message = CachedMessage::from_shared(Arc::clone(found.event()));
        self.kinds.messages.amend(None, &place, |kept| {
            if kept.same(&found) {
                kept.clone_from(&message);
            }
        });
        Some(message)
    }

    fn message_key(&self, message: &MessageId) -> u64 {
        self.kinds.index_hasher.hash_one(message)
    }

    fn index_key(&self, conversation: &Conversation, index: &str) -> u64 {
        self.kinds.index_hasher.hash_one((conversation, index))
    }

    /// Forgets a message.
    pub fn remove_message(&self, message: &MessageId) -> Option<Changed<CachedMessage>> {
        self.kinds.messages.remove(None, &self.message_key(message))
    }
}
