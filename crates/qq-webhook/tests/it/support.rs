//! A platform that signs callbacks, and a clock that stands still until it is told to move.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderValue, Method};
use qq_model::{Secret, Token};
use qq_webhook::signature::KeyPair;
use qq_webhook::{Handled, Verifier, VerifierBuilder};

pub(crate) const APP_ID: &str = "102000000";
pub(crate) const SECRET: &str = "DG5g3B4j9X2KOErG";
pub(crate) const NOW: u64 = 1_790_000_000;

#[derive(Clone, Debug)]
pub(crate) struct Clock(Arc<AtomicU64>);

impl Clock {
    pub(crate) fn at(seconds: u64) -> Self {
        Self(Arc::new(AtomicU64::new(seconds)))
    }

    pub(crate) fn set(&self, seconds: u64) {
        self.0.store(seconds, Ordering::SeqCst);
    }

    pub(crate) fn reader(&self) -> impl Fn() -> SystemTime + Send + Sync + 'static {
        let clock = self.clone();
        move || UNIX_EPOCH + Duration::from_secs(clock.0.load(Ordering::SeqCst))
    }
}

pub(crate) fn token() -> Token {
    Token::new(APP_ID, SECRET)
}

pub(crate) fn builder(clock: &Clock) -> VerifierBuilder {
    Verifier::builder().bot(&token()).clock(clock.reader())
}

pub(crate) fn verifier() -> Verifier {
    builder(&Clock::at(NOW)).build().unwrap()
}

pub(crate) fn keys(secret: &str) -> KeyPair {
    KeyPair::from_secret(&Secret::new(secret)).unwrap()
}

/// The headers of a callback, signed now.
pub(crate) fn signed(body: &str) -> HeaderMap {
    signed_at(NOW, body)
}

pub(crate) fn signed_at(seconds: u64, body: &str) -> HeaderMap {
    signed_as(APP_ID, SECRET, &seconds.to_string(), body.as_bytes())
}

pub(crate) fn signed_as(app_id: &str, secret: &str, timestamp: &str, body: &[u8]) -> HeaderMap {
    let signature = keys(secret).sign_event(timestamp, body).to_string();
    headers(app_id, timestamp, &signature)
}

pub(crate) fn headers(app_id: &str, timestamp: &str, signature: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("x-bot-appid", app_id),
        ("x-signature-timestamp", timestamp),
        ("x-signature-ed25519", signature),
    ] {
        headers.insert(name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

pub(crate) fn event(id: &str) -> String {
    format!(
        r#"{{"op":0,"id":"{id}","d":{{"id":"ROBOT1.0_x","content":"hi"}},"t":"C2C_MESSAGE_CREATE"}}"#
    )
}

/// Signs a body now and hands it over.
pub(crate) fn post(verifier: &Verifier, body: &str) -> Handled {
    verifier.handle(&Method::POST, &signed(body), body.to_owned())
}
