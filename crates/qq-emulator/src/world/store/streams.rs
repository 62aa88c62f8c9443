//! Streamed messages that are not finished.

use std::collections::{HashMap, VecDeque};

use serde_json::{Map, Value};

use crate::clock::Millis;

/// Streams open at once; the most silent one goes first.
const MOST: usize = 1_000;

/// Streams whose last frame is remembered.
const MOST_FINISHED: usize = 256;

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
    /// The newest last.
    finished: VecDeque<Finished>,
}

/// What is left of a stream that was finished.
#[derive(Debug)]
pub(crate) struct Finished {
    id: String,
    /// The body of the last frame.
    frame: Value,
    pub(crate) ref_idx: String,
    /// Characters.
    pub(crate) length: usize,
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

    /// Ends a stream whose last frame came.
    pub(crate) fn close(&mut self, id: &str) -> Option<Stream> {
        let stream = self.open.remove(id)?;
        if self.finished.len() >= MOST_FINISHED {
            self.finished.pop_front();
        }
        self.finished.push_back(Finished {
            id: id.to_owned(),
            frame: stream.frame.clone(),
            ref_idx: stream.ref_idx.clone(),
            length: stream.text.chars().count(),
        });
        Some(stream)
    }

    /// Whether a stream ended with this text.
    pub(crate) fn ended_with(&self, id: &str, text: &str) -> bool {
        self.finished.iter().any(|finished| {
            finished.id == id
                && finished.frame.get("content_raw").and_then(Value::as_str) == Some(text)
        })
    }

    /// The stream that ended with this very frame.
    pub(crate) fn finished_with(&self, id: &str, frame: &Map<String, Value>) -> Option<&Finished> {
        self.finished
            .iter()
            .find(|finished| finished.id == id && finished.frame.as_object() == Some(frame))
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
