//! Which lane is served next, and which ones wait aside.

use tokio::time::Instant;

use super::{Kind, LaneId, Line, Place, TICK};
use crate::limit::Counted;
use crate::limit::hold::Block;

impl Line {
    /// Lets everybody start who can.
    pub(super) fn advance(&mut self, now: Instant) {
        for rule in &mut self.rules {
            rule.expire(now);
        }
        if self.waiting == 0 {
            return;
        }
        while let Some(first) = self
            .parked
            .first_entry()
            .filter(|first| first.key().0 <= now)
        {
            let lane = first.remove();
            self.queue(lane);
        }
        while let Some(lane) = self.first_of_line(now) {
            if let Some(block) = self.peer_block(lane.0, lane.1, now) {
                self.park(lane, block, now);
            } else {
                self.serve(lane);
            }
        }
        for kind in [Counted::All, Counted::Active] {
            if let Some(Block::Until(time)) = self.route_block(kind, now)
                && let Some(lane) = self.first_queued(kind, now)
            {
                self.wake_first(lane, time, now);
            }
        }
        self.want(now);
    }

    /// Takes a waiter out; those behind it may be earlier now.
    pub(super) fn remove(&mut self, id: LaneId, number: u64, now: Instant) {
        let Some(lane) = self.lanes.get_mut(&id) else {
            return;
        };
        if lane.waiters.remove(&number).is_none() {
            return;
        }
        self.waiting -= 1;
        if lane.waiters.is_empty() {
            match lane.place {
                Place::Queued => {
                    self.queued[id.1 as usize].remove(&lane.ticket);
                }
                Place::Parked(time) => {
                    self.parked.remove(&(time, lane.ticket));
                }
                Place::Probing => {}
            }
            self.close(id);
        } else if let Place::Parked(time) = lane.place {
            self.wake_first(id, time, now);
        }
        self.advance(now);
    }

    /// Puts a lane back into the queue, at its old place.
    pub(super) fn requeue(&mut self, id: LaneId) {
        let Some(lane) = self.lanes.get(&id) else {
            return;
        };
        match lane.place {
            Place::Queued => return,
            Place::Parked(time) => {
                self.parked.remove(&(time, lane.ticket));
            }
            Place::Probing => {}
        }
        self.queue(id);
    }

    /// The first lane in the queue that only the route keeps back; those before it are parked.
    fn first_queued(&mut self, kind: Kind, now: Instant) -> Option<LaneId> {
        loop {
            let first = self.queued[kind as usize].first_entry()?;
            let lane = (*first.get(), kind);
            let Some(block) = self.peer_block(lane.0, kind, now) else {
                return Some(lane);
            };
            self.queued[kind as usize].pop_first();
            self.park(lane, block, now);
        }
    }

    /// Takes the lane out of the queue whose turn it is.
    fn first_of_line(&mut self, now: Instant) -> Option<LaneId> {
        let first = |kind: Kind| {
            let (&ticket, &peer) = self.queued[kind as usize].first_key_value()?;
            self.route_block(kind, now)
                .is_none()
                .then_some((ticket, (peer, kind)))
        };
        let (ticket, lane) = [first(Counted::All), first(Counted::Active)]
            .into_iter()
            .flatten()
            .min_by_key(|(ticket, _)| *ticket)?;
        self.queued[lane.1 as usize].remove(&ticket);
        Some(lane)
    }

    /// Lets the first of a lane start that was taken out of the queue.
    fn serve(&mut self, id: LaneId) {
        let Some(lane) = self.lanes.get_mut(&id) else {
            return;
        };
        if let Some((number, waiter)) = lane.waiters.pop_first() {
            self.granted.insert(number);
            self.wakes.extend(waiter.waker);
            self.waiting -= 1;
        }
        if lane.waiters.is_empty() {
            self.close(id);
        } else {
            self.last += 1;
            lane.ticket = self.last;
            self.queue(id);
        }
        self.start(Some(id.0), id.1);
    }

    fn close(&mut self, id: LaneId) {
        self.lanes.remove(&id);
        if let Some(peer) = self.peers.get_mut(id.0) {
            peer.lanes -= 1;
        }
    }

    fn queue(&mut self, id: LaneId) {
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.place = Place::Queued;
            self.queued[id.1 as usize].insert(lane.ticket, id.0);
        }
    }

    /// Takes note that its peer keeps a lane back that was taken out of the queue.
    fn park(&mut self, id: LaneId, block: Block, now: Instant) {
        let Some(lane) = self.lanes.get_mut(&id) else {
            return;
        };
        match block {
            Block::Probe => lane.place = Place::Probing,
            Block::Until(time) => {
                lane.place = Place::Parked(time);
                self.parked.insert((time, lane.ticket), id);
                self.wake_first(id, time, now);
            }
        }
    }

    /// Wakes the first of a lane if it sleeps longer than that, and longer than timers can tell.
    fn wake_first(&mut self, id: LaneId, time: Instant, now: Instant) {
        let first = self
            .lanes
            .get_mut(&id)
            .and_then(|lane| lane.waiters.first_entry());
        if let Some(mut first) = first
            && first.get().armed > time.max(now + TICK)
        {
            self.wakes.extend(first.get_mut().waker.take());
        }
    }
}
