//! What a message says, independent of where it goes.

use std::fmt;

use super::markdown::MessageMarkdown;
use crate::id::{EventId, MessageId};
use crate::message::MessageReference;

/// A message to send: one kind of content, and what it answers.
///
/// The same body goes to every scene; how it is written differs, see [`v2`](Self::v2) and
/// [`guild`](Self::guild).
///
/// ```
/// use qq_model::outgoing::{MessageBody, ReplyTo};
///
/// let body = MessageBody::text("Pong!").reply_to(ReplyTo::Message("ROBOT1.0_x".into())).msg_seq(2);
/// assert_eq!(
///     serde_json::to_string(&body.v2()).unwrap(),
///     r#"{"msg_type":0,"content":"Pong!","msg_id":"ROBOT1.0_x","msg_seq":2}"#,
/// );
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct MessageBody {
    pub(super) content: Content,
    pub(super) reply_to: Option<ReplyTo>,
    pub(super) msg_seq: Option<u32>,
    pub(super) reference: Option<MessageReference>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Text(String),
    Markdown(MessageMarkdown),
}

/// What a passive message answers. A message without one is active and counts against the active quota.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ReplyTo {
    /// A received message.
    Message(MessageId),
    /// An event that allows replies, by its outer id.
    Event(EventId),
}

impl MessageBody {
    /// Plain text. Guild scenes read mentions and entities in it; see [`escape`](crate::message::escape).
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Content::Text(text.into()))
    }

    /// Markdown.
    #[must_use]
    pub const fn markdown(markdown: MessageMarkdown) -> Self {
        Self::new(Content::Markdown(markdown))
    }

    /// Makes this an answer.
    #[must_use]
    pub fn reply_to(mut self, target: ReplyTo) -> Self {
        self.reply_to = Some(target);
        self
    }

    /// The number of this answer among those to the same target, from 1. The platform refuses a number that
    /// was used before (40054005). Guild scenes have none and leave it out.
    #[must_use]
    pub const fn msg_seq(mut self, number: u32) -> Self {
        self.msg_seq = Some(number);
        self
    }

    /// Quotes another message.
    #[must_use]
    pub fn reference(mut self, reference: MessageReference) -> Self {
        self.reference = Some(reference);
        self
    }

    /// What this answers.
    #[must_use]
    pub const fn target(&self) -> Option<&ReplyTo> {
        self.reply_to.as_ref()
    }

    /// The number of this answer.
    #[must_use]
    pub const fn sequence(&self) -> Option<u32> {
        self.msg_seq
    }

    /// Checks what the platform would refuse for its form.
    ///
    /// # Errors
    ///
    /// [`BodyError`], which names the field and what is wrong with it.
    pub fn validate(&self) -> Result<(), BodyError> {
        match &self.content {
            Content::Text(text) if text.trim().is_empty() => Err(BodyError {
                field: "content",
                why: "is empty",
            }),
            Content::Markdown(markdown) if markdown.is_blank() => Err(BodyError {
                field: "markdown",
                why: "is empty",
            }),
            _ if self.msg_seq == Some(0) => Err(BodyError {
                field: "msg_seq",
                why: "is 0: answers are numbered from 1",
            }),
            _ if self.reply_to.as_ref().is_some_and(ReplyTo::is_empty) => Err(BodyError {
                field: "msg_id or event_id",
                why: "is empty: what is answered must be named",
            }),
            _ => Ok(()),
        }
    }

    const fn new(content: Content) -> Self {
        Self {
            content,
            reply_to: None,
            msg_seq: None,
            reference: None,
        }
    }
}

impl ReplyTo {
    fn is_empty(&self) -> bool {
        match self {
            Self::Message(id) => id.is_empty(),
            Self::Event(id) => id.is_empty(),
        }
    }
}

impl From<&str> for MessageBody {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for MessageBody {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<&String> for MessageBody {
    fn from(text: &String) -> Self {
        Self::text(text)
    }
}

impl From<std::borrow::Cow<'_, str>> for MessageBody {
    fn from(text: std::borrow::Cow<'_, str>) -> Self {
        Self::text(text)
    }
}

impl From<MessageMarkdown> for MessageBody {
    fn from(markdown: MessageMarkdown) -> Self {
        Self::markdown(markdown)
    }
}

/// A body that the platform would refuse for its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyError {
    field: &'static str,
    why: &'static str,
}

impl BodyError {
    /// Which field.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        self.field
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.why)
    }
}

impl std::error::Error for BodyError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_without_content_are_refused_by_field() {
        assert_eq!(
            MessageBody::text(" \n").validate().unwrap_err().field(),
            "content"
        );
        assert_eq!(
            MessageBody::markdown(MessageMarkdown::native(""))
                .validate()
                .unwrap_err()
                .field(),
            "markdown"
        );
        assert_eq!(
            MessageBody::text("a")
                .msg_seq(0)
                .validate()
                .unwrap_err()
                .field(),
            "msg_seq"
        );
        assert_eq!(
            MessageBody::text("a")
                .reply_to(ReplyTo::Message("".into()))
                .validate()
                .unwrap_err()
                .field(),
            "msg_id or event_id"
        );
        MessageBody::text("a").msg_seq(1).validate().unwrap();
    }
}
