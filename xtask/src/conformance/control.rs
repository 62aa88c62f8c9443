//! The emulator's control API, as far as the checks need it.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use serde_json::{Value, json};

use super::http;
use crate::error::{Error, Result};

/// Talks to the control API of one emulator.
#[derive(Debug)]
pub(super) struct Control {
    address: SocketAddr,
}

/// A connection of a gateway session: the session's first, or that of its n-th resumption.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Connection {
    session: String,
    resumes: u64,
}

/// What a bot identifies itself with.
#[derive(Debug)]
pub(super) struct Bot {
    pub(super) app_id: String,
    pub(super) secret: String,
}

impl Control {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self { address }
    }

    /// The first bot of the world.
    pub(super) fn bot(&self) -> Result<Bot> {
        let world = self.get("world")?;
        let bot = &world["bots"][0];
        Ok(Bot {
            app_id: text(bot, "app_id")?,
            secret: text(bot, "secret")?,
        })
    }

    /// A user says something to the bot; the id of the message.
    pub(super) fn say(&self, scene: &str, content: &str) -> Result<String> {
        let body = json!({"scene": scene, "content": content, "mention_bot": true});
        text(&self.post("messages", &body)?, "message_id")
    }

    /// The answer to a message, if a bot has sent one.
    pub(super) fn reply_to(&self, message_id: &str) -> Result<Option<Value>> {
        let sent = list(self.get("outbox?after=0")?, "outbox")?;
        Ok(sent
            .into_iter()
            .find(|entry| entry["reply_to"] == message_id))
    }

    /// The gateway connections there are now. A session that is resumed has a new one.
    pub(super) fn connections(&self) -> Result<BTreeSet<Connection>> {
        let sessions = list(self.get("sessions")?, "sessions")?;
        sessions
            .iter()
            .filter(|session| session["connected"] == true)
            .map(|session| {
                Ok(Connection {
                    session: text(session, "id")?,
                    resumes: session["resumes"].as_u64().unwrap_or_default(),
                })
            })
            .collect()
    }

    /// Cuts every gateway connection.
    pub(super) fn drop_gateway(&self) -> Result<()> {
        self.post("gateway/drop", &json!({})).map(drop)
    }

    /// The routes that were called with success.
    pub(super) fn done_calls(&self) -> Result<BTreeSet<String>> {
        let calls = list(self.get("requests?after=0")?, "requests")?;
        Ok(calls
            .iter()
            .filter(|call| matches!(call["status"].as_u64(), Some(200..=204)))
            .filter_map(|call| call["route"].as_str().map(str::to_owned))
            .collect())
    }

    /// What clients did that the documents forbid, one line each.
    pub(super) fn errors(&self) -> Result<Vec<String>> {
        let violations = list(self.get("violations")?, "violations")?;
        Ok(violations
            .iter()
            .filter(|violation| violation["level"] == "error")
            .map(|violation| {
                let field = |name: &str| violation[name].as_str().unwrap_or("?");
                format!("{}: {}", field("code"), field("message"))
            })
            .collect())
    }

    fn get(&self, call: &str) -> Result<Value> {
        http::get(self.address, &format!("/emulator/v1/{call}"))
    }

    fn post(&self, call: &str, body: &Value) -> Result<Value> {
        http::post(self.address, &format!("/emulator/v1/{call}"), body)
    }
}

fn text(object: &Value, field: &str) -> Result<String> {
    object[field].as_str().map(str::to_owned).ok_or_else(|| {
        Error::new(format!(
            "the control API answered without `{field}`: {object}"
        ))
    })
}

fn list(answer: Value, call: &str) -> Result<Vec<Value>> {
    match answer {
        Value::Array(items) => Ok(items),
        other => Err(Error::new(format!("`{call}` answered no list: {other}"))),
    }
}
