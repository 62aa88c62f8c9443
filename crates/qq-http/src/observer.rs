//! Watching a client's calls.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use qq_model::id::UserOpenid;
use qq_model::message::Conversation;
use qq_model::outgoing::MessageBody;

use crate::error::Error;
use crate::request::Request;
use crate::response::Response;
use crate::sent::Sent;
use crate::stream::Streamed;

/// Sees every call of a client: [`HttpClientBuilder::observer`](crate::HttpClientBuilder::observer).
///
/// For statistics, an audit log, an index of what was sent. Attempts of one call are not told apart. Every method does
/// nothing unless it is written, and must return at once: it runs within the call.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use qq_http::{CallObserver, Error, HttpClient, Request, Response, Token};
///
/// #[derive(Default)]
/// struct Failures(AtomicU64);
///
/// impl CallObserver for Failures {
///     fn after(&self, _request: &Request, outcome: Result<&Response, &Error>) {
///         self.0.fetch_add(u64::from(outcome.is_err()), Ordering::Relaxed);
///     }
/// }
///
/// let failures = Arc::new(Failures::default());
/// let http = HttpClient::builder(Token::new("102000000", "secret")).observer(Arc::clone(&failures)).build()?;
/// # Ok::<(), qq_http::BuildError>(())
/// ```
pub trait CallObserver: Send + Sync + 'static {
    /// A call is about to be made.
    ///
    /// # Errors
    ///
    /// [`CallRefused`] keeps it from being made: it ends with
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest), whose source says why.
    fn before(&self, request: &Request) -> Result<(), CallRefused> {
        let _ = request;
        Ok(())
    }

    /// A call has ended. Not called for one whose future was dropped, nor for one that [`before`](Self::before) refused.
    fn after(&self, request: &Request, outcome: Result<&Response, &Error>) {
        let _ = (request, outcome);
    }

    /// A message was sent, or was not: after [`after`](Self::after), and also when no call was made because the message
    /// cannot be sent as it is.
    fn sent(&self, message: &OutgoingMessage<'_>, outcome: Result<&Sent, &Error>) {
        let _ = (message, outcome);
    }

    /// A stream has ended, well or not; `text` is all of it. A message that was sent in its stead is told to
    /// [`sent`](Self::sent) as well.
    fn streamed(&self, user: &UserOpenid, text: &str, outcome: Result<&Streamed, &Error>) {
        let _ = (user, text, outcome);
    }

    /// An access token was obtained, which is good until then, or could not be.
    fn token(&self, outcome: Result<SystemTime, &Error>) {
        let _ = outcome;
    }
}

impl<T: CallObserver + ?Sized> CallObserver for Arc<T> {
    fn before(&self, request: &Request) -> Result<(), CallRefused> {
        (**self).before(request)
    }

    fn after(&self, request: &Request, outcome: Result<&Response, &Error>) {
        (**self).after(request, outcome);
    }

    fn sent(&self, message: &OutgoingMessage<'_>, outcome: Result<&Sent, &Error>) {
        (**self).sent(message, outcome);
    }

    fn streamed(&self, user: &UserOpenid, text: &str, outcome: Result<&Streamed, &Error>) {
        (**self).streamed(user, text, outcome);
    }

    fn token(&self, outcome: Result<SystemTime, &Error>) {
        (**self).token(outcome);
    }
}

/// A message on its way, as a [`CallObserver`] sees it.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct OutgoingMessage<'a> {
    /// Where it goes.
    pub conversation: &'a Conversation,
    /// What it says.
    pub body: &'a MessageBody,
    /// Whether a picture goes with it as bytes.
    pub has_image: bool,
}

/// Names where it goes by its scene only; what it says stays out.
impl fmt::Debug for OutgoingMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutgoingMessage")
            .field("scene", &self.conversation.scene())
            .field("has_image", &self.has_image)
            .finish_non_exhaustive()
    }
}

/// Why a [`CallObserver`] keeps a call from being made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRefused(Cow<'static, str>);

impl CallRefused {
    /// A refusal with its reason, in a clause.
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self(reason.into())
    }

    /// The refusal that a call ended with, if it did.
    #[must_use]
    pub fn of(error: &Error) -> Option<&Self> {
        StdError::source(error)?.downcast_ref()
    }
}

impl fmt::Display for CallRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for CallRefused {}

/// The observer of a client, if it has one.
#[derive(Clone, Default)]
pub(crate) struct Observed(Option<Arc<dyn CallObserver>>);

impl Observed {
    pub(crate) fn by(observer: Option<Arc<dyn CallObserver>>) -> Self {
        Self(observer)
    }

    pub(crate) fn before(&self, request: &Request) -> Result<(), Error> {
        let Some(observer) = &self.0 else {
            return Ok(());
        };
        observer.before(request).map_err(|refused| {
            Error::invalid_request(format!("the call was not made: {refused}"))
                .with_source(refused)
                .labelled(&request.label())
        })
    }

    pub(crate) fn after(&self, request: &Request, outcome: Result<&Response, &Error>) {
        if let Some(observer) = &self.0 {
            observer.after(request, outcome);
        }
    }

    pub(crate) fn sent(&self, message: &OutgoingMessage<'_>, outcome: Result<&Sent, &Error>) {
        if let Some(observer) = &self.0 {
            observer.sent(message, outcome);
        }
    }

    pub(crate) fn streamed(
        &self,
        user: &UserOpenid,
        text: &str,
        outcome: Result<&Streamed, &Error>,
    ) {
        if let Some(observer) = &self.0 {
            observer.streamed(user, text, outcome);
        }
    }

    pub(crate) fn token(&self, outcome: Result<SystemTime, &Error>) {
        if let Some(observer) = &self.0 {
            observer.token(outcome);
        }
    }
}
