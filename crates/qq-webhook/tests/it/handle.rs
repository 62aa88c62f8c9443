//! One request after the other, without a server.

use crate::support::{
    self, APP_ID, Clock, NOW, SECRET, event, post, signed, signed_as, signed_at, verifier,
};
use http::{HeaderMap, Method};
use qq_model::{Event, EventKind, EventKinds, Token};
use qq_webhook::{BuildError, Claim, Error, ErrorKind, RawEvent, Received, Verifier};

const ACKNOWLEDGED: &[u8] = br#"{"op":12,"d":0}"#;
const FAILED: &[u8] = br#"{"op":12,"d":1}"#;

fn refused(verifier: &Verifier, headers: &HeaderMap, body: &str) -> ErrorKind {
    let handled = verifier.handle(&Method::POST, headers, body.to_owned());
    assert!(handled.event.is_none(), "{body}");
    let kind = handled.error.expect("the request is refused").kind();
    assert_eq!(handled.response.status(), kind.status());
    kind
}

#[test]
fn an_event_is_acknowledged_and_given_out() {
    let verifier = verifier();
    let handled = post(&verifier, &event("C2C_MESSAGE_CREATE:1"));
    assert_eq!(handled.response.status(), 200);
    assert_eq!(handled.response.body(), ACKNOWLEDGED);
    assert_eq!(
        handled.response.headers()["content-type"],
        "application/json"
    );
    let event = handled.event.unwrap();
    assert_eq!(event.app_id, APP_ID);
    assert_eq!(event.dispatch.id.unwrap(), "C2C_MESSAGE_CREATE:1");
    assert!(
        matches!(event.dispatch.event, Event::C2CMessageCreate(message) if &*message.content == "hi")
    );
    assert_eq!(verifier.stats().accepted, 1);
}

#[test]
fn three_sends_are_one_event() {
    let clock = Clock::at(NOW);
    let verifier = support::builder(&clock).build().unwrap();
    let body = event("C2C_MESSAGE_CREATE:1");
    let mut events = 0;
    // Each attempt has a new time and a new signature.
    for attempt in 0..3 {
        clock.set(NOW + attempt);
        let handled = verifier.handle(
            &Method::POST,
            &signed_at(NOW + attempt, &body),
            body.clone(),
        );
        assert_eq!(handled.response.body(), ACKNOWLEDGED);
        events += usize::from(handled.event.is_some());
    }
    assert_eq!(events, 1);
    assert_eq!(
        (verifier.stats().accepted, verifier.stats().repeated),
        (1, 2)
    );
}

#[test]
fn two_bots_may_get_events_of_one_id() {
    let clock = Clock::at(NOW);
    let verifier = support::builder(&clock)
        .bot(&Token::new("7", "other secret".replace(' ', "-")))
        .build()
        .unwrap();
    let body = event("GROUP_AT_MESSAGE_CREATE:1");
    for (app_id, secret) in [(APP_ID, SECRET), ("7", "other-secret")] {
        let headers = signed_as(app_id, secret, &NOW.to_string(), body.as_bytes());
        let event = verifier
            .handle(&Method::POST, &headers, body.clone())
            .event
            .unwrap();
        assert_eq!(event.app_id, app_id);
    }
    // The secret of one bot signs nothing for another.
    let crossed = signed_as("7", SECRET, &NOW.to_string(), body.as_bytes());
    assert_eq!(
        refused(&verifier, &crossed, &body),
        ErrorKind::InvalidSignature
    );
}

#[test]
fn events_without_an_id_are_known_by_their_signature() {
    let verifier = verifier();
    let body = r#"{"op":0,"d":{"openid":"A"},"t":"FRIEND_ADD"}"#;
    assert!(post(&verifier, body).event.is_some());
    assert!(post(&verifier, body).event.is_none());
    let later = signed_at(NOW + 1, body);
    assert!(verifier.handle(&Method::POST, &later, body).event.is_some());
}

#[test]
fn freshness_has_the_same_edge_on_both_sides() {
    let verifier = verifier();
    for (index, seconds) in [NOW - 300, NOW + 300].into_iter().enumerate() {
        let body = event(&index.to_string());
        assert!(
            verifier
                .handle(&Method::POST, &signed_at(seconds, &body), body)
                .event
                .is_some()
        );
    }
    let body = event("stale");
    for seconds in [0, NOW - 301, NOW + 301, u64::MAX] {
        assert_eq!(
            refused(&verifier, &signed_at(seconds, &body), &body),
            ErrorKind::StaleTimestamp
        );
    }
    let clock = Clock::at(0);
    let narrow = support::builder(&clock)
        .freshness(std::time::Duration::ZERO)
        .build()
        .unwrap();
    assert!(narrow.verify(&signed_at(0, &body), body.as_bytes()).is_ok());
    assert_eq!(
        refused(&narrow, &signed_at(1, &body), &body),
        ErrorKind::StaleTimestamp
    );
}

