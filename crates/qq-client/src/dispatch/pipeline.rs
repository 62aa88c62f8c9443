//! The way of an event: repeats dropped, observed, then handled.

use std::sync::Arc;

use qq_cache::Preload;

use super::ack::Outcome;
use super::executor::{Executor, Job, Step};
use super::{Delivery, Incoming, Seen};
use crate::knowledge::Observed;
use crate::shared::Shared;

/// What every source of events delivers to.
pub(crate) struct Pipeline {
    shared: Arc<Shared>,
    pub(crate) executor: Arc<Executor>,
}

/// How far an event came at once.
pub(crate) enum Entry {
    /// It is in the slot, and may run now.
    Run,
    /// Nothing is left to do here: it runs after those of its lane, or is not to be handled.
    Done,
    /// It has to wait: [`Pipeline::wait`].
    Waiting(Waiting),
}

/// What an event waits for.
pub(crate) enum Waiting {
    /// The store of what was seen.
    Store(Box<(Incoming, Seen)>),
    /// Room. It is in the slot.
    Room,
}

impl From<Step> for Entry {
    fn from(step: Step) -> Self {
        match step {
            Step::Run => Self::Run,
            Step::Done => Self::Done,
            Step::Full => Self::Waiting(Waiting::Room),
        }
    }
}

impl Pipeline {
    pub(crate) fn new(shared: &Arc<Shared>, executor: Arc<Executor>) -> Arc<Self> {
        Arc::new(Self {
            shared: Arc::clone(shared),
            executor,
        })
    }

    /// Asks for the memory that is looked at first when an event is handled, in good time.
    pub(crate) fn prefetch(&self, delivery: &mut Delivery) -> Preload {
        delivery.number = self.shared.duplicates.look_ahead(delivery);
        self.shared.knowledge.cache.preload(&delivery.event)
    }

    /// Goes on with it, when the event is the next one.
    pub(crate) fn finish_prefetch(&self, preload: &Preload) {
        self.shared.knowledge.cache.finish_preload(preload);
    }

    /// What becomes of an event, as far as that shows at once. One that is not done with is left in the slot: an event
    /// that runs at once is moved as little as can be.
    pub(crate) fn enter(&self, incoming: &mut Incoming, slot: &mut Option<Job>) -> Entry {
        let Some((delivery, _)) = incoming else {
            return Entry::Done;
        };
        let outcome = if !self.executor.settings.takes(&delivery.event) {
            Outcome::Handled
        } else if let Some(seen) = Seen::look(&self.shared, delivery) {
            if self.shared.duplicates.has_store() {
                return Entry::Waiting(Waiting::Store(Box::new((incoming.take(), seen))));
            }
            return self.observe(incoming, seen, slot).into();
        } else {
            Outcome::Duplicate
        };
        if let Some((_, ack)) = incoming.take() {
            ack.done(outcome);
        }
        Entry::Done
    }

    /// Waits until the event in the slot may run, or until it shows that it will not run here. Cancelled, it is as if
    /// the event had not come, once the slot is dropped.
    pub(crate) async fn wait(&self, waiting: Waiting, slot: &mut Option<Job>) -> bool {
        if let Waiting::Store(event) = waiting {
            let (mut incoming, seen) = *event;
            let Some((delivery, _)) = &mut incoming else {
                return false;
            };
            let report = |error| self.executor.report(error);
            let Some(seen) = seen.ask_store(delivery, report).await else {
                if let Some((_, ack)) = incoming {
                    ack.done(Outcome::Duplicate);
                }
                return false;
            };
            match self.observe(&mut incoming, seen, slot) {
                Step::Run => return true,
                Step::Done => return false,
                Step::Full => {}
            }
        }
        self.executor.wait_for_room(slot).await
    }

    /// Lets everybody take note of an event that was not seen before, and finds a place for it.
    fn observe(&self, incoming: &mut Incoming, seen: Seen, slot: &mut Option<Job>) -> Step {
        let (shared, executor) = (&self.shared, &self.executor);
        if let Some((delivery, _)) = incoming
            && shared.knowledge.wants_to_hold(delivery)
        {
            let owned = incoming.take();
            *incoming = owned.map(|(delivery, ack)| (delivery.into_shared(), ack));
        }
        let Some((delivery, _)) = incoming else {
            return Step::Done;
        };
        shared.replies.observe(delivery, &shared.access.api);
        let (origin, observed) = shared.knowledge.observe(shared, delivery);
        let lane = executor.lane(&delivery.event, origin.conversation());
        let Some((delivery, ack)) = incoming.take() else {
            return Step::Done;
        };
        if observed == Observed::Taken {
            executor.settle(seen, ack);
            return Step::Done;
        }
        // Copied for closures only: otherwise an event that waits would keep what was read together with it.
        let text = delivery
            .text
            .filter(|_| shared.handlers.take_text(delivery.event.kind()))
            .map(|text| text.get().into());
        *slot = Some(Job {
            event: delivery.event,
            text,
            sequence: delivery.sequence,
            is_redelivered: delivery.is_redelivered,
            origin,
            seen,
            ack,
            lane,
        });
        executor.admit(slot)
    }
}
