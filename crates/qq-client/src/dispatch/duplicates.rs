//! Events that were seen before.
//!
//! The platform delivers at least once: after a resume, by re-sending, and as a pair of events when a mention
//! in a group or guild that the bot may read in full arrives under two names with one message id.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use qq_model::Event;
use qq_model::id::{EventId, MessageId};
use tokio::time::Instant;

use super::Delivery;

/// How long an event is remembered.
const MEMORY: Duration = Duration::from_secs(10 * 60);
/// How many events are remembered.
const CAPACITY: usize = 65_536;

/// What was seen, bounded by number and by time.
#[derive(Debug, Default)]
pub(crate) struct Duplicates {
    seen: HashSet<Key>,
    order: VecDeque<(Instant, Key)>,
}

/// Messages repeat under other event ids, so their own id decides; everything else goes by the event id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Message(MessageId),
    Event(EventId),
}

impl Duplicates {
    /// Whether this event was seen before. From now on it was.
    pub(crate) fn is_repeat(&mut self, delivery: &Delivery, now: Instant) -> bool {
        let Some(key) = Key::of(delivery) else {
            return false;
        };
        while let Some((seen_at, oldest)) = self.order.front() {
            if self.order.len() < CAPACITY && now.duration_since(*seen_at) <= MEMORY {
                break;
            }
            self.seen.remove(oldest);
            self.order.pop_front();
        }
        if !self.seen.insert(key.clone()) {
            return true;
        }
        self.order.push_back((now, key));
        false
    }
}

impl Key {
    fn of(delivery: &Delivery) -> Option<Self> {
        let message = match &*delivery.event {
            Event::AtMessageCreate(message) | Event::MessageCreate(message) => Some(&message.id),
            Event::DirectMessageCreate(message) => Some(&message.id),
            Event::GroupAtMessageCreate(message) | Event::GroupMessageCreate(message) => {
                Some(&message.id)
            }
            Event::C2CMessageCreate(message) => Some(&message.id),
            _ => None,
        };
        match message.filter(|id| !id.is_empty()) {
            Some(id) => Some(Self::Message(id.clone())),
            None => delivery.event_id.clone().map(Self::Event),
        }
    }
}

#[cfg(test)]
mod tests {
    use qq_model::Dispatch;
    use qq_model::gateway::ShardId;

    use super::*;
    use crate::status::Source;

    fn dispatch(name: &str, id: &str, message: &str) -> Delivery {
        let mut dispatch = Dispatch::new(Event::decode(
            name,
            &format!(r#"{{"id":"{message}","content":"same text"}}"#),
        ));
        dispatch.id = Some(id.into());
        delivery(dispatch)
    }

    fn delivery(dispatch: Dispatch) -> Delivery {
        Delivery::new(dispatch, Source::Shard(ShardId::ONE))
    }

    #[tokio::test(start_paused = true)]
    async fn one_message_under_two_names_is_one() {
        let mut duplicates = Duplicates::default();
        let now = Instant::now();
        assert!(!duplicates.is_repeat(&dispatch("GROUP_AT_MESSAGE_CREATE", "a", "m"), now));
        assert!(duplicates.is_repeat(&dispatch("GROUP_MESSAGE_CREATE", "b", "m"), now));
        assert!(
            !duplicates.is_repeat(&dispatch("GROUP_MESSAGE_CREATE", "c", "n"), now),
            "the same text again is no repeat"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn other_events_go_by_their_event_id() {
        let mut duplicates = Duplicates::default();
        let now = Instant::now();
        assert!(!duplicates.is_repeat(&dispatch("NEW_EVENT", "a", "m"), now));
        assert!(duplicates.is_repeat(&dispatch("NEW_EVENT", "a", "m"), now));
        let ready = delivery(Dispatch::new(Event::decode("READY", "{}")));
        assert!(
            !duplicates.is_repeat(&ready, now) && !duplicates.is_repeat(&ready, now),
            "control events have no id"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded_by_number_and_time() {
        let mut duplicates = Duplicates::default();
        let now = Instant::now();
        for n in 0..CAPACITY + 1000 {
            duplicates.is_repeat(&dispatch("C2C_MESSAGE_CREATE", "e", &n.to_string()), now);
        }
        assert!(duplicates.seen.len() <= CAPACITY);
        let later = now + MEMORY + Duration::from_secs(1);
        assert!(!duplicates.is_repeat(&dispatch("C2C_MESSAGE_CREATE", "e", "1500"), later));
        assert_eq!(duplicates.seen.len(), 1);
    }
}
