//! The way of a frame: header, is it wanted, the machine, the consumer's item.

use std::time::Instant;

use bytes::Bytes;
use qq_model::gateway::{Envelope, EnvelopeError, Header};
use qq_model::{Dispatch, EventKinds};

use super::Shard;
use super::decode::Decoder;
use super::drive::Progress;
use super::raw::RawDispatch;
use super::read::utf8;
use crate::ShardError;
use crate::error::Source;
use crate::machine::{Fault, Verdict};

/// What an event's frame becomes for the consumer.
pub(super) trait Item: Sized {
    /// `None` when the frame carries no event.
    fn read(frame: &str, envelope: &Envelope<'_>, decoder: &mut Decoder) -> Option<Self>;

    /// The same in one pass over the frame, with its [presumed](Header::presumed) envelope; `None` when that is not
    /// possible.
    fn read_presumed<'a>(
        frame: &str,
        header: &Header<'a>,
        max_depth: usize,
        decoder: &mut Decoder,
    ) -> Option<(Self, Envelope<'a>)>;

    /// Takes what is kept of the frame that the item was read from.
    fn keep(&mut self, frame: Bytes, decoder: &mut Decoder);
}

impl Item for Dispatch {
    fn read(frame: &str, envelope: &Envelope<'_>, decoder: &mut Decoder) -> Option<Self> {
        decoder.dispatch(envelope, frame)
    }

    fn keep(&mut self, frame: Bytes, decoder: &mut Decoder) {
        self.text = decoder.kept(frame);
    }

    fn read_presumed<'a>(
        frame: &str,
        header: &Header<'a>,
        max_depth: usize,
        decoder: &mut Decoder,
    ) -> Option<(Self, Envelope<'a>)> {
        let envelope = header.presumed()?;
        let is_session = matches!(envelope.name.as_deref(), Some("READY" | "RESUMED"));
        if is_session {
            return None;
        }
        // What was decoded was read to its end: there is nothing else in the frame.
        let item = decoder.presumed(&envelope, frame, max_depth)?;
        Some((item, envelope))
    }
}

impl Item for RawDispatch {
    fn read(frame: &str, envelope: &Envelope<'_>, _: &mut Decoder) -> Option<Self> {
        Self::new(frame, envelope)
    }

    fn keep(&mut self, _: Bytes, _: &mut Decoder) {}

    /// Nobody looks at the payload, so its end has to be found.
    fn read_presumed<'a>(
        _: &str,
        _: &Header<'a>,
        _: usize,
        _: &mut Decoder,
    ) -> Option<(Self, Envelope<'a>)> {
        None
    }
}

impl Shard {
    /// What became of a text frame.
    pub(super) fn text<T: Item>(&mut self, bytes: Bytes, now: Instant) -> Progress<T> {
        let mut progress = match utf8(&bytes) {
            Ok(text) => self.frame(text, now),
            Err(error) => {
                self.broken(error.into(), now);
                Progress::Some
            }
        };
        if let Progress::Item(item) = &mut progress {
            T::keep(item, bytes, &mut self.decoder);
        }
        progress
    }

    pub(super) fn frame<T: Item>(&mut self, frame: &str, now: Instant) -> Progress<T> {
        self.read(frame, now)
            .unwrap_or_else(|error| self.unreadable(error))
    }

    fn unreadable<T>(&mut self, error: EnvelopeError) -> Progress<T> {
        self.malformed(error.into());
        Progress::Some
    }

    fn read<T: Item>(&mut self, frame: &str, now: Instant) -> Result<Progress<T>, EnvelopeError> {
        let mut header = Header::peek(frame)?;
        if !self.config.wants(&mut header, frame) {
            let verdict = self.machine.skip(&header, now);
            if self.delivers(verdict, header.sequence) {
                self.stats.unwanted += 1;
            }
            return Ok(Progress::Dropped);
        }
        self.read_wanted(frame, &header, now)
    }

