//! Who waits, who runs, and for whom there is room. Plain data: the tasks are in [`super::executor`].

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasherDefault;

use super::lane::Lane;
use super::overflow::{DropReason, OverflowPolicy};
use super::prehashed::Prehashed;

/// The bounds of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Events that wait or run.
    pub(crate) capacity: usize,
    pub(crate) overflow: OverflowPolicy,
    /// Events of one conversation that wait or run; `None` without a bound of its own.
    pub(crate) conversation: Option<usize>,
    pub(crate) conversation_overflow: OverflowPolicy,
}

/// How many lanes with one job are looked for one after the other.
const ALONE: usize = 8;

/// Jobs by lane. Lanes without a job are not in it, so a quiet conversation costs nothing.
pub(crate) struct Table<J> {
    bounds: Bounds,
    /// Lanes with one job, which runs: where jobs return at once there is hardly ever another one.
    alone: Vec<u64>,
    /// The other lanes.
    lanes: HashMap<u64, Waiting<J>, BuildHasherDefault<Prehashed>>,
    /// Jobs that wait or run within the bound of their conversation.
    regular: usize,
    /// Jobs beyond it. They have places of their own, so that one conversation cannot take those of all others.
    excess: usize,
    /// The lanes of jobs in the order in which they began to wait, for [`OverflowPolicy::DropOldest`]; entries of jobs
    /// that wait no more are skipped.
    order: VecDeque<(u64, u64)>,
    next_ticket: u64,
}

struct Waiting<J> {
    jobs: VecDeque<(u64, J)>,
    /// Those and the one that runs.
    len: usize,
}

/// What becomes of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It may run now.
    Run,
    /// It was taken, and waits for its lane.
    Queued,
    /// There is no room yet.
    Full,
    /// There is no room, and nothing waits for any.
    Dropped(DropReason),
}

/// A job that was dropped in favour of another: seldom, so that it is boxed.
pub(crate) type Evicted<J> = Option<Box<(J, DropReason)>>;

