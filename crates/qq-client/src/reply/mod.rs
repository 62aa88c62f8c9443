//! Answering events.

mod ledger;
mod replies;
mod settings;
mod target;

use self::ledger::ReplyLedger;
pub(crate) use self::replies::Replies;
pub(crate) use self::settings::ReplySettings;
pub(crate) use self::target::ReplyTarget;

use qq_http::Sent;
use qq_model::message::{C2CMessage, Conversation, DirectMessage, GroupMessage, Message};
use qq_model::outgoing::MessageBody;

use crate::{BotError, Context};

/// Answering a received message that was kept, from anywhere that has a [`Context`].
///
/// Inside the message's own callback [`Context::reply`] does the same.
pub trait Reply {
    /// Answers this message: by the route of its scene, with a number that no other answer to it has.
    ///
    /// # Errors
    ///
    /// As for [`Context::reply`].
    fn reply(
        &self,
        ctx: &Context,
        body: impl Into<MessageBody> + Send,
    ) -> impl Future<Output = Result<Sent, BotError>> + Send;
}

macro_rules! replies {
    ($($message:ty),*) => {$(
        impl Reply for $message {
            async fn reply(&self, ctx: &Context, body: impl Into<MessageBody> + Send) -> Result<Sent, BotError> {
                let target = ReplyTarget::message(self.conversation(), self.id.clone());
                ctx.reply_to(&target, body.into()).await
            }
        }
    )*};
}

replies!(Message, DirectMessage, GroupMessage, C2CMessage);

/// Whether answers in this chat carry a number (`msg_seq`).
pub(crate) const fn is_numbered(conversation: &Conversation) -> bool {
    matches!(conversation, Conversation::Group(_) | Conversation::C2C(_))
}
