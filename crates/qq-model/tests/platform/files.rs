//! The fixtures, and how each is decoded.

use std::fs;
use std::path::{Path, PathBuf};

use qq_model::describe::{Object, ROUTES, Reply};
use qq_model::event::Dispatch;
use qq_model::gateway::Envelope;
use serde_json::Value;

use crate::codecs::codec;

/// A file of test data.
pub(crate) struct Fixture {
    /// Its path below the folder.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// What decoding and encoding gave.
pub(crate) enum Outcome {
    /// The value that was decoded, and what became of it.
    Encoded { original: Value, encoded: Value },
    /// Decoded; it is never written.
    ReadOnly,
    /// There is nothing to decode.
    NoType,
}

pub(crate) fn fixtures() -> Vec<Fixture> {
    read(Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tables/fixtures"
    )))
}

/// The printed samples of the official documents, where a variable names their folder.
pub(crate) fn samples() -> Option<Vec<Fixture>> {
    let folder = std::env::var_os("QQ_PROTOCOL_SAMPLES")?;
    Some(read(Path::new(&folder)))
}

pub(crate) fn read(folder: &Path) -> Vec<Fixture> {
    let mut files = Vec::new();
    collect(folder, &mut files);
    files.sort();
    files
        .into_iter()
        .map(|path| Fixture {
            name: path
                .strip_prefix(folder)
                .unwrap()
                .to_str()
                .unwrap()
                .replace('\\', "/"),
            text: fs::read_to_string(&path).unwrap(),
        })
        .filter(|fixture| {
            !matches!(
                fixture.name.as_str(),
                "rest/INDEX.json"
                    | "events/index.json"
                    | "rest/events/webhook.signature_vector.json"
            )
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|end| end == "json") {
            files.push(path);
        }
    }
}

/// The part of a fixture that is decoded, and as what.
pub(crate) struct Payload {
    pub(crate) target: Target,
    pub(crate) value: Value,
}

pub(crate) enum Target {
    /// The payload of this event.
    Event(String),
    /// This object.
    Object(&'static str),
    /// Nothing to decode.
    NoType,
}

/// What a fixture holds, by its name and its frame.
pub(crate) fn payload(fixture: &Fixture) -> Payload {
    let value: Value = serde_json::from_str(&fixture.text)
        .unwrap_or_else(|error| panic!("{}: {error}", fixture.name));
    let (folder, file) = fixture.name.rsplit_once('/').unwrap();
    let stem = file.trim_end_matches(".json");
    match folder {
        "rest" => rest(stem, value),
        "rest/events" => bare_event(stem, value),
        "events/rest" => Payload {
            target: Target::Object(match stem.split('.').next().unwrap() {
                "access_token" => "AccessTokenResponse",
                "gateway" => "Gateway",
                "gateway_bot" => "GatewayBot",
                other => panic!("no type for {other}"),
            }),
            value,
        },
        "events/webhook" if stem == "event_request_headers" => Payload {
            // HTTP headers, not JSON.
            target: Target::NoType,
            value,
        },
        "events/webhook" if stem.starts_with("ack_") => Payload {
            target: Target::Object("HttpCallbackAck"),
            value,
        },
        "events/webhook" if stem == "validation_request" => frame(value.get("body").unwrap()),
        "events/webhook" if stem == "validation_response" => Payload {
            target: Target::Object("WebhookValidationReply"),
            value: value.get("body").unwrap().clone(),
        },
        _ => frame(&value),
    }
}

fn rest(stem: &str, value: Value) -> Payload {
    let mut parts: Vec<&str> = stem.split('.').collect();
    let direction = parts.pop().unwrap();
    let route = parts[0];
    if route == "fragment" {
        return Payload {
            target: Target::Object(if direction == "keyboard_content" {
                "KeyboardContent"
            } else {
                "V2MessageRequest"
            }),
            value,
        };
    }
    if route == "error" || parts.contains(&"audit") {
        return Payload {
            target: Target::Object("ApiError"),
            value,
        };
    }
    let known = ROUTES
        .iter()
        .find(|known| known.id == route)
        .unwrap_or_else(|| panic!("no route {route}"));
    let object: Option<&Object> = match (direction, known.reply) {
        ("request", _) => known.body,
        (_, Reply::Object(object) | Reply::List(object)) => Some(object),
        (_, Reply::Nothing) => None,
    };
    let target = object.map_or(Target::NoType, |object| Target::Object(object.name));
    if object.is_none() {
        assert!(
            value.as_object().is_some_and(serde_json::Map::is_empty),
            "{stem} has content and no type"
        );
    }
    Payload { target, value }
}

fn bare_event(stem: &str, value: Value) -> Payload {
    let name = stem.split('.').next().unwrap();
    if matches!(name, "frame" | "webhook") {
        return if stem == "webhook.validation.response" {
            Payload {
                target: Target::Object("WebhookValidationReply"),
                value,
            }
        } else {
            frame(&value)
        };
    }
    Payload {
        target: Target::Event(name.to_owned()),
        value,
    }
}

/// A whole frame; the scan must find what a JSON reader finds.
fn frame(value: &Value) -> Payload {
    let text = value.to_string();
    let envelope = Envelope::scan(&text).unwrap();
    assert_eq!(value["op"], envelope.op.value());
    assert_eq!(
        value.get("t").and_then(Value::as_str),
        envelope.name.as_deref()
    );
    assert_eq!(value.get("s").and_then(Value::as_u64), envelope.sequence);
    let data = value.get("d").cloned().unwrap_or(Value::Null);
    if let Some(dispatch) = Dispatch::decode(&envelope) {
        assert_eq!(
            value.get("id").and_then(Value::as_str).unwrap_or_default(),
            dispatch.id.map(|id| id.to_string()).unwrap_or_default()
        );
        return Payload {
            target: Target::Event(dispatch.event.name().to_owned()),
            value: data,
        };
    }
    let target = match envelope.op.value() {
        2 => Target::Object("Identify"),
        6 => Target::Object("Resume"),
        10 => Target::Object("Hello"),
        13 => Target::Object("WebhookValidation"),
        // A number, a switch or nothing: the envelope has it.
        1 | 7 | 9 | 11 => Target::NoType,
        other => panic!("op {other}"),
    };
    Payload {
        target,
        value: data,
    }
}

/// Decodes a payload as its type and encodes it again.
pub(crate) fn round_trip(target: &Target, value: &Value) -> Outcome {
    match target {
        Target::NoType => Outcome::NoType,
        Target::Event(name) => {
            let event = qq_model::Event::decode(name, &value.to_string());
            assert!(
                !matches!(
                    event,
                    qq_model::Event::Undecodable { .. } | qq_model::Event::Unknown { .. }
                ),
                "{event:?}"
            );
            Outcome::Encoded {
                original: value.clone(),
                encoded: serde_json::to_value(&event).unwrap(),
            }
        }
        Target::Object(name) => match value {
            Value::Array(items) if *name != "Envelope" => {
                let mut encoded = Vec::new();
                for item in items {
                    match round_trip(target, item) {
                        Outcome::Encoded { encoded: item, .. } => encoded.push(item),
                        Outcome::ReadOnly | Outcome::NoType => return Outcome::ReadOnly,
                    }
                }
                Outcome::Encoded {
                    original: value.clone(),
                    encoded: Value::Array(encoded),
                }
            }
            _ => match codec(name)(&value.to_string()).unwrap() {
                Some(encoded) => Outcome::Encoded {
                    original: value.clone(),
                    encoded,
                },
                None => Outcome::ReadOnly,
            },
        },
    }
}
