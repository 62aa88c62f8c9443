//! Frames as text, the way the platform's server writes them.

use serde_json::Value;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// Serialises a value as Go's encoder does: `<`, `>`, `&` and the two line separators escaped.
/// These characters occur in JSON inside strings only, so the text can be treated as a whole.
pub(crate) fn go_json(value: &Value) -> String {
    let plain = value.to_string();
    if !plain.contains(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        return plain;
    }
    let mut escaped = String::with_capacity(plain.len() + 64);
    for character in plain.chars() {
        match character {
            '<' => escaped.push_str("\\u003c"),
            '>' => escaped.push_str("\\u003e"),
            '&' => escaped.push_str("\\u0026"),
            '\u{2028}' => escaped.push_str("\\u2028"),
            '\u{2029}' => escaped.push_str("\\u2029"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// An event frame; `d` is serialised once for all sessions, `s` differs.
pub(crate) fn dispatch(event: &str, id: Option<&str>, s: u64, d: &str) -> Utf8Bytes {
    let t = go_json(&Value::from(event));
    match id {
        Some(id) => {
            let id = go_json(&Value::from(id));
            format!(r#"{{"op":0,"s":{s},"t":{t},"id":{id},"d":{d}}}"#)
        }
        None => format!(r#"{{"op":0,"s":{s},"t":{t},"d":{d}}}"#),
    }
    .into()
}

pub(crate) fn hello(heartbeat_interval: u64) -> Utf8Bytes {
    format!(r#"{{"op":10,"d":{{"heartbeat_interval":{heartbeat_interval}}}}}"#).into()
}

pub(crate) fn heartbeat_ack() -> Utf8Bytes {
    Utf8Bytes::from_static(r#"{"op":11}"#)
}

pub(crate) fn reconnect() -> Utf8Bytes {
    Utf8Bytes::from_static(r#"{"op":7}"#)
}

pub(crate) fn invalid_session(resumable: bool) -> Utf8Bytes {
    format!(r#"{{"op":9,"d":{resumable}}}"#).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn escapes_like_go_and_stays_the_same_json() {
        let value = json!({"<k>": "a & b <@!1> \u{2028} \"<\\\""});
        let text = go_json(&value);
        assert!(!text.contains(['<', '>', '&', '\u{2028}']));
        assert!(text.contains(r"\u003c@!1\u003e"));
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn frames_are_json() {
        for frame in [
            hello(41_250),
            heartbeat_ack(),
            reconnect(),
            invalid_session(false),
            dispatch("A\"B", Some("x\"y"), 7, "{}"),
            dispatch("RESUMED", None, 8, "\"\""),
        ] {
            serde_json::from_str::<Value>(&frame).unwrap();
        }
    }
}
