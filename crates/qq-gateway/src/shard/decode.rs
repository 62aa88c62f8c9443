//! Decoding payloads: the one place that knows which JSON library does it.

use qq_model::gateway::Envelope;
use qq_model::{Dispatch, Event};

#[cfg(feature = "simd-json")]
use super::simd::Scratch;

/// Decodes payloads, with memory that it keeps from event to event.
#[derive(Default)]
pub(super) struct Decoder {
    #[cfg(feature = "simd-json")]
    scratch: Scratch,
}

impl Decoder {
    /// The event in a frame; `None` when it carries none.
    pub(super) fn dispatch(&mut self, envelope: &Envelope<'_>) -> Option<Dispatch> {
        #[cfg(feature = "simd-json")]
        let decode = |name: &str, data: &str| {
            self.scratch
                .decode(name, data, envelope.depth)
                .unwrap_or_else(|| Event::decode(name, data))
        };
        #[cfg(not(feature = "simd-json"))]
        let decode = Event::decode;
        Dispatch::decode_with(envelope, decode)
    }
}
