//! Finding the outer members of a frame without decoding its payload.
//!
//! A structural scan: it follows strings and brackets, so neither the order of the members, nor white space,
//! nor members of the same names inside the payload mislead it. It checks no more of the payload than its
//! brackets; decoding does the rest.

use std::borrow::Cow;
use std::fmt;

use memchr::memchr2;

use super::OpCode;

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
        let mut scanner = Scanner { text, at: 0 };
        let mut op = None;
        let mut envelope = Self {
            op: OpCode::Dispatch,
            sequence: None,
            name: None,
            id: None,
            data: "",
        };
        scanner.white_space();
        scanner.expect(b'{')?;
        scanner.white_space();
        if !scanner.eat(b'}') {
            loop {
                scanner.white_space();
                let name = scanner.string()?;
                scanner.white_space();
                scanner.expect(b':')?;
                scanner.white_space();
                let value = scanner.value()?;
                match unquote(name).as_deref() {
                    Some("op") => op = number(value).and_then(|n| i64::try_from(n).ok()),
                    Some("s") => envelope.sequence = number(value),
                    Some("t") => envelope.name = unquote(value),
                    Some("id") => envelope.id = unquote(value),
                    Some("d") => envelope.data = value,
                    _ => {}
                }
                scanner.white_space();
                if scanner.eat(b'}') {
                    break;
                }
                scanner.expect(b',')?;
            }
        }
        scanner.white_space();
        if scanner.at != text.len() {
            return Err(EnvelopeError {
                at: scanner.at,
                expected: "the end of the frame",
            });
        }
        envelope.op = op.map(OpCode::from).ok_or(EnvelopeError {
            at: 0,
            expected: "a member \"op\" with a number",
        })?;
        Ok(envelope)
    }
}

/// A frame that is no JSON object with an `op`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnvelopeError {
    at: usize,
    expected: &'static str,
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

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), EnvelopeError> {
        if self.eat(byte) {
            return Ok(());
        }
        Err(self.error(match byte {
            b'{' => "an object",
            b':' => "a colon",
            _ => "a comma or the end of the object",
        }))
    }

    const fn error(&self, expected: &'static str) -> EnvelopeError {
        EnvelopeError {
            at: self.at,
            expected,
        }
    }

    fn white_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// A string with its quotes.
    fn string(&mut self) -> Result<&'a str, EnvelopeError> {
        let start = self.at;
        if !self.eat(b'"') {
            return Err(self.error("a string"));
        }
        loop {
            let rest = &self.text.as_bytes()[self.at.min(self.text.len())..];
            let Some(offset) = memchr2(b'"', b'\\', rest) else {
                return Err(EnvelopeError {
                    at: self.text.len(),
                    expected: "the end of a string",
                });
            };
            if rest[offset] == b'"' {
                self.at += offset + 1;
                return Ok(&self.text[start..self.at]);
            }
            // The escaped byte may be a quote or a backslash; either way it ends nothing.
            self.at += offset + 2;
        }
    }

    /// Any value, as text.
    fn value(&mut self) -> Result<&'a str, EnvelopeError> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'{' | b'[') => self.container(),
            Some(b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                let start = self.at;
                while matches!(
                    self.peek(),
                    Some(b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z')
                ) {
                    self.at += 1;
                }
                Ok(&self.text[start..self.at])
            }
            _ => Err(self.error("a value")),
        }
    }

    fn container(&mut self) -> Result<&'a str, EnvelopeError> {
        let start = self.at;
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Ok(&self.text[start..self.at]);
            }
        }
        Err(self.error("the end of an object or list"))
    }
}

/// The text of a JSON string; `None` for any other value.
fn unquote(value: &str) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(value).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

/// A whole number, bare or in quotes.
fn number(value: &str) -> Option<u64> {
    value.trim_matches('"').parse().ok()
}

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
        }

        #[test]
        fn never_panics(text in "\\PC*|[{}\\[\\]\",:\\\\opst0-9 ]*") {
            let _ = Envelope::scan(&text);
        }
    }
}
