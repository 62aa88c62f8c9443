//! Input that nobody sends: any JSON, any text, any event name. Nothing panics, and what is no event stays readable.

use proptest::prelude::*;
use qq_model::gateway::Envelope;
use qq_model::message::ChatMessage;
use qq_model::text::{entities, faces, split, split_markdown, without_faces};
use qq_model::{Dispatch, Event, EventKind};
use serde_json::Value;

use crate::codecs::{BY_HAND, CODECS};

/// Names of members that types of this crate have, and others.
fn member() -> impl Strategy<Value = String> {
    let known: Vec<&'static str> = qq_model::describe::OBJECTS
        .iter()
        .flat_map(|list| list.iter())
        .flat_map(|object| object.fields)
        .map(|field| field.name)
        .collect();
    prop_oneof![
        9 => proptest::sample::select(known).prop_map(str::to_owned),
        1 => "[a-z_]{0,8}",
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}|[0-9]{0,25}|[0-9A-F]{32}|<@!?[0-9]{1,3}>|2026-05-23T10:00:00\\+08:00"
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((member(), inner), 0..10)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Asks a message everything.
fn ask(message: &dyn ChatMessage) -> usize {
    let text = message.text();
    let _ = (
        message.author_name(),
        message.is_addressed_to_me(),
        message.conversation().to_string(),
    );
    let _ = message.scene().map(|scene| scene.pairs().count());
    let _ = message
        .timestamp()
        .and_then(qq_model::Timestamp::to_system_time);
    message.mentions().len()
        + message.attachments().len()
        + message
            .quoted()
            .map_or(0, |quoted| quoted.content().map_or(0, str::len))
        + text.len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_object_is_an_event_of_any_kind(kind in proptest::sample::select(EventKind::ALL), data in any_json()) {
        let text = data.to_string();
        let event = Event::decode(kind.as_str(), &text);
        prop_assert_eq!(event.kind(), Some(kind));
        let is_undecodable = matches!(event, Event::Undecodable { .. });
        prop_assert_eq!(is_undecodable, !data.is_object() && kind != EventKind::Resumed);
        if let Some(message) = event.as_message() {
            ask(message);
        }
        // What was written reads as the same.
        let written = serde_json::to_string(&event).unwrap();
        prop_assert_eq!(Event::decode(kind.as_str(), &written).kind(), Some(kind));
        if !is_undecodable {
            let again = serde_json::to_string(&Event::decode(kind.as_str(), &written)).unwrap();
            prop_assert_eq!(again, written);
        }
    }

    #[test]
    fn any_json_is_read_by_every_type(data in any_json()) {
        let text = data.to_string();
        for (name, codec) in CODECS.iter().chain(BY_HAND) {
            // Only what is no object may be refused.
            prop_assert!(codec(&text).is_ok() || !data.is_object(), "{}: {}", name, text);
        }
    }

    #[test]
    fn any_text_is_a_frame_or_an_error(text in "\\PC{0,40}|[{}\\[\\]\":,0-9optdsi\\\\ ]{0,60}") {
        if let Ok(envelope) = Envelope::scan(&text) {
            let _ = Dispatch::decode(&envelope);
        }
        for kind in [EventKind::GroupAtMessageCreate, EventKind::InteractionCreate, EventKind::ForumThreadCreate] {
            let _ = Event::decode(kind.as_str(), &text);
        }
    }

    #[test]
    fn any_text_can_be_taken_apart(text in "(\\PC|<@!?|[0-9]|>|<#|@everyone|<faceType=1,|faceId=\"|\n|`){0,60}", limit in 0_usize..40) {
        let _ = entities(&text).count();
        faces(&text).for_each(|face| drop(face.name()));
        let _ = without_faces(&text);
        for piece in split(&text, limit) {
            prop_assert!(piece.chars().count() <= limit.max(1));
        }
        for piece in split_markdown(&text, limit) {
            prop_assert!(piece.chars().count() <= limit.max(qq_model::text::MIN_MARKDOWN_LIMIT), "{:?}", piece);
        }
    }
}
