//! Why a call failed: a kind, everything the platform said, and what to do.

mod answer;
mod display;
mod known;

use std::borrow::Cow;
use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use qq_model::Advice;
use qq_model::error_code::Retryable;
use qq_transport::ProxyError;

pub(crate) use self::answer::{Redactor, trace_id, why_unreadable};
pub(crate) use self::known::DUPLICATE;
use self::known::Known;
use crate::request::Label;

/// What kind of failure an [`Error`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The call cannot be made as it was asked for: an empty id, an empty message. Nothing was sent.
    InvalidRequest,
    /// A file or reader that was to be uploaded cannot be read.
    Io,
    /// The credentials or the access token were refused, and a new token did not help.
    Authentication,
    /// No connection, no valid certificate, or a connection that broke; nothing was done by the call.
    Network,
    /// The deadline passed; nothing was done by the call.
    Timeout,
    /// The platform asks to come later: a rate limit, hours in which nothing may be sent, a mute. Or a limit of this
    /// client ([`Limits`](crate::Limits)) keeps the call back: then there is no status, and nothing was sent.
    RateLimited,
    /// The platform refused the call with a code.
    Api,
    /// An answer without a body of the platform, such as a gateway's HTML page.
    Http,
    /// The call succeeded, and its answer cannot be read.
    Decode,
    /// The request was written and no answer says whether it was done: a message may have been sent.
    OutcomeUnknown,
}

/// Why a call failed. One pointer; clones copy what it says.
///
/// ```
/// # async fn run(http: qq_http::HttpClient) {
/// use qq_http::Advice;
///
/// if let Err(error) = http.group("FEC0ACE0EE8970E6BC3ADAFB5BEC6152").send("hi").await {
///     eprintln!("{error}");
///     match error.advice() {
///         Advice::Retry | Advice::RetryAfter => { /* later: error.retry_after() */ }
///         Advice::WindowClosed | Advice::BudgetUsed => { /* drop it */ }
///         _ if error.is_outcome_unknown() => { /* it may have been sent */ }
///         _ => { /* tell somebody: error.code(), error.trace_id() */ }
///     }
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

const _: () = assert!(size_of::<Error>() <= 64);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    /// What happened, in a clause.
    what: Cow<'static, str>,
    call: Option<Label>,
    status: Option<StatusCode>,
    code: Option<i64>,
    err_code: Option<i64>,
    known: Option<Known>,
    message: Option<Box<str>>,
    trace_id: Option<Box<str>>,
    retry_after: Option<Duration>,
    raw_body: Option<Box<str>>,
    attempts: u32,
    reach: Reach,
    is_timeout: bool,
    lacks_budget: bool,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// How far a failed attempt got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// None of the request was written.
    Unsent,
    /// The platform said that it did not do it.
    Refused,
    /// It may have been done.
    Unknown,
}

impl Error {
    /// What kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The HTTP status, where there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// The platform's older number for the failure.
    #[must_use]
    pub fn code(&self) -> Option<i64> {
        self.0.code
    }

    /// The platform's newer number for the failure.
    #[must_use]
    pub fn err_code(&self) -> Option<i64> {
        self.0.err_code
    }

    /// Whether either number is this one.
    #[must_use]
    pub fn has_code(&self, code: i64) -> bool {
        self.0.code == Some(code) || self.0.err_code == Some(code)
    }

    /// The platform's own text, mostly Chinese; not stable enough to decide on.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// What the code means, in English, where it is known.
    #[must_use]
    pub fn meaning(&self) -> Option<&'static str> {
        self.0.known.map(|known| known.meaning)
    }

    /// What the platform's support asks for: the header `X-Tps-trace-ID`, or the body's `trace_id`.
    #[must_use]
    pub fn trace_id(&self) -> Option<&str> {
        self.0.trace_id.as_deref()
    }

    /// The template of the path that was called, without any id.
    #[must_use]
    pub fn route(&self) -> Option<&'static str> {
        self.0.call.as_ref().map(|call| call.template)
    }

    /// How many requests were made for this call, access tokens aside; 0 when none was.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// The beginning of the answer's body, at most 4 KiB, with secrets and tokens taken out and whatever is no
    /// UTF-8 replaced.
    #[must_use]
    pub fn raw_body(&self) -> Option<&str> {
        self.0.raw_body.as_deref()
    }

    /// Whether a deadline passed, also one that left the outcome unknown.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.0.is_timeout
    }

    /// What a proxy did not do, where one is the cause.
    #[must_use]
    pub fn proxy_error(&self) -> Option<&ProxyError> {
        match &self.0.source {
            Some(source) => ProxyError::find(&**source),
            None => None,
        }
    }

    /// Whether another attempt would have been made, had not so many calls failed before
    /// ([`RetryBudget`](crate::RetryBudget)).
    #[must_use]
    pub fn is_retry_budget_used(&self) -> bool {
        self.0.lacks_budget
    }

    /// Whether the call may have been done all the same: the request was written, and no answer says more.
    ///
    /// A message that ends like this may be on the user's screen. Send it again only with the same `msg_id` and
    /// `msg_seq`, which the platform refuses the second time.
    #[must_use]
    pub fn is_outcome_unknown(&self) -> bool {
        self.0.kind == ErrorKind::OutcomeUnknown
    }

    /// Whether the same call may work later, without the danger of doing it twice.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self.advice(), Advice::Retry | Advice::RetryAfter)
    }

    /// How long to wait before the next attempt, where the platform or a limit of this client said so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// What to do, by the code where it is known, and by the kind of failure and the status elsewhere.
    #[must_use]
    pub fn advice(&self) -> Advice {
        match self.0.kind {
            ErrorKind::OutcomeUnknown | ErrorKind::Decode => Advice::Unknown,
            ErrorKind::InvalidRequest | ErrorKind::Io => Advice::InvalidRequest,
            ErrorKind::Network if self.proxy_error().is_some_and(ProxyError::is_configuration) => {
                Advice::Configuration
            }
            ErrorKind::Network | ErrorKind::Timeout => Advice::Retry,
            _ => self
                .0
                .known
                .map_or_else(|| self.advice_by_status(), |known| known.advice),
        }
    }

    fn advice_by_status(&self) -> Advice {
        match self.0.status.map(|status| status.as_u16()) {
            Some(401) => Advice::RefreshToken,
            // A page where the platform should be: another server, or a proxy's login.
            Some(200..=399) if self.0.kind == ErrorKind::Http => Advice::Configuration,
            Some(403) => Advice::NotPermitted,
            Some(404 | 405 | 413) => Advice::InvalidRequest,
            Some(429) => Advice::RetryAfter,
            Some(500..) => Advice::Retry,
            None if self.0.kind == ErrorKind::RateLimited => Advice::RetryAfter,
            _ => Advice::Unknown,
        }
    }
}

