//! One HTTP call to a bot.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde_json::Value;
use tokio::time::timeout;

use super::Corrupt;
use super::address::Address;
use crate::platform::State;
use crate::recording;

/// The longest answer that is read.
const MAX_ANSWER: usize = 64 * 1024;

/// Connections to bots, kept alive between calls.
#[derive(Debug, Clone)]
pub(super) struct Link(Client<HttpConnector, Full<Bytes>>);

/// What is sent.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) address: Address,
    pub(super) app_id: String,
    pub(super) body: Bytes,
    pub(super) timestamp: String,
    pub(super) signature: Option<String>,
    pub(super) trace_id: String,
}

/// What comes back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

/// Why nothing did.
#[derive(Debug)]
pub(super) enum Failure {
    /// Not in time.
    Timeout,
    /// No connection, or it broke; says how.
    Broken(String),
}

impl Link {
    pub(super) fn new() -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            // The platform's server is written in Go, which capitalises the names.
            .http1_title_case_headers(true)
            .build(HttpConnector::new());
        Self(client)
    }

    /// Sends a call and reads the answer, both within the limit.
    pub(super) async fn send(&self, call: Call, limit: Duration) -> Result<Reply, Failure> {
        let exchange = async {
            let response = self
                .0
                .request(request(call)?)
                .await
                .map_err(|why| Failure::Broken(root_cause(&why)))?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, MAX_ANSWER)
                .collect()
                .await
                .map_err(|why| Failure::Broken(root_cause(why.as_ref())))?;
            Ok(Reply {
                status: head.status,
                body: body.to_bytes(),
            })
        };
        timeout(limit, exchange)
            .await
            .unwrap_or(Err(Failure::Timeout))
    }
}

fn request(call: Call) -> Result<Request<Full<Bytes>>, Failure> {
    let headers = headers(&call)?;
    let mut request = Request::new(Full::new(call.body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = call.address.uri().clone();
    *request.headers_mut() = headers;
    Ok(request)
}

fn headers(call: &Call) -> Result<HeaderMap, Failure> {
    let value = |text: &str| {
        HeaderValue::from_str(text).map_err(|why| Failure::Broken(format!("a header: {why}")))
    };
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, HeaderValue::from_static("QQBot-Callback"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let name = HeaderName::from_static;
    headers.insert(name("x-bot-appid"), value(&call.app_id)?);
    headers.insert(
        name("x-signature-method"),
        HeaderValue::from_static("Ed25519"),
    );
    headers.insert(name("x-signature-timestamp"), value(&call.timestamp)?);
    if let Some(signature) = &call.signature {
        headers.insert(name("x-signature-ed25519"), value(signature)?);
    }
    headers.insert(name("x-tps-trace-id"), value(&call.trace_id)?);
    Ok(headers)
}

/// Writes a call and what came of it into the recording, if there is one.
pub(super) fn record(
    state: &State,
    call: &Call,
    corrupt: Option<Corrupt>,
    outcome: &Result<Reply, Failure>,
) {
    let Some(recorder) = &state.recorder else {
        return;
    };
    let outcome = match outcome {
        Ok(reply) => {
            let text = || String::from_utf8_lossy(&reply.body).into_owned().into();
            let answer = match serde_json::from_slice(&reply.body) {
                Ok(answer) => answer,
                Err(_) if reply.body.is_empty() => Value::Null,
                Err(_) => text(),
            };
            Ok((reply.status.as_u16(), answer))
        }
        Err(Failure::Timeout) => Err("no answer in time".to_owned()),
        Err(Failure::Broken(why)) => Err(format!("no answer: {why}")),
    };
    let headers = match headers(call) {
        Ok(headers) => recording::headers(&headers),
        // It was not sent, and the outcome says why.
        Err(_) => BTreeMap::new(),
    };
    recorder.callback(recording::Callback {
        app_id: &call.app_id,
        url: call.address.place(),
        corrupt: corrupt.map(Corrupt::as_str),
        headers,
        body: &call.body,
        outcome,
    });
}

/// The innermost error: "connection refused" rather than "client error".
fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// The time for a signature: real time, whatever the emulator's clock was moved by, because the
/// bot compares it with its own.
pub(super) fn seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
        .as_secs()
}
