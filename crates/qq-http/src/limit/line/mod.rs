//! One route: what was used of its limits, and who waits.
//!
//! Who waits stands in a lane: one for each peer and kind of request, first come first served. Lanes take turns: each
//! holds a ticket, the lowest is served first, and a lane that was served gets a new ticket. So a peer with a
//! thousand waiting requests delays another by one of them. A lane that its own peer's limits keep back is parked and
//! delays nobody; it keeps its ticket.
//!
//! Nobody drives a line but those who wait: each of them wakes at the time at which it expects its turn, and lets
//! everybody start who can. The first of the line always wakes in time.

mod expect;
mod lanes;
mod rule;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::task::Waker;
use std::time::Duration;

use tokio::time::Instant;

use self::rule::Rule;
use super::hold::{Hold, Lesson};
use super::meter::Rate;
use super::peers::{PeerId, Peers};
use super::share::{LimitUsage, SettledPlaces};
use super::{Counted, LimitScope};

/// Timers are no finer.
const TICK: Duration = Duration::from_millis(1);

/// What a request is to the limits: an active message, or anything else.
pub(super) type Kind = Counted;

/// The limits of one route.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) bot: Vec<(Counted, Rate)>,
    pub(super) peer_rates: Vec<Rate>,
    /// In the order of `peer_rates`.
    pub(super) peer_counted: Vec<Counted>,
}

#[derive(Debug)]
pub(super) struct Line {
    plan: Plan,
    /// The limits of the whole bot.
    rules: Vec<Rule>,
    /// Whether other processes keep them, too.
    is_shared: bool,
    /// Whether more places of one of them are wanted, and nobody was told.
    is_wanting: bool,
    held: [Hold; 2],
    in_flight: u32,
    peers: Peers,
    lanes: HashMap<LaneId, Lane>,
    /// Lanes that wait for the route's limits, by ticket.
    queued: [BTreeMap<u64, PeerId>; 2],
    /// Lanes that wait for their peer's limits, by time and ticket.
    parked: BTreeMap<(Instant, u64), LaneId>,
    /// Waiters that may start and do not know it.
    granted: HashSet<u64>,
    waiting: usize,
    max_waiting: usize,
    /// The last number given to a ticket or a waiter.
    last: u64,
    wakes: Vec<Waker>,
}

pub(super) type LaneId = (PeerId, Kind);

#[derive(Debug)]
struct Lane {
    waiters: BTreeMap<u64, Waiter>,
    ticket: u64,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Queued,
    Parked(Instant),
    /// Until a request of its peer ends.
    Probing,
}

#[derive(Debug)]
struct Waiter {
    waker: Option<Waker>,
    /// When it wakes by itself.
    armed: Instant,
}

/// What a new request does.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// It starts.
    Start(Option<PeerId>),
    /// It stands in this lane under this number.
    Wait(PeerId, u64),
    /// It cannot start before, or nobody knows when.
    Refuse(Option<Instant>),
}

/// What somebody who waits does next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Start,
    SleepUntil(Instant),
    Refuse(Option<Instant>),
}

/// How a request ended that took its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    /// When it went out, if it did.
    pub(super) sent: Option<Instant>,
    pub(super) lesson: Lesson,
}

impl Ended {
    pub(super) const fn unsent() -> Self {
        Self {
            sent: None,
            lesson: Lesson::None,
        }
    }
}

impl Line {
    pub(super) fn new(
        plan: Plan,
        is_shared: bool,
        max_keys: usize,
        max_waiting: usize,
        now: Instant,
    ) -> Self {
        let rule = |(counted, rate): &(Counted, Rate)| Rule::new(*counted, *rate, is_shared, now);
        Self {
            rules: plan.bot.iter().map(rule).collect(),
            is_shared: is_shared && !plan.bot.is_empty(),
            is_wanting: false,
            plan,
            held: [Hold::default(); 2],
            in_flight: 0,
            peers: Peers::new(max_keys),
            lanes: HashMap::new(),
            queued: [BTreeMap::new(), BTreeMap::new()],
            parked: BTreeMap::new(),
            granted: HashSet::new(),
            waiting: 0,
            max_waiting,
            last: 0,
            wakes: Vec::new(),
        }
    }

    /// Whether a request's kind makes a difference.
    pub(super) fn tells_kinds_apart(&self) -> bool {
        let bot = self.rules.iter().map(|rule| rule.counted);
        bot.chain(self.plan.peer_counted.iter().copied())
            .any(|counted| counted == Counted::Active)
    }

    /// Whether somebody has to be told that more places are wanted.
    pub(super) fn take_wanting(&mut self) -> bool {
        std::mem::take(&mut self.is_wanting)
    }

