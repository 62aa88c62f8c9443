//! Decoding with `simd-json`, where it gives what `serde_json` gives.

use qq_model::{Event, EventKind};

/// What is kept between events: the text, which `simd-json` writes into, and its buffers.
#[derive(Default)]
pub(super) struct Scratch {
    text: Vec<u8>,
    buffers: simd_json::Buffers,
}

/// A larger event is left to `serde_json`, so that no shard keeps the memory that one event took.
const LONGEST: usize = 64 << 10;
/// `serde_json` refuses what is nested deeper than 128, `simd-json` does not.
const DEEPEST: usize = 127;

impl Scratch {
    /// The event; `None` when `serde_json` has to say what it is, or what is wrong with it.
    ///
    /// `depth` is how deep the frame is nested.
    pub(super) fn decode(&mut self, name: &str, data: &str, depth: usize) -> Option<Event> {
        let kind: EventKind = name.parse().ok()?;
        if data.len() > LONGEST || depth > DEEPEST || has_minus_zero(data) {
            return None;
        }
        self.text.clear();
        self.text.extend_from_slice(data.as_bytes());
        let mut deserializer =
            simd_json::Deserializer::from_slice_with_buffers(&mut self.text, &mut self.buffers)
                .ok()?;
        Event::deserialize(kind, &mut deserializer).ok()
    }
}

/// Whether a number may be `-0`, which is a float to `serde_json` and an integer to `simd-json`. Dates have it too, but
/// not where a number begins.
fn has_minus_zero(data: &str) -> bool {
    data.match_indices("-0").any(|(at, _)| {
        let before = at.checked_sub(1).and_then(|at| data.as_bytes().get(at));
        !before.is_some_and(u8::is_ascii_alphanumeric)
    })
}

