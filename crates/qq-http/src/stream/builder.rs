//! Settings of a stream.

use std::fmt;
use std::time::Duration;

use qq_model::id::{EventId, MessageId, UserOpenid};
use qq_model::outgoing::{ReplyTo, StreamContentType};

use super::MessageStream;
use super::writer::Writer;
use crate::client::HttpClient;
use crate::error::Error;
use crate::request::Request;
use crate::route::Route;

/// The platform's documentation and its own SDK agree on this as the fastest.
const FASTEST: Duration = Duration::from_millis(300);

/// Settings of a stream that has not begun: [`UserScope::stream`](crate::UserScope::stream).
#[must_use = "a stream begins with `start`"]
pub struct StreamBuilder {
    pub(super) http: HttpClient,
    pub(super) user: UserOpenid,
    pub(super) occasion: Occasion,
    pub(super) content_type: StreamContentType,
    pub(super) msg_seq: Option<u32>,
    pub(super) next_msg_seq: Option<NextSeq>,
    pub(super) throttle: Duration,
    pub(super) finish_timeout: Duration,
    pub(super) has_fallback: bool,
}

/// What a stream answers.
#[derive(Clone, Debug)]
pub(super) enum Occasion {
    Unasked,
    Reply(ReplyTo),
    Wakeup,
}

pub(super) type NextSeq = Box<dyn FnMut() -> u32 + Send>;

impl StreamBuilder {
    pub(crate) const fn new(http: HttpClient, user: UserOpenid) -> Self {
        Self {
            http,
            user,
            occasion: Occasion::Unasked,
            content_type: StreamContentType::Text,
            msg_seq: None,
            next_msg_seq: None,
            throttle: Duration::from_millis(500),
            finish_timeout: Duration::from_secs(15),
            has_fallback: false,
        }
    }

    /// Answers a received message.
    pub fn reply_to(mut self, message: impl Into<MessageId>) -> Self {
        self.occasion = Occasion::Reply(ReplyTo::Message(message.into()));
        self
    }

    /// Answers an event that allows it, by the outer id of its payload.
    pub fn reply_to_event(mut self, event: impl Into<EventId>) -> Self {
        self.occasion = Occasion::Reply(ReplyTo::Event(event.into()));
        self
    }

    /// Makes it a recall: unasked, within 30 days after the user spoke, once per period.
    pub fn wakeup(mut self) -> Self {
        self.occasion = Occasion::Wakeup;
        self
    }

    /// The number of this answer among those to the same message, from 1; 1 by default. All frames carry it, so
    /// that a first frame whose answer was lost never shows twice.
    pub const fn msg_seq(mut self, number: u32) -> Self {
        self.msg_seq = Some(number);
        self
    }

    /// Where the number of a further message comes from, when the text is too long for one. Without it the
    /// number before, plus one.
    pub fn next_msg_seq(mut self, next: impl FnMut() -> u32 + Send + 'static) -> Self {
        self.next_msg_seq = Some(Box::new(next));
        self
    }

    /// Shows the text as markdown; plain by default.
    pub fn markdown(mut self) -> Self {
        self.content_type = StreamContentType::Markdown;
        self
    }

    /// The shortest time between two frames: half a second by default, at least 300 ms. What comes meanwhile goes
    /// with the next one.
    pub fn throttle(mut self, pause: Duration) -> Self {
        self.throttle = pause.max(FASTEST);
        self
    }

    /// How long the end of the stream is tried for; 15 seconds by default.
    pub const fn finish_timeout(mut self, timeout: Duration) -> Self {
        self.finish_timeout = timeout;
        self
    }

    /// Sends the text as a normal message in the end, if the platform refused the stream and nothing of it was
    /// shown.
    pub const fn fallback(mut self) -> Self {
        self.has_fallback = true;
        self
    }

    /// The stream. Nothing is sent before the first text.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest), which names the field: an empty id, a
    /// number 0.
    pub fn start(self) -> Result<MessageStream, Error> {
        let request = Request::new(Route::SendC2CStreamMessage, &[&self.user.text()])?;
        let refuse =
            |why: &'static str| Err(Error::invalid_request(why).labelled(&request.label()));
        if self.msg_seq == Some(0) {
            return refuse("msg_seq is 0: answers are numbered from 1");
        }
        match &self.occasion {
            Occasion::Reply(ReplyTo::Message(id)) if id.is_empty() => {
                return refuse("msg_id is empty: what is answered must be named");
            }
            Occasion::Reply(ReplyTo::Event(id)) if id.is_empty() => {
                return refuse("event_id is empty: what is answered must be named");
            }
            _ => {}
        }
        Ok(MessageStream::new(Writer::new(self, request)))
    }
}

impl fmt::Debug for StreamBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamBuilder")
            .field("content_type", &self.content_type)
            .field("msg_seq", &self.msg_seq)
            .field("throttle", &self.throttle)
            .field("finish_timeout", &self.finish_timeout)
            .field("has_fallback", &self.has_fallback)
            .finish_non_exhaustive()
    }
}
