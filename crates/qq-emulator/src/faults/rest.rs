//! Calls that go wrong.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, StatusCode};

use super::Action;
use crate::platform::{FOREVER, Platform};
use crate::rest;

/// Time in which the first part of a cut answer leaves.
const FLUSH: Duration = Duration::from_millis(10);
/// The largest answer that is cut.
const MAX_ANSWER: usize = 64 * 1024 * 1024;
const GARBAGE: &[u8] = b"\x00\xff\xfe{\"id\":\x80";
const PAGE: &str = "<html>\r\n<head><title>Error</title></head>\r\n<body><center><h1>Error</h1>\
                    </center></body>\r\n</html>\r\n";

/// Marks an answer that is never sent: the connection ends instead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lost;

/// Every call of the platform's REST API: plays the fault planned for it, if there is one.
pub(crate) async fn handle(Shared(platform): Shared<Arc<Platform>>, request: Request) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    play(
        platform,
        request,
        move || rest::route_of(&method, &path),
        |platform, request| rest::handle(Shared(platform), request),
    )
    .await
}

/// The same for a part of an upload.
pub(crate) async fn handle_part(
    Shared(platform): Shared<Arc<Platform>>,
    request: Request,
) -> Response {
    let route = || Some("put_upload_part");
    play(platform, request, route, rest::storage::take_part).await
}

async fn play<Served: Future<Output = Response>>(
    platform: Arc<Platform>,
    request: Request,
    route: impl FnOnce() -> Option<&'static str>,
    serve: impl FnOnce(Arc<Platform>, Request) -> Served,
) -> Response {
    let planned = platform.update_quietly(|state| {
        if state.faults.is_empty() {
            return None;
        }
        state.faults.of_call(route())
    });
    let Some(fault) = planned else {
        return serve(platform, request).await;
    };
    if fault.delay_ms > 0 {
        let pause = Duration::from_millis(fault.delay_ms).min(FOREVER);
        tokio::time::sleep(pause).await;
    }
    match fault.action {
        Action::Answer {
            status,
            code,
            headers,
            body,
        } => {
            let status = status_of(status);
            let mut response = rest::refuse_unserved(&platform, request, status, code).await;
            if let Some(body) = body {
                *response.body_mut() = Body::from(body);
            }
            for (name, value) in &headers {
                // Checked when the fault was planned.
                if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse()) {
                    response.headers_mut().insert(name, value);
                }
            }
            response
        }
        Action::Html { status } => {
            let status = status_of(status);
            let mut response = rest::refuse_unserved(&platform, request, status, None).await;
            let content_type = HeaderValue::from_static("text/html");
            response.headers_mut().insert(CONTENT_TYPE, content_type);
            *response.body_mut() = Body::from(PAGE);
            response
        }
        Action::Blackhole => {
            platform.stopping().requested().await;
            lost()
        }
        Action::Garbage => {
            let mut response = serve(platform, request).await;
            *response.body_mut() = Body::from(GARBAGE);
            response
        }
        Action::LoseReply => {
            serve(platform, request).await;
            lost()
        }
        Action::Cut { after_bytes } => cut(serve(platform, request).await, after_bytes).await,
        // The others are about frames; the plan does not give them to calls.
        _ => serve(platform, request).await,
    }
}

/// Says what is no header.
pub(super) fn check_headers(headers: &BTreeMap<String, String>) -> Result<(), String> {
    let good = |(name, value): (&String, &String)| {
        name.parse::<HeaderName>().is_ok() && HeaderValue::from_str(value).is_ok()
    };
    match headers.iter().find(|header| !good(*header)) {
        Some((name, _)) => Err(format!("headers: {name:?} or its value is no HTTP header")),
        None => Ok(()),
    }
}

fn status_of(status: u16) -> StatusCode {
    // Checked when the fault was planned.
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn lost() -> Response {
    let mut response = StatusCode::OK.into_response();
    response.extensions_mut().insert(Lost);
    response
}

/// Announces the whole body and sends its beginning.
async fn cut(response: Response, after: usize) -> Response {
    let (mut head, body) = response.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_ANSWER).await else {
        return lost();
    };
    head.headers
        .insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    let part = body.slice(..after.min(body.len().saturating_sub(1)));
    let first = stream::iter([Ok::<Bytes, std::io::Error>(part)]);
    let end = stream::once(async {
        tokio::time::sleep(FLUSH).await;
        Err(std::io::ErrorKind::ConnectionReset.into())
    });
    let chunks = futures_util::StreamExt::chain(first, end);
    Response::from_parts(head, Body::from_stream(chunks))
}
