//! What becomes of a message: sent, waiting, refused, or unknown; never twice.

use std::io;
use std::time::Duration;

use qq_http::{Advice, ErrorKind, RetryPolicy, Sent};
use serde_json::json;
use tokio::time::Instant;

use crate::support::{Reply, Server};

fn sent() -> Reply {
    Reply::json(
        200,
        &json!({"id": "ROBOT1.0_x", "timestamp": "2026-05-23T10:00:00+08:00", "ext_info": {"ref_idx": "REFIDX_1"}}),
    )
}

/// A token, and the end of the connection that brought it.
fn token_and_close() -> Reply {
    let token = json!({"access_token": "t", "expires_in": 7200}).to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        token.len()
    );
    Reply::Break([head, token].concat().into_bytes())
}

fn duplicate() -> Reply {
    Reply::json(
        400,
        &json!({"code": 40_054_005, "err_code": 40_054_005, "message": "dup", "trace_id": "t"}),
    )
}

fn audit() -> serde_json::Value {
    json!({"code": 304_023, "message": "push message is waiting for audit now",
        "data": {"message_audit": {"audit_id": "54039755-14db"}}})
}

#[tokio::test(start_paused = true)]
async fn a_message_is_sent_with_what_it_answers() {
    let server = Server::script([sent()]);
    let sent = server
        .client()
        .group("G/1")
        .send("hi")
        .reply_to("msg")
        .msg_seq(2)
        .await
        .unwrap();
    assert_eq!(sent.id().unwrap(), "ROBOT1.0_x");
    assert_eq!(
        sent.time().unwrap().to_string(),
        "2026-05-23T10:00:00+08:00"
    );
    assert_eq!(
        (sent.ref_idx(), sent.pending_audit()),
        (Some("REFIDX_1"), None)
    );
    let received = server.received();
    assert_eq!(
        (received[0].method.as_str(), received[0].path.as_str()),
        ("POST", "/v2/groups/G%2F1/messages")
    );
    assert_eq!(
        received[0].json(),
        json!({"msg_type": 0, "content": "hi", "msg_id": "msg", "msg_seq": 2})
    );
}

