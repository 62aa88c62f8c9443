//! From the socket to the handler: CPU time and allocations per event against bare tokio-tungstenite with the same
//! decoder, and the time from an event to its answer.
//!
//! `cargo bench -p qqbot-benches --bench dispatch [-- <events> <rounds>]`. The platform is a process of its own that
//! writes prepared bytes, so that the CPU time of this process is the consumer's. `-- loop <row> <events>` runs one row
//! once, for a tool that counts instructions.

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
use qqbot::EventKinds;
use qqbot::cache::{Cache, CacheConfig, KindConfig};
use qqbot::client::ClientBuilder;
use qqbot::gateway::Shard;
use qqbot::model::group::GroupMember;
use qqbot::model::message::Conversation;
use qqbot::model::{BearerToken, Dispatch};
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
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["platform", plan] => {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(platform(Plan::parse(plan)?))
        }
        ["loop", row, events] => {
            let rows = rows(events.parse()?);
            let names: Vec<_> = rows.iter().map(|row| row.name).collect();
            let row = rows.iter().find(|known| known.name == row);
            let cost = row.ok_or(format!("the rows are {names:?}"))?.run()?;
            println!("{:.3} us, {:.2} allocations", cost.cpu, cost.allocations);
            Ok(())
        }
        [] => throughput(50_000, 7).and_then(|()| latency()),
        [events, rounds] => {
            throughput(events.parse()?, rounds.parse()?)?;
            latency()
        }
        _ => Err("expected: [<events> <rounds>] or loop <row> <events>".into()),
    }
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

    /// How many events come before the count begins.
    const fn warm(self) -> usize {
        match self {
            Self::Flood { groups: 1.., .. } => MET,
            _ => 0,
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

/// One consumer of one flood.
struct Row {
    name: &'static str,
    plan: Plan,
    /// Threads of the runtime; 0 for the one that has none of its own.
    threads: usize,
    consumer: Consumer,
}

/// Who reads the flood.
#[derive(Clone, Copy)]
enum Consumer {
    /// Bare tokio-tungstenite and the typed decoder.
    Floor,
    /// A shard alone.
    Shard,
    /// The whole client.
    Client(Setting),
}

/// What is different about a client.
#[derive(Clone, Copy, PartialEq)]
enum Setting {
    /// Nothing.
    Default,
    /// It remembers nothing.
    NoCache,
    /// It remembers no messages.
    NoMessages,
    /// It handles what comes twice twice.
    NoDuplicates,
    /// It has a closure that takes the text of group messages.
    Raw,
    /// So many members of other groups are known.
    Members(usize),
    /// So many collectors wait in other groups.
    Collectors(usize),
}

/// Conversations are met once before the count begins.
const MET: usize = 10_000;

fn rows(events: usize) -> Vec<Row> {
    let mixed = Plan::Flood { events, groups: 0 };
    let events = events.max(MET * 2);
    let few = Plan::Flood { events, groups: 10 };
    let many = Plan::Flood {
        events,
        groups: MET,
    };
    let row = |name, plan, threads, consumer| Row {
        name,
        plan,
        threads,
        consumer,
    };
    let client = Consumer::Client;
    vec![
        row("floor", mixed, 0, Consumer::Floor),
        row("shard", mixed, 0, Consumer::Shard),
        row("client", mixed, 0, client(Setting::Default)),
        row("no-messages", mixed, 0, client(Setting::NoMessages)),
        row("no-cache", mixed, 0, client(Setting::NoCache)),
        row("no-duplicates", mixed, 0, client(Setting::NoDuplicates)),
        row("floor-threads", mixed, 2, Consumer::Floor),
        row("client-threads", mixed, 2, client(Setting::Default)),
        row("floor-10", few, 0, Consumer::Floor),
        row("conversations-10", few, 0, client(Setting::Default)),
        row("conversations-10000", many, 0, client(Setting::Default)),
        row("members-1000", few, 0, client(Setting::Members(1_000))),
        row(
            "members-1000000",
            few,
            0,
            client(Setting::Members(1_000_000)),
        ),
        row("collectors-1", few, 0, client(Setting::Collectors(1))),
        row(
            "collectors-1000",
            few,
            0,
            client(Setting::Collectors(1_000)),
        ),
        row("raw", few, 0, client(Setting::Raw)),
    ]
}

/// Ratios of the CPU time of rows, with their budgets.
const RATIOS: [(&str, &str, &str, Option<f64>); 8] = [
    ("shard to floor", "shard", "floor", None),
    ("client to floor", "client", "floor", Some(1.25)),
    (
        "client, two threads to one",
        "client-threads",
        "client",
        Some(1.15),
    ),
    (
        "group messages, client to floor",
        "conversations-10",
        "floor-10",
        None,
    ),
    (
        "10,000 to 10 conversations",
        "conversations-10000",
        "conversations-10",
        Some(1.1),
    ),
    (
        "1,000,000 to 1,000 cached members",
        "members-1000000",
        "members-1000",
        Some(1.1),
    ),
    (
        "1,000 collectors to 1",
        "collectors-1000",
        "collectors-1",
        Some(1.1),
    ),
    (
        "with a closure for the text",
        "raw",
        "conversations-10",
        None,
    ),
];

impl Row {
    fn run(&self) -> Result<Cost, AnyError> {
        match self.consumer {
            Consumer::Floor => floor(self.plan, self.threads),
            Consumer::Shard => shard(self.plan),
            Consumer::Client(setting) => client(self.plan, self.threads, setting),
        }
    }
}

fn throughput(events: usize, rounds: usize) -> Result<(), AnyError> {
    let rows = rows(events);
    let mut costs: Vec<Vec<Cost>> = vec![Vec::new(); rows.len()];
    for _ in 0..rounds {
        for (row, costs) in rows.iter().zip(&mut costs) {
            costs.push(row.run()?);
        }
    }
    println!("{events} events, medians of {rounds} rounds\n");
    println!("| Consumer | CPU us per event | allocations |\n|---|---|---|");
    for (row, costs) in rows.iter().zip(&costs) {
        let cpu = median(costs.iter().map(|cost| cost.cpu).collect());
        let allocations = median(costs.iter().map(|cost| cost.allocations).collect());
        println!("| {} | {cpu:.2} | {allocations:.1} |", row.name);
    }
    println!("\n| of the same round | ratio | budget |\n|---|---|---|");
    let of = |name: &str| {
        let row = rows.iter().position(|row| row.name == name);
        row.and_then(|row| costs.get(row)).ok_or("no such row")
    };
    for (what, row, base, budget) in RATIOS {
        let pairs = of(row)?.iter().zip(of(base)?);
        let ratio = median(pairs.map(|(cost, base)| cost.cpu / base.cpu).collect());
        let budget = budget.map(|budget| budget.to_string()).unwrap_or_default();
        println!("| {what} | {ratio:.3} | {budget} |");
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
                if seen == plan.warm() {
                    meter = Some(Meter::start());
                }
                if let Frame::Text(text) = frame? {
                    let envelope = Envelope::scan(&text)?;
                    black_box(Dispatch::decode(&envelope));
                    seen += 1;
                }
            }
            let meter = meter.ok_or("nothing came")?;
            Ok(meter.stop(seen - plan.warm()))
        })
        .await?
    })
}

