//! Any request to a webhook: an answer, never a panic, and never an event that was not signed.

#![no_main]

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use http::Method;
use libfuzzer_sys::fuzz_target;
use qq_model::Token;
use qq_webhook::Verifier;
use qq_webhook::headers::{APP_ID, SIGNATURE, TIMESTAMP};
use qq_webhook::signature::KeyPair;

const NOW: &str = "1725442341";

static TOKEN: LazyLock<Token> = LazyLock::new(|| Token::new("11111111", "DG5g3B4j9X2KOErG"));
static KEY: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::from_secret(TOKEN.secret()).expect("a secret"));

// The first byte says what is honest: bit 0 the signature, bit 1 the timestamp, bit 2 the app id.
fuzz_target!(|data: &[u8]| {
    let Some((&choice, rest)) = data.split_first() else { return };
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_725_442_341);
    let verifier = Verifier::builder().bot(&TOKEN).clock(move || now).build().expect("one bot");
    let (head, body) = rest.split_at(rest.len().min(usize::from(choice >> 3)));
    let odd = String::from_utf8_lossy(head);
    let timestamp = if choice & 2 == 0 { &*odd } else { NOW };
    let signature = if choice & 1 == 0 { odd.to_string() } else { KEY.sign_event(timestamp, body).to_string() };
    let app_id = if choice & 4 == 0 { &*odd } else { "11111111" };
    let headers = [(APP_ID, app_id), (TIMESTAMP, timestamp), (SIGNATURE, signature.as_str())];
    let handled = verifier.handle(&Method::POST, &headers[..], body.to_vec());
    if handled.event.is_some() {
        assert_eq!(choice & 3, 3, "an event that was not signed");
        assert_eq!(handled.response.status(), 200);
    }
});
