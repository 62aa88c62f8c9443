//! Answers that grow while they are written.

use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use qq_http::{Error, MessageStream, StreamBuilder, StreamError, Streamed};
use qq_model::id::UserOpenid;
use qq_model::message::Conversation;
use qq_model::outgoing::ReplyTo;
use tokio::time::Instant;

use super::Context;
use crate::BotError;
use crate::error::ErrorKind;
use crate::reply::{
    BotFuture, Class, Correction, Desk, Outcome, Place, Progress, ReplyKind, Turn, WhenClosed,
};

/// An answer that grows, before it begins: [`Context::stream`].
#[must_use = "a stream begins when it is awaited"]
pub struct ReplyStreamBuilder {
    ctx: Context,
    when_closed: WhenClosed,
    is_markdown: bool,
    has_fallback: bool,
    throttle: Option<Duration>,
    finish_timeout: Option<Duration>,
}

/// An answer that grows while it is written: [`Context::stream`]. It is one answer, with one number, however many
/// frames it takes.
///
/// Dropping it ends it with the text so far, as [`MessageStream`] does.
#[must_use = "a stream shows nothing before text is pushed"]
pub struct ReplyStream {
    stream: MessageStream,
    turn: StreamTurn,
    /// It was finished when the event was handled before: nothing is sent.
    is_earlier: bool,
}

/// The stream's place among the answers.
struct StreamTurn {
    ctx: Context,
    kind: ReplyKind,
    desk: Desk,
    place: Place,
}

impl Context {
    /// Answers with a text that grows on the user's screen while it is written. One-to-one chats only.
    ///
    /// ```no_run
    /// # async fn run(ctx: qq_client::Context) -> Result<(), qq_client::BotError> {
    /// let mut answer = ctx.stream().markdown().await?;
    /// for word in ["Thinking", " takes", " time."] {
    ///     answer.push(word).await?;
    /// }
    /// answer.finish().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn stream(&self) -> ReplyStreamBuilder {
        ReplyStreamBuilder {
            when_closed: self.shared.replies.settings.when_closed,
            ctx: self.clone(),
            is_markdown: false,
            has_fallback: false,
            throttle: None,
            finish_timeout: None,
        }
    }
}

impl ReplyStreamBuilder {
    /// Shows the text as markdown; plain by default.
    pub const fn markdown(mut self) -> Self {
        self.is_markdown = true;
        self
    }

    /// What to do when the window is over or the budget used up, instead of what the client does.
    pub const fn when_closed(mut self, policy: WhenClosed) -> Self {
        self.when_closed = policy;
        self
    }

    /// Sends the text as a normal message in the end, if the platform refused the stream and nothing of it was shown.
    pub const fn fallback(mut self) -> Self {
        self.has_fallback = true;
        self
    }

    /// The shortest time between two frames: half a second by default, at least 300 ms.
    pub const fn throttle(mut self, pause: Duration) -> Self {
        self.throttle = Some(pause);
        self
    }

    /// How long the end of the stream is tried for; 15 seconds by default.
    pub const fn finish_timeout(mut self, timeout: Duration) -> Self {
        self.finish_timeout = Some(timeout);
        self
    }

