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
use std::sync::Arc;

use qq_cache::Changes;
use qq_http::HttpClient;
use qq_model::id::EventId;
use qq_model::message::Conversation;
use qq_model::outgoing::ReplyTo;
use qq_model::user::SelfUser;
use qq_model::{EventKind, Token};
use tokio::time::Instant;

use crate::ClientHandle;
use crate::collector::Subject;
use crate::dispatch::Delivery;
use crate::reply::{AckHandle, ReplyTarget};
use crate::shared::Shared;

/// The session of one event: the REST client, the bot itself, and how to answer this event.
///
/// Cheap to clone, and free to be moved into other tasks. All clones share the numbers and the budget of the answers.
#[derive(Clone)]
pub struct Context {
    /// The REST client.
    pub api: HttpClient,
    /// The bot's credentials.
    pub token: Token,
    shared: Arc<Shared>,
    origin: Arc<Origin>,
}

/// Where a context comes from.
struct Origin {
    kind: Option<EventKind>,
    event_id: Option<EventId>,
    received_at: Instant,
    /// Where answers go.
    target: Option<ReplyTarget>,
    /// What names the event in an answer, also where it does not say which chat.
    reply_to: Option<ReplyTo>,
    ack: Option<AckHandle>,
    /// What it is about, to collectors.
    subject: Subject,
    /// What it changed in the cache.
    changes: Changes,
}

impl Context {
    pub(crate) fn new(shared: &Arc<Shared>, delivery: &Delivery) -> Self {
        let (event, event_id) = (&*delivery.event, delivery.event_id.as_ref());
        let target = ReplyTarget::of(event, event_id);
        let reply_to = match target {
            Some(_) => None,
            None => ReplyTarget::reply_to(event, event_id),
        };
        Self {
            api: shared.api.clone(),
            token: shared.token.clone(),
            shared: Arc::clone(shared),
            origin: Arc::new(Origin {
                kind: event.kind(),
                event_id: delivery.event_id.clone(),
                received_at: delivery.received_at,
                target,
                reply_to,
                ack: shared.replies.acks.handle(event, &shared.api),
                subject: Subject::of(event),
                changes: delivery.changes.clone(),
            }),
        }
    }

    /// The chat of the event at hand.
    #[must_use]
    pub fn conversation(&self) -> Option<&Conversation> {
        self.origin
            .target
            .as_ref()
            .map(|target| &target.conversation)
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
    pub const fn api(&self) -> &HttpClient {
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
        let own = self
            .origin
            .target
            .as_ref()
            .map(|target| &target.reply_to)
            .or(self.origin.reply_to.as_ref());
        own == Some(target)
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("kind", &self.origin.kind)
            .finish_non_exhaustive()
    }
}
