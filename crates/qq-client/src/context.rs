//! What a callback has at hand.

mod knowledge;

use std::fmt;
use std::sync::Arc;

use qq_cache::Changes;
use qq_http::{HttpClient, Sent};
use qq_model::id::EventId;
use qq_model::message::Conversation;
use qq_model::outgoing::MessageBody;
use qq_model::user::SelfUser;
use qq_model::{EventKind, Token};

use crate::collector::Subject;
use crate::dispatch::Delivery;
use crate::reply::{ReplyTarget, is_numbered};
use crate::shared::Shared;
use crate::{BotError, ClientHandle, error::ErrorKind};

/// The session of one event: the REST client, the bot itself, and how to answer this event.
///
/// Cheap to clone, and free to be moved into other tasks.
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
    target: Option<ReplyTarget>,
    /// What it is about, to collectors.
    subject: Subject,
    /// What it changed in the cache.
    changes: Changes,
}

impl Context {
    pub(crate) fn new(shared: &Arc<Shared>, delivery: &Delivery) -> Self {
        Self {
            api: shared.api.clone(),
            token: shared.token.clone(),
            shared: Arc::clone(shared),
            origin: Arc::new(Origin {
                kind: delivery.event.kind(),
                event_id: delivery.event_id.clone(),
                target: ReplyTarget::of(&delivery.event),
                subject: Subject::of(&delivery.event),
                changes: delivery.changes.clone(),
            }),
        }
    }

    /// Answers the event at hand: by the route of its scene, as a passive message, with a number that no other
    /// answer to it has. Text, markdown, or any [`MessageBody`].
    ///
    /// A body that already names what it answers or its own number keeps them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoReplyTarget`] when the event cannot be answered, otherwise what the platform or the network
    /// said.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future may leave the message sent or not sent; its number is spent either way.
    pub async fn reply(&self, body: impl Into<MessageBody> + Send) -> Result<Sent, BotError> {
        match &self.origin.target {
            Some(target) => self.reply_to(target, body.into()).await,
            None => Err(BotError::new(
                ErrorKind::NoReplyTarget,
                match self.origin.kind {
                    Some(kind) => format!(
                        "{kind} cannot be answered: send to a group, user or channel instead"
                    ),
                    None => {
                        "this event cannot be answered: send to a group, user or channel instead"
                            .to_owned()
                    }
                },
            )),
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

    pub(crate) async fn reply_to(
        &self,
        target: &ReplyTarget,
        mut body: MessageBody,
    ) -> Result<Sent, BotError> {
        if body.target().is_none() {
            body = body.reply_to(target.reply_to.clone());
        }
        if is_numbered(&target.conversation)
            && body.sequence().is_none()
            && let Some(reply_to) = body.target()
        {
            let number = self.shared.replies.next_number(reply_to);
            body = body.msg_seq(number);
        }
        self.shared
            .count_send(self.api.conversation(&target.conversation).send(body).await)
            .map_err(BotError::from)
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("kind", &self.origin.kind)
            .finish_non_exhaustive()
    }
}
