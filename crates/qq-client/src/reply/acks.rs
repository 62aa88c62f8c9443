//! Acknowledgements of interactions: exactly one each, in time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use qq_http::HttpClient;
use qq_model::Event;
use qq_model::id::InteractionId;
use qq_model::interaction::InteractionAckCode;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::reporter::Reporter;
use crate::BotError;
use crate::dispatch::Delivery;

/// Nobody has acknowledged it, and the client will.
const PENDING: u8 = 0;
/// The callback will.
const TAKEN: u8 = 1;
/// It was acknowledged, or is being.
const DONE: u8 = 2;

/// The interactions that wait for their acknowledgement.
pub(crate) struct Acks {
    /// How long the client waits for the callback to do it; `None`: the client leaves it to the callback.
    after: Option<Duration>,
    open: Mutex<HashMap<InteractionId, Arc<Ack>>>,
    tasks: Mutex<JoinSet<()>>,
}

/// One interaction.
#[derive(Debug)]
pub(crate) struct Ack {
    pub(crate) id: InteractionId,
    state: AtomicU8,
    /// Its callbacks have ended.
    ended: Notify,
}

/// What contexts hold of an interaction: with the last of them, its callbacks have ended.
#[derive(Debug)]
pub(crate) struct AckHandle(pub(crate) Arc<Ack>);

impl Acks {
    pub(crate) fn new(after: Option<Duration>) -> Self {
        Self {
            after,
            open: Mutex::default(),
            tasks: Mutex::default(),
        }
    }

    /// An event has come: what wants an acknowledgement gets one, also while its callback has to wait.
    pub(crate) fn observe(
        self: &Arc<Self>,
        delivery: &Delivery,
        api: &HttpClient,
        reporter: &Reporter,
    ) {
        let Event::InteractionCreate(interaction) = &*delivery.event else {
            return;
        };
        // One that is handled again is too old, or was acknowledged.
        let after = self
            .after
            .filter(|_| interaction.wants_ack() && !delivery.is_redelivered);
        let (Some(after), false) = (after, interaction.id.is_empty()) else {
            return;
        };
        let ack = Arc::new(Ack::new(interaction.id.clone(), PENDING));
        lock(&self.open).insert(ack.id.clone(), Arc::clone(&ack));
        let (acks, api, reporter) = (Arc::clone(self), api.clone(), reporter.clone());
        let mut tasks = lock(&self.tasks);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            // Whichever comes first.
            let _ = timeout(after, ack.ended.notified()).await;
            lock(&acks.open).remove(&ack.id);
            if ack.begin_automatic()
                && let Err(error) = api
                    .interaction(ack.id.clone())
                    .ack(InteractionAckCode::Success)
                    .await
            {
                reporter.report(BotError::from(error));
            }
        });
    }

    /// What a context of this event holds; `None` when it is no interaction.
    pub(crate) fn handle(&self, event: &Event) -> Option<AckHandle> {
        let Event::InteractionCreate(interaction) = event else {
            return None;
        };
        let known = lock(&self.open).get(&interaction.id).cloned();
        Some(AckHandle(known.unwrap_or_else(|| {
            Arc::new(Ack::new(interaction.id.clone(), TAKEN))
        })))
    }

    /// Waits for acknowledgements that are under way.
    pub(crate) async fn drain(&self) {
        let mut tasks = std::mem::take(&mut *lock(&self.tasks));
        while tasks.join_next().await.is_some() {}
    }

    /// Ends what is under way.
    pub(crate) fn abort(&self) {
        lock(&self.tasks).abort_all();
        lock(&self.open).clear();
    }
}

impl Ack {
    fn new(id: InteractionId, state: u8) -> Self {
        Self {
            id,
            state: AtomicU8::new(state),
            ended: Notify::new(),
        }
    }

    /// Leaves it to the callback; `false` when it was acknowledged already.
    pub(crate) fn take(&self) -> bool {
        self.state
            .compare_exchange(PENDING, TAKEN, Ordering::AcqRel, Ordering::Acquire)
            .map_or_else(|state| state == TAKEN, |_| true)
    }

    /// Whether whoever asks is the one to acknowledge it.
    pub(crate) fn begin(&self) -> bool {
        self.state.swap(DONE, Ordering::AcqRel) != DONE
    }

    /// It was not acknowledged after all.
    pub(crate) fn give_back(&self) {
        self.state.store(TAKEN, Ordering::Release);
    }

    fn begin_automatic(&self) -> bool {
        self.state
            .compare_exchange(PENDING, DONE, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }
}

impl Drop for AckHandle {
    fn drop(&mut self) {
        self.0.ended.notify_one();
    }
}

/// The locks here guard plain data that is whole after every statement, so a panic elsewhere spoils nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_acknowledges() {
        let ack = Ack::new("i".into(), PENDING);
        assert!(ack.take() && ack.take());
        assert!(!ack.begin_automatic(), "it was taken over");
        assert!(ack.begin());
        assert!(!ack.begin() && !ack.take());
        ack.give_back();
        assert!(ack.begin());

        let ack = Ack::new("i".into(), PENDING);
        assert!(ack.begin_automatic());
        assert!(!ack.take() && !ack.begin());
    }
}
