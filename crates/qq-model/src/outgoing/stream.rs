//! Streams: a message that grows while the bot writes it. One-to-one chats only.

use super::{ReplyTo, StreamMessageResult};
use crate::id::{EventId, MessageId};
use crate::request::{BodyError, RequestBody, not_blank};

object! {
    /// A frame of a stream. Made by [`StreamMessage`].
    pub struct StreamMessageRequest {
        /// Whether the text is added or is the whole text so far.
        pub(crate) input_mode: Option<StreamInputMode>,
        /// Whether more follows.
        pub(crate) input_state: StreamInputState,
        /// The number of the frame, from 0.
        pub(crate) index: u32,
        /// How the text is read.
        pub(crate) content_type: StreamContentType,
        /// The text.
        pub(crate) content_raw: Box<str>,
        /// The message that is answered.
        pub(crate) msg_id: Option<MessageId>,
        /// The event that is answered.
        pub(crate) event_id: Option<EventId>,
        /// The stream; absent in its first frame.
        pub(crate) stream_msg_id: Option<Box<str>>,
        /// The number of the answer, the same in all frames.
        pub(crate) msg_seq: Option<u32>,
        /// Whether it is a recall.
        pub(crate) is_wakeup: Option<bool>,
    }
}

open_enum! {
    /// What the text of a frame is.
    pub enum StreamInputMode: str {
        /// It is added.
        Append = "append",
        /// It is the whole text so far, and starts with what was sent before (else 40007).
        Replace = "replace",
    }

    /// How far a stream is.
    pub enum StreamInputState: i64 {
        /// More follows.
        Generating = 1,
        /// This is the last frame.
        Done = 10,
    }

    /// How the text of a stream is read.
    pub enum StreamContentType: str {
        /// As plain text.
        Text = "text",
        /// As markdown.
        Markdown = "markdown",
    }
}

/// A stream: numbers its frames and keeps what they share. The last frame must be sent, or the client takes the
/// text back.
///
/// ```
/// use qq_model::outgoing::{ReplyTo, StreamContentType, StreamMessage};
///
/// let mut stream = StreamMessage::new(StreamContentType::Markdown)
///     .reply_to(ReplyTo::Message("ROBOT1.0_x".into()))
///     .msg_seq(1);
/// let first = stream.append("Thinking");
/// // The answer to the first frame names the stream.
/// stream.set_id("6f1c");
/// let last = stream.append_last(" done.");
/// assert_eq!(
///     serde_json::to_string(&last)?,
///     r#"{"input_mode":"append","input_state":10,"index":1,"content_type":"markdown","content_raw":" done.","msg_id":"ROBOT1.0_x","stream_msg_id":"6f1c","msg_seq":1}"#,
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct StreamMessage {
    content_type: StreamContentType,
    occasion: Occasion,
    msg_seq: Option<u32>,
    id: Option<Box<str>>,
    next: u32,
}

#[derive(Clone, Debug, PartialEq)]
enum Occasion {
    Unasked,
    Reply(ReplyTo),
    Wakeup,
}

impl StreamMessage {
    /// A stream that has not begun.
    #[must_use]
    pub const fn new(content_type: StreamContentType) -> Self {
        Self {
            content_type,
            occasion: Occasion::Unasked,
            msg_seq: None,
            id: None,
            next: 0,
        }
    }

    /// Makes it an answer, and no longer a recall.
    #[must_use]
    pub fn reply_to(mut self, target: ReplyTo) -> Self {
        self.occasion = Occasion::Reply(target);
        self
    }

    /// Makes it a recall, and no longer an answer.
    #[must_use]
    pub fn wakeup(mut self) -> Self {
        self.occasion = Occasion::Wakeup;
        self
    }

    /// The number of the answer, from 1.
    #[must_use]
    pub const fn msg_seq(mut self, number: u32) -> Self {
        self.msg_seq = Some(number);
        self
    }

    /// Notes the id that the platform gave the stream in its answer to the first frame.
    pub fn set_id(&mut self, id: impl Into<Box<str>>) {
        self.id = Some(id.into());
    }

