//! How events are answered.

use std::time::Duration;

use super::ClientBuilder;
use crate::reply::{ReplyRules, ReplyStore, WhenClosed};

impl<H> ClientBuilder<H> {
    /// What becomes of answers to something whose window is over or whose budget is used up; an error unless said
    /// otherwise. Each answer can choose for itself.
    #[must_use]
    pub const fn when_closed(mut self, policy: WhenClosed) -> Self {
        self.settings.reply.when_closed = policy;
        self
    }

    /// How long and how often messages and events can be answered; as the platform prints it unless said otherwise.
    #[must_use]
    pub fn reply_rules(mut self, rules: ReplyRules) -> Self {
        self.settings.reply.rules = rules;
        self
    }

    /// Sends the text of markdown as plain text where the platform refuses markdown; not done unless said so. Each
    /// answer can choose for itself: [`ReplyCall::text_fallback`](crate::ReplyCall::text_fallback).
    #[must_use]
    pub const fn markdown_text_fallback(mut self, is_on: bool) -> Self {
        self.settings.reply.has_text_fallback = is_on;
        self
    }

    /// How many answered messages are remembered, 100,000 unless said otherwise. Those whose window is over are
    /// forgotten by themselves.
    #[must_use]
    pub fn reply_capacity(mut self, messages: usize) -> Self {
        self.settings.reply.capacity = messages.max(1);
        self
    }

    /// How many answers may wait for a next message with [`WhenClosed::Queue`]: in all chats together, and in one; 1024
    /// and 16 unless said otherwise. More fail at once.
    #[must_use]
    pub const fn reply_queue(mut self, answers: usize, per_chat: usize) -> Self {
        self.settings.reply.queue_capacity = answers;
        self.settings.reply.queue_per_chat = per_chat;
        self
    }

    /// Where answers are remembered beyond the life of the process, so that an event that is handled again after a
    /// crash is not answered twice: its answers come to the same places, and what was sent from there is not sent
    /// again. In memory only unless said otherwise.
    #[must_use]
    pub fn reply_store(mut self, store: impl ReplyStore) -> Self {
        self.settings.reply.store = Some(std::sync::Arc::new(store));
        self
    }

    /// How long a call of the [`reply_store`](Self::reply_store) may take until the client goes on without it; 2 s
    /// unless said otherwise.
    #[must_use]
    pub const fn reply_store_timeout(mut self, timeout: Duration) -> Self {
        self.settings.reply.store_timeout = timeout;
        self
    }

    /// How long after a click the client acknowledges it by itself, if its callback has neither done it nor ended;
    /// half a second unless said otherwise. The platform waits for three. `None`: callbacks do it.
    #[must_use]
    pub const fn auto_ack(mut self, after: Option<Duration>) -> Self {
        self.settings.reply.auto_ack = after;
        self
    }
}