/// How deep a frame with this payload can be nested: brackets in its strings count, too.
pub(super) fn depth_at_most(payload: &str) -> usize {
    // Short pieces, of whole vectors, are counted in bytes, many of them at once.
    let pieces = payload.as_bytes().chunks(224);
    let count = |piece: &[u8]| -> u8 {
        // With this bit `[` becomes `{`, and nothing else does.
        piece.iter().map(|byte| u8::from(byte | 0x20 == b'{')).sum()
    };
    1 + pieces.map(|piece| usize::from(count(piece))).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use proptest::prelude::*;
    use qq_model::gateway::Envelope;

    use super::*;

    /// Whether both say the same; whether `simd-json` was of use at all.
    fn agrees(scratch: &mut Scratch, kind: EventKind, data: &str) -> bool {
        let expected = Event::decode(kind.as_str(), data);
        let Some(event) = scratch.decode(kind.as_str(), data, 1) else {
            return false;
        };
        // Numbers of unknown members are compared as they are written: 1.0 is not 1, and no rounding differs.
        let written = |event: &Event| serde_json::to_string(event).unwrap();
        assert_eq!(written(&event), written(&expected), "{data}");
        assert_eq!(event, expected, "{data}");
        true
    }

    #[test]
    fn brackets_are_counted_however_many() {
        let text = "[{a}]x".repeat(1_000);
        assert_eq!(depth_at_most(&text), 2_001);
        assert_eq!(depth_at_most(&"{".repeat(70_000)), 70_001);
        assert_eq!(depth_at_most("z]}\u{7b}\u{5b}\u{db}"), 3);
    }

    #[test]
    fn every_fixture_decodes_to_the_same() {
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../qq-model/tables/fixtures/events");
        let mut scratch = Scratch::default();
        let mut count = 0;
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if !path.is_file() {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let envelope = Envelope::scan(&text).unwrap();
            let kind: EventKind = envelope.name.as_deref().unwrap().parse().unwrap();
            if kind != EventKind::Resumed {
                assert!(
                    agrees(&mut scratch, kind, envelope.data),
                    "{}",
                    path.display()
                );
                count += 1;
            }
        }
        assert!(count > 100, "{count} fixtures");
    }

    #[test]
    fn odd_values_decode_to_the_same() {
        let mut scratch = Scratch::default();
        let numbers = [
            "0",
            "-0",
            "-0.0",
            "1",
            "01",
            "-1",
            "+1",
            "1.",
            ".5",
            "1.0",
            "-",
            "1e5",
            "1E-5",
            "1e400",
            "-1e400",
            "1e-400",
            "5e-324",
            "2.2250738585072011e-308",
            "0.1",
            "0.30000000000000004",
            "123456789.123456789",
            "9007199254740993",
            "9007199254740993.0",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551615",
            "18446744073709551616",
            "-9223372036854775808",
            "-9223372036854775809",
            "123456789012345678901234567890",
            "1.7976931348623157e308",
            "0x10",
            "NaN",
            "Infinity",
            "1_0",
        ];
        let strings = [
            r#""""#,
            r#""\u0041""#,
            r#""\ud83d\ude00""#,
            r#""\ud800""#,
            r#""\udc00""#,
            r#""\ud800\u0041""#,
            r#""\ud83dx""#,
            r#""\u12""#,
            r#""\x""#,
            r#""\/\b\f\n\r\t\"\\""#,
            r#""\u0000""#,
            r#""\uFFFF""#,
            "\"\u{7f}\"",
            "\"\t\"",
            "\"\n\"",
            "\"\0\"",
            "\"你好\u{1f600}\"",
            r#""\u003c\u0026""#,
            r#""18446744073709551616""#,
            r#""-5""#,
        ];
        let others = [
            "null",
            "true",
            "false",
            "nul",
            "True",
            "[]",
            "{}",
            "[1,]",
            "[,]",
            "{,}",
            r#"{"a":1,}"#,
            r#"{"a"}"#,
            r#"{"a":1,"a":2}"#,
            r#"{1:2}"#,
            "[1 2]",
            "[1] x",
            "[[[[1]]]]",
            "/*x*/1",
            "'a'",
            "",
        ];
        let values = numbers.iter().chain(&strings).chain(&others);
        for value in values {
            for kind in [
                EventKind::GroupMessageCreate,
                EventKind::MessageCreate,
                EventKind::GuildMemberAdd,
            ] {
                for member in [
                    "new",
                    "id",
                    "content",
                    "timestamp",
                    "author",
                    "attachments",
                    "mentions",
                    "msg_seq",
                    "message_type",
                    "roles",
                ] {
                    agrees(&mut scratch, kind, &format!(r#"{{"{member}":{value}}}"#));
                    agrees(
                        &mut scratch,
                        kind,
                        &format!(r#"{{"{member}":{value},"{member}":{value}}}"#),
                    );
                    agrees(
                        &mut scratch,
                        kind,
                        &format!(
                            r#" {{ "x":[{value} , {value}],"author":{{"{member}":{value}}} }} "#
                        ),
                    );
                }
                agrees(&mut scratch, kind, value);
                agrees(&mut scratch, kind, &format!("{{}}{value}"));
            }
        }
    }

    #[test]
    fn what_is_too_large_or_too_deep_is_left_to_the_other() {
        let mut scratch = Scratch::default();
        let name = EventKind::C2CMessageCreate.as_str();
        let large = format!(r#"{{"content":"{}"}}"#, "x".repeat(LONGEST));
        assert!(scratch.decode(name, &large, 2).is_none());
        assert!(scratch.decode(name, "{}", DEEPEST + 1).is_none());
        assert!(scratch.decode(name, "{}", DEEPEST).is_some());
        assert!(scratch.decode("SOMETHING_NEW", "{}", 2).is_none());
        assert!(scratch.text.capacity() <= LONGEST);
    }

    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            "-?(0|[1-9][0-9]{0,22})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?",
            "\"([a-z{}\\[\\],:]|\u{4f60}|\\\\[nt\"\\\\/]|\\\\u[0-9a-f]{4}){0,40}\"",
        ];
        leaf.prop_recursive(4, 24, 5, |inner| {
            let name = prop_oneof![
                "id|content|author|timestamp|attachments|mentions|msg_seq",
                "[a-z]{1,4}"
            ];
            let members =
                proptest::collection::vec((name, inner.clone()), 0..5).prop_map(|members| {
                    let members: Vec<_> = members
                        .iter()
                        .map(|(name, value)| format!("\"{name}\": {value}"))
                        .collect();
                    format!("{{{}}}", members.join(" ,"))
                });
            let items = proptest::collection::vec(inner, 0..4)
                .prop_map(|items| format!("[{}]", items.join(", ")));
            prop_oneof![members, items]
        })
    }

    proptest! {
        #[test]
        fn any_payload_decodes_to_the_same(kind in any::<prop::sample::Index>(), value in json(), other in json(), cut in 0..40_usize) {
            let mut scratch = Scratch::default();
            let kind = *kind.get(EventKind::ALL);
            let data = format!(r#"{{"id":{value},"content":{other},"new":{value},"author":{{"id":{other}}}}}"#);
            agrees(&mut scratch, kind, &data);
            agrees(&mut scratch, kind, &value);
            // Cut off or with a byte too many, in the same buffers.
            if cut > 0 && data.is_char_boundary(data.len().saturating_sub(cut)) {
                agrees(&mut scratch, kind, &data[..data.len().saturating_sub(cut)]);
            }
            agrees(&mut scratch, kind, &data);
        }
    }
}
