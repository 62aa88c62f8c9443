//! An event as a transport delivers it.

use super::JsonText;
use crate::Event;
use crate::gateway::{Envelope, OpCode};
use crate::id::EventId;

/// An event with the members of its envelope that matter to a bot. Both transports end in it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Dispatch {
    /// The number of the event in its session (`s`); webhooks have none.
    pub sequence: Option<u64>,
    /// The outer id, which `event_id` of a reply takes; READY and RESUMED have none.
    pub id: Option<EventId>,
    /// The event.
    pub event: Event,
    /// The JSON text of the payload as it came, where the transport was told to keep it.
    pub text: Option<JsonText>,
}

impl Dispatch {
    /// An event outside any session.
    #[must_use]
    pub const fn new(event: Event) -> Self {
        Self {
            sequence: None,
            id: None,
            event,
            text: None,
        }
    }

    /// Reads the payload of an envelope; `None` when it carries no event ([`OpCode::Dispatch`] with a name).
    #[must_use]
    pub fn decode(envelope: &Envelope<'_>) -> Option<Self> {
        Self::decode_with(envelope, Event::decode)
    }

    /// The same, if the event's name is known, its payload is sound, and the frame is nested to so many levels at most;
    /// otherwise `None`, and [`decode`](Self::decode) tells what it is.
    ///
    /// ```
    /// use qq_model::Dispatch;
    /// use qq_model::gateway::Envelope;
    ///
    /// let envelope = Envelope::scan(r#"{"op":0,"s":7,"t":"FRIEND_ADD","d":{"openid":"U","new":[{}]}}"#)?;
    /// assert_eq!(Dispatch::decode_within(&envelope, 4), Dispatch::decode(&envelope));
    /// assert_eq!(Dispatch::decode_within(&envelope, 3), None);
    /// # Ok::<(), qq_model::gateway::EnvelopeError>(())
    /// ```
    #[must_use]
    pub fn decode_within(envelope: &Envelope<'_>, max_depth: usize) -> Option<Self> {
        if envelope.op != OpCode::Dispatch || envelope.depth > max_depth {
            return None;
        }
        let kind = envelope.name.as_deref()?.parse().ok()?;
        let event = Event::read(kind, envelope.data, max_depth.checked_sub(1)?)?;
        Some(Self::of(envelope, event))
    }

    /// The same with a decoder of the caller's own, which gets the event's name and the JSON text of its payload, as
    /// [`Event::decode`] does.
    #[must_use]
    pub fn decode_with(
        envelope: &Envelope<'_>,
        decode: impl FnOnce(&str, &str) -> Event,
    ) -> Option<Self> {
        let name = envelope
            .name
            .as_deref()
            .filter(|_| envelope.op == OpCode::Dispatch)?;
        Some(Self::of(envelope, decode(name, envelope.data)))
    }

    fn of(envelope: &Envelope<'_>, event: Event) -> Self {
        let id = envelope.id.as_deref().filter(|id| !id.is_empty());
        Self {
            sequence: envelope.sequence,
            id: id.map(EventId::new),
            event,
            text: None,
        }
    }
}
