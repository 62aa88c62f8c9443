//! Any text: the structural scan never panics, and says what a full parser says wherever that says anything.

#![no_main]

use libfuzzer_sys::fuzz_target;
use qq_model::gateway::{Envelope, Header};
use serde_json::Value;

fuzz_target!(|text: &str| {
    let (header, envelope) = (Header::peek(text), Envelope::scan(text));
    assert!(envelope.is_err() || header.is_ok());
    let Ok(Value::Object(frame)) = serde_json::from_str::<Value>(text) else {
        return;
    };
    let number = |key| match frame.get(key)? {
        Value::String(digits) => digits.parse().ok(),
        number => number.as_u64(),
    };
    let string = |key| frame.get(key)?.as_str();
    let op: Option<i64> = number("op").and_then(|op| op.try_into().ok());
    let Ok(envelope) = envelope else {
        assert_eq!(op, None);
        return;
    };
    assert_eq!(Some(envelope.op.value()), op);
    assert_eq!(envelope.sequence, number("s"));
    assert_eq!(envelope.name.as_deref(), string("t"));
    assert_eq!(envelope.id.as_deref(), string("id"));
    match frame.get("d") {
        Some(data) => assert_eq!(
            &serde_json::from_str::<Value>(envelope.data).expect("a part"),
            data
        ),
        None => assert_eq!(envelope.data, ""),
    }
});
