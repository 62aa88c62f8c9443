//! Events that were seen before.
//!
//! The platform delivers at least once: after a resume, by re-sending, and as a pair of events when a mention
//! in a group or guild that the bot may read in full arrives under two names with one message id.

mod memory;

use std::hash::{BuildHasher, Hash};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use self::memory::Memory;
use super::Delivery;
use crate::BotError;
use crate::shared::Shared;
use crate::store::{Begun, DedupeStore, Health, within};
use foldhash::quality::RandomState;
use qq_model::Event;
use qq_model::id::{EventId, MessageId};

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
    /// What stands for an event is a number: that two of the few that are remembered share one of 2^64 by chance is
    /// less likely than a failure of the machine.
    memory: Mutex<Memory>,
    /// What stands for the event that was looked ahead to last.
    ahead: AtomicU64,
    count: AtomicU64,
    health: Health,
}

/// Messages repeat under other event ids, so their own id decides; everything else goes by the event id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key<'a> {
    Message(&'a MessageId),
    Event(&'a EventId),
}

/// An event that was not seen before. Dropped without [`handled`](Self::handled) it counts as not seen.
pub(crate) struct Seen {
    shared: Arc<Shared>,
    /// `None` for an event without an id.
    key: Option<u64>,
    /// What the store calls it.
    stored: Option<Box<str>>,
}

impl Duplicates {
    pub(crate) fn new(settings: DuplicateSettings) -> Self {
        Self {
            memory: Mutex::new(Memory::new(settings.capacity, settings.ttl)),
            settings,
            hasher: RandomState::default(),
            ahead: AtomicU64::new(0),
            count: AtomicU64::new(0),
            health: Health::default(),
        }
    }

    /// `None` when the event was seen before, as far as this process knows. From now on it was.
    fn look(&self, delivery: &Delivery) -> Option<Option<u64>> {
        if !self.settings.is_on {
            return Some(None);
        }
        let Some(number) = delivery.number.or_else(|| self.number(delivery)) else {
            return Some(None);
        };
        let is_new = {
            let mut memory = self.lock();
            // Whoever looks ahead does so before this event: its turn comes while this one is handled.
            memory.prefetch(self.ahead.load(Ordering::Relaxed));
            memory.insert(number, delivery.received_at)
        };
        // What a source delivers again was not finished, whatever became of the attempt before.
        if is_new || delivery.is_redelivered {
            return Some(Some(number));
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        None
    }

    /// Takes note of an event that is to come, so that the memory for it is asked for when the one before it is looked at;
    /// what stands for it.
    pub(crate) fn look_ahead(&self, delivery: &Delivery) -> Option<u64> {
        if !self.settings.is_on {
            return None;
        }
        let number = self.number(delivery)?;
        self.ahead.store(number, Ordering::Relaxed);
        Some(number)
    }

    fn number(&self, delivery: &Delivery) -> Option<u64> {
        Some(self.hasher.hash_one(Key::of(delivery)?))
    }

    /// Whether a store has to be asked, too.
    pub(crate) const fn has_store(&self) -> bool {
        self.settings.store.is_some()
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

impl Seen {
    /// `None` when the event was seen before, as far as this process knows. From now on it was.
    pub(crate) fn look(shared: &Arc<Shared>, delivery: &Delivery) -> Option<Self> {
        let key = shared.duplicates.look(delivery)?;
        Some(Self {
            shared: Arc::clone(shared),
            key,
            stored: None,
        })
    }

    /// Asks the store, if there is one: `None` when the event was handled by an earlier process. Notes in the delivery
    /// whether it was begun before.
    pub(crate) async fn ask_store(
        mut self,
        delivery: &mut Delivery,
        report: impl FnOnce(BotError),
    ) -> Option<Self> {
        let shared = Arc::clone(&self.shared);
        let duplicates = &shared.duplicates;
        let (Some(store), Some(key)) = (
            &duplicates.settings.store,
            Key::of(delivery).filter(|_| self.key.is_some()),
        ) else {
            return Some(self);
        };
        let name = key.name();
        let begun = within(store.begin(&name, duplicates.settings.ttl)).await;
        match duplicates.health.check("the store of duplicates", begun) {
            Ok(Begun::New) => self.stored = Some(name),
            Ok(Begun::Again) => {
                delivery.is_redelivered = true;
                self.stored = Some(name);
            }
            Ok(Begun::Handled) => {
                // It stays in memory, too.
                self.key = None;
                duplicates.count.fetch_add(1, Ordering::Relaxed);
                return None;
            }
            Err(Some(error)) => report(error),
            Err(None) => {}
        }
        Some(self)
    }

    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// It needs handling no more.
    pub(crate) async fn handled(mut self, report: impl FnOnce(BotError)) {
        self.key = None;
        let duplicates = &self.shared.duplicates;
        if let (Some(name), Some(store)) = (&self.stored, &duplicates.settings.store) {
            let handled = within(store.handled(name, duplicates.settings.ttl)).await;
            let checked = duplicates.health.check("the store of duplicates", handled);
            if let Err(Some(error)) = checked {
                report(error);
            }
        }
    }

    /// [`handled`](Self::handled), where failures go to the handler.
    pub(crate) async fn finish(mut self) {
        if self.stored.is_none() {
            self.key = None;
            return;
        }
        let shared = Arc::clone(&self.shared);
        self.handled(|error| shared.tell(error)).await;
    }

    /// It will not be handled, and that is settled.
    pub(crate) fn given_up(mut self) {
        self.key = None;
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.shared.duplicates.lock().remove(key);
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
    use qq_model::{Dispatch, Intents, Token};
    use tokio::time::Instant;

    use super::*;
    use crate::store::InMemoryDedupeStore;
    use crate::{Client, ClientBuilder};

    fn delivery(name: &str, id: &str, message: &str) -> Delivery {
        let mut dispatch = Dispatch::new(Event::decode(
            name,
            &format!(r#"{{"id":"{message}","content":"same text"}}"#),
        ));
        dispatch.id = Some(id.into()).filter(|id: &EventId| !id.is_empty());
        Delivery::new(dispatch, Instant::now())
    }

    async fn see(shared: &Arc<Shared>, delivery: &mut Delivery) -> Option<Seen> {
        let seen = Seen::look(shared, delivery)?;
        seen.ask_store(delivery, |_| ()).await
    }

    async fn is_new(shared: &Arc<Shared>, mut delivery: Delivery) -> bool {
        match see(shared, &mut delivery).await {
            Some(seen) => {
                seen.finish().await;
                true
            }
            None => false,
        }
    }

    fn of(change: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Arc<Shared> {
        let token = Token::new("102000000", "secret");
        let builder = Client::builder(token, Intents::default());
        let client = change(builder).build().unwrap();
        Arc::clone(client.handle().shared())
    }

    #[tokio::test(start_paused = true)]
    async fn one_message_under_two_names_is_one() {
        let duplicates = of(|builder| builder);
        assert!(is_new(&duplicates, delivery("GROUP_AT_MESSAGE_CREATE", "a", "m")).await);
        assert!(!is_new(&duplicates, delivery("GROUP_MESSAGE_CREATE", "b", "m")).await);
        assert!(
            is_new(&duplicates, delivery("GROUP_MESSAGE_CREATE", "c", "n")).await,
            "the same text again is no repeat"
        );
        assert_eq!(duplicates.duplicates.count(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn other_events_go_by_their_event_id() {
        let duplicates = of(|builder| builder);
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
        let duplicates = of(|builder| builder);
        let seen = see(&duplicates, &mut delivery("C2C_MESSAGE_CREATE", "a", "m")).await;
        assert!(!is_new(&duplicates, delivery("C2C_MESSAGE_CREATE", "a", "m")).await);
        drop(seen);
        assert!(is_new(&duplicates, delivery("C2C_MESSAGE_CREATE", "a", "m")).await);
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded_by_number_and_time_and_can_be_switched_off() {
        let duplicates = of(|builder| builder.dedupe_capacity(100));
        for n in 0..1000 {
            is_new(
                &duplicates,
                delivery("C2C_MESSAGE_CREATE", "e", &n.to_string()),
            )
            .await;
        }
        assert!(!is_new(&duplicates, delivery("C2C_MESSAGE_CREATE", "e", "900")).await);
        assert!(is_new(&duplicates, delivery("C2C_MESSAGE_CREATE", "e", "899")).await);
        tokio::time::advance(TTL + Duration::from_secs(1)).await;
        assert!(is_new(&duplicates, delivery("C2C_MESSAGE_CREATE", "e", "999")).await);
        let off = of(|builder| builder.dedupe(false));
        for _ in 0..2 {
            assert!(is_new(&off, delivery("C2C_MESSAGE_CREATE", "e", "m")).await);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_tells_what_an_earlier_process_did() {
        let store = Arc::new(InMemoryDedupeStore::default());
        let earlier = of(|builder| builder.dedupe_store(Arc::clone(&store)));
        assert!(is_new(&earlier, delivery("C2C_MESSAGE_CREATE", "", "done")).await);
        let begun = see(&earlier, &mut delivery("C2C_MESSAGE_CREATE", "", "begun")).await;
        assert!(begun.is_some());
        let later = of(|builder| builder.dedupe_store(store));
        assert!(!is_new(&later, delivery("C2C_MESSAGE_CREATE", "", "done")).await);
        let mut again = delivery("C2C_MESSAGE_CREATE", "", "begun");
        assert!(see(&later, &mut again).await.is_some());
        assert!(again.is_redelivered);
        let mut new = delivery("C2C_MESSAGE_CREATE", "", "new");
        assert!(see(&later, &mut new).await.is_some());
        assert!(!new.is_redelivered);
    }
}
