//! Answering the platform's check of the callback address.
//!
//! The answer is a signature over a text that the request chooses. Two things keep it from being one that signs an event:
//! this code is reached only after the request's own signature was verified, and the text is one that cannot be an
//! event, because after its leading digits an event goes on with a brace.

use bytes::Bytes;
use http::Response;
use serde_json::Value;

use crate::answer;
use crate::error::{Error, ErrorKind};
use crate::signature::KeyPair;

pub(super) fn answer(keys: &KeyPair, data: &str) -> Result<Response<Bytes>, Error> {
    let data: Value = serde_json::from_str(data)
        .map_err(|error| Error::with_source(ErrorKind::MalformedBody, error))?;
    let event_ts = match &data["event_ts"] {
        Value::String(text) => text.clone(),
        // The documentation shows a text, one SDK expects a number; the digits are what is signed.
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    let plain_token = data["plain_token"].as_str().unwrap_or_default();
    let is_harmless = (1..=20).contains(&event_ts.len())
        && event_ts.bytes().all(|byte| byte.is_ascii_digit())
        && (1..=64).contains(&plain_token.len())
        && plain_token.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_harmless {
        return Err(ErrorKind::RefusedValidation.into());
    }
    Ok(answer::validation(
        plain_token,
        &keys.sign_validation(&event_ts, plain_token),
    ))
}
