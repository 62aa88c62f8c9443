//! Telling a source what became of its event.

use std::sync::Arc;

use super::overflow::DropReason;
use super::progress::{Progress, Ticket};
use crate::Acknowledgement;

/// What became of an event: see [`Acknowledgement`](crate::Acknowledgement).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Every handler has returned.
    Handled,
    /// Handlers were called, and at least one panicked or took too long; the text says which. The client regards the
    /// event as handled.
    Failed(Box<str>),
    /// It found no room.
    Dropped(DropReason),
    /// It was seen before: it is being handled, or was.
    Duplicate,
}

/// Whom to tell.
pub(crate) enum Ack {
    /// Nobody.
    None,
    /// A shard, whose resume position moves.
    Shard(Arc<Progress>, Ticket),
    /// A source of the user's.
    Source(Box<dyn Acknowledgement>),
}

impl Ack {
    /// Tells it. An acknowledgement that is dropped instead says that the event was not handled.
    pub(crate) fn done(self, outcome: Outcome) {
        match self {
            Self::None => {}
            Self::Shard(progress, ticket) => progress.done(ticket),
            Self::Source(acknowledgement) => acknowledgement.done(outcome),
        }
    }
}
