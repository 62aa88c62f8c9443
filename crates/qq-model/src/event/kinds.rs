//! Sets of event kinds.

use std::fmt;

use super::EventKind;

/// A set of [`EventKind`]s, one bit each.
///
/// ```
/// use qq_model::{EventKind, EventKinds};
///
/// let wanted = EventKinds::from_iter([EventKind::C2CMessageCreate, EventKind::GroupAtMessageCreate]);
/// assert!(wanted.contains(EventKind::C2CMessageCreate));
/// assert!(!wanted.contains(EventKind::Ready));
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct EventKinds(u64);

const _: () = assert!(EventKind::ALL.len() <= u64::BITS as usize);

impl EventKinds {
    /// The set of every kind that this version knows.
    #[must_use]
    pub fn all() -> Self {
        EventKind::ALL.iter().copied().collect()
    }

    /// The empty set.
    #[must_use]
    pub const fn none() -> Self {
        Self(0)
    }

    /// Whether the kind is in the set.
    #[must_use]
    pub const fn contains(self, kind: EventKind) -> bool {
        self.0 & bit(kind) != 0
    }

    /// The set with this kind as well.
    #[must_use]
    pub const fn with(self, kind: EventKind) -> Self {
        Self(self.0 | bit(kind))
    }

    /// The set without this kind.
    #[must_use]
    pub const fn without(self, kind: EventKind) -> Self {
        Self(self.0 & !bit(kind))
    }

    /// How many kinds are in the set.
    #[must_use]
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether no kind is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The kinds in the order of the event table.
    #[must_use]
    pub const fn iter(self) -> Iter {
        Iter { set: self, next: 0 }
    }
}

const fn bit(kind: EventKind) -> u64 {
    1 << kind as u32
}

impl FromIterator<EventKind> for EventKinds {
    fn from_iter<I: IntoIterator<Item = EventKind>>(kinds: I) -> Self {
        kinds.into_iter().fold(Self::none(), Self::with)
    }
}

impl IntoIterator for EventKinds {
    type Item = EventKind;
    type IntoIter = Iter;

    fn into_iter(self) -> Iter {
        self.iter()
    }
}

impl fmt::Debug for EventKinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(*self).finish()
    }
}

/// The kinds of a set; see [`EventKinds::iter`].
#[derive(Clone, Debug)]
pub struct Iter {
    set: EventKinds,
    next: usize,
}

impl Iterator for Iter {
    type Item = EventKind;

    fn next(&mut self) -> Option<EventKind> {
        loop {
            let kind = *EventKind::ALL.get(self.next)?;
            self.next += 1;
            if self.set.contains(kind) {
                return Some(kind);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_disjoint() {
        assert_eq!(EventKinds::all().len(), EventKind::ALL.len());
        for kind in EventKind::ALL {
            let one = EventKinds::none().with(*kind);
            assert_eq!(one.len(), 1);
            assert_eq!(one.iter().collect::<Vec<_>>(), [*kind]);
            assert!(!EventKinds::all().without(*kind).contains(*kind));
        }
    }
}
