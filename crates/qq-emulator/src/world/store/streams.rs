//! Streamed messages that are not finished.

use std::collections::{HashMap, VecDeque};

use serde_json::Value;

use crate::clock::Millis;

/// Streams open at once; the most silent one goes first.
const MOST: usize = 1_000;

/// A message that grows.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) app_id: String,
    pub(crate) user: String,
    /// What has been delivered.
    pub(crate) text: String,
    pub(crate) markdown: bool,
    /// The index of the newest frame, and that frame's body.
    pub(crate) index: i64,
    pub(crate) frame: Value,
    pub(crate) msg_seq: Option<i64>,
    pub(crate) reply_to: Option<String>,
    pub(crate) ref_idx: String,
    /// When the frames of the last second came.
    pub(crate) frames: VecDeque<Millis>,
    pub(crate) last: Millis,
    pub(crate) begun: Millis,
}

/// The open streams by id.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    open: HashMap<String, Stream>,
}

impl Streams {
    pub(crate) fn open(&mut self, id: String, stream: Stream) {
        if self.open.len() >= MOST {
            let oldest = self.open.iter().min_by_key(|(_, stream)| stream.last);
            if let Some(oldest) = oldest.map(|(id, _)| id.clone()) {
                self.open.remove(&oldest);
            }
        }
        self.open.insert(id, stream);
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Stream> {
        self.open.get_mut(id)
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Stream> {
        self.open.get(id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Stream> {
        self.open.values()
    }

    pub(crate) fn close(&mut self, id: &str) -> Option<Stream> {
        self.open.remove(id)
    }

    /// Rolls back what has been silent for `life`; gives the ids.
    pub(crate) fn expire(&mut self, now: Millis, life: Millis) -> Vec<String> {
        let stale: Vec<String> = self
            .open
            .iter()
            .filter(|(_, stream)| now.saturating_sub(stream.last) >= life)
            .map(|(id, _)| id.clone())
            .collect();
        for id in &stale {
            self.open.remove(id);
        }
        stale
    }
}
