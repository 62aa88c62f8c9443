//! Entries by the time of something that happened to them.

use super::{Column, Links, List};
use crate::clock::Nanos;

/// All entries of a shard from the newest to the oldest, and when each became the newest if that matters.
pub(crate) struct Order {
    links: Links,
    list: List,
    timed: Option<Timed>,
}

struct Timed {
    limit: Nanos,
    since: Column<Nanos>,
}

impl Order {
    /// `limit` is the age from which an entry counts as expired.
    pub(crate) fn new(limit: Option<Nanos>) -> Self {
        Self {
            links: Links::new(),
            list: List::EMPTY,
            timed: limit.map(|limit| Timed {
                limit,
                since: Column::new(),
            }),
        }
    }

    pub(crate) fn push(&mut self, now: Nanos) {
        self.links.push(&mut self.list);
        if let Some(timed) = &mut self.timed {
            timed.since.push(now);
        }
    }

    pub(crate) fn refresh(&mut self, at: u32, now: Nanos) {
        self.links.refresh(&mut self.list, at);
        if let Some(timed) = &mut self.timed {
            *timed.since.get_mut(at) = now;
        }
    }

    /// Asks for the memory that [`refresh`](Self::refresh) will look at.
    pub(crate) fn prefetch(&self, at: u32) {
        self.links.prefetch(at);
    }

    /// Removes the entry at `at`; the last one, from `last`, takes its place.
    pub(crate) fn swap_remove(&mut self, at: u32, last: u32) {
        self.links.detach(&mut self.list, at);
        self.links.swap_remove(at);
        if at != last {
            self.links.moved(&mut self.list, at);
        }
        if let Some(timed) = &mut self.timed {
            timed.since.swap_remove(at);
        }
    }

    pub(crate) fn is_expired(&self, at: u32, now: Nanos) -> bool {
        self.timed
            .as_ref()
            .is_some_and(|timed| now.saturating_sub(*timed.since.get(at)) >= timed.limit)
    }

    pub(crate) const fn oldest(&self) -> Option<u32> {
        self.list.oldest()
    }

    pub(crate) fn oldest_expired(&self, now: Nanos) -> Option<u32> {
        self.oldest().filter(|at| self.is_expired(*at, now))
    }

    pub(crate) fn bytes(&self) -> usize {
        let times = self.timed.as_ref().map_or(0, |timed| timed.since.bytes());
        self.links.bytes() + times
    }
}

#[cfg(test)]
impl Order {
    /// Checks that every entry is in the list once, and that times and order agree.
    pub(super) fn verify(&self, len: usize) {
        let mut seen: Vec<_> = self.links.iter(&self.list).collect();
        assert_eq!(seen.last().copied(), self.oldest());
        if let Some(timed) = &self.timed {
            assert!(seen.is_sorted_by(|newer, older| timed.since.get(*newer) >= timed.since.get(*older)));
        }
        seen.sort_unstable();
        assert!(seen.iter().map(|at| *at as usize).eq(0..len));
    }
}
