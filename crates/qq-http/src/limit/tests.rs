//! The limiter against a model of the platform's counters, in virtual time.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use qq_model::Token;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::*;
use crate::client::HttpClient;
use crate::error::ErrorKind;

pub(super) const MILLI: Duration = Duration::from_millis(1);
pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const HOUR: Duration = Duration::from_secs(3600);

pub(super) fn message(group: &str, kind: Counted) -> Request {
    let http = HttpClient::new(Token::new("1", "s")).unwrap();
    let message = http.group(group).send("hi");
    match kind {
        Counted::All => message.reply_to("m"),
        Counted::Active => message,
    }
    .try_into_request()
    .unwrap()
}

pub(super) fn limit(name: &'static str, requests: u32, per: Duration) -> Limit {
    Limit::new(name, Route::SendGroupMessage, requests, per)
}

fn limiter(limits: impl IntoIterator<Item = Limit>) -> Limiter {
    Limiter::new(limits.into_iter().fold(Limits::learned(), Limits::with))
}

async fn start<'a>(limiter: &'a Limiter, request: &'a Request) -> Result<Permit<'a>, Error> {
    limiter.permit(request, Instant::now() + HOUR).await
}

pub(super) async fn start_and_end(limiter: &Limiter, request: &Request) -> Result<(), Error> {
    let mut permit = start(limiter, request).await?;
    permit.send();
    permit.end(None);
    Ok(())
}

/// One request of the model test; times in milliseconds.
#[derive(Clone, Debug)]
pub(super) struct Call {
    at: u64,
    peer: u8,
    is_active: bool,
    there: u64,
    back: u64,
    gives_up_after: Option<u64>,
}

/// What became of it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    call: Call,
    order: usize,
    asked: Instant,
    started: Instant,
    arrived: Instant,
    answered: Instant,
}

pub(super) fn calls() -> impl Strategy<Value = Vec<Call>> {
    let gives_up = prop_oneof![3 => Just(None), 1 => (0u64..3000).prop_map(Some)];
    let call = (
        0u64..3000,
        0u8..4,
        any::<bool>(),
        0u64..400,
        0u64..400,
        gives_up,
    );
    let call = call.prop_map(|(at, peer, is_active, there, back, gives_up_after)| Call {
        at,
        peer,
        is_active,
        there,
        back,
        gives_up_after,
    });
    vec(call, 1..60)
}

pub(super) fn limits() -> impl Strategy<Value = Vec<Limit>> {
    let burst = prop_oneof![3 => Just(None), 1 => (1u32..6).prop_map(Some)];
    let rule = (1u32..8, 1u64..2500, any::<bool>(), any::<bool>(), burst);
    vec(rule, 1..5).prop_map(|rules| {
        let rules = rules.into_iter().zip(["a", "b", "c", "d", "e"]);
        rules
            .map(|((requests, per, is_peer, is_active, burst), name)| {
                let mut limit = limit(name, requests, MILLI * u32::try_from(per).unwrap());
                if is_peer {
                    limit = limit.scope(LimitScope::Peer);
                }
                if is_active {
                    limit = limit.counted(Counted::Active);
                }
                match burst {
                    Some(burst) => limit.burst(burst),
                    None => limit,
                }
            })
            .collect()
    })
}

pub(super) async fn run(limiter: Arc<Limiter>, mut calls: Vec<Call>) -> Vec<Seen> {
    calls.sort_by_key(|call| call.at);
    let begin = Instant::now();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for (order, call) in calls.into_iter().enumerate() {
        let (limiter, seen) = (Arc::clone(&limiter), Arc::clone(&seen));
        let asked = begin + Duration::from_millis(call.at);
        sleep_until(asked).await;
        tasks.push(tokio::spawn(async move {
            let kind = if call.is_active {
                Counted::Active
            } else {
                Counted::All
            };
            let request = message(&call.peer.to_string(), kind);
            let asked = Instant::now();
            let patience = call.gives_up_after.map_or(HOUR, Duration::from_millis);
            let Ok(permit) = timeout(patience, start(&limiter, &request)).await else {
                return;
            };
            let mut permit = permit.unwrap();
            let started = Instant::now();
            permit.send();
            sleep(Duration::from_millis(call.there)).await;
            let arrived = Instant::now();
            sleep(Duration::from_millis(call.back)).await;
            permit.end(None);
            let answered = Instant::now();
            seen.lock().unwrap().push(Seen {
                call,
                order,
                asked,
                started,
                arrived,
                answered,
            });
        }));
        // So that it asks before the next one.
        tokio::task::yield_now().await;
    }
    for task in tasks {
        task.await.unwrap();
    }
    let mut seen = std::mem::take(&mut *seen.lock().unwrap());
    seen.sort_by_key(|one| one.order);
    seen
}

