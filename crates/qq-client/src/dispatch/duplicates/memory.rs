//! A set of numbers, bounded by how many there are and by their age. Looking one up takes one line of the processor's
//! cache, however many there are: with each event another part of a large set is looked at, which is in no cache.

use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasherDefault;
use std::time::Duration;

use tokio::time::Instant;

use super::super::prehashed::Prehashed;

/// Numbers in a bucket: those of one line of the cache.
const WAYS: usize = 8;
/// A bucket's index says at least the eight lowest bits of its numbers, in whose place their period stands.
const BUCKETS: usize = 256;
const PERIOD: u64 = 0xFF;
/// A full set is so many periods; together with those that end by time that is `ALIVE` at most.
const PERIODS_BY_COUNT: usize = 50;
const PERIODS_BY_TIME: u32 = 64;
const ALIVE: usize = 118;
/// With each period so much of the set is rid of what is over, so that nothing is left of a period when its number
/// comes again.
const SWEEPS: usize = 136;

const _: () = assert!(PERIODS_BY_COUNT + PERIODS_BY_TIME as usize + 2 <= ALIVE);
const _: () = assert!(ALIVE + SWEEPS < 256);

/// Numbers that are hashes, in the order of time.
pub(super) struct Memory {
    capacity: usize,
    ttl: Duration,
    /// Of a period: how many numbers, and for how long.
    period_len: usize,
    period_time: Duration,
    /// A power of two of them, or none before the first number. At most half full, and an eighth at least once they grew.
    buckets: Vec<Bucket>,
    /// Those of full buckets, with their period.
    spilled: HashMap<u64, u8, BuildHasherDefault<Prehashed>>,
    /// Numbers are forgotten by periods, the oldest first.
    periods: VecDeque<Period>,
    /// What the last period is called; those before it are called by the numbers before.
    newest: u8,
    len: usize,
    /// Nothing is too old before.
    expires_after: Option<Instant>,
    /// The bucket that is swept next.
    next_sweep: usize,
}

/// The upper 56 bits of numbers, and the periods in which they came; 0 is none.
#[derive(Clone)]
#[repr(align(64))]
struct Bucket([u64; WAYS]);

struct Period {
    /// No number comes later; `None`: they do.
    until: Option<Instant>,
    last: Instant,
    len: usize,
}

impl Memory {
    /// Remembers at most so many, and at least 49 of 50 of them; for so long, and a little longer at most.
    pub(super) fn new(capacity: usize, ttl: Duration) -> Self {
        let capacity = capacity.max(1);
        Self {
            capacity,
            ttl,
            period_len: capacity.div_ceil(PERIODS_BY_COUNT),
            period_time: ttl / PERIODS_BY_TIME,
            buckets: Vec::new(),
            spilled: HashMap::default(),
            periods: VecDeque::new(),
            newest: 0,
            len: 0,
            expires_after: None,
            next_sweep: 0,
        }
    }

    /// Whether the number is new. From now on it is not.
    pub(super) fn insert(&mut self, number: u64, now: Instant) -> bool {
        if self.expires_after.is_none_or(|time| now > time) {
            self.expire(now);
        }
        if self.find(number).is_some() {
            return false;
        }
        while self.len >= self.capacity {
            self.forget_oldest();
        }
        if !self.takes_more(now) {
            self.begin_period(now);
        }
        if self.len * 2 >= self.buckets.len() * WAYS {
            self.grow();
        }
        self.place(number, self.newest);
        if let Some(period) = self.periods.back_mut() {
            period.last = period.last.max(now);
            period.len += 1;
            self.len += 1;
        }
        true
    }

