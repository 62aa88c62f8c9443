//! The reader against `serde_json`, on any JSON and on what is none.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::{Malformed, read};
use crate::gateway::Envelope;
use crate::{Event, EventKind};

/// As deep as `serde_json` reads.
const ANY: usize = usize::MAX;

/// Whether both say the same of a value whose shape is open. Whether it is one.
fn agrees(text: &str) -> bool {
    let ours = read(text, ANY, |reader| Value::deserialize(reader));
    let theirs = serde_json::from_str::<Value>(text).map_err(|_| Malformed);
    // Numbers are also compared as they are written: 1.0 is not 1, and -0.0 is not 0.0.
    let written = |value: &Result<Value, _>| value.as_ref().map(Value::to_string).ok();
    assert_eq!(written(&ours), written(&theirs), "{text:?}");
    assert_eq!(ours, theirs, "{text:?}");

    let theirs_ignored = serde_json::from_str::<IgnoredAny>(text);
    let ours_ignored = read(text, ANY, |reader| IgnoredAny::deserialize(reader));
    // What is ignored is as good as what is read.
    assert_eq!(ours_ignored.is_ok(), ours.is_ok(), "{text:?}");
    assert!(ours_ignored.is_err() || theirs_ignored.is_ok(), "{text:?}");
    ours.is_ok()
}

/// Whether both make the same event of it. Whether the reader makes any.
fn agrees_on(kind: EventKind, data: &str) -> bool {
    // A frame without a payload.
    let value = if data.is_empty() { "null" } else { data };
    let mut deserializer = serde_json::Deserializer::from_str(value);
    let theirs = Event::deserialize(kind, &mut deserializer);
    let theirs = theirs.and_then(|event| deserializer.end().map(|()| event));
    let ours = read(value, ANY, |reader| Event::deserialize(kind, reader));
    let written = |event: &Event| serde_json::to_string(event).unwrap();
    match (&ours, &theirs) {
        (Ok(ours), Ok(theirs)) => {
            assert_eq!(written(ours), written(theirs), "{kind} {data:?}");
            assert_eq!(ours, theirs, "{kind} {data:?}");
        }
        (Ok(ours), Err(error)) => panic!("{kind} {data:?}: {ours:?}, but {error}"),
        (Err(Malformed), _) => {}
    }
    // To users the difference does not show.
    let decoded = Event::decode(kind.as_str(), data);
    match theirs {
        Ok(theirs) => assert_eq!(decoded, theirs, "{kind} {data:?}"),
        Err(theirs) => {
            let Event::Undecodable { error, .. } = decoded else {
                panic!("{kind} {data:?}: {decoded:?}, but {theirs}")
            };
            assert_eq!(error.to_string(), theirs.to_string(), "{kind} {data:?}");
        }
    }
    ours.is_ok()
}

/// The payloads of the fixtures, by kind.
static FIXTURES: LazyLock<Vec<(EventKind, String)>> = LazyLock::new(fixtures);

fn fixtures() -> Vec<(EventKind, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tables/fixtures/events");
    let files = fs::read_dir(folder).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let texts = files.filter(|path| path.is_file());
    let texts = texts.map(|path| fs::read_to_string(path).unwrap());
    let payload = |text: &str| {
        let envelope = Envelope::scan(text).unwrap();
        let kind = envelope.name?.parse().ok()?;
        Some((kind, envelope.data.to_owned()))
    };
    texts.filter_map(|text| payload(&text)).collect()
}

