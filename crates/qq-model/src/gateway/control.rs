//! The payloads of control frames.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ShardId;
use crate::id::SessionId;
use crate::intents::Intents;
use crate::user::User;
use crate::wire::{Extra, Payload};

object! {
    /// The first frame of a connection.
    pub struct Hello {
        /// Milliseconds between heartbeats.
        pub heartbeat_interval: u64,
    }

    /// The session stands. The platform sends no guild list here.
    pub struct Ready {
        /// The version of the gateway protocol.
        pub version: u32,
        /// What RESUME names.
        pub session_id: SessionId,
        /// The bot itself.
        pub user: User,
        /// The shard; some servers send `[0, 0]`.
        pub shard: Vec<u32>,
    }
}

/// Every missed event was replayed. The platform sends an empty text as its payload.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Resumed {
    /// Members that this version does not know.
    pub extra: Extra,
}

impl<'de> Deserialize<'de> for Resumed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut resumed = Self::default();
        if let serde_json::Value::Object(members) = serde_json::Value::deserialize(deserializer)? {
            for (name, value) in members {
                resumed.extra.push(name.into(), value);
            }
        }
        Ok(resumed)
    }
}

impl<'de> Payload<'de> for Resumed {
    fn read_payload<D: Deserializer<'de>>(deserializer: D) -> Result<Box<Self>, D::Error> {
        Box::deserialize(deserializer)
    }
}

impl Serialize for Resumed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.extra.is_empty() {
            return serializer.serialize_str("");
        }
        serializer.collect_map(self.extra.iter())
    }
}

/// Opens a new session. Without `Debug`: it holds the access token.
#[derive(Clone, Serialize)]
pub struct Identify<'a> {
    /// `QQBot <access token>`.
    pub token: &'a str,
    /// What to subscribe to.
    pub intents: Intents,
    /// Which shard.
    pub shard: ShardId,
    /// What the client calls itself; without effect.
    pub properties: Properties,
}

/// How a client describes itself.
#[derive(Clone, Copy, Debug, Serialize)]
#[non_exhaustive]
pub struct Properties {
    /// The operating system.
    #[serde(rename = "$os")]
    pub os: &'static str,
    /// The library.
    #[serde(rename = "$browser")]
    pub browser: &'static str,
    /// The library.
    #[serde(rename = "$device")]
    pub device: &'static str,
}

impl Default for Properties {
    fn default() -> Self {
        Self {
            os: std::env::consts::OS,
            browser: "qqbot",
            device: "qqbot",
        }
    }
}

/// Takes up an old session. Without `Debug`: it holds the access token.
#[derive(Clone, Serialize)]
pub struct Resume<'a> {
    /// `QQBot <access token>`.
    pub token: &'a str,
    /// Which session.
    pub session_id: &'a SessionId,
    /// The last event that was received.
    pub seq: u64,
}
