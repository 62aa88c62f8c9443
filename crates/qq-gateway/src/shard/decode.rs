//! Decoding payloads: the one place that knows which JSON library does it.

use bytes::Bytes;
use qq_model::gateway::Envelope;
use qq_model::{Dispatch, Event, EventKinds, JsonText};

#[cfg(feature = "simd-json")]
use super::simd::Scratch;

/// Decodes payloads, with memory that it keeps from event to event.
#[derive(Default)]
pub(super) struct Decoder {
    /// The kinds whose text is kept.
    pub(super) keep_text: EventKinds,
    #[cfg(feature = "simd-json")]
    scratch: Scratch,
}

impl Decoder {
    /// The event in a frame; `None` when it carries none.
    pub(super) fn dispatch(&mut self, envelope: &Envelope<'_>, frame: &Bytes) -> Option<Dispatch> {
        #[cfg(feature = "simd-json")]
        let decode = |name: &str, data: &str| {
            self.scratch
                .decode(name, data, envelope.depth)
                .unwrap_or_else(|| Event::decode(name, data))
        };
        #[cfg(not(feature = "simd-json"))]
        let decode = Event::decode;
        let mut dispatch = Dispatch::decode_with(envelope, decode)?;
        if !self.keep_text.is_empty()
            && let Some(kind) = dispatch.event.kind()
            && self.keep_text.contains(kind)
        {
            dispatch.text = Some(JsonText::part_of(frame, envelope.data));
        }
        Some(dispatch)
    }
}
