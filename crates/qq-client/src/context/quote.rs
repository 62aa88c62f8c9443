//! What a message quotes.

use std::borrow::Cow;

use qq_cache::CachedMessage;
use qq_model::message::{ChatMessage, ChatUserId, Conversation, Media, MsgElement, Quoted};

use super::Context;
use crate::BotError;

/// A quoted message, as far as it could be found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct QuotedMessage {
    /// In guild scenes the id of the message; elsewhere its index (`REFIDX_...`), if it came.
    pub reference: Option<Box<str>>,
    /// The whole message, from the cache, the quote store or the platform. The bot's own messages are among them.
    pub message: Option<CachedMessage>,
    /// What the quoting message itself tells of it, in groups and one-to-one chats.
    pub element: Option<MsgElement>,
}

impl QuotedMessage {
    /// What it says; `None` where it could not be found.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'_, str>> {
        match self.whole() {
            Some(message) => Some(message.text()),
            None => self
                .element
                .as_ref()?
                .content
                .as_deref()
                .map(|text| Cow::Borrowed(text.trim())),
        }
    }

    /// Who said it; `None` where that is unknown, and for the bot's own messages in groups, whose id there the
    /// platform does not tell.
    #[must_use]
    pub fn author_id(&self) -> Option<ChatUserId> {
        if let Some(message) = self.whole() {
            return Some(message.author_id()).filter(|id| !id.text().is_empty());
        }
        let author = self.element.as_ref()?.author.as_ref()?;
        let member = author.member_openid.clone().map(ChatUserId::Member);
        member.or_else(|| author.user_openid.clone().map(ChatUserId::Openid))
    }

    /// Whether a bot said it, such as this one.
    #[must_use]
    pub fn is_from_bot(&self) -> bool {
        match self.whole() {
            Some(message) => message.is_from_bot(),
            None => self
                .element
                .as_ref()
                .and_then(|element| element.author.as_ref())
                .is_some_and(|author| author.bot),
        }
    }

    /// Its pictures, voices, videos and files.
    #[must_use]
    pub fn attachments(&self) -> Vec<Media<'_>> {
        match (self.whole(), &self.element) {
            (Some(message), _) => message.attachments(),
            (None, Some(element)) => element.attachments.iter().map(Media::from).collect(),
            (None, None) => Vec::new(),
        }
    }

    fn whole(&self) -> Option<&dyn ChatMessage> {
        self.message.as_ref()?.event().as_message()
    }
}

impl Context {
    /// What a message quotes; `None` when it quotes nothing.
    ///
    /// In groups and one-to-one chats it is looked up by its index, in the cache and then in the
    /// [`quote_store`](crate::ClientBuilder::quote_store), if there is one, with what the quoting message tells of it
    /// beside. In guild scenes, whose messages only name the quoted one, the cache is asked first and then the platform.
    /// What the bot itself sent is found, too, by whatever call it was sent.
    ///
    /// ```
    /// use qq_client::{Context, EventHandler};
    /// use qq_model::message::GroupMessage;
    ///
    /// struct Bot;
    ///
    /// impl EventHandler for Bot {
    ///     async fn group_message_create(&self, ctx: Context, message: GroupMessage) {
    ///         if let Ok(Some(quoted)) = ctx.quoted(&message).await {
    ///             let text = quoted.text().unwrap_or_default().into_owned();
    ///             let _ = ctx.reply(format!("You quote: {text}")).await;
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// What the platform or the network said, in guild scenes. That the message is no more is no error. A store that
    /// fails is reported to [`EventHandler::error`](crate::EventHandler::error), and the message then counts as not found.
    pub async fn quoted(
        &self,
        message: &dyn ChatMessage,
    ) -> Result<Option<QuotedMessage>, BotError> {
        let Some(Quoted {
            reference, element, ..
        }) = message.quoted()
        else {
            return Ok(None);
        };
        let conversation = message.conversation();
        let found = match reference {
            Some(reference) => self.look_up(&conversation, reference).await?,
            None => None,
        };
        Ok(Some(QuotedMessage {
            reference: reference.map(Into::into),
            message: found,
            element: element.cloned(),
        }))
    }

    async fn look_up(
        &self,
        conversation: &Conversation,
        reference: &str,
    ) -> Result<Option<CachedMessage>, BotError> {
        match conversation {
            Conversation::Channel(channel) => {
                let found = self.messages().resolve(channel.clone(), reference).await;
                unless_gone(found)
            }
            Conversation::Direct(guild) => {
                if let Some(known) = self.messages().get(reference) {
                    return Ok(Some(known));
                }
                let call = self.api.direct(guild.clone()).message(reference).get();
                unless_gone(call.await.map(CachedMessage::from).map_err(BotError::from))
            }
            Conversation::Group(_) | Conversation::C2C(_) => {
                if let Some(known) = self.messages().get_by_index(conversation, reference) {
                    return Ok(Some(known));
                }
                let report = |error| self.shared.replies.reporter.report(error);
                let quotes = &self.shared.knowledge.quotes;
                let found = quotes.find(conversation, reference, report).await;
                Ok(found.as_ref().and_then(CachedMessage::from_event))
            }
        }
    }
}

/// That there is no such message is an answer, too.
fn unless_gone<T>(found: Result<T, BotError>) -> Result<Option<T>, BotError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_absence() => Ok(None),
        Err(error) => Err(error),
    }
}