fn shard(plan: Plan) -> Result<Cost, AnyError> {
    let Plan::Flood { events, .. } = plan else {
        return Err("a flood is needed".into());
    };
    let platform = Platform::start(plan)?;
    let url = format!("ws://127.0.0.1:{}/", platform.gateway);
    runtime(0)?.block_on(async {
        let token = BearerToken::new("token");
        let mut shard = Shard::builder(url, token, Intents::default()).build()?;
        let _ready = shard.next().await;
        let mut meter = None;
        for seen in 0..events {
            let item = shard.next().await.ok_or("it has ended")??;
            if seen == plan.warm() {
                meter = Some(Meter::start());
            }
            black_box(item);
        }
        let meter = meter.ok_or("nothing came")?;
        Ok(meter.stop(events - plan.warm()))
    })
}

/// Handles nothing.
struct Noop;

impl EventHandler for Noop {}

fn client(plan: Plan, threads: usize, setting: Setting) -> Result<Cost, AnyError> {
    let Plan::Flood { events, .. } = plan else {
        return Err("a flood is needed".into());
    };
    let platform = Platform::start(plan)?;
    let client = setting.build(&platform)?;
    runtime(threads)?.block_on(async {
        let handle = client.handle();
        if setting == Setting::Raw {
            client.on(EventKind::GroupMessageCreate, |_, raw| async move {
                black_box(raw.json());
            });
        }
        let mut collectors = Vec::new();
        if let Setting::Collectors(count) = setting {
            for number in 0..count {
                let group = Conversation::Group(format!("{number:031X}F").into());
                collectors.push(
                    handle
                        .create_message_collector()
                        .conversation(group)
                        .start(),
                );
            }
        }
        let run = tokio::spawn(async move { client.start().await });
        // READY is one, too.
        let target = events as u64 + 1;
        let warm = plan.warm() as u64;
        let mut meter = None;
        loop {
            let stats = handle.stats();
            let seen = stats.events + stats.duplicates;
            if seen > warm + 1 && meter.is_none() {
                meter = Some((Meter::start(), seen));
            }
            if seen >= target {
                break;
            }
            // Often while nothing happens yet, then seldom: it is counted, too.
            let pause = if meter.is_some() { 2_000 } else { 200 };
            tokio::time::sleep(Duration::from_micros(pause)).await;
        }
        let (meter, before) = meter.ok_or("nothing came")?;
        let cost = meter.stop(events + 1 - usize::try_from(before)?);
        let stats = handle.stats();
        if stats.duplicates > 0 {
            return Err(format!("{} events were taken for repeats", stats.duplicates).into());
        }
        handle.stop().await?;
        run.await??;
        drop(collectors);
        Ok(cost)
    })
}

impl Setting {
    fn build(self, platform: &Platform) -> Result<Client<Noop>, AnyError> {
        let builder = platform.client()?;
        let builder = match self {
            Self::Default | Self::Raw | Self::Collectors(_) => builder,
            Self::NoCache => builder.cache(Cache::new(CacheConfig::off())),
            Self::NoMessages => builder.cache(Cache::builder().messages(KindConfig::off).build()),
            Self::NoDuplicates => builder.dedupe(false),
            Self::Members(count) => {
                let cache = Cache::builder()
                    .group_members(KindConfig::unbounded)
                    .build();
                for number in 0..count {
                    let group = format!("{:031X}F", number / 1_000).into();
                    let mut member = GroupMember::default();
                    member.member_openid = format!("{number:032X}").into();
                    member.username = Some("一个人".into());
                    cache.insert_group_member(&group, &member);
                }
                builder.cache(cache)
            }
        };
        // A handler without callbacks asks for nothing: here everything is to come.
        Ok(builder.kinds(EventKinds::all()).handler(Noop).build()?)
    }
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
                let client = platform.client()?.handler(Pong).build()?;
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

    fn client(&self) -> Result<ClientBuilder, AnyError> {
        let intents = Intents::default().with_group_and_c2c();
        let token = Token::new("102000000", "a-secret-of-the-benchmark");
        let environment = Environment::custom(format!("http://127.0.0.1:{}", self.rest))?;
        Ok(Client::builder(token, intents).environment(environment))
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
