//! An event as JSON.

use std::fmt;
use std::sync::Arc;

use qq_model::id::EventId;
use qq_model::{Event, EventKind};
use serde::Deserialize;

use crate::BotError;
use crate::error::ErrorKind;

/// An event as JSON, with its name: what [`Client::on`](crate::Client::on) hands to closures. Cheap to clone.
#[derive(Clone)]
pub struct RawEvent {
    name: Name,
    id: Option<EventId>,
    sequence: Option<u64>,
    json: Arc<str>,
}

#[derive(Clone)]
enum Name {
    Known(EventKind),
    New(Arc<str>),
}

impl RawEvent {
    /// `text` is the payload as it came, where it was kept.
    pub(crate) fn new(
        event: &Event,
        text: Option<&Arc<str>>,
        id: Option<&EventId>,
        sequence: Option<u64>,
    ) -> Self {
        let (name, json) = match event {
            Event::Unknown { name, raw } => (Name::New((**name).into()), raw.get().into()),
            Event::Undecodable { kind, raw, .. } => (Name::Known(*kind), raw.get().into()),
            event => {
                let name = event.kind();
                let json = text.cloned().unwrap_or_else(|| {
                    // Whatever this version does not know was kept, so this is what came, perhaps in another order.
                    serde_json::to_string(event).unwrap_or_default().into()
                });
                (
                    name.map_or_else(|| Name::New(event.name().into()), Name::Known),
                    json,
                )
            }
        };
        Self {
            name,
            id: id.cloned(),
            sequence,
            json,
        }
    }

    /// The name (`t`), such as `GROUP_AT_MESSAGE_CREATE`.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.name {
            Name::Known(kind) => kind.as_str(),
            Name::New(name) => name,
        }
    }

    /// Which event this is; `None` for one that this version does not know.
    #[must_use]
    pub const fn kind(&self) -> Option<EventKind> {
        match &self.name {
            Name::Known(kind) => Some(*kind),
            Name::New(_) => None,
        }
    }

    /// The outer id.
    #[must_use]
    pub const fn id(&self) -> Option<&EventId> {
        self.id.as_ref()
    }

    /// The number of the event in its session (`s`); webhooks have none.
    #[must_use]
    pub const fn sequence(&self) -> Option<u64> {
        self.sequence
    }

    /// The payload (`d`), byte for byte as the platform sent it. Events of an [`EventSource`](crate::EventSource) that
    /// brings no [`text`](qq_model::Dispatch::text) are written back: with everything in them, perhaps in another order.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }

    /// The payload as a type of one's own.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] when the payload has another shape.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use qq_client::{BotError, RawEvent};
    /// #[derive(serde::Deserialize)]
    /// struct Poke { group_openid: String }
    ///
    /// fn group(raw: &RawEvent) -> Result<String, BotError> {
    ///     Ok(raw.decode::<Poke>()?.group_openid)
    /// }
    /// ```
    pub fn decode<'de, T: Deserialize<'de>>(&'de self) -> Result<T, BotError> {
        serde_json::from_str(&self.json).map_err(|error| {
            let message = format!("the payload of {} could not be read", self.name());
            BotError::with_source(ErrorKind::Decode, message, error)
        })
    }
}

impl fmt::Debug for RawEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawEvent")
            .field("name", &self.name())
            .field("id", &self.id)
            .field("sequence", &self.sequence)
            .finish_non_exhaustive()
    }
}
