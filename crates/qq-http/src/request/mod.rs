//! Requests as plain values: what would be sent, before anything is.

mod answer;
mod call;
mod pages;
mod path;
mod query;
mod raw;
mod send;

use std::fmt;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method};
use qq_model::request::RequestBody;
use serde::Serialize;

pub(crate) use self::answer::{having, json, list, nothing, nullable_list, share_link};
pub use self::call::{Call, CallFuture};
pub use self::pages::{Items, Paged, Pages};
pub use self::query::{Query, QueryCall};
pub use self::raw::RawCall;
pub use self::send::SendMessage;
use crate::error::Error;
use crate::route::Route;

/// One REST call as a value: method, path and body. Nothing of it needs a network.
///
/// Every call of this crate can be looked at before it is made:
///
/// ```
/// use qq_http::HttpClient;
/// use qq_model::Token;
///
/// let http = HttpClient::new(Token::new("102000000", "secret"))?;
/// let request = http.group("A/B").send("hi").try_into_request()?;
/// assert_eq!(request.method(), "POST");
/// assert_eq!(request.path(), "/v2/groups/A%2FB/messages");
/// assert_eq!(request.body().unwrap(), br#"{"msg_type":0,"content":"hi"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Request {
    method: Method,
    route: Option<Route>,
    target: PathAndQuery,
    body: Option<Bytes>,
    /// What the body is, where that is not JSON.
    content_type: Option<HeaderValue>,
    repeat: Repeat,
    /// Whether it is a message that answers something, where that is known.
    is_answer: Option<bool>,
}

/// When a request may be sent again after an attempt that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Doing it twice does no more than doing it once.
    Idempotent,
    /// The platform refuses a second one (40054005): same `msg_id`, same `msg_seq`.
    SameSequence,
    /// Only while none of it was written, or after a refusal that proves that nothing was done.
    Unsent,
    /// Whoever makes the call repeats it, by a plan of its own.
    ByCaller,
}

impl Request {
    /// A call of the route table; the parameters in the order of its path.
    pub(crate) fn new(route: Route, parameters: &[&str]) -> Result<Self, Error> {
        Ok(Self {
            method: route.method(),
            route: Some(route),
            target: as_target(path::expand(route, parameters)?)
                .map_err(|error| error.labelled(&route.into()))?,
            body: None,
            content_type: None,
            repeat: if route.is_idempotent() {
                Repeat::Idempotent
            } else {
                Repeat::Unsent
            },
            is_answer: None,
        })
    }

    pub(crate) fn json<T: Serialize + ?Sized>(mut self, body: &T) -> Result<Self, Error> {
        let body = serde_json::to_vec(body).map_err(|error| {
            Error::invalid_request("the body cannot be written as JSON")
                .with_source(error)
                .labelled(&self.label())
        })?;
        self.body = Some(body.into());
        Ok(self)
    }

    /// Checks a body, then writes it.
    pub(crate) fn checked_json<T: RequestBody + ?Sized>(self, body: &T) -> Result<Self, Error> {
        body.validate()
            .map_err(|error| Error::invalid_request(error.to_string()).labelled(&self.label()))?;
        self.json(body)
    }

    /// Appends a query: the members that are set, percent-encoded.
    pub(crate) fn query_of<T: Serialize + ?Sized>(mut self, query: &T) -> Result<Self, Error> {
        let text = query::write(query).map_err(|error| error.labelled(&self.label()))?;
        if !text.is_empty() {
            self.target = as_target(format!("{}?{text}", self.target.path()))
                .map_err(|error| error.labelled(&self.label()))?;
        }
        Ok(self)
    }

    /// A body that is not JSON.
    pub(crate) fn raw_body(mut self, content_type: &str, body: Bytes) -> Result<Self, Error> {
        let content_type = HeaderValue::from_str(content_type).map_err(|error| {
            Error::invalid_request("the body's type cannot be a header")
                .with_source(error)
                .labelled(&self.label())
        })?;
        self.content_type = Some(content_type);
        self.body = Some(body);
        Ok(self)
    }

    pub(crate) const fn repeat(mut self, repeat: Repeat) -> Self {
        self.repeat = repeat;
        self
    }

    /// Says whether it is a message that answers something.
    pub(crate) const fn answer(mut self, is_answer: bool) -> Self {
        self.is_answer = Some(is_answer);
        self
    }

    pub(crate) const fn is_answer(&self) -> Option<bool> {
        self.is_answer
    }

    /// Which call this is, without ids.
    pub(crate) fn label(&self) -> Label {
        Label {
            method: self.method.clone(),
            template: self.route.map_or(CUSTOM, Route::template),
        }
    }

    pub(crate) const fn repeatable(&self) -> Repeat {
        self.repeat
    }

    pub(crate) fn shared_body(&self) -> Option<Bytes> {
        self.body.clone()
    }

    pub(crate) const fn content_type(&self) -> Option<&HeaderValue> {
        self.content_type.as_ref()
    }

    pub(crate) const fn target(&self) -> &PathAndQuery {
        &self.target
    }

    /// Whether the platform may take long over it: it reads the file behind an address meanwhile.
    pub(crate) fn is_slow(&self) -> bool {
        matches!(
            self.route,
            Some(Route::UploadC2CFile | Route::UploadGroupFile)
        )
    }

    /// The HTTP method.
    #[must_use]
    pub const fn method(&self) -> &Method {
        &self.method
    }

    /// The call of the route table; `None` for [`HttpClient::request`](crate::HttpClient::request).
    #[must_use]
    pub const fn route(&self) -> Option<Route> {
        self.route
    }

    /// The path, percent-encoded, from the environment's base address on.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.path()
    }

    /// The query, without its question mark.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.target.query()
    }

    /// The body: JSON, or a form where a message carries a picture as bytes.
    #[must_use]
    pub fn body(&self) -> Option<&[u8]> {
        self.body.as_deref()
    }
}

/// Names the route and the size of the body; ids and content stay out.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("call", &self.label())
            .field("body_bytes", &self.body.as_ref().map(Bytes::len))
            .finish_non_exhaustive()
    }
}

/// Which call something is about: nothing of it tells one conversation from another.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    pub(crate) method: Method,
    pub(crate) template: &'static str,
}

impl From<Route> for Label {
    fn from(route: Route) -> Self {
        Self {
            method: route.method(),
            template: route.template(),
        }
    }
}

/// A path, with its query if it has one, that goes into a request line.
fn as_target(text: String) -> Result<PathAndQuery, Error> {
    PathAndQuery::try_from(text).map_err(|error| {
        Error::invalid_request("the path cannot be part of an address").with_source(error)
    })
}

/// What stands for the template of a path that is not in the route table.
const CUSTOM: &str = "(custom path)";
