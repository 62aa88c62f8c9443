//! What must not be in a recording.

use std::collections::{BTreeMap, VecDeque};

use http::HeaderMap;
use serde_json::Value;

use super::Line;

const HIDDEN: &str = "***";
/// Secrets remembered; a token lives two hours.
const MOST_SECRETS: usize = 1_000;
/// Shorter texts are no secrets, and would take half of the recording with them.
const SHORTEST: usize = 8;
/// Members that hold a secret wherever they are.
const SECRET_MEMBERS: [&str; 4] = ["clientSecret", "access_token", "secret", "auth_token"];

/// Texts that were seen where secrets are, to be removed wherever else they turn up.
#[derive(Debug, Default)]
pub(super) struct Secrets(VecDeque<String>);

impl Secrets {
    pub(super) fn add(&mut self, secret: &str) {
        let secret = secret.trim();
        let secret = secret.strip_prefix("QQBot ").unwrap_or(secret);
        if secret.len() < SHORTEST || self.0.iter().any(|known| known == secret) {
            return;
        }
        self.0.push_back(secret.to_owned());
        if self.0.len() > MOST_SECRETS {
            self.0.pop_front();
        }
    }

    /// Remembers the secrets of a line.
    pub(super) fn learn(&mut self, line: &Line) {
        for value in [&line.body, &line.answer, &line.frame]
            .into_iter()
            .flatten()
        {
            self.learn_value(value);
        }
        let op = line.frame.as_ref().and_then(|frame| frame["op"].as_u64());
        if let (Some(2 | 6), Some(frame)) = (op, &line.frame)
            && let Some(token) = frame["d"]["token"].as_str()
        {
            self.add(token);
        }
    }

    fn learn_value(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.learn_value(item)),
            Value::Object(members) => {
                for (name, value) in members {
                    match value.as_str() {
                        Some(secret) if SECRET_MEMBERS.contains(&name.as_str()) => {
                            self.add(secret);
                        }
                        _ => self.learn_value(value),
                    }
                }
            }
            _ => {}
        }
    }

    /// Removes every known secret from a line's JSON.
    pub(super) fn remove_from(&self, text: &mut String) {
        for secret in &self.0 {
            if text.contains(secret.as_str()) {
                *text = text.replace(secret.as_str(), HIDDEN);
            }
        }
    }
}

/// Removes what is known to be secret by its place.
pub(super) fn line(line: &mut Line) {
    let op = line.frame.as_ref().and_then(|frame| frame["op"].as_u64());
    if let (Some(2 | 6), Some(frame)) = (op, &mut line.frame)
        && frame["d"]["token"].is_string()
    {
        frame["d"]["token"] = HIDDEN.into();
    }
    let values = [&mut line.body, &mut line.answer, &mut line.frame];
    values.into_iter().flatten().for_each(hide);
    if let Some(text) = &mut line.text
        && text.contains("token")
    {
        // It is no JSON, so that nobody knows where the token ends.
        HIDDEN.clone_into(text);
    }
}

fn hide(value: &mut Value) {
    match value {
        Value::String(text) if text.starts_with("auth_token=") => {
            *text = format!("auth_token={HIDDEN}");
        }
        Value::String(text) if text.starts_with("http") => {
            // The query of a presigned address is a permission.
            if let Some((address, _)) = text.split_once('?') {
                *text = format!("{address}?{HIDDEN}");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide),
        Value::Object(members) => {
            for (name, value) in members {
                if SECRET_MEMBERS.contains(&name.as_str()) && value.is_string() {
                    *value = HIDDEN.into();
                } else {
                    hide(value);
                }
            }
        }
        _ => {}
    }
}

/// Path and query as they are recorded: what permits something is left out of the query.
pub(crate) fn call_path(uri: &http::Uri) -> (String, Option<String>) {
    let query = uri.query().map(|query| {
        let pairs = query.split('&').map(|pair| match pair.split_once('=') {
            Some((name @ ("sign" | "token" | "access_token"), _)) => format!("{name}={HIDDEN}"),
            _ => pair.to_owned(),
        });
        pairs.collect::<Vec<_>>().join("&")
    });
    (uri.path().to_owned(), query)
}

/// Headers without what permits something; repeated ones joined with a comma.
pub(crate) fn headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut read: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let text = String::from_utf8_lossy(value.as_bytes());
        let text = match name.as_str() {
            // The scheme is worth seeing, the token is not.
            "authorization" => match text.split_once(' ') {
                Some((scheme, _)) => format!("{scheme} {HIDDEN}"),
                None => HIDDEN.to_owned(),
            },
            "cookie" | "set-cookie" | "proxy-authorization" => HIDDEN.to_owned(),
            _ => text.into_owned(),
        };
        read.entry(name.as_str().to_owned())
            .and_modify(|known| {
                known.push_str(", ");
                known.push_str(&text);
            })
            .or_insert(text);
    }
    read
}