    /// The text and the header of a frame with an event of these kinds that the consumer wants.
    #[inline(always)]
    pub(super) fn wanted_ahead<'a>(
        &self,
        bytes: &'a [u8],
        kinds: EventKinds,
    ) -> Option<(&'a str, Header<'a>)> {
        let text = utf8(bytes).ok()?;
        let mut header = Header::peek(text).ok()?;
        let kind = header.kind().filter(|kind| kinds.contains(*kind))?;
        let is_wanted = self.config.wants_event(Some(kind), &mut header, text);
        is_wanted.then_some((text, header))
    }

    /// A frame that is wanted.
    #[inline(always)]
    pub(super) fn wanted<T: Item>(
        &mut self,
        frame: &str,
        header: &Header<'_>,
        now: Instant,
    ) -> Progress<T> {
        self.read_wanted(frame, header, now)
            .unwrap_or_else(|error| self.unreadable(error))
    }

    fn read_wanted<T: Item>(
        &mut self,
        frame: &str,
        header: &Header<'_>,
        now: Instant,
    ) -> Result<Progress<T>, EnvelopeError> {
        let max_depth = self.config.limits.max_depth;
        if let Some((item, envelope)) =
            T::read_presumed(frame, header, max_depth, &mut self.decoder)
        {
            let verdict = self.machine.frame(&envelope, true, now);
            return Ok(if self.delivers(verdict, envelope.sequence) {
                Progress::Item(item)
            } else {
                Progress::Some
            });
        }
        let envelope = header.clone().envelope()?;
        let is_too_deep = envelope.depth > max_depth;
        let verdict = self.machine.frame(&envelope, !is_too_deep, now);
        if !self.delivers(verdict, envelope.sequence) {
            return Ok(Progress::Some);
        }
        self.log_session(&envelope);
        if is_too_deep {
            self.too_deep(&envelope);
            return Ok(Progress::Some);
        }
        Ok(T::read(frame, &envelope, &mut self.decoder).map_or(Progress::Some, Progress::Item))
    }

    /// Whether the event is the consumer's, if it is wanted. Counts and reports what is not as it should be.
    fn delivers(&mut self, verdict: Verdict, sequence: Option<u64>) -> bool {
        match verdict {
            Verdict::Handled => false,
            Verdict::Repeat(repeat) => {
                self.stats.repeats += 1;
                tracing::debug!(shard = %self.config.shard, sequence, "repeated event dropped");
                if let Some(repeat) = repeat {
                    self.errors
                        .push_back(ShardError::harmless(Fault::Repeat(repeat), None));
                }
                false
            }
            Verdict::Deliver(None) => true,
            Verdict::Deliver(Some(gap)) => {
                self.stats.gaps += 1;
                tracing::warn!(shard = %self.config.shard, after = gap.after, received = gap.received, "events are missing");
                self.errors
                    .push_back(ShardError::harmless(Fault::Gap(gap), None));
                true
            }
        }
    }

    fn log_session(&self, envelope: &Envelope<'_>) {
        let how = match envelope.name.as_deref() {
            Some("READY") => "ready",
            Some("RESUMED") => "resumed",
            _ => return,
        };
        if let Some((session, sequence)) = self.machine.session() {
            tracing::info!(shard = %self.config.shard, %session, sequence, "{how}");
        }
    }

    fn too_deep(&mut self, envelope: &Envelope<'_>) {
        self.stats.malformed += 1;
        tracing::warn!(shard = %self.config.shard, sequence = envelope.sequence, depth = envelope.depth, "event nested too deep dropped");
        self.errors
            .push_back(ShardError::harmless(Fault::TooDeep, None));
    }

    pub(super) fn malformed(&mut self, source: Source) {
        self.stats.malformed += 1;
        tracing::warn!(shard = %self.config.shard, error = &*source as &dyn std::error::Error, "malformed frame dropped");
        self.errors
            .push_back(ShardError::harmless(Fault::Malformed, Some(source)));
    }
}
