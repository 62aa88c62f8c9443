//! What keeps requests from starting, and until when.

use tokio::time::Instant;

use super::rule::Rule;
use super::{Kind, LaneId, Line, applies};
use crate::limit::Counted;
use crate::limit::hold::{Block, Hold};
use crate::limit::peers::PeerId;

/// How many lanes an estimate looks at.
const LANES_SEEN: usize = 1024;

impl Line {
    /// What of the route keeps a request from starting.
    pub(super) fn route_block(&self, kind: Kind, now: Instant) -> Option<Block> {
        let rules = self
            .rules
            .iter()
            .filter(|rule| rule.applies(kind))
            .filter_map(|rule| match rule.nth(1, now) {
                Some(time) => until(time, now),
                // Whoever gives the process a share ends it.
                None => Some(Block::Probe),
            });
        latest(rules.chain(blocks(&self.held, kind, self.in_flight, now)))
    }

    /// What of its peer keeps a request from starting.
    pub(super) fn peer_block(&self, peer: PeerId, kind: Kind, now: Instant) -> Option<Block> {
        let peer = self.peers.get(peer)?;
        let rules = self.plan.peer_counted.iter().zip(&self.plan.peer_rates);
        let meters = peer.meters.iter().zip(rules);
        let meters = meters
            .filter(|(_, (counted, _))| applies(**counted, kind))
            .filter_map(|(meter, (_, rate))| until(meter.nth(rate, 1, now), now));
        let held = peer
            .held
            .iter()
            .flat_map(|held| blocks(held, kind, peer.in_flight, now));
        latest(meters.chain(held))
    }

    /// When a request could start, if everything in flight were answered now; `None` when an answer decides it.
    /// `number` is that of a waiter, or none for a request that would come now. With a share, as soon as with the
    /// largest that the process could get.
    pub(super) fn expected(
        &self,
        peer: Option<PeerId>,
        kind: Kind,
        number: Option<u64>,
        now: Instant,
    ) -> Option<Instant> {
        self.expected_if(peer, kind, number, now, |rule, n| rule.nth_at_best(n, now))
    }

    /// The same for a waiter with the share as it is.
    pub(super) fn expected_of_share(
        &self,
        lane: LaneId,
        number: u64,
        now: Instant,
    ) -> Option<Instant> {
        self.expected_if(Some(lane.0), lane.1, Some(number), now, |rule, n| {
            rule.nth(n, now)
        })
    }

    fn expected_if(
        &self,
        peer: Option<PeerId>,
        kind: Kind,
        number: Option<u64>,
        now: Instant,
        nth: impl Fn(&Rule, u32) -> Option<Instant>,
    ) -> Option<Instant> {
        let id = peer.map(|peer| (peer, kind));
        let own = id.and_then(|id| self.lanes.get(&id));
        let before = own.map_or(0, |lane| match number {
            Some(number) => lane.waiters.range(..number).count(),
            None => lane.waiters.len(),
        });
        // Each other lane is served once between two of this one, and once before if its ticket is lower.
        let ticket = own.map_or(u64::MAX, |lane| lane.ticket);
        let others = self.queued[kind as usize]
            .iter()
            .take(LANES_SEEN)
            .filter(|(_, other)| Some(**other) != peer)
            .filter_map(|(other, peer)| {
                let turns = before + usize::from(*other < ticket);
                Some(self.lanes.get(&(*peer, kind))?.waiters.len().min(turns))
            });
        let nth_of_route = at_least_one(before + others.sum::<usize>());
        let nth_of_peer = at_least_one(before);

        let mut times: Vec<Instant> = self
            .rules
            .iter()
            .filter(|rule| rule.applies(kind))
            .map(|rule| nth(rule, nth_of_route))
            .collect::<Option<_>>()?;
        let mut held: Vec<Block> = blocks(&self.held, kind, self.in_flight, now).collect();
        if let Some(peer) = peer.and_then(|peer| self.peers.get(peer)) {
            let rules = self.plan.peer_counted.iter().zip(&self.plan.peer_rates);
            let meters = peer.meters.iter().zip(rules);
            let meters = meters.filter(|(_, (counted, _))| applies(**counted, kind));
            times.extend(meters.map(|(meter, (_, rate))| meter.nth(rate, nth_of_peer, now)));
            let blocks = peer
                .held
                .iter()
                .flat_map(|held| blocks(held, kind, peer.in_flight, now));
            held.extend(blocks);
        }
        for block in held {
            match block {
                Block::Until(time) => times.push(time),
                Block::Probe => return None,
            }
        }
        Some(times.into_iter().max().unwrap_or(now))
    }
}

fn blocks(
    held: &[Hold; 2],
    kind: Kind,
    in_flight: u32,
    now: Instant,
) -> impl Iterator<Item = Block> {
    let kinds: &[Counted] = match kind {
        Counted::All => &[Counted::All],
        Counted::Active => &[Counted::All, Counted::Active],
    };
    kinds
        .iter()
        .filter_map(move |kind| held[*kind as usize].block(in_flight, now))
}

fn until(time: Instant, now: Instant) -> Option<Block> {
    (time > now).then_some(Block::Until(time))
}

/// The one that ends last; one whose end nobody knows comes after all others.
fn latest(blocks: impl Iterator<Item = Block>) -> Option<Block> {
    blocks.max_by_key(|block| match block {
        Block::Until(time) => (false, Some(*time)),
        Block::Probe => (true, None),
    })
}

/// A rank as a number from 1.
fn at_least_one(before: usize) -> u32 {
    u32::try_from(before).unwrap_or(u32::MAX - 1) + 1
}
