//! Limits that several processes keep together, in virtual time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use tokio::time::{Instant, sleep, timeout};

use super::tests::{
    Call, HOUR, MILLI, SECOND, assert_never_over, calls, counters, limit, limits, message, run,
    start_and_end,
};
use super::*;

/// Keeps what it is given.
#[derive(Default)]
struct Store(Mutex<Option<SharedLimits>>);

impl LimitStore for Store {
    fn open(&self, limits: SharedLimits) {
        *self.0.lock().unwrap() = Some(limits);
    }
}

fn shared(limits: &Limits) -> (Arc<Limiter>, SharedLimits) {
    let store = Store::default();
    let limiter = Limiter::shared(limits.clone(), &store);
    let shared = store.0.into_inner().unwrap().unwrap();
    (Arc::new(limiter), shared)
}

fn of(limits: impl IntoIterator<Item = Limit>) -> Limits {
    limits.into_iter().fold(Limits::learned(), Limits::with)
}

/// One limit, divided at random among processes.
struct Pool {
    shares: Vec<SharedLimit>,
    /// What each was given last.
    given: Vec<u32>,
    /// Places of nobody's, until when.
    settled: Vec<SettledPlaces>,
}

/// A step of the one who divides: who gives, who gets, how many, and whether the giver settles.
type Step = (usize, usize, u32, bool);

impl Pool {
    fn step(&mut self, (from, to, count, does_settle): Step) {
        let whole = self.shares[0].places();
        if does_settle {
            let settled = self.shares[from].settle();
            let sum: u32 = settled.iter().map(|settled| settled.places).sum();
            self.given[from] = self.given[from].saturating_sub(sum);
            self.settled.extend(settled);
        }
        self.given[from] = self.given[from].saturating_sub(count);
        self.shares[from].set_places(self.given[from], whole);
        let now = Instant::now();
        self.settled.retain(|settled| settled.free_at > now);
        let held: u32 = self
            .shares
            .iter()
            .map(|share| share.usage().unwrap().places)
            .sum();
        let settled: u32 = self.settled.iter().map(|settled| settled.places).sum();
        let free = whole.saturating_sub(held + settled);
        self.given[to] += free.min(count);
        self.shares[to].set_places(self.given[to], whole);
    }
}

