//! Messages and events that can still be answered.

use std::collections::{HashMap, HashSet, VecDeque};

use serde::Serialize;
use serde_json::Value;

use crate::clock::Millis;

/// Where a conversation takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Scene {
    /// A QQ group.
    Group,
    /// A one-to-one QQ conversation.
    C2c,
    /// A text channel of a guild.
    Channel,
    /// A direct conversation of the guild side.
    Direct,
}

impl Scene {
    pub(crate) const ALL: [Self; 4] = [Self::Group, Self::C2c, Self::Channel, Self::Direct];

    /// The name used in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::C2c => "c2c",
            Self::Channel => "channel",
            Self::Direct => "direct",
        }
    }

    /// Whether the conversation is on the guild side (a `Message` answers a send).
    pub(crate) fn is_guild_side(self) -> bool {
        matches!(self, Self::Channel | Self::Direct)
    }
}

/// A message or event that a bot may answer.
#[derive(Debug, Clone)]
pub(crate) struct Answerable {
    pub(crate) scene: Option<Scene>,
    pub(crate) conversation: Option<String>,
    pub(crate) at: Millis,
    pub(crate) by_bot: bool,
    /// The event's type; for a message, the type of the event that carried it.
    pub(crate) event: String,
    /// The message as the guild-side routes show it.
    pub(crate) body: Option<Value>,
}

/// Answerables by id, the newest only.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    by_id: HashMap<String, Answerable>,
    order: VecDeque<String>,
    answered: HashMap<String, Answers>,
}

/// The answers that one message or event got.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    pub(crate) count: u32,
    /// Each `msg_seq` with a digest of the body it carried.
    pub(crate) seqs: HashMap<i64, u64>,
}

impl Memory {
    pub(crate) fn remember(&mut self, capacity: usize, id: String, what: Answerable) {
        if self.by_id.insert(id.clone(), what).is_none() {
            self.order.push_back(id);
        }
        while self.order.len() > capacity.max(1) {
            if let Some(oldest) = self.order.pop_front() {
                self.by_id.remove(&oldest);
                self.answered.remove(&oldest);
            }
        }
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Answerable> {
        self.by_id.get(id)
    }

    pub(crate) fn answers(&mut self, id: &str) -> &mut Answers {
        self.answered.entry(id.to_owned()).or_default()
    }
}

/// Conversations that exist only because an event from one was pushed.
#[derive(Debug, Default)]
pub(crate) struct Adopted {
    known: HashSet<(Scene, String)>,
    order: VecDeque<(Scene, String)>,
}

impl Adopted {
    const CAPACITY: usize = 4096;

    pub(crate) fn add(&mut self, scene: Scene, conversation: &str) {
        let key = (scene, conversation.to_owned());
        if self.known.insert(key.clone()) {
            self.order.push_back(key);
        }
        while self.order.len() > Self::CAPACITY {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
    }

    pub(crate) fn contains(&self, scene: Scene, conversation: &str) -> bool {
        self.known.contains(&(scene, conversation.to_owned()))
    }
}
