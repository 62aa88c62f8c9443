//! Where messages are kept that may be quoted.

use std::collections::{BTreeMap, HashMap};
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::StoreFuture;

/// Keeps the messages of groups and one-to-one chats beyond one process, the bot's own among them, so that quotes of
/// them are found: [`ClientBuilder::quote_store`](crate::ClientBuilder::quote_store).
///
/// A key-value store that forgets by itself. Keys are texts of at most a few hundred bytes of any characters; values are
/// text of a kilobyte or a few. The client saves each message once, from a queue, and loads what a message quotes when
/// neither the queue nor the cache has it. Whatever a store does, the bot goes on: one that fails, or takes longer than
/// two seconds, is reported once to [`EventHandler::error`](crate::EventHandler::error).
pub trait QuoteStore: Send + Sync + 'static {
    /// The message of a key.
    fn load<'a>(&'a self, key: &'a str) -> StoreFuture<'a, Option<Box<str>>>;

    /// Sets the message of a key, to be kept for at most so long.
    fn save<'a>(
        &'a self,
        key: &'a str,
        message: &'a str,
        keep_for: Duration,
    ) -> StoreFuture<'a, ()>;
}

/// Several clients, or the same one started again, may share a store.
impl<T: QuoteStore + ?Sized> QuoteStore for Arc<T> {
    fn load<'a>(&'a self, key: &'a str) -> StoreFuture<'a, Option<Box<str>>> {
        (**self).load(key)
    }

    fn save<'a>(
        &'a self,
        key: &'a str,
        message: &'a str,
        keep_for: Duration,
    ) -> StoreFuture<'a, ()> {
        (**self).save(key, message, keep_for)
    }
}

/// A [`QuoteStore`] in memory: for clients of one process that follow each other, and for tests.
#[derive(Debug)]
pub struct InMemoryQuoteStore {
    entries: Mutex<Entries>,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Entries {
    by_key: HashMap<Box<str>, (Instant, u64, Box<str>)>,
    by_end: BTreeMap<(Instant, u64), Box<str>>,
    saves: u64,
}

impl InMemoryQuoteStore {
    /// A store of at most so many messages.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            entries: Mutex::default(),
            capacity: capacity.max(1),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for InMemoryQuoteStore {
    fn default() -> Self {
        Self::new(10_000)
    }
}

impl QuoteStore for InMemoryQuoteStore {
    fn load<'a>(&'a self, key: &'a str) -> StoreFuture<'a, Option<Box<str>>> {
        let entries = self.lock();
        let found = entries.by_key.get(key);
        let found = found.filter(|(end, ..)| *end >= Instant::now());
        let message = found.map(|(.., message)| message.clone());
        drop(entries);
        Box::pin(ready(Ok(message)))
    }

    fn save<'a>(
        &'a self,
        key: &'a str,
        message: &'a str,
        keep_for: Duration,
    ) -> StoreFuture<'a, ()> {
        self.lock().save(key, message, keep_for, self.capacity);
        Box::pin(ready(Ok(())))
    }
}

impl Entries {
    fn save(&mut self, key: &str, message: &str, keep_for: Duration, capacity: usize) {
        let now = Instant::now();
        while let Some(first) = self.by_end.first_entry()
            && (first.key().0 < now || self.by_key.len() >= capacity)
        {
            let key = first.remove();
            self.by_key.remove(&key);
        }
        self.saves += 1;
        let (end, number) = (now + keep_for, self.saves);
        let entry = (end, number, message.into());
        if let Some((end, number, _)) = self.by_key.insert(key.into(), entry) {
            self.by_end.remove(&(end, number));
        }
        self.by_end.insert((end, number), key.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn messages_are_kept_for_their_time_and_within_the_capacity() {
        let life = Duration::from_secs(60);
        let store = InMemoryQuoteStore::new(2);
        store.save("a", "1", life).await.unwrap();
        store.save("a", "2", life * 2).await.unwrap();
        assert_eq!(store.load("a").await.unwrap().as_deref(), Some("2"));
        for key in ["b", "c", "d"] {
            store.save(key, "x", life).await.unwrap();
        }
        assert_eq!(store.lock().by_key.len(), 2);
        assert_eq!(store.lock().by_end.len(), 2);
        assert!(store.load("d").await.unwrap().is_some());
        tokio::time::advance(life * 3).await;
        assert_eq!(store.load("d").await.unwrap(), None);
    }
}
