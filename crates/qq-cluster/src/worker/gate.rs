//! Letting one event of a conversation through at a time.

use std::collections::{HashMap, VecDeque};

/// Events by conversation: while one is being handled, those after it wait.
#[derive(Debug)]
pub(crate) struct Gate<T> {
    busy: HashMap<u64, VecDeque<T>>,
}

impl<T> Gate<T> {
    pub(crate) fn new() -> Self {
        Self {
            busy: HashMap::new(),
        }
    }

    /// The event, when nothing of its conversation is being handled; otherwise it waits.
    pub(crate) fn enter(&mut self, conversation: u64, event: T) -> Option<T> {
        match self.busy.get_mut(&conversation) {
            Some(queue) => {
                queue.push_back(event);
                None
            }
            None => {
                self.busy.insert(conversation, VecDeque::new());
                Some(event)
            }
        }
    }

    /// The next event of a conversation, when the one before was handled.
    pub(crate) fn leave(&mut self, conversation: u64) -> Option<T> {
        let next = self
            .busy
            .get_mut(&conversation)
            .and_then(VecDeque::pop_front);
        if next.is_none() {
            self.busy.remove(&conversation);
        }
        next
    }

    /// What waits.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.busy.values().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_a_conversation_at_a_time_in_order() {
        let mut gate = Gate::new();
        assert_eq!(gate.enter(1, "a"), Some("a"));
        assert_eq!(gate.enter(1, "b"), None);
        assert_eq!(gate.enter(2, "c"), Some("c"));
        assert_eq!(gate.enter(1, "d"), None);
        assert_eq!(gate.iter().count(), 2);
        assert_eq!(gate.leave(1), Some("b"));
        assert_eq!(gate.leave(1), Some("d"));
        assert_eq!(gate.leave(1), None);
        assert_eq!(gate.leave(2), None);
        assert!(gate.busy.is_empty());
    }
}
