//! What belongs to a guild or a channel beyond the world.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use crate::clock::Millis;

/// Listeners of one voice channel.
const MOST_LISTENERS: usize = 1_000;

/// Of one guild.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct GuildNotes {
    /// Everybody is muted until then.
    pub(crate) muted_until: Option<Millis>,
    /// Members that are muted until then.
    pub(crate) muted: HashMap<String, Millis>,
    /// Users that may not come back.
    pub(crate) banned: BTreeSet<String>,
    pub(crate) announce: Option<Value>,
}

/// Of one channel.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct ChannelNotes {
    /// Permissions that differ from the usual, by `user/<id>` or `role/<id>`.
    pub(crate) permissions: HashMap<String, u64>,
    /// Pinned messages, newest first.
    pub(crate) pins: Vec<String>,
    pub(crate) announce: Option<String>,
    pub(crate) schedules: BTreeMap<u64, Value>,
    /// Threads of a forum, oldest first.
    pub(crate) threads: Vec<Value>,
    /// Users in a voice channel.
    pub(crate) listeners: Vec<String>,
    /// What is played: the body of the last start.
    pub(crate) playing: Option<Value>,
}

impl ChannelNotes {
    /// A user enters or leaves the voice channel.
    pub(crate) fn listen(&mut self, user: &str, enters: bool) {
        self.listeners.retain(|known| known != user);
        if enters && self.listeners.len() < MOST_LISTENERS {
            self.listeners.push(user.to_owned());
        }
    }
}
