//! From the socket to the handler: CPU time and allocations per event against bare tokio-tungstenite with the same
//! decoder, and the time from an event to its answer.
//!
//! `cargo bench -p qqbot-benches --bench dispatch [-- <events> <rounds>]`. The platform is a process of its own that
//! writes prepared bytes, so that the CPU time of this process is the consumer's.

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a program that prints figures"
)]

use std::alloc::System;
use std::error::Error;
use std::hint::black_box;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use futures_util::{SinkExt, StreamExt};
use qq_model::gateway::Envelope;
use qqbot::model::Dispatch;
use qqbot::prelude::*;
use serde_json::{Value, json};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Message as Frame;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

type AnyError = Box<dyn Error + Send + Sync>;

/// How many answers are timed, one after the other.
const ANSWERS: usize = 2_000;

fn main() -> Result<(), AnyError> {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with("--"))
        .collect();
    if let [mode, plan] = args.as_slice()
        && mode == "platform"
    {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        return runtime.block_on(platform(Plan::parse(plan)?));
    }
    let number = |index: usize, default| {
        args.get(index)
            .and_then(|arg| arg.parse().ok())
            .unwrap_or(default)
    };
    let (events, rounds) = (number(0, 50_000), number(1, 7));
    throughput(events, rounds)?;
    latency()
}

/// What the platform sends.
#[derive(Clone, Copy)]
enum Plan {
    /// So many events at once, in so many groups; with 0 groups, of every kind.
    Flood { events: usize, groups: usize },
    /// One message after the other, each when the one before it was answered.
    PingPong,
}

impl Plan {
    fn parse(text: &str) -> Result<Self, AnyError> {
        match text.split_once('/') {
            Some((events, groups)) => Ok(Self::Flood {
                events: events.parse()?,
                groups: groups.parse()?,
            }),
            None => Ok(Self::PingPong),
        }
    }

    fn text(self) -> String {
        match self {
            Self::Flood { events, groups } => format!("{events}/{groups}"),
            Self::PingPong => "answers".to_owned(),
        }
    }
}

// The consumers.

/// What one run cost, for each event.
#[derive(Clone, Copy, Default)]
struct Cost {
    cpu: f64,
    allocations: f64,
}

fn throughput(events: usize, rounds: usize) -> Result<(), AnyError> {
    let mixed = Plan::Flood { events, groups: 0 };
    let few = Plan::Flood { events, groups: 10 };
    let many = Plan::Flood {
        events,
        groups: 10_000,
    };
    type Consumer = fn(Plan) -> Result<Cost, AnyError>;
    let rows: [(&str, Plan, Consumer); 6] = [
        ("floor, single-thread", mixed, |plan| floor(plan, 0)),
        ("client, single-thread", mixed, |plan| client(plan, 0)),
        ("floor, two threads", mixed, |plan| floor(plan, 2)),
        ("client, two threads", mixed, |plan| client(plan, 2)),
        ("client, 10 conversations", few, |plan| client(plan, 0)),
        ("client, 10,000 conversations", many, |plan| client(plan, 0)),
    ];
    let mut costs: Vec<Vec<Cost>> = vec![Vec::new(); rows.len()];
    for _ in 0..rounds {
        for ((_, plan, consume), costs) in rows.iter().zip(&mut costs) {
            costs.push(consume(*plan)?);
        }
    }
    println!("{events} events, medians of {rounds} rounds\n");
    println!("| Consumer | CPU us per event | allocations |\n|---|---|---|");
    let mut medians = Vec::new();
    for ((name, ..), costs) in rows.iter().zip(costs) {
        let cpu = median(costs.iter().map(|cost| cost.cpu).collect());
        let allocations = median(costs.iter().map(|cost| cost.allocations).collect());
        println!("| {name} | {cpu:.2} | {allocations:.1} |");
        medians.push(cpu);
    }
    if let [floor, single, _, multi, few, many] = medians[..] {
        println!(
            "\nclient to floor, single-thread: {:.3} (budget 1.25)",
            single / floor
        );
        println!(
            "client, two threads to one: {:.3} (budget 1.15)",
            multi / single
        );
        println!("10,000 to 10 conversations: {:.3}", many / few);
    }
    Ok(())
}

fn runtime(threads: usize) -> Result<tokio::runtime::Runtime, AnyError> {
    Ok(match threads {
        0 => Builder::new_current_thread().enable_all().build()?,
        threads => Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_all()
            .build()?,
    })
}

