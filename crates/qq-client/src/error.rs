//! What can go wrong with a bot.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use qq_gateway::ShardError;
use qq_http::StreamError;
use qq_model::credentials::InvalidToken;
use qq_model::event::DecodeError;
use qq_model::{AccessTokenError, Advice, EventKind};

use crate::reply::Closed;

/// A failure of a bot: its [`kind`](Self::kind) and the cause.
///
/// `Display` says what failed, with the platform's code where it gave one: a failed REST call or gateway session, which
/// [`rest`](Self::rest) and [`gateway`](Self::gateway) give, speaks for itself. The causes follow by [`Error::source`], and
/// `Debug` prints them all, so that returning one from `main` reads well. Cheap to clone.
///
/// ```
/// use qq_client::Client;
/// use qq_model::{Intents, Token};
///
/// let error = Client::new(Token::new("", "secret"), Intents::default(), (), false).unwrap_err();
/// assert!(error.to_string().starts_with("app_id is empty"));
/// ```
#[derive(Clone)]
pub struct BotError(Arc<Inner>);

struct Inner {
    kind: ErrorKind,
    what: What,
}

/// What failed.
enum What {
    /// Something here.
    Here(Box<str>),
    /// Something here, because of something below.
    Because(Box<str>, Box<dyn Error + Send + Sync>),
    /// Something below, which says itself what.
    Below(Box<dyn Error + Send + Sync>),
}

impl What {
    fn below(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        match self {
            Self::Here(_) => None,
            Self::Because(_, error) | Self::Below(error) => Some(&**error),
        }
    }
}

/// The kinds of [`BotError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The platform refused the app id, the secret or the access token.
    Authentication,
    /// The credentials cannot be right: a part is missing or malformed.
    InvalidToken,
    /// An address or another setting cannot be used.
    Configuration,
    /// No connection, or it broke.
    Network,
    /// A deadline passed.
    Timeout,
    /// The gateway refused the bot or broke the protocol.
    Gateway,
    /// The platform or the client's own limiter held a call back.
    RateLimited,
    /// The platform refused a call and said why.
    Api,
    /// An answer that is not the platform's: a proxy's error page, an empty body.
    Http,
    /// The platform sent something that could not be read.
    Decode,
    /// A call that cannot be made: an empty text, an empty id.
    InvalidRequest,
    /// A message was on its way and no answer says whether it was sent.
    OutcomeUnknown,
    /// The event at hand cannot be answered.
    NoReplyTarget,
    /// The message or event takes no more answers: its window is over, or its budget is used up. Where the platform
    /// said so, its refusal is the source.
    ReplyClosed,
    /// A file cannot be read or written.
    Io,
    /// A store failed; what it keeps goes on in memory.
    Store,
    /// [`Client::start`](crate::Client::start) while the client runs.
    AlreadyStarted,
    /// The client does not run, or has no session yet.
    NotReady,
    /// What was looked for does not exist.
    NotFound,
    /// A callback panicked.
    HandlerPanic,
    /// A callback took longer than [`handler_timeout`](crate::ClientBuilder::handler_timeout) and was ended.
    HandlerTimeout,
    /// Events found no room and were dropped.
    Overflow,
    /// Anything else.
    Other,
}

impl ErrorKind {
    /// All of them.
    pub const ALL: [Self; 23] = [
        Self::Authentication,
        Self::InvalidToken,
        Self::Configuration,
        Self::Network,
        Self::Timeout,
        Self::Gateway,
        Self::RateLimited,
        Self::Api,
        Self::Http,
        Self::Decode,
        Self::InvalidRequest,
        Self::OutcomeUnknown,
        Self::NoReplyTarget,
        Self::ReplyClosed,
        Self::Io,
        Self::Store,
        Self::AlreadyStarted,
        Self::NotReady,
        Self::NotFound,
        Self::HandlerPanic,
        Self::HandlerTimeout,
        Self::Overflow,
        Self::Other,
    ];

