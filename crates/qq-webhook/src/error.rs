//! Why a request was not taken, and the status that says so.

use std::fmt;

use bytes::Bytes;
use http::{Response, StatusCode};

use crate::answer;

macro_rules! error_kinds {
    ($($(#[$doc:meta])* $kind:ident = $status:ident, $label:literal, $message:literal;)*) => {
        /// Why a request was not taken.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[$doc])* $kind,)*
        }

        impl ErrorKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The status of the answer.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self {
                    $(Self::$kind => StatusCode::$status,)*
                }
            }

            /// A short name for metrics, in `snake_case`.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self {
                    $(Self::$kind => $label,)*
                }
            }

            const fn message(self) -> &'static str {
                match self {
                    $(Self::$kind => $message,)*
                }
            }
        }
    };
}

error_kinds! {
    /// 404: the server has another path.
    PathNotFound = NOT_FOUND, "path_not_found",
        "no callback lives at this path: compare it with the callback address in the console";
    /// 405: callbacks are POST requests.
    MethodNotAllowed = METHOD_NOT_ALLOWED, "method_not_allowed", "callbacks are POST requests";
    /// 400: without an app id, one of several bots cannot be chosen.
    MissingAppId = BAD_REQUEST, "missing_app_id", "the header X-Bot-Appid is missing, and there are several bots";
    /// 404: the callback is for a bot that is not configured.
    UnknownApp = NOT_FOUND, "unknown_app", "no bot with the app id in X-Bot-Appid is configured";
    /// 401: there is no signature.
    MissingSignature = UNAUTHORIZED, "missing_signature", "the header X-Signature-Ed25519 is missing";
    /// 401: what should be a signature is not 64 bytes in hexadecimal.
    MalformedSignature = UNAUTHORIZED, "malformed_signature", "X-Signature-Ed25519 is not 128 hexadecimal digits";
    /// 401: there is no time of signing.
    MissingTimestamp = UNAUTHORIZED, "missing_timestamp", "the header X-Signature-Timestamp is missing";
    /// 401: the time of signing is not digits only, or too large.
    MalformedTimestamp = UNAUTHORIZED, "malformed_timestamp", "X-Signature-Timestamp is not a number of seconds";
    /// 401: signed with another secret, or changed on the way.
    InvalidSignature = UNAUTHORIZED, "invalid_signature",
        "the signature does not match: wrong secret, or something on the way changed the body";
    /// 401: the signature is right but old, or from the future. Then either the request was repeated by
    /// somebody, or a clock is wrong.
    StaleTimestamp = UNAUTHORIZED, "stale_timestamp",
        "the signature is too old or from the future: compare this machine's clock";
    /// 400: signed, but no frame.
    MalformedBody = BAD_REQUEST, "malformed_body", "the body is no frame";
    /// 400: the answer to this address check would be a signature that could be misused.
    RefusedValidation = BAD_REQUEST, "refused_validation",
        "plain_token is not 1 to 64 letters and digits, or event_ts is not 1 to 20 digits";
    /// 413: the body is over the limit.
    BodyTooLarge = PAYLOAD_TOO_LARGE, "body_too_large", "the body is too large";
    /// 408: the body did not come within its deadline.
    BodyTimeout = REQUEST_TIMEOUT, "body_timeout", "the body did not come in time";
    /// 400: the connection broke within the body.
    BodyInterrupted = BAD_REQUEST, "body_interrupted", "the body ended early";
    /// 503: the bodies of all requests together are over the limit.
    Overloaded = SERVICE_UNAVAILABLE, "overloaded", "too many requests at once";
    /// 503: the same event is being accepted at this moment, and whether that succeeds is not known yet.
    InProgress = SERVICE_UNAVAILABLE, "in_progress", "this event is being accepted by another request";
    /// 503: there is no room for the event now.
    QueueFull = SERVICE_UNAVAILABLE, "queue_full", "the queue of events is full";
    /// 503: nobody takes events any more.
    QueueClosed = SERVICE_UNAVAILABLE, "queue_closed", "nobody takes events any more";
    /// 503: where the event should have gone, it was refused.
    NotAccepted = SERVICE_UNAVAILABLE, "not_accepted", "the event could not be passed on";
    /// 503: where the event should have gone, there was no answer in time.
    AcceptTimeout = SERVICE_UNAVAILABLE, "accept_timeout", "the event could not be passed on in time";
}

impl ErrorKind {
    /// Whether the platform is asked to send the event again (status 503).
    #[must_use]
    pub fn is_temporary(self) -> bool {
        self.status() == StatusCode::SERVICE_UNAVAILABLE
    }
}

/// A request that was not taken: a kind, and what caused it.
pub struct Error {
    kind: ErrorKind,
    source: Option<Source>,
}

type Source = Box<dyn std::error::Error + Send + Sync>;

impl Error {
    pub(crate) fn with_source(kind: ErrorKind, source: impl Into<Source>) -> Self {
        Self {
            kind,
            source: Some(source.into()),
        }
    }

    /// For an event that could not be passed on, because of `source`: a broker that is away, a full disk.
    pub fn not_accepted(source: impl Into<Source>) -> Self {
        Self::with_source(ErrorKind::NotAccepted, source)
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The status of the answer.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.kind.status()
    }

    /// The answer to the request. It tells the sender the kind, not the source.
    #[must_use]
    pub fn response(&self) -> Response<Bytes> {
        if self.kind.is_temporary() {
            answer::failure(self.status())
        } else {
            answer::refusal(self.kind, self.kind.message())
        }
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self { kind, source: None }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.message())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Error");
        debug.field("kind", &self.kind);
        if let Some(source) = &self.source {
            debug.field("source", source);
        }
        debug.finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

const _: () = assert!(size_of::<Error>() <= 64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_unique_and_kinds_index_the_list() {
        for (index, kind) in ErrorKind::ALL.iter().enumerate() {
            assert_eq!(*kind as usize, index);
            let same = ErrorKind::ALL
                .iter()
                .filter(|other| other.label() == kind.label())
                .count();
            assert_eq!(same, 1, "{}", kind.label());
        }
    }

    #[test]
    fn sources_are_for_the_owner_not_for_the_sender() {
        let error = Error::not_accepted("the broker at 10.0.0.7 is away");
        assert!(format!("{error:?}").contains("10.0.0.7"));
        let response = error.response();
        assert_eq!(response.status(), 503);
        assert_eq!(response.body(), &Bytes::from_static(br#"{"op":12,"d":1}"#));
    }
}