    /// The stream. Nothing is sent before the first text; its place among the answers is taken now.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoReplyTarget`] when the event cannot be answered, [`ErrorKind::InvalidRequest`] in other chats than
    /// one-to-one, [`ErrorKind::ReplyClosed`] when it takes no more answers and the [policy](WhenClosed) does not send
    /// it otherwise.
    pub async fn start(self) -> Result<ReplyStream, BotError> {
        let target = self.ctx.reply_target()?;
        let Conversation::C2C(user) = target.conversation.clone() else {
            return Err(BotError::new(
                ErrorKind::InvalidRequest,
                "only one-to-one chats have streams: send the whole text with reply",
            ));
        };
        let shared = Arc::clone(self.ctx.shared());
        let replies = &shared.replies;
        let mut desk = replies.desk(target, self.ctx.origin.received_at, true);
        let closed = match replies.turn(&desk, Class::Stream, 0).await {
            Turn::Open(place) => return self.begin(&user, desk, place),
            Turn::Earlier(_) => return self.begin_earlier(&user, desk),
            Turn::Doubtful => return Err(BotError::doubtful_reply()),
            Turn::Closed(why) => BotError::reply_closed(why),
        };
        let is_sent = self.when_closed != WhenClosed::Error;
        let place = replies.elsewhere(&desk, Class::Stream, None, is_sent).await;
        let longest = match self.when_closed {
            WhenClosed::Error => return Err(closed),
            WhenClosed::GoActive => return self.begin(&user, desk, place),
            WhenClosed::Queue(longest) => longest,
        };
        let deadline = Instant::now() + longest;
        let chat = Conversation::C2C(user.clone());
        while let Some(chance) = replies.next_message(&chat, deadline).await {
            desk = replies.desk(chance.target, chance.received_at, false);
            if let Turn::Open(place) = replies.turn(&desk, Class::Stream, 1).await {
                return self.begin(&user, desk, place);
            }
        }
        Err(closed)
    }

    fn begin(self, user: &UserOpenid, desk: Desk, place: Place) -> Result<ReplyStream, BotError> {
        let mut builder = self.configure(user);
        let mut kind = ReplyKind::Active;
        if place.number > 0 {
            kind = ReplyKind::of(Some(&desk.target.reply_to), false);
            builder = match &desk.target.reply_to {
                ReplyTo::Message(id) => builder.reply_to(id.clone()),
                ReplyTo::Event(id) => builder.reply_to_event(id.clone()),
            };
            let entry = Arc::clone(&desk.entry);
            builder = builder
                .msg_seq(place.number)
                .next_msg_seq(move || entry.page().further());
        }
        Ok(ReplyStream {
            stream: builder.start()?,
            turn: StreamTurn {
                ctx: self.ctx,
                kind,
                desk,
                place,
            },
            is_earlier: false,
        })
    }

    fn begin_earlier(self, user: &UserOpenid, desk: Desk) -> Result<ReplyStream, BotError> {
        Ok(ReplyStream {
            stream: self.configure(user).start()?,
            turn: StreamTurn {
                ctx: self.ctx,
                kind: ReplyKind::of(Some(&desk.target.reply_to), false),
                desk,
                place: Place::default(),
            },
            is_earlier: true,
        })
    }

    fn configure(&self, user: &UserOpenid) -> StreamBuilder {
        let mut builder = self.ctx.api.user(user.clone()).stream();
        if self.is_markdown {
            builder = builder.markdown();
        }
        if self.has_fallback {
            builder = builder.fallback();
        }
        if let Some(throttle) = self.throttle {
            builder = builder.throttle(throttle);
        }
        if let Some(timeout) = self.finish_timeout {
            builder = builder.finish_timeout(timeout);
        }
        builder
    }
}

impl IntoFuture for ReplyStreamBuilder {
    type Output = Result<ReplyStream, BotError>;
    type IntoFuture = BotFuture<ReplyStream>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}

impl ReplyStream {
    /// Adds text, and sends what has gathered unless a frame was sent a moment ago.
    ///
    /// # Errors
    ///
    /// The platform refused the stream, which has ended. Failures that may pass are no errors here.
    pub async fn push(&mut self, text: &str) -> Result<(), BotError> {
        if self.is_earlier {
            return Ok(());
        }
        let pushed = self.stream.push(text).await;
        self.judge(pushed).await
    }

    /// Gives the whole text so far, for models that repeat it; otherwise like [`push`](Self::push).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`]: it does not begin with what was sent already.
    pub async fn set(&mut self, whole: &str) -> Result<(), BotError> {
        if self.is_earlier {
            return Ok(());
        }
        let set = self.stream.set(whole).await;
        self.judge(set).await
    }

    /// Sends what has gathered, after the pause that is due. Worth calling when the text pauses.
    ///
    /// # Errors
    ///
    /// As for [`push`](Self::push).
    pub async fn flush(&mut self) -> Result<(), BotError> {
        if self.is_earlier {
            return Ok(());
        }
        let flushed = self.stream.flush().await;
        self.judge(flushed).await
    }

