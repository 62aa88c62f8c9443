//! What the emulator can bear: how fast it starts, how many events one gateway connection gets, 500
//! sessions at once, and a year of messages in bounded memory.
//!
//! `cargo bench -p qqbot-benches --bench emulator [-- <messages of the year>]`. Budgets: a start under
//! 20 ms; 20,000 events per second out of one gateway.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::error::Error;
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use qq_emulator::{Emulator, Say};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

type AnyError = Box<dyn Error + Send + Sync>;

const STARTS: usize = 51;
const EVENTS: usize = 200_000;
const SESSIONS: usize = 500;
const ROUNDS: usize = 200;
const YEAR: usize = 2_000_000;
const INTENTS: u64 = 1 << 12 | 1 << 25 | 1 << 30;

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    // `cargo bench` adds a flag of its own.
    let year = std::env::args().filter_map(|arg| arg.parse().ok()).next();
    starts().await?;
    one_gateway().await?;
    many_sessions().await?;
    year_of_messages(year.unwrap_or(YEAR)).await
}

async fn starts() -> Result<(), AnyError> {
    let mut times = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        let begun = Instant::now();
        let emulator = Emulator::builder().start().await?;
        times.push(begun.elapsed());
        emulator.stop().await;
    }
    let first = times[0];
    times.sort_unstable();
    println!(
        "start: first {first:?}, median {:?}, longest {:?}",
        times[STARTS / 2],
        times[STARTS - 1]
    );
    Ok(())
}

/// Events are pushed from one task and read in another, over one connection.
async fn one_gateway() -> Result<(), AnyError> {
    let emulator = Emulator::builder().start().await?;
    let mut client = Client::connect(&emulator).await?;
    let begun = Instant::now();
    let reader = tokio::spawn(async move {
        let mut bytes = 0;
        for _ in 0..EVENTS {
            bytes += client.frame().await?.len();
        }
        Ok::<_, AnyError>(bytes)
    });
    for n in 0..EVENTS {
        emulator.say(Say::group(format!("message {n}"))).await;
    }
    let bytes = reader.await??;
    let took = begun.elapsed();
    println!(
        "one gateway: {EVENTS} events of {} bytes in {took:.2?}: {:.0} per second",
        bytes / EVENTS,
        per_second(EVENTS, took)
    );
    Ok(())
}

/// Every session gets every event; the slowest decides.
async fn many_sessions() -> Result<(), AnyError> {
    let emulator = Emulator::builder().start().await?;
    let begun = Instant::now();
    let mut clients = Vec::with_capacity(SESSIONS);
    for _ in 0..SESSIONS {
        clients.push(Client::connect(&emulator).await?);
    }
    let connected = begun.elapsed();
    let begun = Instant::now();
    let mut readers = JoinSet::new();
    for mut client in clients {
        readers.spawn(async move {
            for _ in 0..ROUNDS {
                client.frame().await?;
            }
            Ok::<_, AnyError>(client)
        });
    }
    for n in 0..ROUNDS {
        emulator.say(Say::group(format!("message {n}"))).await;
    }
    let mut done = Vec::with_capacity(SESSIONS);
    while let Some(client) = readers.join_next().await {
        done.push(client??);
    }
    let took = begun.elapsed();
    let frames = SESSIONS * ROUNDS;
    println!(
        "{SESSIONS} sessions: connected in {connected:.2?}; {ROUNDS} events to each, {frames} frames in \
         {took:.2?}: {:.0} per second",
        per_second(frames, took)
    );
    println!(
        "resident with {} sessions connected: {} MiB",
        done.len(),
        resident()?
    );
    Ok(())
}

/// Messages of three people, half of them answered by a bot, to a connected client.
async fn year_of_messages(messages: usize) -> Result<(), AnyError> {
    let emulator = Emulator::builder()
        .settings(|settings| settings.active_per_bot_minute = 0)
        .start()
        .await?;
    let mut client = Client::connect(&emulator).await?;
    let reader = tokio::spawn(async move { while client.frame().await.is_ok() {} });
    let begun = Instant::now();
    for n in 1..=messages {
        let author = ["mia", "leo", "ana"][n % 3];
        let say = match n % 4 {
            0 => Say::group(format!("message {n}")),
            1 => Say::c2c(format!("message {n}")),
            2 => Say::channel(format!("message {n}")),
            _ => Say::direct(format!("message {n}")),
        };
        emulator.say(say.author(author)).await;
        if n % (messages / 8).max(1) == 0 {
            println!(
                "{n} messages: {} MiB resident, {} kept, {:.0} per second",
                resident()?,
                emulator.timeline().len(),
                per_second(n, begun.elapsed())
            );
        }
    }
    emulator.stop().await;
    reader.await?;
    Ok(())
}

fn per_second(count: usize, took: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / took.as_secs_f64()
}

/// Resident memory of this process in MiB.
fn resident() -> Result<u64, AnyError> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next());
    Ok(kilobytes.ok_or("no VmRSS")?.parse::<u64>()? / 1024)
}

/// A client that knows no more of the protocol than it needs.
struct Client(WebSocketStream<TcpStream>);

impl Client {
    async fn connect(emulator: &Emulator) -> Result<Self, AnyError> {
        let body =
            json!({"appId": emulator.app_id(), "clientSecret": emulator.secret()}).to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", emulator.port())).await?;
        let request = format!(
            "POST /app/getAppAccessToken HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let (_, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
        let answer: Value = serde_json::from_str(body)?;
        let token = answer["access_token"].as_str().ok_or("no token")?;

        let stream = TcpStream::connect(("127.0.0.1", emulator.port())).await?;
        let url = format!("ws://127.0.0.1:{}/websocket/", emulator.port());
        let (socket, _) = tokio_tungstenite::client_async(url, stream).await?;
        let mut client = Self(socket);
        client.frame().await?;
        let identify = json!({"op": 2, "d": {
            "token": format!("QQBot {token}"), "intents": INTENTS, "shard": [0, 1], "properties": {},
        }});
        client
            .0
            .send(Message::Text(identify.to_string().into()))
            .await?;
        client.frame().await?;
        Ok(client)
    }

    async fn frame(&mut self) -> Result<tokio_tungstenite::tungstenite::Utf8Bytes, AnyError> {
        loop {
            match self.0.next().await.ok_or("the connection has ended")?? {
                Message::Text(text) => return Ok(text),
                Message::Close(close) => return Err(format!("closed: {close:?}").into()),
                _ => {}
            }
        }
    }
}