impl<J> Table<J> {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            alone: Vec::with_capacity(ALONE),
            lanes: HashMap::default(),
            regular: 0,
            excess: 0,
            order: VecDeque::new(),
            next_ticket: 0,
        }
    }

    /// Jobs that wait or run.
    pub(crate) const fn len(&self) -> usize {
        self.regular + self.excess
    }

    /// Jobs that wait for their lane.
    pub(crate) fn waiting(&self) -> usize {
        self.lanes.values().map(|lane| lane.jobs.len()).sum()
    }

    /// Finds a place for a job, and takes it where it has to wait for others: one that runs at once need not be moved.
    pub(crate) fn admit(
        &mut self,
        lane: Option<Lane>,
        job: &mut Option<J>,
    ) -> (Admission, Evicted<J>) {
        let Some(lane) = lane.map(Lane::number) else {
            return match self.make_room() {
                Room::Free(evicted) => {
                    self.regular += 1;
                    (Admission::Run, evicted)
                }
                Room::None => (Admission::Full, None),
                Room::Refused => (Admission::Dropped(DropReason::Capacity), None),
            };
        };
        if let Some(bound) = self.bounds.conversation
            && self.len_of(lane) >= bound
        {
            let reason = DropReason::ConversationCapacity;
            return match self.bounds.conversation_overflow {
                OverflowPolicy::Wait if self.excess >= self.excess_capacity() => {
                    (Admission::Full, None)
                }
                OverflowPolicy::Wait => {
                    self.excess += 1;
                    (self.place(lane, job), None)
                }
                OverflowPolicy::DropNewest => (Admission::Dropped(reason), None),
                OverflowPolicy::DropOldest => match self.evict(lane) {
                    Some(oldest) => {
                        self.regular += 1;
                        (self.place(lane, job), Some(Box::new((oldest, reason))))
                    }
                    None => (Admission::Dropped(reason), None),
                },
            };
        }
        match self.make_room() {
            Room::Free(evicted) => {
                self.regular += 1;
                (self.place(lane, job), evicted)
            }
            Room::None => (Admission::Full, None),
            Room::Refused => (Admission::Dropped(DropReason::Capacity), None),
        }
    }

    /// A job of this lane has ended; the next one, which runs from now on.
    pub(crate) fn finish(&mut self, lane: Option<Lane>) -> Option<J> {
        let Some(lane) = lane.map(Lane::number) else {
            self.regular = self.regular.saturating_sub(1);
            return None;
        };
        if let Some(place) = self.alone_at(lane) {
            self.alone.swap_remove(place);
            self.release(1);
            return None;
        }
        let Entry::Occupied(mut waiting) = self.lanes.entry(lane) else {
            return None;
        };
        let len = waiting.get().len;
        if len <= 1 {
            waiting.remove();
            self.release(len);
            return None;
        }
        let waiting = waiting.get_mut();
        waiting.len -= 1;
        let next = waiting.jobs.pop_front();
        self.release(len);
        next.map(|(_, job)| job)
    }

    /// Everything that waits, as when a client stops.
    pub(crate) fn clear(&mut self) -> Vec<J> {
        self.order.clear();
        self.alone.clear();
        let waiting = self.lanes.drain().flat_map(|(_, lane)| lane.jobs);
        waiting.map(|(_, job)| job).collect()
    }

    /// Places for jobs beyond the bound of their conversation. There are some only where these wait.
    const fn excess_capacity(&self) -> usize {
        match (self.bounds.conversation, self.bounds.conversation_overflow) {
            (Some(_), OverflowPolicy::Wait) => self.bounds.capacity / 2,
            _ => 0,
        }
    }

    /// Room for one more job within the bound of its conversation.
    fn make_room(&mut self) -> Room<J> {
        if self.regular < self.bounds.capacity - self.excess_capacity() {
            return Room::Free(None);
        }
        match self.bounds.overflow {
            OverflowPolicy::Wait => Room::None,
            OverflowPolicy::DropNewest => Room::Refused,
            OverflowPolicy::DropOldest => match self.evict_oldest() {
                Some(oldest) => Room::Free(Some(Box::new((oldest, DropReason::Capacity)))),
                None => Room::Refused,
            },
        }
    }

    fn place(&mut self, lane: u64, job: &mut Option<J>) -> Admission {
        let alone = self.alone_at(lane);
        let is_known =
            alone.is_some() || (!self.lanes.is_empty() && self.lanes.contains_key(&lane));
        if !is_known && self.alone.len() < ALONE {
            self.alone.push(lane);
            return Admission::Run;
        }
        if let Some(place) = alone {
            self.alone.swap_remove(place);
        }
        let waiting = self.lanes.entry(lane).or_insert_with(|| Waiting {
            jobs: VecDeque::new(),
            len: usize::from(alone.is_some()),
        });
        waiting.len += 1;
        if waiting.len == 1 {
            return Admission::Run;
        }
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        waiting.jobs.extend(job.take().map(|job| (ticket, job)));
        self.remember(lane, ticket);
        Admission::Queued
    }

    fn alone_at(&self, lane: u64) -> Option<usize> {
        self.alone.iter().position(|alone| *alone == lane)
    }

    /// Jobs of a lane, with the one that runs.
    fn len_of(&self, lane: u64) -> usize {
        match self.lanes.get(&lane) {
            Some(lane) => lane.len,
            None => usize::from(self.alone_at(lane).is_some()),
        }
    }

    /// The job that has waited longest in this lane loses its place.
    fn evict(&mut self, lane: u64) -> Option<J> {
        let waiting = self.lanes.get_mut(&lane)?;
        let (_, job) = waiting.jobs.pop_front()?;
        let len = waiting.len;
        // The one that runs is left.
        waiting.len -= 1;
        self.release(len);
        Some(job)
    }

    /// The job that has waited longest of all loses its place, among those within the bound of their conversation.
    fn evict_oldest(&mut self) -> Option<J> {
        while let Some((lane, ticket)) = self.order.pop_front() {
            if self.waits(lane, ticket) {
                return self.evict(lane);
            }
        }
        None
    }

    /// Whether this is the job that has waited longest in its lane.
    fn waits(&self, lane: u64, ticket: u64) -> bool {
        let oldest = self.lanes.get(&lane).and_then(|lane| lane.jobs.front());
        oldest.is_some_and(|(oldest, _)| *oldest <= ticket)
    }

    fn remember(&mut self, lane: u64, ticket: u64) {
        if self.bounds.overflow != OverflowPolicy::DropOldest {
            return;
        }
        if self.order.len() >= self.bounds.capacity.saturating_mul(2) {
            let mut order = std::mem::take(&mut self.order);
            order.retain(|(lane, ticket)| self.waits(*lane, *ticket));
            self.order = order;
        }
        self.order.push_back((lane, ticket));
    }

    /// One job is gone from a lane that had so many.
    fn release(&mut self, len: usize) {
        let is_excess = self.bounds.conversation.is_some_and(|bound| len > bound);
        let places = if is_excess {
            &mut self.excess
        } else {
            &mut self.regular
        };
        *places = places.saturating_sub(1);
    }
}

