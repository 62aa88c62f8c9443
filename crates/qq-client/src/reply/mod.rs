//! Answering events.
//!
//! [`Replies`](self::replies::Replies) is the one place that knows what was answered: a page for each message or event,
//! with its window, its budget and the numbers given out. Texts, media, typing indicators and streams all take their
//! turn there.

mod acks;
mod call;
mod keeper;
mod ledger;
mod media;
mod page;
mod policy;
mod record;
mod refusal;
mod replies;
mod reporter;
mod rules;
mod sending;
mod sent_reply;
mod settings;
mod store;
mod target;
mod waiting;

pub use self::call::{BotFuture, ReplyCall};
pub use self::media::Media;
pub use self::policy::WhenClosed;
pub use self::refusal::Closed;
pub use self::rules::{Answered, ReplyRule, ReplyRules};
pub use self::sent_reply::{ReplyKind, SentReply};
pub use self::store::{InMemoryReplyStore, ReplySave, ReplyStore, StoredReply};

pub(crate) use self::acks::AckHandle;
pub(crate) use self::page::{Class, Outcome, Place, Progress, Turn};
pub(crate) use self::refusal::Correction;
pub(crate) use self::replies::{Desk, Replies};
pub(crate) use self::sending::{Content, Sending};
pub(crate) use self::settings::ReplySettings;
pub(crate) use self::target::ReplyTarget;

use qq_model::message::{
    C2CMessage, Conversation, DirectMessage, GroupMessage, Message, MessageReference,
};
use qq_model::outgoing::MessageBody;

use crate::Context;

/// Answering a received message that was kept, from anywhere that has a [`Context`].
///
/// Inside the message's own callback [`Context::reply`] does the same.
///
/// ```
/// use qq_client::{Context, EventHandler, Reply};
/// use qq_model::message::GroupMessage;
///
/// struct PingBot;
///
/// impl EventHandler for PingBot {
///     async fn group_message_create(&self, ctx: Context, message: GroupMessage) {
///         let _ = message.reply_quoting(&ctx, "This is what I mean.").await;
///     }
/// }
/// ```
pub trait Reply {
    /// Answers this message: by the route of its scene, with a number that no other answer to it has.
    fn reply(&self, ctx: &Context, body: impl Into<MessageBody>) -> ReplyCall;

    /// [`reply`](Self::reply), and quotes the message.
    fn reply_quoting(&self, ctx: &Context, body: impl Into<MessageBody>) -> ReplyCall {
        let call = self.reply(ctx, body);
        match self.quote() {
            Some(reference) => call.reference(reference),
            None => call,
        }
    }

    /// What quotes this message; `None` where the platform gave it no index.
    fn quote(&self) -> Option<MessageReference>;
}

macro_rules! replies {
    ($($message:ty, $sent:expr, $quote:expr;)*) => {$(
        impl Reply for $message {
            fn reply(&self, ctx: &Context, body: impl Into<MessageBody>) -> ReplyCall {
                let sent: fn(&Self) -> Option<i64> = $sent;
                let target = ReplyTarget::message(self.conversation(), self.id.clone());
                ctx.reply_to(target, sent(self), body.into())
            }

            fn quote(&self) -> Option<MessageReference> {
                let quote: fn(&Self) -> Option<Box<str>> = $quote;
                quote(self).filter(|id| !id.is_empty()).map(MessageReference::new)
            }
        }
    )*};
}

replies! {
    Message,
        |message| message.timestamp.as_ref()?.unix_millis(),
        |message| Some((*message.id.text()).into());
    DirectMessage,
        |message| message.timestamp.as_ref()?.unix_millis(),
        |message| Some((*message.id.text()).into());
    GroupMessage,
        |message| message.timestamp.unix_millis(),
        |message| message.message_scene.as_ref()?.msg_idx().map(Into::into);
    C2CMessage,
        |message| message.timestamp.unix_millis(),
        |message| message.message_scene.as_ref()?.msg_idx().map(Into::into);
}

/// Whether answers in this chat carry a number (`msg_seq`).
pub(crate) const fn is_numbered(conversation: &Conversation) -> bool {
    matches!(conversation, Conversation::Group(_) | Conversation::C2C(_))
}
