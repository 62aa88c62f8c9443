//! The way of an event: repeats dropped, observed, then handled.

use std::sync::Arc;

use super::{Delivery, Lanes};
use crate::knowledge::Observed;
use crate::shared::Shared;
use crate::{BotError, EventHandler};

/// What every source of events delivers to.
pub(crate) struct Pipeline<H> {
    shared: Arc<Shared>,
    pub(crate) lanes: Arc<Lanes<H>>,
}

impl<H: EventHandler> Pipeline<H> {
    pub(crate) fn new(shared: &Arc<Shared>, lanes: Arc<Lanes<H>>) -> Arc<Self> {
        Arc::new(Self {
            shared: Arc::clone(shared),
            lanes,
        })
    }

    /// Whether an event is for the handlers: no repeat, and not taken on the way to them.
    pub(crate) fn admit(&self, delivery: &mut Delivery) -> bool {
        if self.shared.is_duplicate(delivery) {
            return false;
        }
        match self.shared.knowledge.observe(&self.shared, delivery) {
            Observed::Pass => true,
            Observed::Taken => false,
        }
    }

    /// Hands an event to the handlers when one more may wait or run. Cancel-safe up to the moment it is handed over.
    pub(crate) async fn deliver(&self, mut delivery: Delivery) {
        if !self.admit(&mut delivery) {
            return;
        }
        // The semaphore is never closed.
        if let Ok(permit) = self.lanes.permit().await {
            self.lanes.push(delivery, permit);
        }
    }

    /// Tells the handler of a failure.
    pub(crate) fn report(&self, error: BotError) {
        self.lanes.report(error);
    }
}
