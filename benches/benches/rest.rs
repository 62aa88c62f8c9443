#![forbid(unsafe_code)]
//! What a REST call costs: `HttpClient` with its limiter on, against a bare hyper-util client that writes the same
//! bytes and reads the same answer, over kept-alive connections to 127.0.0.1.
//!
//! CPU time of the client's thread per request, the server being another thread; the two take turns, and the medians
//! of the rounds are compared. Allocations are those of the whole process, the server making none.
//!
//! * `... --bench rest` prints the tables of `benches/README.md`.
//! * `... --bench rest -- keys <count>` sends to so many groups and prints what the limiter keeps of them.
//! * `... --bench rest -- loop <bare|on|off> <requests> <in flight>` makes so many requests and nothing else, for a
//!   tool that counts instructions by thread: take the difference between two numbers of requests.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench that cannot run stops, and prints what it found"
)]

use std::alloc::System;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use cpu_time::ThreadTime;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use qq_http::{HttpClient, Limits};
use qq_model::outgoing::SentMessage;
use qq_model::{Environment, Token};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::task::JoinSet;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const ROUNDS: usize = 15;
const REQUESTS: usize = 8_192;
const GROUPS: usize = 64;
const BUDGET: f64 = 1.15;
const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const ANSWER: &str = r#"{"id":"ROBOT1.0_0123456789abcdef0123456789abcdef!","timestamp":"2026-11-20T12:00:00+08:00"}"#;

type Bare = Client<HttpConnector, Full<Bytes>>;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let address = serve();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        match arguments[..] {
            ["keys", count] | ["keys", count, "--bench"] => {
                keys(address, count.parse().unwrap()).await;
            }
            ["loop", who, requests, in_flight, ..] => {
                let (requests, in_flight) = (requests.parse().unwrap(), in_flight.parse().unwrap());
                only(address, who, requests, in_flight).await;
            }
            _ => compare(address).await,
        }
    });
}

async fn compare(address: SocketAddr) {
    println!("REST, one active group message per request: CPU time of the client, us per request");
    println!(
        "| in flight | bare hyper-util | qq-http, limiter on | ratio | limiter off | allocations |"
    );
    println!("|---|---|---|---|---|---|");
    for in_flight in [1, 16, 256] {
        let (bare, on) = (bare(), client(address, limits()));
        let off = client(address, Limits::off());
        let mut rounds = [const { Vec::new() }; 3];
        for round in 0..=ROUNDS {
            let costs = [
                cost(REQUESTS, in_flight, async |n| {
                    send_bare(&bare, address, n).await;
                })
                .await,
                cost(REQUESTS, in_flight, async |n| send(&on, n).await).await,
                cost(REQUESTS, in_flight, async |n| send(&off, n).await).await,
            ];
            // The first round opens connections and fetches tokens.
            if round > 0 {
                for (all, one) in rounds.iter_mut().zip(costs) {
                    all.push(one);
                }
            }
        }
        let ratio = median(
            rounds[0]
                .iter()
                .zip(&rounds[1])
                .map(|(bare, on)| on.time / bare.time),
        );
        let [bare, on, off] = rounds.map(|costs| {
            let times = median(costs.iter().map(|cost| cost.time));
            (times, median(costs.iter().map(|cost| cost.allocations)))
        });
        let verdict = if ratio <= BUDGET { "" } else { " (over 1.15)" };
        println!(
            "| {in_flight} | {:.2} | {:.2} | {ratio:.3}{verdict} | {:.2} | {:.1} to {:.1} |",
            bare.0, on.0, off.0, bare.1, on.1
        );
    }
}

/// One client alone.
async fn only(address: SocketAddr, who: &str, requests: usize, in_flight: usize) {
    let cost = if who == "bare" {
        let bare = bare();
        cost(requests, in_flight, async |n| {
            send_bare(&bare, address, n).await;
        })
        .await
    } else {
        let limits = if who == "off" {
            Limits::off()
        } else {
            limits()
        };
        let http = client(address, limits);
        cost(requests, in_flight, async |n| send(&http, n).await).await
    };
    println!(
        "{:.2} us, {:.1} allocations of {:.0} bytes per request",
        cost.time, cost.allocations, cost.allocated_bytes
    );
}

