//! Any frame: no panic, and what is read can be written and read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use qq_model::gateway::Envelope;
use qq_model::{Dispatch, Event, EventKind};

fuzz_target!(|text: &str| {
    if let Ok(envelope) = Envelope::scan(text) {
        let _ = Dispatch::decode(&envelope);
    }
    let kind = EventKind::ALL[text.len() % EventKind::ALL.len()];
    let _ = Event::decode(kind.as_str(), text);
});
