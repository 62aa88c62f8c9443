//! An answer on its way: whose turn it is, what the platform says, what follows from it.

use std::time::Duration;

use bytes::Bytes;
use qq_http::{Error, Sent, UploadFile};
use qq_model::message::Conversation;
use qq_model::outgoing::{FileType, MessageBody};
use tokio::time::Instant;
use tracing::Span;

use super::media::{Media, Picture};
use super::page::{Class, Outcome, Place, Turn};
use super::refusal::{Correction, refuses_markdown};
use super::replies::{Desk, Replies};
use super::target::ReplyTarget;
use super::{ReplyKind, SentReply, WhenClosed, is_numbered};
use crate::error::ErrorKind;
use crate::{BotError, Context};

/// How often a number that somebody else has used is replaced.
const NUMBERS: u32 = 8;

pub(crate) struct Sending {
    pub(crate) ctx: Context,
    pub(crate) class: Class,
    /// How many other answers it leaves of the budget.
    pub(crate) spare: u32,
    pub(crate) scene: Conversation,
    pub(crate) content: Option<Content>,
    /// What comes of the content.
    pub(crate) message: Option<Prepared>,
    pub(crate) fallback: Fallback,
    pub(crate) is_text_fallback: bool,
    pub(crate) timeout: Option<Duration>,
    /// How many calls were made to send it.
    pub(crate) calls: u32,
}

/// What to send.
pub(crate) enum Content {
    Body(Box<MessageBody>),
    Media {
        media: Media,
        caption: String,
        kind: Option<FileType>,
        name: Option<String>,
    },
}

/// A message that can be sent.
#[derive(Clone)]
pub(crate) struct Prepared {
    body: MessageBody,
    /// Beside the body; guild scenes only.
    picture: Option<Bytes>,
}

/// What goes out where markdown was refused.
pub(crate) enum Fallback {
    No,
    /// The text of the markdown.
    Same,
    Text(String),
}

/// Why an attempt at an answer did not send it.
enum Attempt {
    Failed(BotError),
    /// What is answered is closed, as the platform says. The place is still its own.
    Closed(Place, BotError),
}

impl Sending {
    pub(crate) const fn new(ctx: Context, scene: Conversation, content: Content) -> Self {
        Self {
            ctx,
            class: Class::Message,
            spare: 0,
            scene,
            content: Some(content),
            message: None,
            fallback: Fallback::No,
            is_text_fallback: false,
            timeout: None,
            calls: 0,
        }
    }

    pub(crate) async fn run(
        &mut self,
        replies: &Replies,
        target: ReplyTarget,
        opened: Instant,
        policy: WhenClosed,
    ) -> Result<SentReply, BotError> {
        let mut target = target;
        if let Some(Content::Body(body)) = &self.content {
            if body.is_wakeup() {
                return self.unasked(replies, ReplyKind::WakeUp).await;
            }
            if let Some(reply_to) = body.target() {
                target.reply_to = reply_to.clone();
            }
        }
        let is_own = self.ctx.is_own(&target.reply_to);
        let desk = replies.desk(target, opened, is_own);
        self.answer(replies, desk, policy).await
    }

    async fn answer(
        &mut self,
        replies: &Replies,
        desk: Desk,
        policy: WhenClosed,
    ) -> Result<SentReply, BotError> {
        let (place, closed) = match replies.turn(&desk, self.class, self.spare).await {
            Turn::Open(place) => match self.attempt(replies, &desk, place).await {
                Ok(sent) => return Ok(sent),
                Err(Attempt::Failed(error)) => return Err(error),
                Err(Attempt::Closed(place, error)) => (Some(place), error),
            },
            Turn::Earlier(outcome) => return Ok(self.earlier(&desk, outcome)),
            Turn::Doubtful => return Err(BotError::doubtful_reply()),
            Turn::Closed(why) => (None, BotError::reply_closed(why)),
        };
        // Its place stays its own, should the event be handled again.
        let place = replies
            .elsewhere(&desk, self.class, place, policy != WhenClosed::Error)
            .await;
        let sent = self.otherwise(replies, policy, closed).await;
        Self::settle(replies, &desk, place, &sent).await;
        sent
    }

