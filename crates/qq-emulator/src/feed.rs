//! What the chat page is told beyond the logs: frames, and what changes after it was said.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::clock::Millis;
use crate::ring::Ring;

/// Frames kept.
const MOST_FRAMES: usize = 2_000;
/// Signals kept: who missed more of them reads everything again.
const MOST_SIGNALS: usize = 4_000;

/// Something that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Signal {
    /// A message of the timeline, by its id.
    Message(String),
    /// A stream, by its id.
    Stream(String),
    /// A bot types, or stops to.
    Typing(Typing),
    /// A message that is looked at before it is sent.
    Audit(Box<Audit>),
    /// People and places.
    World,
}

/// A bot types.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Typing {
    pub(crate) conversation: String,
    /// 0 ends it.
    pub(crate) seconds: u64,
}

/// A message under audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Audit {
    pub(crate) audit_id: String,
    pub(crate) at: String,
    pub(crate) scene: &'static str,
    pub(crate) conversation: String,
    pub(crate) app_id: String,
    pub(crate) reply_to: Option<String>,
    pub(crate) body: Value,
    /// `pending`, `passed` or `rejected`.
    pub(crate) state: &'static str,
}

/// A frame of the gateway, or the beginning or the end of its connection.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) n: u64,
    pub(crate) at: Millis,
    pub(crate) connection: u64,
    /// The session by its number.
    pub(crate) session: Option<u64>,
    pub(crate) what: What,
}

/// What a [`Frame`] is.
#[derive(Debug, Clone)]
pub(crate) enum What {
    Opened,
    Sent(Utf8Bytes),
    Received(Utf8Bytes),
    /// Closed with a code; `None` is a reset.
    Closed(Option<u16>),
    /// The client has gone.
    Gone,
}

/// The two logs.
#[derive(Debug)]
pub(crate) struct Feed {
    /// Differs from one beginning to the next, be it a start or a reset.
    pub(crate) begun: u64,
    pub(crate) signals: Ring<Signal>,
    pub(crate) frames: Ring<Frame>,
}

impl Default for Feed {
    fn default() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let micros = now.unwrap_or(Duration::ZERO).as_micros();
        Self {
            begun: u64::try_from(micros).unwrap_or(u64::MAX),
            signals: Ring::default(),
            frames: Ring::default(),
        }
    }
}

impl Feed {
    /// Something has changed.
    pub(crate) fn signal(&mut self, signal: Signal) {
        self.signals.push(MOST_SIGNALS, |_| signal);
    }

    /// A message has changed.
    pub(crate) fn message(&mut self, id: &str) {
        self.signal(Signal::Message(id.to_owned()));
    }

    pub(crate) fn frame(&mut self, at: Millis, connection: u64, session: Option<u64>, what: What) {
        self.frames.push(MOST_FRAMES, |n| Frame {
            n,
            at,
            connection,
            session,
            what,
        });
    }
}