const NUMBERS: [&str; 58] = [
    "0",
    "-0",
    "-0.0",
    "0.0",
    "1",
    "01",
    "-01",
    "00",
    "-1",
    "+1",
    "--1",
    "1-",
    "1+1",
    "1.",
    "1.e5",
    ".5",
    "1.0",
    "-",
    "-x",
    "1e5",
    "1e",
    "1e+",
    "1E-5",
    "1e400",
    "-1e400",
    "1e-400",
    "0e99999999999",
    "1e-99999999999",
    "1e99999999999",
    "0e1",
    "5e-324",
    "2.2250738585072011e-308",
    "0.1",
    "0.30000000000000004",
    "123456789.123456789",
    "9007199254740993",
    "9007199254740993.0",
    "99999999999999999",
    "999999999999999999",
    "9999999999999999999",
    "1000000000000000000",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "-999999999999999999",
    "-9223372036854775808",
    "-9223372036854775809",
    "-18446744073709551615",
    "123456789012345678901234567890",
    "0000000000000000000000001",
    "1.7976931348623157e308",
    "1.7976931348623159e308",
    "0x10",
    "NaN",
    "Infinity",
    "1_0",
    "\u{661}",
];

const STRINGS: [&str; 40] = [
    r#""""#,
    r#"""#,
    r#""x"#,
    r#""x\"#,
    r#""x\""#,
    r#""\u0041""#,
    r#""\ud83d\ude00""#,
    r#""\uD83D\uDE00x""#,
    r#""\ud800""#,
    r#""\udc00""#,
    r#""\udc00\ud800""#,
    r#""\ud800\u0041""#,
    r#""\ud800\ud800\udc00""#,
    r#""\ud83dx""#,
    r#""\ud83d\n""#,
    r#""\ud83d\"#,
    r#""\ud83d\u"#,
    r#""\u12""#,
    r#""\u12"#,
    r#""\u 123""#,
    r#""\u+123""#,
    r#""\u00e9\u00E9\u4f60\uffff\u0000""#,
    r#""\x""#,
    r#""\""#,
    r#""\\""#,
    r#""\\\""#,
    r#""\/\b\f\n\r\t\"\\""#,
    r#""\'""#,
    "\"\u{7f}\"",
    "\"\u{80}\"",
    "\"\t\"",
    "\"\n\"",
    "\"\0\"",
    "\"\u{1f}\"",
    "\"0123456789abcde\u{1f}\"",
    "\"\u{4f60}\u{597d}\u{1f600}\"",
    "\"\u{4f60}\\n\u{597d}\\u4f60\u{1f600}\"",
    "\"\\\u{4f60}\"",
    r#""0123456789abcdef0123456789abcdef\n0123456789abcdef""#,
    r#""18446744073709551616""#,
];

const OTHERS: [&str; 58] = [
    "",
    " ",
    "null",
    "nul",
    "nulll",
    "Null",
    "true",
    "tru",
    "truefalse",
    "True",
    "false",
    "[]",
    "[ ]",
    "[",
    "]",
    "{}",
    "{ }",
    "{",
    "}",
    "[}",
    "{]",
    "[1,]",
    "[,]",
    "[,1]",
    "[1,,2]",
    "[1 2]",
    "[1,2",
    "[1] x",
    "[1]]",
    "[[[[1]]],{}]",
    "[[1,]]",
    "[{},[],{\"a\":[]}]",
    "{,}",
    r#"{"a":1,}"#,
    r#"{,"a":1}"#,
    r#"{"a"}"#,
    r#"{"a":}"#,
    r#"{"a" 1}"#,
    r#"{"a":1 "b":2}"#,
    r#"{"a":1,,"b":2}"#,
    r#"{"a":1,"a":2}"#,
    r#"{"\u0061":1,"a":2}"#,
    r#"{"a\n":1}"#,
    r#"{"a\ud800":1}"#,
    r#"{"":0}"#,
    r#"{"a":1"#,
    r#"{"a":1]"#,
    r#"{"a"#,
    r#"{1:2}"#,
    r#"{a:2}"#,
    r#"{null:2}"#,
    "{} {}",
    "{}\u{b}",
    "\u{a0}1",
    "\u{feff}1",
    "/*x*/1",
    "'a'",
    "\0",
];

