//! `GET requests`: what was called, without secrets.

use std::collections::BTreeMap;

use http::StatusCode;
use http::request::Parts;
use serde_json::Value;

use super::body::Received;
use super::router::{Matched, Missing};
use crate::clock::rfc3339_millis;
use crate::platform::State;
use crate::recording;
use crate::views::RequestEntry;

/// The longest text kept of a body that is not JSON.
const MAX_TEXT: usize = 8 * 1024;
const HIDDEN: &str = "***";

/// A request before it is answered.
#[derive(Debug)]
pub(super) struct Entry {
    method: String,
    path: String,
    query: Option<String>,
    route: Option<String>,
    headers: BTreeMap<String, String>,
    body: Value,
}

impl Entry {
    pub(super) fn new(
        parts: &Parts,
        matched: &Result<Matched, Missing>,
        body: &Received,
        bytes: Option<&[u8]>,
    ) -> Self {
        let mut value = if body.multipart {
            body.to_value()
        } else {
            read_body(bytes.unwrap_or_default())
        };
        if let Some(secret) = value.get_mut("clientSecret") {
            *secret = HIDDEN.into();
        }
        shorten(&mut value);
        Self {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().map(str::to_owned),
            route: matched.as_ref().ok().map(|found| found.route.id.clone()),
            headers: recording::headers(&parts.headers),
            body: value,
        }
    }

    /// A part of an upload: its bytes are not kept here.
    pub(super) fn of_part(parts: &Parts) -> Self {
        Self {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: None,
            route: Some("put_upload_part".into()),
            headers: recording::headers(&parts.headers),
            body: Value::Null,
        }
    }

    /// Writes it into a recording, with its answer.
    pub(super) fn to_recording(&self, state: &State, status: StatusCode, answer: &Value) {
        if let Some(recorder) = &state.recorder {
            recorder.call(recording::Call {
                method: &self.method,
                path: &self.path,
                query: self.query.as_deref(),
                headers: self.headers.clone(),
                body: self.body.clone(),
                status: status.as_u16(),
                answer: answer.clone(),
            });
        }
    }

    /// Writes it down; gives its number.
    pub(super) fn record(
        self,
        state: &mut State,
        status: StatusCode,
        code: Option<i64>,
        trace_id: &str,
    ) -> u64 {
        let at = rfc3339_millis(state.clock.now());
        state
            .requests
            .push(state.settings.log_size, |n| RequestEntry {
                n,
                at,
                method: self.method,
                path: self.path,
                query: self.query,
                route: self.route,
                headers: self.headers,
                body: self.body,
                status: status.as_u16(),
                code,
                trace_id: trace_id.to_owned(),
            })
    }
}

/// Cuts long texts, such as the base64 of a file.
fn shorten(value: &mut Value) {
    match value {
        Value::String(text) if text.len() > MAX_TEXT => {
            let length = text.len();
            let end = (0..=MAX_TEXT / 8)
                .rev()
                .find(|at| text.is_char_boundary(*at));
            text.truncate(end.unwrap_or(0));
            text.push_str(&format!("... ({length} bytes)"));
        }
        Value::Array(items) => items.iter_mut().for_each(shorten),
        Value::Object(members) => members.values_mut().for_each(shorten),
        _ => {}
    }
}

fn read_body(bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(bytes).unwrap_or_else(|_| {
        let end = bytes.len().min(MAX_TEXT);
        let text = String::from_utf8_lossy(&bytes[..end]);
        // A broken token request may hold the secret in a form that cannot be found.
        if text.contains("clientSecret") {
            HIDDEN.into()
        } else {
            text.into()
        }
    })
}
