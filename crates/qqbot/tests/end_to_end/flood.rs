//! More callbacks than the handlers can keep up with.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use qq_emulator::Emulator;
use qqbot::prelude::*;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use crate::support::{builder, run};
use crate::webhook::{free_port, request};

const USERS: usize = 20;
/// More than wait in the queue of the webhook (1,024) and at the handlers.
const CALLBACKS: usize = 1_600;
/// Makes it another number of them.
const CALLBACKS_VARIABLE: &str = "QQBOT_FLOOD_CALLBACKS";
const CAPACITY: usize = 64;
/// How long nothing may happen.
const PATIENCE: Duration = Duration::from_secs(180);

/// Notes what came, when it is let.
struct Gated {
    gate: Arc<Semaphore>,
    seen: Arc<Mutex<Vec<(String, usize)>>>,
}

impl EventHandler for Gated {
    async fn c2c_message_create(&self, ctx: Context, message: C2CMessage) {
        let _open = self.gate.acquire().await.unwrap();
        let Some(Conversation::C2C(user)) = ctx.conversation() else {
            panic!("no user");
        };
        let number = message.text().parse().unwrap();
        self.seen.lock().unwrap().push((user.to_string(), number));
    }
}

/// A connection of the platform, which it uses again and again.
struct Line(BufReader<TcpStream>);

impl Line {
    async fn open(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::new(stream))
    }

    /// Sends a callback; gives the status.
    async fn push(&mut self, request: &str) -> u16 {
        self.0.write_all(request.as_bytes()).await.unwrap();
        let (mut status, mut length) = (0, 0);
        loop {
            let mut line = String::new();
            let read = self.0.read_line(&mut line);
            let read = timeout(PATIENCE, read).await.unwrap().unwrap();
            assert!(read > 0, "the connection ended");
            let line = line.trim().to_ascii_lowercase();
            if let Some(rest) = line.strip_prefix("http/1.1 ") {
                status = rest[..3].parse().unwrap();
            } else if let Some(rest) = line.strip_prefix("content-length:") {
                length = rest.trim().parse().unwrap();
            } else if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.unwrap();
        status
    }
}

fn callbacks() -> usize {
    let wanted = std::env::var(CALLBACKS_VARIABLE);
    wanted.map_or(CALLBACKS, |count| count.parse().unwrap())
}

#[tokio::test]
async fn callbacks_in_number_keep_within_bounds_and_in_order_and_none_is_lost() {
    let each = callbacks().div_ceil(USERS);
    let emulator = Arc::new(Emulator::builder().start().await.unwrap());
    let (gate, seen) = (Arc::new(Semaphore::new(0)), Arc::<Mutex<_>>::default());
    let bot = Gated {
        gate: Arc::clone(&gate),
        seen: Arc::clone(&seen),
    };
    let port = free_port();
    let options = builder(&emulator)
        .webhook(format!("127.0.0.1:{port}"), "/qqbot")
        .event_capacity(CAPACITY)
        .handler(bot);
    let running = run(options.build().unwrap()).await;
    let refused = Arc::new(AtomicUsize::new(0));
    let pushing = (0..USERS).map(|user| {
        let (emulator, refused) = (Arc::clone(&emulator), Arc::clone(&refused));
        tokio::spawn(async move {
            let mut line = Line::open(port).await;
            for n in 0..each {
                let event = json!({"op": 0, "t": "C2C_MESSAGE_CREATE", "id": format!("{user}:{n}"), "d": {
                    "id": format!("m{user}-{n}"), "content": n.to_string(), "timestamp": "2026-05-23T10:00:00+08:00",
                    "author": {"id": format!("U{user}"), "user_openid": format!("U{user}")},
                }});
                // The platform sends again what was not taken.
                while line.push(&request(&emulator, &event, false, "")).await != 200 {
                    refused.fetch_add(1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        })
    });
    let pushing: Vec<_> = pushing.collect();
    let load = || {
        let health = running.client.health();
        health.waiting + health.running
    };
    let full = async {
        while refused.load(Ordering::SeqCst) == 0 {
            assert!(load() <= CAPACITY);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, full).await.unwrap();
    assert_eq!(load(), CAPACITY);
    gate.add_permits(4);
    let (mut handled, mut since) = (0, Instant::now());
    while handled < USERS * each {
        assert!(load() <= CAPACITY);
        tokio::time::sleep(Duration::from_millis(5)).await;
        let now = seen.lock().unwrap().len();
        if now > handled {
            (handled, since) = (now, Instant::now());
        }
        assert!(since.elapsed() < PATIENCE, "{handled} were handled");
    }
    for pushed in pushing {
        timeout(PATIENCE, pushed).await.unwrap().unwrap();
    }
    let seen = seen.lock().unwrap().clone();
    for user in 0..USERS {
        let name = format!("U{user}");
        let mine = seen.iter().filter(|(from, _)| *from == name);
        let numbers: Vec<_> = mine.map(|(_, number)| *number).collect();
        assert_eq!(numbers, (0..each).collect::<Vec<_>>(), "{name}");
    }
    let stats = running.client.stats();
    assert_eq!(
        (
            stats.dropped,
            stats.events_of(Some(EventKind::C2CMessageCreate))
        ),
        (0, (USERS * each) as u64)
    );
    running.client.stop().await.unwrap();
}
