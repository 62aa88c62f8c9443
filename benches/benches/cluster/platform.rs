//! The process that plays the platform: one gateway session, and the calls that a bot makes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message as Frame;

use crate::AnyError;
use crate::frames::{Flood, flood};
use crate::process::orders;
use crate::rest;

/// Prepares messages in so many groups and pushes them, when it is told to.
pub(crate) async fn run(conversations: u32) -> Result<(), AnyError> {
    let gateway = TcpListener::bind("127.0.0.1:0").await?;
    let rest = TcpListener::bind("127.0.0.1:0").await?;
    let gateway_port = gateway.local_addr()?.port();
    println!("http://127.0.0.1:{}", rest.local_addr()?.port());
    tokio::spawn(async move {
        while let Ok((stream, _)) = rest.accept().await {
            tokio::spawn(rest::serve(stream, gateway_port));
        }
    });
    let (floods, given) = mpsc::channel(1);
    tokio::spawn(async move {
        if let Err(error) = serve(gateway, given).await {
            println!("{error}");
        }
    });
    let mut orders = orders();
    let mut next = 0;
    let mut prepared = Arc::default();
    while let Some(order) = orders.recv().await {
        match order.split_once(' ') {
            Some(("prepare", count)) => {
                let end = next + count.parse::<u64>()?;
                prepared = Arc::new(flood(next..end, conversations)?);
                next = end;
                println!("prepared");
            }
            Some((_, rate)) => {
                let rate = Some(rate.parse()?);
                floods.send((Arc::clone(&prepared), rate)).await?;
            }
            None => floods.send((Arc::clone(&prepared), None)).await?,
        }
    }
    Ok(())
}

async fn serve(
    gateway: TcpListener,
    mut floods: mpsc::Receiver<(Arc<Flood>, Option<u32>)>,
) -> Result<(), AnyError> {
    let (stream, _) = gateway.accept().await?;
    stream.set_nodelay(true)?;
    let mut socket = identified(stream).await?;
    while let Some((flood, rate)) = floods.recv().await {
        let Some(rate) = rate else {
            socket.get_mut().write_all(&flood.bytes).await?;
            continue;
        };
        // Not by the runtime's clock: it counts in milliseconds, and events would come in pairs.
        let pause = Duration::from_secs(1) / rate;
        let (mut due, mut start) = (Instant::now(), 0);
        for &end in &flood.ends {
            due += pause;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let frame = flood.bytes.get(start..end).ok_or("no frame")?;
            socket.get_mut().write_all(frame).await?;
            start = end;
        }
    }
    Ok(())
}

/// A session that has begun. Its heartbeats are too rare for this bench to see one.
async fn identified(stream: TcpStream) -> Result<WebSocketStream<TcpStream>, AnyError> {
    let mut socket = tokio_tungstenite::accept_async(stream).await?;
    let hello = json!({"op": 10, "d": {"heartbeat_interval": 600_000}});
    socket.send(Frame::text(hello.to_string())).await?;
    loop {
        let frame = socket.next().await.ok_or("gone")??;
        if frame.to_text().is_ok_and(|text| text.contains("\"op\":2")) {
            break;
        }
    }
    let ready = json!({"op": 0, "s": 1, "t": "READY", "d": {
        "version": 1, "session_id": "bench", "user": {"id": "1", "username": "bench", "bot": true}, "shard": [0, 1]
    }});
    socket.send(Frame::text(ready.to_string())).await?;
    Ok(socket)
}
