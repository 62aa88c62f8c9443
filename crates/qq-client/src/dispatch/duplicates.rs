//! Events that were seen before.
//!
//! The platform delivers at least once: after a resume, by re-sending, and as a pair of events when a mention
//! in a group or guild that the bot may read in full arrives under two names with one message id.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use qq_model::Event;
use qq_model::id::{EventId, MessageId};
use tokio::time::Instant;

use super::Delivery;
use crate::BotError;
use crate::store::{Begun, DedupeStore, Health, within};

/// How long an event is remembered unless said otherwise.
const TTL: Duration = Duration::from_secs(10 * 60);
/// How many events are remembered unless said otherwise.
const CAPACITY: usize = 65_536;

/// See `client/builder/stores.rs`.
#[derive(Clone)]
pub(crate) struct DuplicateSettings {
    pub(crate) is_on: bool,
    pub(crate) capacity: usize,
    pub(crate) ttl: Duration,
    pub(crate) store: Option<Arc<dyn DedupeStore>>,
}

impl Default for DuplicateSettings {
    fn default() -> Self {
        Self {
            is_on: true,
            capacity: CAPACITY,
            ttl: TTL,
            store: None,
        }
    }
}

/// What was seen, bounded by number and by time.
pub(crate) struct Duplicates {
    settings: DuplicateSettings,
    hasher: RandomState,
    memory: Mutex<Memory>,
    count: AtomicU64,
    health: Health,
}

/// What stands for an event here is a number: that two of the few that are remembered share one of 2^64 by chance is less
/// likely than a failure of the machine.
#[derive(Default)]
struct Memory {
    seen: HashSet<u64>,
    order: VecDeque<(Instant, u64)>,
}

/// Messages repeat under other event ids, so their own id decides; everything else goes by the event id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key<'a> {
    Message(&'a MessageId),
    Event(&'a EventId),
}

/// An event that was not seen before. Dropped without [`handled`](Self::handled) it counts as not seen.
pub(crate) struct Seen {
    duplicates: Arc<Duplicates>,
    /// `None` for an event without an id.
    key: Option<u64>,
    /// What the store calls it.
    stored: Option<Box<str>>,
}

impl Duplicates {
    pub(crate) fn new(settings: DuplicateSettings) -> Arc<Self> {
        Arc::new(Self {
            settings,
            hasher: RandomState::new(),
            memory: Mutex::default(),
            count: AtomicU64::new(0),
            health: Health::default(),
        })
    }

    /// `None` when the event was seen before. From now on it was. Notes in the delivery whether it was begun before.
    pub(crate) async fn see(
        self: &Arc<Self>,
        delivery: &mut Delivery,
        report: impl FnOnce(BotError),
    ) -> Option<Seen> {
        let mut seen = Seen {
            duplicates: Arc::clone(self),
            key: None,
            stored: None,
        };
        let Some(key) = Key::of(delivery).filter(|_| self.settings.is_on) else {
            return Some(seen);
        };
        let number = self.hasher.hash_one(key);
        let is_new = self
            .lock()
            .insert(number, delivery.received_at, &self.settings);
        // What a source delivers again was not finished, whatever became of the attempt before.
        if !is_new && !delivery.is_redelivered {
            self.count.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        seen.key = Some(number);
        let Some(store) = &self.settings.store else {
            return Some(seen);
        };
        let name = key.name();
        let begun = within(store.begin(&name, self.settings.ttl)).await;
        match self.health.check("the store of duplicates", begun) {
            Ok(Begun::New) => seen.stored = Some(name),
            Ok(Begun::Again) => {
                delivery.is_redelivered = true;
                seen.stored = Some(name);
            }
            Ok(Begun::Handled) => {
                // It stays in memory, too.
                seen.key = None;
                self.count.fetch_add(1, Ordering::Relaxed);
                return None;
            }
            Err(Some(error)) => report(error),
            Err(None) => {}
        }
        Some(seen)
    }

    /// Events that were dropped.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Calls of the store that failed.
    pub(crate) fn store_failures(&self) -> u64 {
        self.health.failures()
    }

    /// Whole after every statement, so a panic elsewhere spoils nothing.
    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn insert(&mut self, key: u64, now: Instant, settings: &DuplicateSettings) -> bool {
        while let Some((seen_at, oldest)) = self.order.front()
            && (self.order.len() >= settings.capacity
                || now.saturating_duration_since(*seen_at) > settings.ttl)
        {
            self.seen.remove(oldest);
            self.order.pop_front();
        }
        if !self.seen.insert(key) {
            return false;
        }
        self.order.push_back((now, key));
        true
    }
}

impl Seen {
    /// It needs handling no more.
    pub(crate) async fn handled(mut self, report: impl FnOnce(BotError)) {
        self.key = None;
        let settings = &self.duplicates.settings;
        if let (Some(name), Some(store)) = (&self.stored, &settings.store) {
            let handled = within(store.handled(name, settings.ttl)).await;
            let checked = self
                .duplicates
                .health
                .check("the store of duplicates", handled);
            if let Err(Some(error)) = checked {
                report(error);
            }
        }
    }

    /// It will not be handled, and that is settled.
    pub(crate) fn given_up(mut self) {
        self.key = None;
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.duplicates.lock().seen.remove(&key);
        }
    }
}

impl<'a> Key<'a> {
    fn of(delivery: &'a Delivery) -> Option<Self> {
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
            Some(id) => Some(Self::Message(id)),
            None => delivery.event_id.as_ref().map(Self::Event),
        }
    }

    fn name(self) -> Box<str> {
        match self {
            Self::Message(id) => format!("message/{id}"),
            Self::Event(id) => format!("event/{id}"),
        }
        .into()
    }
}

