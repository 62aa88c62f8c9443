//! Collectors: what somebody waits for among the events that arrive.
//!
//! Events are offered on arrival, before they wait for their turn at the handlers. So a handler can wait for the
//! next message of its own conversation. What a collector holds is bounded by its buffer.

mod builder;
mod end;
mod item;
mod lock;
mod registry;
mod running;
mod scope;
mod slot;

#[cfg(test)]
mod interleavings;
#[cfg(test)]
mod tests;

pub use self::builder::CollectorBuilder;
pub use self::end::EndReason;
pub use self::item::{ButtonPress, Collectable, CollectedMessage, CollectedReaction};
pub use self::running::{Collection, Collector, CollectorHandle};

use std::sync::Arc;

use qq_cache::Cache;
use qq_model::Event;
use qq_model::id::{GuildId, MessageId};
use qq_model::message::{ChatUserId, Conversation};
use tokio::time::Instant;

pub(crate) use self::item::author_of;
use self::item::{Kind, kind_of};
use self::registry::Registry;
use self::scope::Scope;
use self::scope::Subject;
use crate::Context;
use crate::shared::Shared;

/// The collectors of one client.
pub struct Collectors {
    messages: Registry<CollectedMessage>,
    reactions: Registry<CollectedReaction>,
    buttons: Registry<ButtonPress>,
}

/// What a collector starts from, where there is an event.
#[derive(Debug, Default)]
pub(crate) struct From {
    pub(crate) conversation: Option<Conversation>,
    pub(crate) author: Option<ChatUserId>,
    pub(crate) message: Option<MessageId>,
    pub(crate) window: Option<Instant>,
}

impl Collectors {
    pub(crate) fn new() -> Self {
        Self {
            messages: Registry::new(),
            reactions: Registry::new(),
            buttons: Registry::new(),
        }
    }

    /// Whether somebody waits for events like this one. Usually nobody waits for anything.
    pub(crate) fn wait_for(&self, event: &Event) -> bool {
        let waiting = match kind_of(event) {
            Some(Kind::Message) => self.messages.len(),
            Some(Kind::Reaction) => self.reactions.len(),
            Some(Kind::Button) => self.buttons.len(),
            None => 0,
        };
        waiting > 0
    }

    /// Offers an event to those who wait for it; whether handlers shall not see it.
    pub(crate) fn offer(&self, event: &Arc<Event>, context: impl Fn() -> Context) -> bool {
        let Some(kind) = kind_of(event) else {
            return false;
        };
        let (subject, now) = (Subject::of(event), Instant::now());
        match kind {
            Kind::Message => self.messages.offer(&subject, now, |_| {
                Some(CollectedMessage::new(event, context()))
            }),
            Kind::Reaction => self.reactions.offer(&subject, now, |limits| {
                let reaction = CollectedReaction::new(event, context());
                (limits.with_removals || !reaction.is_removal()).then_some(reaction)
            }),
            Kind::Button => self
                .buttons
                .offer(&subject, now, |_| Some(ButtonPress::new(event, context()))),
        }
    }

    /// Ends the collectors whose chat or message is no more. The cache still knows it.
    pub(crate) fn end_gone(&self, event: &Event, cache: &Cache) {
        if self.len() == 0 {
            return;
        }
        match event {
            Event::GroupDelRobot(gone) => {
                self.end_in(&Conversation::Group(gone.group_openid.clone()));
            }
            Event::FriendDel(gone) => self.end_in(&Conversation::C2C(gone.openid.clone())),
            Event::ChannelDelete(gone) => self.end_in(&Conversation::Channel(gone.id.clone())),
            Event::GuildDelete(gone) => self.end_in_guild(&gone.id, cache),
            Event::MessageDelete(gone)
            | Event::PublicMessageDelete(gone)
            | Event::DirectMessageDelete(gone) => self.end_on(&gone.message.id),
            _ => {}
        }
    }

    /// Ends every collector, and those to come until [`reopen`](Self::reopen).
    pub(crate) fn shut_down(&self) {
        self.messages.shut_down();
        self.reactions.shut_down();
        self.buttons.shut_down();
    }

    /// Collects again.
    pub(crate) fn reopen(&self) {
        self.messages.reopen();
        self.reactions.reopen();
        self.buttons.reopen();
    }

    /// How many collect messages.
    pub(crate) fn messages(&self) -> usize {
        self.messages.len()
    }

    /// How many collect reactions.
    pub(crate) fn reactions(&self) -> usize {
        self.reactions.len()
    }

    /// How many collect presses of buttons.
    pub(crate) fn buttons(&self) -> usize {
        self.buttons.len()
    }

    /// How many collectors collect.
    pub(crate) fn len(&self) -> usize {
        self.messages.len() + self.reactions.len() + self.buttons.len()
    }

    fn end_in(&self, gone: &Conversation) {
        self.close_where(EndReason::ConversationGone, |scope| {
            scope.conversation.as_ref() == Some(gone)
        });
    }

    fn end_in_guild(&self, gone: &GuildId, cache: &Cache) {
        self.close_where(EndReason::ConversationGone, |scope| {
            match &scope.conversation {
                Some(Conversation::Channel(channel)) => cache
                    .channel(channel)
                    .is_some_and(|channel| channel.guild_id == *gone),
                Some(Conversation::Direct(guild)) => guild == gone,
                _ => false,
            }
        });
    }

    fn end_on(&self, gone: &MessageId) {
        self.close_where(EndReason::MessageDeleted, |scope| {
            scope.message.as_ref() == Some(gone)
        });
    }

    fn close_where(&self, reason: EndReason, picks: impl Fn(&Scope) -> bool) {
        self.messages.close_where(reason, |slot| picks(&slot.scope));
        self.reactions
            .close_where(reason, |slot| picks(&slot.scope));
        self.buttons.close_where(reason, |slot| picks(&slot.scope));
    }
}

/// A collector of one kind that starts from an event, or from nothing.
pub(crate) fn builder<T: Collectable>(shared: &Arc<Shared>, from: From) -> CollectorBuilder<T> {
    let scope = Scope {
        conversation: from.conversation,
        author: from.author,
        message: from.message,
    };
    CollectorBuilder::new(shared, scope, from.window)
}
