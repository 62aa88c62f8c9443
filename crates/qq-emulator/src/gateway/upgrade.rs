//! From an HTTP request to a WebSocket.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::socket;
use crate::platform::{Actor, Platform};
use crate::rest;
use crate::server::Peer;
use crate::violations::Finding;

/// `GET /websocket`: answers 101 and hands the socket over.
pub(crate) async fn upgrade(State(platform): State<Arc<Platform>>, request: Request) -> Response {
    let client = rest::client_name(&request);
    let key = match accept_key(request.headers()) {
        Ok(key) => key,
        Err(why) => {
            let finding = Finding::error(
                "ws.upgrade",
                "the gateway is reached by a WebSocket upgrade, version 13",
                why,
            );
            let actor = Actor {
                client,
                ..Actor::default()
            };
            return platform.update(|state| {
                state.record(&actor, finding);
                rest::plain_error(state, StatusCode::UPGRADE_REQUIRED, why)
            });
        }
    };
    let guard = request
        .extensions()
        .get::<Peer>()
        .map(|peer| peer.guard.clone());
    tokio::spawn(async move {
        let Ok(upgraded) = hyper::upgrade::on(request).await else {
            // The client went away between its request and our answer.
            return;
        };
        if let Ok(parts) = upgraded.downcast::<TokioIo<TcpStream>>() {
            socket::serve(&platform, parts.io.into_inner(), parts.read_buf, client).await;
        }
        drop(guard);
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, key);
    response
}

/// What proves to a client that its WebSocket was understood.
///
/// # Errors
/// A sentence that says what is missing.
pub(crate) fn accept_key(headers: &HeaderMap) -> Result<HeaderValue, &'static str> {
    let has = |name, wanted: &str| {
        headers.get_all(name).iter().any(|value| {
            value.to_str().is_ok_and(|value| {
                value
                    .split(',')
                    .any(|token| token.trim().eq_ignore_ascii_case(wanted))
            })
        })
    };
    if !has(header::CONNECTION, "upgrade") || !has(header::UPGRADE, "websocket") {
        return Err("connect with a WebSocket: Connection: Upgrade, Upgrade: websocket");
    }
    if !has(header::SEC_WEBSOCKET_VERSION, "13") {
        return Err("Sec-WebSocket-Version must be 13");
    }
    let key = headers
        .get(header::SEC_WEBSOCKET_KEY)
        .ok_or("Sec-WebSocket-Key is missing")?;
    HeaderValue::from_str(&derive_accept_key(key.as_bytes()))
        .map_err(|_| "Sec-WebSocket-Key is not valid")
}