#[cfg(test)]
mod tests {
    use qq_model::Dispatch;
    use qq_model::gateway::ShardId;

    use super::*;
    use crate::status::Source;
    use crate::store::InMemoryDedupeStore;

    fn delivery(name: &str, id: &str, message: &str) -> Delivery {
        let mut dispatch = Dispatch::new(Event::decode(
            name,
            &format!(r#"{{"id":"{message}","content":"same text"}}"#),
        ));
        dispatch.id = Some(id.into()).filter(|id: &EventId| !id.is_empty());
        Delivery::new(dispatch, Source::Shard(ShardId::ONE))
    }

    async fn is_new(duplicates: &Arc<Duplicates>, mut delivery: Delivery) -> bool {
        match duplicates.see(&mut delivery, |_| ()).await {
            Some(seen) => {
                seen.handled(|_| ()).await;
                true
            }
            None => false,
        }
    }

    fn of(settings: DuplicateSettings) -> Arc<Duplicates> {
        Duplicates::new(settings)
    }

    #[tokio::test(start_paused = true)]
    async fn one_message_under_two_names_is_one() {
        let duplicates = of(DuplicateSettings::default());
        assert!(is_new(&duplicates, delivery("GROUP_AT_MESSAGE_CREATE", "a", "m")).await);
        assert!(!is_new(&duplicates, delivery("GROUP_MESSAGE_CREATE", "b", "m")).await);
        assert!(
            is_new(&duplicates, delivery("GROUP_MESSAGE_CREATE", "c", "n")).await,
            "the same text again is no repeat"
        );
        assert_eq!(duplicates.count(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn other_events_go_by_their_event_id() {
        let duplicates = of(DuplicateSettings::default());
        assert!(is_new(&duplicates, delivery("NEW_EVENT", "a", "m")).await);
        assert!(!is_new(&duplicates, delivery("NEW_EVENT", "a", "m")).await);
        assert!(is_new(&duplicates, delivery("READY", "", "m")).await);
        assert!(
            is_new(&duplicates, delivery("READY", "", "m")).await,
            "control events have no id"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_handled_is_new_again() {
        let duplicates = of(DuplicateSettings::default());
        let seen = duplicates
            .see(&mut delivery("C2C_MESSAGE_CREATE", "a", "m"), |_| ())
            .await;
        assert!(!is_new(&duplicates, delivery("C2C_MESSAGE_CREATE", "a", "m")).await);
        drop(seen);
        assert!(is_new(&duplicates, delivery("C2C_MESSAGE_CREATE", "a", "m")).await);
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded_by_number_and_time_and_can_be_switched_off() {
        let settings = DuplicateSettings {
            capacity: 100,
            ..DuplicateSettings::default()
        };
        let duplicates = of(settings.clone());
        for n in 0..1000 {
            is_new(
                &duplicates,
                delivery("C2C_MESSAGE_CREATE", "e", &n.to_string()),
            )
            .await;
        }
        assert!(duplicates.lock().seen.len() <= 100);
        tokio::time::advance(TTL + Duration::from_secs(1)).await;
        assert!(is_new(&duplicates, delivery("C2C_MESSAGE_CREATE", "e", "999")).await);
        assert_eq!(duplicates.lock().seen.len(), 1);
        let off = of(DuplicateSettings {
            is_on: false,
            ..settings
        });
        for _ in 0..2 {
            assert!(is_new(&off, delivery("C2C_MESSAGE_CREATE", "e", "m")).await);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_tells_what_an_earlier_process_did() {
        let settings = DuplicateSettings {
            store: Some(Arc::new(InMemoryDedupeStore::default())),
            ..DuplicateSettings::default()
        };
        let earlier = of(settings.clone());
        assert!(is_new(&earlier, delivery("C2C_MESSAGE_CREATE", "", "done")).await);
        let begun = earlier
            .see(&mut delivery("C2C_MESSAGE_CREATE", "", "begun"), |_| ())
            .await;
        assert!(begun.is_some());
        let later = of(settings);
        assert!(!is_new(&later, delivery("C2C_MESSAGE_CREATE", "", "done")).await);
        let mut again = delivery("C2C_MESSAGE_CREATE", "", "begun");
        assert!(later.see(&mut again, |_| ()).await.is_some());
        assert!(again.is_redelivered);
        let mut new = delivery("C2C_MESSAGE_CREATE", "", "new");
        assert!(later.see(&mut new, |_| ()).await.is_some());
        assert!(!new.is_redelivered);
    }
}