    /// Asks for the memory that [`insert`](Self::insert) of this number will look at.
    pub(super) fn prefetch(&self, number: u64) {
        // There is no such instruction in `std` that is stable and safe on other processors; they wait.
        #[cfg(target_arch = "x86_64")]
        if let Some(bucket) = self.buckets.get(self.index(number)) {
            safe_arch::prefetch_t0(bucket);
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = number;
    }

    /// Forgets a number.
    pub(super) fn remove(&mut self, number: u64) {
        let Some((period, slot)) = self.find(number) else {
            return;
        };
        match slot {
            Some(slot) => {
                if let Some(bucket) = self.bucket_mut(number) {
                    bucket.0[slot] = 0;
                }
            }
            None => {
                self.spilled.remove(&number);
            }
        }
        let age = usize::from(self.newest.wrapping_sub(period));
        let index = self.periods.len().checked_sub(age + 1);
        if let Some(period) = index.and_then(|index| self.periods.get_mut(index)) {
            period.len -= 1;
            self.len -= 1;
        }
    }

    /// The period of a number that is remembered, and its place in its bucket, if it is there.
    fn find(&self, number: u64) -> Option<(u8, Option<usize>)> {
        let alive = self.alive();
        let bucket = self.buckets.get(self.index(number))?;
        // Where it came again after it was over, both may be there still: the newer one stands in front, since it took the
        // first slot that was free.
        if let Some(slot) = bucket.find(|slot| is_it(slot, number))
            && !alive.is_free(bucket.0[slot])
        {
            return Some((period_of(bucket.0[slot]), Some(slot)));
        }
        if self.spilled.is_empty() {
            return None;
        }
        let period = *self.spilled.get(&number)?;
        alive.contains(period).then_some((period, None))
    }

    fn place(&mut self, number: u64, period: u8) {
        let alive = self.alive();
        if let Some(bucket) = self.bucket_mut(number)
            && let Some(slot) = bucket.find(|slot| alive.is_free(slot))
        {
            bucket.0[slot] = number & !PERIOD | u64::from(period);
        } else {
            self.spilled.insert(number, period);
        }
    }

    #[cold]
    fn expire(&mut self, now: Instant) {
        while let Some(oldest) = self.periods.front()
            && now.saturating_duration_since(oldest.last) > self.ttl
        {
            self.forget_oldest();
        }
        let oldest = self.periods.front();
        self.expires_after = oldest.and_then(|oldest| oldest.last.checked_add(self.ttl));
    }

    /// Whether the last period goes on.
    fn takes_more(&self, now: Instant) -> bool {
        self.periods.back().is_some_and(|period| {
            period.len < self.period_len && period.until.is_none_or(|until| now <= until)
        })
    }

    #[cold]
    fn begin_period(&mut self, now: Instant) {
        while self.periods.len() >= ALIVE {
            self.forget_oldest();
        }
        self.newest = self.newest.wrapping_add(1);
        self.periods.push_back(Period {
            until: now.checked_add(self.period_time),
            last: now,
            len: 0,
        });
        let alive = self.alive();
        let from = self.next_sweep.min(self.buckets.len());
        let to = (from + self.buckets.len().div_ceil(SWEEPS)).min(self.buckets.len());
        for slot in self.buckets[from..to]
            .iter_mut()
            .flat_map(|bucket| &mut bucket.0)
        {
            if alive.is_free(*slot) {
                *slot = 0;
            }
        }
        self.next_sweep = if to == self.buckets.len() { 0 } else { to };
        self.spilled.retain(|_, period| alive.contains(*period));
    }

    fn forget_oldest(&mut self) {
        if let Some(oldest) = self.periods.pop_front() {
            self.len -= oldest.len;
        }
    }

    #[cold]
    fn grow(&mut self) {
        let count = (self.buckets.len() * 4).max(BUCKETS);
        let before = std::mem::replace(&mut self.buckets, vec![Bucket([0; WAYS]); count]);
        let alive = self.alive();
        for (number, period) in std::mem::take(&mut self.spilled) {
            self.place(number, period);
        }
        for (index, bucket) in before.iter().enumerate() {
            for slot in bucket.0.iter().filter(|slot| !alive.is_free(**slot)) {
                self.place(slot & !PERIOD | index as u64 & PERIOD, period_of(*slot));
            }
        }
        self.next_sweep = 0;
    }

    fn alive(&self) -> Alive {
        Alive {
            newest: self.newest,
            count: self.periods.len(),
        }
    }

    fn bucket_mut(&mut self, number: u64) -> Option<&mut Bucket> {
        let index = self.index(number);
        self.buckets.get_mut(index)
    }

    fn index(&self, number: u64) -> usize {
        let mask = self.buckets.len().saturating_sub(1) as u64;
        usize::try_from(number & mask).unwrap_or_default()
    }
}

/// The periods that are remembered.
#[derive(Clone, Copy)]
struct Alive {
    newest: u8,
    count: usize,
}

impl Alive {
    const fn contains(self, period: u8) -> bool {
        (self.newest.wrapping_sub(period) as usize) < self.count
    }