/// Bare tokio-tungstenite and the typed decoder.
fn floor(plan: Plan, threads: usize) -> Result<Cost, AnyError> {
    let Plan::Flood { events, .. } = plan else {
        return Err("a flood is needed".into());
    };
    let platform = Platform::start(plan)?;
    let gateway = platform.gateway;
    runtime(threads)?.block_on(async {
        tokio::spawn(async move {
            let stream = TcpStream::connect(("127.0.0.1", gateway)).await?;
            let url = format!("ws://127.0.0.1:{gateway}/");
            let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await?;
            let _hello = socket.next().await;
            socket.send(Frame::text(r#"{"op":2}"#)).await?;
            let _ready = socket.next().await;
            let mut seen = 0;
            let mut meter = None;
            while seen < events {
                let Some(frame) = socket.next().await else {
                    break;
                };
                meter.get_or_insert_with(Meter::start);
                if let Frame::Text(text) = frame? {
                    let envelope = Envelope::scan(&text)?;
                    black_box(Dispatch::decode(&envelope));
                    seen += 1;
                }
            }
            let meter = meter.ok_or("nothing came")?;
            Ok(meter.stop(seen))
        })
        .await?
    })
}

/// Handles nothing.
struct Noop;

impl EventHandler for Noop {}

fn client(plan: Plan, threads: usize) -> Result<Cost, AnyError> {
    let Plan::Flood { events, .. } = plan else {
        return Err("a flood is needed".into());
    };
    let platform = Platform::start(plan)?;
    let client = platform.client(Noop)?;
    runtime(threads)?.block_on(async {
        let handle = client.handle();
        let run = tokio::spawn(async move { client.start().await });
        // READY is one, too.
        let target = events as u64 + 1;
        let mut meter = None;
        loop {
            let seen = handle.stats().events + handle.stats().duplicates;
            if seen > 1 && meter.is_none() {
                meter = Some((Meter::start(), seen));
            }
            if seen >= target {
                break;
            }
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        let (meter, before) = meter.ok_or("nothing came")?;
        let cost = meter.stop(events - usize::try_from(before - 1)?);
        let stats = handle.stats();
        if stats.duplicates > 0 {
            return Err(format!("{} events were taken for repeats", stats.duplicates).into());
        }
        handle.stop().await?;
        run.await??;
        Ok(cost)
    })
}

struct Meter {
    cpu: ProcessTime,
    region: Region<'static, System>,
}

impl Meter {
    fn start() -> Self {
        Self {
            cpu: ProcessTime::now(),
            region: Region::new(ALLOCATOR),
        }
    }

    fn stop(self, events: usize) -> Cost {
        let change = self.region.change();
        Cost {
            cpu: self.cpu.elapsed().as_secs_f64() * 1e6 / events as f64,
            allocations: (change.allocations + change.reallocations) as f64 / events as f64,
        }
    }
}

/// Answers every message.
struct Pong;

impl EventHandler for Pong {
    async fn group_message_create(&self, ctx: Context, _: GroupMessage) {
        let _ = ctx.reply("pong").await;
    }
}

fn latency() -> Result<(), AnyError> {
    let mut medians = Vec::new();
    for name in ["floor", "client"] {
        let mut platform = Platform::start(Plan::PingPong)?;
        let text = runtime(0)?.block_on(async {
            if name == "floor" {
                bare_pong(platform.gateway, platform.rest).await?;
            } else {
                let client = platform.client(Pong)?;
                let handle = client.handle();
                let answers = async {
                    while handle.stats().sent < ANSWERS as u64 {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                    handle.stop().await
                };
                let (run, stopped) = tokio::join!(client.start(), answers);
                run?;
                stopped?;
            }
            platform.line()
        })?;
        medians.push(text.trim().parse::<f64>()?);
    }
    if let [floor, client] = medians[..] {
        println!(
            "\nevent to answer, one at a time, p50: floor {floor:.0} us, client {client:.0} us, ratio {:.2} (budget 2)",
            client / floor
        );
    }
    Ok(())
}

/// Answers every event with the same bytes over one connection.
async fn bare_pong(gateway: u16, rest: u16) -> Result<(), AnyError> {
    let stream = TcpStream::connect(("127.0.0.1", gateway)).await?;
    stream.set_nodelay(true)?;
    let (mut socket, _) =
        tokio_tungstenite::client_async(format!("ws://127.0.0.1:{gateway}/"), stream).await?;
    let mut http = TcpStream::connect(("127.0.0.1", rest)).await?;
    http.set_nodelay(true)?;
    let _hello = socket.next().await;
    socket.send(Frame::text(r#"{"op":2}"#)).await?;
    let _ready = socket.next().await;
    let body = r#"{"content":"pong","msg_type":0,"msg_id":"x","msg_seq":1}"#;
    let request = format!(
        "POST /v2/groups/x/messages HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut answer = vec![0; 4096];
    for _ in 0..ANSWERS {
        let Some(frame) = socket.next().await else {
            break;
        };
        let frame = frame?;
        let envelope = Envelope::scan(frame.to_text()?)?;
        black_box(Dispatch::decode(&envelope));
        http.write_all(request.as_bytes()).await?;
        let _ = http.read(&mut answer).await?;
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

// The platform.

/// The process that plays the platform.
struct Platform {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
    gateway: u16,
    rest: u16,
}

impl Platform {
    fn start(plan: Plan) -> Result<Self, AnyError> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["platform", &plan.text()])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut output = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut line = String::new();
        output.read_line(&mut line)?;
        let (gateway, rest) = line.trim().split_once(' ').ok_or("no ports")?;
        Ok(Self {
            child,
            output,
            gateway: gateway.parse()?,
            rest: rest.parse()?,
        })
    }

    fn client<H: EventHandler>(&self, handler: H) -> Result<Client<H>, AnyError> {
        let intents = Intents::default().with_group_and_c2c();
        Ok(Client::builder(
            Token::new("102000000", "a-secret-of-the-benchmark"),
            intents,
        )
        .environment(Environment::custom(format!(
            "http://127.0.0.1:{}",
            self.rest
        ))?)
        .handler(handler)
        .build()?)
    }

    fn line(&mut self) -> Result<String, AnyError> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line)
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn platform(plan: Plan) -> Result<(), AnyError> {
    let gateway = TcpListener::bind("127.0.0.1:0").await?;
    let rest = TcpListener::bind("127.0.0.1:0").await?;
    let gateway_port = gateway.local_addr()?.port();
    let bytes = match plan {
        Plan::Flood { events, groups } => flood(events, groups)?,
        Plan::PingPong => Vec::new(),
    };
    println!("{gateway_port} {}", rest.local_addr()?.port());
    let (answers, answered) = watch::channel(0_usize);
    tokio::spawn(async move {
        while let Ok((stream, _)) = rest.accept().await {
            tokio::spawn(serve_rest(stream, gateway_port, answers.clone()));
        }
    });
    loop {
        let (stream, _) = gateway.accept().await?;
        stream.set_nodelay(true)?;
        if let Err(error) = serve_gateway(stream, plan, &bytes, answered.clone()).await {
            println!("{error}");
        }
    }
}

async fn serve_gateway(
    stream: TcpStream,
    plan: Plan,
    bytes: &[u8],
    mut answered: watch::Receiver<usize>,
) -> Result<(), AnyError> {
    let mut socket = tokio_tungstenite::accept_async(stream).await?;
    socket
        .send(Frame::text(r#"{"op":10,"d":{"heartbeat_interval":30000}}"#))
        .await?;
    loop {
        let frame = socket.next().await.ok_or("gone")??;
        if frame.to_text().is_ok_and(|text| text.contains("\"op\":2")) {
            break;
        }
    }
    let ready = json!({"op": 0, "s": 1, "t": "READY", "d": {"version": 1, "session_id": "bench", "user": {"id": "1", "username": "bench", "bot": true}, "shard": [0, 1]}});
    socket.send(Frame::text(ready.to_string())).await?;
    tokio::time::sleep(Duration::from_millis(100)).await;
    match plan {
        Plan::Flood { .. } => socket.get_mut().write_all(bytes).await?,
        Plan::PingPong => {
            let mut took = Vec::new();
            answered.borrow_and_update();
            for number in 0..ANSWERS {
                let frame = frame_text(&message(number, "00000000000000000000000000000001"));
                let sent = Instant::now();
                socket.send(Frame::text(frame)).await?;
                answered.changed().await?;
                took.push(sent.elapsed().as_secs_f64() * 1e6);
            }
            println!("{}", median(took));
        }
    }
    // Whatever is still said, until the consumer goes.
    while let Some(Ok(_)) = socket.next().await {}
    Ok(())
}

async fn serve_rest(
    mut stream: TcpStream,
    gateway: u16,
    answers: watch::Sender<usize>,
) -> Result<(), AnyError> {
    stream.set_nodelay(true)?;
    let mut request = Vec::new();
    loop {
        let (head, length) = loop {
            if let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
                let length = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length:"))
                    .and_then(|length| length.trim().parse().ok())
                    .unwrap_or(0_usize);
                if request.len() >= end + 4 + length {
                    break (head, end + 4 + length);
                }
            }
            if stream.read_buf(&mut request).await? == 0 {
                return Ok(());
            }
        };
        request.drain(..length);
        let is_message = head.starts_with("post /v2/groups");
        let body = if is_message {
            json!({"id": "ROBOT1.0_answer", "timestamp": "2026-05-23T10:00:00+08:00"})
        } else if head.contains("gateway") {
            json!({"url": format!("ws://127.0.0.1:{gateway}/"), "shards": 1,
                "session_start_limit": {"total": 1000, "remaining": 1000, "reset_after": 1000, "max_concurrency": 1}})
        } else if head.contains("@me") {
            json!({"id": "1", "username": "bench", "bot": true})
        } else {
            json!({"access_token": "bench", "expires_in": "7200"})
        }
        .to_string();
        if is_message {
            answers.send_modify(|count| *count += 1);
        }
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(answer.as_bytes()).await?;
    }
}

fn message(number: usize, group: &str) -> Value {
    json!({
        "op": 0, "s": number + 2, "t": "GROUP_MESSAGE_CREATE", "id": format!("GROUP_MESSAGE_CREATE:{number}"),
        "d": {
            "id": format!("ROBOT1.0_{number:032}"), "content": "今天的天气怎么样？ /天气 深圳 \u{26}", "timestamp": "2026-05-23T10:00:00+08:00",
            "group_id": group, "group_openid": group, "message_type": 0,
            "author": {"id": "C9F778FE6ADF9D1D1DBE395BF744A33A", "member_openid": "C9F778FE6ADF9D1D1DBE395BF744A33A", "union_openid": "C9F778FE6ADF9D1D1DBE395BF744A33B", "username": "一个人", "bot": false},
            "message_scene": {"source": "default", "ext": ["msg_idx=REFIDX_1"]}
        }
    })
}

/// The members in the order in which the platform writes them.
fn frame_text(frame: &Value) -> String {
    format!(
        r#"{{"op":0,"s":{},"t":{},"id":{},"d":{}}}"#,
        frame["s"], frame["t"], frame["id"], frame["d"]
    )
}

/// The bytes of a flood, as a server writes them.
fn flood(events: usize, groups: usize) -> Result<Vec<u8>, AnyError> {
    let corpus = corpus()?;
    let mut bytes = Vec::new();
    for number in 0..events {
        let frame = match groups.checked_sub(1) {
            Some(_) => message(number, &format!("{:032X}", number % groups)),
            None => {
                let mut frame = corpus
                    .get(number % corpus.len())
                    .ok_or("no corpus")?
                    .clone();
                frame["s"] = json!(number + 2);
                frame["id"] = json!(format!(
                    "{}:{number}",
                    frame["t"].as_str().unwrap_or_default()
                ));
                if frame["t"]
                    .as_str()
                    .is_some_and(|name| name.ends_with("MESSAGE_CREATE"))
                {
                    frame["d"]["id"] = json!(format!("ROBOT1.0_{number:032}"));
                }
                frame
            }
        };
        let text = frame_text(&frame);
        bytes.push(0x81);
        match u16::try_from(text.len())? {
            short @ 0..126 => bytes.push(u8::try_from(short)?),
            long => {
                bytes.push(126);
                bytes.extend(long.to_be_bytes());
            }
        }
        bytes.extend(text.as_bytes());
    }
    Ok(bytes)
}

/// The event fixtures of `qq-model`.
fn corpus() -> Result<Vec<Value>, AnyError> {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../crates/qq-model/tables/fixtures/events"
    );
    let mut paths: Vec<_> = std::fs::read_dir(folder)?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    paths.sort();
    let mut frames = Vec::new();
    for path in paths {
        let frame: Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
        // Control events come once; a button press is acknowledged by a call.
        let others = ["READY", "RESUMED", "INTERACTION_CREATE"];
        if frame["t"]
            .as_str()
            .is_some_and(|name| !others.contains(&name))
        {
            frames.push(frame);
        }
    }
    Ok(frames)
}
