//! What the platform pushes: one table of events, and all that is generated from it.

#[macro_use]
mod table;

mod conversation;
mod dispatch;
mod json_text;
mod kind;
mod kinds;

pub use self::dispatch::Dispatch;
pub use self::json_text::JsonText;
pub use self::kind::{EventKind, UnknownEventKind};
pub use self::kinds::{EventKinds, Iter as EventKindsIter};

use std::fmt;

use serde::{Deserializer, Serialize, Serializer};

use crate::message::ChatMessage;
use crate::wire::{Payload, json};

/// The payload types that the event table names.
pub mod payload {
    pub use crate::audio::{AudioAction, AudioOrLiveChannelMember};
    pub use crate::audit::MessageAudited;
    pub use crate::channel::Channel;
    pub use crate::forum::{ForumAuditResult, OpenForumEvent, Post, Reply, Thread};
    pub use crate::friend::{EnterAioEvent, FriendAddEvent, FriendDelEvent, UserSwitchEvent};
    pub use crate::gateway::{Ready, Resumed};
    pub use crate::group::{GroupJoinRequestEvent, GroupMemberEvent, GroupRobotEvent};
    pub use crate::guild::{Guild, GuildMemberEvent};
    pub use crate::interaction::Interaction;
    pub use crate::message::{C2CMessage, DirectMessage, GroupMessage, Message, MessageDelete};
    pub use crate::reaction::MessageReaction;
    pub use crate::subscribe::SubscribeMessageStatus;
}

macro_rules! define_event {
    ($($(#[$doc:meta])* $variant:ident = $wire:literal, $payload:ident, [$($intent:ident)?], $callback:ident;)*) => {
        /// An event with its payload. 32 bytes: the payloads are boxed.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum Event {
            $($(#[$doc])* $variant(Box<payload::$payload>),)*
            /// An event whose name this version does not know.
            Unknown {
                /// The name (`t`).
                name: Box<str>,
                /// The payload (`d`) as it came.
                raw: Box<RawJson>,
            },
            /// An event of a known name whose payload is no JSON object.
            Undecodable {
                /// Which event.
                kind: EventKind,
                /// The payload (`d`) as it came.
                raw: Box<RawJson>,
                /// What is wrong with it.
                error: Box<DecodeError>,
            },
        }

        impl Event {
            /// Reads the payload of a known event.
            ///
            /// # Errors
            ///
            /// Those of the deserializer: the payload is not well-formed, or no object.
            pub fn deserialize<'de, D: Deserializer<'de>>(kind: EventKind, deserializer: D) -> Result<Self, D::Error> {
                match kind {
                    $(EventKind::$variant => payload::$payload::read_payload(deserializer).map(Self::$variant),)*
                }
                .map(Self::addressed)
            }

            fn serialize_payload<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$variant(payload) => payload.serialize(serializer),)*
                    Self::Unknown { raw, .. } | Self::Undecodable { raw, .. } => raw.serialize(serializer),
                }
            }

            /// Which event this is; `None` for [`Event::Unknown`].
            #[must_use]
            pub const fn kind(&self) -> Option<EventKind> {
                match self {
                    $(Self::$variant(_) => Some(EventKind::$variant),)*
                    Self::Undecodable { kind, .. } => Some(*kind),
                    Self::Unknown { .. } => None,
                }
            }
        }
    };
}

event_table!(define_event);

impl Event {
    /// Reads the payload `data` (the JSON text of `d`) of the event called `name`. Never fails: what cannot
    /// be read comes back as [`Event::Unknown`] or [`Event::Undecodable`], with the text.
    ///
    /// ```
    /// use qq_model::Event;
    ///
    /// let event = Event::decode("C2C_MESSAGE_CREATE", r#"{"id":"ROBOT1.0_x","content":"hi"}"#);
    /// assert!(matches!(event, Event::C2CMessageCreate(message) if &*message.content == "hi"));
    /// ```
    #[must_use]
    pub fn decode(name: &str, data: &str) -> Self {
        let Ok(kind) = name.parse::<EventKind>() else {
            return Self::Unknown {
                name: name.into(),
                raw: RawJson::boxed(data),
            };
        };
        Self::deserialize_text(kind, data).unwrap_or_else(|error| Self::Undecodable {
            kind,
            raw: RawJson::boxed(data),
            error: Box::new(DecodeError(error.to_string().into())),
        })
    }

