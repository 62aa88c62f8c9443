//! A thousand shards in one process, on one thread: how late their heartbeats are, and what memory they take.
//!
//! The emulator is a process of its own, so that memory is the shards' alone. A tap on the connections notes when
//! each heartbeat is handed to the socket; nothing that the shards say about themselves is believed.
//!
//! `cargo bench -p qqbot-benches --bench gateway_shards [-- <shards> <seconds>]`.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::io::{self, BufRead, BufReader, Write};
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use qq_emulator::Emulator;
use qq_gateway::{CloseMode, InMemoryIdentifyQueue, Shard, ShardGroup, ShardPlan};
use qq_http::HttpClient;
use qq_model::{AccessToken, Environment, Event, Intents, Token};
use qq_transport::{Connect, ConnectFuture, Connection, Tcp};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep_until};

type AnyError = Box<dyn Error + Send + Sync>;

const INTERVAL: Duration = Duration::from_secs(5);
/// The emulator pushes so many events in a hundredth of a second.
const EVENTS: u64 = 20;
const BUDGET: Duration = Duration::from_millis(250);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), AnyError> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let numbers: Vec<u32> = arguments
        .iter()
        .filter_map(|text| text.parse().ok())
        .collect();
    let shards = numbers.first().copied().unwrap_or(1000);
    if arguments.iter().any(|text| text == "emulator") {
        return emulate(shards).await;
    }
    let seconds = numbers.get(1).copied().unwrap_or(60);
    measure(shards, Duration::from_secs(seconds.into())).await
}

/// The emulator: prints where it is, pushes events until its input ends, prints what it objects to.
async fn emulate(shards: u32) -> Result<(), AnyError> {
    let emulator = Emulator::builder()
        .heartbeat_interval(INTERVAL)
        .settings(|settings| {
            settings.max_concurrency = shards;
            settings.session_start_total = shards;
            settings.remaining = shards;
            settings.shards = shards;
        })
        .start()
        .await?;
    println!(
        "{} {} {}",
        emulator.base_url(),
        emulator.app_id(),
        emulator.secret()
    );
    let (sender, mut lines) = tokio::sync::mpsc::channel(4);
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            if line.is_err() || sender.blocking_send(()).is_err() {
                return;
            }
        }
    });
    // One line starts the events, the next ends them.
    lines.recv().await;
    let (mut pushed, mut next) = (0_u64, Instant::now());
    while lines.try_recv().is_err() {
        for _ in 0..EVENTS {
            let guild = (pushed % u64::from(shards)) << 22 | 1;
            let channel = json!({"id": "1", "guild_id": guild.to_string(), "name": "general"});
            emulator.push_event("CHANNEL_UPDATE", channel).await;
            pushed += 1;
        }
        next += Duration::from_millis(10);
        sleep_until(next).await;
    }
    println!("{pushed} {:?}", emulator.violations());
    Ok(())
}

