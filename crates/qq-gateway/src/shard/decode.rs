//! Decoding payloads: the one place that knows which JSON library does it.

use qq_model::Dispatch;
use qq_model::gateway::Envelope;

/// Decodes payloads, with memory that it keeps from event to event.
#[derive(Default)]
pub(super) struct Decoder {}

impl Decoder {
    /// The event in a frame; `None` when it carries none.
    pub(super) fn dispatch(&mut self, envelope: &Envelope<'_>) -> Option<Dispatch> {
        Dispatch::decode(envelope)
    }
}
