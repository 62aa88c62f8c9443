//! What became of a message.

use http::StatusCode;
use qq_model::ApiError;
use qq_model::Timestamp;
use qq_model::id::{AuditId, MessageId};
use qq_model::outgoing::SentMessage;

use crate::error::Error;
use crate::response::Response;

/// What became of a message that the platform did not refuse.
///
/// ```
/// # async fn run(http: qq_http::HttpClient) -> Result<(), qq_http::Error> {
/// use qq_http::Sent;
///
/// match http.channel(1234).send("hi").await? {
///     Sent::Delivered(message) => println!("sent as {}", message.id),
///     Sent::PendingAudit(audit) => println!("waits for audit {}", audit.audit_id),
///     Sent::Repeated => println!("sent by an earlier attempt"),
///     _ => {}
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Sent {
    /// The platform took it.
    Delivered(SentMessage),
    /// It waits for an audit; `MESSAGE_AUDIT_PASS` or `MESSAGE_AUDIT_REJECT` brings the outcome. Sending it
    /// again would send it twice.
    PendingAudit(PendingAudit),
    /// The answer to an earlier attempt was lost, and the platform refused the repeat as a duplicate: the message
    /// was taken once, and its id is not known.
    Repeated,
}

/// A message that waits for an audit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PendingAudit {
    /// Which audit; the event with the outcome carries the same id. Empty where the platform left it out.
    pub audit_id: AuditId,
    /// The platform's text for people.
    pub message: Option<Box<str>>,
}

impl Sent {
    /// The message's id, where it is known: not while an audit is pending.
    #[must_use]
    pub fn id(&self) -> Option<&MessageId> {
        self.message()
            .map(|message| &message.id)
            .filter(|id| !id.is_empty())
    }

    /// When it was sent.
    #[must_use]
    pub fn time(&self) -> Option<&Timestamp> {
        self.message()?.timestamp.as_ref()
    }

    /// What a later [`MessageReference`](qq_model::message::MessageReference) quotes it by, in groups and
    /// one-to-one chats.
    #[must_use]
    pub fn ref_idx(&self) -> Option<&str> {
        self.message()?.ext_info.as_ref()?.ref_idx.as_deref()
    }

    /// Everything that the platform said of a message that it took.
    #[must_use]
    pub const fn message(&self) -> Option<&SentMessage> {
        match self {
            Self::Delivered(message) => Some(message),
            Self::PendingAudit(_) | Self::Repeated => None,
        }
    }

    /// The audit that it waits for.
    #[must_use]
    pub const fn pending_audit(&self) -> Option<&PendingAudit> {
        match self {
            Self::PendingAudit(audit) => Some(audit),
            Self::Delivered(_) | Self::Repeated => None,
        }
    }

    pub(crate) fn read(response: &Response) -> Result<Self, Error> {
        if response.is_duplicate {
            return Ok(Self::Repeated);
        }
        if response.status == StatusCode::NO_CONTENT {
            return Ok(Self::Delivered(SentMessage::default()));
        }
        let unknown = |error: Error| error.into_outcome_unknown();
        if let Some(audit) = response.audit() {
            return Ok(Self::PendingAudit(PendingAudit {
                audit_id: audit.audit_id().cloned().unwrap_or_default(),
                message: audit.text().map(Into::into),
            }));
        }
        let message: SentMessage = response.json().map_err(unknown)?;
        match &message.audit_id {
            Some(audit_id) if message.id.is_empty() && !audit_id.is_empty() => {
                Ok(Self::PendingAudit(PendingAudit {
                    audit_id: AuditId::new(audit_id),
                    message: message.audit_tips,
                }))
            }
            _ => Ok(Self::Delivered(message)),
        }
    }
}

/// Whether a body says "queued for audit": by its code, or by an audit and no code at all.
pub(crate) fn waits_for_audit(body: &ApiError) -> bool {
    const ACTIVE: i64 = 304_023;
    const ANSWER: i64 = 304_024;
    body.has_code(ACTIVE)
        || body.has_code(ANSWER)
        || (!body.is_failure() && body.audit_id().is_some_and(|id| !id.is_empty()))
}
