//! Finding the outer members of a frame without decoding its payload.
//!
//! A structural scan: it follows strings and brackets, so neither the order of the members, nor white space,
//! nor members of the same names inside the payload mislead it. It checks no more of the payload than its
//! brackets; decoding does the rest.

use std::borrow::Cow;
use std::fmt;

use super::OpCode;
use super::scanner::{Key, Scanner, number, opcode, unquote};

/// The outer members of a frame, borrowed from its text.
///
/// ```
/// use qq_model::gateway::{Envelope, OpCode};
///
/// let envelope = Envelope::scan(r#"{"d": {"t": "READY"}, "op": 0, "t": "RESUMED", "s": 7}"#)?;
/// assert_eq!((envelope.op, envelope.sequence), (OpCode::Dispatch, Some(7)));
/// assert_eq!(envelope.name.as_deref(), Some("RESUMED"));
/// assert_eq!(envelope.data, r#"{"t": "READY"}"#);
/// # Ok::<(), qq_model::gateway::EnvelopeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Envelope<'a> {
    /// What the frame is for.
    pub op: OpCode,
    /// The number of the event in its session (`s`).
    pub sequence: Option<u64>,
    /// The name of the event (`t`).
    pub name: Option<Cow<'a, str>>,
    /// The outer id of the event (`id`).
    pub id: Option<Cow<'a, str>>,
    /// The JSON text of the payload (`d`); empty when the frame has none.
    pub data: &'a str,
}

impl<'a> Envelope<'a> {
    /// Finds the outer members of a frame.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError`] when the text is no JSON object or has no `op`.
    pub fn scan(text: &'a str) -> Result<Self, EnvelopeError> {
        let mut scanner = Scanner::new(text);
        let mut op = None;
        let mut envelope = Self {
            op: OpCode::Dispatch,
            sequence: None,
            name: None,
            id: None,
            data: "",
        };
        scanner.open()?;
        while let Some((key, value)) = scanner.member()? {
            match key {
                Key::Op => op = opcode(value),
                Key::Sequence => envelope.sequence = number(value),
                Key::Name => envelope.name = unquote(value),
                Key::Id => envelope.id = unquote(value),
                Key::Data => envelope.data = value,
                Key::Other => {}
            }
        }
        scanner.finish()?;
        envelope.op = op.ok_or(EnvelopeError {
            at: 0,
            expected: "a member \"op\" with a number",
        })?;
        Ok(envelope)
    }
}

/// What a frame is for, without its payload.
///
/// ```
/// use qq_model::gateway::{Header, OpCode};
///
/// let header = Header::peek(r#"{"op":0,"s":7,"t":"MESSAGE_CREATE","id":"x","d":{"op":9}}"#).unwrap();
/// assert_eq!((header.op, header.sequence, header.name.as_deref()), (OpCode::Dispatch, Some(7), Some("MESSAGE_CREATE")));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Header<'a> {
    /// What the frame is for.
    pub op: OpCode,
    /// The number of the event in its session (`s`).
    pub sequence: Option<u64>,
    /// The name of the event (`t`).
    pub name: Option<Cow<'a, str>>,
}

impl<'a> Header<'a> {
    /// Reads a frame until its kind, its number and its name are known: what comes behind them, the payload as a rule,
    /// is not even looked at. It serves to drop frames that nobody wants; [`Envelope::scan`] reads the others, and
    /// finds what is wrong with a frame.
    ///
    /// `None` when the text is no JSON object as far as it was read, or has no `op`.
    #[must_use]
    pub fn peek(text: &'a str) -> Option<Self> {
        let mut scanner = Scanner::new(text);
        let (mut op, mut sequence, mut event) = (None, None, None);
        scanner.open().ok()?;
        while op.is_none() || sequence.is_none() || event.is_none() {
            let Some((key, value)) = scanner.member().ok()? else {
                break;
            };
            match key {
                Key::Op => op = opcode(value),
                Key::Sequence => sequence = number(value),
                Key::Name => event = unquote(value),
                Key::Id | Key::Data | Key::Other => {}
            }
        }
        Some(Self {
            op: op?,
            sequence,
            name: event,
        })
    }
}

