//! Request bodies, checked against the protocol tables.

use bytes::Bytes;
use http::StatusCode;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::error::Refusal;
use super::{Call, forms, multipart};
use crate::tables::{self, Field, Kind, Route};
use crate::violations::Finding;

/// A body as it came.
#[derive(Debug)]
pub(crate) struct Received {
    fields: Result<Map<String, Value>, String>,
    /// The text of a JSON body.
    pub(super) raw: Option<Box<RawValue>>,
    pub(super) multipart: bool,
    /// The file of a form.
    pub(super) file: Option<Bytes>,
    /// The content type does not say what the body is.
    mislabelled: bool,
}

impl Default for Received {
    fn default() -> Self {
        Self {
            fields: Ok(Map::new()),
            raw: None,
            multipart: false,
            file: None,
            mislabelled: false,
        }
    }
}

impl Received {
    /// The members, or why there are none.
    pub(super) fn value(&self) -> Result<&Map<String, Value>, String> {
        self.fields.as_ref().map_err(Clone::clone)
    }

    /// The members as one value; null if they could not be read.
    pub(super) fn to_value(&self) -> Value {
        match &self.fields {
            Ok(fields) => Value::Object(fields.clone()),
            Err(_) => Value::Null,
        }
    }
}

/// Reads the body of a call of `route`. A route without body fields may be sent one all the same.
pub(super) async fn read(route: &Route, content_type: &str, bytes: &[u8]) -> Received {
    if route.body.is_empty() || bytes.is_empty() {
        return Received::default();
    }
    let kind = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    if kind == "multipart/form-data" {
        let form = multipart::read(route, content_type, bytes).await;
        let (fields, file) = match form {
            Ok(form) => (Ok(form.fields), form.file),
            Err(why) => (Err(why), None),
        };
        return Received {
            fields,
            raw: None,
            multipart: true,
            file,
            mislabelled: false,
        };
    }
    let raw: Result<Box<RawValue>, _> = serde_json::from_slice(bytes);
    let fields = match serde_json::from_slice::<Value>(bytes) {
        Ok(Value::Object(fields)) => Ok(forms::usual(&route.id, fields)),
        Ok(_) => Err("the body is not a JSON object".into()),
        Err(why) => Err(format!("the body is not JSON: {why}")),
    };
    Received {
        raw: raw.ok(),
        fields,
        multipart: false,
        file: None,
        mislabelled: kind != "application/json",
    }
}

/// Checks the body of a call: names, types, mandatory members. `code` is the route's own number
/// for bad parameters.
pub(super) fn check<'a>(
    call: &'a Call,
    code: i64,
    findings: &mut Vec<Finding>,
) -> Result<&'a Map<String, Value>, Box<Refusal>> {
    let refuse = |name: &'static str, why: String| {
        Refusal::new(StatusCode::BAD_REQUEST, code)
            .message(why.clone())
            .finding(Finding::error(
                name,
                "bodies have the members and types of the documents",
                why,
            ))
    };
    let fields = call
        .body
        .value()
        .map_err(|why| refuse("rest.body.json", why))?;
    if call.body.mislabelled {
        findings.push(Finding::warn(
            "rest.body.content_type",
            "a JSON body comes with Content-Type: application/json",
            "the Content-Type is missing or another one",
        ));
    }
    check_fields(fields, &call.route.body, "", call.body.multipart).map_err(|wrong| {
        let mut refusal = refuse("rest.body.type", wrong.why);
        if let Some(code) = wrong
            .missing
            .and_then(|at| missing_code(&call.route.id, &at))
        {
            refusal.code = code;
        }
        refusal
    })?;
    report_unknown(call, fields, findings);
    Ok(fields)
}

/// The number that a route has for a mandatory member that is missing, where it has one.
fn missing_code(route: &str, at: &str) -> Option<i64> {
    Some(match (route, at) {
        ("put_thread", "title") => 503_005,
        ("put_thread", "content") => 503_006,
        ("create_schedule" | "modify_schedule", "schedule") => 302_017,
        ("create_guild_channel", "name") => 200_016,
        ("put_menu" | "create_panel" | "update_panel", _) => 40_030_016,
        (
            "send_channel_message" | "send_dms_message" | "edit_channel_message",
            "message_reference.message_id",
        ) => 50_048,
        _ => return None,
    })
}

/// What is wrong with the form of a body.
#[derive(Debug)]
struct BadForm {
    why: String,
    /// The member that is missing, if that is what is wrong.
    missing: Option<String>,
}

impl From<String> for BadForm {
    fn from(why: String) -> Self {
        Self { why, missing: None }
    }
}

/// Clients repeat path parameters and send nulls for what they do not know; both are harmless.
fn report_unknown(call: &Call, fields: &Map<String, Value>, findings: &mut Vec<Finding>) {
    let alias = match call.route.id.as_str() {
        "send_c2c_message" | "send_group_message" => "V2MessageRequest",
        "create_guild_channel" | "modify_channel" => "Channel",
        _ => "",
    };
    let known = |name: &str| {
        let among = |fields: &[Field]| fields.iter().any(|field| field.name == name);
        among(&call.route.body) || tables::model(alias).is_some_and(among)
    };
    for (name, value) in fields {
        let repeats_path = call
            .params
            .iter()
            .any(|(_, param)| value.as_str() == Some(param));
        if !known(name)
            && !forms::tolerated(&call.route.id, name)
            && !value.is_null()
            && !repeats_path
        {
            findings.push(Finding::warn(
                "rest.body.unknown_field",
                "bodies have the members of the documents",
                format!("{}: there is no member {name:?}", call.route.id),
            ));
        }
    }
}