/// The requests that a limit counts together.
pub(super) fn counters<'s>(limit: &Limit, seen: &'s [Seen]) -> Vec<Vec<&'s Seen>> {
    let (counted, scope, _) = limit.parts();
    let mut counters: HashMap<Option<u8>, Vec<&Seen>> = HashMap::new();
    for one in seen {
        if counted == Counted::All || one.call.is_active {
            let key = (scope == LimitScope::Peer).then_some(one.call.peer);
            counters.entry(key).or_default().push(one);
        }
    }
    counters.into_values().collect()
}

/// The platform's side: what it counts when requests arrive.
pub(super) fn assert_never_over(limit: &Limit, counted: &[&Seen]) {
    let mut arrivals: Vec<Instant> = counted.iter().map(|one| one.arrived).collect();
    arrivals.sort();
    let most = limit.requests() as usize;
    match limit.parts().2 {
        None => {
            for window in arrivals.windows(most + 1) {
                let span = window[most] - window[0];
                assert!(
                    span >= limit.per(),
                    "{} of {limit:?} within {span:?}",
                    most + 1
                );
            }
        }
        Some(burst) => {
            let mut tokens = f64::from(burst);
            let mut last = arrivals[0];
            for arrival in arrivals {
                let refill = (arrival - last).as_secs_f64() / limit.per().as_secs_f64();
                tokens =
                    (tokens + refill * f64::from(limit.requests())).min(f64::from(burst)) - 1.0;
                assert!(tokens > -1e-6, "{limit:?} overdrawn by {tokens}");
                last = arrival;
            }
        }
    }
}

/// Nobody waits while there is room: shortly before each late start some limit was full.
fn assert_no_idle_wait(limits: &[Limit], seen: &[Seen]) {
    for late in seen {
        let before = late.started - MILLI * 3;
        if late.started <= late.asked + MILLI * 3 {
            continue;
        }
        let is_full = |limit: &Limit| {
            let (counted, scope, _) = limit.parts();
            let counts = |one: &&Seen| {
                (counted == Counted::All || one.call.is_active)
                    && (scope == LimitScope::Bot || one.call.peer == late.call.peer)
            };
            let occupies =
                |one: &&Seen| one.started <= before && before < one.answered + limit.per();
            let in_use = seen.iter().filter(counts).filter(occupies).count();
            counts(&late) && in_use >= limit.requests() as usize
        };
        assert!(limits.iter().any(is_full), "{late:?} waited for nothing");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_platform_never_counts_too_many_and_nobody_starves(limits in limits(), calls in calls()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let limiter = Arc::new(limiter(limits.clone()));
            let patient = calls.iter().filter(|call| call.gives_up_after.is_none()).count();
            let seen = run(Arc::clone(&limiter), calls).await;
            let done = seen.iter().filter(|one| one.call.gives_up_after.is_none()).count();
            assert_eq!(done, patient, "everyone who waits gets a turn");
            for limit in &limits {
                for counted in counters(limit, &seen) {
                    assert_never_over(limit, &counted);
                }
            }
            for (peer, is_active) in (0..4).flat_map(|peer| [(peer, true), (peer, false)]) {
                let lane = seen.iter().filter(|one| one.call.peer == peer && one.call.is_active == is_active);
                let starts: Vec<Instant> = lane.map(|one| one.started).collect();
                assert!(starts.is_sorted(), "first come, first served: {starts:?}");
            }
            if limits.iter().all(|limit| limit.parts().2.is_none()) {
                assert_no_idle_wait(&limits, &seen);
            }
            let stats = limiter.stats();
            assert_eq!((stats.waiting, stats.in_flight), (0, 0));
        });
    }

    /// Futures are polled and dropped at random; nothing of them stays.
    #[test]
    fn dropped_waiters_leave_nothing_behind(steps in vec((0usize..12, 0u8..8, 0u64..300), 1..120)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            type Pending<'a> = Pin<Box<dyn Future<Output = Result<Permit<'a>, Error>> + 'a>>;
            const MOST: u32 = 3;
            let limiter = limiter([
                limit("bot", MOST, SECOND),
                limit("peer", 2, SECOND).scope(LimitScope::Peer),
            ]);
            let requests: Vec<Request> = (0..4).map(|n| message(&n.to_string(), Counted::All)).collect();
            let mut futures: Vec<Option<Pending<'_>>> = (0..12).map(|_| None).collect();
            let mut permits: Vec<Permit<'_>> = Vec::new();
            for (slot, what, pause) in steps {
                match (what, futures[slot].take()) {
                    (0, future) => drop(future),
                    (1, future) => {
                        futures[slot] = future;
                        permits.pop();
                    }
                    (2, future) => {
                        futures[slot] = future;
                        sleep(Duration::from_millis(pause)).await;
                    }
                    (_, None) => futures[slot] = Some(Box::pin(start(&limiter, &requests[slot % 4]))),
                    (_, Some(mut future)) => {
                        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                            Poll::Ready(permit) => permits.push(permit.unwrap()),
                            Poll::Pending => futures[slot] = Some(future),
                        }
                    }
                }
                assert!(permits.len() <= MOST as usize);
            }
            drop(futures);
            assert_eq!(limiter.stats().waiting, 0);
            assert_eq!(limiter.stats().in_flight, permits.len());
            drop(permits);
            // Nothing was sent, so all of it is there again.
            for request in &requests[..MOST as usize] {
                assert_eq!(limiter.wait_for(request), Duration::ZERO);
                std::mem::forget(start(&limiter, request).await.unwrap());
            }
            assert_eq!(limiter.wait_for(&requests[3]), SECOND);
        });
    }
}

