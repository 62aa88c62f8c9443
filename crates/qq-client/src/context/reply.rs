//! Answering the event at hand.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use qq_http::{Upload, Uploaded};
use qq_model::message::{Conversation, Scene};
use qq_model::outgoing::{MessageBody, MessageMarkdown};
use tokio::time::Instant;

use super::Context;
use crate::BotError;
use crate::error::ErrorKind;
use crate::reply::{Closed, Media, ReplyCall, ReplyTarget};

impl Context {
    /// Answers the event at hand: by the route of its scene, as a passive message, with a number that no other
    /// answer to it has. Text, markdown, or any [`MessageBody`].
    ///
    /// A body that already names what it answers or its own number keeps them.
    ///
    /// ```no_run
    /// # async fn run(ctx: qq_client::Context) -> Result<(), qq_client::BotError> {
    /// ctx.reply("Pong!").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn reply(&self, body: impl Into<MessageBody>) -> ReplyCall {
        ReplyCall::new(
            self.clone(),
            self.reply_target(),
            self.origin.received_at,
            body.into(),
        )
    }

    /// [`reply`](Self::reply) with plain text.
    pub fn reply_text(&self, text: impl Into<String>) -> ReplyCall {
        self.reply(MessageBody::text(text))
    }

    /// [`reply`](Self::reply) with markdown; a text is native markdown.
    /// [`text_fallback`](ReplyCall::text_fallback) sends it as plain text where markdown is refused.
    #[doc(alias = "reply_markdown")]
    pub fn send_markdown(&self, markdown: impl Into<MessageMarkdown>) -> ReplyCall {
        self.reply(MessageBody::markdown(markdown))
    }

    /// Answers with a picture, video, voice or file: uploads it, then sends it, as one answer.
    ///
    /// ```no_run
    /// # async fn run(ctx: qq_client::Context) -> Result<(), qq_client::BotError> {
    /// use qq_client::Media;
    ///
    /// ctx.send_media(Media::file("holiday.jpg")).caption("From the beach").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "reply_media")]
    pub fn send_media(&self, media: Media) -> ReplyCall {
        ReplyCall::media(
            self.clone(),
            self.reply_target(),
            self.origin.received_at,
            media,
        )
    }

    /// Answers the event at hand in this chat: for events that do not say where, such as a new member of a guild.
    pub fn reply_in(&self, conversation: Conversation, body: impl Into<MessageBody>) -> ReplyCall {
        let reply_to = self.origin.reply_to.clone();
        let target = reply_to.map(|reply_to| ReplyTarget {
            conversation,
            reply_to,
        });
        let target = target.ok_or_else(|| self.no_target());
        ReplyCall::new(self.clone(), target, self.origin.received_at, body.into())
    }

    /// Uploads a file for messages to the chat of the event at hand, or others of its kind. Groups and one-to-one
    /// chats only; [`send_media`](Self::send_media) uploads and sends at once.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoReplyTarget`] and [`ErrorKind::InvalidRequest`] when there is no such chat, otherwise what the
    /// platform or the network said.
    pub async fn upload(&self, upload: Upload) -> Result<Uploaded, BotError> {
        let upload = match self.reply_target()?.conversation {
            Conversation::Group(group) => self.api.group(group).upload(upload),
            Conversation::C2C(user) => self.api.user(user).upload(upload),
            Conversation::Channel(_) | Conversation::Direct(_) => {
                return Err(BotError::new(
                    ErrorKind::InvalidRequest,
                    "guild scenes have no uploads: send_media sends a picture there",
                ));
            }
        };
        Ok(upload.await?)
    }

    /// Why the event at hand takes no more answers; `None` when it takes one, as far as this process knows.
    #[must_use]
    pub fn reply_closed(&self) -> Option<Closed> {
        let target = self.target()?;
        let desk = self
            .shared
            .replies
            .desk(target, self.origin.received_at, true);
        let page = desk.entry.page();
        page.closed(0, Instant::now())
    }

    /// Answers a message that was kept. `sent_at` is in milliseconds since 1970.
    pub(crate) fn reply_to(
        &self,
        target: ReplyTarget,
        sent_at: Option<i64>,
        body: MessageBody,
    ) -> ReplyCall {
        let opened = if self.is_own(&target.reply_to) {
            self.origin.received_at
        } else {
            opened(sent_at)
        };
        ReplyCall::new(self.clone(), Ok(target), opened, body)
    }

    pub(super) fn reply_target(&self) -> Result<ReplyTarget, BotError> {
        self.target().ok_or_else(|| self.no_target())
    }

    pub(super) fn is_in(&self, scene: Scene) -> bool {
        self.conversation().map(Conversation::scene) == Some(scene)
    }

    fn no_target(&self) -> BotError {
        let what = match self.origin.kind {
            Some(kind) => kind.to_string(),
            None => "this event".to_owned(),
        };
        let fix = if self.origin.reply_to.is_some() {
            "does not say where it is to be answered: name a channel with reply_in"
        } else {
            "cannot be answered: send to a group, user or channel instead"
        };
        BotError::new(ErrorKind::NoReplyTarget, format!("{what} {fix}"))
    }
}

/// When a message came that nobody has noted: when it was sent, by the clock of this machine.
fn opened(sent_at: Option<i64>) -> Instant {
    let now = Instant::now();
    let age = || {
        let sent = Duration::from_millis(u64::try_from(sent_at?).ok()?);
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        now.checked_sub(unix.checked_sub(sent)?)
    };
    age().unwrap_or(now)
}