    /// What the policy says about an answer to something that takes no more.
    async fn otherwise(
        &mut self,
        replies: &Replies,
        policy: WhenClosed,
        closed: BotError,
    ) -> Result<SentReply, BotError> {
        let longest = match policy {
            WhenClosed::Error => return Err(closed),
            WhenClosed::GoActive => return self.unasked(replies, ReplyKind::Active).await,
            WhenClosed::Queue(longest) => longest,
        };
        let deadline = Instant::now() + longest;
        while let Some(chance) = replies.next_message(&self.scene, deadline).await {
            let desk = replies.desk(chance.target, chance.received_at, false);
            if let Turn::Open(place) = replies.turn(&desk, self.class, 1).await {
                match self.attempt(replies, &desk, place).await {
                    Ok(sent) => return Ok(sent),
                    Err(Attempt::Failed(error)) => return Err(error),
                    Err(Attempt::Closed(place, _)) => replies.settle(&desk, place, None).await,
                }
            }
        }
        Err(closed)
    }

    /// Sends it as an answer.
    async fn attempt(
        &mut self,
        replies: &Replies,
        desk: &Desk,
        mut place: Place,
    ) -> Result<SentReply, Attempt> {
        let kind = ReplyKind::of(Some(&desk.target.reply_to), false);
        let has_number = is_numbered(&desk.target.conversation);
        for _ in 0..NUMBERS {
            let prepared = match self.prepare().await {
                Ok(prepared) => prepared,
                Err(error) => {
                    replies.settle(desk, place, None).await;
                    return Err(Attempt::Failed(error));
                }
            };
            let own_number = prepared.body.sequence();
            let number = own_number.unwrap_or(place.number);
            desk.entry.page().note_number(number);
            let number = has_number.then_some(number);
            let mut body = prepared.body.reply_to(desk.target.reply_to.clone());
            if let Some(number) = number {
                body = body.msg_seq(number);
            }
            trace(kind, number);
            let error = match self.call(body, prepared.picture).await {
                Ok(sent) => {
                    let outcome = Outcome::Message(sent.clone());
                    replies.settle(desk, place, Some(outcome)).await;
                    return Ok(self.sent(sent, kind, number));
                }
                Err(error) => error,
            };
            if self.falls_back(&error) {
                continue;
            }
            match Correction::of(&error, true) {
                Some(Correction::NumberUsed) if place.is_resumed => {
                    // The attempt from before the restart did arrive.
                    let outcome = Outcome::Message(Sent::Repeated);
                    replies.settle(desk, place, Some(outcome)).await;
                    return Ok(self.sent(Sent::Repeated, kind, number).earlier());
                }
                Some(Correction::NumberUsed) if own_number.is_none() => {
                    place.number = desk.entry.page().renumber();
                }
                Some(Correction::Closed(why)) => {
                    desk.entry.page().close(why);
                    return Err(Attempt::Closed(place, BotError::reply_refused(why, error)));
                }
                _ => {
                    if !error.is_outcome_unknown() {
                        replies.settle(desk, place, None).await;
                    }
                    return Err(Attempt::Failed(error.into()));
                }
            }
        }
        replies.settle(desk, place, None).await;
        Err(Attempt::Failed(BotError::new(
            ErrorKind::Other,
            "somebody else answers the same message with the same numbers: does another process run this bot without \
             sharing a reply store?",
        )))
    }

    /// Sends it as something else than an answer.
    async fn unasked(&mut self, replies: &Replies, kind: ReplyKind) -> Result<SentReply, BotError> {
        if kind == ReplyKind::Active && replies.refuses_active(&self.scene) {
            return Err(BotError::new(
                ErrorKind::ReplyClosed,
                "it takes no more answers, and its chat has refused unasked messages a short time ago",
            ));
        }
        trace(kind, None);
        loop {
            let prepared = self.prepare().await?;
            let body = if kind == ReplyKind::Active {
                prepared.body.active()
            } else {
                prepared.body
            };
            let error = match self.call(body, prepared.picture).await {
                Ok(sent) => return Ok(self.sent(sent, kind, None)),
                Err(error) => error,
            };
            if self.falls_back(&error) {
                continue;
            }
            if let Some(correction) = Correction::of(&error, false) {
                replies.correct_active(&self.scene, correction);
            }
            return Err(error.into());
        }
    }