#[test]
fn a_request_can_never_be_repeated() {
    let clock = Clock::at(NOW);
    let verifier = support::builder(&clock)
        .replay_retention(std::time::Duration::from_secs(1))
        .build()
        .unwrap();
    let body = event("1");
    // As early as the window allows, so that it stays fresh for twice the window.
    let headers = signed_at(NOW + 300, &body);
    assert!(
        verifier
            .handle(&Method::POST, &headers, body.clone())
            .event
            .is_some()
    );
    for seconds in [NOW + 1, NOW + 300, NOW + 600] {
        clock.set(seconds);
        assert!(
            verifier
                .handle(&Method::POST, &headers, body.clone())
                .event
                .is_none(),
            "{seconds}"
        );
    }
    assert_eq!(verifier.stats().repeated, 3);
    clock.set(NOW + 601);
    assert_eq!(
        refused(&verifier, &headers, &body),
        ErrorKind::StaleTimestamp
    );
}

#[test]
fn headers_are_checked_one_by_one() {
    let verifier = verifier();
    let body = event("1");
    for (name, value, kind) in [
        ("x-bot-appid", Some("7"), ErrorKind::UnknownApp),
        ("x-bot-appid", Some("\u{e9}"), ErrorKind::UnknownApp),
        ("x-signature-ed25519", None, ErrorKind::MissingSignature),
        (
            "x-signature-ed25519",
            Some("00"),
            ErrorKind::MalformedSignature,
        ),
        ("x-signature-timestamp", None, ErrorKind::MissingTimestamp),
        (
            "x-signature-timestamp",
            Some(""),
            ErrorKind::MissingTimestamp,
        ),
        (
            "x-signature-timestamp",
            Some("+1"),
            ErrorKind::MalformedTimestamp,
        ),
        (
            "x-signature-timestamp",
            Some("99999999999999999999"),
            ErrorKind::MalformedTimestamp,
        ),
    ] {
        let mut headers = signed(&body);
        headers.remove(name);
        if let Some(value) = value {
            headers.insert(
                name,
                http::HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        assert_eq!(
            refused(&verifier, &headers, &body),
            kind,
            "{name}: {value:?}"
        );
        assert!(verifier.stats().refused(kind) > 0);
    }
    assert_eq!(verifier.stats().refused_total(), 8);
}

#[test]
fn one_bot_needs_no_app_id_and_two_do() {
    let body = event("1");
    let mut headers = signed(&body);
    headers.remove("x-bot-appid");
    assert!(verifier().verify(&headers, body.as_bytes()).is_ok());
    let two = support::builder(&Clock::at(NOW))
        .bot(&Token::new("7", "x"))
        .build()
        .unwrap();
    assert_eq!(refused(&two, &headers, &body), ErrorKind::MissingAppId);
}

#[test]
fn while_a_secret_is_changed_both_are_good() {
    let verifier = support::builder(&Clock::at(NOW))
        .bot(&Token::new(APP_ID, "new"))
        .build()
        .unwrap();
    for secret in [SECRET, "new"] {
        let body = r#"{"op":13,"d":{"plain_token":"abc","event_ts":"1"}}"#;
        let headers = signed_as(APP_ID, secret, &NOW.to_string(), body.as_bytes());
        let handled = verifier.handle(&Method::POST, &headers, body);
        // The answer is signed with the secret that the question was signed with.
        let answer = String::from_utf8(handled.response.body().to_vec()).unwrap();
        assert!(answer.contains(&support::keys(secret).sign_event("1", b"abc").to_string()));
    }
}

#[test]
fn other_methods_are_refused() {
    let body = event("1");
    for method in [Method::GET, Method::PUT, Method::HEAD, Method::OPTIONS] {
        let handled = verifier().handle(&method, &signed(&body), body.clone());
        assert_eq!(handled.response.status(), 405);
        assert_eq!(handled.response.headers()["allow"], "POST");
        assert!(handled.event.is_none());
    }
}

#[test]
fn signed_nonsense_is_malformed() {
    for body in [
        "",
        "plain text",
        "[]",
        "{}",
        r#"{"op":0"#,
        r#"{"op":"x"}"#,
        r#"{"op":13,"d":{"plain_token":}}"#,
        r#"{"op":13}"#,
    ] {
        assert_eq!(
            refused(&verifier(), &signed(body), body),
            ErrorKind::MalformedBody,
            "{body}"
        );
    }
    let headers = signed_as(
        APP_ID,
        SECRET,
        &NOW.to_string(),
        b"{\"op\":0,\"t\":\"\xff\"}",
    );
    let handled = verifier().handle(&Method::POST, &headers, &b"{\"op\":0,\"t\":\"\xff\"}"[..]);
    assert_eq!(handled.error.unwrap().kind(), ErrorKind::MalformedBody);
}

#[test]
fn a_byte_order_mark_is_signed_and_skipped() {
    let handled = post(&verifier(), &format!("\u{feff}{}", event("1")));
    assert!(matches!(
        handled.event.unwrap().dispatch.event,
        Event::C2CMessageCreate(_)
    ));
}

#[test]
fn what_nobody_wants_is_acknowledged() {
    let clock = Clock::at(NOW);
    let kinds = EventKinds::none().with(EventKind::GroupAtMessageCreate);
    let verifier = support::builder(&clock).events(kinds).build().unwrap();
    for body in [
        r#"{"op":99}"#,
        r#"{"op":0}"#,
        r#"{"op":0,"t":""}"#,
        &event("1"),
    ] {
        let handled = post(&verifier, body);
        assert_eq!(handled.response.body(), ACKNOWLEDGED, "{body}");
        assert!(handled.event.is_none(), "{body}");
    }
    assert_eq!(verifier.stats().ignored, 4);
    let unknown = post(
        &verifier,
        r#"{"op":0,"t":"SOMETHING_NEW","d":{"a":1},"s":0}"#,
    )
    .event
    .unwrap();
    assert!(
        matches!(unknown.dispatch.event, Event::Unknown { raw, .. } if raw.get() == r#"{"a":1}"#)
    );
    assert_eq!(unknown.dispatch.sequence, Some(0));
}

#[test]
fn heartbeats_are_answered() {
    let verifier = verifier();
    for (body, answer) in [
        (r#"{"op":1,"d":251}"#, r#"{"op":11,"d":251}"#),
        (r#"{"op":1,"d":"<x>"}"#, r#"{"op":11,"d":null}"#),
    ] {
        assert_eq!(post(&verifier, body).response.body(), answer.as_bytes());
    }
    assert_eq!(verifier.stats().heartbeats, 2);
}

#[test]
fn address_checks_take_a_number_too() {
    let handled = post(
        &verifier(),
        r#"{"op":13,"d":{"plain_token":"Arq0D5A61EgUu4OxUvOp","event_ts":1725442341}}"#,
    );
    let answer = String::from_utf8(handled.response.body().to_vec()).unwrap();
    assert!(answer.ends_with("c2d652c706\"}"), "{answer}");
}

#[test]
fn an_address_check_signs_nothing_that_could_be_an_event() {
    let verifier = verifier();
    let forged = event("forged").replace('"', "\\\"");
    let too_long = "a".repeat(65);
    for (event_ts, plain_token) in [
        ("\"1790000000\"", forged.as_str()),
        ("\"1790000000{\"", "abc"),
        ("\"\"", "abc"),
        ("\"1\"", ""),
        ("\"1\"", "a b"),
        ("\"1\"", "\u{ff11}"),
        ("\"1\"", too_long.as_str()),
        ("\"123456789012345678901\"", "abc"),
        ("\" 1\"", "abc"),
        ("-1", "abc"),
        ("1.5", "abc"),
        ("[1]", "abc"),
        ("null", "abc"),
    ] {
        let body =
            format!(r#"{{"op":13,"d":{{"plain_token":"{plain_token}","event_ts":{event_ts}}}}}"#);
        assert_eq!(
            refused(&verifier, &signed(&body), &body),
            ErrorKind::RefusedValidation,
            "{body}"
        );
    }
    for data in ["[]", "7", "\"\"", "{}"] {
        let body = format!(r#"{{"op":13,"d":{data}}}"#);
        assert_eq!(
            refused(&verifier, &signed(&body), &body),
            ErrorKind::RefusedValidation,
            "{body}"
        );
    }
    assert_eq!(verifier.stats().validations, 0);
}

#[test]
fn an_unsigned_address_check_gets_no_signature() {
    let body = r#"{"op":13,"d":{"plain_token":"abc","event_ts":"1790000000"}}"#;
    let mut headers = signed(body);
    headers.remove("x-signature-ed25519");
    assert_eq!(
        refused(&verifier(), &headers, body),
        ErrorKind::MissingSignature
    );
    let wrong = signed_as(APP_ID, "wrong", &NOW.to_string(), body.as_bytes());
    assert_eq!(
        refused(&verifier(), &wrong, body),
        ErrorKind::InvalidSignature
    );
    assert_eq!(
        refused(&verifier(), &signed_at(NOW - 301, body), body),
        ErrorKind::StaleTimestamp
    );
}

#[test]
fn what_an_address_check_signs_verifies_as_no_event() {
    let verifier = verifier();
    let (event_ts, plain_token) = (NOW.to_string(), "1234567890");
    let check =
        format!(r#"{{"op":13,"d":{{"plain_token":"{plain_token}","event_ts":"{event_ts}"}}}}"#);
    let answer = String::from_utf8(post(&verifier, &check).response.body().to_vec()).unwrap();
    let signature = answer.split('"').nth(7).unwrap();
    // The most that can be had of it: a body of letters and digits, which is no frame.
    let headers = support::headers(APP_ID, &event_ts, signature);
    assert_eq!(
        refused(&verifier, &headers, plain_token),
        ErrorKind::MalformedBody
    );
}

fn received(verifier: &Verifier, body: &str) -> (RawEvent, Claim) {
    match verifier.receive(&Method::POST, &signed(body), body.to_owned()) {
        Ok(Received::Event(event, claim)) => (event, claim),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_refused_event_is_taken_when_it_comes_again() {
    let verifier = verifier();
    let body = event("1");
    let (_, claim) = received(&verifier, &body);
    let response = claim.refuse(&Error::not_accepted("the disk is full"));
    assert_eq!(
        (response.status().as_u16(), &response.body()[..]),
        (503, FAILED)
    );
    // A claim that nobody decided about counts as refused.
    drop(received(&verifier, &body));
    let (raw, claim) = received(&verifier, &body);
    assert_eq!(
        (raw.name(), raw.id().unwrap().to_string().as_str()),
        ("C2C_MESSAGE_CREATE", "1")
    );
    assert_eq!(raw.body(), body.as_bytes());
    assert_eq!(claim.accept().body(), ACKNOWLEDGED);
    assert!(post(&verifier, &body).event.is_none());
    let stats = verifier.stats();
    assert_eq!(
        (
            stats.accepted,
            stats.repeated,
            stats.refused(ErrorKind::NotAccepted)
        ),
        (1, 1, 1)
    );
}

#[test]
fn while_an_event_is_being_taken_a_second_request_is_put_off() {
    let verifier = verifier();
    let body = event("1");
    let (_, claim) = received(&verifier, &body);
    let handled = post(&verifier, &body);
    assert_eq!(
        (
            handled.response.status().as_u16(),
            &handled.response.body()[..]
        ),
        (503, FAILED)
    );
    assert_eq!(handled.error.unwrap().kind(), ErrorKind::InProgress);
    drop(claim);
    assert!(post(&verifier, &body).event.is_some());
}

#[test]
fn bots_without_usable_credentials_are_refused() {
    assert!(
        Verifier::builder()
            .build()
            .unwrap_err()
            .to_string()
            .contains("bot")
    );
    for (app_id, secret, field) in [
        ("", "x", "app_id"),
        ("7", "", "secret"),
        ("x", "x", "app_id"),
    ] {
        let error: BuildError = Verifier::new(&Token::new(app_id, secret)).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains(field), "{source}");
    }
}

#[test]
fn nothing_shows_a_secret() {
    let canary = "canary0123456789";
    let builder = Verifier::builder().bot(&Token::new("7", canary));
    let mut shown = format!("{builder:?}");
    let verifier = builder.clock(Clock::at(NOW).reader()).build().unwrap();
    let body = event("1");
    let headers = signed_as("7", "wrong", &NOW.to_string(), body.as_bytes());
    let handled = verifier.handle(&Method::POST, &headers, body);
    shown += &format!("{verifier:?} {handled:?} {:?}", support::keys(canary));
    assert!(!shown.contains("canary"), "{shown}");
}
