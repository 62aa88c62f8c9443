//! Which events of a session were published, and up to which nothing is missing.

use std::collections::BTreeSet;

/// The position of a session: every event up to it was published.
#[derive(Debug, Default)]
pub(crate) struct Outstanding {
    begun: BTreeSet<u64>,
    newest: u64,
}

impl Outstanding {
    /// An event was read.
    pub(crate) fn begin(&mut self, sequence: u64) {
        self.begun.insert(sequence);
        self.newest = self.newest.max(sequence);
    }

    /// An event was published, or needs not be.
    pub(crate) fn finish(&mut self, sequence: u64) {
        self.begun.remove(&sequence);
        self.newest = self.newest.max(sequence);
    }

    /// Every event up to this number was published.
    pub(crate) fn position(&self) -> u64 {
        self.begun
            .first()
            .map_or(self.newest, |first| first.saturating_sub(1))
    }

    /// A new session counts anew.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_position_waits_for_the_first_that_is_missing() {
        let mut outstanding = Outstanding::default();
        for sequence in 1..=4 {
            outstanding.begin(sequence);
        }
        assert_eq!(outstanding.position(), 0);
        outstanding.finish(2);
        assert_eq!(outstanding.position(), 0);
        outstanding.finish(1);
        assert_eq!(outstanding.position(), 2);
        outstanding.finish(4);
        outstanding.finish(3);
        assert_eq!(outstanding.position(), 4);
        outstanding.clear();
        assert_eq!(outstanding.position(), 0);
    }
}
