//! What a shard costs: against a bare tokio-tungstenite loop that reads the same frames, and per idle shard.
//!
//! `cargo bench -p qqbot-benches --bench gateway_read` prints the tables of `benches/README.md`.
//! `... --bench gateway_read -- loop <consumer> <events>` runs one consumer and nothing else, for a tool that counts the
//! instructions of each thread: take the difference between two numbers of events. `... -- idle` measures the memory of
//! idle shards alone.
//!
//! A server in another thread writes the frames as fast as they are read, without TLS. CPU time (user and system) of
//! the consumer's thread per event; the consumers take turns, and the medians of the rounds are compared.

#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench that cannot run stops, and prints what it found"
)]

use std::alloc::System;
use std::fmt;
use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use cpu_time::ThreadTime;
use futures_util::future::join_all;
use futures_util::{FutureExt, SinkExt, StreamExt};
use qq_gateway::{Shard, ShardBuilder};
use qq_model::event::EventKinds;
use qq_model::{BearerToken, Event, EventKind, Intents};
use qqbot_benches::corpus::{Corpus, PERIOD};
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokio::runtime::{Builder, Runtime};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const EVENTS: usize = 30_000;
const ROUNDS: usize = 15;
/// Events of the size that the budget of allocations is for.
const MESSAGE: usize = 736;
const IDLE_SHARDS: usize = 256;

/// What reads events, and how.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Consumer {
    ReadAndDrop,
    ReadAndDecode,
    Typed,
    Unwanted,
    Raw,
}

const CONSUMERS: [(Consumer, &str); 5] = [
    (Consumer::ReadAndDrop, "bare loop: read and drop"),
    (Consumer::ReadAndDecode, "bare loop: read and decode"),
    (Consumer::Unwanted, "shard, kinds that nobody wants"),
    (Consumer::Raw, "shard, raw"),
    (Consumer::Typed, "shard, typed"),
];

fn main() {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with("--"))
        .collect();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let corpus = Corpus::load().unwrap();
    if let [mode, name, events] = args.as_slice() {
        assert_eq!(mode, "loop");
        let events = events.parse().unwrap();
        let consumer = CONSUMERS.iter().find(|(_, known)| known == name).unwrap().0;
        let server = Server::start(|n| corpus.frame(n), events);
        println!("{}", consume(&runtime, consumer, &server).microseconds);
        return;
    }
    if args.as_slice() == ["idle"] {
        return idle(&runtime, &corpus);
    }
    compare(&runtime, &corpus);
    allocations(&runtime, &corpus);
    idle(&runtime, &corpus);
}

fn compare(runtime: &Runtime, corpus: &Corpus) {
    let bytes: usize = corpus.frames().iter().map(String::len).sum();
    println!(
        "{EVENTS} frames of {} bytes in the mean\n",
        bytes as u64 / PERIOD
    );
    let server = Server::start(|n| corpus.frame(n), EVENTS);
    let mut times = CONSUMERS.map(|_| Vec::new());
    let mut counts = CONSUMERS.map(|_| 0.0);
    for round in 0..=ROUNDS {
        for (n, (consumer, _)) in CONSUMERS.iter().enumerate() {
            let cost = consume(runtime, *consumer, &server);
            // The first round warms up.
            if round > 0 {
                times[n].push(cost.microseconds);
                counts[n] = cost.allocations;
            }
        }
    }
    let dropped = times[0].clone();
    let decoded = times[1].clone();
    println!("| Consumer | CPU us per event | of its floor | allocations |\n|---|---|---|---|");
    for (((consumer, name), times), count) in CONSUMERS.iter().zip(times).zip(counts) {
        let floor = match consumer {
            Consumer::ReadAndDrop | Consumer::Unwanted | Consumer::Raw => &dropped,
            Consumer::ReadAndDecode | Consumer::Typed => &decoded,
        };
        // Of the same round: load comes and goes.
        let ratio = median(times.iter().zip(floor).map(|(time, floor)| time / floor));
        println!(
            "| {name} | {:.2} | {ratio:.3} | {count:.2} |",
            median(times.into_iter())
        );
    }
}

