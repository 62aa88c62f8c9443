//! The way of an event: repeats dropped, observed, then handled.

use std::sync::Arc;

use super::ack::{Ack, Outcome};
use super::executor::{Executor, Job, Step};
use super::{Delivery, Held, Seen};
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
    Store(Box<(Delivery, Seen, Ack)>),
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

    /// What becomes of an event, as far as that shows at once. One that is not done with is left in the slot: an event
    /// that runs at once is moved as little as can be.
    pub(crate) fn enter(&self, delivery: Delivery, ack: Ack, slot: &mut Option<Job>) -> Entry {
        if !self.executor.settings.takes(&delivery.event) {
            ack.done(Outcome::Handled);
            return Entry::Done;
        }
        let Some(seen) = Seen::look(&self.shared, &delivery) else {
            ack.done(Outcome::Duplicate);
            return Entry::Done;
        };
        if self.shared.duplicates.has_store() {
            return Entry::Waiting(Waiting::Store(Box::new((delivery, seen, ack))));
        }
        self.observe(delivery, seen, ack, slot).into()
    }

    /// Waits until the event in the slot may run, or until it shows that it will not run here. Cancelled, it is as if
    /// the event had not come, once the slot is dropped.
    pub(crate) async fn wait(&self, waiting: Waiting, slot: &mut Option<Job>) -> bool {
        if let Waiting::Store(event) = waiting {
            let (mut delivery, seen, ack) = *event;
            let report = |error| self.executor.report(error);
            let Some(seen) = seen.ask_store(&mut delivery, report).await else {
                ack.done(Outcome::Duplicate);
                return false;
            };
            match self.observe(delivery, seen, ack, slot) {
                Step::Run => return true,
                Step::Done => return false,
                Step::Full => {}
            }
        }
        self.executor.wait_for_room(slot).await
    }

    /// Lets everybody take note of an event that was not seen before, and finds a place for it.
    fn observe(
        &self,
        mut delivery: Delivery,
        seen: Seen,
        ack: Ack,
        slot: &mut Option<Job>,
    ) -> Step {
        let (shared, executor) = (&self.shared, &self.executor);
        if shared.knowledge.wants_to_hold(&delivery) {
            delivery.event = Held::Shared(delivery.event.into_shared());
        }
        shared.replies.observe(&delivery, &shared.access.api);
        let (origin, observed) = shared.knowledge.observe(shared, &mut delivery);
        if observed == Observed::Taken {
            executor.settle(seen, ack);
            return Step::Done;
        }
        let lane = executor.lane(&delivery.event);
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
