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
    /// A RESUME was sent, and RESUMED has not come yet.
    is_replaying: bool,
    /// How many RESUMED may have been sent that did not come here. Each has a number, and no replay brings it again.
    missed_resumed: u32,
}

impl Track {
    pub(super) const fn new(id: SessionId, sequence: u64) -> Self {
        Self {
            id,
            received: sequence,
            yielded: sequence,
            acknowledged: sequence,
            is_replaying: false,
            missed_resumed: 0,
        }
    }

    /// The session of another process. It may have been resumed since this was its position.
    pub(super) const fn taken_over(id: SessionId, sequence: u64) -> Self {
        let mut track = Self::new(id, sequence);
        track.missed_resumed = 1;
        track
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

    /// RESUME is sent.
    pub(super) const fn resume(&mut self) {
        if self.is_replaying {
            self.missed_resumed = self.missed_resumed.saturating_add(1);
        }
        self.is_replaying = true;
    }

    /// RESUMED has come: whatever is missing from now on is no other RESUMED.
    pub(super) const fn resumed(&mut self) {
        self.is_replaying = false;
        self.missed_resumed = 0;
    }

    /// Takes the number of an event; `wanted` ones are the consumer's to acknowledge.
    pub(super) const fn see(&mut self, sequence: u64, wanted: bool) -> Seen {
        if sequence <= self.received {
            return Seen::Repeat(SequenceRepeat {
                newest: self.received,
                received: sequence,
            });
        }
        let missing = sequence - self.received - 1;
        let gap = if self.received == 0 || missing == 0 {
            None
        } else if missing == 1 && self.missed_resumed > 0 {
            self.missed_resumed -= 1;
            None
        } else {
            Some(SequenceGap {
                after: self.received,
                received: sequence,
            })
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

    /// The numbers of a replay that are reported to be missing.
    fn replay(track: &mut Track, sequences: &[u64]) -> Vec<u64> {
        track.resume();
        let gaps = sequences
            .iter()
            .filter(|sequence| matches!(track.see(**sequence, true), Seen::New(Some(_))));
        gaps.copied().collect()
    }

    #[test]
    fn a_resumed_that_did_not_come_leaves_no_gap() {
        let mut track = Track::new(SessionId::new("s"), 5);
        // The first RESUME: nothing can have used a number up.
        assert_eq!(replay(&mut track.clone(), &[7]), [7]);
        // It was not answered; its RESUMED may have been one number, and only one.
        assert!(replay(&mut track, &[6]).is_empty());
        assert_eq!(replay(&mut track.clone(), &[7, 9, 11]), [11]);
        assert_eq!(replay(&mut track.clone(), &[9]), [9]);
        track.resumed();
        assert_eq!(
            track.see(8, true),
            Seen::New(Some(SequenceGap {
                after: 6,
                received: 8
            }))
        );

        let mut track = Track::taken_over(SessionId::new("s"), 5);
        assert_eq!(replay(&mut track, &[6, 8, 10]), [10]);
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
