//! Interactions that can be acknowledged.

use std::collections::{HashMap, VecDeque};

use crate::clock::Millis;

/// Interactions remembered.
const MOST: usize = 10_000;

/// One of them.
#[derive(Debug)]
pub(crate) struct Interaction {
    pub(crate) kind: i64,
    pub(crate) at: Millis,
    /// The code of the acknowledgement.
    pub(crate) acknowledged: Option<i64>,
}

/// The newest, by `d.id` of their event.
#[derive(Debug, Default)]
pub(crate) struct Interactions {
    by_id: HashMap<String, Interaction>,
    order: VecDeque<String>,
}

impl Interactions {
    pub(crate) fn add(&mut self, id: String, kind: i64, at: Millis) {
        let interaction = Interaction {
            kind,
            at,
            acknowledged: None,
        };
        if self.by_id.insert(id.clone(), interaction).is_none() {
            self.order.push_back(id);
        }
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_id.remove(&oldest);
        }
    }

    /// The code it was acknowledged with.
    pub(crate) fn acknowledged(&self, id: &str) -> Option<i64> {
        self.by_id.get(id)?.acknowledged
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Interaction> {
        self.by_id.get_mut(id)
    }
}