    /// The name on the wire.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Unknown { name, .. } => name,
            known => known.kind().map_or("", EventKind::as_str),
        }
    }

    /// The message, if somebody said something, whatever the scene.
    #[must_use]
    pub fn as_message(&self) -> Option<&dyn ChatMessage> {
        match self {
            Self::AtMessageCreate(message) | Self::MessageCreate(message) => Some(&**message),
            Self::DirectMessageCreate(message) => Some(&**message),
            Self::GroupAtMessageCreate(message) | Self::GroupMessageCreate(message) => {
                Some(&**message)
            }
            Self::C2CMessageCreate(message) => Some(&**message),
            _ => None,
        }
    }

    /// Notes in messages of the AT events that they are for the bot: the payload itself does not say so.
    fn addressed(mut self) -> Self {
        match &mut self {
            Self::AtMessageCreate(message) => message.addressed = true,
            Self::GroupAtMessageCreate(message) => message.addressed = true,
            _ => {}
        }
        self
    }

    fn deserialize_text(kind: EventKind, data: &str) -> serde_json::Result<Self> {
        // A frame without a payload; control events have none.
        let data = if data.is_empty() { "null" } else { data };
        if let Some(event) = Self::read(kind, data, usize::MAX) {
            return Ok(event);
        }
        let mut deserializer = serde_json::Deserializer::from_str(data);
        let event = Self::deserialize(kind, &mut deserializer)?;
        deserializer.end()?;
        Ok(event)
    }

    /// Reads a payload that is sound, and nested to so many levels at most.
    fn read(kind: EventKind, data: &str, levels: usize) -> Option<Self> {
        json::read(data, levels, |reader| Self::deserialize(kind, reader)).ok()
    }
}

impl Serialize for Event {
    /// Writes the payload (`d`) alone; [`name`](Self::name) has the rest.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize_payload(serializer)
    }
}

/// JSON text as the platform sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawJson(Box<str>);

impl RawJson {
    /// The text.
    #[must_use]
    pub const fn get(&self) -> &str {
        &self.0
    }

    fn boxed(text: &str) -> Box<Self> {
        Box::new(Self(text.into()))
    }
}

impl Serialize for RawJson {
    /// Writes the value; what is no well-formed JSON is written as a text.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serde_json::from_str::<serde_json::Value>(&self.0) {
            Ok(value) => value.serialize(serializer),
            Err(_) => serializer.serialize_str(&self.0),
        }
    }
}

/// Why a payload could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError(Box<str>);

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DecodeError {}

const _: () = assert!(size_of::<Event>() <= 32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_keep_their_payload() {
        let event = Event::decode("SOMETHING_NEW", r#"{"a":1}"#);
        assert_eq!(event.name(), "SOMETHING_NEW");
        assert_eq!(event.kind(), None);
        assert!(matches!(event, Event::Unknown { raw, .. } if raw.get() == r#"{"a":1}"#));
    }

    #[test]
    fn payloads_that_are_no_object_are_kept_with_the_reason() {
        for data in ["[]", "\"\"", "7", "{\"id\":", "", "{} x"] {
            let event = Event::decode("GROUP_AT_MESSAGE_CREATE", data);
            assert_eq!(
                event.kind(),
                Some(EventKind::GroupAtMessageCreate),
                "{data}"
            );
            let Event::Undecodable { raw, error, .. } = event else {
                panic!("{data}")
            };
            assert_eq!(raw.get(), data);
            assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn payloads_are_written_back() {
        for (name, data) in [
            ("FRIEND_DEL", r#"{"timestamp":1,"openid":"U","new":[1]}"#),
            ("SOMETHING_NEW", r#"{"a":1}"#),
            ("READY", "7"),
            ("RESUMED", r#""""#),
        ] {
            let event = Event::decode(name, data);
            assert_eq!(serde_json::to_string(&event).unwrap(), data, "{name}");
        }
    }

    #[test]
    fn resumed_has_no_payload() {
        for data in ["\"\"", "{}", "null", ""] {
            assert!(
                matches!(Event::decode("RESUMED", data), Event::Resumed(_)),
                "{data}"
            );
        }
    }
}