#[tokio::test(start_paused = true)]
async fn an_audit_is_no_error_and_no_delivery() {
    let replies = [
        Reply::json(201, &audit()),
        Reply::json(202, &audit()),
        Reply::json(200, &audit()),
        Reply::json(
            202,
            &json!({"data": {"message_audit": {"audit_id": "54039755-14db"}}}),
        ),
        Reply::json(
            200,
            &json!({"audit_id": "54039755-14db", "audit_tips": "wait"}),
        ),
    ];
    let server = Server::script(replies);
    let http = server.client();
    for _ in 0..5 {
        let sent = http.channel(7).send("hi").await.unwrap();
        assert_eq!(sent.pending_audit().unwrap().audit_id, "54039755-14db");
        assert_eq!(sent.id(), None);
    }
    assert_eq!(server.received().len(), 5, "an audit is never repeated");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_waited_is_delivered_where_the_answer_says_so() {
    let server = Server::script([
        Reply::json(202, &json!({"id": "m"})),
        Reply::json(200, &json!({"timestamp": 1})),
    ]);
    let http = server.client();
    assert_eq!(http.channel(7).send("hi").await.unwrap().id().unwrap(), "m");
    let without_id = http.user("u").send("hi").await.unwrap();
    assert!(matches!(without_id, Sent::Delivered(_)) && without_id.id().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_what_the_platform_said() {
    let refusal = json!({"code": 40_034_128, "err_code": 40_034_128, "message": "被动回复超时", "trace_id": "body-trace"});
    let server = Server::script([
        Reply::json(400, &refusal).with_header("x-tps-trace-id", "header-trace"),
        Reply::json(500, &refusal),
        Reply::json(200, &refusal),
    ]);
    let http = server.client();
    for (status, trace) in [
        (400, "header-trace"),
        (500, "body-trace"),
        (200, "body-trace"),
    ] {
        let error = http.group("g").send("hi").reply_to("m").await.unwrap_err();
        assert_eq!(
            (error.kind(), error.status().unwrap().as_u16()),
            (ErrorKind::Api, status)
        );
        assert_eq!(
            (error.code(), error.err_code()),
            (Some(40_034_128), Some(40_034_128))
        );
        assert_eq!(
            (error.message(), error.trace_id()),
            (Some("被动回复超时"), Some(trace))
        );
        assert_eq!(
            (error.advice(), error.is_retryable()),
            (Advice::WindowClosed, false)
        );
        assert_eq!(
            (error.route(), error.attempts()),
            (Some("/v2/groups/{group_openid}/messages"), 1)
        );
        assert!(error.raw_body().unwrap().contains("body-trace"));
        assert_eq!(
            error.to_string(),
            format!(
                "passive window over or too many answers (被动回复超时) [POST /v2/groups/{{group_openid}}/messages, \
                 status {status}, code 40034128, trace {trace}]: the time or the number of \
                 answers is over; do not answer this again"
            )
        );
    }
}

/// Each way in which the answer to a written request can be lost.
fn lost() -> Vec<(&'static str, Reply)> {
    vec![
        ("no answer", Reply::Stall(Vec::new())),
        (
            "no body",
            Reply::Stall(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"id".to_vec()),
        ),
        ("broken at once", Reply::Break(Vec::new())),
        ("broken head", Reply::Break(b"HTTP/1.1 200 O".to_vec())),
        (
            "broken body",
            Reply::Break(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"id".to_vec()),
        ),
        (
            "gateway page",
            Reply::text(502, "text/html", "<html>Bad Gateway</html>"),
        ),
        (
            "gateway time-out",
            Reply::text(504, "text/html", "<html></html>"),
        ),
        (
            "gateway time-out in the platform's form",
            Reply::json(504, &json!({"code": 50001, "message": "timeout"})),
        ),
        (
            "a failure without a code",
            Reply::json(500, &json!({"message": "internal"})),
        ),
        ("empty failure", Reply::text(500, "text/plain", "")),
        (
            "truncated success",
            Reply::text(200, "application/json", r#"{"id":"m"#),
        ),
        (
            "page for a success",
            Reply::text(200, "text/html", "<html>"),
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_leaves_the_outcome_unknown_and_is_not_repeated() {
    for (name, reply) in lost() {
        let server = Server::script([reply]);
        let http = server
            .builder()
            .timeout(Duration::from_secs(10))
            .build()
            .unwrap();
        let begun = Instant::now();
        let error = http.group("g").send("hi").await.unwrap_err();
        assert!(begun.elapsed() <= Duration::from_secs(10), "{name}");
        assert!(
            error.is_outcome_unknown() && !error.is_retryable(),
            "{name}: {error}"
        );
        assert_eq!(error.advice(), Advice::Unknown, "{name}");
        assert!(
            error.to_string().contains("unknown whether"),
            "{name}: {error}"
        );
        assert_eq!(
            (server.received().len(), error.attempts()),
            (1, 1),
            "{name}: {error}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_numbered_answer_is_repeated_and_shows_once() {
    for (name, reply) in lost() {
        // The first attempt arrived: the platform refuses the second.
        let server = Server::script([reply, duplicate()]);
        let sent = server
            .client()
            .group("g")
            .send("hi")
            .reply_to("m")
            .msg_seq(3)
            .await;
        assert_eq!(sent.expect(name), Sent::Repeated, "{name}");
        let received = server.received();
        assert_eq!(received.len(), 2, "{name}");
        assert_eq!(
            received[0].body, received[1].body,
            "{name}: same message, same number"
        );
    }
    for (name, reply) in lost() {
        let server = Server::script([reply, sent()]);
        let http = server
            .builder()
            .timeout(Duration::from_secs(10))
            .build()
            .unwrap();
        match http.group("g").send("hi").reply_to("m").msg_seq(3).await {
            Ok(sent) => assert_eq!(sent.id().unwrap(), "ROBOT1.0_x", "{name}"),
            Err(error) => assert!(
                error.is_outcome_unknown() && server.received().len() == 1,
                "{name}: {error}"
            ),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_went_silent_does_not_use_up_the_deadline() {
    let stalled = || Reply::Stall(Vec::new());
    let server = Server::script([stalled(), stalled(), sent()]);
    let policy = RetryPolicy::default()
        .attempt_timeout(Duration::from_secs(4))
        .jitter(false);
    let http = server.builder().retry(policy).build().unwrap();
    let answer = || http.group("g").send("hi").reply_to("m").msg_seq(1);
    let begun = Instant::now();
    assert_eq!(answer().await.unwrap().id().unwrap(), "ROBOT1.0_x");
    // Twice four seconds, and the pauses.
    assert_eq!(begun.elapsed().as_millis(), 9_500);
    // One that must not be repeated has the whole deadline.
    let server = Server::script([sent().after(Duration::from_secs(29))]);
    let http = server.client();
    http.group("g").send("hi").await.unwrap();
    assert_eq!(
        (begun.elapsed().as_secs(), server.received().len()),
        (38, 1)
    );
    // So has the platform while it reads the file behind an address.
    let file = Reply::json(200, &json!({"file_info": "i", "ttl": 300}));
    let server = Server::script([file.after(Duration::from_secs(50))]);
    let address = qq_http::Upload::url("https://files.example/a.png");
    let upload = server.client().group("g").upload(address);
    assert_eq!(&*upload.await.unwrap().file_info, "i");
    assert_eq!(server.received().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn only_groups_and_users_number_their_answers() {
    for scene in ["channel", "direct", "event"] {
        let server = Server::script([Reply::Break(Vec::new())]);
        let http = server.client();
        let message = match scene {
            "channel" => http.channel(7).send("hi").reply_to("m"),
            "direct" => http.direct(7).send("hi").reply_to("m"),
            _ => http.group("g").send("hi").reply_to_event("E:1"),
        };
        assert!(
            message.msg_seq(1).await.unwrap_err().is_outcome_unknown(),
            "{scene}"
        );
        assert_eq!(server.received().len(), 1, "{scene}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_at_the_first_attempt_is_an_error() {
    let server = Server::script([duplicate()]);
    let error = server
        .client()
        .group("g")
        .send("hi")
        .reply_to("m")
        .msg_seq(1)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.advice()),
        (ErrorKind::Api, Advice::Duplicate)
    );
    assert!(!error.is_outcome_unknown());
}

#[tokio::test(start_paused = true)]
async fn a_number_that_a_refusal_used_up_does_not_hide_the_refusal() {
    let failed = Reply::json(400, &json!({"code": 50_055_001}));
    let server = Server::script([failed, duplicate()]);
    let http = server.client();
    let send = http.group("g").send("hi").reply_to("m").msg_seq(1);
    let error = send.await.unwrap_err();
    assert_eq!((error.code(), error.attempts()), (Some(50_055_001), 2));
    assert!(!error.is_outcome_unknown());
}

#[tokio::test(start_paused = true)]
async fn a_refused_repeat_does_not_say_what_became_of_the_first() {
    let over = Reply::json(400, &json!({"code": 40_034_128}));
    let server = Server::script([Reply::Break(Vec::new()), over]);
    let error = server
        .client()
        .group("g")
        .send("hi")
        .reply_to("m")
        .msg_seq(1)
        .await
        .unwrap_err();
    assert!(error.is_outcome_unknown());
    assert_eq!((error.code(), error.attempts()), (Some(40_034_128), 2));
}

#[tokio::test(start_paused = true)]
async fn a_refused_rate_is_not_repeated_without_a_number() {
    let limited = || Reply::json(429, &json!({"code": 22009, "message": "msg limit exceed"}));
    let server = Server::script([limited(), limited(), sent()]);
    let http = server.client();
    let error = http.group("g").send("hi").await.unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts()),
        (ErrorKind::RateLimited, 1)
    );
    assert!(
        error.is_retryable() && !error.is_outcome_unknown(),
        "a refused message was not sent"
    );
    http.group("g")
        .send("hi")
        .reply_to("m")
        .msg_seq(1)
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_message_that_was_never_written_is_tried_again() {
    // The first connection brings the token and closes; the second is refused.
    let mut opened = 0;
    let server = Server::script([sent()]).on_connect(move |_| {
        opened += 1;
        match opened {
            2 => Err(io::Error::new(io::ErrorKind::ConnectionRefused, "refused")),
            _ => Ok(Duration::ZERO),
        }
    });
    server.tokens.fail(|| Some(token_and_close()));
    let sent = server.client().group("g").send("hi").await.unwrap();
    assert_eq!(sent.id().unwrap(), "ROBOT1.0_x");
    assert_eq!((server.hosts().len(), server.received().len()), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_before_the_connection_stands_leaves_nothing_unknown() {
    let mut first = true;
    let server = Server::script([]).on_connect(move |_| {
        Ok(if std::mem::take(&mut first) {
            Duration::ZERO
        } else {
            Duration::from_secs(3600)
        })
    });
    server.tokens.fail(|| Some(token_and_close()));
    let http = server
        .builder()
        .timeout(Duration::from_secs(5))
        .retry(RetryPolicy::never())
        .build()
        .unwrap();
    let begun = Instant::now();
    let error = http.group("g").send("hi").await.unwrap_err();
    assert_eq!(begun.elapsed().as_secs(), 5);
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(
        error.is_retryable() && error.to_string().contains("no connection"),
        "{error}"
    );
}
