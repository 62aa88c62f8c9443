//! Which events wait for each other.

use qq_model::Event;
use qq_model::message::Conversation;

use crate::reply::ReplyTarget;

/// Events of one lane are handled one after another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Lane(Conversation);

impl Lane {
    /// The lane of an event; `None` for one that waits for no other, such as READY, whose callback may well run
    /// for as long as the bot.
    pub(crate) fn of(event: &Event) -> Option<Self> {
        ReplyTarget::of(event).map(|target| Self(target.conversation))
    }
}
