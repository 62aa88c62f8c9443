//! Where it is kept which events were seen.

use std::collections::{HashMap, VecDeque};
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::StoreFuture;

/// Keeps which events were begun and which were handled, beyond one process:
/// [`ClientBuilder::dedupe_store`](crate::ClientBuilder::dedupe_store).
///
/// Keys are texts of at most a few hundred bytes of any characters. The client asks once for each event that its own
/// memory does not know, and tells once when it was handled. Whatever a store does, the bot goes on: one that fails, or
/// takes longer than two seconds, is reported once to [`EventHandler::error`](crate::EventHandler::error), and the
/// client's own memory decides alone.
pub trait DedupeStore: Send + Sync + 'static {
    /// An event came. If it is new, or was begun and not handled, it is begun from now on.
    fn begin<'a>(&'a self, key: &'a str, keep_for: Duration) -> StoreFuture<'a, Begun>;

    /// An event was handled.
    fn handled<'a>(&'a self, key: &'a str, keep_for: Duration) -> StoreFuture<'a, ()>;
}

/// Several clients, or the same one started again, may share a store.
impl<T: DedupeStore + ?Sized> DedupeStore for Arc<T> {
    fn begin<'a>(&'a self, key: &'a str, keep_for: Duration) -> StoreFuture<'a, Begun> {
        (**self).begin(key, keep_for)
    }

    fn handled<'a>(&'a self, key: &'a str, keep_for: Duration) -> StoreFuture<'a, ()> {
        (**self).handled(key, keep_for)
    }
}

/// What was known of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Nothing.
    New,
    /// It was begun, and the process that did so ended before it was handled.
    Again,
    /// It was handled.
    Handled,
}

/// A [`DedupeStore`] in memory: for clients of one process that follow each other, and for tests.
#[derive(Debug)]
pub struct InMemoryDedupeStore {
    seen: Mutex<Seen>,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Seen {
    is_handled: HashMap<Box<str>, bool>,
    order: VecDeque<(Instant, Box<str>)>,
}

impl InMemoryDedupeStore {
    /// A store of at most so many events.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            seen: Mutex::default(),
            capacity: capacity.max(1),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for InMemoryDedupeStore {
    fn default() -> Self {
        Self::new(65_536)
    }
}

impl DedupeStore for InMemoryDedupeStore {
    fn begin<'a>(&'a self, key: &'a str, keep_for: Duration) -> StoreFuture<'a, Begun> {
        let now = Instant::now();
        let mut seen = self.lock();
        while let Some((end, oldest)) = seen.order.front()
            && (*end < now || seen.order.len() >= self.capacity)
        {
            let oldest = oldest.clone();
            seen.order.pop_front();
            seen.is_handled.remove(&oldest);
        }
        let begun = match seen.is_handled.get(key) {
            Some(true) => Begun::Handled,
            Some(false) => Begun::Again,
            None => {
                seen.is_handled.insert(key.into(), false);
                seen.order.push_back((now + keep_for, key.into()));
                Begun::New
            }
        };
        Box::pin(ready(Ok(begun)))
    }

    fn handled<'a>(&'a self, key: &'a str, _: Duration) -> StoreFuture<'a, ()> {
        if let Some(is_handled) = self.lock().is_handled.get_mut(key) {
            *is_handled = true;
        }
        Box::pin(ready(Ok(())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_event_is_new_then_begun_then_handled_then_forgotten() {
        let life = Duration::from_secs(60);
        let store = InMemoryDedupeStore::new(2);
        assert_eq!(store.begin("a", life).await.unwrap(), Begun::New);
        assert_eq!(store.begin("a", life).await.unwrap(), Begun::Again);
        store.handled("a", life).await.unwrap();
        assert_eq!(store.begin("a", life).await.unwrap(), Begun::Handled);
        tokio::time::advance(life * 2).await;
        assert_eq!(store.begin("a", life).await.unwrap(), Begun::New);
        for key in ["b", "c", "d"] {
            store.begin(key, life).await.unwrap();
        }
        assert!(store.lock().order.len() <= 2 && store.lock().is_handled.len() <= 2);
    }
}
