//! Taking messages back.

use qq_model::id::MessageId;
use qq_model::message::Conversation;
use qq_model::outgoing::ReplyTo;

use super::Context;
use crate::BotError;
use crate::error::ErrorKind;

impl Context {
    /// Recalls a message of the chat at hand: one that was sent (`ctx.recall(&sent)`), or any by its id where the bot
    /// may. Groups and one-to-one chats allow it for 2 minutes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoReplyTarget`] when the event at hand has no chat, [`ErrorKind::InvalidRequest`] when the id is
    /// not known, such as while an audit is pending; otherwise what the platform or the network said.
    pub async fn recall(&self, message: impl Into<MessageId> + Send) -> Result<(), BotError> {
        let message = message.into();
        if message.is_empty() {
            return Err(BotError::new(
                ErrorKind::InvalidRequest,
                "the message has no id that is known, so it cannot be recalled",
            ));
        }
        match self.reply_target()?.conversation {
            Conversation::Channel(channel) => {
                self.api.channel(channel).message(message).recall().await
            }
            Conversation::Direct(guild) => self.api.direct(guild).message(message).recall().await,
            Conversation::Group(group) => self.api.group(group).message(message).recall().await,
            Conversation::C2C(user) => self.api.user(user).message(message).recall().await,
        }
        .map_err(BotError::from)
    }

    /// Recalls the received message, which takes an administrator of its group or guild channel.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoReplyTarget`] when the event at hand is no message, [`ErrorKind::InvalidRequest`] in one-to-one
    /// chats, where nobody else's message can be recalled; otherwise as for [`recall`](Self::recall).
    pub async fn recall_received(&self) -> Result<(), BotError> {
        let target = self.reply_target()?;
        let ReplyTo::Message(message) = target.reply_to else {
            return Err(BotError::new(
                ErrorKind::NoReplyTarget,
                "only messages are recalled",
            ));
        };
        if matches!(
            target.conversation,
            Conversation::C2C(_) | Conversation::Direct(_)
        ) {
            return Err(BotError::new(
                ErrorKind::InvalidRequest,
                "a user's message in a private chat cannot be recalled by the bot",
            ));
        }
        self.recall(message).await
    }
}