    /// Whether nothing stands in a slot any more.
    const fn is_free(self, slot: u64) -> bool {
        slot == 0 || !self.contains(period_of(slot))
    }
}

impl Bucket {
    /// The first slot that is as wanted. All are looked at, which takes no longer and can be foreseen.
    fn find(&self, is_wanted: impl Fn(u64) -> bool) -> Option<usize> {
        let wanted = self.0.iter().rev().fold(0_u32, |wanted, slot| {
            wanted << 1 | u32::from(is_wanted(*slot))
        });
        (wanted != 0).then(|| wanted.trailing_zeros() as usize)
    }
}

const fn is_it(slot: u64, number: u64) -> bool {
    slot | PERIOD == number | PERIOD
}

const fn period_of(slot: u64) -> u8 {
    (slot & PERIOD) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is remembered, the oldest first: plainly.
    struct Naive {
        capacity: usize,
        ttl: Duration,
        seen: VecDeque<(Instant, u64)>,
    }

    impl Naive {
        fn is_known(&self, number: u64, now: Instant) -> bool {
            let is_it = |(at, known): &(Instant, u64)| *known == number && now - *at <= self.ttl;
            self.seen.iter().any(is_it)
        }

        /// Whether it is one of those that may be forgotten, or not yet.
        fn is_about_to_go(&self, number: u64, now: Instant) -> bool {
            let mut seen = self.seen.iter().rev().enumerate();
            seen.find(|(_, (_, known))| *known == number)
                .is_some_and(|(newer, (at, _))| {
                    let age = now - *at;
                    let is_old = age > self.ttl && age <= self.ttl + self.ttl / PERIODS_BY_TIME;
                    newer + self.capacity.div_ceil(PERIODS_BY_COUNT) >= self.capacity || is_old
                })
        }

        fn insert(&mut self, number: u64, now: Instant) {
            self.seen.push_back((now, number));
            while self.seen.len() > self.capacity {
                self.seen.pop_front();
            }
        }
    }

    /// Remembers one number after the other, some of them again, and forgets some, in both.
    fn compare(
        capacity: usize,
        ttl: Duration,
        seed: u64,
        mut next: impl FnMut(&mut fastrand::Rng) -> u64,
    ) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut memory = Memory::new(capacity, ttl);
        let mut naive = Naive {
            capacity,
            ttl,
            seen: VecDeque::new(),
        };
        let mut now = Instant::now();
        for step in 0..20_000 {
            if rng.u8(..) < 20 {
                now += ttl.mul_f64(f64::from(rng.u8(..)) / 10_000.0);
            }
            let known = (!naive.seen.is_empty() && rng.bool())
                .then(|| naive.seen[rng.usize(..naive.seen.len())].1);
            let number = known.unwrap_or_else(|| next(&mut rng));
            if rng.u8(..) < 10 {
                memory.remove(number);
                naive.seen.retain(|(_, known)| *known != number);
                continue;
            }
            let was_known = naive.is_known(number, now);
            let may_differ = naive.is_about_to_go(number, now);
            let is_new = memory.insert(number, now);
            assert!(is_new != was_known || may_differ, "{step}: {number:x}");
            if is_new {
                naive.seen.retain(|(_, known)| *known != number);
                naive.insert(number, now);
            }
            assert!(memory.len <= capacity && memory.periods.len() <= ALIVE);
            let counted: usize = memory.periods.iter().map(|period| period.len).sum();
            assert_eq!(memory.len, counted);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_a_set_that_forgets_the_oldest() {
        for (seed, capacity) in [1, 2, 7, 100, 150, 1_000, 3_000].into_iter().enumerate() {
            compare(capacity, Duration::from_secs(600), seed as u64, |rng| {
                rng.u64(..)
            });
        }
    }

    #[tokio::test(start_paused = true)]
    async fn numbers_of_one_bucket_are_no_worse() {
        compare(700, Duration::from_secs(600), 5, |rng| {
            rng.u64(..) << 24 | 0x77
        });
        let mut memory = Memory::new(1_000, Duration::from_secs(600));
        let now = Instant::now();
        for n in 0..1_000 {
            assert!(memory.insert(n << 32, now));
        }
        assert!(memory.spilled.len() > 900);
        assert!((0..1_000).all(|n| !memory.insert(n << 32, now)));
    }

    #[tokio::test(start_paused = true)]
    async fn numbers_come_back_to_be_new_when_their_time_is_over() {
        let ttl = Duration::from_secs(600);
        let mut memory = Memory::new(10_000, ttl);
        let mut now = Instant::now();
        // More periods than there are names for them.
        for n in 0..2_000_u64 {
            let number = n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            assert!(memory.insert(number, now), "{n}");
            now += ttl;
            assert!(!memory.insert(number, now), "{n}");
            now += Duration::from_millis(1);
        }
        assert!(memory.len <= 1 && memory.periods.len() <= 1);
        let kept: usize = memory
            .buckets
            .iter()
            .map(|bucket| bucket.0.iter().filter(|slot| **slot != 0).count())
            .sum();
        assert!(kept <= SWEEPS + 2, "{kept}");
    }

    #[tokio::test(start_paused = true)]
    async fn it_takes_memory_for_what_there_is() {
        let mut memory = Memory::new(65_536, Duration::from_secs(600));
        assert_eq!(memory.buckets.capacity(), 0);
        let now = Instant::now();
        let mut rng = fastrand::Rng::with_seed(3);
        for n in 1..=200_000 {
            assert!(memory.insert(rng.u64(..), now));
            assert!(memory.buckets.len() * WAYS <= (n * 8).max(BUCKETS * WAYS));
        }
        assert_eq!(memory.buckets.len() * size_of::<Bucket>(), 1 << 20);
        assert!(memory.spilled.len() < 2_000, "{}", memory.spilled.len());
    }
}
