//! Messages and events that can still be answered.

use std::collections::{HashMap, HashSet, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Millis;

/// Where a conversation takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Answerable {
    pub(crate) scene: Option<Scene>,
    pub(crate) conversation: Option<String>,
    pub(crate) at: Millis,
    pub(crate) by_bot: bool,
    /// Who wrote it: an openid in groups and C2C, else a user id.
    pub(crate) author: String,
    /// It was taken back.
    pub(crate) recalled: bool,
    /// It has buttons, and can be edited.
    pub(crate) has_keyboard: bool,
    /// The event's type; for a message, the type of the event that carried it.
    pub(crate) event: String,
    /// The message as the guild-side routes show it.
    pub(crate) body: Option<Value>,
}

/// Answerables by id, the newest only.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Memory {
    by_id: HashMap<String, Answerable>,
    order: VecDeque<String>,
    answered: HashMap<String, Answers>,
}

/// The answers that one message or event got.
#[derive(Debug, Default, Serialize, Deserialize)]
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

    /// How many are remembered.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        assert_eq!(self.by_id.len(), self.order.len());
        assert!(self.answered.len() <= self.order.len());
        self.order.len()
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Answerable> {
        self.by_id.get(id)
    }

    /// Takes back what a user wrote in these conversations since then.
    pub(crate) fn recall_all(&mut self, author: &str, conversations: &[String], since: Millis) {
        for message in self.by_id.values_mut() {
            let here = message
                .conversation
                .as_ref()
                .is_some_and(|known| conversations.contains(known));
            if here && message.author == author && message.at >= since && message.body.is_some() {
                message.recalled = true;
            }
        }
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Answerable> {
        self.by_id.get_mut(id)
    }

    /// The messages of a conversation that the guild-side routes can show, newest first.
    pub(crate) fn shown<'a>(
        &'a self,
        conversation: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.order.iter().rev().filter_map(move |id| {
            let message = self.by_id.get(id)?;
            let here = message.conversation.as_deref() == Some(conversation);
            let body = message
                .body
                .as_ref()
                .filter(|_| here && !message.recalled)?;
            Some((id.as_str(), body))
        })
    }

    pub(crate) fn answers(&mut self, id: &str) -> &mut Answers {
        self.answered.entry(id.to_owned()).or_default()
    }
}

/// Conversations that exist only because an event from one was pushed.
#[derive(Debug, Default, Serialize, Deserialize)]
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

    /// The conversation has ended.
    pub(crate) fn remove(&mut self, scene: Scene, conversation: &str) {
        let key = (scene, conversation.to_owned());
        if self.known.remove(&key) {
            self.order.retain(|known| *known != key);
        }
    }

    /// How many there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    pub(crate) fn contains(&self, scene: Scene, conversation: &str) -> bool {
        self.known.contains(&(scene, conversation.to_owned()))
    }
}