    /// Whether a request waits for nothing but a larger share.
    pub(super) fn lacks_places(&self, kind: Kind, now: Instant) -> bool {
        self.is_shared
            && self
                .rules
                .iter()
                .any(|rule| rule.applies(kind) && rule.lacks_places(now))
    }

    pub(super) fn usage(&mut self, rule: usize, now: Instant) -> LimitUsage {
        let waiting = u32::try_from(self.waiting).unwrap_or(u32::MAX);
        self.rules
            .get_mut(rule)
            .map_or_else(LimitUsage::default, |rule| rule.usage(waiting, now))
    }

    pub(super) fn set_places(&mut self, rule: usize, places: u32, at_most: u32, now: Instant) {
        let Some(rule) = self.rules.get_mut(rule) else {
            return;
        };
        let is_less_to_hope_for = rule.set_places(places, at_most, now);
        self.advance(now);
        if is_less_to_hope_for {
            // Those whose turn would come too late now should say so at once.
            self.wake_all();
        }
    }

    pub(super) fn settle(&mut self, rule: usize, now: Instant) -> Vec<SettledPlaces> {
        self.rules
            .get_mut(rule)
            .map_or_else(Vec::new, |rule| rule.settle(now))
    }

    /// Whom to wake once the line is unlocked.
    pub(super) fn take_wakes(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.wakes)
    }

    pub(super) fn counts(&self) -> (usize, usize, u32) {
        (self.peers.len(), self.waiting, self.in_flight)
    }

    /// A request comes that must start before `deadline`, or now.
    pub(super) fn enter(
        &mut self,
        key: &str,
        kind: Kind,
        deadline: Option<Instant>,
        now: Instant,
    ) -> Entry {
        self.advance(now);
        let is_counted = self
            .plan
            .peer_counted
            .iter()
            .any(|counted| applies(*counted, kind));
        let mut peer = if is_counted {
            Some(self.peers.find_or_add(key, &self.plan.peer_rates, now))
        } else {
            self.peers.find(key)
        };
        let has_lane = peer.is_some_and(|peer| self.lanes.contains_key(&(peer, kind)));
        if !has_lane
            && self.queued[kind as usize].is_empty()
            && self.route_block(kind, now).is_none()
            && peer.is_none_or(|peer| self.peer_block(peer, kind, now).is_none())
        {
            self.start(peer, kind);
            self.want(now);
            return Entry::Start(peer);
        }
        self.want(now);
        let expected = self.expected(peer, kind, None, now);
        let Some(deadline) = deadline.filter(|_| self.waiting < self.max_waiting) else {
            return Entry::Refuse(expected);
        };
        if expected.is_some_and(|expected| expected >= deadline) {
            return Entry::Refuse(expected);
        }
        let peer =
            *peer.get_or_insert_with(|| self.peers.find_or_add(key, &self.plan.peer_rates, now));
        self.last += 1;
        let (number, waiter) = (
            self.last,
            Waiter {
                waker: None,
                armed: now,
            },
        );
        self.waiting += 1;
        if let Some(lane) = self.lanes.get_mut(&(peer, kind)) {
            lane.waiters.insert(number, waiter);
        } else {
            let lane = Lane {
                waiters: BTreeMap::from([(number, waiter)]),
                ticket: number,
                place: Place::Queued,
            };
            self.lanes.insert((peer, kind), lane);
            self.queued[kind as usize].insert(number, peer);
            if let Some(peer) = self.peers.get_mut(peer) {
                peer.lanes += 1;
            }
        }
        Entry::Wait(peer, number)
    }

    /// What the waiter does next; `waker` wakes it before the time when something changed.
    pub(super) fn turn(
        &mut self,
        lane: LaneId,
        number: u64,
        deadline: Instant,
        waker: &Waker,
        now: Instant,
    ) -> Turn {
        self.advance(now);
        if self.granted.remove(&number) {
            return Turn::Start;
        }
        let expected = self.expected(Some(lane.0), lane.1, Some(number), now);
        if now >= deadline || expected.is_some_and(|expected| expected >= deadline) {
            self.remove(lane, number, now);
            return Turn::Refuse(expected);
        }
        let expected = if self.is_shared {
            self.expected_of_share(lane, number, now)
        } else {
            expected
        };
        // Without a time it waits for the answer to somebody else's request, or for a larger share.
        let armed = expected
            .map_or(deadline, |expected| expected.max(now + TICK))
            .min(deadline);
        let waiter = self
            .lanes
            .get_mut(&lane)
            .and_then(|lane| lane.waiters.get_mut(&number));
        if let Some(waiter) = waiter {
            waiter.armed = armed;
            match &mut waiter.waker {
                Some(own) => own.clone_from(waker),
                none => *none = Some(waker.clone()),
            }
        }
        Turn::SleepUntil(armed)
    }

    /// A waiter goes away. If it could have started, somebody else can.
    pub(super) fn leave(&mut self, lane: LaneId, number: u64, now: Instant) {
        if self.granted.remove(&number) {
            self.end(Some(lane.0), "", lane.1, Ended::unsent(), now);
        } else {
            self.remove(lane, number, now);
        }
    }

    /// A request that may have started ends.
    pub(super) fn end(
        &mut self,
        peer: Option<PeerId>,
        key: &str,
        kind: Kind,
        ended: Ended,
        now: Instant,
    ) {
        let was_sent = ended.sent.is_some();
        self.in_flight = self.in_flight.saturating_sub(1);
        for rule in &mut self.rules {
            if rule.applies(kind) {
                rule.end(was_sent, now);
            }
        }
        if let Some(peer) = peer.and_then(|peer| self.peers.get_mut(peer)) {
            peer.in_flight = peer.in_flight.saturating_sub(1);
            let rules = self.plan.peer_counted.iter().zip(&self.plan.peer_rates);
            for (meter, (counted, rate)) in peer.meters.iter_mut().zip(rules) {
                if applies(*counted, kind) {
                    meter.expire(rate, now);
                    meter.end(rate, was_sent, now);
                }
            }
        }
        if let Some(sent) = ended.sent {
            self.learn(peer, key, kind, sent, ended.lesson, now);
        }
        if self.waiting > 0 {
            if let Some(peer) = peer {
                self.requeue((peer, Counted::All));
                self.requeue((peer, Counted::Active));
            }
            self.advance(now);
        }
    }

    /// When a request that comes now could start; `None` when nobody knows.
    pub(super) fn expected_now(&mut self, key: &str, kind: Kind, now: Instant) -> Option<Instant> {
        self.advance(now);
        let peer = self.peers.find(key);
        self.expected(peer, kind, None, now)
    }

    fn learn(
        &mut self,
        peer: Option<PeerId>,
        key: &str,
        kind: Kind,
        sent: Instant,
        lesson: Lesson,
        now: Instant,
    ) {
        match lesson {
            Lesson::None => {}
            Lesson::Welcome => {
                let peer = peer.and_then(|peer| self.peers.get_mut(peer));
                let holds = peer.and_then(|peer| peer.held.as_deref_mut());
                for held in [Some(&mut self.held), holds].into_iter().flatten() {
                    held[Counted::All as usize].welcome(sent);
                    if kind == Counted::Active {
                        held[Counted::Active as usize].welcome(sent);
                    }
                }
            }
            Lesson::Refused(refusal) => {
                // What counts active messages cannot have refused another one.
                let counted = if kind == Counted::All {
                    kind
                } else {
                    refusal.counted
                };
                let peer = match refusal.scope {
                    LimitScope::Bot => None,
                    LimitScope::Peer => Some(peer.unwrap_or_else(|| {
                        self.peers.find_or_add(key, &self.plan.peer_rates, now)
                    })),
                };
                let held = match peer.and_then(|peer| self.peers.get_mut(peer)) {
                    Some(peer) => &mut **peer.held.get_or_insert_default(),
                    None => &mut self.held,
                };
                held[counted as usize].refused(&refusal, sent, now);
                // Those whose turn would come too late now should say so at once.
                self.wake_all();
            }
        }
    }

    fn wake_all(&mut self) {
        let waiters = self
            .lanes
            .values_mut()
            .flat_map(|lane| lane.waiters.values_mut());
        self.wakes
            .extend(waiters.filter_map(|waiter| waiter.waker.take()));
    }

    /// Notes whether more places are wanted of a limit that is shared.
    fn want(&mut self, now: Instant) {
        if self.is_shared {
            for rule in &mut self.rules {
                self.is_wanting |= rule.want(now);
            }
        }
    }

    fn start(&mut self, peer: Option<PeerId>, kind: Kind) {
        self.in_flight += 1;
        for rule in &mut self.rules {
            if rule.applies(kind) {
                rule.start();
            }
        }
        if let Some(peer) = peer.and_then(|peer| self.peers.get_mut(peer)) {
            peer.in_flight += 1;
            for (meter, counted) in peer.meters.iter_mut().zip(&self.plan.peer_counted) {
                if applies(*counted, kind) {
                    meter.start();
                }
            }
        }
    }
}

/// Whether a limit counts a kind of request.
fn applies(counted: Counted, kind: Kind) -> bool {
    counted == Counted::All || kind == Counted::Active
}
