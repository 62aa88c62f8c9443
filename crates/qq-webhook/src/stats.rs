//! Counters of what became of requests.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::ErrorKind;

/// What became of all requests since the verifier was built. See [`Verifier::stats`](crate::Verifier::stats).
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Events that were taken.
    pub accepted: u64,
    /// Events that had been taken before; acknowledged and dropped.
    pub repeated: u64,
    /// Frames that no one wants: kinds that were not asked for, unknown opcodes. Acknowledged and dropped.
    pub ignored: u64,
    /// Address checks that were answered (opcode 13).
    pub validations: u64,
    /// Heartbeats that were answered (opcode 1).
    pub heartbeats: u64,
    /// Ids of events that were forgotten early, because more events came than the memory for ids holds. When this
    /// grows, [`replay_capacity`](crate::VerifierBuilder::replay_capacity) is too small.
    pub forgotten: u64,
    refused: Box<[u64]>,
}

impl Stats {
    /// Requests that were refused for this reason.
    #[must_use]
    pub fn refused(&self, kind: ErrorKind) -> u64 {
        self.refused.get(kind as usize).copied().unwrap_or_default()
    }

    /// Requests that were refused for any reason.
    #[must_use]
    pub fn refused_total(&self) -> u64 {
        self.refused.iter().sum()
    }
}

impl fmt::Debug for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Stats");
        debug
            .field("accepted", &self.accepted)
            .field("repeated", &self.repeated)
            .field("ignored", &self.ignored)
            .field("validations", &self.validations)
            .field("heartbeats", &self.heartbeats)
            .field("forgotten", &self.forgotten);
        for kind in ErrorKind::ALL
            .iter()
            .filter(|kind| self.refused(**kind) > 0)
        {
            debug.field(kind.label(), &self.refused(*kind));
        }
        debug.finish()
    }
}

/// The counters themselves.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) accepted: Counter,
    pub(crate) repeated: Counter,
    pub(crate) ignored: Counter,
    pub(crate) validations: Counter,
    pub(crate) heartbeats: Counter,
    pub(crate) forgotten: Counter,
    refused: [Counter; ErrorKind::ALL.len()],
}

impl Counters {
    pub(crate) fn refused(&self, kind: ErrorKind) {
        if let Some(counter) = self.refused.get(kind as usize) {
            counter.add(1);
        }
    }

    pub(crate) fn snapshot(&self) -> Stats {
        Stats {
            accepted: self.accepted.get(),
            repeated: self.repeated.get(),
            ignored: self.ignored.get(),
            validations: self.validations.get(),
            heartbeats: self.heartbeats.get(),
            forgotten: self.forgotten.get(),
            refused: self.refused.iter().map(Counter::get).collect(),
        }
    }
}

/// A number that only grows. Nothing is ordered by it.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
