//! An event on its way to the handlers.

use std::ops::Deref;
use std::sync::Arc;

use qq_model::id::EventId;
use qq_model::{Dispatch, Event, JsonText};
use tokio::time::Instant;

/// An event with all that is known about how it came.
#[derive(Debug)]
pub(crate) struct Delivery {
    /// The event, decoded once.
    pub(crate) event: Held,
    /// The outer id, which `event_id` of a reply takes.
    pub(crate) event_id: Option<EventId>,
    /// Its number in the session of its source.
    pub(crate) sequence: Option<u64>,
    /// The payload as it came, where somebody asked for it.
    pub(crate) text: Option<JsonText>,
    /// What stands for it among those that were seen, where that is known already.
    pub(crate) number: Option<u64>,
    /// When this process took it.
    pub(crate) received_at: Instant,
    /// Whether an earlier process may have begun to handle it and did not finish.
    pub(crate) is_redelivered: bool,
}

/// An event, shared only where somebody else wants to hold it.
#[derive(Debug)]
pub(crate) enum Held {
    Alone(Event),
    Shared(Arc<Event>),
}

impl Delivery {
    pub(crate) fn new(dispatch: Dispatch, received_at: Instant) -> Self {
        Self {
            event: Held::Alone(dispatch.event),
            event_id: dispatch.id,
            sequence: dispatch.sequence,
            text: dispatch.text,
            number: None,
            received_at,
            is_redelivered: false,
        }
    }

    /// The same with an event that can be shared.
    pub(crate) fn into_shared(self) -> Self {
        Self {
            event: Held::Shared(self.event.into_shared()),
            ..self
        }
    }
}

impl Held {
    pub(crate) fn into_shared(self) -> Arc<Event> {
        match self {
            Self::Alone(event) => Arc::new(event),
            Self::Shared(event) => event,
        }
    }

    /// The event by value: moved where nobody else holds it.
    pub(crate) fn into_event(self) -> Event {
        match self {
            Self::Alone(event) => event,
            Self::Shared(event) => Arc::unwrap_or_clone(event),
        }
    }

    pub(crate) const fn as_shared(&self) -> Option<&Arc<Event>> {
        match self {
            Self::Alone(_) => None,
            Self::Shared(event) => Some(event),
        }
    }
}

impl Deref for Held {
    type Target = Event;

    fn deref(&self) -> &Event {
        match self {
            Self::Alone(event) => event,
            Self::Shared(event) => event,
        }
    }
}
