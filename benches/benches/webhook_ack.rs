//! How long the platform waits for its acknowledgement while every callback of the bot takes a minute.
//!
//! 1,000 signed callbacks over 16 connections to a whole bot. Budget: p99 under 50 ms.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::error::Error;
use std::time::{Duration, Instant, SystemTime};

use qq_emulator::Emulator;
use qq_webhook::signature::KeyPair;
use qqbot::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

type AnyError = Box<dyn Error + Send + Sync>;

const CONNECTIONS: usize = 16;
const CALLBACKS: usize = 1_008;
const BUDGET: Duration = Duration::from_millis(50);

/// Takes a minute for every event.
struct Slow;

impl EventHandler for Slow {
    async fn c2c_message_create(&self, _ctx: Context, _message: C2CMessage) {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
}

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    let emulator = Emulator::builder().start().await?;
    let token = Token::new(emulator.app_id(), emulator.secret());
    let port = std::net::TcpListener::bind("127.0.0.1:0")?
        .local_addr()?
        .port();
    let client = Client::builder(token.clone(), Intents::default())
        .environment(Environment::custom(emulator.base_url())?)
        .webhook(format!("127.0.0.1:{port}"), "/qqbot")
        .handler(Slow)
        .build()?;
    let mut status = client.status();
    let measured = async {
        status
            .wait_for(|status| matches!(status, Status::Ready { .. }))
            .await?;
        let latencies = push_all(port, &token).await;
        client.stop_within(Duration::ZERO).await?;
        latencies
    };
    let (stopped, latencies) = tokio::join!(client.start(), measured);
    stopped?;
    report(latencies?);
    println!(
        "callbacks that were running or waiting: {}",
        client.stats().events
    );
    Ok(())
}

async fn push_all(port: u16, token: &Token) -> Result<Vec<Duration>, AnyError> {
    let connections = (0..CONNECTIONS).map(|connection| {
        let token = token.clone();
        tokio::spawn(async move { push_some(port, &token, connection).await })
    });
    let mut latencies = Vec::with_capacity(CALLBACKS);
    for connection in connections.collect::<Vec<_>>() {
        latencies.extend(connection.await??);
    }
    Ok(latencies)
}

/// One connection, one callback after the other.
async fn push_some(port: u16, token: &Token, connection: usize) -> Result<Vec<Duration>, AnyError> {
    let key = KeyPair::from_secret(token.secret())?;
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    let mut latencies = Vec::new();
    for n in (connection..CALLBACKS).step_by(CONNECTIONS) {
        let body = format!(
            r#"{{"op":0,"t":"C2C_MESSAGE_CREATE","id":"C2C_MESSAGE_CREATE:{n}","d":{{"id":"ROBOT1.0_{n}","content":"hi","author":{{"user_openid":"U{n}"}}}}}}"#
        );
        let timestamp = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)?
            .as_secs()
            .to_string();
        let signature = key.sign_event(&timestamp, body.as_bytes());
        let request = format!(
            "POST /qqbot HTTP/1.1\r\nHost: bot\r\nContent-Type: application/json\r\nX-Bot-Appid: {}\r\n\
             X-Signature-Timestamp: {timestamp}\r\nX-Signature-Ed25519: {signature}\r\nContent-Length: {}\r\n\r\n{body}",
            token.app_id(),
            body.len()
        );
        let sent = Instant::now();
        stream.write_all(request.as_bytes()).await?;
        let answer = read_answer(&mut stream).await?;
        latencies.push(sent.elapsed());
        if !answer.starts_with("HTTP/1.1 200") {
            return Err(answer.into());
        }
    }
    Ok(latencies)
}

/// One answer: the head, and as much of a body as it says.
async fn read_answer(stream: &mut TcpStream) -> Result<String, AnyError> {
    let mut answer = Vec::new();
    loop {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err("the connection ended within an answer".into());
        }
        let text = String::from_utf8_lossy(&answer);
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && body.len() >= content_length(head)
        {
            return Ok(text.into_owned());
        }
    }
}

fn content_length(head: &str) -> usize {
    let header = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    header
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or_default()
}

fn report(mut latencies: Vec<Duration>) {
    latencies.sort_unstable();
    let at = |part: usize| {
        latencies
            .get(latencies.len() * part / 1000)
            .copied()
            .unwrap_or_default()
    };
    let (p50, p99, longest) = (
        at(500),
        at(990),
        latencies.last().copied().unwrap_or_default(),
    );
    println!(
        "acknowledgements: {}, p50 {p50:?}, p99 {p99:?}, longest {longest:?}",
        latencies.len()
    );
    println!(
        "budget: p99 under {BUDGET:?}: {}",
        if p99 < BUDGET { "kept" } else { "broken" }
    );
}