fn check_fields(
    given: &Map<String, Value>,
    fields: &[Field],
    at: &str,
    multipart: bool,
) -> Result<(), BadForm> {
    for field in fields {
        // The tables write "the members of X" as a field named "(X)".
        if field.name.starts_with('(') {
            continue;
        }
        match given.get(&field.name) {
            None | Some(Value::Null) if field.required => {
                let at = format!("{at}{}", field.name);
                return Err(BadForm {
                    why: format!("{at} is missing"),
                    missing: Some(at),
                });
            }
            None | Some(Value::Null) => {}
            Some(_) if multipart && field.kind == Kind::File => {}
            Some(value) => check_kind(value, &field.kind, &format!("{at}{}", field.name))?,
        }
    }
    Ok(())
}

fn check_kind(value: &Value, kind: &Kind, at: &str) -> Result<(), BadForm> {
    let wrong = |wanted: &str| Err(format!("{at} must be {wanted}, not {}", name_of(value)).into());
    match kind {
        Kind::String if !value.is_string() => wrong("a string"),
        Kind::Integer if !(value.is_i64() || value.is_u64()) => wrong("an integer"),
        Kind::Number if !value.is_number() => wrong("a number"),
        Kind::Boolean if !value.is_boolean() => wrong("true or false"),
        Kind::Object if !value.is_object() => wrong("an object"),
        Kind::File => wrong("a part of a multipart form"),
        Kind::Any | Kind::String | Kind::Integer | Kind::Number | Kind::Boolean | Kind::Object => {
            Ok(())
        }
        Kind::Model(name) => match (value, tables::model(name)) {
            (Value::Object(given), Some(fields)) => {
                check_fields(given, fields, &format!("{at}."), false)
            }
            (_, Some(_)) => wrong("an object"),
            (_, None) => Ok(()),
        },
        Kind::List(item, size) => {
            let Some(items) = value.as_array() else {
                return wrong("a list");
            };
            if let Some(size) = size
                && items.len() != *size
            {
                return Err(format!("{at} must have {size} elements").into());
            }
            items
                .iter()
                .enumerate()
                .try_for_each(|(index, value)| check_kind(value, item, &format!("{at}[{index}]")))
        }
        Kind::OneOf(kinds) => {
            if kinds.iter().any(|kind| check_kind(value, kind, at).is_ok()) {
                Ok(())
            } else {
                wrong("of another type")
            }
        }
    }
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check_body(route: &str, body: &Value) -> Result<(), String> {
        let route = tables::routes().iter().find(|r| r.id == route).unwrap();
        check_fields(body.as_object().unwrap(), &route.body, "", false).map_err(|wrong| wrong.why)
    }

    #[test]
    fn good_bodies_pass() {
        for body in [
            json!({"content": "x"}),
            json!({"content": null, "embed": null, "markdown": null, "file_image": null}),
            json!({"markdown": {"content": "# x"}, "keyboard": {"content": {"rows": [
                {"buttons": [{"render_data": {"label": "a"},
                              "action": {"type": 1, "permission": {"type": 2}, "data": "d"}}]}]}}}),
            json!({"ark": {"template_id": 23, "kv": [{"key": "#A#", "obj": [
                {"obj_kv": [{"key": "k", "value": "v"}]}]}]}}),
        ] {
            check_body("send_channel_message", &body).unwrap();
        }
        check_body(
            "send_c2c_message",
            &json!({"content": "x", "msg_type": 0, "msg_seq": 999_999, "timestamp": 1,
                    "media": null, "msg_id": "a", "event_id": "b"}),
        )
        .unwrap();
    }

    #[test]
    fn bad_bodies_name_the_member() {
        for (body, why) in [
            (
                json!({"content": 1}),
                "content must be a string, not a number",
            ),
            (
                json!({"file_image": "x"}),
                "file_image must be a part of a multipart form",
            ),
            (
                json!({"message_reference": {}}),
                "message_reference.message_id is missing",
            ),
            (
                json!({"markdown": []}),
                "markdown must be an object, not a list",
            ),
            (
                json!({"keyboard": {"content": {"rows": [{"buttons": [{}]}]}}}),
                "keyboard.content.rows[0].buttons[0].render_data is missing",
            ),
            (
                json!({"ark": {"template_id": 1.5, "kv": []}}),
                "ark.template_id must be an integer",
            ),
        ] {
            let error = check_body("send_channel_message", &body).unwrap_err();
            assert!(error.starts_with(why), "{error}");
        }
        let error = check_body("send_group_message", &json!({"msg_seq": "2"})).unwrap_err();
        assert_eq!(error, "msg_seq must be an integer, not a string");
    }
}
