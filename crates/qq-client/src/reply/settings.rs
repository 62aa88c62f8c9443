//! What can be chosen about answers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{ReplyRules, ReplyStore, WhenClosed};

/// See `client/builder/reply.rs`.
#[derive(Clone)]
pub(crate) struct ReplySettings {
    pub(crate) rules: ReplyRules,
    pub(crate) when_closed: WhenClosed,
    pub(crate) has_text_fallback: bool,
    /// How many answered messages are remembered.
    pub(crate) capacity: usize,
    /// How many answers may wait for a next message, of all chats.
    pub(crate) queue_capacity: usize,
    /// How many answers may wait for a next message, of one chat.
    pub(crate) queue_per_chat: usize,
    pub(crate) store: Option<Arc<dyn ReplyStore>>,
    pub(crate) store_timeout: Duration,
    /// How long a click may wait for its callback to acknowledge it.
    pub(crate) auto_ack: Option<Duration>,
}

impl Default for ReplySettings {
    fn default() -> Self {
        Self {
            rules: ReplyRules::default(),
            when_closed: WhenClosed::default(),
            has_text_fallback: false,
            capacity: 100_000,
            queue_capacity: 1024,
            queue_per_chat: 16,
            store: None,
            store_timeout: Duration::from_secs(2),
            auto_ack: Some(Duration::from_millis(500)),
        }
    }
}

impl fmt::Debug for ReplySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplySettings")
            .field("when_closed", &self.when_closed)
            .field("has_store", &self.store.is_some())
            .finish_non_exhaustive()
    }
}
