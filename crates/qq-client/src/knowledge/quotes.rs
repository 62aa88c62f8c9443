//! The messages that may be quoted, on their way to the store and back.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use qq_model::Event;
use qq_model::message::Conversation;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::store::{Health, within};
use crate::{BotError, QuoteStore};

/// How many messages may wait for the store.
const QUEUE: usize = 1024;
/// How long a message is usually kept.
const LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const STORE: &str = "the quote store";

/// See `client/builder/stores.rs`.
#[derive(Clone)]
pub(crate) struct QuoteSettings {
    pub(crate) store: Option<Arc<dyn QuoteStore>>,
    pub(crate) life: Duration,
}

/// What a client keeps to find quotes by.
pub(crate) struct Quotes {
    settings: QuoteSettings,
    health: Health,
    /// Messages that the store does not have yet. The first stays until it has it.
    queue: Mutex<VecDeque<(Box<str>, Arc<Event>)>>,
    /// Told when a message has come, and when the last has gone.
    news: Notify,
    /// Messages that found no room in the queue.
    dropped: AtomicU64,
}

impl Quotes {
    pub(crate) fn new(settings: QuoteSettings) -> Self {
        Self {
            settings,
            health: Health::default(),
            queue: Mutex::default(),
            news: Notify::new(),
            dropped: AtomicU64::new(0),
        }
    }

    /// Whether messages are noted at all.
    pub(crate) const fn has_store(&self) -> bool {
        self.settings.store.is_some()
    }

