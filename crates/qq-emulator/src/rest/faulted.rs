//! Calls that a planned fault answers instead of their handler.

use axum::extract::Request;
use axum::response::Response;
use http::{Method, StatusCode};

use super::error::Refusal;
use super::{answer_with, body, client_name, read, request_log, router};
use crate::platform::Platform;

/// The id of the route that a call is for.
pub(crate) fn route_of(method: &Method, path: &str) -> Option<&'static str> {
    let found = router::find(method, path).ok()?;
    Some(&found.route.id)
}

/// Writes the call down as any other, and answers it with an error.
pub(crate) async fn refuse_unserved(
    platform: &Platform,
    request: Request,
    status: StatusCode,
    code: Option<i64>,
) -> Response {
    let client = client_name(&request);
    let (parts, body) = request.into_parts();
    let matched = router::find(&parts.method, parts.uri.path());
    let bytes = read(body).await;
    let log = request_log::Entry::new(
        &parts,
        &matched,
        &body::Received::default(),
        bytes.as_deref(),
    );
    platform.update(|state| {
        let trace_id = state.call_ids.hex(32);
        let code = code.unwrap_or_else(|| status.as_u16().into());
        let refusal = Refusal::new(status, code);
        answer_with(state, &client, log, &trace_id, Err(refusal), Vec::new())
    })
}
