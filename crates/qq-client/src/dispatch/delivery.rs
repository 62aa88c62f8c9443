//! An event on its way to the handlers.

use std::sync::Arc;

use qq_cache::Changes;
use qq_model::id::EventId;
use qq_model::{Dispatch, Event};
use tokio::time::Instant;

use crate::status::Source;

/// An event with all that is known about how it came.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    /// The event, decoded once.
    pub(crate) event: Arc<Event>,
    /// The outer id, which `event_id` of a reply takes.
    pub(crate) event_id: Option<EventId>,
    /// Where it came from.
    #[expect(dead_code, reason = "read by the parts that land next")]
    pub(crate) source: Source,
    /// Its number in the session of its source.
    pub(crate) sequence: Option<u64>,
    /// When this process took it.
    pub(crate) received_at: Instant,
    /// Whether an earlier process may have begun to handle it and did not finish.
    pub(crate) is_redelivered: bool,
    /// What it changed in the cache.
    pub(crate) changes: Changes,
}

impl Delivery {
    pub(crate) fn new(dispatch: Dispatch, source: Source) -> Self {
        Self {
            event: Arc::new(dispatch.event),
            event_id: dispatch.id,
            source,
            sequence: dispatch.sequence,
            received_at: Instant::now(),
            is_redelivered: false,
            changes: Changes::default(),
        }
    }
}