async fn measure(shards: u32, duration: Duration) -> Result<(), AnyError> {
    let mut child = Command::new(env::current_exe()?)
        .args(["emulator", &shards.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let result = against(&mut child, shards, duration).await;
    child.kill()?;
    child.wait()?;
    result
}

async fn against(child: &mut Child, shards: u32, duration: Duration) -> Result<(), AnyError> {
    let mut input = child.stdin.take().ok_or("no input")?;
    let mut output = BufReader::new(child.stdout.take().ok_or("no output")?);
    let mut line = String::new();
    output.read_line(&mut line)?;
    let [url, app_id, secret] = line.split_whitespace().collect::<Vec<_>>()[..] else {
        return Err(format!("the emulator says {line:?}").into());
    };
    let http = HttpClient::builder(Token::new(app_id, secret))
        .environment(Environment::custom(url)?)
        .build()?;
    let gateway = format!("{}/websocket", url.replace("http", "ws"));
    let token = http.access_token().get().await?;
    let tap = Tap::default();
    let queue = Arc::new(InMemoryIdentifyQueue::unlimited(shards));
    let before = resident()?;
    let mut group = ShardGroup::from_plan(&ShardPlan::all(shards)?, |id| {
        Shard::builder(&*gateway, token.clone(), Intents::default())
            .shard(id)
            .connect(tap.clone())
            .identify_queue(queue.clone())
            .build()
    })?;
    let start = Instant::now();
    for live in 0..shards {
        let (id, item) = group.next().await.ok_or("the group ended")?;
        if !matches!(item?.event, Event::Ready(_)) {
            return Err(format!("{id}: no READY after {live} others").into());
        }
    }
    println!("{shards} shards live after {:.1?}", start.elapsed());
    // Once around, so that every shard has beaten.
    let quiet = Instant::now() + INTERVAL;
    tokio::select! {
        item = group.next() => return Err(format!("not quiet: {item:?}").into()),
        () = sleep_until(quiet) => {}
    }
    let idle = resident()?;
    writeln!(input)?;
    let end = Instant::now() + duration;
    let mut events = 0_u64;
    while let Ok(item) = tokio::time::timeout_at(end, group.next()).await {
        let (id, item) = item.ok_or("the group ended")?;
        item.map_err(|error| format!("{id}: {error}"))?;
        events += 1;
    }
    let busy = resident()?;
    writeln!(input)?;
    line.clear();
    output.read_line(&mut line)?;
    let closing = Instant::now();
    group.close(CloseMode::Finish).await;
    println!("closed in {:.1?}", closing.elapsed());
    let per_shard = |bytes: u64| bytes.saturating_sub(before) as f64 / 1024.0 / f64::from(shards);
    println!(
        "resident: {} kB before, {} kB idle ({:.1} KiB per shard), {} kB after {events} events ({:.1} KiB per shard)",
        before / 1024,
        idle / 1024,
        per_shard(idle),
        busy / 1024,
        per_shard(busy),
    );
    println!(
        "the emulator: events pushed, violations: {}",
        line.trim_end()
    );
    tap.report();
    Ok(())
}

fn resident() -> Result<u64, AnyError> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line
        .and_then(|line| line.split_whitespace().next())
        .ok_or("no VmRSS")?;
    Ok(number.parse::<u64>()? * 1024)
}

/// Notes when heartbeats are written.
#[derive(Clone, Default)]
struct Tap(Arc<Mutex<Beats>>);

#[derive(Default)]
struct Beats {
    connections: u64,
    last: BTreeMap<u64, Instant>,
    lateness: Vec<Duration>,
}

impl Tap {
    fn beat(&self, connection: u64) {
        let now = Instant::now();
        let mut beats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = beats.last.insert(connection, now) {
            beats.lateness.push((now - last).saturating_sub(INTERVAL));
        }
    }

    fn report(&self) {
        let mut beats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        beats.lateness.sort_unstable();
        let lateness = &beats.lateness;
        let part = |percent: usize| lateness[(lateness.len() - 1) * percent / 100];
        println!(
            "{} heartbeats of {} connections; later than {INTERVAL:?}: p50 {:.1?}, p99 {:.1?}, longest {:.1?} (budget {BUDGET:?}, {} above)",
            lateness.len(),
            beats.connections,
            part(50),
            part(99),
            part(100),
            lateness.iter().filter(|late| **late > BUDGET).count(),
        );
    }
}

impl Connect for Tap {
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> ConnectFuture<'a> {
        Box::pin(async move {
            let inner = Tcp.connect(host, port).await?;
            let number = {
                let mut beats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                beats.connections += 1;
                beats.connections
            };
            let tapped = Tapped {
                inner,
                number,
                tap: self.clone(),
            };
            Ok(Box::new(tapped) as Connection)
        })
    }
}

struct Tapped {
    inner: Connection,
    number: u64,
    tap: Tap,
}

impl AsyncRead for Tapped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Tapped {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // A short masked text frame: IDENTIFY is longer, and nothing else is sent.
        if matches!(bytes, [0x81, len, ..] if len & 0x7f < 60) {
            self.tap.beat(self.number);
        }
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
