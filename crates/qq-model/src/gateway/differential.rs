//! The structural scan against a full parser, on any JSON.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

use super::{Envelope, Header};

/// What a full parser says about a frame; `None` when it is none.
#[derive(Debug, PartialEq)]
struct Expected {
    op: i64,
    sequence: Option<u64>,
    name: Option<String>,
    id: Option<String>,
    data: Option<Value>,
}

impl Expected {
    fn of(frame: &Value) -> Option<Self> {
        let frame = frame.as_object()?;
        let number = |key| match frame.get(key)? {
            Value::String(digits) => digits.parse::<u64>().ok(),
            number => number.as_u64(),
        };
        let text = |key| frame.get(key)?.as_str().map(str::to_owned);
        Some(Self {
            op: number("op").and_then(|op| op.try_into().ok())?,
            sequence: number("s"),
            name: text("t"),
            id: text("id"),
            data: frame.get("d").cloned(),
        })
    }

    fn seen(envelope: &Envelope<'_>) -> Self {
        Self {
            op: envelope.op.value(),
            sequence: envelope.sequence,
            name: envelope.name.as_deref().map(str::to_owned),
            id: envelope.id.as_deref().map(str::to_owned),
            data: (!envelope.data.is_empty())
                .then(|| serde_json::from_str(envelope.data).expect("a part of well-formed JSON")),
        }
    }
}

/// Whether the scan says the same as the parser wherever the parser says anything.
fn agrees(text: &str) {
    let scanned = Envelope::scan(text);
    let peeked = Header::peek(text);
    if scanned.is_ok() {
        assert!(peeked.is_ok(), "{text}");
    }
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        return;
    };
    let expected = Expected::of(&value);
    let depth = scanned.as_ref().ok().map(|envelope| envelope.depth);
    assert_eq!(
        scanned.as_ref().ok().map(Expected::seen),
        expected,
        "{text}"
    );
    if expected.is_some() {
        // Of a member that is there twice the parser keeps one, so this is a bound only.
        assert!(depth >= Some(nesting(&value)), "{text}");
    }
}

fn nesting(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(nesting).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(nesting).max().unwrap_or(0),
        _ => 0,
    }
}

/// White space as JSON allows it.
fn space() -> impl Strategy<Value = String> {
    prop_oneof![3 => Just(String::new()), 1 => "[ \t\r\n]{1,3}", 1 => " {60,70}"]
}

/// A text in quotes: brackets, escapes of every sort, whatever would mislead.
fn string() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z]{1,12}",
        "[\\[\\]{}:,]{1,3}",
        "\u{7f8e}|\u{1f600}|\u{e9}",
        Just("\\\"".to_owned()),
        Just("\\\\".to_owned()),
        Just("\\/\\b\\f\\n\\r\\t".to_owned()),
        Just("\\u0026\\u003C".to_owned()),
        Just("\\ud83d\\ude00".to_owned()),
        Just("\\\"op\\\":9,\\\"t\\\":\\\"X\\\"".to_owned()),
    ];
    vec(piece, 0..6).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

/// The name of an outer member, plain or with escapes.
fn key() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        4 => Just("op"), 4 => Just("s"), 4 => Just("t"), 4 => Just("id"), 4 => Just("d"), 1 => Just("o"), 1 => Just("")
    ];
    let known = (name, any::<u8>()).prop_map(|(name, escaped)| {
        let letters = name.chars().enumerate().map(|(n, letter)| {
            // One name in four has escapes.
            if escaped % 4 == 0 && escaped >> (4 + n) & 1 == 1 {
                format!("\\u{:04x}", u32::from(letter))
            } else {
                letter.to_string()
            }
        });
        format!("\"{}\"", letters.collect::<String>())
    });
    prop_oneof![8 => known, 1 => string()]
}

fn members(
    key: impl Strategy<Value = String>,
    value: impl Strategy<Value = String>,
) -> impl Strategy<Value = String> {
    let member = (space(), key, space(), space(), value, space())
        .prop_map(|(a, key, b, c, value, d)| format!("{a}{key}{b}:{c}{value}{d}"));
    vec(member, 0..8).prop_map(|members| format!("{{{}}}", members.join(",")))
}

fn json() -> impl Strategy<Value = String> {
    let number = "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?";
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
        "0|[1-9][0-9]{0,3}",
        number,
        "\"[0-9]{1,3}\"",
        string(),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let items = vec((space(), inner.clone(), space()), 0..4).prop_map(|items| {
            let items: Vec<_> = items
                .into_iter()
                .map(|(a, value, b)| a + &value + &b)
                .collect();
            format!("[{}]", items.join(","))
        });
        prop_oneof![items, members(key(), inner)]
    })
}

fn frame() -> impl Strategy<Value = String> {
    (space(), members(key(), json()), space()).prop_map(|(a, frame, b)| a + &frame + &b)
}

proptest! {
    #[test]
    fn any_frame(text in frame()) {
        serde_json::from_str::<Value>(&text).expect("the generator writes JSON");
        agrees(&text);
    }

    #[test]
    fn frames_as_they_come(
        op in 0..14_u8, s in any::<u64>(), t in string(), id in string(), d in json(), x in json(),
        order in Just([0_usize, 1, 2, 3, 4, 5]).prop_shuffle(), space in space(),
    ) {
        let members = [
            format!("\"op\":{op}"), format!("\"s\":{s}"), format!("\"t\":{t}"),
            format!("\"id\":{id}"), format!("\"d\":{d}"), format!("\"x\":{x}"),
        ];
        let text = format!("{{{}}}", order.map(|n| &*members[n]).join(&format!("{space},{space}")));
        agrees(&text);
        // No member is there twice, so a look at the beginning says the same.
        let (mut header, envelope) = (Header::peek(&text).unwrap(), Envelope::scan(&text).unwrap());
        prop_assert_eq!(header.op, envelope.op);
        if op == 0 {
            prop_assert_eq!((header.sequence, &header.name), (envelope.sequence, &envelope.name));
        }
        header.find_id();
        if header.id.is_some() {
            prop_assert_eq!(&header.id, &envelope.id);
        }
        prop_assert_eq!(header.envelope().unwrap(), envelope);
    }

    #[test]
    fn broken_frames(text in frame(), at in any::<prop::sample::Index>(), byte in any::<u8>(), what in 0..4_u8) {
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        match what {
            0 => bytes.truncate(at),
            1 => bytes[at] = byte,
            2 => bytes.insert(at, b"{}[]\",:\\"[usize::from(byte % 8)]),
            _ => drop(bytes.remove(at)),
        }
        agrees(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn anything_at_all(text in "\\PC{0,40}|[{}\\[\\]\",:\\\\opstd0-9 ]{0,80}") {
        agrees(&text);
    }
}
