//! The crate's own tables against the protocol tables.

use std::collections::BTreeMap;

use qq_model::error_code::ErrorInfo;
use qq_model::{ErrorCode, EventKind, Intents};
use serde_json::Value;

fn table(name: &str) -> Value {
    let path = format!("{}/tables/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn rows(table: &Value, key: &str) -> Vec<Value> {
    table[key].as_array().unwrap().clone()
}

/// `v2 message` for `V2Message`.
fn words(name: &str) -> String {
    let mut words = String::new();
    for (index, c) in name.char_indices() {
        if c.is_uppercase() && index > 0 {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
    }
    words
}

#[test]
fn every_error_code_means_what_the_table_says() {
    let known: BTreeMap<i64, &ErrorInfo> = ErrorCode::all().map(|info| (info.code, info)).collect();
    let table = rows(&table("errors.json"), "codes");
    assert_eq!((known.len(), table.len()), (353, 353));
    for row in table {
        let code = row["code"].as_i64().unwrap();
        let info = known[&code];
        assert_eq!(row["meaning"], info.meaning, "{code}");
        assert_eq!(
            row["category"],
            words(&format!("{:?}", info.category)),
            "{code}"
        );
        let retryable = match format!("{:?}", info.retryable).as_str() {
            "NewSequence" => "with a new msg_seq".to_owned(),
            "AfterPause" => "after a pause".to_owned(),
            name => words(name),
        };
        assert_eq!(row["retryable"], retryable, "{code}");
        let others: Vec<(String, String)> = row["also"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|also| {
                let text = |key: &str| also[key].as_str().unwrap().to_owned();
                (text("category"), text("meaning"))
            })
            .collect();
        let known_others: Vec<(String, String)> = ErrorCode(code)
            .other_meanings()
            .map(|(category, meaning)| (words(&format!("{category:?}")), meaning.to_owned()))
            .collect();
        assert_eq!(others, known_others, "{code}");
    }
}

#[test]
fn ranges_of_codes_are_those_of_the_table() {
    for row in rows(&table("errors.json"), "ranges") {
        for end in ["from", "to"] {
            let code = ErrorCode(row[end].as_i64().unwrap());
            let category = words(&format!("{:?}", code.category().unwrap()));
            // The table calls the range of the safety check by the call.
            let expected = row["category"].as_str().unwrap();
            let expected = if expected == "message send" {
                "message safety"
            } else {
                expected
            };
            assert_eq!(category, expected, "{code}");
        }
    }
}

#[test]
fn every_event_has_its_intent_and_its_callback() {
    let table = rows(&table("events.json"), "events");
    assert_eq!(table.len(), EventKind::ALL.len());
    for row in table {
        let name = row["name"].as_str().unwrap();
        let kind: EventKind = name.parse().unwrap();
        let intent = row["intent"]
            .as_str()
            .map(|name| Intents::from_name(name).unwrap());
        assert_eq!(kind.intent(), intent, "{name}");
        assert_eq!(kind.callback(), name.to_lowercase());
        let bit = row["intent_bit"].as_u64();
        assert_eq!(
            bit,
            kind.intent()
                .map(|intent| intent.bits().trailing_zeros().into())
        );
    }
}

#[test]
fn intents_that_every_bot_is_granted_are_the_default() {
    for row in rows(&table("intents.json"), "intents") {
        let Some(intent) = Intents::from_name(row["name"].as_str().unwrap()) else {
            continue;
        };
        assert_eq!(
            Intents::default().contains(intent),
            row["default_permitted"] == true,
            "{row}"
        );
        assert_eq!(
            intent.needs_approval().is_empty(),
            row["default_permitted"] == true,
            "{row}"
        );
    }
}

#[test]
fn sizes_hold() {
    assert!(size_of::<qq_model::Event>() <= 32);
    assert!(size_of::<qq_model::BodyError>() <= 96);
    assert!(size_of::<qq_model::id::GuildId>() <= 24);
    assert!(size_of::<Option<qq_model::id::GuildId>>() <= 24);
    // Optional members cost their text, not their absence.
    for (name, size, limit) in [
        ("Message", size_of::<qq_model::message::Message>(), 832),
        (
            "GroupMessage",
            size_of::<qq_model::message::GroupMessage>(),
            480,
        ),
        (
            "C2CMessage",
            size_of::<qq_model::message::C2CMessage>(),
            380,
        ),
        (
            "Interaction",
            size_of::<qq_model::interaction::Interaction>(),
            480,
        ),
        ("Channel", size_of::<qq_model::channel::Channel>(), 360),
        ("Guild", size_of::<qq_model::guild::Guild>(), 360),
    ] {
        assert!(size <= limit, "{name} has {size} bytes");
    }
}
