//! One counter of the platform, seen from here.
//!
//! The platform counts a request when it arrives, which is some time between its start and its answer. A request
//! therefore takes its place when it starts, and the time after which the place is free again begins with the
//! answer. Whatever the network's delays, the platform never counts more than is allowed, whether its windows
//! slide or are fixed.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// Windows for more requests than this are kept in so many steps, each of which ends late rather than early.
const STEPS: u32 = 64;

/// So many requests in so long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    pub(super) requests: u32,
    pub(super) per: Duration,
    /// A bucket that holds this many and is refilled steadily, in place of a window.
    pub(super) burst: Option<u32>,
}

impl Rate {
    /// How many may start at once when none did before.
    pub(super) fn most(&self) -> u32 {
        self.burst.unwrap_or(self.requests)
    }

    fn step(&self) -> Duration {
        self.per / STEPS
    }

    /// The time in which a bucket gets one back.
    pub(super) fn interval(&self) -> Duration {
        self.per / self.requests
    }
}

/// What was used of a [`Rate`].
#[derive(Debug)]
pub(super) struct Meter {
    /// Requests that were started and not answered.
    in_flight: u32,
    /// Answered requests whose window is not over.
    sum: u32,
    used: Used,
}

#[derive(Debug)]
enum Used {
    /// When those of the sum were answered.
    Window(Steps),
    /// When the bucket will be full again.
    Bucket { full_at: Instant },
}

/// Steps, oldest first. Most meters of single conversations have one at most, and there may be millions of them.
#[derive(Debug)]
enum Steps {
    Few(Option<Step>),
    #[expect(
        clippy::box_collection,
        reason = "a meter without many steps is three quarters of the size so"
    )]
    Many(Box<VecDeque<Step>>),
}

#[derive(Clone, Copy, Debug)]
struct Step {
    end: Instant,
    count: u32,
}

impl Meter {
    pub(super) fn new(rate: &Rate, now: Instant) -> Self {
        Self {
            in_flight: 0,
            sum: 0,
            used: match rate.burst {
                None => Used::Window(Steps::Few(None)),
                Some(_) => Used::Bucket { full_at: now },
            },
        }
    }

    /// A request starts.
    pub(super) fn start(&mut self) {
        self.in_flight += 1;
    }

