//! Whatever comes in: no panic, and nothing but what was signed goes through.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use crate::support::{self, APP_ID, Clock, NOW, SECRET, event, signed, signed_as, verifier};
use http::{HeaderMap, HeaderValue, Method};
use proptest::prelude::*;
use qq_webhook::{ErrorKind, Verifier};

/// A verifier for which every timestamp is fresh, so that only the signature can be wrong.
fn timeless() -> Verifier {
    support::builder(&Clock::at(NOW))
        .freshness(std::time::Duration::from_secs(u64::MAX))
        .build()
        .unwrap()
}

proptest! {
    #[test]
    fn a_flipped_bit_in_the_body_is_refused(bit in 0..event("1").len() * 8) {
        let mut body = event("1").into_bytes();
        body[bit / 8] ^= 1 << (bit % 8);
        let handled = timeless().handle(&Method::POST, &signed(&event("1")), body);
        prop_assert_eq!(handled.response.status(), 401);
        prop_assert!(handled.event.is_none());
    }

    #[test]
    fn a_flipped_bit_in_the_signature_is_refused(bit in 0..512_usize) {
        let body = event("1");
        let mut signature = *support::keys(SECRET).sign_event(&NOW.to_string(), body.as_bytes()).as_bytes();
        signature[bit / 8] ^= 1 << (bit % 8);
        let signature = qq_webhook::signature::Signature::from_bytes(signature).to_string();
        let headers = support::headers(APP_ID, &NOW.to_string(), &signature);
        let handled = timeless().handle(&Method::POST, &headers, body);
        prop_assert_eq!(handled.error.map(|error| error.kind()), Some(ErrorKind::InvalidSignature));
        prop_assert!(handled.event.is_none());
    }

    #[test]
    fn a_flipped_bit_in_the_timestamp_is_refused(bit in 0..80_usize) {
        let mut timestamp = NOW.to_string().into_bytes();
        timestamp[bit / 8] ^= 1 << (bit % 8);
        let body = event("1");
        let mut headers = signed(&body);
        // Some bytes cannot be sent in a header at all.
        prop_assume!(HeaderValue::from_bytes(&timestamp).is_ok());
        headers.insert("x-signature-timestamp", HeaderValue::from_bytes(&timestamp).unwrap());
        let handled = timeless().handle(&Method::POST, &headers, body);
        prop_assert_eq!(handled.response.status(), 401);
        prop_assert!(handled.event.is_none());
    }

    #[test]
    fn digits_moved_from_the_timestamp_to_the_body_are_no_frame(split in 1..10_usize) {
        // The signed bytes stay the same, so the signature stays right.
        let (timestamp, body) = (NOW.to_string(), event("1"));
        let signature = support::keys(SECRET).sign_event(&timestamp, body.as_bytes()).to_string();
        let headers = support::headers(APP_ID, &timestamp[..split], &signature);
        let handled = timeless().handle(&Method::POST, &headers, format!("{}{body}", &timestamp[split..]));
        prop_assert_eq!(handled.error.map(|error| error.kind()), Some(ErrorKind::MalformedBody));
    }

    #[test]
    fn any_signed_body_gets_an_answer(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let headers = signed_as(APP_ID, SECRET, &NOW.to_string(), &body);
        let status = verifier().handle(&Method::POST, &headers, body).response.status();
        prop_assert!(status == 200 || status == 400, "{}", status);
    }

    #[test]
    fn any_signed_frame_gets_an_answer(
        op in "-?[0-9]{1,3}|null|\"[0-9]\"",
        d in "[{}\\[\\]\",:a-z0-9\\\\]{0,40}|\\{\"plain_token\":\"[a-zA-Z0-9{\"]{0,8}\",\"event_ts\":\"?[0-9.e-]{0,24}\"?\\}",
        t in "\"[A-Z_\\\\]{0,30}\"|7|null",
        id in "\"\\PC{0,12}\"|[0-9]{0,4}",
    ) {
        let body = format!("{{\"op\":{op},\"d\":{d},\"t\":{t},\"id\":{id}}}");
        let status = verifier().handle(&Method::POST, &signed(&body), body.clone()).response.status();
        prop_assert!(status == 200 || status == 400, "{}: {}", status, body);
    }

    #[test]
    fn any_headers_get_an_answer(
        pairs in proptest::collection::vec(
            (prop_oneof!["x-bot-appid", "x-signature-ed25519", "x-signature-timestamp", "[a-z-]{1,8}"],
             proptest::collection::vec(any::<u8>(), 0..140)),
            0..6,
        ),
        body in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        let status = verifier().handle(&Method::POST, &pairs, body).response.status();
        prop_assert!(status == 400 || status == 401 || status == 404);
    }
}

#[test]
fn deep_nesting_is_no_danger() {
    for data in [
        "[".repeat(200_000) + &"]".repeat(200_000),
        "{\"a\":".repeat(100_000) + "1" + &"}".repeat(100_000),
    ] {
        for op in [0, 1, 13] {
            let body = format!(r#"{{"op":{op},"t":"C2C_MESSAGE_CREATE","d":{data}}}"#);
            let handled = verifier().handle(&Method::POST, &signed(&body), body);
            assert!(handled.response.status() == 200 || handled.response.status() == 400);
        }
    }
}

#[test]
fn the_same_header_twice_is_read_once() {
    let body = event("1");
    let mut headers = HeaderMap::new();
    headers.append("x-bot-appid", HeaderValue::from_static("7"));
    for (name, value) in &signed(&body) {
        headers.append(name, value.clone());
    }
    let handled = verifier().handle(&Method::POST, &headers, body);
    assert_eq!(handled.error.unwrap().kind(), ErrorKind::UnknownApp);
}
