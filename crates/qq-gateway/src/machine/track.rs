//! The position in a session.

use qq_model::id::SessionId;

use super::fault::{SequenceGap, SequenceRepeat};
use crate::AckMode;

/// What became of an event's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// Not seen before in this session, perhaps after a hole.
    New(Option<SequenceGap>),
    /// Seen before.
    Repeat(SequenceRepeat),
}

/// A session and how far it was received, yielded and acknowledged.
#[derive(Clone, Debug)]
pub(super) struct Track {
    id: SessionId,
    received: u64,
    /// The newest event that the consumer has to acknowledge.
    yielded: u64,
    acknowledged: u64,
}

impl Track {
    pub(super) const fn new(id: SessionId, sequence: u64) -> Self {
        Self {
            id,
            received: sequence,
            yielded: sequence,
            acknowledged: sequence,
        }
    }

    pub(super) const fn id(&self) -> &SessionId {
        &self.id
    }

    /// READY may lack the id, which leaves nothing to resume.
    pub(super) fn is_resumable(&self) -> bool {
        !self.id.is_empty()
    }

    /// The session cannot be resumed any more. What its connection still brings is told from repeats.
    pub(super) fn give_up(&mut self) {
        self.id = SessionId::default();
    }

    /// The newest number received: what heartbeats carry.
    pub(super) const fn received(&self) -> u64 {
        self.received
    }

    /// Takes the number of an event; `wanted` ones are the consumer's to acknowledge.
    pub(super) const fn see(&mut self, sequence: u64, wanted: bool) -> Seen {
        if sequence <= self.received {
            return Seen::Repeat(SequenceRepeat {
                newest: self.received,
                received: sequence,
            });
        }
        let gap = if self.received > 0 && sequence - self.received > 1 {
            Some(SequenceGap {
                after: self.received,
                received: sequence,
            })
        } else {
            None
        };
        if wanted {
            // With nothing left to acknowledge, what nobody wanted before this event is done as well.
            if self.acknowledged >= self.yielded {
                self.acknowledged = self.received;
            }
            self.yielded = sequence;
        }
        self.received = sequence;
        Seen::New(gap)
    }

    pub(super) fn acknowledge(&mut self, sequence: u64) {
        // A number beyond what was received belongs to an earlier session.
        if sequence <= self.received {
            self.acknowledged = self.acknowledged.max(sequence);
        }
    }

    /// Where RESUME goes on from.
    pub(super) fn position(&self, mode: AckMode) -> u64 {
        match mode {
            AckMode::Manual if self.acknowledged < self.yielded => self.acknowledged,
            AckMode::Manual | AckMode::Automatic => self.received,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_never_goes_back() {
        let mut track = Track::new(SessionId::new("s"), 5);
        assert_eq!(track.see(6, true), Seen::New(None));
        for received in [6, 2] {
            let repeat = SequenceRepeat {
                newest: 6,
                received,
            };
            assert_eq!(track.see(received, true), Seen::Repeat(repeat));
        }
        assert_eq!(
            track.see(9, true),
            Seen::New(Some(SequenceGap {
                after: 6,
                received: 9
            }))
        );
        assert_eq!(track.received(), 9);
    }

    #[test]
    fn the_first_number_of_a_session_without_one_is_no_gap() {
        assert_eq!(
            Track::new(SessionId::new("s"), 0).see(7, true),
            Seen::New(None)
        );
    }

    #[test]
    fn the_manual_position_follows_acknowledgements() {
        let mut track = Track::new(SessionId::new("s"), 1);
        for sequence in 2..=4 {
            track.see(sequence, true);
        }
        assert_eq!(
            (
                track.position(AckMode::Automatic),
                track.position(AckMode::Manual)
            ),
            (4, 1)
        );
        track.acknowledge(3);
        track.acknowledge(2);
        track.acknowledge(99);
        assert_eq!(track.position(AckMode::Manual), 3);
        track.see(5, false);
        assert_eq!(track.position(AckMode::Manual), 3);
        track.acknowledge(4);
        assert_eq!(track.position(AckMode::Manual), 5);
        track.see(6, true);
        assert_eq!(track.position(AckMode::Manual), 5);
    }
}
