//! Any answer of the platform: no panic, and what is read can be written and read again as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use qq_model::ApiError;
use qq_model::gateway::{GatewayBot, Header};
use qq_model::message::{C2CMessage, GroupMessage, Message};
use qq_model::outgoing::SentMessage;
use serde::Serialize;
use serde::de::DeserializeOwned;

fn round_trip<T: DeserializeOwned + Serialize + PartialEq>(text: &str) {
    if let Ok(value) = serde_json::from_str::<T>(text) {
        let written = serde_json::to_string(&value).expect("it is written");
        let again: T = serde_json::from_str(&written).expect("it is read again");
        assert!(again == value, "{written}");
    }
}

fuzz_target!(|text: &str| {
    let _ = Header::peek(text);
    round_trip::<ApiError>(text);
    round_trip::<GatewayBot>(text);
    round_trip::<SentMessage>(text);
    round_trip::<Message>(text);
    round_trip::<GroupMessage>(text);
    round_trip::<C2CMessage>(text);
});
