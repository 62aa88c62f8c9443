//! Calls that are refused although their handler would not: by a planned fault, or because the
//! emulator is strict.

use axum::extract::Request;
use axum::response::Response;
use http::{Method, StatusCode};

use super::error::Refusal;
use super::{Answer, answer_with, body, client_name, read, request_log, router};
use crate::platform::{Platform, State};
use crate::violations::{Finding, Level};

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
        let (success, none) = (StatusCode::OK, Vec::new());
        answer_with(state, &client, log, &trace_id, success, Err(refusal), none)
    })
}

/// The answer, unless the emulator is strict and there is something that is not to be tolerated.
pub(super) fn tolerated(state: &State, answer: Answer, findings: &[Finding]) -> Answer {
    if !state.settings.strict {
        return answer;
    }
    let first = findings.iter().find(|found| found.level != Level::Info);
    match (&answer, first) {
        (Ok(_), Some(found)) => Err(Refusal::new(StatusCode::BAD_REQUEST, 400)
            .message(format!("{}: {}", found.code, found.message))),
        _ => answer,
    }
}