impl Error {
    fn new(kind: ErrorKind, reach: Reach, what: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            what: what.into(),
            call: None,
            status: None,
            code: None,
            err_code: None,
            known: None,
            message: None,
            trace_id: None,
            retry_after: None,
            raw_body: None,
            attempts: 0,
            reach,
            is_timeout: false,
            lacks_budget: false,
            source: None,
        }))
    }

    pub(crate) fn invalid_request(what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::InvalidRequest, Reach::Unsent, what)
    }

    /// What was to be uploaded cannot be read.
    pub(crate) fn io(what: String) -> Self {
        Self::new(ErrorKind::Io, Reach::Unsent, what)
    }

    /// A refusal of the storage that parts of uploads go to.
    pub(crate) fn storage(what: String) -> Self {
        Self::new(ErrorKind::Http, Reach::Refused, what)
    }

    /// A file that cannot be downloaded.
    pub(crate) fn media(what: String) -> Self {
        Self::new(ErrorKind::Http, Reach::Refused, what)
    }

    pub(crate) fn network(reach: Reach, what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Network, reach, what)
    }

    pub(crate) fn timed_out(reach: Reach, what: impl Into<Cow<'static, str>>) -> Self {
        let mut error = Self::new(ErrorKind::Timeout, reach, what);
        error.0.is_timeout = true;
        error
    }

    /// A call that its limit leaves no room for: it was not made.
    pub(crate) fn too_early(what: impl Into<Cow<'static, str>>, wait: Option<Duration>) -> Self {
        let mut error = Self::new(ErrorKind::RateLimited, Reach::Unsent, what);
        error.0.retry_after = wait;
        error
    }

    pub(crate) fn decode(what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Decode, Reach::Unknown, what)
    }

    /// An answer that is too long to be read.
    pub(crate) fn oversized(status: StatusCode, reach: Reach, what: String) -> Self {
        let kind = if status.is_success() {
            ErrorKind::Decode
        } else {
            ErrorKind::Http
        };
        Self::new(kind, reach, what)
    }

    pub(crate) fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    pub(crate) fn labelled(mut self, call: &Label) -> Self {
        self.0.call = Some(call.clone());
        self
    }

    /// Names the call, unless the failure is that of a call it depends on.
    pub(crate) fn labelled_if_not(self, call: &Label) -> Self {
        if self.0.call.is_none() {
            self.labelled(call)
        } else {
            self
        }
    }

    pub(crate) fn with_status(mut self, status: StatusCode, trace_id: Option<&str>) -> Self {
        self.0.status = Some(status);
        self.0.trace_id = trace_id.map(Into::into);
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// The failure of a call that may have been done, by this attempt or an earlier one.
    pub(crate) fn into_outcome_unknown(mut self) -> Self {
        self.0.kind = ErrorKind::OutcomeUnknown;
        self.0.reach = Reach::Unknown;
        self
    }

    /// A failure to get a token: whatever became of that call, the one that needs the token was not made.
    pub(crate) fn during_token_fetch(mut self) -> Self {
        self.0.reach = Reach::Unsent;
        self
    }

    pub(crate) fn without_retry_budget(mut self) -> Self {
        self.0.lacks_budget = true;
        self
    }

    pub(crate) fn without_raw_body(mut self) -> Self {
        self.0.raw_body = None;
        self
    }

    /// What happened, without the call and the advice.
    pub(crate) fn what(&self) -> &str {
        match (&*self.0.what, self.meaning(), self.message()) {
            ("", Some(meaning), _) => meaning,
            ("", None, Some(message)) => message,
            ("", None, None) => "the platform refused the call without a text",
            (what, ..) => what,
        }
    }

    pub(crate) fn reach(&self) -> Reach {
        self.0.reach
    }

    /// What the code table says about repeating.
    pub(crate) fn retryable(&self) -> Option<Retryable> {
        self.0.known.map(|known| known.retryable)
    }

    /// Whether the access token was refused, so that another one may help.
    pub(crate) fn refuses_token(&self) -> bool {
        match self.0.known {
            Some(known) => known.retryable == Retryable::RefreshToken,
            None => self.0.status == Some(StatusCode::UNAUTHORIZED),
        }
    }
}
