//! Answers of calls that succeeded.

use std::fmt;
use std::sync::LazyLock;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use memchr::memmem::Finder;
use qq_model::{ApiError, BearerToken};
use serde::de::DeserializeOwned;

use crate::error::{Error, Redactor, trace_id, why_unreadable};
use crate::request::Label;
use crate::sent::waits_for_audit;

/// The answer of a call that succeeded.
#[derive(Clone)]
pub struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) label: Label,
    pub(crate) attempts: u32,
    /// The platform refused a repeat as a duplicate, so that an earlier attempt must have arrived.
    pub(crate) is_duplicate: bool,
    /// What must not show in an error about the body.
    pub(crate) token: BearerToken,
}

impl Response {
    /// The HTTP status, 2xx.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    #[must_use]
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// What the platform's support asks for.
    #[must_use]
    pub fn trace_id(&self) -> Option<&str> {
        trace_id(&self.headers)
    }

    /// The body as it came.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// How many requests it took.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Reads the body as JSON.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode): the body is no JSON, or not of this form.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let what = why_unreadable(&self.headers, &self.body, &error);
            let is_secret = what.contains(self.token.expose());
            let decode = self.undecodable(what);
            // It repeats values that it did not expect.
            if is_secret {
                decode
            } else {
                decode.with_source(error)
            }
        })
    }

    /// What it says of an audit that a message waits for.
    pub(crate) fn audit(&self) -> Option<ApiError> {
        // Most answers have none, and then need not be read twice.
        if !may_report(&self.body) {
            return None;
        }
        serde_json::from_slice(&self.body)
            .ok()
            .filter(waits_for_audit)
    }

    /// The error of an answer that says "refused" in a way of its own.
    pub(crate) fn refused(&self, refusal: &ApiError) -> Error {
        let redactor = Redactor(&[self.token.expose()]);
        Error::from_api(
            self.status,
            &self.headers,
            &self.body,
            refusal,
            redactor,
            false,
        )
        .labelled(&self.label)
        .with_attempts(self.attempts)
    }

    /// The error of an answer that lacks something.
    pub(crate) fn undecodable(&self, what: String) -> Error {
        let redactor = Redactor(&[self.token.expose()]);
        Error::undecodable(what, self.status, &self.headers, &self.body, redactor)
            .labelled(&self.label)
            .with_attempts(self.attempts)
    }
}

/// Whether a body may have a code or an audit in it.
pub(crate) fn may_report(body: &[u8]) -> bool {
    static CODE: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("code\""));
    static AUDIT: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("audit"));
    CODE.find(body).is_some() || AUDIT.find(body).is_some()
}

/// Names the status and the size of the body; its content stays out.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("trace_id", &self.trace_id())
            .field("body_bytes", &self.body.len())
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}
