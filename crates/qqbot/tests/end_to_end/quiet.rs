//! Hours on a link on which nothing is said, on virtual time: a platform of a few lines, in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use qqbot::prelude::*;
use qqbot::transport::{Connect, ConnectFuture, Connection};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::Instant;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message as Frame;

const INTERVAL: Duration = Duration::from_millis(41_250);
const HOURS: Duration = Duration::from_secs(2 * 60 * 60);
/// The gateway's port; every other one is the REST API's.
const GATEWAY: u16 = 2;

/// A platform on which nobody says anything.
#[derive(Clone, Default)]
struct Quiet {
    heartbeats: Arc<AtomicU32>,
    /// It has stopped to answer heartbeats.
    is_silent: Arc<AtomicBool>,
}

impl Connect for Quiet {
    fn connect<'a>(&'a self, _host: &'a str, port: u16) -> ConnectFuture<'a> {
        let (client, server) = tokio::io::duplex(64 << 10);
        let platform = self.clone();
        tokio::spawn(async move {
            if port == GATEWAY {
                platform.serve_gateway(server).await;
            } else {
                serve_rest(server).await;
            }
        });
        Box::pin(async { Ok(Box::new(client) as Connection) })
    }
}

impl Quiet {
    async fn serve_gateway(self, stream: DuplexStream) {
        let mut socket = accept_async(stream).await.unwrap();
        let mut sequence = 0;
        let interval = u64::try_from(INTERVAL.as_millis()).unwrap();
        let mut answer = Some(json!({"op": 10, "d": {"heartbeat_interval": interval}}));
        loop {
            if let Some(answer) = answer.take() {
                let frame = Frame::text(answer.to_string());
                if socket.send(frame).await.is_err() {
                    return;
                }
            }
            let Some(Ok(frame)) = socket.next().await else {
                return;
            };
            let Ok(text) = frame.to_text() else { continue };
            let said: Value = serde_json::from_str(text).unwrap_or_default();
            answer = match said["op"].as_u64() {
                Some(1) => {
                    self.heartbeats.fetch_add(1, Ordering::SeqCst);
                    let is_silent = self.is_silent.load(Ordering::SeqCst);
                    (!is_silent).then(|| json!({"op": 11}))
                }
                Some(2) => {
                    sequence += 1;
                    Some(
                        json!({"op": 0, "s": sequence, "t": "READY", "d": {"version": 1, "session_id": "quiet",
                        "user": {"id": "1", "username": "bot", "bot": true}, "shard": [0, 1]}}),
                    )
                }
                _ => None,
            };
        }
    }
}

async fn serve_rest(mut stream: DuplexStream) {
    let mut received = Vec::new();
    loop {
        let Some(end) = received.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
            if matches!(stream.read_buf(&mut received).await, Ok(0) | Err(_)) {
                return;
            }
            continue;
        };
        let head = String::from_utf8_lossy(&received[..end]).to_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().unwrap());
        while received.len() < end + 4 + length {
            stream.read_buf(&mut received).await.unwrap();
        }
        received.drain(..end + 4 + length);
        let body = match head.split(' ').nth(1).unwrap() {
            "/users/@me" => json!({"id": "1", "username": "bot"}),
            "/gateway/bot" => json!({
                "url": format!("ws://127.0.0.1:{GATEWAY}/websocket"), "shards": 1,
                "session_start_limit": {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1},
            }),
            _ => json!({"access_token": "quiet", "expires_in": "7200"}),
        };
        let body = body.to_string();
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn two_quiet_hours_are_no_trouble_and_a_silent_link_is() {
    let platform = Quiet::default();
    let client = Client::builder(Token::new("102000000", "secret"), Intents::default())
        .environment(Environment::custom("http://127.0.0.1:1").unwrap())
        .connect(platform.clone())
        .build()
        .unwrap();
    let client = Arc::new(client);
    let task = tokio::spawn({
        let client = Arc::clone(&client);
        async move { client.start().await }
    });
    let mut status = client.status();
    let is_ready = |status: &Status| matches!(status, Status::Ready { .. });
    status.wait_for(is_ready).await.unwrap();

    status.mark_unchanged();
    tokio::time::sleep(HOURS).await;
    assert!(!status.has_changed().unwrap(), "{:?}", *status.borrow());
    assert!(client.is_connected());
    assert_eq!(client.stats().interruptions, 0);
    let health = client.health();
    assert_eq!(health.shards[0].interruption, None);
    assert!(health.shards[0].heartbeat_round_trip.is_some());
    let beats = platform.heartbeats.load(Ordering::SeqCst);
    let expected = u32::try_from(HOURS.as_millis() / INTERVAL.as_millis()).unwrap();
    assert!(beats.abs_diff(expected) <= 2, "{beats} of {expected}");

    platform.is_silent.store(true, Ordering::SeqCst);
    let begun = Instant::now();
    status.wait_for(|status| !is_ready(status)).await.unwrap();
    assert!(!client.is_connected());
    assert!(begun.elapsed() <= INTERVAL * 2, "{:?}", begun.elapsed());
    platform.is_silent.store(false, Ordering::SeqCst);
    task.abort();
}
