//! What a callback can look up and wait for.

use qq_cache::{Cache, Changes};

use super::Context;
use crate::collector::{self, ButtonPress, CollectedMessage, CollectedReaction, CollectorBuilder};

impl Context {
    /// What the bot has seen. The event at hand is in it already.
    #[must_use]
    pub fn cache(&self) -> &Cache {
        &self.shared.knowledge.cache
    }

    /// What the event at hand changed in the cache, with the values before.
    ///
    /// ```
    /// use qq_cache::Change;
    /// use qq_client::{Context, EventHandler};
    /// use qq_model::channel::Channel;
    ///
    /// struct Bot;
    ///
    /// impl EventHandler for Bot {
    ///     async fn channel_update(&self, ctx: Context, channel: Channel) {
    ///         for change in ctx.changes().iter() {
    ///             if let Change::Channel(change) = change && let Some(old) = change.old() {
    ///                 println!("{} was called {}", channel.name, old.name);
    ///             }
    ///         }
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn changes(&self) -> &Changes {
        &self.origin.changes
    }

    /// Collects messages of the chat of the event at hand; of every chat, if it has none.
    pub fn collect_messages(&self) -> CollectorBuilder<CollectedMessage> {
        collector::builder(&self.shared, self.scope(false))
    }

    /// The next message that the sender of the event at hand says in the same chat: awaited, it gives that message.
    pub fn next_message(&self) -> CollectorBuilder<CollectedMessage> {
        collector::builder(&self.shared, self.scope(true))
    }

    /// Collects reactions in the channel of the event at hand; everywhere, if it has none. Only guild channels have
    /// them.
    pub fn collect_reactions(&self) -> CollectorBuilder<CollectedReaction> {
        collector::builder(&self.shared, self.scope(false))
    }

    /// Collects presses of buttons in the chat of the event at hand; everywhere, if it has none.
    pub fn collect_buttons(&self) -> CollectorBuilder<ButtonPress> {
        collector::builder(&self.shared, self.scope(false))
    }

    fn scope(&self, same_author: bool) -> collector::From {
        collector::From {
            conversation: self.origin.conversation.clone(),
            author: self.origin.author.clone().filter(|_| same_author),
            message: None,
            window: self.target().and_then(|target| {
                self.shared
                    .replies
                    .closes_at(&target, self.origin.received_at)
            }),
        }
    }
}
