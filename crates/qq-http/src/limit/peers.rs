//! What is counted for each group, user, channel or guild; never more of them than is allowed.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, BuildHasherDefault, Hasher, RandomState};

use tokio::time::Instant;

use super::hold::Hold;
use super::meter::{Meter, Rate};

/// How many entries each new one looks at, to forget those that are idle: the more, the fewer idle ones are kept.
const SWEEP: usize = 8;
/// Among how many the one that used least is forgotten when there are too many.
const SAMPLE: usize = 8;

/// How many it looks at to find those, as busy ones are passed over.
const LOOKS: usize = 64;

/// Where a peer is kept.
pub(super) type PeerId = u32;

/// One group, user, channel or guild.
#[derive(Debug)]
pub(super) struct Peer {
    digest: u64,
    /// In the order of the rates.
    pub(super) meters: Box<[Meter]>,
    pub(super) held: Option<Box<[Hold; 2]>>,
    pub(super) in_flight: u32,
    /// How many of its lanes have somebody waiting.
    pub(super) lanes: u32,
}

/// Keys are kept as digests, by a secret of the process's own. Two of a million keys have the same one by a chance of one
/// in thirty million, and are then counted together, which is safe.
#[derive(Debug)]
pub(super) struct Peers {
    digests: RandomState,
    ids: HashMap<u64, PeerId, BuildHasherDefault<Digested>>,
    entries: Vec<Option<Peer>>,
    free: Vec<PeerId>,
    hand: usize,
    most: usize,
}

impl Peers {
    pub(super) fn new(most: usize) -> Self {
        Self {
            digests: RandomState::new(),
            ids: HashMap::default(),
            entries: Vec::new(),
            free: Vec::new(),
            hand: 0,
            most,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(super) fn find(&self, key: &str) -> Option<PeerId> {
        // Most routes keep nobody, and then the key need not be hashed.
        if self.ids.is_empty() {
            return None;
        }
        self.ids.get(&self.digests.hash_one(key)).copied()
    }

    pub(super) fn get(&self, id: PeerId) -> Option<&Peer> {
        self.entries.get(id as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, id: PeerId) -> Option<&mut Peer> {
        self.entries.get_mut(id as usize)?.as_mut()
    }

    pub(super) fn find_or_add(&mut self, key: &str, rates: &[Rate], now: Instant) -> PeerId {
        if let Some(id) = self.find(key) {
            return id;
        }
        self.sweep(rates, now);
        // Two for each new one, so that what busy ones took beyond the limit goes again.
        for _ in 0..2 {
            if self.len() >= self.most {
                self.forget_one(rates, now);
            }
        }
        let digest = self.digests.hash_one(key);
        let peer = Peer {
            digest,
            meters: rates.iter().map(|rate| Meter::new(rate, now)).collect(),
            held: None,
            in_flight: 0,
            lanes: 0,
        };
        let id = if let Some(id) = self.free.pop() {
            self.entries[id as usize] = Some(peer);
            id
        } else {
            self.entries.push(Some(peer));
            // More would not fit into memory.
            PeerId::try_from(self.entries.len() - 1).unwrap_or(PeerId::MAX)
        };
        self.ids.insert(digest, id);
        id
    }

    /// Forgets some of those that are idle.
    fn sweep(&mut self, rates: &[Rate], now: Instant) {
        for _ in 0..SWEEP.min(self.entries.len()) {
            let at = self.next();
            if let Some(peer) = &mut self.entries[at]
                && peer.is_idle(rates, now)
            {
                self.forget(at);
            }
        }
    }

    /// Forgets the one that used least, of some.
    fn forget_one(&mut self, rates: &[Rate], now: Instant) {
        let mut least = None;
        for _ in 0..LOOKS.min(self.entries.len()) {
            let at = self.next();
            let Some(peer) = self.entries[at].as_ref().filter(|peer| !peer.is_busy()) else {
                continue;
            };
            let seen = least.map_or(0, |(_, _, seen)| seen) + 1;
            let fullness = peer.fullness(rates, now);
            least = match least {
                Some((fewest, other, _)) if fewest <= fullness => Some((fewest, other, seen)),
                _ => Some((fullness, at, seen)),
            };
            if seen == SAMPLE {
                break;
            }
        }
        if let Some((_, at, _)) = least {
            self.forget(at);
        }
    }

    fn next(&mut self) -> usize {
        self.hand = (self.hand + 1) % self.entries.len();
        self.hand
    }

    fn forget(&mut self, at: usize) {
        if let Some(peer) = self.entries[at].take() {
            self.ids.remove(&peer.digest);
            self.free.extend(PeerId::try_from(at));
        }
    }
}

/// Takes a digest as the hash that it is.
#[derive(Default)]
struct Digested(u64);

impl Hasher for Digested {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Digests come by `write_u64`; whatever else came would be worse, not wrong.
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, digest: u64) {
        self.0 = digest;
    }
}

impl Peer {
    fn is_busy(&self) -> bool {
        self.in_flight > 0 || self.lanes > 0
    }

    fn is_idle(&mut self, rates: &[Rate], now: Instant) -> bool {
        if self.is_busy() {
            return false;
        }
        for (meter, rate) in self.meters.iter_mut().zip(rates) {
            meter.expire(rate, now);
        }
        self.meters.iter().all(|meter| meter.is_idle(now))
            && self
                .held
                .iter()
                .flat_map(|held| held.iter())
                .all(|hold| hold.is_over(now))
    }

    fn fullness(&self, rates: &[Rate], now: Instant) -> u32 {
        let meters = self.meters.iter().zip(rates);
        let used = meters.map(|(meter, rate)| meter.fullness(rate, now)).max();
        let is_held = self
            .held
            .iter()
            .flat_map(|held| held.iter())
            .any(|hold| hold.is_held(now));
        used.unwrap_or(0) + if is_held { 10_000 } else { 0 }
    }
}