#[test]
fn odd_values_are_the_same() {
    let values = NUMBERS.iter().chain(&STRINGS).chain(&OTHERS);
    let mut sound = 0;
    for value in values {
        sound += usize::from(agrees(value));
        agrees(&format!(" \t\r\n{value} \n"));
        agrees(&format!("[{value}]"));
        agrees(&format!("[ {value} ,{value}]"));
        agrees(&format!(r#"{{"a":{value}}}"#));
        agrees(&format!(r#"{{ "a" : {value} , "b":[{value}] }}"#));
        agrees(&format!("{value}{value}"));
        agrees(&format!("{{{value}:1}}"));
        for kind in [
            EventKind::GroupMessageCreate,
            EventKind::MessageCreate,
            EventKind::Resumed,
        ] {
            for member in [
                "new",
                "id",
                "content",
                "timestamp",
                "author",
                "attachments",
                "message_type",
            ] {
                agrees_on(kind, &format!(r#"{{"{member}":{value}}}"#));
                agrees_on(
                    kind,
                    &format!(r#"{{"{member}":{value},"{member}":{value}}}"#),
                );
                agrees_on(
                    kind,
                    &format!(r#" {{ "x":[{value} , {value}],"author":{{"{member}":{value}}} }} "#),
                );
            }
            agrees_on(kind, value);
            agrees_on(kind, &format!("{{}}{value}"));
        }
    }
    assert!(sound > 50, "{sound}");
}

/// However long names and values are, and so wherever the quotes are in the blocks that are compared at once.
#[test]
fn every_length_is_the_same() {
    for name in 0..40 {
        for value in 0..40 {
            let (name, value) = ("n".repeat(name), "v".repeat(value));
            for value in [
                format!("\"{value}\""),
                format!("1{}", "0".repeat(value.len())),
            ] {
                for rest in ["", ",\"b\":\"\"", ",\"b\":{\"b\":[]}, \"n\":0"] {
                    assert!(agrees(&format!("{{\"{name}\":{value}{rest}}}")));
                    assert!(agrees(&format!(
                        "{{\"a\":[{value}],\"{name}\": {value}{rest}}}"
                    )));
                }
            }
        }
    }
}

#[test]
fn the_deepest_is_as_deep() {
    for depth in [1, 60, 126, 127, 128, 129, 5_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":[", "]}]")] {
            let text = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            agrees(&text);
            agrees_on(
                EventKind::GroupMessageCreate,
                &format!(r#"{{"content":{text}}}"#),
            );
            agrees_on(
                EventKind::GroupMessageCreate,
                &format!(r#"{{"new":{text}}}"#),
            );
        }
    }
    let deepest = format!("{}{}", "[".repeat(127), "]".repeat(127));
    assert!(agrees(&deepest) && !agrees(&format!("[{deepest}]")));
    // As often as one likes beside each other.
    assert!(agrees(&format!("[{}1]", "[[]],".repeat(1_000))));
}

#[test]
fn every_fixture_is_the_same_and_needs_no_other() {
    for (kind, data) in FIXTURES.iter() {
        assert!(agrees_on(*kind, data), "{kind} {data}");
        // An event of any other kind, too.
        for kind in EventKind::ALL.iter().step_by(7) {
            agrees_on(*kind, data);
        }
    }
    assert!(FIXTURES.len() > 100, "{}", FIXTURES.len());
}

#[test]
fn every_cut_of_a_fixture_is_the_same() {
    let is_group_message =
        |fixture: &&(EventKind, String)| fixture.0 == EventKind::GroupMessageCreate;
    let (kind, data) = FIXTURES.iter().find(is_group_message).unwrap();
    for (at, _) in data.char_indices() {
        assert!(!agrees_on(*kind, &data[..at]), "{}", &data[..at]);
    }
}

/// White space as JSON allows it, and seldom as it does not.
fn space() -> impl Strategy<Value = String> {
    prop_oneof![12 => Just(String::new()), 3 => "[ \t\r\n]{1,3}", 1 => " {60,70}", 1 => "[\u{b}\u{a0}\u{feff}]{0,1}"]
}

/// A text in quotes, seldom a broken one.
fn string() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => "[a-z]{1,20}",
        4 => "[\\[\\]{}:,']{1,3}",
        4 => "\u{7f8e}|\u{1f600}|\u{e9}|\u{7f}",
        4 => "\\\\[\"\\\\/bfnrt]",
        4 => "\\\\u[0-7][0-9a-fA-F]{3}",
        2 => "\\\\ud[89ab][0-9a-f]{2}\\\\ud[c-f][0-9a-f]{2}",
        1 => "\\\\ud[89a-f][0-9a-f]{2}",
        1 => "[\\\\\"\t\u{1f}]{0,1}",
    ];
    vec(piece, 0..6).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

/// The name of a member: one that messages have, or any text.
fn name() -> impl Strategy<Value = String> {
    let known = "id|author|content|timestamp|attachments|mentions|member|roles|user|message_type|bot|ext|message_scene|op_member_openid|mention_everyone|union_user_account";
    prop_oneof![4 => known.prop_map(|name| format!("\"{name}\"")), 1 => string()]
}

fn json() -> impl Strategy<Value = String> {
    let number = "-?(0|[1-9][0-9]{0,22})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?";
    let leaf = prop_oneof![
        1 => "null|true|false",
        2 => "-?(0|[1-9][0-9]{0,3})",
        2 => number,
        1 => "\"2026-0[1-9]-1[0-9]T0[0-9]:[0-5][0-9]:[0-5][0-9]([+]08:00|Z)\"|\"[0-9]{1,21}\"|\"[0-9A-F]{32}\"",
        4 => string(),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let item = (space(), inner.clone(), space()).prop_map(|(a, item, b)| a + &item + &b);
        let member = (space(), name(), space(), inner)
            .prop_map(|(a, name, b, value)| format!("{a}{name}{b}:{value}{b}"));
        let items = vec(item, 0..5).prop_map(|items| format!("[{}]", items.join(",")));
        let members = vec(member, 0..7).prop_map(|members| format!("{{{}}}", members.join(",")));
        prop_oneof![items, members]
    })
}

/// The text with one thing wrong.
fn broken(text: &str, at: Index, byte: u8, what: u8) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let at = at.index(bytes.len());
    match what {
        0 => bytes.truncate(at),
        1 => bytes[at] = byte,
        2 => bytes.insert(at, b"{}[]\",:\\0-e. \t"[usize::from(byte % 14)]),
        _ => drop(bytes.remove(at)),
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_value(text in (space(), json(), space()), at in any::<Index>(), byte in any::<u8>(), what in 0..4_u8) {
        let text = text.0 + &text.1 + &text.2;
        agrees(&text);
        agrees(&broken(&text, at, byte, what));
    }

    #[test]
    fn any_event(kind in any::<Index>(), data in json(), at in any::<Index>(), byte in any::<u8>(), what in 0..4_u8) {
        let kind = *kind.get(EventKind::ALL);
        agrees_on(kind, &data);
        let data = format!(r#"{{"id":{data},"author":{{"id":{data}}},"content":{data},"new":[{data}]}}"#);
        agrees_on(kind, &data);
        agrees_on(kind, &broken(&data, at, byte, what));
    }

    #[test]
    fn any_broken_fixture(which in any::<Index>(), places in vec((any::<Index>(), any::<u8>(), 0..4_u8), 1..4)) {
        let (kind, data) = which.get(&FIXTURES);
        let mut data = data.clone();
        for (at, byte, what) in places {
            if !data.is_empty() {
                data = broken(&data, at, byte, what);
            }
        }
        agrees_on(*kind, &data);
    }

    #[test]
    fn anything_at_all(text in "\\PC{0,40}|[{}\\[\\]\",:\\\\u0-9a-f \\-+.eE]{0,60}") {
        agrees(&text);
        agrees_on(EventKind::GroupMessageCreate, &text);
    }
}
