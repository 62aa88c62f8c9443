//! Where answers are kept beyond the life of a process.

use std::collections::{BTreeMap, HashMap};
use std::future::ready;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::StoreFuture;

/// Where the answers to messages are kept, so that a process that is started again, or another one, sends none of
/// them twice: [`ClientBuilder::reply_store`](crate::ClientBuilder::reply_store).
///
/// A key-value store with revisions: JetStream, etcd, a database. Keys are at most a few hundred bytes of any
/// characters; values are JSON text of at most a few kilobytes. The client calls it with a deadline of
/// [`ClientBuilder::reply_store_timeout`](crate::ClientBuilder::reply_store_timeout), and goes on in memory when it
/// fails.
pub trait ReplyStore: Send + Sync + 'static {
    /// The value of a key.
    fn load<'a>(&'a self, key: &'a str) -> StoreFuture<'a, Option<StoredReply>>;

    /// Sets the value of a key if it is still at this revision (`None`: if it has none), to be kept for at least
    /// so long.
    fn save<'a>(
        &'a self,
        key: &'a str,
        value: &'a str,
        expected: Option<u64>,
        keep_for: Duration,
    ) -> StoreFuture<'a, ReplySave>;
}

/// Several clients, or the same one started again, may share a store.
impl<T: ReplyStore + ?Sized> ReplyStore for Arc<T> {
    fn load<'a>(&'a self, key: &'a str) -> StoreFuture<'a, Option<StoredReply>> {
        (**self).load(key)
    }

    fn save<'a>(
        &'a self,
        key: &'a str,
        value: &'a str,
        expected: Option<u64>,
        keep_for: Duration,
    ) -> StoreFuture<'a, ReplySave> {
        (**self).save(key, value, expected, keep_for)
    }
}

/// What a [`ReplyStore`] has of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredReply {
    /// The value, as it was saved.
    pub value: Box<str>,
    /// Which save it was.
    pub revision: u64,
}

/// What became of a save.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplySave {
    /// It was done; this is the revision from now on.
    Saved(u64),
    /// Somebody else has saved something meanwhile.
    Conflict,
    /// Somebody else handles this message from now on, and answers it: nothing is sent from here.
    Revoked,
}

/// A [`ReplyStore`] in memory: for several clients of one process, and for tests. What is over is forgotten, and
/// then what is over soonest.
#[derive(Debug)]
pub struct InMemoryReplyStore {
    entries: Mutex<Entries>,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Entries {
    by_key: HashMap<Box<str>, (Instant, StoredReply)>,
    by_end: BTreeMap<(Instant, u64), Box<str>>,
    revision: u64,
}

impl InMemoryReplyStore {
    /// A store of at most so many messages.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            entries: Mutex::default(),
            capacity: capacity.max(1),
        }
    }
}

impl Default for InMemoryReplyStore {
    fn default() -> Self {
        Self::new(100_000)
    }
}

impl ReplyStore for InMemoryReplyStore {
    fn load<'a>(&'a self, key: &'a str) -> StoreFuture<'a, Option<StoredReply>> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let stored = entries
            .by_key
            .get(key)
            .filter(|(end, _)| *end >= Instant::now())
            .map(|(_, stored)| stored.clone());
        Box::pin(ready(Ok(stored)))
    }

    fn save<'a>(
        &'a self,
        key: &'a str,
        value: &'a str,
        expected: Option<u64>,
        keep_for: Duration,
    ) -> StoreFuture<'a, ReplySave> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let saved = entries.save(key, value, expected, keep_for, self.capacity);
        drop(entries);
        Box::pin(ready(Ok(saved)))
    }
}

impl Entries {
    fn save(
        &mut self,
        key: &str,
        value: &str,
        expected: Option<u64>,
        keep_for: Duration,
        capacity: usize,
    ) -> ReplySave {
        let now = Instant::now();
        while let Some(first) = self.by_end.first_entry() {
            if first.key().0 >= now && self.by_key.len() < capacity {
                break;
            }
            let key = first.remove();
            self.by_key.remove(&key);
        }
        let before = self.by_key.get(key);
        if before.map(|(_, stored)| stored.revision) != expected {
            return ReplySave::Conflict;
        }
        if let Some((end, stored)) = before {
            self.by_end.remove(&(*end, stored.revision));
        }
        self.revision += 1;
        let end = now + keep_for;
        self.by_end.insert((end, self.revision), key.into());
        let stored = StoredReply {
            value: value.into(),
            revision: self.revision,
        };
        self.by_key.insert(key.into(), (end, stored));
        ReplySave::Saved(self.revision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn only_who_knows_the_revision_saves() {
        let store = InMemoryReplyStore::default();
        let Ok(ReplySave::Saved(first)) = store.save("a", "1", None, LIFE).await else {
            panic!("not saved");
        };
        let again = store.save("a", "2", None, LIFE).await.unwrap();
        assert_eq!(again, ReplySave::Conflict);
        let Ok(ReplySave::Saved(second)) = store.save("a", "2", Some(first), LIFE).await else {
            panic!("not saved");
        };
        let stored = store.load("a").await.unwrap().unwrap();
        assert_eq!((stored.revision, &*stored.value), (second, "2"));
        tokio::time::advance(LIFE + Duration::from_secs(1)).await;
        assert_eq!(store.load("a").await.unwrap(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded() {
        let store = InMemoryReplyStore::new(10);
        for key in 0..1000 {
            store.save(&key.to_string(), "x", None, LIFE).await.unwrap();
        }
        let entries = store.entries.lock().unwrap();
        assert_eq!((entries.by_key.len(), entries.by_end.len()), (10, 10));
    }
}
