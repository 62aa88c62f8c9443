//! The token manager against the platform's token rules, in virtual time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::support::{LIFETIME, Received, Reply, Server, TokenService};
use qq_http::{Advice, ErrorKind, Limits};
use qq_model::AccessToken;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

fn me() -> Reply {
    Reply::json(200, &json!({"id": "1", "username": "bot"}))
}

fn refusal() -> Reply {
    Reply::json(
        401,
        &json!({"message": "token", "code": 11244, "err_code": 40_011_027, "trace_id": "t"}),
    )
}

/// A server that answers only calls with a good token.
fn strict() -> Server {
    let tokens = Arc::new(std::sync::OnceLock::<TokenService>::new());
    let own = Arc::clone(&tokens);
    let server = Server::new(move |request: &Received| {
        if own.get().unwrap().accepts(request) {
            me()
        } else {
            refusal()
        }
    });
    let _ = tokens.set(server.tokens.clone());
    server
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_make_one_fetch_at_the_start_and_at_expiry() {
    let server = strict();
    let http = server.client();
    for fetches in 1..=3 {
        let mut calls = JoinSet::new();
        for _ in 0..1000 {
            let http = http.clone();
            calls.spawn(async move { http.me().await });
        }
        while let Some(result) = calls.join_next().await {
            result.unwrap().unwrap();
        }
        assert_eq!(server.token_calls(), fetches);
        sleep(LIFETIME + Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_day_takes_at_most_thirteen_fetches_and_no_refused_call() {
    let server = strict();
    let http = server.client();
    let day = Instant::now() + Duration::from_secs(24 * 60 * 60);
    while Instant::now() < day {
        http.me().await.unwrap();
        sleep(Duration::from_millis(fastrand::u64(1000..20_000))).await;
    }
    assert!(
        (12..=13).contains(&server.token_calls()),
        "{}",
        server.token_calls()
    );
    assert_eq!(
        server.tokens.issued(),
        server.token_calls(),
        "each fetch brought a new token"
    );
    assert!(server.received().len() > 5_000);
}

#[tokio::test(start_paused = true)]
async fn the_gateway_gets_its_tokens_by_the_same_rules() {
    let server = strict();
    let tokens: Arc<dyn AccessToken> = server.client().access_token();
    let day = Instant::now() + Duration::from_secs(24 * 60 * 60);
    while Instant::now() < day {
        tokens.get().await.unwrap();
        sleep(Duration::from_secs(7)).await;
    }
    assert!(
        (12..=13).contains(&server.token_calls()),
        "{}",
        server.token_calls()
    );
}

#[tokio::test(start_paused = true)]
async fn a_renewal_does_not_hold_up_calls() {
    let server = strict();
    let http = server.client();
    http.me().await.unwrap();
    sleep(LIFETIME - Duration::from_secs(39)).await;
    server.tokens.fail(|| Some(Reply::Stall(Vec::new())));
    let before = Instant::now();
    for _ in 0..30 {
        http.me().await.unwrap();
        assert!(before.elapsed() < Duration::from_secs(30));
        sleep(Duration::from_secs(1)).await;
    }
    assert!(
        before.elapsed() < Duration::from_secs(31),
        "{:?}",
        before.elapsed()
    );
    assert!(server.token_calls() > 1, "the renewal was tried");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_replaces_the_token_before_its_end() {
    let server = strict();
    let http = server.client();
    http.me().await.unwrap();
    sleep(LIFETIME - Duration::from_secs(39)).await;
    // The renewal begins beside the first of these calls, and at the latest ends beside the others.
    for _ in 0..5 {
        http.me().await.unwrap();
        sleep(Duration::from_millis(200)).await;
    }
    assert_eq!((server.token_calls(), server.tokens.issued()), (2, 2));
    let used = |request: &Received| request.header("authorization").unwrap().to_owned();
    let received = server.received();
    assert_eq!(used(&received[0]), used(&received[1]));
    assert_ne!(used(&received[0]), used(received.last().unwrap()));
}

#[tokio::test(start_paused = true)]
async fn ten_minutes_without_network_heal_by_themselves() {
    let server = strict();
    let http = server.client();
    http.me().await.unwrap();
    sleep(LIFETIME - Duration::from_secs(30)).await;
    server.tokens.fail(|| Some(Reply::Break(Vec::new())));
    let outage = Instant::now() + Duration::from_secs(600);
    let mut failed = 0;
    while Instant::now() < outage {
        failed += usize::from(http.me().await.is_err());
        sleep(Duration::from_secs(1)).await;
    }
    assert!(failed > 5, "{failed}");
    assert!(
        server.token_calls() < 130,
        "{} fetches within the outage",
        server.token_calls()
    );
    server.tokens.heal();
    http.me().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_failed_fetch_names_its_cause_and_its_call() {
    let server = strict();
    let http = server.client();
    for (reply, kind, text) in [
        (
            Reply::text(200, "text/html", "<html>"),
            ErrorKind::Http,
            "status 200",
        ),
        (
            Reply::text(502, "text/html", "<html>"),
            ErrorKind::Http,
            "status 502",
        ),
        (
            Reply::Break(Vec::new()),
            ErrorKind::Network,
            "connection broke",
        ),
        (Reply::Stall(Vec::new()), ErrorKind::Timeout, "in time"),
        (
            Reply::json(200, &json!({"expires_in": 7200})),
            ErrorKind::Http,
            "getAppAccessToken",
        ),
        (
            Reply::json(200, &json!({"access_token": "", "expires_in": 7200})),
            ErrorKind::Http,
            "getAppAccessToken",
        ),
        (
            Reply::json(200, &json!({"code": 100_001, "message": "x"})),
            ErrorKind::RateLimited,
            "too many",
        ),
    ] {
        let reply = Arc::new(std::sync::Mutex::new(Some(reply)));
        let first = server.token_calls();
        server.tokens.fail(move || reply.lock().unwrap().take());
        // The first fetch fails, the next one of the same call succeeds.
        let begun = Instant::now();
        let error = server
            .builder()
            .retry(qq_http::RetryPolicy::never())
            .build()
            .unwrap()
            .me()
            .await
            .unwrap_err();
        assert!(begun.elapsed() <= Duration::from_secs(10));
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(error.route(), Some("/app/getAppAccessToken"));
        assert_eq!(error.attempts(), 0, "the call itself was not made");
        assert!(error.to_string().contains(text), "{error}");
        assert_eq!(server.token_calls(), first + 1);
    }
    http.me().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_call_outlives_a_failed_fetch() {
    let server = strict();
    let mut faults = vec![Reply::Break(Vec::new()), Reply::text(503, "text/plain", "")].into_iter();
    server.tokens.fail(move || faults.next());
    let begun = Instant::now();
    server.client().me().await.unwrap();
    assert_eq!(server.token_calls(), 3);
    assert!(
        begun.elapsed() >= Duration::from_secs(2),
        "fetches are a second apart"
    );
}

#[tokio::test(start_paused = true)]
async fn wrong_credentials_are_final_and_do_not_flood() {
    for (code, advice) in [
        (100_007, Advice::Fatal),
        (100_016, Advice::Configuration),
        (10_004, Advice::Configuration),
    ] {
        let server = strict();
        server.tokens.fail(move || {
            Some(Reply::json(
                200,
                &json!({"code": code, "message": "invalid"}),
            ))
        });
        let http = server.client();
        let error = http.me().await.unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (ErrorKind::Authentication, Some(code))
        );
        assert_eq!(error.advice(), advice);
        assert_eq!(error.status().unwrap(), 200);
        for _ in 0..100 {
            assert_eq!(http.me().await.unwrap_err().code(), Some(code));
        }
        assert_eq!(server.token_calls(), 1);
        let error = http.access_token().get().await.unwrap_err();
        assert!(error.is_final());
        sleep(Duration::from_secs(20)).await;
        server.tokens.heal();
        http.me().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_replaced_once_and_the_call_repeated_once() {
    let refusals = [
        (401, json!({"code": 11244, "err_code": 40_011_027})),
        (401, json!({"err_code": 11243})),
        (401, json!({"code": 11241})),
        (
            200,
            json!({"code": 11244, "message": "token not exist or expire"}),
        ),
        (401, json!("")),
    ];
    for (status, body) in refusals {
        let server = Server::script([
            Reply::json(status, &body),
            me(),
            Reply::json(status, &body),
            Reply::json(status, &body),
        ]);
        let http = server.client();
        http.me().await.unwrap();
        assert_eq!(
            (server.token_calls(), server.received().len()),
            (2, 2),
            "{body}"
        );
        // Refused again and again: one more token, one more call, and an end.
        let error = http.me().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Authentication, "{error}");
        assert_eq!(
            (error.attempts(), error.advice()),
            (2, Advice::RefreshToken)
        );
        assert_eq!(
            (server.token_calls(), server.received().len()),
            (3, 4),
            "{body}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_revoked_token_costs_a_thousand_callers_one_fetch() {
    let server = strict();
    let http = server.builder().limits(Limits::off()).build().unwrap();
    http.me().await.unwrap();
    server.tokens.revoke();
    let mut calls = JoinSet::new();
    for _ in 0..1000 {
        let http = http.clone();
        calls.spawn(async move { http.me().await });
    }
    while let Some(result) = calls.join_next().await {
        result.unwrap().unwrap();
    }
    assert_eq!(server.token_calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failed_check_is_repeated_once_with_the_same_token() {
    let failed = || Reply::json(500, &json!({"code": 11242}));
    let server = Server::script([failed(), me(), failed(), failed(), failed()]);
    let http = server.client();
    http.me().await.unwrap();
    let received = server.received();
    assert_eq!(received.len(), 2);
    assert_eq!(
        received[0].header("authorization"),
        received[1].header("authorization")
    );
    let error = http.me().await.unwrap_err();
    assert_eq!((error.code(), error.attempts()), (Some(11242), 2));
    assert_eq!(server.token_calls(), 1);
    // A message too, as it was not looked at; but not where nothing is repeated, nor where that is not sure.
    let unsure = Reply::json(504, &json!({"code": 11242}));
    for (policy, first, requests) in [
        (qq_http::RetryPolicy::default(), failed(), 2),
        (qq_http::RetryPolicy::never(), failed(), 1),
        (qq_http::RetryPolicy::default(), unsure, 1),
    ] {
        let server = Server::script([first, me()]);
        let http = server.builder().retry(policy).build().unwrap();
        let outcome = http.group("g").send("hi").await;
        assert_eq!(
            (server.received().len(), outcome.is_ok()),
            (requests, requests == 2)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn callers_that_leave_do_not_stop_a_fetch() {
    let server = strict();
    let late = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&late);
    server.tokens.fail(move || {
        (count.fetch_add(1, Ordering::Relaxed) == 0).then(|| {
            Reply::json(200, &json!({"access_token": "late", "expires_in": 7200}))
                .after(Duration::from_secs(5))
        })
    });
    let http = server.client();
    // The first caller, who polls the fetch, leaves; the second goes on with it.
    let second = tokio::spawn({
        let http = http.clone();
        async move {
            sleep(Duration::from_secs(1)).await;
            http.access_token().get().await
        }
    });
    assert!(timeout(Duration::from_secs(2), http.me()).await.is_err());
    assert_eq!(second.await.unwrap().unwrap().expose(), "late");
    assert_eq!(server.token_calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_nobody_carried_on_is_begun_anew() {
    let server = strict();
    let mut first = Some(
        Reply::json(200, &json!({"access_token": "old", "expires_in": 7200}))
            .after(Duration::from_secs(3)),
    );
    server.tokens.fail(move || first.take());
    let http = server.client();
    assert!(timeout(Duration::from_secs(1), http.me()).await.is_err());
    sleep(Duration::from_secs(3600)).await;
    http.me().await.unwrap();
    assert_eq!(
        (server.token_calls(), server.received().len()),
        (2, 1),
        "the stale answer was not used"
    );
}

#[tokio::test(start_paused = true)]
async fn tiny_lifetimes_do_not_spin() {
    for lifetime in [json!(0), json!("1"), json!(-3), json!(null), json!("x")] {
        let server = Server::new(|_| me());
        let lifetime = lifetime.clone();
        server.tokens.fail(move || {
            Some(Reply::json(
                200,
                &json!({"access_token": "t", "expires_in": lifetime}),
            ))
        });
        let http = server.client();
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(60) {
            http.me().await.unwrap();
            sleep(Duration::from_millis(50)).await;
        }
        assert!(
            server.token_calls() <= 62,
            "{} fetches in a minute",
            server.token_calls()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn two_bots_share_nothing() {
    let (one, two) = (strict(), strict());
    let (first, second) = (one.client(), two.client());
    first.me().await.unwrap();
    second.me().await.unwrap();
    assert_eq!((one.token_calls(), two.token_calls()), (1, 1));
    assert_ne!(
        first.access_token().get().await.unwrap(),
        second.access_token().get().await.unwrap()
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_without_a_token_ends_at_its_deadline_and_says_why() {
    let server = strict();
    server.tokens.fail(|| Some(Reply::Stall(Vec::new())));
    let http = server
        .builder()
        .timeout(Duration::from_secs(12))
        .build()
        .unwrap();
    let begun = Instant::now();
    let error = http.me().await.unwrap_err();
    assert!(begun.elapsed() <= Duration::from_secs(13));
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(
        error.is_timeout() && error.to_string().contains("no access token in time"),
        "{error}"
    );
    assert!(
        std::error::Error::source(&error).is_some(),
        "the cause is there"
    );
}
