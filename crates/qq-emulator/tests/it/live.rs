//! The page, and the stream that feeds it.

use std::time::Duration;

use qq_emulator::{Emulator, Say};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::{Gateway, MESSAGES, STEP, call, connect, control, http, start};

/// A Server-Sent Events client.
struct Live(BufReader<TcpStream>);

impl Live {
    async fn open(emulator: &Emulator, after: u64) -> Self {
        let mut stream = connect(emulator).await;
        let request = format!("GET /emulator/v1/live?after={after} HTTP/1.1\r\nHost: x\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut live = Self(BufReader::new(stream));
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            live.0.read_line(&mut head).await.unwrap();
        }
        assert!(head.contains("content-type: text/event-stream"), "{head}");
        live
    }

    /// The next event; the lines of the chunked encoding are skipped.
    async fn next(&mut self) -> (String, Value) {
        let mut name = String::new();
        loop {
            let mut line = String::new();
            let read = timeout(STEP, self.0.read_line(&mut line))
                .await
                .expect("in time");
            assert!(read.unwrap() > 0, "the stream ended");
            if let Some(event) = line.strip_prefix("event: ") {
                name = event.trim().to_owned();
            }
            if let Some(data) = line.strip_prefix("data: ") {
                return (name, serde_json::from_str(data).unwrap());
            }
        }
    }
}

#[tokio::test]
async fn messages_and_sessions_arrive_live() {
    let emulator = start().await;
    let first = emulator.say(Say::group("first")).await;
    let mut live = Live::open(&emulator, 0).await;
    let (name, item) = live.next().await;
    assert_eq!((name.as_str(), &item["n"]), ("message", &json!(1)));
    assert_eq!(item["message_id"], first.message_id);
    assert_eq!(
        live.next().await,
        ("session".into(), json!({"connected": false, "sessions": 0}))
    );

    let (gateway, _) = Gateway::ready(&emulator, MESSAGES).await;
    assert_eq!(
        live.next().await,
        ("session".into(), json!({"connected": true, "sessions": 1}))
    );
    let path = format!("/v2/groups/{}/messages", first.conversation);
    call(
        &emulator,
        "POST",
        &path,
        &json!({"content": "a\nb", "msg_id": first.message_id}),
    )
    .await;
    let (_, item) = live.next().await;
    assert_eq!(item["author"]["bot"], true);
    assert_eq!(item["content"], "a\nb");
    assert_eq!(item["reply_to"], first.message_id);
    assert_eq!(item["body"]["content"], "a\nb");
    drop(gateway);
    assert_eq!(
        live.next().await,
        ("session".into(), json!({"connected": false, "sessions": 0}))
    );

    let mut later = Live::open(&emulator, 2).await;
    assert_eq!(later.next().await.0, "session");
    control(&emulator, "POST", "reset", &json!(null)).await;
    emulator.say(Say::group("again")).await;
    let (_, item) = later.next().await;
    assert_eq!((&item["n"], &item["content"]), (&json!(1), &json!("again")));
}

#[tokio::test]
async fn silence_is_filled_with_pings_and_stopping_ends_the_stream() {
    let emulator = start().await;
    let mut live = Live::open(&emulator, 0).await;
    assert_eq!(live.next().await.0, "session");
    tokio::time::pause();
    let mut text = String::new();
    while !text.contains(": ping") {
        let read = timeout(Duration::from_secs(20), live.0.read_line(&mut text)).await;
        assert!(read.expect("a ping within 15 s").unwrap() > 0);
    }
    tokio::time::resume();
    emulator.stop().await;
    while live.0.read_line(&mut text).await.unwrap_or(0) > 0 {}
}

#[tokio::test]
async fn the_page_is_served() {
    let emulator = start().await;
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/page/js/main.js", "text/javascript; charset=utf-8"),
        ("/page/css/base.css", "text/css; charset=utf-8"),
        ("/page/icon.svg", "image/svg+xml"),
    ] {
        let answer = http(&emulator, "GET", path, "", "").await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some(kind))
        );
        let policy = answer.header("content-security-policy");
        assert!(policy.is_some_and(|policy| {
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'; ")
                && !policy.contains("unsafe")
                && !policy.contains("http")
        }));
        assert!(!answer.body.is_empty());
    }
    assert!(emulator.violations().is_empty() && emulator.requests().is_empty());
    for path in ["/page/", "/page/no.js", "/page/../Cargo.toml"] {
        assert_eq!(http(&emulator, "GET", path, "", "").await.status, 404);
    }
}
