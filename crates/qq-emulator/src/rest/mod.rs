//! The REST API: finds the route, checks who calls, reads the body, calls the handler.

mod access;
mod auth;
mod body;
mod content;
mod error;
mod faulted;
mod forms;
mod gateway;
mod group;
mod guild;
mod history;
mod interactions;
mod links;
mod menu;
mod messages;
mod multipart;
mod pages;
mod panels;
pub(crate) mod quotas;
mod quotes;
mod reads;
mod replies;
mod request_log;
mod rights;
mod router;
mod safety;
pub(crate) mod storage;
mod streams;
mod templates;
pub(crate) mod token;
pub(crate) mod uploads;
mod webhook_sessions;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::Value;
use tokio::time::timeout;

use crate::gateway::go_json;
use crate::platform::{Actor, Platform, State};
use crate::server::Peer;
use crate::tables::Route;
use crate::violations::Finding;
use body::Received;
use error::Refusal;
pub(crate) use faulted::{refuse_unserved, route_of};
pub(crate) use guild::member_event;
pub(crate) use reads::guild_view;
use router::Matched;
pub(crate) use router::query;

/// The largest body a client may send.
const MAX_BODY: usize = 16 * 1024 * 1024;
/// How long a client may take to send it.
const BODY_DEADLINE: Duration = Duration::from_secs(30);
/// On every answer, and in every refusal's body.
const TRACE_ID: HeaderName = HeaderName::from_static("x-tps-trace-id");

/// A call that passed the checks that all routes share.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) route: &'static Route,
    params: Vec<(&'static str, String)>,
    query: Vec<(String, String)>,
    /// The calling bot; empty on the token route.
    pub(crate) app_id: String,
    pub(crate) body: Received,
    pub(crate) gateway_url: String,
    /// `http://host:port` as the client reaches it.
    pub(crate) base_url: String,
}

impl Call {
    /// A parameter of the path.
    fn param(&self, name: &str) -> &str {
        self.params
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
            .unwrap_or_default()
    }