    /// What a failed REST call is here.
    pub(crate) fn of_rest(error: &qq_http::Error) -> Self {
        use qq_http::ErrorKind as Rest;
        match error.kind() {
            Rest::Authentication => Self::Authentication,
            Rest::Network => Self::Network,
            Rest::Timeout => Self::Timeout,
            Rest::RateLimited => Self::RateLimited,
            Rest::Api => Self::Api,
            Rest::Http => Self::Http,
            Rest::Decode => Self::Decode,
            Rest::InvalidRequest => Self::InvalidRequest,
            Rest::OutcomeUnknown => Self::OutcomeUnknown,
            Rest::Io => Self::Io,
            _ => Self::Other,
        }
    }
}

impl BotError {
    /// What kind of failure.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the same attempt may succeed later without any change.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match (self.rest(), self.gateway()) {
            (Some(error), _) => error.is_retryable(),
            (_, Some(error)) => !error.is_fatal(),
            _ => matches!(
                self.kind(),
                ErrorKind::Network | ErrorKind::Timeout | ErrorKind::RateLimited
            ),
        }
    }

    /// How long to wait before another attempt, where the platform said so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.rest().and_then(qq_http::Error::retry_after)
    }

    /// What to do.
    #[must_use]
    pub fn advice(&self) -> Advice {
        match (self.rest(), self.kind()) {
            (Some(error), _) => error.advice(),
            (None, ErrorKind::ReplyClosed) => Advice::WindowClosed,
            (None, ErrorKind::Configuration | ErrorKind::InvalidToken) => Advice::Configuration,
            (None, ErrorKind::InvalidRequest | ErrorKind::NoReplyTarget) => Advice::InvalidRequest,
            (None, ErrorKind::Network | ErrorKind::Timeout) => Advice::Retry,
            _ => Advice::Unknown,
        }
    }

    /// The failed REST call: status, platform code, trace id, advice.
    #[must_use]
    pub fn rest(&self) -> Option<&qq_http::Error> {
        self.0.what.below()?.downcast_ref()
    }

    /// The failed gateway session: phase, close code.
    #[must_use]
    pub fn gateway(&self) -> Option<&ShardError> {
        self.0.what.below()?.downcast_ref()
    }

    /// A failure of one's own, such as of an [`EventSource`](crate::EventSource).
    pub fn new(kind: ErrorKind, message: impl Into<Box<str>>) -> Self {
        Self(Arc::new(Inner {
            kind,
            what: What::Here(message.into()),
        }))
    }

    /// The same with a cause.
    pub fn with_source(
        kind: ErrorKind,
        message: impl Into<Box<str>>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self(Arc::new(Inner {
            kind,
            what: What::Because(message.into(), source.into()),
        }))
    }

    /// The failure of a layer below, which says itself what failed.
    pub(crate) fn of(kind: ErrorKind, error: impl Error + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner {
            kind,
            what: What::Below(Box::new(error)),
        }))
    }

    /// Whether the platform said that there is no such thing, or that it is not for this bot.
    pub(crate) fn is_absence(&self) -> bool {
        use qq_http::{Advice, ErrorKind};
        self.rest().is_some_and(|error| {
            matches!(error.kind(), ErrorKind::Api | ErrorKind::Http)
                && matches!(
                    error.advice(),
                    Advice::InvalidRequest | Advice::NotPermitted
                )
        })
    }

    pub(crate) fn decode(kind: EventKind, error: DecodeError) -> Self {
        Self::with_source(
            ErrorKind::Decode,
            format!("the payload of {kind} could not be read"),
            error,
        )
    }

    pub(crate) fn reply_closed(why: Closed) -> Self {
        Self::new(ErrorKind::ReplyClosed, format!("{why}: nothing was sent"))
    }

    pub(crate) fn reply_refused(why: Closed, refusal: qq_http::Error) -> Self {
        Self::with_source(
            ErrorKind::ReplyClosed,
            format!("{why}, says the platform"),
            refusal,
        )
    }

    pub(crate) fn doubtful_reply() -> Self {
        Self::new(
            ErrorKind::OutcomeUnknown,
            "the answer may have been sent before the bot was started again, and cannot be repeated safely",
        )
    }

    pub(crate) fn unhandled(name: &str) -> Self {
        Self::new(
            ErrorKind::Other,
            format!("{name} has no callback in this version"),
        )
    }

    pub(crate) fn timed_out(callback: &str, limit: Duration) -> Self {
        Self::new(
            ErrorKind::HandlerTimeout,
            format!("the callback {callback} did not return within {limit:?} and was ended"),
        )
    }

    pub(crate) fn panicked(callback: &str, payload: &(dyn std::any::Any + Send)) -> Self {
        let text = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        Self::new(
            ErrorKind::HandlerPanic,
            format!("the callback {callback} panicked: {text}"),
        )
    }
}