/// Allocations per event, reading included, of a group message of the size that the budget is for, and of one with a
/// picture, which is one more object with texts of its own.
fn allocations(runtime: &Runtime, corpus: &Corpus) {
    let find = |is_it: fn(&str) -> bool| {
        let messages = (0..).filter(|n| corpus.kind(*n) == "GROUP_MESSAGE_CREATE");
        let mut frames = messages.map(|n| (n, corpus.frame(n)));
        frames.find(|(_, frame)| is_it(frame)).unwrap()
    };
    let numbered = |text: &str, number: u64, n: u64| {
        let (old, new) = (format!("\"s\":{number},"), format!("\"s\":{},", n + 2));
        text.replacen(&old, &new, 1)
    };

    // 736 bytes with any number of five digits; the first are a little shorter.
    let (n, message) = find(|frame| frame.len() < MESSAGE - 4);
    let content = "\"content\":\"";
    let missing = MESSAGE - numbered(&message, n + 2, 12_345).len();
    let text = message.replacen(content, &format!("{content}{}", "x".repeat(missing)), 1);
    assert_eq!(numbered(&text, n + 2, 12_345).len(), MESSAGE);
    let server = Server::start(|event| numbered(&text, n + 2, event), EVENTS);
    let plain = consume(runtime, Consumer::Typed, &server).allocations;
    println!("\nallocations per group message of {MESSAGE} bytes: {plain:.2}");

    let (n, text) = find(|frame| frame.contains("\"attachments\""));
    let server = Server::start(|event| numbered(&text, n + 2, event), EVENTS);
    let picture = consume(runtime, Consumer::Typed, &server).allocations;
    println!("per group message with a picture: {picture:.2}");
}

/// The memory of shards that had traffic and have none now.
fn idle(runtime: &Runtime, corpus: &Corpus) {
    let server = Server::start_and_stay(|n| corpus.frame(n), 200);
    let sum = runtime.block_on(async {
        // What is there once.
        let first = busy(&server).await;
        let region = Region::new(ALLOCATOR);
        let shards = join_all((0..IDLE_SHARDS).map(|_| busy(&server))).await;
        let change = region.change();
        drop((first, shards));
        // What reallocation adds or takes away is in both.
        change.bytes_allocated as f64 - change.bytes_deallocated as f64
    });
    println!(
        "KiB per idle shard after traffic: {:.1}",
        sum / 1024.0 / IDLE_SHARDS as f64
    );
}

async fn busy(server: &Server) -> Shard {
    let mut shard = server.shard().build().unwrap();
    for _ in 0..=server.events {
        black_box(shard.next().await.unwrap().unwrap());
    }
    // Nothing is left to read.
    assert!(shard.next().now_or_never().is_none());
    shard
}

/// What one event cost.
struct Cost {
    microseconds: f64,
    allocations: f64,
}

/// Runs a consumer over one connection.
fn consume(runtime: &Runtime, consumer: Consumer, server: &Server) -> Cost {
    runtime.block_on(async {
        match consumer {
            Consumer::ReadAndDrop | Consumer::ReadAndDecode => {
                let stream = tokio::net::TcpStream::connect(server.address)
                    .await
                    .unwrap();
                stream.set_nodelay(true).unwrap();
                let url = format!("ws://{}/", server.address);
                let (mut socket, _) = client_async(url, stream).await.unwrap();
                socket.send(Message::text("identify")).await.unwrap();
                // HELLO and READY.
                socket.next().await.unwrap().unwrap();
                socket.next().await.unwrap().unwrap();
                let started = Started::now();
                for _ in 0..server.events {
                    let message = socket.next().await.unwrap().unwrap();
                    if consumer == Consumer::ReadAndDecode {
                        let Message::Text(text) = &message else {
                            continue;
                        };
                        black_box(decode(text));
                    }
                    black_box(message);
                }
                started.stop(server.events)
            }
            Consumer::Typed => {
                let mut shard = server.shard().build().unwrap();
                shard.next().await.unwrap().unwrap();
                let started = Started::now();
                for _ in 0..server.events {
                    black_box(shard.next().await.unwrap().unwrap());
                }
                started.stop(server.events)
            }
            Consumer::Raw => {
                let mut shard = server.shard().build().unwrap();
                shard.next_raw().await.unwrap().unwrap();
                let started = Started::now();
                for _ in 0..server.events {
                    black_box(shard.next_raw().await.unwrap().unwrap());
                }
                started.stop(server.events)
            }
            Consumer::Unwanted => {
                let none = EventKinds::none();
                let mut shard = server
                    .shard()
                    .kinds(none)
                    .keep_unknown(false)
                    .build()
                    .unwrap();
                shard.next().await.unwrap().unwrap();
                let started = Started::now();
                // The gateway closes the connection behind the last event.
                shard.next().await.unwrap().unwrap_err();
                assert_eq!(shard.stats().unwanted, server.events as u64);
                started.stop(server.events)
            }
        }
    })
}

