//! Finding the outer members of a frame without decoding its payload.
//!
//! A structural scan: it follows strings and brackets, so neither the order of the members, nor white space,
//! nor members of the same names inside the payload mislead it. It checks no more of the payload than its
//! brackets; decoding does the rest.

use std::borrow::Cow;
use std::fmt;

use super::OpCode;
use super::scanner::{Key, Scanner, opcode};
use crate::EventKind;

/// The outer members of a frame, borrowed from its text.
///
/// Of a member that is there twice the last one counts, as with `serde_json::Value`.
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
    /// The number of the event in its session (`s`), a number or digits in quotes.
    pub sequence: Option<u64>,
    /// The name of the event (`t`).
    pub name: Option<Cow<'a, str>>,
    /// The outer id of the event (`id`).
    pub id: Option<Cow<'a, str>>,
    /// The JSON text of the payload (`d`); empty when the frame has none.
    pub data: &'a str,
    /// How deep objects and lists are nested in the frame; 1 when its members are plain values.
    pub depth: usize,
}

impl<'a> Envelope<'a> {
    /// Finds the outer members of a frame.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError`] when the text is no JSON object or has no `op`.
    pub fn scan(text: &'a str) -> Result<Self, EnvelopeError> {
        Header::peek(text)?.envelope()
    }
}

/// What a frame is for, read no further than needed: nobody has looked at the payload yet as a rule.
///
/// It serves to drop frames that nobody wants; [`envelope`](Self::envelope) reads on in the others.
///
/// ```
/// use qq_model::gateway::{Header, OpCode};
///
/// let header = Header::peek(r#"{"op":0,"s":7,"t":"MESSAGE_CREATE","id":"x","d":{"op":9}}"#)?;
/// assert_eq!((header.op, header.sequence, header.name.as_deref()), (OpCode::Dispatch, Some(7), Some("MESSAGE_CREATE")));
/// assert_eq!(header.envelope()?.data, r#"{"op":9}"#);
/// # Ok::<(), qq_model::gateway::EnvelopeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Header<'a> {
    /// What the frame is for.
    pub op: OpCode,
    /// The number of the event in its session (`s`), a number or digits in quotes.
    pub sequence: Option<u64>,
    /// The name of the event (`t`).
    pub name: Option<Cow<'a, str>>,
    /// The outer id of the event (`id`), if it was read; see [`find_id`](Self::find_id).
    pub id: Option<Cow<'a, str>>,
    rest: Rest<'a>,
}

/// Where a header was left.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rest<'a> {
    scanner: Scanner<'a>,
    /// The payload, if it was passed.
    data: &'a str,
    /// Whether the end of the object was reached.
    is_ended: bool,
}

/// The outer members as far as they were read.
#[derive(Default)]
struct Members<'a> {
    op: Option<OpCode>,
    sequence: Option<u64>,
    name: Option<Cow<'a, str>>,
    id: Option<Cow<'a, str>>,
    data: &'a str,
}

impl<'a> Members<'a> {
    /// Takes the value that is next.
    #[inline(always)]
    fn take(&mut self, key: Key, scanner: &mut Scanner<'a>) -> Result<(), EnvelopeError> {
        match key {
            Key::Op => self.op = scanner.number()?.and_then(opcode),
            Key::Sequence => self.sequence = scanner.number()?,
            Key::Name => self.name = scanner.value()?.string(),
            Key::Id => self.id = scanner.value()?.string(),
            Key::Data => self.data = scanner.value()?.text,
            Key::Other => _ = scanner.value()?,
        }
        Ok(())
    }

    /// Whether it is known what the frame is.
    fn is_enough(&self) -> bool {
        match self.op {
            None => false,
            Some(OpCode::Dispatch) => self.sequence.is_some() && self.name.is_some(),
            Some(_) => true,
        }
    }

    fn op(&self) -> Result<OpCode, EnvelopeError> {
        self.op.ok_or(EnvelopeError {
            at: 0,
            expected: "a member \"op\" with a number",
        })
    }
}

impl<'a> Header<'a> {
    /// Reads a frame until its kind is known, and of an event its number and name. As a rule that is in front of the
    /// payload, which is not even looked at then.
    ///
    /// What stands behind that place is thus not known to be sound, and does not count if it repeats a member.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError`] when the text is no JSON object as far as it was read, or has no `op`.
    pub fn peek(text: &'a str) -> Result<Self, EnvelopeError> {
        let mut scanner = Scanner::new(text);
        if let Some((sequence, name)) = scanner.beginning() {
            return Ok(Self {
                op: OpCode::Dispatch,
                sequence: Some(sequence),
                name: Some(Cow::Borrowed(name)),
                id: None,
                rest: Rest {
                    scanner,
                    data: "",
                    is_ended: false,
                },
            });
        }
        Self::peek_any(scanner)
    }