    /// A parameter of the query.
    fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// What a handler answers when it does not refuse. Routes of status 204 answer null.
type Answer = Result<Value, Box<Refusal>>;

/// Serves one route.
type Handler = fn(&mut State, &Call, &mut Vec<Finding>) -> Answer;

/// Everything that is no page, no gateway and no control call.
pub(crate) async fn handle(Shared(platform): Shared<Arc<Platform>>, request: Request) -> Response {
    let client = client_name(&request);
    let (parts, body) = request.into_parts();
    let matched = router::find(&parts.method, parts.uri.path());
    let bytes = read(body).await;
    let content_type = parts
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let body = match (&bytes, &matched) {
        (Some(bytes), Ok(matched)) => body::read(matched.route, content_type, bytes).await,
        _ => Received::default(),
    };
    let log = request_log::Entry::new(&parts, &matched, &body, bytes.as_deref());
    let host = parts
        .headers
        .get(HOST)
        .and_then(|value| value.to_str().ok());
    let gateway_url = platform.gateway_url(host);
    let base_url = platform.client_url(host);
    let matched = matched.map(|matched| matched.by_body(&body));
    let response = platform.update(move |state| {
        let trace_id = state.call_ids.hex(32);
        let mut findings = Vec::new();
        let success = match &matched {
            Ok(matched) => matched.route.success_status,
            Err(_) => 200,
        };
        let answer = match (bytes, matched) {
            (None, _) => Err(Refusal::unreadable_body()),
            (Some(_), Err(missing)) => Err(missing.refuse(&parts.method, parts.uri.path())),
            (Some(_), Ok(Matched { route, params })) => auth::check(state, route, &parts.headers)
                .and_then(|app_id| {
                    let call = Call {
                        route,
                        params,
                        query: query(parts.uri.query().unwrap_or_default()),
                        app_id,
                        body,
                        gateway_url,
                        base_url,
                    };
                    access::check(state, &call)?;
                    serve(state, &call, &mut findings)
                }),
        };
        let success = StatusCode::from_u16(success).unwrap_or(StatusCode::OK);
        answer_with(state, &client, log, &trace_id, success, answer, findings)
    });
    platform.start_later();
    response
}

/// Calls the handler of the route.
fn serve(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    match call.route.id.as_str() {
        "get_app_access_token" => return Ok(token::issue(state, call, findings)),
        "get_gateway" => return Ok(gateway::address(call)),
        "get_gateway_bot" => return Ok(gateway::address_and_limits(state, call)),
        _ => {}
    }
    match handler(&call.route.id) {
        Some(handler) => handler(state, call, findings),
        // A test shows that every route has a handler.
        None => Err(Refusal::new(StatusCode::NOT_FOUND, 404)),
    }
}

/// The handler of a route, from the family it belongs to.
fn handler(route: &str) -> Option<Handler> {
    [
        messages::handler,
        uploads::handler,
        streams::handler,
        history::handler,
        guild::handler,
        group::handler,
        interactions::handler,
        menu::handler,
        panels::handler,
        links::handler,
        webhook_sessions::handler,
        reads::handler,
    ]
    .into_iter()
    .find_map(|family| family(route))
}

/// Writes the request and its findings down, and makes the HTTP answer.
fn answer_with(
    state: &mut State,
    client: &str,
    log: request_log::Entry,
    trace_id: &str,
    success: StatusCode,
    answer: Answer,
    mut findings: Vec<Finding>,
) -> Response {
    let answer = faulted::tolerated(state, answer, &findings);
    let (status, code, body) = match answer {
        Ok(body) => (success, None, body),
        Err(refusal) => {
            let body = refusal.body(trace_id, state.settings.error_body);
            findings.extend(refusal.finding);
            (refusal.status, Some(refusal.code), body)
        }
    };
    log.to_recording(state, status, &body);
    let request = log.record(state, status, code, trace_id);
    let actor = Actor {
        client: client.to_owned(),
        session: None,
        request: Some(request),
    };
    for finding in findings {
        state.record(&actor, finding);
    }
    json_response(status, trace_id, &body)
}

/// The content type is exactly `application/json`: a client compares the whole value.
fn json_response(status: StatusCode, trace_id: &str, body: &Value) -> Response {
    // Without a body there is no content type either: a client would try to parse nothing.
    let mut response = if status == StatusCode::NO_CONTENT {
        Response::new(Body::empty())
    } else {
        let mut response = Response::new(Body::from(go_json(body)));
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    };
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if let Ok(trace_id) = HeaderValue::from_str(trace_id) {
        headers.insert(TRACE_ID, trace_id);
    }
    response
}

/// A refusal of a call that is no REST route.
pub(crate) fn plain_error(state: &mut State, status: StatusCode, message: &str) -> Response {
    let trace_id = state.call_ids.hex(32);
    let refusal = Refusal::new(status, status.as_u16().into()).message(message);
    let body = refusal.body(&trace_id, state.settings.error_body);
    json_response(status, &trace_id, &body)
}

/// The `User-Agent` of a request, or else the address it comes from.
pub(crate) fn client_name(request: &Request) -> String {
    let agent = request
        .headers()
        .get(USER_AGENT)
        .and_then(|agent| agent.to_str().ok())
        .filter(|agent| !agent.is_empty());
    match (agent, request.extensions().get::<Peer>()) {
        (Some(agent), _) => agent.chars().take(200).collect(),
        (None, Some(peer)) => peer.address.to_string(),
        (None, None) => String::new(),
    }
}

async fn read(body: Body) -> Option<Bytes> {
    timeout(BODY_DEADLINE, axum::body::to_bytes(body, MAX_BODY))
        .await
        .ok()?
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables;

    #[test]
    fn every_route_has_exactly_one_handler() {
        // The token and the two addresses are served by `serve` itself, a part of an upload by
        // `storage`.
        const ELSEWHERE: [&str; 4] = [
            "get_app_access_token",
            "get_gateway",
            "get_gateway_bot",
            "put_upload_part",
        ];
        for route in tables::routes() {
            let found = handler(&route.id).is_some();
            assert_ne!(
                found,
                ELSEWHERE.contains(&route.id.as_str()),
                "{}",
                route.id
            );
        }
    }
}
