//! What a callback has at hand: the session of its event.

mod interaction;
mod knowledge;
mod quote;
mod recall;
mod reply;
mod session;
mod stream;
mod typing;

pub use self::quote::QuotedMessage;
pub use self::session::{
    AudioSession, AuditSession, C2CReplySession, ChannelReplySession, ChannelSession,
    DirectReplySession, ForumSession, GroupReplySession, GuildSession, InteractionSession,
    ManageSession, MemberSession, OpenForumSession, ReactionSession, ReadySession, ResumedSession,
    UnknownEventSession,
};
pub use self::stream::{ReplyStream, ReplyStreamBuilder};
pub use self::typing::Typing;

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use qq_cache::Changes;
use qq_http::HttpClient;
use qq_model::id::EventId;
use qq_model::message::{ChatMessage, ChatUserId, Conversation};
use qq_model::outgoing::ReplyTo;
use qq_model::user::SelfUser;
use qq_model::{Event, EventKind, Token};
use tokio::time::Instant;

use crate::ClientHandle;
use crate::collector::author_of;
use crate::dispatch::Delivery;
use crate::reply::{AckHandle, ReplyTarget};
use crate::shared::Shared;

/// The session of one event: the REST client, the bot itself, and how to answer this event.
///
/// Cheap to clone, and free to be moved into other tasks. All clones share the numbers and the budget of the answers.
///
/// [`ctx.api`](BotAccess::api) is the REST client and [`ctx.token`](BotAccess::token) the bot's credentials, those of
/// [`BotAccess`]:
///
/// ```
/// # async fn run(ctx: qq_client::Context) -> Result<(), qq_client::BotError> {
/// let me = ctx.api.me().await?;
/// println!("{} is {}", ctx.token.app_id(), me.username);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Context {
    shared: Arc<Shared>,
    origin: Arc<Origin>,
}

/// A bot's way to the platform, the same for all of its events: what a [`Context`] leads to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BotAccess {
    /// The REST client.
    pub api: HttpClient,
    /// The bot's credentials.
    pub token: Token,
}

impl Deref for Context {
    type Target = BotAccess;

    fn deref(&self) -> &BotAccess {
        &self.shared.access
    }
}

/// The event of a context, as far as it is of use beside the payload. All contexts of an event share it.
pub(crate) struct Origin {
    kind: Option<EventKind>,
    event_id: Option<EventId>,
    received_at: Instant,
    /// The chat it belongs to, also where it cannot be answered.
    conversation: Option<Conversation>,
    author: Option<ChatUserId>,
    /// What names the event in an answer, also where it does not say which chat.
    reply_to: Option<ReplyTo>,
    ack: Option<AckHandle>,
    /// What it changed in the cache.
    changes: Changes,
}

impl Origin {
    /// Takes the outer id out of the delivery.
    pub(crate) fn new(shared: &Shared, delivery: &mut Delivery, changes: Changes) -> Self {
        let (event_id, event) = (delivery.event_id.take(), &*delivery.event);
        let about = About::of(event, event_id.as_ref());
        Self {
            kind: event.kind(),
            received_at: delivery.received_at,
            conversation: about.conversation,
            author: about.author,
            reply_to: about.reply_to,
            ack: shared.replies.acks.handle(event, &shared.access.api),
            event_id,
            changes,
        }
    }

    /// The chat that the event belongs to.
    pub(crate) const fn conversation(&self) -> Option<&Conversation> {
        self.conversation.as_ref()
    }

    pub(crate) const fn event_id(&self) -> Option<&EventId> {
        self.event_id.as_ref()
    }
}

/// What an event says of where it belongs. All of it is asked for at once, since the processor cannot foresee of which kind
/// the next event is.
struct About {
    conversation: Option<Conversation>,
    author: Option<ChatUserId>,
    reply_to: Option<ReplyTo>,
}

impl About {
    fn of(event: &Event, event_id: Option<&EventId>) -> Self {
        match event {
            Event::AtMessageCreate(message) | Event::MessageCreate(message) => {
                Self::of_message(&**message)
            }
            Event::DirectMessageCreate(message) => Self::of_message(&**message),
            Event::GroupAtMessageCreate(message) | Event::GroupMessageCreate(message) => {
                Self::of_message(&**message)
            }
            Event::C2CMessageCreate(message) => Self::of_message(&**message),
            event => Self {
                conversation: event.conversation(),
                author: author_of(event),
                reply_to: ReplyTarget::reply_to(event, event_id),
            },
        }
    }

    fn of_message(message: &impl ChatMessage) -> Self {
        let (conversation, id) = (message.conversation(), message.id());
        Self {
            author: Some(message.author_id()),
            reply_to: (!id.is_empty()).then(|| ReplyTo::Message(id.clone())),
            conversation: (!conversation.is_unnamed()).then_some(conversation),
        }
    }
}

impl Context {
    pub(crate) fn new(shared: &Arc<Shared>, origin: Arc<Origin>) -> Self {
        Self {
            shared: Arc::clone(shared),
            origin,
        }
    }

    /// The chat of the event at hand.
    #[must_use]
    pub fn conversation(&self) -> Option<&Conversation> {
        let conversation = self.origin.conversation.as_ref();
        conversation.filter(|_| self.origin.reply_to.is_some())
    }

    /// Which event this is; `None` for one that this version does not know.
    #[must_use]
    pub fn kind(&self) -> Option<EventKind> {
        self.origin.kind
    }

    /// The outer id of the event at hand.
    #[must_use]
    pub fn event_id(&self) -> Option<&EventId> {
        self.origin.event_id.as_ref()
    }

    /// The REST client.
    #[must_use]
    pub fn api(&self) -> &HttpClient {
        &self.api
    }

    /// The bot itself, as the platform described it at start.
    #[must_use]
    pub fn bot_info(&self) -> Option<Arc<SelfUser>> {
        self.shared.user()
    }

    /// A handle on the running client: stop it, watch its status.
    #[must_use]
    pub fn client(&self) -> ClientHandle {
        ClientHandle::new(Arc::clone(&self.shared))
    }

    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Whether an answer to this is an answer to the event at hand.
    pub(crate) fn is_own(&self, target: &ReplyTo) -> bool {
        self.origin.reply_to.as_ref() == Some(target)
    }

    /// Where answers to the event at hand go.
    fn target(&self) -> Option<ReplyTarget> {
        Some(ReplyTarget {
            conversation: self.origin.conversation.clone()?,
            reply_to: self.origin.reply_to.clone()?,
        })
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("kind", &self.origin.kind)
            .finish_non_exhaustive()
    }
}
