//! The answers that the platform understands.

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};

use crate::error::ErrorKind;
use crate::signature::Signature;

/// The event was taken.
pub(crate) fn success() -> Response<Bytes> {
    json(StatusCode::OK, Bytes::from_static(br#"{"op":12,"d":0}"#))
}

/// The event was not taken; the platform sends it again.
pub(crate) fn failure(status: StatusCode) -> Response<Bytes> {
    json(status, Bytes::from_static(br#"{"op":12,"d":1}"#))
}

/// A request that will be no better when it is sent again.
pub(crate) fn refusal(kind: ErrorKind, message: &'static str) -> Response<Bytes> {
    let mut response = typed(
        kind.status(),
        "text/plain; charset=utf-8",
        Bytes::from_static(message.as_bytes()),
    );
    if kind == ErrorKind::MethodNotAllowed {
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

/// The address is the bot's. The token is made of letters and digits, so it needs no escaping.
pub(crate) fn validation(plain_token: &str, signature: &Signature) -> Response<Bytes> {
    let body = format!(r#"{{"plain_token":"{plain_token}","signature":"{signature}"}}"#);
    json(StatusCode::OK, body.into())
}

/// The sender is heard; its number goes back to it.
pub(crate) fn heartbeat(number: Option<u64>) -> Response<Bytes> {
    let body = match number {
        Some(number) => format!(r#"{{"op":11,"d":{number}}}"#).into(),
        None => Bytes::from_static(br#"{"op":11,"d":null}"#),
    };
    json(StatusCode::OK, body)
}

fn json(status: StatusCode, body: Bytes) -> Response<Bytes> {
    typed(status, "application/json", body)
}

fn typed(status: StatusCode, content_type: &'static str, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