impl From<qq_http::Error> for BotError {
    fn from(error: qq_http::Error) -> Self {
        Self::of(ErrorKind::of_rest(&error), error)
    }
}

impl From<StreamError> for BotError {
    fn from(error: StreamError) -> Self {
        match error.http() {
            Some(error) => error.clone().into(),
            None => Self::of(ErrorKind::InvalidRequest, error),
        }
    }
}

impl From<ShardError> for BotError {
    fn from(error: ShardError) -> Self {
        use qq_gateway::ShardErrorKind as Shard;
        let kind = match error.kind() {
            Shard::Authentication => ErrorKind::Authentication,
            Shard::Network => ErrorKind::Network,
            Shard::Timeout => ErrorKind::Timeout,
            Shard::Decode => ErrorKind::Decode,
            Shard::Configuration => ErrorKind::Configuration,
            _ => ErrorKind::Gateway,
        };
        Self::of(kind, error)
    }
}

impl From<AccessTokenError> for BotError {
    fn from(error: AccessTokenError) -> Self {
        let kind = if error.is_final() {
            ErrorKind::Authentication
        } else {
            ErrorKind::Network
        };
        Self::of(kind, error)
    }
}

impl From<InvalidToken> for BotError {
    fn from(error: InvalidToken) -> Self {
        Self::of(ErrorKind::InvalidToken, error)
    }
}

impl From<qq_http::BuildError> for BotError {
    fn from(error: qq_http::BuildError) -> Self {
        Self::of(ErrorKind::Configuration, error)
    }
}

impl From<qq_model::environment::InvalidUrl> for BotError {
    fn from(error: qq_model::environment::InvalidUrl) -> Self {
        Self::of(ErrorKind::Configuration, error)
    }
}

impl fmt::Display for BotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.what {
            What::Here(message) | What::Because(message, _) => f.write_str(message),
            What::Below(error) => error.fmt(f),
        }
    }
}

impl fmt::Debug for BotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} ({:?})", self.kind())?;
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl Error for BotError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0.what {
            What::Here(_) => None,
            What::Because(_, source) => Some(&**source),
            What::Below(error) => error.source(),
        }
    }
}

const _: () = assert!(size_of::<BotError>() <= 64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_tells_the_whole_chain() {
        let error = BotError::from(qq_model::Token::new("", "x").validate().unwrap_err());
        assert_eq!(error.kind(), ErrorKind::InvalidToken);
        let text = format!("{error:?}");
        assert!(text.starts_with("app_id is empty"), "{text}");
        assert!(text.ends_with("(InvalidToken)"), "{text}");
        let error = BotError::with_source(ErrorKind::Store, "the store failed", error);
        let text = format!("{error:?}");
        assert!(
            text.starts_with("the store failed (Store): app_id is empty"),
            "{text}"
        );
        assert_eq!(error.to_string(), "the store failed");
    }

    #[test]
    fn what_says_itself_what_failed_is_said_once() {
        let refused = AccessTokenError::refused(std::io::Error::other("code 100016"));
        let text = refused.to_string();
        let error = BotError::from(refused);
        assert_eq!(error.to_string(), text);
        assert_eq!(
            format!("{error:?}"),
            format!("{text} (Authentication): code 100016")
        );
        assert_eq!(error.source().unwrap().to_string(), "code 100016");
    }

    #[test]
    fn kinds_are_numbered_in_the_order_of_their_list() {
        for (index, kind) in ErrorKind::ALL.iter().enumerate() {
            assert_eq!(*kind as usize, index, "{kind:?}");
        }
    }

    #[test]
    fn panics_keep_their_message() {
        let error = BotError::panicked("ready", &"boom");
        assert_eq!(error.to_string(), "the callback ready panicked: boom");
        assert!(
            BotError::panicked("ready", &7_u8)
                .to_string()
                .ends_with("no message")
        );
    }
}