    async fn call(&mut self, body: MessageBody, picture: Option<Bytes>) -> Result<Sent, Error> {
        let mut call = self.ctx.api.conversation(&self.scene).send(body);
        if let Some(picture) = picture {
            call = call.image_bytes(picture);
        }
        if let Some(timeout) = self.timeout {
            call = call.timeout(timeout);
        }
        self.calls += 1;
        call.await
    }

    /// The message, which is uploaded first where it has to be; once.
    async fn prepare(&mut self) -> Result<Prepared, BotError> {
        if let Some(message) = &self.message {
            return Ok(message.clone());
        }
        let message = match self.content.take() {
            Some(Content::Body(body)) => Prepared {
                body: *body,
                picture: None,
            },
            Some(Content::Media {
                media,
                caption,
                kind,
                name,
            }) => self.upload(media, caption, kind, name).await?,
            // An upload that failed before: the attempt ended with it.
            None => return Err(BotError::new(ErrorKind::Other, "there is nothing to send")),
        };
        self.message = Some(message.clone());
        Ok(message)
    }

    async fn upload(
        &self,
        media: Media,
        caption: String,
        kind: Option<FileType>,
        name: Option<String>,
    ) -> Result<Prepared, BotError> {
        let api = &self.ctx.api;
        let mut upload: UploadFile = match &self.scene {
            Conversation::Group(group) => api.group(group.clone()).upload(media.into_upload()),
            Conversation::C2C(user) => api.user(user.clone()).upload(media.into_upload()),
            Conversation::Channel(_) | Conversation::Direct(_) => {
                return Ok(match media.into_picture().await? {
                    Picture::Url(url) => Prepared {
                        body: MessageBody::image_with_text(url, caption),
                        picture: None,
                    },
                    Picture::Bytes(bytes) => Prepared {
                        body: MessageBody::text(caption),
                        picture: Some(bytes),
                    },
                });
            }
        };
        if let Some(kind) = kind {
            upload = upload.kind(kind);
        }
        if let Some(name) = name {
            upload = upload.name(name);
        }
        let uploaded = upload.await?;
        Ok(Prepared {
            body: MessageBody::media_with_text(uploaded.media(), caption),
            picture: None,
        })
    }

    /// Whether plain text goes out next, because markdown was refused; once.
    fn falls_back(&mut self, error: &Error) -> bool {
        if !refuses_markdown(error) || error.is_outcome_unknown() {
            return false;
        }
        let Some(message) = &mut self.message else {
            return false;
        };
        let Some(plain) = message.body.plain_text() else {
            return false;
        };
        message.body = match std::mem::replace(&mut self.fallback, Fallback::No) {
            Fallback::No => return false,
            Fallback::Same => plain,
            Fallback::Text(text) => plain.with_text(text),
        };
        self.is_text_fallback = true;
        Span::current().record("text_fallback", true);
        true
    }

    fn sent(&self, sent: Sent, kind: ReplyKind, number: Option<u32>) -> SentReply {
        SentReply::new(sent, kind, self.scene.clone(), number).text_fallback(self.is_text_fallback)
    }

    /// What was sent when the event was handled before.
    fn earlier(&self, desk: &Desk, outcome: Option<Box<Outcome>>) -> SentReply {
        let sent = match outcome.map(|outcome| *outcome) {
            Some(Outcome::Message(sent)) => sent,
            Some(Outcome::Stream(_)) | None => Sent::Repeated,
        };
        let kind = ReplyKind::of(Some(&desk.target.reply_to), false);
        self.sent(sent, kind, None).earlier()
    }

    /// Notes in the place of the answer what went out as something else.
    async fn settle(
        replies: &Replies,
        desk: &Desk,
        place: Place,
        sent: &Result<SentReply, BotError>,
    ) {
        match sent {
            Ok(sent) => {
                let outcome = Outcome::Message(sent.sent().clone());
                replies.settle(desk, place, Some(outcome)).await;
            }
            Err(error) if error.kind() == ErrorKind::OutcomeUnknown => {}
            Err(_) => replies.settle(desk, place, None).await,
        }
    }
}

fn trace(kind: ReplyKind, number: Option<u32>) {
    let span = Span::current();
    span.record("kind", kind.as_str());
    if let Some(number) = number {
        span.record("number", number);
    }
}