#[tokio::test(start_paused = true)]
async fn a_busy_group_does_not_starve_the_others() {
    let limiter = Arc::new(limiter([limit("bot", 10, SECOND)]));
    let starts = Arc::new(Mutex::new(Vec::new()));
    // The busy one comes first, all at once.
    for (peer, count) in [("busy", 500), ("a", 60), ("b", 60), ("c", 60)] {
        for _ in 0..count {
            let (limiter, starts) = (Arc::clone(&limiter), Arc::clone(&starts));
            tokio::spawn(async move {
                start_and_end(&limiter, &message(peer, Counted::Active))
                    .await
                    .unwrap();
                starts.lock().unwrap().push(peer);
            });
        }
        tokio::task::yield_now().await;
    }
    sleep(SECOND * 20).await;
    let starts = starts.lock().unwrap();
    assert!((190..=210).contains(&starts.len()), "{}", starts.len());
    let share = |peer| starts.iter().filter(|own| **own == peer).count();
    let shares = ["busy", "a", "b", "c"].map(share);
    let (most, fewest) = (shares.iter().max().unwrap(), shares.iter().min().unwrap());
    assert!(*most < 2 * *fewest, "{shares:?}");
}

#[tokio::test(start_paused = true)]
async fn answers_do_not_wait_behind_active_messages() {
    let limiter = limiter([
        limit("bot", 100, SECOND),
        limit("active", 1, SECOND * 60).counted(Counted::Active),
    ]);
    let (active, answer) = (message("g", Counted::Active), message("g", Counted::All));
    start_and_end(&limiter, &active).await.unwrap();
    assert_eq!(limiter.wait_for(&active), SECOND * 60);
    let begin = Instant::now();
    let waits = start_and_end(&limiter, &active);
    let goes = async {
        for _ in 0..50 {
            start_and_end(&limiter, &answer).await.unwrap();
        }
        begin.elapsed()
    };
    let (waited, went) = tokio::join!(waits, goes);
    waited.unwrap();
    assert_eq!((begin.elapsed(), went), (SECOND * 60, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn the_wait_is_known_and_bounds_what_waits() {
    let limiter = limiter([limit("bot", 2, SECOND)]);
    let request = message("g", Counted::All);
    let begin = Instant::now();
    let first = async {
        for _ in 0..2 {
            start_and_end(&limiter, &request).await.unwrap();
        }
    };
    first.await;
    let queued = (0..6).map(|_| start_and_end(&limiter, &request));
    let all = futures_util::future::join_all(queued);
    let late = async {
        // Six wait already, so the seventh is the first of the fourth second.
        assert_eq!(limiter.wait_for(&request), SECOND * 4);
        let error = limiter
            .permit(&request, begin + SECOND * 4)
            .await
            .map(drop)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RateLimited);
        assert_eq!(error.retry_after(), Some(SECOND * 4));
        assert_eq!(begin.elapsed(), Duration::ZERO, "at once");
        assert!(
            error.is_retryable() && error.to_string().contains("4.000 s"),
            "{error}"
        );
        let in_time = limiter.permit(&request, begin + SECOND * 4 + MILLI).await;
        assert_eq!((in_time.is_ok(), begin.elapsed()), (true, SECOND * 4));
    };
    let (all, ()) = tokio::join!(all, late);
    assert!(all.into_iter().all(|one| one.is_ok()));
}

#[tokio::test(start_paused = true)]
async fn many_are_in_flight_at_once() {
    let limiter = limiter([limit("bot", 50, SECOND)]);
    let request = message("g", Counted::All);
    let begin = Instant::now();
    let ten = (0..10).map(|_| async {
        let mut permit = start(&limiter, &request).await.unwrap();
        permit.send();
        sleep(MILLI * 100).await;
        permit.end(None);
    });
    futures_util::future::join_all(ten).await;
    assert_eq!(begin.elapsed(), MILLI * 100);
}

#[tokio::test(start_paused = true)]
async fn a_new_hold_sheds_those_who_cannot_wait_so_long() {
    let limiter = limiter([limit("bot", 1, SECOND)]);
    let request = message("g", Counted::All);
    let mut permit = start(&limiter, &request).await.unwrap();
    permit.send();
    let begin = Instant::now();
    let waits = limiter.permit(&request, begin + SECOND * 5);
    let refused = async {
        sleep(MILLI * 100).await;
        let mut headers = http::HeaderMap::new();
        headers.insert("retry-after", http::HeaderValue::from_static("60"));
        let status = http::StatusCode::TOO_MANY_REQUESTS;
        let redactor = crate::error::Redactor(&[]);
        permit.end(Some(&Error::from_http(
            status, &headers, b"", redactor, false,
        )));
    };
    let (waited, ()) = tokio::join!(waits, refused);
    let error = waited.map(drop).unwrap_err();
    assert_eq!(
        (error.retry_after(), begin.elapsed()),
        (Some(SECOND * 60), MILLI * 100)
    );
}

#[tokio::test(start_paused = true)]
async fn a_million_keys_leave_no_more_than_is_allowed() {
    const MOST: usize = 1000;
    let limits = Limits::learned()
        .with(
            limit("minute", 20, SECOND * 60)
                .scope(LimitScope::Peer)
                .counted(Counted::Active),
        )
        .with(
            limit("day", 1000, HOUR * 24)
                .scope(LimitScope::Peer)
                .counted(Counted::Active),
        )
        .max_keys(MOST);
    let limiter = Limiter::new(limits);
    let busy = message("busy", Counted::Active);
    for _ in 0..20 {
        start_and_end(&limiter, &busy).await.unwrap();
    }
    let http = HttpClient::new(Token::new("1", "s")).unwrap();
    for n in 0..1_000_000u32 {
        let request = http
            .group(n.to_string())
            .send("hi")
            .try_into_request()
            .unwrap();
        start_and_end(&limiter, &request).await.unwrap();
        if n % 4096 == 0 {
            assert!(limiter.stats().keys <= MOST, "{:?}", limiter.stats());
        }
    }
    assert_eq!(
        limiter.stats(),
        LimiterStats {
            keys: MOST,
            waiting: 0,
            in_flight: 0
        }
    );
    assert_eq!(
        limiter.wait_for(&busy),
        SECOND * 60,
        "who used most is forgotten last"
    );
    // A day later all are idle, and some traffic sweeps them out.
    sleep(HOUR * 25).await;
    for _ in 0..MOST {
        start_and_end(&limiter, &message("new", Counted::Active))
            .await
            .unwrap();
        let other = fastrand::u32(..).to_string();
        start_and_end(&limiter, &message(&other, Counted::Active))
            .await
            .unwrap();
        sleep(HOUR * 25).await;
    }
    assert!(limiter.stats().keys <= MOST / 4, "{:?}", limiter.stats());
}

#[tokio::test(start_paused = true)]
async fn no_more_wait_than_is_allowed() {
    let limits = Limits::learned()
        .with(limit("bot", 1, SECOND))
        .max_waiting(3);
    let limiter = Limiter::new(limits);
    let request = message("g", Counted::All);
    start_and_end(&limiter, &request).await.unwrap();
    let five = (0..5).map(|_| start_and_end(&limiter, &request));
    let five = futures_util::future::join_all(five).await;
    assert_eq!(five.iter().filter(|one| one.is_ok()).count(), 3);
}

#[tokio::test(start_paused = true)]
async fn documented_limits_are_kept_by_level() {
    for (level, most) in [
        (Certification::Verified, 60),
        (Certification::Unverified, 30),
    ] {
        let limiter = Limiter::new(Limits::documented(level).mode(LimitMode::FailFast));
        let mut sent = 0;
        while start_and_end(&limiter, &message(&sent.to_string(), Counted::Active))
            .await
            .is_ok()
        {
            sent += 1;
        }
        assert_eq!(sent, most, "{level:?}");
        let answer = message("0", Counted::All);
        let mut answered = 0;
        while start_and_end(&limiter, &answer).await.is_ok() {
            answered += 1;
        }
        assert_eq!(answered, 100 - most, "{level:?}");
    }
}
