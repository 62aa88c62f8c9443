//! Acknowledgements of interactions: exactly one each, in time, whoever sends it.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use qq_http::{CallRefused, Error, HttpClient};
use qq_model::Event;
use qq_model::id::InteractionId;
use qq_model::interaction::InteractionAckCode;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::reporter::Reporter;
use crate::BotError;
use crate::dispatch::Delivery;

/// Nobody has acknowledged it, and the client will.
const PENDING: u8 = 0;
/// The callback will.
const TAKEN: u8 = 1;
/// The client is about to, unless somebody else is quicker.
const DUE: u8 = 2;
/// It was acknowledged, or is being.
const DONE: u8 = 3;

/// How long it is remembered what became of an interaction. The platform takes its acknowledgement for 3 s.
const MEMORY: Duration = Duration::from_secs(10 * 60);
/// How many are remembered at most.
const CAPACITY: usize = 10_000;
/// The platform says that it was acknowledged before.
const TWICE: i64 = 630_004;

/// The interactions that have come, and whether they were acknowledged.
pub(crate) struct Acks {
    /// How long the client waits for the callback to do it; `None`: the client leaves it to the callback.
    after: Option<Duration>,
    known: Mutex<Known>,
    tasks: Mutex<JoinSet<()>>,
}

/// By the path of the call that acknowledges them, which is all that is seen of a call.
#[derive(Default)]
struct Known {
    by_path: HashMap<Box<str>, Arc<Ack>>,
    /// Since when, the oldest first.
    order: VecDeque<(Instant, Box<str>)>,
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
            known: Mutex::default(),
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
        let state = if after.is_some() { PENDING } else { TAKEN };
        let Some(ack) = self.entry(api, &interaction.id, state) else {
            return;
        };
        let Some(after) = after else {
            return;
        };
        let (api, reporter) = (api.clone(), reporter.clone());
        let mut tasks = lock(&self.tasks);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            // Whichever comes first.
            let _ = timeout(after, ack.ended.notified()).await;
            if !ack.begin_automatic() {
                return;
            }
            let call = api.interaction(ack.id.clone());
            match call.ack(InteractionAckCode::Success).await {
                Err(error) if CallRefused::of(&error).is_none() => {
                    reporter.report(BotError::from(error));
                }
                // Somebody else was quicker.
                Ok(()) | Err(_) => {}
            }
        });
    }

    /// What a context of this event holds; `None` when it is no interaction.
    pub(crate) fn handle(&self, event: &Event, api: &HttpClient) -> Option<AckHandle> {
        let Event::InteractionCreate(interaction) = event else {
            return None;
        };
        let known = self.entry(api, &interaction.id, TAKEN);
        Some(AckHandle(known.unwrap_or_else(|| {
            Arc::new(Ack::new(interaction.id.clone(), TAKEN))
        })))
    }

    /// A call is about to acknowledge something: whether it is the first.
    pub(crate) fn claim(&self, path: &str) -> Result<(), CallRefused> {
        let known = lock(&self.known).by_path.get(path).cloned();
        match known {
            Some(ack) if !ack.claim() => Err(CallRefused::new(
                "the interaction was acknowledged before: by the client itself, unless the callback calls take_ack \
                 in time",
            )),
            _ => Ok(()),
        }
    }

    /// A call that was to acknowledge something has ended.
    pub(crate) fn settle(&self, path: &str, error: Option<&Error>) {
        let is_open =
            error.is_some_and(|error| !error.is_outcome_unknown() && !error.has_code(TWICE));
        let known = lock(&self.known).by_path.get(path).cloned();
        if let Some(ack) = known.filter(|_| is_open) {
            ack.give_back();
        }
    }

    /// Waits for acknowledgements that are under way.
    pub(crate) async fn drain(&self) {
        let mut tasks = std::mem::take(&mut *lock(&self.tasks));
        while tasks.join_next().await.is_some() {}
    }

    /// Ends what is under way.
    pub(crate) fn abort(&self) {
        lock(&self.tasks).abort_all();
        *lock(&self.known) = Known::default();
    }

    /// What is known of an interaction, which is in this state if it is new; `None` for one without id.
    fn entry(&self, api: &HttpClient, id: &InteractionId, state: u8) -> Option<Arc<Ack>> {
        let call = api.interaction(id.clone()).ack(InteractionAckCode::Success);
        // An empty id has no path.
        let request = call.try_into_request().ok()?;
        let path = request.path();
        let mut known = lock(&self.known);
        if let Some(ack) = known.by_path.get(path) {
            return Some(Arc::clone(ack));
        }
        let now = Instant::now();
        while let Some((since, oldest)) = known.order.front()
            && (*since + MEMORY < now || known.order.len() >= CAPACITY)
        {
            let oldest = oldest.clone();
            known.by_path.remove(&oldest);
            known.order.pop_front();
        }
        let ack = Arc::new(Ack::new(id.clone(), state));
        known.by_path.insert(path.into(), Arc::clone(&ack));
        known.order.push_back((now, path.into()));
        Some(ack)
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
    fn claim(&self) -> bool {
        self.state.swap(DONE, Ordering::AcqRel) != DONE
    }

    /// It was not acknowledged after all.
    fn give_back(&self) {
        self.state.store(TAKEN, Ordering::Release);
    }

    fn begin_automatic(&self) -> bool {
        self.state
            .compare_exchange(PENDING, DUE, Ordering::AcqRel, Ordering::Acquire)
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
    use qq_model::Token;

    use super::*;

    #[test]
    fn only_one_acknowledges() {
        let ack = Ack::new("i".into(), PENDING);
        assert!(ack.take() && ack.take());
        assert!(!ack.begin_automatic(), "it was taken over");
        assert!(ack.claim());
        assert!(!ack.claim() && !ack.take());
        ack.give_back();
        assert!(ack.claim());

        let ack = Ack::new("i".into(), PENDING);
        assert!(ack.begin_automatic());
        assert!(!ack.take(), "it is too late");
        assert!(ack.claim(), "whoever calls first, the client or the user");
        assert!(!ack.claim());
    }

    #[tokio::test(start_paused = true)]
    async fn what_became_of_an_interaction_is_remembered_for_a_while() {
        let api = HttpClient::new(Token::new("102000000", "secret")).unwrap();
        let acks = Acks::new(None);
        let path = |id: &str| format!("/interactions/{id}");
        let entry = |n: usize| acks.entry(&api, &format!("i{n}").as_str().into(), TAKEN);
        entry(0).unwrap();
        assert!(acks.claim(&path("i0")).is_ok());
        assert!(acks.claim(&path("i0")).is_err());
        assert!(acks.claim(&path("never seen")).is_ok());
        for n in 1..=CAPACITY {
            entry(n).unwrap();
        }
        assert_eq!(lock(&acks.known).by_path.len(), CAPACITY);
        assert!(acks.claim(&path("i0")).is_ok(), "it was forgotten");
        tokio::time::advance(MEMORY * 2).await;
        entry(0).unwrap();
        assert_eq!(lock(&acks.known).by_path.len(), 1);
        assert_eq!(lock(&acks.known).order.len(), 1);
        assert!(acks.entry(&api, &"".into(), TAKEN).is_none());
    }
}
