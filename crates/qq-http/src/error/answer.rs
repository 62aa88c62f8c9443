//! Errors from answers: what the platform, or whatever stands before it, said.

use std::borrow::Cow;
use std::fmt;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, StatusCode};
use qq_model::error_code::Retryable;
use qq_model::{Advice, ApiError};

use super::known::Known;
use super::{Error, ErrorKind, Reach};
use crate::retry::retry_after;

/// The header with the id that the platform's support asks for.
const TRACE_ID: HeaderName = HeaderName::from_static("x-tps-trace-id");

/// How much of a body an error keeps.
const RAW_BODY_BYTES: usize = 4096;
/// How much of the platform's text an error keeps.
const MESSAGE_CHARS: usize = 500;

/// Takes secrets out of what a server sent, in case it repeats them.
#[derive(Clone, Copy)]
pub(crate) struct Redactor<'a>(pub(crate) &'a [&'a str]);

impl Redactor<'_> {
    fn clean<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.0.iter().filter(|secret| !secret.is_empty()).fold(
            Cow::Borrowed(text),
            |text, secret| {
                if text.contains(secret) {
                    Cow::Owned(text.replace(secret, "<redacted>"))
                } else {
                    text
                }
            },
        )
    }
}

/// Why the body of a success is no answer, in a clause; `error` says what a reader of JSON says of it.
pub(crate) fn why_unreadable(headers: &HeaderMap, body: &[u8], error: impl fmt::Display) -> String {
    if let Some(coding) = word(headers, CONTENT_ENCODING).filter(|coding| coding != "identity") {
        return format!("the answer is compressed ({coding}), which it was not asked to be");
    }
    if body.is_empty() {
        return "the server answered without a body".to_owned();
    }
    match word(headers, CONTENT_TYPE).filter(|kind| !kind.ends_with("json")) {
        Some(kind) => format!("the answer is {kind} and no JSON: {error}"),
        None => format!("the answer cannot be read: {error}"),
    }
}

/// The first word of a header, where it is one.
fn word(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    let word = value.split(';').next()?.trim();
    let is_word = (1..=64).contains(&word.len())
        && word
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-+./".contains(&byte));
    is_word.then(|| word.to_ascii_lowercase())
}

pub(crate) fn trace_id(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(TRACE_ID)?
        .to_str()
        .ok()
        .filter(|id| !id.is_empty())
}

impl Error {
    /// A failure that the platform reported in its own form, whatever the status.
    pub(crate) fn from_api(
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        api: &ApiError,
        redactor: Redactor<'_>,
        is_token_endpoint: bool,
    ) -> Self {
        let known = Known::find(api, is_token_endpoint);
        let kind = kind_of(status, known, is_token_endpoint);
        // A gateway's time-out: the platform itself warns that the message may have been sent.
        let is_unclear = status == StatusCode::GATEWAY_TIMEOUT
            || (status.is_server_error() && !api.is_failure());
        let reach = if is_unclear {
            Reach::Unknown
        } else {
            Reach::Refused
        };
        let mut error = Self::new(kind, reach, "").answered(status, headers, body, redactor);
        let inner = &mut *error.0;
        inner.code = api.code.filter(|code| *code != 0);
        inner.err_code = api.err_code.filter(|code| *code != 0);
        inner.known = known;
        inner.message = api
            .text()
            .map(|text| bounded(&redactor.clean(text), MESSAGE_CHARS));
        if inner.trace_id.is_none() {
            inner.trace_id = api
                .trace_id
                .as_deref()
                .map(|id| bounded(&redactor.clean(id), MESSAGE_CHARS));
        }
        error
    }

    /// An answer that is not in the platform's form: a gateway's HTML page, an empty body, half a body.
    pub(crate) fn from_http(
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        redactor: Redactor<'_>,
        is_token_endpoint: bool,
    ) -> Self {
        let kind = match status {
            StatusCode::TOO_MANY_REQUESTS => ErrorKind::RateLimited,
            StatusCode::UNAUTHORIZED if !is_token_endpoint => ErrorKind::Authentication,
            _ => ErrorKind::Http,
        };
        let reach = if status.is_server_error() || status.is_informational() {
            Reach::Unknown
        } else {
            Reach::Refused
        };
        let what = if status.is_redirection() {
            "the server redirects elsewhere, where no access token goes"
        } else if body.is_empty() {
            "the server answered without a body"
        } else {
            "the server answered with a page that is not the platform's"
        };
        Self::new(kind, reach, what).answered(status, headers, body, redactor)
    }

    /// A success whose body cannot be read.
    pub(crate) fn undecodable(
        what: impl Into<Cow<'static, str>>,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        redactor: Redactor<'_>,
    ) -> Self {
        let what = redactor.clean(&what.into()).into_owned();
        Self::decode(what).answered(status, headers, body, redactor)
    }

    fn answered(
        self,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        redactor: Redactor<'_>,
    ) -> Self {
        let trace_id = trace_id(headers).map(|id| redactor.clean(id));
        let mut error = self.with_status(status, trace_id.as_deref());
        error.0.retry_after = retry_after(headers);
        if !body.is_empty() {
            let text = String::from_utf8_lossy(body);
            error.0.raw_body = Some(cut(&redactor.clean(&text), RAW_BODY_BYTES).into());
        }
        error
    }
}

fn kind_of(status: StatusCode, known: Option<Known>, is_token_endpoint: bool) -> ErrorKind {
    match known {
        Some(known) if known.advice == Advice::RetryAfter => ErrorKind::RateLimited,
        Some(known) if known.retryable == Retryable::RefreshToken => ErrorKind::Authentication,
        Some(known) if is_token_endpoint && is_final(known.advice) => ErrorKind::Authentication,
        None if status == StatusCode::TOO_MANY_REQUESTS => ErrorKind::RateLimited,
        None if status == StatusCode::UNAUTHORIZED => ErrorKind::Authentication,
        _ => ErrorKind::Api,
    }
}

/// Whether only other credentials help.
const fn is_final(advice: Advice) -> bool {
    matches!(advice, Advice::Configuration | Advice::Fatal)
}

/// At most so many bytes, at a boundary of characters.
fn cut(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

/// At most so many characters, on one line.
fn bounded(text: &str, characters: usize) -> Box<str> {
    text.chars()
        .take(characters)
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect()
}
