//! The fault table of reads: the result, and the number of requests on the wire.

use std::io;
use std::time::Duration;

use qq_http::{Advice, ErrorKind, Limits, RetryBudget, RetryPolicy};
use serde_json::json;
use tokio::time::Instant;

use crate::support::{Reply, Server};

fn me() -> Reply {
    Reply::json(200, &json!({"id": "1", "username": "bot"}))
}

fn head(length: usize) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n").into_bytes()
}

#[tokio::test(start_paused = true)]
async fn every_odd_answer_keeps_its_status() {
    let html = "<html><body>Request Entity Too Large</body></html>";
    for (reply, kind, status, advice) in [
        (
            Reply::text(413, "text/html", html),
            ErrorKind::Http,
            413,
            Advice::InvalidRequest,
        ),
        (
            Reply::text(404, "text/plain", ""),
            ErrorKind::Http,
            404,
            Advice::InvalidRequest,
        ),
        (
            Reply::text(403, "text/html", html),
            ErrorKind::Http,
            403,
            Advice::NotPermitted,
        ),
        (
            Reply::text(500, "text/plain", ""),
            ErrorKind::Http,
            500,
            Advice::Retry,
        ),
        (
            Reply::text(502, "text/html", html),
            ErrorKind::Http,
            502,
            Advice::Retry,
        ),
        (
            Reply::text(503, "text/plain", vec![0xff, 0xfe, b'x']),
            ErrorKind::Http,
            503,
            Advice::Retry,
        ),
        (
            Reply::text(504, "text/html", html),
            ErrorKind::Http,
            504,
            Advice::Retry,
        ),
        (
            Reply::text(429, "text/plain", ""),
            ErrorKind::RateLimited,
            429,
            Advice::RetryAfter,
        ),
        (
            Reply::text(200, "text/html", html),
            ErrorKind::Decode,
            200,
            Advice::Unknown,
        ),
        (
            Reply::text(200, "application/json", r#"{"id":"1","userna"#),
            ErrorKind::Decode,
            200,
            Advice::Unknown,
        ),
        (
            Reply::text(200, "application/json", vec![b'"', 0xff, b'"']),
            ErrorKind::Decode,
            200,
            Advice::Unknown,
        ),
        (
            Reply::text(400, "application/json", r#"{"code":50035,"mess"#),
            ErrorKind::Http,
            400,
            Advice::Unknown,
        ),
        (
            Reply::json(400, &json!({"code": 50035})),
            ErrorKind::Api,
            400,
            Advice::InvalidRequest,
        ),
        (
            Reply::json(400, &json!({"code": 11298})),
            ErrorKind::Api,
            400,
            Advice::Configuration,
        ),
        (
            Reply::json(400, &json!({"code": 987_654})),
            ErrorKind::Api,
            400,
            Advice::Unknown,
        ),
        (
            Reply::json(200, &json!({"code": 11253, "message": "x"})),
            ErrorKind::Api,
            200,
            Advice::NotPermitted,
        ),
        (
            Reply::json(400, &json!({"code": 100_017, "err_code": 40_023_001})),
            ErrorKind::RateLimited,
            400,
            Advice::RetryAfter,
        ),
        (
            Reply::json(500, &json!({"message": "no code", "trace_id": "body"})),
            ErrorKind::Api,
            500,
            Advice::Retry,
        ),
    ] {
        let server = Server::script([reply.with_header("x-tps-trace-id", "trace-7")]);
        let http = server
            .builder()
            .retry(RetryPolicy::never())
            .build()
            .unwrap();
        let error = http.me().await.unwrap_err();
        assert_eq!(
            (error.kind(), error.status().unwrap().as_u16()),
            (kind, status),
            "{error}"
        );
        assert_eq!(error.advice(), advice, "{error}");
        assert_eq!(
            (error.trace_id(), error.route()),
            (Some("trace-7"), Some("/users/@me")),
            "{error}"
        );
        assert!(!error.is_outcome_unknown(), "a read does nothing");
        let line = error.to_string();
        assert!(
            line.contains(&format!("status {status}, "))
                && line.contains("trace-7")
                && !line.contains('\n'),
            "{line}"
        );
        assert_eq!(server.received().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn long_bodies_are_cut_in_errors_and_refused_beyond_the_limit() {
    let page = "é".repeat(4000);
    let endless = || Reply::Stall([head(9_000_000), vec![b' '; 100]].concat());
    let chunked = [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec(),
        b"400\r\n".to_vec(),
        vec![b' '; 1024],
        b"\r\n".to_vec(),
    ]
    .concat();
    let server = Server::script([
        Reply::text(404, "text/html", page),
        endless(),
        Reply::Stall(chunked),
    ]);
    let http = server
        .builder()
        .retry(RetryPolicy::never())
        .max_answer_bytes(1000)
        .build()
        .unwrap();
    let wide = server
        .builder()
        .retry(RetryPolicy::never())
        .build()
        .unwrap();
    assert_eq!(wide.me().await.unwrap_err().raw_body().unwrap().len(), 4096);
    for _ in 0..2 {
        let begun = Instant::now();
        let error = http.me().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
        assert!(
            error.to_string().contains("longer than 1000 bytes") && begun.elapsed().is_zero(),
            "{error}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_is_repeated_after_what_may_pass() {
    let truncated = || Reply::Break([head(50), b"{\"id\"".to_vec()].concat());
    for (name, fault, requests) in [
        ("429", Reply::text(429, "", ""), 2),
        ("500", Reply::text(500, "", ""), 2),
        ("502", Reply::text(502, "text/html", "<html>"), 2),
        ("504", Reply::text(504, "", ""), 2),
        ("reset", Reply::Break(Vec::new()), 2),
        ("reset in the body", truncated(), 2),
        (
            "the platform's own failure",
            Reply::json(500, &json!({"code": 50_055_002})),
            2,
        ),
        ("404", Reply::text(404, "", ""), 1),
        ("403", Reply::text(403, "", ""), 1),
        ("refused", Reply::json(400, &json!({"code": 50035})), 1),
        (
            "refused with 500",
            Reply::json(500, &json!({"code": 11255})),
            1,
        ),
        ("no json", Reply::text(200, "text/html", "<html>"), 1),
    ] {
        let server = Server::script([fault, me()]);
        let result = server.client().me().await;
        assert_eq!(
            (result.is_ok(), server.received().len()),
            (requests == 2, requests),
            "{name}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn repeats_end() {
    let server = Server::new(|_| Reply::text(502, "text/html", "<html>"));
    let begun = Instant::now();
    let error = server
        .builder()
        .retry(RetryPolicy::default().attempts(4))
        .build()
        .unwrap()
        .me()
        .await
        .unwrap_err();
    assert_eq!((error.attempts(), server.received().len()), (4, 4));
    assert!(begun.elapsed() < Duration::from_secs(4));
    assert!(error.to_string().contains("4 attempts"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_server_says_how_long_to_wait() {
    for (value, waited) in [
        ("2", 2.0),
        ("0.25", 0.25),
        ("0", 0.0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0),
    ] {
        let server = Server::script([
            Reply::text(429, "", "").with_header("retry-after", value),
            me(),
        ]);
        let begun = Instant::now();
        server.client().me().await.unwrap();
        let elapsed = begun.elapsed().as_secs_f64();
        assert!(
            (waited..waited + 0.05).contains(&elapsed),
            "{value}: {elapsed}"
        );
    }
    // Longer than the policy waits, and longer than the deadline: the caller is told at once.
    for (value, cap) in [("11", 10), ("3600", 10_000)] {
        let server = Server::script([Reply::text(429, "", "").with_header("retry-after", value)]);
        let policy = RetryPolicy::default().cap(Duration::from_secs(cap));
        let begun = Instant::now();
        let error = server
            .builder()
            .retry(policy)
            .build()
            .unwrap()
            .me()
            .await
            .unwrap_err();
        assert!(begun.elapsed().is_zero());
        let asked = Duration::from_secs(value.parse().unwrap());
        assert_eq!(
            (error.retry_after(), error.advice()),
            (Some(asked), Advice::RetryAfter)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn one_deadline_covers_headers_body_and_waits() {
    let slow = || Reply::text(503, "", "").after(Duration::from_secs(4));
    let dripping = Reply::Stall([head(50), b"{\"id\":\"1\"".to_vec()].concat());
    for (name, replies, seconds) in [
        ("no headers", vec![Reply::Stall(Vec::new())], 10),
        (
            "half a head",
            vec![Reply::Stall(b"HTTP/1.1 200 OK\r\ncontent-le".to_vec())],
            10,
        ),
        ("no body", vec![Reply::Stall(head(50))], 10),
        ("half a body", vec![dripping], 10),
        ("three slow attempts", vec![slow(), slow(), slow()], 10),
    ] {
        let server = Server::script(replies);
        let begun = Instant::now();
        let error = server
            .client()
            .me()
            .timeout(Duration::from_secs(10))
            .await
            .unwrap_err();
        assert_eq!(begun.elapsed().as_secs(), seconds, "{name}");
        assert!(
            error.is_timeout() && error.is_retryable(),
            "{name}: {error}"
        );
        assert_eq!(error.kind(), ErrorKind::Timeout, "{name}");
        assert_eq!(
            error.status().is_some(),
            name.contains("body"),
            "{name}: {error}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_host_is_named_within_its_deadline() {
    let refused = |_: &str| {
        Err(io::Error::new(
            io::ErrorKind::ConnectionRefused,
            "connection refused",
        ))
    };
    let server = Server::script([]).on_connect(refused);
    let begun = Instant::now();
    let error = server.client().me().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network);
    assert!(error.to_string().contains("connection refused"), "{error}");
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(server.hosts().len(), 3, "bounded");
    // One that does not even refuse.
    let server = Server::script([]).on_connect(|_| Ok(Duration::from_secs(100_000)));
    let begun = Instant::now();
    let error = server.client().me().await.unwrap_err();
    assert!(
        error.is_timeout() && begun.elapsed() <= Duration::from_secs(31),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_of_another_protocol_is_an_error() {
    let server = Server::script([Reply::Break(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec())]);
    let error = server
        .builder()
        .retry(RetryPolicy::never())
        .build()
        .unwrap()
        .me()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network);
    assert!(error.to_string().contains("HTTP"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_leaves_the_client_whole() {
    let server = Server::script([Reply::Stall(Vec::new()), me()]);
    let http = server.client();
    assert!(
        tokio::time::timeout(Duration::from_secs(1), http.me())
            .await
            .is_err()
    );
    http.me().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_total_outage_is_not_made_worse_by_repeats() {
    let is_down = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let down = is_down.clone();
    let server = Server::new(move |_| {
        if down.load(std::sync::atomic::Ordering::Relaxed) {
            Reply::text(503, "text/plain", "")
        } else {
            me()
        }
    });
    let http = server.builder().limits(Limits::off()).build().unwrap();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..1000 {
        let http = http.clone();
        calls.spawn(async move { http.me().await.unwrap_err() });
    }
    let mut marked = 0;
    while let Some(error) = calls.join_next().await {
        let error = error.unwrap();
        assert_eq!(error.status().unwrap(), 503, "the failure itself is there");
        marked += usize::from(error.is_retry_budget_used());
        assert_eq!(
            error.is_retry_budget_used(),
            error.to_string().contains("retry budget")
        );
    }
    assert_eq!(server.received().len(), 1000 + 100);
    assert!(marked >= 900, "{marked}");
    // Successes give repeats back: five for one.
    is_down.store(false, std::sync::atomic::Ordering::Relaxed);
    for _ in 0..5 {
        http.me().await.unwrap();
    }
    is_down.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(http.me().await.unwrap_err().attempts(), 2);
    assert_eq!(http.me().await.unwrap_err().attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_a_budget_each_call_has_all_its_attempts() {
    let server = Server::new(|_| Reply::text(503, "text/plain", ""));
    let policy = RetryPolicy::default().budget(RetryBudget::unlimited());
    let builder = server.builder().limits(Limits::off()).retry(policy);
    let http = builder.build().unwrap();
    for _ in 0..60 {
        let error = http.me().await.unwrap_err();
        assert_eq!((error.attempts(), error.is_retry_budget_used()), (3, false));
    }
}
