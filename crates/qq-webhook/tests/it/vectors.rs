//! The official and our own signature vectors.

use crate::support::{self, Clock};
use http::Method;
use qq_model::Token;
use qq_webhook::signature::Signature;
use qq_webhook::{ErrorKind, Verifier};
use serde_json::Value;

const APP_ID: &str = "11111111";

fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/webhook.json")).unwrap()
}

fn list(name: &str) -> Vec<Value> {
    vectors()[name].as_array().unwrap().clone()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("{key} in {value}"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A verifier of this secret at this time.
fn verifier(secret: &str, timestamp: &str) -> Verifier {
    let clock = Clock::at(timestamp.parse().unwrap());
    // No white space is trimmed, so that a secret of any form is taken as it is.
    Verifier::builder()
        .bot(&Token::new(APP_ID, secret))
        .clock(clock.reader())
        .build()
        .unwrap()
}

fn verify(vector: &Value, signature: &str) -> Result<(), ErrorKind> {
    let headers = support::headers(APP_ID, text(vector, "timestamp"), signature);
    verifier(text(vector, "secret"), text(vector, "timestamp"))
        .verify(&headers, text(vector, "body").as_bytes())
        .map(|verified| assert_eq!(verified.app_id, APP_ID))
        .map_err(|error| error.kind())
}

#[test]
fn keys_come_from_secrets_of_every_length() {
    let mut checked = 0;
    for vector in list("official").iter().chain(&list("own")) {
        let keys = support::keys(text(vector, "secret"));
        assert_eq!(
            hex(keys.public_key()),
            text(vector, "public_key_hex"),
            "{}",
            vector["name"]
        );
        checked += 1;
    }
    assert_eq!(checked, 25);
}

#[test]
fn official_events() {
    for vector in list("official")
        .iter()
        .filter(|vector| vector["kind"] == "event")
    {
        let name = text(vector, "name");
        let result = verify(vector, text(vector, "signature_hex"));
        if vector["valid"] == true {
            assert_eq!(result, Ok(()), "{name}");
        } else {
            assert_eq!(result, Err(ErrorKind::InvalidSignature), "{name}");
            assert_eq!(
                verify(vector, text(vector, "correct_signature_hex")),
                Ok(()),
                "{name}"
            );
        }
    }
}

#[test]
fn own_events() {
    for vector in &list("own") {
        let name = text(vector, "name");
        assert_eq!(
            verify(vector, text(vector, "signature_hex")),
            Ok(()),
            "{name}"
        );
        let signature = support::keys(text(vector, "secret"))
            .sign_event(text(vector, "timestamp"), text(vector, "body").as_bytes());
        assert_eq!(
            signature.to_string(),
            text(vector, "signature_hex"),
            "{name}"
        );
    }
}

#[test]
fn negative_events() {
    let mut refused = Vec::new();
    for vector in &list("negative") {
        let result = verify(vector, text(vector, "signature_hex"));
        if vector["valid"] == true {
            assert_eq!(result, Ok(()), "{}", vector["name"]);
        } else {
            refused.push((text(vector, "name").to_owned(), result.unwrap_err()));
        }
    }
    let kinds: Vec<(&str, ErrorKind)> = refused
        .iter()
        .map(|(name, kind)| (name.as_str(), *kind))
        .collect();
    assert_eq!(
        kinds,
        [
            ("flipped last bit of R", ErrorKind::InvalidSignature),
            ("truncated to 63 bytes", ErrorKind::MalformedSignature),
            ("65 bytes", ErrorKind::MalformedSignature),
            ("not hex", ErrorKind::MalformedSignature),
            ("empty header", ErrorKind::MissingSignature),
            ("other timestamp", ErrorKind::InvalidSignature),
            (
                "body re-serialised with spaces",
                ErrorKind::InvalidSignature
            ),
            ("malleable S + L", ErrorKind::InvalidSignature),
            ("top three bits of S set", ErrorKind::InvalidSignature),
            ("key of another bot", ErrorKind::InvalidSignature),
            ("body+timestamp order", ErrorKind::InvalidSignature),
        ]
    );
    assert!(kinds.iter().all(|(_, kind)| kind.status() == 401));
}

#[test]
fn address_checks() {
    let official = list("official");
    let official = official
        .iter()
        .filter(|vector| vector["kind"] == "validation")
        .map(|vector| (vector, vector, "signature"));
    let own = list("own");
    let own = own
        .iter()
        .map(|vector| (vector, &vector["validation"], "signature"));
    let mut checked = 0;
    for (vector, validation, signature) in official.chain(own) {
        let secret = text(vector, "secret");
        let (body, event_ts) = (
            text(validation, "request_body"),
            text(validation, "event_ts"),
        );
        let headers = support::signed_as(APP_ID, secret, event_ts, body.as_bytes());
        let handled = verifier(secret, event_ts).handle(&Method::POST, &headers, body.to_owned());
        assert_eq!(handled.response.status(), 200, "{}", vector["name"]);
        assert_eq!(
            handled.response.body(),
            text(validation, "response_body").as_bytes(),
            "{}",
            vector["name"]
        );
        assert!(handled.event.is_none());
        let message: Signature = text(validation, signature).parse().unwrap();
        assert!(text(validation, "response_body").contains(&message.to_string()));
        checked += 1;
    }
    assert_eq!(checked, 21);
}
