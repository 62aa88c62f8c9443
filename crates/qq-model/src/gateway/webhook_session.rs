//! The webhook sessions that came before the console's callback address. Known from SDKs only.

use crate::id::{AppId, SessionId};
use crate::intents::Intents;
use crate::request::{BodyError, RequestBody, https};
use crate::timestamp::Timestamp;

use super::ShardId;

object! {
    /// The body of opening such a session. Legacy: set the address in the console instead.
    pub struct CreateWebhookSession {
        /// What to subscribe to.
        pub intents: Intents,
        /// Which shard: index and count.
        pub shards: Vec<u32>,
        /// Where events go.
        pub callback_url: Box<str>,
    }

    /// The session stands.
    pub struct HttpReady {
        /// The version of the protocol.
        pub version: u32,
        /// Which session.
        pub session_id: SessionId,
        /// The bot itself.
        pub bot: crate::user::User,
        /// The shard: index and count.
        pub shard: Vec<u32>,
    }

    /// A session.
    pub struct HttpSession {
        /// The bot's application.
        pub app_id: AppId,
        /// Which session.
        pub session_id: SessionId,
        /// Where events go.
        pub callback_url: Box<str>,
        /// In which environment.
        pub env: Option<Box<str>>,
        /// What it subscribed to.
        pub intents: Option<Intents>,
        /// When it was last heard of.
        pub last_heartbeat_time: Option<Timestamp>,
        /// How it is.
        pub state: Option<Box<str>>,
        /// The shard: index and count.
        pub shards: Vec<u32>,
    }
}

impl CreateWebhookSession {
    /// A session that sends these events to this address.
    #[must_use]
    pub fn new(intents: Intents, shard: ShardId, callback_url: impl Into<Box<str>>) -> Self {
        Self {
            intents,
            shards: <[u32; 2]>::from(shard).into(),
            callback_url: callback_url.into(),
            ..Self::default()
        }
    }
}

impl RequestBody for CreateWebhookSession {
    fn validate(&self) -> Result<(), BodyError> {
        https("callback_url", &self.callback_url)
    }
}
