//! What a collector shall collect, and how much of it.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use qq_model::id::MessageId;
use qq_model::message::{ChatUserId, Conversation};
use tokio::time::Instant;

use super::end::EndReason;
use super::item::{Collectable, CollectedReaction};
use super::running::{Collection, Collector};
use super::scope::Scope;
use super::slot::{Limits, Slot};
use crate::shared::Shared;

/// How many collected items usually may wait to be taken.
const BUFFER: usize = 256;

/// What a collector shall collect: made by [`Context::collect_messages`](crate::Context::collect_messages) and its
/// sisters.
///
/// Collecting begins with [`start`](Self::start), or when this is awaited: then it gives the first item. What was
/// asked before collecting began may be answered too early to be seen, so start first, then ask:
///
/// ```
/// use std::time::Duration;
///
/// use qq_client::{BotError, Context};
///
/// # async fn run(ctx: Context) -> Result<(), BotError> {
/// let answer = ctx.next_message().time(Duration::from_secs(60)).start();
/// ctx.reply("What is your name?").await?;
/// match answer.await {
///     Ok(message) => message.reply(format!("Hello, {}!", message.text())).await?,
///     Err(reason) => ctx.reply(format!("Never mind: {reason}.")).await?,
/// };
/// # Ok(())
/// # }
/// ```
///
/// A collector may be awaited in a callback of the conversation that it collects from: items reach it when they
/// arrive, before they wait for their turn at the handlers.
#[must_use = "nothing is collected until it is started or awaited"]
pub struct CollectorBuilder<T: Collectable> {
    shared: Arc<Shared>,
    scope: Scope,
    limits: Limits<T>,
    /// The end of the window in which the event of the context can be answered.
    window: Option<Instant>,
    until: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl<T: Collectable> CollectorBuilder<T> {
    pub(super) fn new(shared: &Arc<Shared>, scope: Scope, window: Option<Instant>) -> Self {
        Self {
            shared: Arc::clone(shared),
            scope,
            limits: Limits {
                filter: None,
                with_removals: false,
                max: None,
                max_processed: None,
                time: None,
                idle: None,
                window: None,
                buffer: BUFFER,
                keeps_from_handlers: false,
            },
            window,
            until: None,
        }
    }

    /// Only from this chat, instead of that of the event at hand.
    pub fn conversation(mut self, conversation: Conversation) -> Self {
        self.scope.conversation = Some(conversation);
        self
    }

    /// From every chat.
    pub fn anywhere(mut self) -> Self {
        self.scope.conversation = None;
        self
    }

    /// Only from this user.
    pub fn author(mut self, author: ChatUserId) -> Self {
        self.scope.author = Some(author);
        self
    }

    /// From everybody.
    pub fn anyone(mut self) -> Self {
        self.scope.author = None;
        self
    }

    /// Only on this message: reactions to it, buttons under it. The platform names the message of a button in
    /// guilds only.
    pub fn message(mut self, message: impl Into<MessageId>) -> Self {
        self.scope.message = Some(message.into());
        self
    }

    /// Only what this says yes to. It runs where events arrive, so it must be quick and must not block; one that
    /// panics ends the collector ([`EndReason::FilterPanicked`]). A second filter replaces the first.
    pub fn filter(mut self, filter: impl Fn(&T) -> bool + Send + Sync + 'static) -> Self {
        self.limits.filter = Some(Arc::new(filter));
        self
    }

    /// Ends after so many were collected, at least 1 ([`EndReason::Limit`]).
    pub fn max(mut self, items: u64) -> Self {
        self.limits.max = Some(items.max(1));
        self
    }

    /// Ends after so many were looked at, whether the filter wanted them or not, at least 1
    /// ([`EndReason::ProcessedLimit`]).
    pub fn max_processed(mut self, items: u64) -> Self {
        self.limits.max_processed = Some(items.max(1));
        self
    }

    /// Ends so long after it was started ([`EndReason::Time`]).
    pub fn time(mut self, time: Duration) -> Self {
        self.limits.time = Some(time);
        self
    }

    /// Ends so long after the start or the last collected item ([`EndReason::Idle`]).
    pub fn idle(mut self, time: Duration) -> Self {
        self.limits.idle = Some(time);
        self
    }

    /// Ends when this future does ([`EndReason::Until`]). It is looked at while the collector is waited for.
    pub fn until(mut self, end: impl Future<Output = ()> + Send + 'static) -> Self {
        self.until = Some(Box::pin(end));
        self
    }

    /// Ends when the event of the context can be answered no longer ([`EndReason::ReplyWindowOver`]). Without a
    /// context, or for an event that cannot be answered, it changes nothing.
    pub fn within_reply_window(mut self) -> Self {
        self.limits.window = self.window;
        self
    }

    /// Keeps what is collected from the handlers: an answer to a question is no command. It stays kept from them
    /// when the collector is dropped before it was taken.
    pub fn keep_from_handlers(mut self) -> Self {
        self.limits.keeps_from_handlers = true;
        self
    }

    /// How many collected items may wait to be taken, 256 unless said otherwise, at least 1. One more ends the
    /// collector ([`EndReason::Lagged`]).
    pub fn buffer(mut self, items: usize) -> Self {
        self.limits.buffer = items.max(1);
        self
    }

    /// Starts collecting.
    pub fn start(self) -> Collector<T> {
        let slot = Arc::new(Slot::new(self.scope, self.limits, Instant::now()));
        Collector::start(self.shared, slot, self.until)
    }

    /// Starts collecting, and gives everything collected when it ends; see [`Collector::collect`].
    pub async fn collect(self) -> Collection<T> {
        self.start().collect().await
    }
}

impl CollectorBuilder<CollectedReaction> {
    /// Reactions that are taken back, too.
    pub fn with_removals(mut self) -> Self {
        self.limits.with_removals = true;
        self
    }
}

/// Starts collecting, and gives the first item, or why there was none.
impl<T: Collectable> IntoFuture for CollectorBuilder<T> {
    type Output = Result<T, EndReason>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        self.max(1).start().into_future()
    }
}

impl<T: Collectable> std::fmt::Debug for CollectorBuilder<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CollectorBuilder")
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
