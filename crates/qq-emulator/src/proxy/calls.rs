//! A call, passed on with its answer.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::time::timeout;

use super::Shared;
use crate::recording::{self, Call};

/// The largest body that is passed on.
const MOST_BYTES: usize = 32 * 1024 * 1024;
/// How long a call may take.
const DEADLINE: Duration = Duration::from_secs(60);
/// The longest text of a body that is recorded.
const MOST_TEXT: usize = 64 * 1024;

/// Headers that belong to one connection.
const HOP: [HeaderName; 4] = [CONNECTION, TRANSFER_ENCODING, UPGRADE, CONTENT_LENGTH];

/// Sends the call to the server behind the proxy, and its answer back.
pub(super) async fn pass_on(shared: &Shared, request: Request<Incoming>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let sent = match read(body).await {
        Ok(sent) => sent,
        Err(why) => return failed(StatusCode::PAYLOAD_TOO_LARGE, &why),
    };
    let forward = forward(shared, &parts, sent.clone());
    let (status, mut headers, mut body) = match timeout(DEADLINE, forward).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(why)) => return failed(StatusCode::BAD_GATEWAY, &why),
        Err(_) => {
            return failed(
                StatusCode::GATEWAY_TIMEOUT,
                "the server did not answer in time",
            );
        }
    };
    let (path, query) = recording::call_path(&parts.uri);
    shared.recorder.call(Call {
        method: parts.method.as_str(),
        path: &path,
        query: query.as_deref(),
        headers: recording::headers(&parts.headers),
        body: readable(&sent),
        status: status.as_u16(),
        answer: readable(&body),
    });
    if matches!(parts.uri.path(), "/gateway" | "/gateway/bot") && status.is_success() {
        body = here(shared, &body).unwrap_or(body);
    }
    for name in HOP {
        headers.remove(name);
    }
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

type Answer = (StatusCode, HeaderMap, Bytes);

async fn forward(
    shared: &Shared,
    parts: &http::request::Parts,
    body: Bytes,
) -> Result<Answer, String> {
    let upstream = &shared.upstream;
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let uri: Uri = upstream
        .path(path)
        .parse()
        .map_err(|why| format!("path: {why}"))?;
    let host = HeaderValue::from_str(&upstream.authority()).map_err(|why| why.to_string())?;
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = parts.method.clone();
    *request.uri_mut() = uri;
    *request.headers_mut() = parts.headers.clone();
    for name in HOP {
        request.headers_mut().remove(name);
    }
    // What is recorded shall be readable.
    request.headers_mut().remove(ACCEPT_ENCODING);
    request.headers_mut().insert(HOST, host);
    let stream = upstream.connect().await.map_err(|why| why.to_string())?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|why| why.to_string())?;
    let answer = async {
        let answer = sender
            .send_request(request)
            .await
            .map_err(|why| why.to_string())?;
        let (head, body) = answer.into_parts();
        Ok((head.status, head.headers, read(body).await?))
    };
    let mut answer = std::pin::pin!(answer);
    tokio::select! {
        answer = &mut answer => answer,
        // The connection ends when the answer is whole; what came is in the body's buffer.
        ended = connection => match ended {
            Ok(()) => answer.await,
            Err(why) => Err(why.to_string()),
        },
    }
}

async fn read(body: Incoming) -> Result<Bytes, String> {
    let read = Limited::new(body, MOST_BYTES).collect().await;
    read.map(http_body_util::Collected::to_bytes)
        .map_err(|why| why.to_string())
}

/// The address of the gateway, exchanged for this one.
fn here(shared: &Shared, body: &[u8]) -> Option<Bytes> {
    let mut answer: Value = serde_json::from_slice(body).ok()?;
    let url = answer.get_mut("url")?;
    shared.learn_gateway(url.as_str()?);
    let base = shared.base_url.replacen("http", "ws", 1);
    *url = format!("{base}/websocket/").into();
    Some(answer.to_string().into())
}

/// A body as it is recorded: JSON, or a text, or how long it is.
fn readable(body: &[u8]) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    if let Ok(json) = serde_json::from_slice(body) {
        return json;
    }
    match std::str::from_utf8(body) {
        // A broken token request may hold the secret in a form that cannot be found.
        Ok(text) if text.len() <= MOST_TEXT && !text.contains("ecret") => text.into(),
        _ => format!("({} bytes)", body.len()).into(),
    }
}

fn failed(status: StatusCode, why: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("proxy: {why}")));
    *response.status_mut() = status;
    response
}