struct Started {
    time: ThreadTime,
    region: Region<'static, System>,
}

impl Started {
    fn now() -> Self {
        Self {
            region: Region::new(ALLOCATOR),
            time: ThreadTime::now(),
        }
    }

    fn stop(self, events: usize) -> Cost {
        let elapsed = self.time.elapsed();
        let change = self.region.change();
        let events = events as f64;
        Cost {
            microseconds: elapsed.as_secs_f64() * 1e6 / events,
            allocations: (change.allocations + change.reallocations) as f64 / events,
        }
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The floor: one pass of `serde_json` over the frame, straight into the same types.
fn decode(text: &str) -> (Option<u64>, Option<String>, Event) {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    deserializer.deserialize_map(Frame).unwrap()
}

struct Frame;

impl<'de> Visitor<'de> for Frame {
    type Value = (Option<u64>, Option<String>, Event);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a frame whose payload comes after its name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut sequence, mut id, mut kind, mut event) = (None, None, None, None);
        while let Some(key) = map.next_key::<&str>()? {
            match key {
                "s" => sequence = map.next_value()?,
                "id" => id = map.next_value()?,
                "t" => kind = map.next_value::<&str>()?.parse().ok(),
                "d" => {
                    let kind = kind.ok_or_else(|| A::Error::custom("no name"))?;
                    event = Some(map.next_value_seed(Payload(kind))?);
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let event = event.ok_or_else(|| A::Error::custom("no payload"))?;
        Ok((sequence, id, event))
    }
}

struct Payload(EventKind);

impl<'de> DeserializeSeed<'de> for Payload {
    type Value = Event;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Event, D::Error> {
        Event::deserialize(self.0, deserializer)
    }
}

/// Writes a session to everyone who connects.
struct Server {
    address: SocketAddr,
    events: usize,
}

impl Server {
    /// Closes every connection behind the last event.
    fn start(text: impl Fn(u64) -> String, events: usize) -> Self {
        let mut bytes = session(text, events);
        // The end of a session as it comes every half hour: close code 4009.
        bytes.extend([0x88, 2]);
        bytes.extend(4009_u16.to_be_bytes());
        Self::serve(bytes, events)
    }

    /// Has nothing more to say behind the last event.
    fn start_and_stay(text: impl Fn(u64) -> String, events: usize) -> Self {
        Self::serve(session(text, events), events)
    }

    fn serve(bytes: Vec<u8>, events: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let bytes: Arc<[u8]> = bytes.into();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, bytes) = (stream.unwrap(), Arc::clone(&bytes));
                // A client that has enough is gone before the end.
                thread::spawn(move || serve(&mut stream, &bytes));
            }
        });
        Self { address, events }
    }

    fn shard(&self) -> ShardBuilder {
        let url = format!("ws://{}/", self.address);
        Shard::builder(url, BearerToken::new("token"), Intents::default())
    }
}

/// A session of so many events.
fn session(text: impl Fn(u64) -> String, events: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let ready = r#"{"op":0,"s":1,"t":"READY","d":{"version":1,"session_id":"s","user":{"id":"1"},"shard":[0,1]}}"#;
    frame(r#"{"op":10,"d":{"heartbeat_interval":41250}}"#, &mut bytes);
    frame(ready, &mut bytes);
    for n in 0..events as u64 {
        frame(&text(n), &mut bytes);
    }
    bytes
}

fn serve(stream: &mut TcpStream, session: &[u8]) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        request.push(byte[0]);
    }
    let request = String::from_utf8_lossy(&request);
    let name = "sec-websocket-key: ";
    let key = request
        .lines()
        .find(|line| {
            line.get(..name.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(name))
        })
        .map_or("", |line| &line[name.len()..]);
    write!(
        stream,
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {}\r\n\r\n",
        derive_accept_key(key.as_bytes())
    )?;
    stream.write_all(session)?;
    // Until the client is gone.
    std::io::copy(stream, &mut std::io::sink())?;
    Ok(())
}

/// A text frame as a server sends it.
fn frame(text: &str, out: &mut Vec<u8>) {
    out.push(0x81);
    match u16::try_from(text.len()).unwrap() {
        length @ 0..126 => out.push(length.to_le_bytes()[0]),
        length => {
            out.push(126);
            out.extend(length.to_be_bytes());
        }
    }
    out.extend(text.as_bytes());
}
