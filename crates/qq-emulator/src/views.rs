//! What the emulator shows of itself, in Rust and as JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::world::messages::Scene;

/// A message that a user has said; the answer of `POST messages`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Said {
    /// The message's id: `d.id` of the event, `msg_id` of an answer.
    pub message_id: String,
    /// The event's id: `id` of the envelope.
    pub event_id: String,
    /// Where it was said: group openid, user openid, channel id, or guild id of the direct
    /// conversation.
    pub conversation: String,
}

/// A message that a bot has sent; an entry of `GET outbox`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OutboxEntry {
    /// Its number, from 1.
    pub n: u64,
    /// When, RFC 3339 with milliseconds.
    pub at: String,
    /// The scene it was sent to.
    pub scene: Scene,
    /// The conversation it was sent to.
    pub conversation: String,
    /// The id that the platform gave it.
    pub message_id: String,
    /// The message or event it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// The JSON that was received. For a multipart form, an object of its parts, where a file is
    /// `{"filename", "content_type", "size"}`.
    pub body: Value,
    /// The same, byte for byte, for the control API.
    #[serde(skip)]
    pub(crate) raw: Option<Box<RawValue>>,
}

impl OutboxEntry {
    /// The text: `content`, or the content of the markdown.
    #[must_use]
    pub fn text(&self) -> &str {
        let markdown = &self.body["markdown"]["content"];
        match self.body["content"].as_str() {
            Some(text) if !text.is_empty() => text,
            other => markdown.as_str().or(other).unwrap_or_default(),
        }
    }
}

/// A REST call that a client has made; an entry of `GET requests`.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct RequestEntry {
    /// Its number, from 1.
    pub n: u64,
    /// When, RFC 3339 with milliseconds.
    pub at: String,
    /// The HTTP method.
    pub method: String,
    /// The path as it was sent.
    pub path: String,
    /// The query as it was sent, without `?`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The name of the platform's route, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// The headers, names in lower case, repeated ones joined with a comma, secrets replaced.
    pub headers: BTreeMap<String, String>,
    /// The body: JSON where it is JSON, else text of at most 8 KiB; secrets replaced.
    pub body: Value,
    /// The status answered.
    pub status: u16,
    /// The platform code answered, if it was a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
    /// The trace id answered.
    pub trace_id: String,
}

/// A gateway session; an entry of `GET sessions`.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct SessionView {
    /// The session id.
    pub id: String,
    /// The bot's app id.
    pub app_id: String,
    /// Index and count of the shard.
    pub shard: [u32; 2],
    /// The intents, as a mask.
    pub intents: u64,
    /// The last sequence number dispatched.
    pub last_seq: u64,
    /// The last sequence number that the client acknowledged, by a heartbeat or a RESUME.
    pub acknowledged: u64,
    /// Whether a connection holds it now; without one it can be resumed for a while.
    pub connected: bool,
    /// When it was identified, RFC 3339 with milliseconds.
    pub since: String,
    /// How often it was resumed.
    pub resumes: u32,
    /// The client: its `User-Agent`, or its address.
    pub client: String,
}

/// A message of a conversation, by whomever; an item of `GET timeline`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TimelineItem {
    /// Its number, from 1.
    pub n: u64,
    /// When, RFC 3339 with milliseconds.
    pub at: String,
    /// The scene.
    pub scene: Scene,
    /// The conversation.
    pub conversation: String,
    /// The message's id.
    pub message_id: String,
    /// Who said it.
    pub author: Author,
    /// The text as a person reads it.
    pub content: String,
    /// The message or event it answers.
    pub reply_to: Option<String>,
    /// Whether it was taken back.
    pub recalled: bool,
    /// What a bot sent, whole; null for users.
    pub body: Option<Value>,
    /// The files of a user's message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Value>,
    /// The index by which group and C2C messages quote this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ref_idx: Option<String>,
}

/// The author of a [`TimelineItem`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Author {
    /// The id: an openid in groups and C2C, else the user id.
    pub id: String,
    /// The name.
    pub name: String,
    /// Whether it is a bot.
    pub bot: bool,
}