    /// A request that started ends; `was_sent` says whether the platform may have seen it.
    pub(super) fn end(&mut self, rate: &Rate, was_sent: bool, now: Instant) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if !was_sent {
            return;
        }
        match &mut self.used {
            Used::Bucket { full_at } => *full_at = (*full_at).max(now) + rate.interval(),
            Used::Window(steps) => {
                self.sum += 1;
                match steps.last_mut() {
                    Some(last) if now <= last.end => last.count += 1,
                    _ => {
                        let is_coarse = rate.requests > STEPS;
                        let end = now
                            + if is_coarse {
                                rate.step()
                            } else {
                                Duration::ZERO
                            };
                        steps.push(Step { end, count: 1 });
                    }
                }
            }
        }
    }

    /// Forgets what is over.
    pub(super) fn expire(&mut self, rate: &Rate, now: Instant) {
        if let Used::Window(steps) = &mut self.used {
            while let Some(step) = steps.first().filter(|step| step.end + rate.per <= now) {
                self.sum -= step.count;
                steps.pop();
            }
        }
    }

    /// When the `n`th request from now may start, if those in flight were answered now; `n` counts from 1.
    pub(super) fn nth(&self, rate: &Rate, n: u32, now: Instant) -> Instant {
        match &self.used {
            Used::Bucket { full_at } => {
                let taken = self.in_flight.saturating_add(n);
                let until = (*full_at).max(now) + rate.interval().saturating_mul(taken);
                // A bucket that is never empty by then.
                until
                    .checked_sub(rate.interval() * rate.most())
                    .map_or(now, |start| start.max(now))
            }
            Used::Window(steps) => {
                // Whatever of the sum is over does not make it less.
                let taken = self.sum.saturating_add(self.in_flight);
                if n <= rate.requests.saturating_sub(taken) {
                    return now;
                }
                let (rounds, rest) = ((n - 1) / rate.requests, (n - 1) % rate.requests);
                let is_over = |step: &&Step| step.end + rate.per <= now;
                let over: u32 = steps
                    .iter()
                    .take_while(is_over)
                    .map(|step| step.count)
                    .sum();
                let occupied = taken - over;
                let free = rate.requests.saturating_sub(occupied);
                // A share that was made smaller than what it has in use.
                let over_by = occupied.saturating_sub(rate.requests);
                let first = if rest < free {
                    now
                } else {
                    let mut left = rest - free + 1 + over_by;
                    steps
                        .iter()
                        .skip_while(is_over)
                        .find(|step| {
                            let is_it = left <= step.count;
                            left = left.saturating_sub(step.count);
                            is_it
                        })
                        .map_or(now + rate.per, |step| step.end + rate.per)
                };
                first + rate.per.saturating_mul(rounds)
            }
        }
    }

    /// How many requests are under way or still count. `rate` is that of the share, `whole` that of the limit.
    pub(super) fn taken(&self, rate: &Rate, whole: &Rate, now: Instant) -> u32 {
        let used = match &self.used {
            Used::Bucket { full_at } => {
                let owed = full_at.saturating_duration_since(now).as_nanos();
                let interval = rate.interval().as_nanos().max(1);
                u32::try_from(owed.div_ceil(interval)).unwrap_or(u32::MAX)
            }
            Used::Window(steps) => {
                let over = steps
                    .iter()
                    .take_while(|step| step.end + whole.per <= now)
                    .map(|step| step.count);
                self.sum - over.sum::<u32>()
            }
        };
        used.saturating_add(self.in_flight)
    }

    /// From now on a bucket pays back what it owes at another rate.
    pub(super) fn change_rate(&mut self, from: &Rate, to: &Rate, now: Instant) {
        if let Used::Bucket { full_at } = &mut self.used {
            let owed = full_at.saturating_duration_since(now);
            let (from, to) = (from.interval().as_secs_f64(), to.interval().as_secs_f64());
            let owed = Duration::try_from_secs_f64(owed.as_secs_f64() * to / from);
            *full_at = now + owed.unwrap_or(Duration::ZERO);
        }
    }

    /// Forgets the answered requests of a window: when each stops to count, and how many.
    pub(super) fn take_answered(&mut self, rate: &Rate) -> impl Iterator<Item = (Instant, u32)> {
        let steps: Vec<Step> = match &mut self.used {
            Used::Bucket { .. } => Vec::new(),
            Used::Window(steps) => {
                self.sum = 0;
                let answered = steps.iter().copied().collect();
                *steps = Steps::Few(None);
                answered
            }
        };
        let per = rate.per;
        steps
            .into_iter()
            .map(move |step| (step.end + per, step.count))
    }

    /// Whether nothing would be lost by forgetting it.
    pub(super) fn is_idle(&self, now: Instant) -> bool {
        self.in_flight == 0
            && match &self.used {
                Used::Window(_) => self.sum == 0,
                Used::Bucket { full_at } => *full_at <= now,
            }
    }

    /// How much of it is used, in thousandths.
    pub(super) fn fullness(&self, rate: &Rate, now: Instant) -> u32 {
        let used = match &self.used {
            Used::Window(_) => u128::from(self.sum) * 1000 / u128::from(rate.requests),
            Used::Bucket { full_at } => {
                let owed = full_at.saturating_duration_since(now).as_nanos();
                owed * 1000 / (rate.interval() * rate.most()).as_nanos().max(1)
            }
        };
        u32::try_from(used).unwrap_or(u32::MAX)
    }
}

impl Steps {
    fn iter(&self) -> impl Iterator<Item = &Step> {
        let (first, second) = match self {
            Self::Few(step) => (step.as_slice(), &[][..]),
            Self::Many(steps) => steps.as_slices(),
        };
        first.iter().chain(second)
    }

