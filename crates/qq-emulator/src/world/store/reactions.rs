//! Who reacted to which message, and with what.

use serde::{Deserialize, Serialize};
use std::collections::{HashMap, VecDeque};

/// Messages with reactions that are remembered.
const MOST_MESSAGES: usize = 10_000;
/// Users remembered of one reaction.
const MOST_USERS: usize = 10_000;

/// The users of one reaction, in order.
#[derive(Debug, Serialize, Deserialize)]
struct Reaction {
    kind: i64,
    id: String,
    users: Vec<String>,
}

/// Reactions by message id.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Reactions {
    of: HashMap<String, Vec<Reaction>>,
    order: VecDeque<String>,
}

impl Reactions {
    /// Kinds of reactions that one message takes.
    pub(crate) const MOST_KINDS: usize = 20;

    /// `false` if the user has reacted so before.
    pub(crate) fn add(&mut self, message: &str, kind: i64, id: &str, user: &str) -> bool {
        if !self.of.contains_key(message) {
            self.order.push_back(message.to_owned());
            if self.order.len() > MOST_MESSAGES
                && let Some(oldest) = self.order.pop_front()
            {
                self.of.remove(&oldest);
            }
        }
        let reactions = self.of.entry(message.to_owned()).or_default();
        let known = reactions
            .iter_mut()
            .find(|known| known.kind == kind && known.id == id);
        match known {
            Some(known) if known.users.iter().any(|known| known == user) => false,
            Some(known) => {
                if known.users.len() < MOST_USERS {
                    known.users.push(user.to_owned());
                }
                true
            }
            None => {
                if reactions.len() < Self::MOST_KINDS {
                    reactions.push(Reaction {
                        kind,
                        id: id.to_owned(),
                        users: vec![user.to_owned()],
                    });
                }
                true
            }
        }
    }

    /// `false` if the user has not reacted so.
    pub(crate) fn remove(&mut self, message: &str, kind: i64, id: &str, user: &str) -> bool {
        let Some(reactions) = self.of.get_mut(message) else {
            return false;
        };
        let mut removed = false;
        for reaction in reactions.iter_mut() {
            if reaction.kind == kind && reaction.id == id {
                let before = reaction.users.len();
                reaction.users.retain(|known| known != user);
                removed = reaction.users.len() < before;
            }
        }
        reactions.retain(|reaction| !reaction.users.is_empty());
        removed
    }

    /// Who reacted so.
    pub(crate) fn users(&self, message: &str, kind: i64, id: &str) -> &[String] {
        self.of
            .get(message)
            .and_then(|all| all.iter().find(|one| one.kind == kind && one.id == id))
            .map_or(&[], |reaction| reaction.users.as_slice())
    }

    /// All reactions of a message: kind, id and users of each.
    pub(crate) fn of(&self, message: &str) -> impl Iterator<Item = (i64, &str, &[String])> {
        let all = self.of.get(message).map_or(&[][..], Vec::as_slice);
        all.iter()
            .map(|one| (one.kind, one.id.as_str(), one.users.as_slice()))
    }

    /// Whether one kind more fits on the message.
    pub(crate) fn has_room(&self, message: &str, kind: i64, id: &str) -> bool {
        self.of.get(message).is_none_or(|all| {
            all.len() < Self::MOST_KINDS || all.iter().any(|one| one.kind == kind && one.id == id)
        })
    }
}
