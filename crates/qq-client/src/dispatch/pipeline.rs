//! The way of an event: repeats dropped, observed, then handled.

use std::sync::Arc;

use super::Delivery;
use super::ack::{Ack, Outcome};
use super::executor::{Executor, Job};
use crate::knowledge::Observed;
use crate::shared::Shared;

/// What every source of events delivers to.
pub(crate) struct Pipeline {
    shared: Arc<Shared>,
    pub(crate) executor: Arc<Executor>,
}

impl Pipeline {
    pub(crate) fn new(shared: &Arc<Shared>, executor: Arc<Executor>) -> Arc<Self> {
        Arc::new(Self {
            shared: Arc::clone(shared),
            executor,
        })
    }

    /// What is to be run now of an event, once there is room for it. Cancel-safe up to the moment it is handed over.
    pub(crate) async fn admit(&self, mut delivery: Delivery, ack: Ack) -> Option<Job> {
        if !self.executor.settings.takes(&delivery.event) {
            ack.done(Outcome::Handled);
            return None;
        }
        let report = |error| self.executor.report(error);
        let Some(seen) = self.shared.duplicates.see(&mut delivery, report).await else {
            ack.done(Outcome::Duplicate);
            return None;
        };
        self.shared.replies.observe(&delivery, &self.shared.api);
        match self.shared.knowledge.observe(&self.shared, &mut delivery) {
            Observed::Pass => self.executor.admit(delivery, seen, ack).await,
            Observed::Taken => {
                seen.handled(report).await;
                ack.done(Outcome::Handled);
                None
            }
        }
    }
}
