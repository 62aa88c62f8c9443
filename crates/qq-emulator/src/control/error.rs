//! Refusals of the control API: `{"error": "field: what is wrong and what to do"}`.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, Uri, header::CONTENT_TYPE};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// What the router cuts off the paths.
pub(super) const PREFIX: &str = "/emulator/v1";

/// A control call that is refused.
#[derive(Debug)]
pub(super) struct Refused(StatusCode, String);

/// What a control call gives.
pub(super) type Answer<T> = Result<Json<T>, Refused>;

/// A JSON answer.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

impl Refused {
    /// Status 400.
    pub(super) fn because(why: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, why.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = Json(json!({"error": self.1})).into_response();
        *response.status_mut() = self.0;
        response
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => {
                let content_type = HeaderValue::from_static("application/json");
                ([(CONTENT_TYPE, content_type)], body).into_response()
            }
            Err(why) => (StatusCode::INTERNAL_SERVER_ERROR, why.to_string()).into_response(),
        }
    }
}

/// The members of a JSON body; an empty body has none. Unknown members are refused: they are
/// mostly misspelt ones.
pub(super) fn members(body: &[u8], known: &[&str]) -> Result<Map<String, Value>, Refused> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    let members: Map<String, Value> = serde_json::from_slice(body)
        .map_err(|why| Refused::because(format!("body: send a JSON object ({why})")))?;
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(Refused::because(format!(
            "{name}: unknown; this call takes {}",
            known.join(", ")
        ))),
        None => Ok(members),
    }
}

/// A member that may be left out; null counts as left out.
pub(super) fn optional<'a, T>(
    members: &'a Map<String, Value>,
    name: &str,
    wanted: &str,
    read: impl FnOnce(&'a Value) -> Option<T>,
) -> Result<Option<T>, Refused> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match read(value) {
            Some(value) => Ok(Some(value)),
            None => Err(Refused::because(format!("{name}: give {wanted}"))),
        },
    }
}

/// A member that may not.
pub(super) fn required<'a, T>(
    members: &'a Map<String, Value>,
    name: &str,
    wanted: &str,
    read: impl FnOnce(&'a Value) -> Option<T>,
) -> Result<T, Refused> {
    optional(members, name, wanted, read)?
        .ok_or_else(|| Refused::because(format!("{name}: is missing; give {wanted}")))
}

pub(super) async fn unknown_call(uri: Uri) -> Refused {
    let why = format!("path: there is no control call {PREFIX}{}", uri.path());
    Refused(StatusCode::NOT_FOUND, why)
}

pub(super) async fn wrong_method(method: Method, uri: Uri) -> Refused {
    let why = format!("method: {PREFIX}{} does not take {method}", uri.path());
    Refused(StatusCode::METHOD_NOT_ALLOWED, why)
}