/// A frame that is no JSON object with an `op`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnvelopeError {
    pub(super) at: usize,
    pub(super) expected: &'static str,
}

impl fmt::Display for EnvelopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "malformed frame: expected {} at byte {}",
            self.expected, self.at
        )
    }
}

impl std::error::Error for EnvelopeError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn nested_look_alikes_and_spaces_do_not_mislead() {
        let envelope = Envelope::scan("{\"d\":{\"op\":9,\"s\":99,\"t\":\"X\\\"}\"}\n, \"op\" : 0 ,\"s\":7,\"t\":\"MESSAGE_CREATE\"}").unwrap();
        assert_eq!(
            (envelope.op, envelope.sequence),
            (OpCode::Dispatch, Some(7))
        );
        assert_eq!(envelope.name.unwrap(), "MESSAGE_CREATE");
    }

    #[test]
    fn a_peek_ends_where_it_knows_enough() {
        let header = Header::peek(r#"{"op":0,"s":1,"t":"X","d":{"never closed"#).unwrap();
        assert_eq!(header.name.as_deref(), Some("X"));
        let late = Header::peek(r#"{"d":{"t":"NO"},"t":"YES","op":0}"#).unwrap();
        assert_eq!((late.name.as_deref(), late.sequence), (Some("YES"), None));
        for text in ["", "[]", "{}", r#"{"t":"X"}"#, r#"{"op":0,"d":{"#] {
            assert_eq!(Header::peek(text), None, "{text}");
        }
    }

    #[test]
    fn escaped_names_count() {
        let envelope = Envelope::scan(r#"{"\u006fp":1,"t":"A\u0042","d":""}"#).unwrap();
        assert_eq!(
            (envelope.op, envelope.name.as_deref(), envelope.data),
            (OpCode::Heartbeat, Some("AB"), "\"\"")
        );
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        for text in [
            "",
            "[]",
            "{",
            "{}",
            "{\"op\"}",
            "{\"op\":}",
            "{\"op\":0",
            "{\"op\":0}x",
            "{\"op\":0,}",
            "{\"op\":\"",
            "{\"op\":null}",
            "{\"d\":[}",
        ] {
            assert!(Envelope::scan(text).is_err(), "{text}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,8}|[\"\\\\{}\\[\\],:]{0,8}".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::hash_map("op|s|t|id|d|[\"\\\\a-c]{0,3}", inner, 0..4)
                    .prop_map(|map| json!(map)),
            ]
        })
    }

    proptest! {
        #[test]
        fn agrees_with_a_full_parser(d in any_json(), s in any::<u64>(), op in 0..14_i64, t in "\\PC{0,12}", pretty in any::<bool>()) {
            let frame = json!({"op": op, "s": s, "t": t, "d": d, "x": d});
            let text = if pretty { serde_json::to_string_pretty(&frame) } else { serde_json::to_string(&frame) }.unwrap();
            let envelope = Envelope::scan(&text).unwrap();
            prop_assert_eq!(envelope.op.value(), op);
            prop_assert_eq!(envelope.sequence, Some(s));
            prop_assert_eq!(envelope.name.as_deref(), Some(&*t));
            prop_assert_eq!(serde_json::from_str::<Value>(envelope.data).unwrap(), d);
            let header = Header::peek(&text).unwrap();
            prop_assert_eq!((header.op, header.sequence, header.name), (envelope.op, envelope.sequence, envelope.name));
        }

        #[test]
        fn never_panics(text in "\\PC*|[{}\\[\\]\",:\\\\opst0-9 ]*") {
            let _ = Header::peek(&text);
            prop_assert!(Envelope::scan(&text).is_err() || Header::peek(&text).is_some());
        }
    }
}
