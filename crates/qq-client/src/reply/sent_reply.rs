//! What became of an answer.

use std::fmt;
use std::ops::Deref;

use qq_http::Sent;
use qq_model::id::MessageId;
use qq_model::message::Conversation;
use qq_model::outgoing::ReplyTo;

/// How a message went out. The platform counts each kind differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReplyKind {
    /// As an answer to a message.
    PassiveToMessage,
    /// As an answer to an event.
    PassiveToEvent,
    /// As a message that answers nothing.
    Active,
    /// As a recall of a user: once per period after they spoke last.
    WakeUp,
}

impl ReplyKind {
    /// A short lower-case name, as in the tracing span.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PassiveToMessage => "passive_to_message",
            Self::PassiveToEvent => "passive_to_event",
            Self::Active => "active",
            Self::WakeUp => "wake_up",
        }
    }

    /// Whether it answered something.
    #[must_use]
    pub const fn is_passive(self) -> bool {
        matches!(self, Self::PassiveToMessage | Self::PassiveToEvent)
    }

    pub(crate) const fn of(target: Option<&ReplyTo>, is_wakeup: bool) -> Self {
        match target {
            Some(ReplyTo::Message(_)) => Self::PassiveToMessage,
            Some(ReplyTo::Event(_)) => Self::PassiveToEvent,
            None if is_wakeup => Self::WakeUp,
            None => Self::Active,
        }
    }
}

impl fmt::Display for ReplyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An answer that the platform did not refuse. It reads as the [`Sent`] within: `id()`, `pending_audit()`, `ref_idx()`.
///
/// ```no_run
/// # async fn run(ctx: qq_client::Context) -> Result<(), qq_client::BotError> {
/// let sent = ctx.reply("Pong!").await?;
/// println!("{:?} as {}", sent.id(), sent.kind());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SentReply {
    sent: Sent,
    kind: ReplyKind,
    conversation: Conversation,
    number: Option<u32>,
    is_text_fallback: bool,
    is_earlier: bool,
}

impl SentReply {
    pub(crate) const fn new(
        sent: Sent,
        kind: ReplyKind,
        conversation: Conversation,
        number: Option<u32>,
    ) -> Self {
        Self {
            sent,
            kind,
            conversation,
            number,
            is_text_fallback: false,
            is_earlier: false,
        }
    }

    pub(crate) const fn text_fallback(mut self, is_text_fallback: bool) -> Self {
        self.is_text_fallback = is_text_fallback;
        self
    }

    pub(crate) const fn earlier(mut self) -> Self {
        self.is_earlier = true;
        self
    }

    /// What the platform said of it.
    #[must_use]
    pub const fn sent(&self) -> &Sent {
        &self.sent
    }

    /// What the platform said of it.
    #[must_use]
    pub fn into_sent(self) -> Sent {
        self.sent
    }

    /// How it went out.
    #[must_use]
    pub const fn kind(&self) -> ReplyKind {
        self.kind
    }

    /// The chat it went to.
    #[must_use]
    pub const fn conversation(&self) -> &Conversation {
        &self.conversation
    }

    /// Its number among the answers to the same message (`msg_seq`), where answers have one.
    #[must_use]
    pub const fn number(&self) -> Option<u32> {
        self.number
    }

    /// Whether the platform refused the markdown and took plain text instead:
    /// [`ReplyCall::text_fallback`](crate::ReplyCall::text_fallback).
    #[must_use]
    pub const fn is_text_fallback(&self) -> bool {
        self.is_text_fallback
    }

    /// Whether it was sent when its event was handled before, so that nothing was sent now.
    #[must_use]
    pub const fn is_earlier(&self) -> bool {
        self.is_earlier
    }
}

impl Deref for SentReply {
    type Target = Sent;

    fn deref(&self) -> &Sent {
        &self.sent
    }
}

impl From<SentReply> for Sent {
    fn from(reply: SentReply) -> Self {
        reply.sent
    }
}

/// What a recall takes: [`Context::recall`](crate::Context::recall).
impl From<&SentReply> for MessageId {
    fn from(reply: &SentReply) -> Self {
        reply.sent.id().cloned().unwrap_or_default()
    }
}
