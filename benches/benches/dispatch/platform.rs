//! The platform: a process that writes prepared bytes.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use qqbot::client::ClientBuilder;
use qqbot::prelude::*;
use qqbot_benches::corpus::Corpus;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Message as Frame;

use crate::{AnyError, median};

/// How many answers are timed, one after the other.
pub(crate) const ANSWERS: usize = 2_000;

/// The largest number of groups.
pub(crate) const MET: usize = 10_000;

/// What the platform sends.
#[derive(Clone, Copy)]
pub(crate) enum Plan {
    /// So many events at once: messages in so many groups, or the traffic of the corpus with 0 groups.
    Flood { events: usize, groups: usize },
    /// One message after the other, each when the one before it was answered.
    PingPong,
}

impl Plan {
    pub(crate) fn parse(text: &str) -> Result<Self, AnyError> {
        match text.split_once('/') {
            Some((events, groups)) => Ok(Self::Flood {
                events: events.parse()?,
                groups: groups.parse()?,
            }),
            None => Ok(Self::PingPong),
        }
    }

    /// How many events come before the count begins: each conversation has been met then.
    pub(crate) const fn warm(self) -> usize {
        match self {
            Self::Flood { groups: 1.., .. } => MET,
            Self::Flood { .. } => 5_000,
            Self::PingPong => 0,
        }
    }

    fn text(self) -> String {
        match self {
            Self::Flood { events, groups } => format!("{events}/{groups}"),
            Self::PingPong => "answers".to_owned(),
        }
    }
}

/// The process that plays the platform.
pub(crate) struct Platform {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
    pub(crate) gateway: u16,
    pub(crate) rest: u16,
}

impl Platform {
    pub(crate) fn start(plan: Plan) -> Result<Self, AnyError> {
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

    pub(crate) fn client(&self) -> Result<ClientBuilder, AnyError> {
        let intents = Intents::default().with_group_and_c2c();
        let token = Token::new("102000000", "a-secret-of-the-benchmark");
        let environment = Environment::custom(format!("http://127.0.0.1:{}", self.rest))?;
        Ok(Client::builder(token, intents).environment(environment))
    }

    pub(crate) fn line(&mut self) -> Result<String, AnyError> {
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

pub(crate) async fn run(plan: Plan) -> Result<(), AnyError> {
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
        .send(Frame::text(
            r#"{"op":10,"d":{"heartbeat_interval":300000}}"#,
        ))
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
    let corpus = Corpus::load()?;
    let mut bytes = Vec::new();
    for number in 0..events {
        let text = match groups {
            0 => corpus.frame(number as u64),
            groups => frame_text(&message(number, &format!("{:032X}", number % groups))),
        };
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