/// What the limiter keeps of so many groups, each with a minute and a day that are counted.
async fn keys(address: SocketAddr, count: usize) {
    println!("| groups sent to | remembered | bytes of the limiter's, per group |");
    println!("|---|---|---|");
    for most in [count, 32_768] {
        let http = client(address, limits().max_keys(most));
        send_to(&http, "warm".to_owned()).await;
        let region = Region::new(ALLOCATOR);
        cost(count, 64, async |n| {
            send_to(&http, format!("{n:032}")).await;
        })
        .await;
        let change = region.change();
        let kept = change.bytes_allocated as f64 - change.bytes_deallocated as f64;
        let keys = http.limits().stats().keys;
        println!("| {count} | {keys} | {:.0} |", kept / keys as f64);
    }
}

/// The documented limits, each too high to be met: everything is counted and nothing waits.
fn limits() -> Limits {
    let settings = [
        "group.send",
        "group.active.bot",
        "group.active.group",
        "group.active.group.day",
    ]
    .map(|name| format!(r#""{name}": {{"requests": 100000000}}"#));
    serde_json::from_str(&format!(r#"{{"limits": {{{}}}}}"#, settings.join(","))).unwrap()
}

fn client(address: SocketAddr, limits: Limits) -> HttpClient {
    HttpClient::builder(Token::new("102000000", "secret"))
        .environment(Environment::custom(format!("http://{address}")).unwrap())
        .limits(limits)
        .build()
        .unwrap()
}

fn bare() -> Bare {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_secs(60))
        .build(connector)
}

async fn send(http: &HttpClient, n: usize) {
    send_to(http, format!("group{}", n % GROUPS)).await;
}

async fn send_to(http: &HttpClient, group: String) {
    let sent = http.group(group).send("pong").await.unwrap();
    assert!(sent.id().is_some());
}

#[derive(serde::Serialize)]
struct Body<'a> {
    msg_type: u8,
    content: &'a str,
}

async fn send_bare(bare: &Bare, address: SocketAddr, n: usize) {
    let body = serde_json::to_vec(&Body {
        msg_type: 0,
        content: "pong",
    })
    .unwrap();
    let request = http::Request::post(format!(
        "http://{address}/v2/groups/group{}/messages",
        n % GROUPS
    ))
    .header(
        "user-agent",
        "qq-http/0.1.0 (https://github.com/qqbot-rs/qqbot)",
    )
    .header("accept", "application/json")
    .header("accept-encoding", "identity")
    .header("x-union-appid", "102000000")
    .header("content-type", "application/json; charset=utf-8")
    .header("authorization", format!("QQBot {TOKEN}"))
    .body(Full::new(Bytes::from(body)))
    .unwrap();
    let answer = bare.request(request).await.unwrap();
    assert!(answer.status().is_success());
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    let sent: SentMessage = serde_json::from_slice(&body).unwrap();
    assert!(!sent.id.is_empty());
}

/// What one request took.
struct Cost {
    /// CPU microseconds.
    time: f64,
    allocations: f64,
    allocated_bytes: f64,
}

async fn cost(requests: usize, in_flight: usize, call: impl AsyncFn(usize)) -> Cost {
    let (began, region) = (ThreadTime::now(), Region::new(ALLOCATOR));
    let lanes = (0..in_flight).map(|lane| {
        let call = &call;
        async move {
            for n in (lane..requests).step_by(in_flight) {
                call(n).await;
            }
        }
    });
    FuturesUnordered::from_iter(lanes)
        .collect::<Vec<()>>()
        .await;
    let change = region.change();
    let allocations = change.allocations + change.reallocations;
    Cost {
        time: began.elapsed().as_secs_f64() * 1e6 / requests as f64,
        allocations: allocations as f64 / requests as f64,
        allocated_bytes: change.bytes_allocated as f64 / requests as f64,
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A server in its own thread that answers every request of a kept-alive connection.
fn serve() -> SocketAddr {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(answer(stream));
            }
        });
    });
    receiver.recv().expect("the server starts")
}

async fn answer(mut stream: TcpStream) {
    stream.set_nodelay(true).unwrap();
    let whole = |body: &str| {
        let length = body.len();
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    };
    let token = whole(&format!(
        r#"{{"access_token":"{TOKEN}","expires_in":"7200"}}"#
    ));
    let sent = whole(ANSWER);
    let mut buffer = Vec::with_capacity(4096);
    loop {
        let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else {
            if stream.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
                return;
            }
            continue;
        };
        let head = std::str::from_utf8(&buffer[..end]).unwrap();
        let answer = if head.starts_with("POST /app/") {
            &token
        } else {
            &sent
        };
        let length: usize = head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .map_or(0, |(_, length)| length.parse().unwrap());
        while buffer.len() < end + 4 + length {
            if stream.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
                return;
            }
        }
        buffer.drain(..end + 4 + length);
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}
