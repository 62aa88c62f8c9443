//! Sending an answer.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use qq_model::message::MessageReference;
use qq_model::outgoing::{FileType, MessageBody};
use tokio::time::Instant;
use tracing::{Instrument, field};

use super::media::Media;
use super::sending::{Content, Fallback, Sending};
use super::target::ReplyTarget;
use super::{SentReply, WhenClosed};
use crate::stats::{SendKind, SendResult};
use crate::{BotError, Context};

/// What a call of this crate becomes when it is awaited.
pub type BotFuture<T> = Pin<Box<dyn Future<Output = Result<T, BotError>> + Send>>;

/// An answer that was not sent yet; awaiting it sends it.
///
/// It goes by the route of its scene, with the id of what it answers and a number that no other answer has: that of
/// its place among the answers, in the order in which they are awaited. Failures that may pass are repeated with the
/// same number, which the platform refuses where the first attempt did arrive, so that nothing shows twice.
///
/// ```no_run
/// # async fn run(ctx: qq_client::Context) -> Result<(), qq_client::BotError> {
/// use qq_client::WhenClosed;
///
/// let sent = ctx.reply("The report is ready.").when_closed(WhenClosed::GoActive).await?;
/// println!("sent as {} {:?}", sent.kind(), sent.id());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`ErrorKind::NoReplyTarget`](crate::ErrorKind::NoReplyTarget) when the event cannot be answered; [`ErrorKind::ReplyClosed`](crate::ErrorKind::ReplyClosed) when it takes no more
/// answers and the [policy](WhenClosed) does not send it otherwise; else what the platform or the network said.
///
/// # Cancel safety
///
/// Dropping the future may leave the message sent or not sent; its number is spent either way.
#[must_use = "an answer is sent when it is awaited"]
pub struct ReplyCall {
    ctx: Context,
    target: Result<ReplyTarget, BotError>,
    opened: Instant,
    content: Content,
    when_closed: WhenClosed,
    text_fallback: Fallback,
    timeout: Option<Duration>,
}

impl ReplyCall {
    pub(crate) fn new(
        ctx: Context,
        target: Result<ReplyTarget, BotError>,
        opened: Instant,
        body: MessageBody,
    ) -> Self {
        Self::with_content(ctx, target, opened, Content::Body(Box::new(body)))
    }

    pub(crate) fn media(
        ctx: Context,
        target: Result<ReplyTarget, BotError>,
        opened: Instant,
        media: Media,
    ) -> Self {
        let content = Content::Media {
            media,
            caption: String::new(),
            kind: None,
            name: None,
        };
        Self::with_content(ctx, target, opened, content)
    }

    fn with_content(
        ctx: Context,
        target: Result<ReplyTarget, BotError>,
        opened: Instant,
        content: Content,
    ) -> Self {
        let settings = &ctx.shared().replies.settings;
        let when_closed = settings.when_closed;
        let text_fallback = if settings.has_text_fallback {
            Fallback::Same
        } else {
            Fallback::No
        };
        Self {
            ctx,
            target,
            opened,
            content,
            when_closed,
            text_fallback,
            timeout: None,
        }
    }

    /// What to do when the window is over or the budget used up, instead of what the client does.
    pub const fn when_closed(mut self, policy: WhenClosed) -> Self {
        self.when_closed = policy;
        self
    }

    /// Sends the text of the markdown as plain text, once, should the platform refuse markdown: because the bot lacks
    /// the right, or the text is none. Buttons are left out. The result says so:
    /// [`SentReply::is_text_fallback`].
    pub fn text_fallback(mut self) -> Self {
        self.text_fallback = Fallback::Same;
        self
    }

    /// Like [`text_fallback`](Self::text_fallback), with this text.
    pub fn text_fallback_with(mut self, text: impl Into<String>) -> Self {
        self.text_fallback = Fallback::Text(text.into());
        self
    }

    /// Quotes a message: by id in guild scenes, by index (`REFIDX_..`) in groups and one-to-one chats.
    pub fn reference(mut self, reference: MessageReference) -> Self {
        if let Content::Body(body) = &mut self.content {
            let with_reference = body.as_ref().clone().reference(reference);
            **body = with_reference;
        }
        self
    }

    /// The text beside [media](Context::send_media); shown with pictures only.
    pub fn caption(mut self, text: impl Into<String>) -> Self {
        if let Content::Media { caption, .. } = &mut self.content {
            *caption = text.into();
        }
        self
    }

    /// How [media](Context::send_media) is shown. Without it the ending of the name decides.
    pub const fn kind(mut self, as_kind: FileType) -> Self {
        if let Content::Media { kind, .. } = &mut self.content {
            *kind = Some(as_kind);
        }
        self
    }

    /// The name that is shown for a file sent as [media](Context::send_media).
    pub fn name(mut self, shown: impl Into<String>) -> Self {
        if let Content::Media { name, .. } = &mut self.content {
            *name = Some(shown.into());
        }
        self
    }

    /// Another deadline for the call that sends it than the client's.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    async fn send(self) -> Result<SentReply, BotError> {
        let target = self.target?;
        let is_media = matches!(self.content, Content::Media { .. });
        let shared = Arc::clone(self.ctx.shared());
        let _on_its_way = shared.replies.on_their_way.token();
        let scene = target.conversation.clone();
        let mut sending = Sending::new(self.ctx, scene, self.content);
        sending.fallback = self.text_fallback;
        sending.timeout = self.timeout;
        let sent = sending
            .run(&shared.replies, target, self.opened, self.when_closed)
            .await;
        // What was called for is counted where the call is seen.
        if let Err(error) = &sent
            && sending.calls == 0
        {
            let kind = if is_media {
                SendKind::Media
            } else {
                SendKind::Passive
            };
            let result = SendResult::of_failure(error);
            shared.counters.send(kind, result);
        }
        sent
    }
}

impl IntoFuture for ReplyCall {
    type Output = Result<SentReply, BotError>;
    type IntoFuture = BotFuture<SentReply>;

    fn into_future(self) -> Self::IntoFuture {
        let span = tracing::debug_span!(
            "qq.client.reply",
            scene = self
                .target
                .as_ref()
                .ok()
                .map(|target| target.conversation.scene().as_str()),
            kind = field::Empty,
            number = field::Empty,
            text_fallback = field::Empty,
        );
        Box::pin(self.send().instrument(span))
    }
}

/// What it says stays out.
impl fmt::Debug for ReplyCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplyCall")
            .field("target", &self.target)
            .field("when_closed", &self.when_closed)
            .finish_non_exhaustive()
    }
}
