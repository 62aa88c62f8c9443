//! Limits over the wire: what is sent, when, and what is not.

use std::time::Duration;

use qq_http::{Advice, ErrorKind, Limit, LimitMode, Limits, Method, RetryPolicy, Route};
use serde_json::json;
use tokio::time::Instant;

use crate::support::{Received, Reply, Server};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn ok() -> Reply {
    Reply::json(
        200,
        &json!({"id": "1", "username": "bot", "timestamp": "2026-11-20T00:00:00+08:00"}),
    )
}

fn one_per_minute() -> Limits {
    Limits::learned().with(Limit::new("me", Route::GetMe, 1, MINUTE))
}

fn refused(code: i64) -> Reply {
    Reply::json(400, &json!({"code": code, "message": "no"}))
}

fn is_to(request: &Received, group: &str) -> bool {
    request.path == format!("/v2/groups/{group}/messages")
}

#[tokio::test(start_paused = true)]
async fn a_call_that_cannot_start_in_time_is_never_sent() {
    let server = Server::new(|_| ok());
    let http = server.builder().limits(one_per_minute()).build().unwrap();
    http.me().await.unwrap();
    let begin = Instant::now();
    let error = http.me().timeout(SECOND * 5).await.unwrap_err();
    assert_eq!(begin.elapsed(), Duration::ZERO);
    assert_eq!(
        (
            error.kind(),
            error.attempts(),
            error.status(),
            error.advice()
        ),
        (ErrorKind::RateLimited, 0, None, Advice::RetryAfter)
    );
    assert_eq!(error.retry_after(), Some(MINUTE));
    assert_eq!(error.route(), Some("/users/@me"));
    assert_eq!(server.received().len(), 1);
    // With more time it waits.
    http.me().timeout(MINUTE * 2).await.unwrap();
    assert_eq!(begin.elapsed(), MINUTE);
}

#[tokio::test(start_paused = true)]
async fn fail_fast_and_off_do_not_wait() {
    let server = Server::new(|_| ok());
    let limits = one_per_minute().mode(LimitMode::FailFast);
    let http = server.builder().limits(limits).build().unwrap();
    let request = http.me().try_into_request().unwrap();
    assert_eq!(http.limits().wait_for(&request), Duration::ZERO);
    http.me().await.unwrap();
    assert_eq!(http.limits().wait_for(&request), MINUTE);
    let begin = Instant::now();
    let error = http.me().timeout(MINUTE * 5).await.unwrap_err();
    assert_eq!(
        (error.retry_after(), begin.elapsed()),
        (Some(MINUTE), Duration::ZERO)
    );
    let off = server
        .builder()
        .limits(one_per_minute().mode(LimitMode::Off))
        .build()
        .unwrap();
    for _ in 0..10 {
        off.me().await.unwrap();
    }
    assert_eq!(
        (server.received().len(), begin.elapsed()),
        (11, Duration::ZERO)
    );
}

#[tokio::test(start_paused = true)]
async fn a_path_by_hand_counts_like_its_route() {
    let server = Server::new(|_| ok());
    let http = server.builder().limits(one_per_minute()).build().unwrap();
    http.request(Method::GET, "/users/@me?x=1", None)
        .await
        .unwrap();
    let error = http.me().timeout(SECOND).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
}

