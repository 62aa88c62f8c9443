//! One call for all who ask for the same thing at the same time.
//!
//! No task is spawned: whoever waits drives the call, and when the one that began it is dropped, another goes on
//! with it. A call that nobody waits for any more is dropped.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use tokio::time::Instant;

use crate::BotError;

/// How many absences are remembered.
const MOST_MISSING: usize = 1024;

type Call<V> = BoxFuture<'static, Result<V, BotError>>;

/// The calls under way, and what the platform said does not exist.
pub(crate) struct SingleFlight<K, V> {
    state: Arc<Mutex<State<K, V>>>,
    memory: Duration,
}

struct State<K, V> {
    calls: HashMap<K, (u64, WeakShared<Call<V>>)>,
    missing: HashMap<K, (Instant, BotError)>,
    /// In the order in which they became known; forgotten ones stay until their turn comes.
    order: VecDeque<(Instant, K)>,
    next: u64,
}

/// Removes a call from the list when it is done or dropped.
struct Landing<K: Eq + Hash, V> {
    state: Weak<Mutex<State<K, V>>>,
    key: K,
    number: u64,
}

impl<K, V> SingleFlight<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    pub(crate) fn new(memory: Duration) -> Self {
        Self {
            state: Arc::new(Mutex::new(State {
                calls: HashMap::new(),
                missing: HashMap::new(),
                order: VecDeque::new(),
                next: 0,
            })),
            memory,
        }
    }

    /// What the call for this key gives: a call that is under way, or a new one. While it is remembered that there
    /// is nothing, none is made.
    pub(crate) async fn resolve<F>(&self, key: K, fetch: impl FnOnce() -> F) -> Result<V, BotError>
    where
        F: Future<Output = Result<V, BotError>> + Send + 'static,
    {
        if let Some(error) = self.missing(&key) {
            return Err(error);
        }
        self.join(key, fetch).await
    }

    /// What is known to be missing is asked for again.
    pub(crate) fn forget(&self, key: &K) {
        lock(&self.state).missing.remove(key);
    }

    fn missing(&self, key: &K) -> Option<BotError> {
        let mut state = lock(&self.state);
        let (since, error) = state.missing.get(key)?;
        if since.elapsed() < self.memory {
            return Some(error.clone());
        }
        state.missing.remove(key);
        None
    }

    fn join<F>(&self, key: K, fetch: impl FnOnce() -> F) -> Shared<Call<V>>
    where
        F: Future<Output = Result<V, BotError>> + Send + 'static,
    {
        let mut state = lock(&self.state);
        if let Some(call) = state.calls.get(&key).and_then(|(_, call)| call.upgrade()) {
            return call;
        }
        let number = state.next;
        state.next += 1;
        let landing = Landing {
            state: Arc::downgrade(&self.state),
            key: key.clone(),
            number,
        };
        let (fetch, memory) = (fetch(), self.memory);
        let call = async move {
            let result = fetch.await;
            if let Err(error) = &result
                && error.is_absence()
            {
                landing.note_missing(error, memory);
            }
            drop(landing);
            result
        };
        let call = call.boxed().shared();
        if let Some(weak) = call.downgrade() {
            state.calls.insert(key, (number, weak));
        }
        call
    }
}

impl<K: Clone + Eq + Hash, V> Landing<K, V> {
    fn note_missing(&self, error: &BotError, memory: Duration) {
        let (Some(state), now) = (self.state.upgrade(), Instant::now()) else {
            return;
        };
        let mut state = lock(&state);
        while let Some((since, _)) = state.order.front() {
            if state.order.len() < MOST_MISSING && now.duration_since(*since) < memory {
                break;
            }
            if let Some((since, key)) = state.order.pop_front()
                && state.missing.get(&key).is_some_and(|(at, _)| *at == since)
            {
                state.missing.remove(&key);
            }
        }
        state.order.push_back((now, self.key.clone()));
        state.missing.insert(self.key.clone(), (now, error.clone()));
    }
}

impl<K: Eq + Hash, V> Drop for Landing<K, V> {
    fn drop(&mut self) {
        let Some(state) = self.state.upgrade() else {
            return;
        };
        let mut state = lock(&state);
        let is_mine = state
            .calls
            .get(&self.key)
            .is_some_and(|(number, _)| *number == self.number);
        if is_mine {
            state.calls.remove(&self.key);
        }
    }
}

/// What is guarded is whole after every statement, so a panic elsewhere spoils nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Semaphore;
    use tokio::time::sleep;

    use super::*;
    use crate::ErrorKind;

    type Flight = SingleFlight<u32, u32>;

    fn flight() -> Arc<Flight> {
        Arc::new(SingleFlight::new(Duration::from_secs(30)))
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_at_once_make_one_call() {
        let (flight, calls) = (flight(), Arc::new(AtomicUsize::new(0)));
        let asks = (0..1000).map(|_| {
            let (flight, calls) = (Arc::clone(&flight), Arc::clone(&calls));
            tokio::spawn(async move {
                flight
                    .resolve(7, || async move {
                        calls.fetch_add(1, Ordering::Relaxed);
                        sleep(Duration::from_secs(1)).await;
                        Ok(42)
                    })
                    .await
            })
        });
        for ask in asks.collect::<Vec<_>>() {
            assert_eq!(ask.await.unwrap().unwrap(), 42);
        }
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        assert!(lock(&flight.state).calls.is_empty(), "nothing stays");
    }

    #[tokio::test(start_paused = true)]
    async fn the_one_that_began_the_call_may_leave() {
        let (flight, gate) = (flight(), Arc::new(Semaphore::new(0)));
        let begin = |value| {
            let (flight, gate) = (Arc::clone(&flight), Arc::clone(&gate));
            tokio::spawn(async move {
                flight
                    .resolve(7, || async move {
                        let _permit = gate.acquire().await;
                        Ok(value)
                    })
                    .await
            })
        };
        let leader = begin(1);
        tokio::task::yield_now().await;
        let follower = begin(2);
        tokio::task::yield_now().await;
        leader.abort();
        assert!(leader.await.is_err());
        gate.add_permits(1);
        assert_eq!(
            follower.await.unwrap().unwrap(),
            1,
            "the first call went on"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_nobody_waits_for_is_dropped() {
        let flight = flight();
        let call = flight.resolve(7, std::future::pending::<Result<u32, BotError>>);
        assert!(
            tokio::time::timeout(Duration::from_secs(1), call)
                .await
                .is_err()
        );
        assert!(lock(&flight.state).calls.is_empty());
        assert_eq!(flight.resolve(7, || async { Ok(3) }).await.unwrap(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn failures_that_may_pass_are_not_remembered() {
        let flight = flight();
        for _ in 0..2 {
            let error = flight
                .resolve(7, || async {
                    Err(BotError::new(ErrorKind::Network, "gone"))
                })
                .await
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Network);
        }
        assert!(lock(&flight.state).missing.is_empty());
    }
}