    fn first(&self) -> Option<&Step> {
        match self {
            Self::Few(step) => step.as_ref(),
            Self::Many(steps) => steps.front(),
        }
    }

    fn last_mut(&mut self) -> Option<&mut Step> {
        match self {
            Self::Few(step) => step.as_mut(),
            Self::Many(steps) => steps.back_mut(),
        }
    }

    fn push(&mut self, step: Step) {
        match self {
            Self::Few(Some(first)) => *self = Self::Many(Box::new(VecDeque::from([*first, step]))),
            Self::Few(none) => *none = Some(step),
            Self::Many(steps) => steps.push_back(step),
        }
    }

    /// Takes the first one out.
    fn pop(&mut self) {
        match self {
            Self::Few(step) => *step = None,
            Self::Many(steps) => {
                steps.pop_front();
                if steps.len() <= 1 {
                    *self = Self::Few(steps.front().copied());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn rate(requests: u32, burst: Option<u32>) -> Rate {
        Rate {
            requests,
            per: SECOND,
            burst,
        }
    }

    fn used(rate: &Rate, at: &[Instant]) -> Meter {
        let mut meter = Meter::new(rate, at[0]);
        for &now in at {
            meter.start();
            meter.end(rate, true, now);
        }
        meter
    }

    #[tokio::test(start_paused = true)]
    async fn a_window_counts_from_the_answer() {
        let (rate, now) = (rate(2, None), Instant::now());
        let mut meter = Meter::new(&rate, now);
        meter.start();
        assert_eq!(meter.nth(&rate, 1, now), now);
        meter.start();
        assert_eq!(meter.nth(&rate, 1, now), now + SECOND);
        let later = now + SECOND * 3;
        meter.end(&rate, true, later);
        assert_eq!(meter.nth(&rate, 1, later), later + SECOND);
        meter.end(&rate, false, later);
        assert_eq!(
            meter.nth(&rate, 1, later),
            later,
            "what was not sent is given back"
        );
        meter.expire(&rate, later + SECOND);
        assert!(meter.is_idle(later + SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn the_nth_start_is_known() {
        let (rate, now) = (rate(2, None), Instant::now());
        let meter = used(&rate, &[now, now + SECOND / 2]);
        let starts: Vec<Duration> = (1..=5)
            .map(|n| meter.nth(&rate, n, now + SECOND / 2) - now)
            .collect();
        let half = SECOND / 2;
        assert_eq!(starts, [half * 2, half * 3, half * 4, half * 5, half * 6]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_bucket_bursts_and_refills() {
        let (rate, now) = (rate(2, Some(10)), Instant::now());
        let meter = used(&rate, &[now; 9]);
        assert_eq!(meter.nth(&rate, 1, now), now);
        assert_eq!(meter.nth(&rate, 2, now), now + SECOND / 2);
        let meter = used(&rate, &[now; 10]);
        assert_eq!(meter.nth(&rate, 1, now), now + SECOND / 2);
        assert_eq!(meter.nth(&rate, 4, now), now + SECOND * 2);
        assert!(!meter.is_idle(now) && meter.is_idle(now + SECOND * 5));
        assert_eq!(
            (
                meter.fullness(&rate, now),
                meter.fullness(&rate, now + SECOND * 5)
            ),
            (1000, 0)
        );
    }

    #[test]
    fn a_meter_without_use_is_small() {
        assert!(size_of::<Meter>() <= 40, "{}", size_of::<Meter>());
    }

    #[tokio::test(start_paused = true)]
    async fn large_windows_stay_small() {
        let (rate, now) = (rate(100_000, None), Instant::now());
        let mut meter = Meter::new(&rate, now);
        for n in 0..10_000 {
            let now = now + SECOND * n / 1000;
            meter.expire(&rate, now);
            meter.start();
            meter.end(&rate, true, now);
        }
        let Used::Window(steps) = &meter.used else {
            unreachable!("no burst")
        };
        assert!(steps.iter().count() <= 66, "{}", steps.iter().count());
        assert!((1000..=1020).contains(&meter.sum), "{}", meter.sum);
    }
}