enum Room<J> {
    Free(Evicted<J>),
    None,
    Refused,
}

#[cfg(test)]
mod tests {
    use qq_model::Event;

    use super::super::lane::LaneKeys;
    use super::*;

    const BOUNDS: Bounds = Bounds {
        capacity: 4,
        overflow: OverflowPolicy::Wait,
        conversation: None,
        conversation_overflow: OverflowPolicy::Wait,
    };

    /// What became of a job, with the job.
    #[derive(Debug, PartialEq, Eq)]
    enum Put {
        Run(u32),
        Queued,
        Full(u32),
        Dropped(u32, DropReason),
    }

    fn put(table: &mut Table<u32>, lane: Option<Lane>, job: u32) -> (Put, Evicted<u32>) {
        let mut kept = Some(job);
        let (admission, evicted) = table.admit(lane, &mut kept);
        let was_taken = admission == Admission::Queued;
        assert_eq!(kept, Some(job).filter(|_| !was_taken));
        let put = match admission {
            Admission::Run => Put::Run(job),
            Admission::Queued => Put::Queued,
            Admission::Full => Put::Full(job),
            Admission::Dropped(reason) => Put::Dropped(job, reason),
        };
        (put, evicted)
    }

    fn lanes<const N: usize>() -> [Option<Lane>; N] {
        let keys = LaneKeys::default();
        std::array::from_fn(|n| {
            let data = format!(r#"{{"id":"m","group_openid":"G{n}"}}"#);
            let event = Event::decode("GROUP_MESSAGE_CREATE", &data);
            keys.of(&event, event.conversation().as_ref())
        })
    }

    #[test]
    fn a_lane_runs_one_after_another() {
        let [a, b] = lanes();
        let mut table = Table::new(BOUNDS);
        assert_eq!(put(&mut table, a, 1), (Put::Run(1), None));
        assert_eq!(put(&mut table, a, 2), (Put::Queued, None));
        assert_eq!(put(&mut table, b, 3), (Put::Run(3), None));
        assert_eq!((table.len(), table.waiting()), (3, 1));
        assert_eq!(table.finish(a), Some(2));
        assert_eq!(table.finish(a), None);
        assert_eq!(table.finish(b), None);
        assert_eq!(
            (table.len(), table.lanes.len(), table.alone.len()),
            (0, 0, 0)
        );
        assert_eq!(put(&mut table, None, 4), (Put::Run(4), None));
        assert_eq!(table.finish(None), None);
        assert_eq!(table.len(), 0);
    }

    #[test]
    fn a_full_table_waits_or_drops() {
        let [a, b] = lanes();
        for (overflow, after) in [
            (OverflowPolicy::Wait, (Put::Full(9), None)),
            (
                OverflowPolicy::DropNewest,
                (Put::Dropped(9, DropReason::Capacity), None),
            ),
            (
                OverflowPolicy::DropOldest,
                (Put::Run(9), Some(Box::new((1, DropReason::Capacity)))),
            ),
        ] {
            let mut table = Table::new(Bounds { overflow, ..BOUNDS });
            for n in 0..4 {
                put(&mut table, a, n);
            }
            assert_eq!(put(&mut table, b, 9), after, "{overflow:?}");
            assert_eq!(table.len(), 4);
        }
        let mut table = Table::new(Bounds {
            capacity: 1,
            overflow: OverflowPolicy::DropOldest,
            ..BOUNDS
        });
        put(&mut table, a, 1);
        let refused = (Put::Dropped(2, DropReason::Capacity), None);
        assert_eq!(put(&mut table, b, 2), refused, "the one that runs is left");
    }

    #[test]
    fn a_full_conversation_leaves_room_for_others() {
        let [a, b, c] = lanes();
        let bounds = Bounds {
            capacity: 8,
            conversation: Some(2),
            ..BOUNDS
        };
        let mut table = Table::new(bounds);
        for n in 0..6 {
            assert!(!matches!(put(&mut table, a, n).0, Put::Full(_)), "{n}");
        }
        assert_eq!(put(&mut table, a, 6).0, Put::Full(6), "half of the places");
        assert_eq!(put(&mut table, b, 7).0, Put::Run(7));
        assert_eq!(put(&mut table, c, 8).0, Put::Run(8));
        assert_eq!(put(&mut table, None, 9).0, Put::Full(9));
        assert_eq!(table.finish(a), Some(1));
        assert_eq!(put(&mut table, a, 6).0, Put::Queued);
        for _ in 0..6 {
            table.finish(a);
        }
        assert_eq!((table.regular, table.excess), (2, 0));
        for policy in [OverflowPolicy::DropNewest, OverflowPolicy::DropOldest] {
            let mut table = Table::new(Bounds {
                conversation_overflow: policy,
                ..bounds
            });
            for n in 0..2 {
                put(&mut table, a, n);
            }
            let reason = DropReason::ConversationCapacity;
            let expected = match policy {
                OverflowPolicy::DropOldest => (Put::Queued, Some(Box::new((1, reason)))),
                _ => (Put::Dropped(2, reason), None),
            };
            assert_eq!(put(&mut table, a, 2), expected);
            assert_eq!(table.len(), 2);
        }
    }

    #[test]
    fn places_are_given_back_whatever_happens() {
        let lanes: [Option<Lane>; 12] = lanes();
        let policies = [
            OverflowPolicy::Wait,
            OverflowPolicy::DropNewest,
            OverflowPolicy::DropOldest,
        ];
        let mut random = 1_u64;
        for overflow in policies {
            for conversation_overflow in policies {
                let mut table = Table::new(Bounds {
                    capacity: 16,
                    overflow,
                    conversation: Some(3),
                    conversation_overflow,
                });
                let mut running = Vec::new();
                for n in 0..20_000 {
                    random = random
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    let pick = usize::try_from(random >> 40).unwrap_or_default();
                    let lane = lanes.get(pick % 13).copied().flatten();
                    if pick % 11 < 6 {
                        if let Put::Run(_) = put(&mut table, lane, n).0 {
                            running.push(lane);
                        }
                    } else if !running.is_empty() {
                        let lane = running.swap_remove(pick % running.len());
                        if table.finish(lane).is_some() {
                            running.push(lane);
                        }
                    }
                    assert!(table.len() <= 16 && table.order.len() <= 33);
                    assert_eq!(table.len(), table.waiting() + running.len());
                }
                while let Some(lane) = running.pop() {
                    if table.finish(lane).is_some() {
                        running.push(lane);
                    }
                }
                assert_eq!((table.regular, table.excess), (0, 0));
                assert_eq!((table.lanes.len(), table.alone.len()), (0, 0));
            }
        }
    }
}
