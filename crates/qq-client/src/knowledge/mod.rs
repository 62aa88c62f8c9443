//! What the client knows of what it has seen.

mod settings;

pub(crate) use self::settings::KnowledgeSettings;

use std::sync::Arc;

use qq_model::Event;

/// What one client knows.
pub(crate) struct Knowledge {}

/// What becomes of an event that was observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Observed {
    /// Handlers see it.
    Pass,
}

impl Knowledge {
    pub(crate) const fn new(_settings: &KnowledgeSettings) -> Self {
        Self {}
    }

    /// Takes note of an event that is no duplicate, before handlers see it.
    pub(crate) const fn observe(&self, _event: &Arc<Event>) -> Observed {
        Observed::Pass
    }
}
