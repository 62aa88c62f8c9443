//! From an event to its answer.

use std::hint::black_box;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use qq_model::gateway::Envelope;
use qqbot::model::Dispatch;
use qqbot::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message as Frame;

use crate::platform::{ANSWERS, Plan, Platform};
use crate::{AnyError, runtime};

/// Answers every message.
struct Pong;

impl EventHandler for Pong {
    async fn group_message_create(&self, ctx: Context, _: GroupMessage) {
        let _ = ctx.reply("pong").await;
    }
}

pub(crate) fn run() -> Result<(), AnyError> {
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
