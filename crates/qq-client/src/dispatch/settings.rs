//! What can be chosen about dispatch.

use std::time::Duration;

use qq_model::{Event, EventKinds};

use super::overflow::OverflowPolicy;
use super::table::Bounds;

/// How many events usually wait or run at a time.
const CAPACITY: usize = 4096;

/// See `client/builder/dispatch.rs`.
#[derive(Clone, Debug)]
pub(crate) struct DispatchSettings {
    /// How many events wait or run at a time.
    pub(crate) capacity: usize,
    pub(crate) overflow: OverflowPolicy,
    /// How many of one conversation do.
    pub(crate) conversation_capacity: Option<usize>,
    pub(crate) conversation_overflow: OverflowPolicy,
    /// Which events are taken at all; `None`: all of them.
    pub(crate) kinds: Option<EventKinds>,
    /// How long a callback may take.
    pub(crate) handler_timeout: Option<Duration>,
}

impl Default for DispatchSettings {
    fn default() -> Self {
        Self {
            capacity: CAPACITY,
            overflow: OverflowPolicy::Wait,
            conversation_capacity: None,
            conversation_overflow: OverflowPolicy::Wait,
            kinds: None,
            handler_timeout: None,
        }
    }
}

impl DispatchSettings {
    /// Whether an event is taken. Control events always are, and those that this version does not know.
    pub(super) fn takes(&self, event: &Event) -> bool {
        let is_control = matches!(event, Event::Ready(_) | Event::Resumed(_));
        let kind = event.kind().filter(|_| !is_control);
        match (self.kinds, kind) {
            (Some(kinds), Some(kind)) => kinds.contains(kind),
            _ => true,
        }
    }

    pub(super) const fn bounds(&self) -> Bounds {
        Bounds {
            capacity: self.capacity,
            overflow: self.overflow,
            conversation: self.conversation_capacity,
            conversation_overflow: self.conversation_overflow,
        }
    }
}