    /// The id of the stream, once it is known.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Notes what the platform answered to a frame.
    pub fn taken(&mut self, result: &StreamMessageResult) {
        if self.id.is_none() && !result.id.is_empty() {
            self.id = Some(result.id.clone());
        }
    }

    /// A frame that adds this text.
    pub fn append(&mut self, text: impl Into<Box<str>>) -> StreamMessageRequest {
        self.frame(
            StreamInputMode::Append,
            StreamInputState::Generating,
            text.into(),
        )
    }

    /// The last frame, which adds this text.
    pub fn append_last(&mut self, text: impl Into<Box<str>>) -> StreamMessageRequest {
        self.frame(StreamInputMode::Append, StreamInputState::Done, text.into())
    }

    /// A frame with the whole text so far, which starts with what was sent before.
    pub fn replace(&mut self, text: impl Into<Box<str>>) -> StreamMessageRequest {
        self.frame(
            StreamInputMode::Replace,
            StreamInputState::Generating,
            text.into(),
        )
    }

    /// The last frame, with the whole text.
    pub fn replace_last(&mut self, text: impl Into<Box<str>>) -> StreamMessageRequest {
        self.frame(
            StreamInputMode::Replace,
            StreamInputState::Done,
            text.into(),
        )
    }

    fn frame(
        &mut self,
        mode: StreamInputMode,
        state: StreamInputState,
        text: Box<str>,
    ) -> StreamMessageRequest {
        let index = self.next;
        self.next = self.next.saturating_add(1);
        let (msg_id, event_id) = match &self.occasion {
            Occasion::Reply(ReplyTo::Message(id)) => (Some(id.clone()), None),
            Occasion::Reply(ReplyTo::Event(id)) => (None, Some(id.clone())),
            Occasion::Unasked | Occasion::Wakeup => (None, None),
        };
        StreamMessageRequest {
            input_mode: Some(mode),
            input_state: state,
            index,
            content_type: self.content_type.clone(),
            content_raw: text,
            msg_id,
            event_id,
            stream_msg_id: self.id.clone(),
            msg_seq: self.msg_seq,
            is_wakeup: (self.occasion == Occasion::Wakeup).then_some(true),
            ..StreamMessageRequest::default()
        }
    }
}

impl StreamMessageRequest {
    /// The number of the frame, from 0.
    #[must_use]
    pub const fn index(&self) -> u32 {
        self.index
    }

    /// Whether this is the last frame.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.input_state == StreamInputState::Done
    }

    /// The text.
    #[must_use]
    pub const fn content(&self) -> &str {
        &self.content_raw
    }
}

impl RequestBody for StreamMessageRequest {
    fn validate(&self) -> Result<(), BodyError> {
        if self.index > 0 && self.stream_msg_id.is_none() {
            return Err(BodyError::new(
                "stream_msg_id",
                "is missing: only the first frame has none",
            ));
        }
        if self.msg_id.is_some() && self.event_id.is_some() {
            return Err(BodyError::new(
                "event_id",
                "excludes msg_id, which is there as well",
            ));
        }
        if self.is_wakeup == Some(true) && (self.msg_id.is_some() || self.event_id.is_some()) {
            return Err(BodyError::new("is_wakeup", "excludes an answer"));
        }
        if self.msg_seq == Some(0) {
            return Err(BodyError::new(
                "msg_seq",
                "is 0: answers are numbered from 1",
            ));
        }
        if self.is_last() {
            return Ok(());
        }
        if self.content_raw.is_empty() {
            return not_blank("content_raw", &self.content_raw);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_frame_has_no_stream() {
        let mut stream = StreamMessage::new(StreamContentType::Text);
        stream.append("a").validate().unwrap();
        assert_eq!(
            stream.append("b").validate().unwrap_err().field(),
            "stream_msg_id"
        );
        let result: StreamMessageResult = serde_json::from_str(r#"{"id":"s"}"#).unwrap();
        stream.taken(&result);
        let last = stream.replace_last("abc");
        last.validate().unwrap();
        assert!(last.is_last() && last.index() == 2);
    }
}