    /// Sends the last frame, with the whole text.
    ///
    /// # Errors
    ///
    /// It did not arrive in time, or was refused. [`ErrorKind::OutcomeUnknown`] where it may have arrived all the same.
    pub async fn finish(self) -> Result<Streamed, BotError> {
        let Self {
            stream,
            turn,
            is_earlier,
        } = self;
        if is_earlier {
            return Ok(Streamed::default());
        }
        let shared = Arc::clone(turn.ctx.shared());
        let _on_its_way = shared.replies.on_their_way.token();
        if stream.text().is_empty() {
            turn.settle(None).await;
            return Ok(Streamed::default());
        }
        turn.note(Progress::Finishing).await;
        let finished = stream.finish().await;
        match &finished {
            Ok(streamed) => {
                let outcome = match &streamed.fallback {
                    Some(sent) => Outcome::Message(sent.clone()),
                    None => Outcome::Stream(streamed.ids.clone()),
                };
                turn.settle(Some(outcome)).await;
            }
            Err(error) if turn.was_finished_before(error) => {
                turn.note(Progress::Sent(None)).await;
                return Ok(Streamed::default());
            }
            Err(error) => turn.correct(error).await,
        }
        finished.map_err(BotError::from)
    }

    /// The whole text so far, sent or not.
    #[must_use]
    pub fn text(&self) -> &str {
        self.stream.text()
    }

    /// The last failure of a frame, until one succeeds.
    #[must_use]
    pub fn last_error(&self) -> Option<&Error> {
        self.stream.last_error()
    }

    /// How it goes out.
    #[must_use]
    pub const fn kind(&self) -> ReplyKind {
        self.turn.kind
    }

    /// Its number among the answers to the same message (`msg_seq`), where it answers one.
    #[must_use]
    pub const fn number(&self) -> Option<u32> {
        if self.turn.place.number == 0 {
            None
        } else {
            Some(self.turn.place.number)
        }
    }

    async fn judge(&mut self, outcome: Result<(), StreamError>) -> Result<(), BotError> {
        let Err(error) = outcome else {
            return Ok(());
        };
        if self.turn.was_finished_before(&error) {
            self.is_earlier = true;
            self.turn.note(Progress::Sent(None)).await;
            return Ok(());
        }
        self.turn.correct(&error).await;
        Err(error.into())
    }
}

impl StreamTurn {
    async fn settle(&self, outcome: Option<Outcome>) {
        let replies = &self.ctx.shared.replies;
        replies.settle(&self.desk, self.place, outcome).await;
    }

    async fn note(&self, progress: Progress) {
        let replies = &self.ctx.shared.replies;
        replies.note(&self.desk, self.place, progress).await;
    }

    /// Whether the last frame was sent before the restart: its number is taken.
    fn was_finished_before(&self, error: &StreamError) -> bool {
        let is_taken = |error: &Error| Correction::of(error, true) == Some(Correction::NumberUsed);
        self.place.is_resumed && error.http().is_some_and(is_taken)
    }

    /// Believes what the platform says about answers.
    async fn correct(&self, error: &StreamError) {
        let Some(error) = error.http() else {
            return;
        };
        let replies = &self.ctx.shared.replies;
        match Correction::of(error, self.kind.is_passive()) {
            Some(Correction::Closed(why)) => {
                self.desk.entry.page().close(why);
                self.settle(None).await;
            }
            Some(correction @ (Correction::NoActive | Correction::ActiveUsedUp)) => {
                replies.correct_active(&self.desk.target.conversation, correction);
            }
            Some(Correction::NumberUsed) | None => {}
        }
    }
}

/// What it says stays out.
impl fmt::Debug for ReplyStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplyStream")
            .field("kind", &self.turn.kind)
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ReplyStreamBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplyStreamBuilder")
            .field("when_closed", &self.when_closed)
            .field("is_markdown", &self.is_markdown)
            .field("has_fallback", &self.has_fallback)
            .finish_non_exhaustive()
    }
}