#[tokio::test(start_paused = true)]
async fn each_attempt_is_counted() {
    let mut replies = [Reply::text(500, "text/plain", ""), ok()].into_iter();
    let server = Server::new(move |_| replies.next().unwrap_or_else(ok));
    let http = server.builder().limits(one_per_minute()).build().unwrap();
    let begin = Instant::now();
    http.me().timeout(MINUTE * 2).await.unwrap();
    assert_eq!((server.received().len(), begin.elapsed()), (2, MINUTE));
    // No room for the second attempt in time: the first one's failure is the call's.
    let mut replies = [ok(), Reply::text(500, "text/plain", "")].into_iter();
    let server = Server::new(move |_| replies.next().unwrap_or_else(ok));
    let limits = Limits::learned().with(Limit::new("me", Route::GetMe, 2, MINUTE));
    let http = server.builder().limits(limits).build().unwrap();
    http.me().await.unwrap();
    let error = http.me().timeout(SECOND * 20).await.unwrap_err();
    assert_eq!(
        (
            error.status().map(|status| status.as_u16()),
            error.attempts()
        ),
        (Some(500), 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_429_holds_the_route_as_told() {
    let mut replies =
        [Reply::text(429, "text/plain", "").with_header("retry-after", "7")].into_iter();
    let server = Server::new(move |_| replies.next().unwrap_or_else(ok));
    let http = server
        .builder()
        .limits(Limits::learned())
        .retry(RetryPolicy::never())
        .build()
        .unwrap();
    let begin = Instant::now();
    let error = http.group("a").send("hi").await.unwrap_err();
    assert_eq!(error.retry_after(), Some(SECOND * 7));
    let request = http.group("b").send("hi").try_into_request().unwrap();
    assert_eq!(http.limits().wait_for(&request), SECOND * 7);
    let error = http
        .group("b")
        .send("hi")
        .timeout(SECOND * 5)
        .await
        .unwrap_err();
    assert_eq!(
        (error.attempts(), error.retry_after()),
        (0, Some(SECOND * 7))
    );
    http.user("u").send("hi").await.unwrap();
    assert_eq!(begin.elapsed(), Duration::ZERO, "another route");
    http.group("b").send("hi").await.unwrap();
    assert_eq!(begin.elapsed(), SECOND * 7);
}

#[tokio::test(start_paused = true)]
async fn a_code_holds_what_it_counts() {
    for (code, holds_answers, holds_others, seconds) in [
        (22_009, false, false, 1),
        (40_034_100, false, false, 1),
        (20_028, true, false, 1),
        (100_017, true, true, 1),
        (304_045, false, false, 60),
        (304_050, false, true, 60),
    ] {
        let server = Server::new(move |request| {
            if is_to(request, "a") {
                refused(code)
            } else {
                ok()
            }
        });
        let http = server.builder().limits(Limits::learned()).build().unwrap();
        http.group("a").send("hi").await.unwrap_err();
        let wait = |group: &str, is_answer: bool| {
            let message = http.group(group).send("hi");
            let message = if is_answer {
                message.reply_to("m")
            } else {
                message
            };
            http.limits().wait_for(&message.try_into_request().unwrap())
        };
        let held = |is_held: bool| SECOND * if is_held { seconds } else { 0 };
        assert_eq!(wait("a", false), held(true), "{code}");
        assert_eq!(wait("a", true), held(holds_answers), "{code}");
        assert_eq!(wait("b", false), held(holds_others), "{code}");
        // Each refusal in a row doubles it.
        tokio::time::sleep(SECOND * seconds).await;
        http.group("a").send("hi").await.unwrap_err();
        assert_eq!(wait("a", false), SECOND * seconds * 2, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn other_refusals_hold_nothing() {
    for code in [11_253, 40_054_002, 304_031] {
        let server = Server::new(move |_| refused(code));
        let http = server.builder().limits(Limits::learned()).build().unwrap();
        http.group("a").send("hi").await.unwrap_err();
        let request = http.group("a").send("hi").try_into_request().unwrap();
        assert_eq!(http.limits().wait_for(&request), Duration::ZERO, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_always_refuses_is_not_stormed() {
    let server = Server::new(|_| Reply::text(429, "text/plain", ""));
    let http = server.builder().limits(Limits::learned()).build().unwrap();
    let storm = |calls: usize| {
        let calls = (0..calls).map(|_| http.me().into_future());
        futures_util::future::join_all(calls)
    };
    storm(1).await;
    let before = server.received().len();
    let errors = storm(200).await;
    assert!(
        errors
            .iter()
            .all(|error| error.as_ref().unwrap_err().kind() == ErrorKind::RateLimited)
    );
    let sent = server.received().len() - before;
    assert!(
        (1..=6).contains(&sent),
        "one at a time tries, less and less often: {sent}"
    );
}

#[tokio::test(start_paused = true)]
async fn dropped_calls_free_their_turn() {
    let server = Server::new(|_| ok());
    let limits = Limits::learned().with(Limit::new("me", Route::GetMe, 1, SECOND));
    let http = server.builder().limits(limits).build().unwrap();
    http.me().await.unwrap();
    let begin = Instant::now();
    let dropped: Vec<_> = (0..20)
        .map(|_| tokio::spawn(http.me().into_future()))
        .collect();
    let last = tokio::spawn(http.me().into_future());
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(http.limits().stats().waiting, 21);
    for task in dropped {
        task.abort();
    }
    last.await.unwrap().unwrap();
    assert_eq!((begin.elapsed(), server.received().len()), (SECOND, 2));
    assert_eq!(http.limits().stats().waiting, 0);
}
