//! Any payload: the reader of events says what `serde_json` says, of events and of errors.

#![no_main]

use libfuzzer_sys::fuzz_target;
use qq_model::{Event, EventKind};

fuzz_target!(|text: &str| {
    // The first byte says which event.
    let mut letters = text.chars();
    let Some(letter) = letters.next() else {
        return;
    };
    let kind = EventKind::ALL[letter as usize % EventKind::ALL.len()];
    let data = letters.as_str();
    let event = Event::decode(kind.as_str(), data);
    // A frame without a payload.
    let data = if data.is_empty() { "null" } else { data };
    let mut deserializer = serde_json::Deserializer::from_str(data);
    let expected = Event::deserialize(kind, &mut deserializer);
    match expected.and_then(|expected| deserializer.end().map(|()| expected)) {
        Ok(expected) => {
            assert_eq!(event, expected);
            let written = |event: &Event| serde_json::to_string(event).expect("it is JSON");
            assert_eq!(written(&event), written(&expected));
        }
        Err(expected) => match event {
            Event::Undecodable { error, .. } => {
                assert_eq!(error.to_string(), expected.to_string());
            }
            event => panic!("{event:?}, but {expected}"),
        },
    }
});
