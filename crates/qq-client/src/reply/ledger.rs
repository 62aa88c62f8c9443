//! Which answer numbers were given out.
//!
//! The platform refuses a `(msg_id, msg_seq)` that it has seen (40054005). So there is one counter per
//! answered message, shared by every clone of the context and by every redelivery of the message.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use qq_model::outgoing::ReplyTo;
use tokio::time::Instant;

/// The longest window in which the platform takes answers: 60 minutes, in one-to-one chats.
const LONGEST_WINDOW: Duration = Duration::from_secs(60 * 60);

/// Counters by answered message. Bounded: those whose window is over are forgotten, then the oldest.
#[derive(Debug)]
pub(crate) struct ReplyLedger {
    counters: HashMap<ReplyTo, u32>,
    /// In the order of the first answer.
    started: VecDeque<(Instant, ReplyTo)>,
    capacity: usize,
}

impl ReplyLedger {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            counters: HashMap::new(),
            started: VecDeque::new(),
            capacity: capacity.max(1),
        }
    }

    /// A number that no other answer to this target has, from 1.
    pub(crate) fn next_number(&mut self, target: &ReplyTo, now: Instant) -> u32 {
        if let Some(counter) = self.counters.get_mut(target) {
            *counter = counter.saturating_add(1);
            return *counter;
        }
        self.make_room(now);
        self.counters.insert(target.clone(), 1);
        self.started.push_back((now, target.clone()));
        1
    }

    fn make_room(&mut self, now: Instant) {
        while let Some((started, target)) = self.started.front() {
            if self.started.len() < self.capacity && now.duration_since(*started) <= LONGEST_WINDOW
            {
                return;
            }
            self.counters.remove(target);
            self.started.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str) -> ReplyTo {
        ReplyTo::Message(id.into())
    }

    #[tokio::test(start_paused = true)]
    async fn numbers_are_distinct_for_each_target() {
        let mut ledger = ReplyLedger::new(10);
        let now = Instant::now();
        assert_eq!(
            [1, 2, 3],
            [(); 3].map(|()| ledger.next_number(&message("a"), now))
        );
        assert_eq!(ledger.next_number(&message("b"), now), 1);
        assert_eq!(ledger.next_number(&ReplyTo::Event("a".into()), now), 1);
        assert_eq!(ledger.next_number(&message("a"), now), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded_by_number_and_time() {
        let mut ledger = ReplyLedger::new(100);
        let now = Instant::now();
        for id in 0..10_000 {
            ledger.next_number(&message(&id.to_string()), now);
            assert!(ledger.counters.len() <= 100 && ledger.started.len() <= 100);
        }
        ledger.next_number(
            &message("late"),
            now + LONGEST_WINDOW + Duration::from_secs(1),
        );
        assert_eq!(ledger.counters.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_counter_lives_as_long_as_its_window() {
        let mut ledger = ReplyLedger::new(100);
        let start = Instant::now();
        ledger.next_number(&message("a"), start);
        ledger.next_number(&message("b"), start + LONGEST_WINDOW);
        assert_eq!(ledger.next_number(&message("a"), start + LONGEST_WINDOW), 2);
    }
}