    #[inline(never)]
    fn peek_any(mut scanner: Scanner<'a>) -> Result<Self, EnvelopeError> {
        let mut members = Members::default();
        let mut is_ended = false;
        while !members.is_enough() {
            let Some(key) = scanner.key()? else {
                is_ended = true;
                break;
            };
            members.take(key, &mut scanner)?;
        }
        Ok(Self {
            op: members.op()?,
            sequence: members.sequence,
            name: members.name,
            id: members.id,
            rest: Rest {
                scanner,
                data: members.data,
                is_ended,
            },
        })
    }

    /// Looks for the id between the place where the header was left and the payload, which is where it stands as a rule.
    pub fn find_id(&mut self) {
        if self.id.is_none() && !self.rest.is_ended {
            // Whatever is wrong on the way shows when the frame is read on from the same place.
            let mut scanner = self.rest.scanner.clone();
            let mut members = Members::default();
            while let Ok(Some(key)) = scanner.key()
                && key != Key::Data
                && members.take(key, &mut scanner).is_ok()
            {}
            self.id = members.id;
        }
    }

    /// The envelope of an event, if its payload is an object and the last member, as the platform writes it. That it is
    /// sound is taken for granted: it ends where the frame ends, and nothing in it was looked at.
    ///
    /// A payload that decodes to its end was sound, and [`envelope`](Self::envelope) gives the same then. How deep the payload
    /// is nested is not known without looking: here [`depth`](Envelope::depth) is that of the members in front of it, and
    /// [`Dispatch::decode_within`](crate::Dispatch::decode_within) takes care of the rest.
    ///
    /// ```
    /// use qq_model::gateway::Header;
    ///
    /// let header = Header::peek(r#"{"op":0,"s":7,"t":"FRIEND_ADD","id":"x","d":{"a":[]}}"#)?;
    /// let envelope = header.presumed().unwrap();
    /// assert_eq!((envelope.id.as_deref(), envelope.data), (Some("x"), r#"{"a":[]}"#));
    /// assert!(Header::peek(r#"{"op":0,"s":7,"t":"FRIEND_ADD","d":{},"id":"x"}"#)?.presumed().is_none());
    /// # Ok::<(), qq_model::gateway::EnvelopeError>(())
    /// ```
    #[must_use]
    pub fn presumed(&self) -> Option<Envelope<'a>> {
        let is_event = self.op == OpCode::Dispatch && self.name.is_some();
        if !is_event || self.rest.is_ended || !self.rest.data.is_empty() {
            return None;
        }
        let mut scanner = self.rest.scanner.clone();
        let mut id = self.id.clone();
        loop {
            match scanner.key().ok()?? {
                Key::Data => break,
                Key::Id => id = scanner.value().ok()?.string(),
                Key::Other => _ = scanner.value().ok()?,
                // Of a member that is there twice the last one counts.
                Key::Op | Key::Sequence | Key::Name => return None,
            }
        }
        let data = scanner.rest().strip_suffix('}')?;
        let is_object = data.starts_with('{') && data.ends_with('}');
        is_object.then(|| Envelope {
            op: self.op,
            sequence: self.sequence,
            name: self.name.clone(),
            id,
            data,
            depth: scanner.depth(),
        })
    }

    /// The event's kind; `None` when this version does not know its name, or the frame is no event.
    #[must_use]
    pub fn kind(&self) -> Option<EventKind> {
        match (self.op, &self.name) {
            (OpCode::Dispatch, Some(name)) => name.parse().ok(),
            _ => None,
        }
    }

    /// Reads on to the end of the frame.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError`] when the text is no JSON object, or the last `op` in it is no number.
    pub fn envelope(self) -> Result<Envelope<'a>, EnvelopeError> {
        let Rest {
            mut scanner,
            data,
            is_ended,
        } = self.rest;
        let mut members = Members {
            op: Some(self.op),
            sequence: self.sequence,
            name: self.name,
            id: self.id,
            data,
        };
        if !is_ended {
            while let Some(key) = scanner.key()? {
                members.take(key, &mut scanner)?;
            }
        }
        scanner.finish()?;
        Ok(Envelope {
            op: members.op()?,
            sequence: members.sequence,
            name: members.name,
            id: members.id,
            data: members.data,
            depth: scanner.depth(),
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
            assert!(Header::peek(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_header_is_read_on_from_where_it_was_left() {
        let text = r#"{"op":0,"s":1,"t":"A","d":{"x":1},"id":"I","s":2}"#;
        let mut header = Header::peek(text).unwrap();
        assert_eq!((header.sequence, &header.id), (Some(1), &None));
        header.find_id();
        assert_eq!(header.id, None);
        let envelope = header.envelope().unwrap();
        assert_eq!(
            (envelope.sequence, envelope.id.as_deref(), envelope.data),
            (Some(2), Some("I"), r#"{"x":1}"#)
        );
        for broken in [
            r#"{"op":0,"s":1,"t":"A","d":{"x":1}"#,
            r#"{"op":0,"s":1,"t":"A","d":{"x":1}}}"#,
            r#"{"op":0,"s":1,"t":"A","d":{"x":1},"op":null}"#,
        ] {
            let header = Header::peek(broken).unwrap();
            assert!(header.envelope().is_err(), "{broken}");
        }
    }

    #[test]
    fn an_id_in_front_of_the_payload_is_found_and_nothing_is_lost() {
        for text in [
            r#"{"op":0,"s":1,"t":"A","id":"I","d":{}}"#,
            r#"{"id":"I","d":{},"t":"A","s":1,"op":0}"#,
            r#"{"op":0,"s":1,"t":"A", "x" : [1], "id" : "\u0049" , "s":2, "d":{}}"#,
            r#"{"op":0,"s":1,"t":"A","id":"I"}"#,
        ] {
            let mut header = Header::peek(text).unwrap();
            header.find_id();
            assert_eq!(
                (header.sequence, header.id.as_deref()),
                (Some(1), Some("I"))
            );
            assert_eq!(header.envelope().unwrap(), Envelope::scan(text).unwrap());
        }
        let mut broken = Header::peek(r#"{"op":0,"s":1,"t":"A","id":"#).unwrap();
        broken.find_id();
        assert_eq!(broken.id, None);
    }

    /// Whatever is done to a frame: what is presumed and can be decoded is so.
    #[test]
    fn what_is_presumed_and_sound_is_true() {
        let check = |text: &str| {
            let presumed = Header::peek(text).ok()?.presumed()?;
            serde_json::from_str::<serde::de::IgnoredAny>(presumed.data).ok()?;
            let scanned = Envelope::scan(text).expect(text);
            assert!(presumed.depth <= scanned.depth, "{text}");
            let depth = scanned.depth;
            assert_eq!(Envelope { depth, ..presumed }, scanned, "{text}");
            Some(())
        };
        let (mut sound, mut tried) = (0, 0);
        for text in [
            r#"{"op":0,"s":1,"t":"A","id":"I","d":{"a":[{"b":"}\u0026\"{"}],"d":{}}}"#,
            r#"{"op":0,"x":[[[[]]]],"s":1,"t":"A","id":"\u0049","y":{},"d":{}}"#,
            r#"{ "s" : "1", "op":0,"id":"I","t":"A" ,"d": {"x":[[[]]]}}"#,
            r#"{"op":0,"s":1,"t":"A","d":{"id":"J"}}"#,
        ] {
            assert_eq!(check(text), Some(()), "{text}");
            let members = [r#","d":{}"#, r#","s":2"#, r#","id":"K""#, r#","op":1"#];
            let marks = ["{", "}", "[", "]", "\"", ",", ":", "\\", " ", "1"];
            for at in 0..text.len() {
                tried += 2;
                sound += usize::from(check(&text[..at]).is_some());
                sound += usize::from(check(&[&text[..at], &text[at + 1..]].concat()).is_some());
                for added in members.iter().chain(&marks) {
                    tried += 1;
                    let text = [&text[..at], added, &text[at..]].concat();
                    sound += usize::from(check(&text).is_some());
                }
            }
        }
        assert!(sound > 100 && sound < tried / 2, "{sound} of {tried}");
    }

    /// However the number is written, at the beginning that is usual and elsewhere.
    #[test]
    fn a_number_is_the_same_wherever_it_stands() {
        for digits in [
            "",
            "0",
            "007",
            "-1",
            "1.0",
            "9999999999999999999",
            "18446744073709551615",
            "18446744073709551616",
            "99999999999999999999",
            "123456789012345678901234567890",
        ] {
            let usual = format!(r#"{{"op":0,"s":{digits},"t":"A","d":{{}}}}"#);
            let other = format!(r#"{{"op":0, "s":{digits},"t":"A","d":{{}}}}"#);
            let read = |text| Envelope::scan(text).map(|envelope| (envelope.sequence, envelope.op));
            let (usual, other) = (read(&usual), read(&other));
            assert_eq!(usual.ok(), other.ok(), "{digits}");
            let number: Option<u64> = digits.parse().ok();
            assert_eq!(usual.ok().and_then(|(sequence, _)| sequence), number);
        }
    }

    #[test]
    fn only_events_have_a_kind() {
        let kind = |text| Header::peek(text).unwrap().kind();
        assert_eq!(
            kind(r#"{"op":0,"s":1,"t":"READY"}"#),
            Some(EventKind::Ready)
        );
        assert_eq!(kind(r#"{"op":1,"t":"READY"}"#), None);
        assert_eq!(kind(r#"{"op":0,"s":1,"t":"SOMETHING_NEW"}"#), None);
    }

    #[test]
    fn depth_counts_every_member() {
        for (text, depth) in [
            (r#"{"op":11}"#, 1),
            (r#"{"op":0,"d":{}}"#, 2),
            (r#"{"x":[[["[["]]],"op":0,"d":{"a":1}}"#, 4),
        ] {
            assert_eq!(Envelope::scan(text).unwrap().depth, depth, "{text}");
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
}
