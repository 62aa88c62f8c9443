//! Verified events: raw as they came, and decoded.

use std::fmt;

use bytes::Bytes;
use qq_model::gateway::Envelope;
use qq_model::id::{AppId, EventId};
use qq_model::{Dispatch, Event, JsonText};

/// An event, and the bot that it is for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct WebhookEvent {
    /// The bot.
    pub app_id: AppId,
    /// The event with the members of its envelope, as a gateway session delivers it.
    pub dispatch: Dispatch,
}

/// An event whose signature was verified, as it came. Clones share its text.
#[derive(Clone)]
pub struct RawEvent {
    app_id: AppId,
    body: Bytes,
    name: Box<str>,
    id: Option<EventId>,
    sequence: Option<u64>,
    /// The payload (`d`), a part of the body.
    data: Bytes,
}

impl RawEvent {
    /// `None` when the envelope carries no name. `text` is the body without a byte order mark, and
    /// what the envelope was found in.
    pub(crate) fn new(
        app_id: AppId,
        body: &Bytes,
        text: &str,
        envelope: &Envelope<'_>,
    ) -> Option<Self> {
        let name = envelope.name.as_deref().filter(|name| !name.is_empty())?;
        Some(Self {
            app_id,
            name: name.into(),
            id: envelope
                .id
                .as_deref()
                .filter(|id| !id.is_empty())
                .map(EventId::new),
            sequence: envelope.sequence,
            // Both borrow from the body: an envelope's payload is a part of its text, or empty.
            data: body.slice_ref(envelope.data.as_bytes()),
            body: body.slice_ref(text.as_bytes()),
        })
    }

    /// The bot that the event is for.
    #[must_use]
    pub const fn app_id(&self) -> &AppId {
        &self.app_id
    }

    /// The name (`t`).
    #[must_use]
    pub const fn name(&self) -> &str {
        &self.name
    }

    /// The outer id, the same in every attempt of the platform to deliver the event. A broker that knows
    /// duplicates by a key takes this one, together with the app id.
    #[must_use]
    pub const fn id(&self) -> Option<&EventId> {
        self.id.as_ref()
    }

    /// The whole frame, as the platform sent it; a byte order mark is left out.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// Reads the payload. Never fails: see [`Event::decode`].
    #[must_use]
    pub fn decode(&self) -> WebhookEvent {
        // It was a text before it became bytes.
        let data = std::str::from_utf8(&self.data).unwrap_or_default();
        let mut dispatch = Dispatch::new(Event::decode(&self.name, data));
        dispatch.id.clone_from(&self.id);
        dispatch.sequence = self.sequence;
        dispatch.text = Some(JsonText::part_of(&self.body, data));
        WebhookEvent {
            app_id: self.app_id.clone(),
            dispatch,
        }
    }
}

impl fmt::Debug for RawEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawEvent")
            .field("app_id", &self.app_id)
            .field("name", &self.name)
            .field("id", &self.id)
            .field("bytes", &self.body.len())
            .finish()
    }
}