    /// Takes note of a message.
    pub(crate) fn note(&self, event: &Arc<Event>) {
        if self.settings.store.is_none() {
            return;
        }
        let Some(key) = key_of(event) else {
            return;
        };
        let mut queue = self.lock();
        if queue.len() < QUEUE {
            queue.push_back((key, Arc::clone(event)));
            drop(queue);
            self.news.notify_waiters();
        } else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The message of a chat that others quote by this index.
    pub(crate) async fn find(
        &self,
        conversation: &Conversation,
        index: &str,
        report: impl Fn(BotError),
    ) -> Option<Arc<Event>> {
        let store = self.settings.store.as_ref()?;
        let key = key(conversation, index)?;
        let waits = |queue: &VecDeque<(Box<str>, Arc<Event>)>| {
            let mut newest_first = queue.iter().rev();
            let found = newest_first.find(|(waiting, _)| *waiting == key);
            found.map(|(_, event)| Arc::clone(event))
        };
        if let Some(event) = waits(&self.lock()) {
            return Some(event);
        }
        match self.health.check(STORE, within(store.load(&key)).await) {
            Ok(found) => decode(&found?),
            Err(news) => {
                news.into_iter().for_each(report);
                None
            }
        }
    }

    /// Gives messages to the store, as long as this is polled.
    pub(crate) async fn run(&self, report: impl Fn(BotError)) {
        let Some(store) = &self.settings.store else {
            return std::future::pending().await;
        };
        loop {
            let mut news = std::pin::pin!(self.news.notified());
            news.as_mut().enable();
            let first = self.lock().front().cloned();
            let Some((key, event)) = first else {
                news.await;
                continue;
            };
            let text = encode(&event);
            let saved = within(store.save(&key, &text, self.settings.life)).await;
            if let Err(Some(error)) = self.health.check(STORE, saved) {
                report(error);
            }
            let mut queue = self.lock();
            queue.pop_front();
            let is_last = queue.is_empty();
            drop(queue);
            if is_last {
                self.news.notify_waiters();
            }
        }
    }

    /// Waits until the store has every message; how many it has not at the deadline.
    pub(crate) async fn flush(&self, deadline: Instant) -> usize {
        let all = async {
            loop {
                let mut news = std::pin::pin!(self.news.notified());
                news.as_mut().enable();
                if self.lock().is_empty() {
                    break;
                }
                news.await;
            }
        };
        let _ = timeout_at(deadline, all).await;
        self.lock().len()
    }

    /// Messages that the store did not take, and calls of it that failed otherwise.
    pub(crate) fn failures(&self) -> u64 {
        self.health.failures() + self.dropped.load(Ordering::Relaxed)
    }

    /// Whole after every statement.
    fn lock(&self) -> MutexGuard<'_, VecDeque<(Box<str>, Arc<Event>)>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a message is kept by; `None` for what nobody can quote by an index.
fn key_of(event: &Event) -> Option<Box<str>> {
    let message = event.as_message()?;
    let index = message.scene()?.msg_idx()?;
    key(&message.conversation(), index)
}

fn key(conversation: &Conversation, index: &str) -> Option<Box<str>> {
    match conversation {
        Conversation::Group(group) => Some(format!("g/{group}/{index}").into()),
        Conversation::C2C(user) => Some(format!("u/{user}/{index}").into()),
        // Named by their ids, which the platform takes.
        Conversation::Channel(_) | Conversation::Direct(_) => None,
    }
}

/// The name of the event and its payload.
fn encode(event: &Event) -> String {
    // What was read as JSON can be written.
    let payload = serde_json::to_string(event).unwrap_or_default();
    format!("{} {payload}", event.name())
}

fn decode(text: &str) -> Option<Arc<Event>> {
    let (name, payload) = text.split_once(' ')?;
    let event = Event::decode(name, payload);
    event.as_message().is_some().then(|| Arc::new(event))
}

impl Default for QuoteSettings {
    fn default() -> Self {
        Self {
            store: None,
            life: LIFE,
        }
    }
}

impl fmt::Debug for QuoteSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QuoteSettings")
            .field("has_store", &self.store.is_some())
            .field("life", &self.life)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{InMemoryQuoteStore, StoreError, StoreFuture};

    fn quotes(store: impl QuoteStore) -> Quotes {
        Quotes::new(QuoteSettings {
            store: Some(Arc::new(store)),
            ..QuoteSettings::default()
        })
    }

    fn message(n: usize) -> Arc<Event> {
        let data = serde_json::json!({
            "id": format!("m{n}"), "content": format!("text {n}"), "author": {"user_openid": "U"},
            "message_scene": {"ext": [format!("msg_idx=REFIDX_{n}")]}, "something_new": n,
        });
        let event = Event::decode("C2C_MESSAGE_CREATE", &data.to_string());
        Arc::new(event)
    }

    fn user() -> Conversation {
        Conversation::C2C("U".into())
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "the form of a place that failures are reported to"
    )]
    fn nothing(error: BotError) {
        panic!("{error:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_is_found_while_it_waits_and_when_it_is_stored() {
        let store = Arc::new(InMemoryQuoteStore::default());
        let first = quotes(Arc::clone(&store));
        first.note(&message(1));
        let found = first.find(&user(), "REFIDX_1", nothing).await;
        assert_eq!(found, Some(message(1)), "while it waits");
        let end = Instant::now() + Duration::from_secs(60);
        tokio::select! {
            () = first.run(nothing) => {}
            left = first.flush(end) => assert_eq!(left, 0),
        }
        let second = quotes(store);
        let found = second.find(&user(), "REFIDX_1", nothing).await;
        assert_eq!(found, Some(message(1)), "by another process, whole");
        let elsewhere = Conversation::C2C("V".into());
        assert_eq!(second.find(&elsewhere, "REFIDX_1", nothing).await, None);
        assert_eq!(second.find(&user(), "REFIDX_2", nothing).await, None);
    }

    /// Takes nothing, and says so.
    struct Broken;

    impl QuoteStore for Broken {
        fn load<'a>(&'a self, _: &'a str) -> StoreFuture<'a, Option<Box<str>>> {
            Box::pin(async { Err(StoreError::new("the disk is gone")) })
        }

        fn save<'a>(&'a self, _: &'a str, _: &'a str, _: Duration) -> StoreFuture<'a, ()> {
            Box::pin(std::future::pending())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_does_nothing_is_reported_once_and_the_queue_is_bounded() {
        let quotes = quotes(Broken);
        for n in 0..QUEUE + 10 {
            quotes.note(&message(n));
        }
        assert_eq!(quotes.lock().len(), QUEUE);
        assert_eq!(quotes.failures(), 10);
        let reports = Mutex::new(0);
        let report = |_| *reports.lock().unwrap() += 1;
        let left = tokio::select! {
            () = quotes.run(report) => unreachable!(),
            left = quotes.flush(Instant::now() + Duration::from_secs(9)) => left,
        };
        assert_eq!(left, QUEUE - 4, "one each two seconds");
        assert_eq!(quotes.find(&user(), "none", report).await, None);
        assert_eq!(*reports.lock().unwrap(), 1);
        assert_eq!(quotes.failures(), 15);
    }
}
