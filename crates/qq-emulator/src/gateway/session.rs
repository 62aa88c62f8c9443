//! A session: what one shard of a bot has been sent, and can be sent again.

use std::collections::VecDeque;

use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::clock::{Millis, rfc3339_millis};
use crate::views::SessionView;

/// A session, connected or waiting to be resumed.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) app_id: String,
    pub(crate) shard: [u32; 2],
    pub(crate) intents: u64,
    pub(crate) client: String,
    pub(crate) since: Millis,
    pub(crate) resumes: u32,
    /// The connection that holds it, by number.
    pub(crate) connection: Option<u64>,
    pub(crate) disconnected_at: Millis,
    /// The last sequence number used.
    pub(crate) last_seq: u64,
    pub(crate) acknowledged: u64,
    /// The highest sequence number that can no longer be replayed because it was evicted.
    pub(crate) forgotten: u64,
    buffer: VecDeque<(u64, Utf8Bytes)>,
}

/// What a new session starts with.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) id: String,
    pub(crate) app_id: String,
    pub(crate) shard: [u32; 2],
    pub(crate) intents: u64,
    pub(crate) client: String,
}

impl Session {
    pub(crate) fn new(identity: Identity, connection: u64, now: Millis) -> Self {
        Self {
            id: identity.id,
            app_id: identity.app_id,
            shard: identity.shard,
            intents: identity.intents,
            client: identity.client,
            since: now,
            resumes: 0,
            connection: Some(connection),
            disconnected_at: now,
            last_seq: 0,
            acknowledged: 0,
            forgotten: 0,
            buffer: VecDeque::new(),
        }
    }

    /// Uses up a sequence number.
    pub(crate) fn next_seq(&mut self) -> u64 {
        self.last_seq += 1;
        self.last_seq
    }

    /// Keeps a frame to be sent, and sent again on RESUME.
    pub(crate) fn keep(&mut self, seq: u64, frame: Utf8Bytes, capacity: usize) {
        self.buffer.push_back((seq, frame));
        while self.buffer.len() > capacity.max(1) {
            if let Some((seq, _)) = self.buffer.pop_front() {
                self.forgotten = seq;
            }
        }
    }

    /// The kept frames with a sequence number above `seq`, oldest first.
    pub(crate) fn frames_after(&self, seq: u64) -> impl Iterator<Item = (u64, Utf8Bytes)> {
        let start = self.buffer.partition_point(|(kept, _)| *kept <= seq);
        self.buffer
            .range(start..)
            .map(|(s, frame)| (*s, frame.clone()))
    }

    /// Whether events of this guild belong to the session's shard; events without a guild belong
    /// to shard 0.
    pub(crate) fn serves(&self, guild_id: Option<u64>) -> bool {
        let [index, count] = self.shard;
        match guild_id {
            Some(id) => (id >> 22) % u64::from(count.max(1)) == u64::from(index),
            None => index == 0,
        }
    }

    pub(crate) fn view(&self) -> SessionView {
        SessionView {
            id: self.id.clone(),
            app_id: self.app_id.clone(),
            shard: self.shard,
            intents: self.intents,
            last_seq: self.last_seq,
            acknowledged: self.acknowledged,
            connected: self.connection.is_some(),
            since: rfc3339_millis(self.since),
            resumes: self.resumes,
            client: self.client.clone(),
        }
    }
}
