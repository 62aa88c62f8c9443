//! What belongs to a group beyond the world, and strategies for joining.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::clock::Millis;

/// Of one group.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct GroupNotes {
    /// Who may not come back, in order, with name and time.
    pub(crate) banned: Vec<Banned>,
    /// Members that are muted until then.
    pub(crate) muted: BTreeMap<String, Millis>,
    /// The bot may say nothing.
    #[serde(default)]
    pub(crate) bot_muted: bool,
}

/// Somebody on the blacklist.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Banned {
    pub(crate) openid: String,
    pub(crate) name: String,
    pub(crate) at: Millis,
}

impl GroupNotes {
    /// People on one blacklist.
    pub(crate) const MOST_BANNED: usize = 10_000;

    /// Puts somebody on the blacklist; `false` if it is full.
    pub(crate) fn ban(&mut self, openid: &str, name: &str, at: Millis) -> bool {
        if self.is_banned(openid) {
            return true;
        }
        if self.banned.len() >= Self::MOST_BANNED {
            return false;
        }
        self.banned.push(Banned {
            openid: openid.to_owned(),
            name: name.to_owned(),
            at,
        });
        true
    }

    pub(crate) fn is_banned(&self, openid: &str) -> bool {
        self.banned.iter().any(|banned| banned.openid == openid)
    }
}

/// A rule that lets people join.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Strategy {
    pub(crate) id: String,
    pub(crate) group_openids: Vec<String>,
    pub(crate) group_ids: Vec<Value>,
    pub(crate) enabled: bool,
    pub(crate) expire_at: String,
    pub(crate) created_at: Millis,
    pub(crate) updated_at: Millis,
    pub(crate) remark: String,
    /// Numbers of users; in the emulator a user's `id`.
    pub(crate) whitelist: BTreeSet<String>,
}

/// All rules, oldest first.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Strategies {
    pub(crate) all: Vec<Strategy>,
}

impl Strategies {
    /// Rules of one bot.
    pub(crate) const MOST: usize = 20;

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Strategy> {
        self.all.iter_mut().find(|strategy| strategy.id == id)
    }
}
