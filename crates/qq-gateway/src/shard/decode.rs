//! Decoding payloads: the one place that knows which JSON library does it.

use std::ops::Range;

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
    /// Where the text stands in the frame that was decoded last, if it is kept.
    text: Option<Range<usize>>,
    #[cfg(feature = "simd-json")]
    scratch: Scratch,
}

impl Decoder {
    /// The event in a frame; `None` when it carries none.
    pub(super) fn dispatch(&mut self, envelope: &Envelope<'_>, frame: &str) -> Option<Dispatch> {
        #[cfg(feature = "simd-json")]
        let decode = |name: &str, data: &str| {
            self.scratch
                .decode(name, data, envelope.depth)
                .unwrap_or_else(|| Event::decode(name, data))
        };
        #[cfg(not(feature = "simd-json"))]
        let decode = Event::decode;
        let dispatch = Dispatch::decode_with(envelope, decode)?;
        self.note_text(&dispatch.event, envelope, frame);
        Some(dispatch)
    }

    /// The same for an envelope that is [presumed](qq_model::gateway::Header::presumed): `None` where it is not what it seems
    /// to be, is nested too deep, or has an event that is not known or cannot be read.
    pub(super) fn presumed(
        &mut self,
        envelope: &Envelope<'_>,
        frame: &str,
        max_depth: usize,
    ) -> Option<Dispatch> {
        #[cfg(feature = "simd-json")]
        let dispatch = {
            let depth = super::simd::depth_at_most(envelope.data).max(envelope.depth);
            if depth > max_depth {
                return None;
            }
            let decode = |name: &str, data: &str| {
                let decoded = self.scratch.decode(name, data, depth);
                decoded.unwrap_or_else(|| Event::decode(name, data))
            };
            Dispatch::decode_with(envelope, decode).filter(|dispatch| {
                let event = &dispatch.event;
                !matches!(event, Event::Unknown { .. } | Event::Undecodable { .. })
            })?
        };
        #[cfg(not(feature = "simd-json"))]
        let dispatch = Dispatch::decode_within(envelope, max_depth)?;
        self.note_text(&dispatch.event, envelope, frame);
        Some(dispatch)
    }

    /// Notes where the text of an event is.
    fn note_text(&mut self, event: &Event, envelope: &Envelope<'_>, frame: &str) {
        let is_kept = !self.keep_text.is_empty()
            && event
                .kind()
                .is_some_and(|kind| self.keep_text.contains(kind));
        self.text = is_kept
            .then(|| JsonText::place(frame, envelope.data))
            .flatten();
    }

    /// The text that is kept of the frame that was decoded last.
    pub(super) fn kept(&mut self, frame: Bytes) -> Option<JsonText> {
        Some(JsonText::cut(frame, self.text.take()?))
    }
}
