//! What can be chosen about dispatch.

use std::time::Duration;

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
            handler_timeout: None,
        }
    }
}

impl DispatchSettings {
    pub(super) const fn bounds(&self) -> Bounds {
        Bounds {
            capacity: self.capacity,
            overflow: self.overflow,
            conversation: self.conversation_capacity,
            conversation_overflow: self.conversation_overflow,
        }
    }
}