/// Divides until the processes have made their calls.
async fn divide(mut pools: Vec<Pool>, steps: Vec<Step>) {
    for step in steps.into_iter().cycle() {
        for pool in &mut pools {
            pool.step(step);
        }
        sleep(MILLI * 150).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 60,
        failure_persistence: None,
        // Each attempt is a run of several processes.
        max_shrink_iters: 100,
        ..ProptestConfig::default()
    })]

    #[test]
    fn processes_together_never_exceed_a_limit_however_it_is_divided(
        limits in limits(),
        mut calls in vec(calls(), 3),
        steps in vec((0usize..3, 0usize..3, 1u32..6, any::<bool>()), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        calls.iter_mut().for_each(|calls| calls.truncate(20));
        runtime.block_on(async {
            let limits: Vec<Limit> = limits.into_iter().map(|limit| limit.scope(LimitScope::Bot)).collect();
            let processes: Vec<_> = (0..3).map(|_| shared(&of(limits.clone()))).collect();
            let pools = (0..limits.len()).map(|at| Pool {
                shares: processes.iter().map(|(_, shared)| shared.limits()[at].clone()).collect(),
                given: vec![0; 3],
                settled: Vec::new(),
            });
            // Everybody has everything once in a while, whatever the steps are.
            let turns = [(1, 0), (2, 0), (0, 1), (2, 1), (0, 2), (1, 2)];
            let steps = steps.into_iter().chain(turns.map(|(from, to)| (from, to, 99, false)));
            let dividing = divide(pools.collect(), steps.collect());
            let running = async {
                let [a, b, c] = <[Vec<Call>; 3]>::try_from(calls).unwrap();
                let limiter = |at: usize| Arc::clone(&processes[at].0);
                tokio::join!(run(limiter(0), a), run(limiter(1), b), run(limiter(2), c))
            };
            let (a, b, c) = tokio::select! {
                seen = running => seen,
                () = dividing => unreachable!("it goes on for ever"),
            };
            let seen: Vec<_> = a.into_iter().chain(b).chain(c).collect();
            for limit in &limits {
                for counted in counters(limit, &seen) {
                    assert_never_over(limit, &counted);
                }
            }
        });
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_its_share_and_asks_for_it_once() {
    let limits = of([limit("bot", 30, SECOND)]);
    let (limiter, shared) = shared(&limits);
    let request = message("g", Counted::All);
    assert!(timeout(SECOND, shared.wanted()).await.is_err());
    let begun = Instant::now();
    let give = async {
        shared.wanted().await;
        let limit = &shared.limits()[0];
        let usage = limit.usage().unwrap();
        assert_eq!((usage.places, usage.waiting), (0, 1));
        assert!(usage.is_wanted);
        assert!(timeout(SECOND * 3, shared.wanted()).await.is_err());
        limit.set_places(10, 30);
    };
    let (sent, ()) = tokio::join!(start_and_end(&limiter, &request), give);
    sent.unwrap();
    assert_eq!(begun.elapsed(), SECOND * 3);
    for _ in 0..9 {
        start_and_end(&limiter, &request).await.unwrap();
    }
    assert_eq!(begun.elapsed(), SECOND * 3, "no place is asked for again");
    shared.wanted().await;
}

#[tokio::test(start_paused = true)]
async fn a_smaller_share_holds_back_and_what_is_taken_stays_counted() {
    let limits = of([limit("bot", 8, SECOND)]);
    let (limiter, shared) = shared(&limits);
    let (request, share) = (message("g", Counted::All), &shared.limits()[0]);
    share.set_places(8, 8);
    for _ in 0..6 {
        start_and_end(&limiter, &request).await.unwrap();
    }
    let usage = share.set_places(2, 8).unwrap();
    assert_eq!((usage.places, usage.taken), (6, 6));
    let begun = Instant::now();
    for _ in 0..3 {
        start_and_end(&limiter, &request).await.unwrap();
    }
    assert_eq!(begun.elapsed(), SECOND * 2, "two a second");
    assert_eq!(share.set_places(0, 8).unwrap().taken, 1);
    let refused = timeout(HOUR * 2, limiter.permit(&request, Instant::now() + HOUR)).await;
    assert!(refused.unwrap().is_err(), "with no place nothing starts");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_could_not_come_in_time_with_any_share_fails_at_once() {
    let limits = of([limit("bot", 2, Duration::from_secs(60))]);
    let (limiter, shared) = shared(&limits);
    let (request, share) = (message("g", Counted::All), &shared.limits()[0]);
    share.set_places(1, 1);
    start_and_end(&limiter, &request).await.unwrap();
    let begun = Instant::now();
    let soon = begun + SECOND * 5;
    assert!(limiter.permit(&request, soon).await.is_err());
    assert_eq!(begun.elapsed(), Duration::ZERO);
    share.set_places(1, 2);
    let give = async {
        sleep(SECOND).await;
        share.set_places(2, 2);
    };
    let (permit, ()) = tokio::join!(limiter.permit(&request, soon), give);
    drop(permit.unwrap());
    assert_eq!(begun.elapsed(), SECOND);
}

#[tokio::test(start_paused = true)]
async fn who_may_not_wait_waits_for_a_share_alone() {
    let limits = of([limit("bot", 2, SECOND)]).mode(LimitMode::FailFast);
    let (limiter, shared) = shared(&limits);
    let request = message("g", Counted::All);
    let give = async {
        shared.wanted().await;
        shared.limits()[0].set_places(2, 2);
    };
    let (sent, ()) = tokio::join!(start_and_end(&limiter, &request), give);
    sent.unwrap();
    start_and_end(&limiter, &request).await.unwrap();
    let begun = Instant::now();
    assert!(start_and_end(&limiter, &request).await.is_err());
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn settled_places_are_told_with_their_end() {
    let day = HOUR * 24;
    let limits = of([limit("day", 40, day)]);
    let (limiter, shared) = shared(&limits);
    let (request, share) = (message("g", Counted::All), &shared.limits()[0]);
    share.set_places(10, 40);
    let begun = Instant::now();
    for _ in 0..3 {
        start_and_end(&limiter, &request).await.unwrap();
        sleep(HOUR).await;
    }
    let settled: Vec<_> = share
        .settle()
        .iter()
        .map(|settled| (settled.free_at - begun, settled.places))
        .collect();
    assert_eq!(settled, [(day, 1), (day + HOUR, 1), (day + HOUR * 2, 1)]);
    let usage = share.usage().unwrap();
    assert_eq!((usage.places, usage.taken), (7, 0));
    drop(limiter);
    assert_eq!(share.usage(), None, "the client is gone");
}

#[test]
fn every_limit_of_the_bot_is_shared_and_no_other() {
    let (limiter, shared) = shared(&Limits::default());
    let of_bot = limiter.limits().limits().iter();
    let of_bot = of_bot.filter(|limit| limit.parts().1 == LimitScope::Bot);
    let expected: usize = of_bot
        .map(|limit| {
            Route::ALL
                .iter()
                .filter(|route| limit.is_for(**route))
                .count()
        })
        .sum();
    assert_eq!(shared.limits().len(), expected);
    let gateway = shared
        .limits()
        .iter()
        .find(|limit| limit.route() == Route::GetGatewayBot)
        .unwrap();
    assert_eq!(
        (gateway.places(), gateway.memory()),
        (10, Duration::from_secs(300))
    );
}
