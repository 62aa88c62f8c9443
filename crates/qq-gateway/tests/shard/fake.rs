//! A gateway under the test's control, over in-memory streams, and a consumer that writes down what it gets.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use qq_gateway::{Shard, ShardBuilder, ShardError};
use qq_model::{BearerToken, Dispatch, Intents};
use qq_transport::{Connect, ConnectFuture, Connection};
use serde_json::{Value, json};
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_async};

pub(crate) const INTERVAL: Duration = Duration::from_millis(41_250);

/// The client's side of the network.
#[derive(Clone)]
pub(crate) struct Net {
    streams: mpsc::UnboundedSender<DuplexStream>,
    refuse: Arc<AtomicBool>,
    blackhole: Arc<AtomicBool>,
    pub(crate) attempts: Arc<AtomicU32>,
    buffer: usize,
}

impl Net {
    pub(crate) fn refuse(&self, refuse: bool) {
        self.refuse.store(refuse, Ordering::Relaxed);
    }

    pub(crate) fn blackhole(&self, blackhole: bool) {
        self.blackhole.store(blackhole, Ordering::Relaxed);
    }
}

impl Connect for Net {
    fn connect<'a>(&'a self, _: &'a str, _: u16) -> ConnectFuture<'a> {
        self.attempts.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            if self.refuse.load(Ordering::Relaxed) {
                return Err(std::io::ErrorKind::ConnectionRefused.into());
            }
            if self.blackhole.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            let (client, server) = tokio::io::duplex(self.buffer);
            self.streams
                .send(server)
                .map_err(|_| std::io::ErrorKind::ConnectionReset)?;
            Ok(Box::new(client) as Connection)
        })
    }
}

/// The server's side of the network.
pub(crate) struct Gateway {
    streams: mpsc::UnboundedReceiver<DuplexStream>,
}

pub(crate) fn network() -> (Net, Gateway) {
    network_with_buffer(64 << 10)
}

pub(crate) fn network_with_buffer(buffer: usize) -> (Net, Gateway) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let net = Net {
        streams: sender,
        refuse: Arc::default(),
        blackhole: Arc::default(),
        attempts: Arc::default(),
        buffer,
    };
    (net, Gateway { streams: receiver })
}

pub(crate) fn builder(net: &Net) -> ShardBuilder {
    Shard::builder(
        "ws://localhost/websocket",
        BearerToken::new("canary-token"),
        Intents::default(),
    )
    .connect(net.clone())
    .seed(7)
}

impl Gateway {
    /// The next connection, before its upgrade.
    pub(crate) async fn stream(&mut self) -> DuplexStream {
        timeout(Duration::from_secs(3600), self.streams.recv())
            .await
            .expect("no connection in an hour")
            .unwrap()
    }

    /// The next connection.
    pub(crate) async fn accept(&mut self) -> Server {
        let socket = accept_async(self.stream().await).await.unwrap();
        Server {
            socket,
            sequence: 0,
        }
    }

    /// The next connection, with HELLO sent.
    pub(crate) async fn hello(&mut self) -> Server {
        let mut server = self.accept().await;
        server
            .send(json!({"op": 10, "d": {"heartbeat_interval": 41250}}))
            .await;
        server
    }

    /// The next connection, identified.
    pub(crate) async fn identified(&mut self, id: &str) -> Server {
        let mut server = self.hello().await;
        server.expect(2).await;
        server.ready(id).await;
        server
    }

    /// The next connection, which resumes; with the sequence that it resumes from.
    pub(crate) async fn resuming(&mut self, id: &str) -> (Server, u64) {
        let mut server = self.hello().await;
        let resume = server.expect(6).await;
        assert_eq!(resume["d"]["session_id"], id);
        (server, resume["d"]["seq"].as_u64().unwrap())
    }

    /// Whether nobody connects for so long.
    pub(crate) async fn is_quiet(&mut self, duration: Duration) -> bool {
        timeout(duration, self.streams.recv()).await.is_err()
    }
}

/// One connection.
pub(crate) struct Server {
    pub(crate) socket: WebSocketStream<DuplexStream>,
    pub(crate) sequence: u64,
}

impl Server {
    pub(crate) async fn send(&mut self, frame: Value) {
        self.socket
            .send(Message::text(frame.to_string()))
            .await
            .unwrap();
    }

    pub(crate) async fn ready(&mut self, id: &str) {
        self.sequence = 1;
        self.send(
            json!({"op": 0, "s": 1, "t": "READY", "d": {"version": 1, "session_id": id,
            "user": {"id": "1", "username": "bot", "bot": true}, "shard": [0, 1]}}),
        )
        .await;
    }

    pub(crate) async fn resumed(&mut self) {
        self.sequence += 1;
        self.send(json!({"op": 0, "s": self.sequence, "t": "RESUMED", "d": ""}))
            .await;
    }

    /// The next event of the session.
    pub(crate) async fn event(&mut self) -> u64 {
        self.sequence += 1;
        self.event_numbered(self.sequence).await;
        self.sequence
    }

    pub(crate) async fn event_numbered(&mut self, sequence: u64) {
        self.send(json!({"op": 0, "s": sequence, "t": "C2C_MESSAGE_CREATE", "id": format!("C2C:{sequence}"),
            "d": {"id": "m", "content": "hi", "author": {"user_openid": "u"}}}))
            .await;
    }

    /// The next frame of the client; `None` when it closed.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            match self.socket.next().await?.ok()? {
                Message::Text(text) => return Some(serde_json::from_str(&text).unwrap()),
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }

    /// The next frame, which must have this op.
    pub(crate) async fn expect(&mut self, op: u64) -> Value {
        let frame = self.next().await.expect("the client closed");
        assert_eq!(frame["op"], op, "{frame}");
        frame
    }

    /// The client's close code; `None` when it left without. Heartbeats before it are answered when `ack`.
    pub(crate) async fn closed(&mut self) -> Option<u16> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Close(frame))) => {
                    let code = frame.map(|frame| u16::from(frame.code));
                    // Sends the answer.
                    let _ = self.socket.flush().await;
                    return code;
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// Answers heartbeats until the client closes or so much time has passed.
    pub(crate) async fn beat_for(&mut self, duration: Duration) -> u32 {
        let mut beats = 0;
        let end = Instant::now() + duration;
        while let Ok(frame) = tokio::time::timeout_at(end, self.next()).await {
            let Some(frame) = frame else { break };
            assert_eq!(frame["op"], 1, "{frame}");
            beats += 1;
            self.send(json!({"op": 11})).await;
        }
        beats
    }

    pub(crate) async fn close(&mut self, code: u16) {
        let frame = CloseFrame {
            code: code.into(),
            reason: "".into(),
        };
        match self.socket.close(Some(frame)).await {
            Ok(()) | Err(Error::ConnectionClosed) => {}
            Err(error) => panic!("{error}"),
        }
        while let Some(Ok(_)) = self.socket.next().await {}
    }
}

/// Runs a shard to its end.
pub(crate) struct Consumer {
    pub(crate) items: mpsc::UnboundedReceiver<Result<Dispatch, ShardError>>,
    pub(crate) task: JoinHandle<Shard>,
}

pub(crate) fn consume(mut shard: Shard) -> Consumer {
    let (sender, items) = mpsc::unbounded_channel();
    let task = tokio::spawn(async move {
        while let Some(item) = shard.next().await {
            if sender.send(item).is_err() {
                break;
            }
        }
        shard
    });
    Consumer { items, task }
}

impl Consumer {
    pub(crate) async fn event(&mut self) -> Dispatch {
        match self.items.recv().await {
            Some(Ok(dispatch)) => dispatch,
            other => panic!("expected an event, got {other:?}"),
        }
    }

    /// The next event of this name.
    pub(crate) async fn expect(&mut self, name: &str) -> Dispatch {
        let dispatch = self.event().await;
        assert_eq!(dispatch.event.name(), name);
        dispatch
    }

    pub(crate) async fn error(&mut self) -> ShardError {
        match self.items.recv().await {
            Some(Err(error)) => error,
            other => panic!("expected an error, got {other:?}"),
        }
    }

    /// Whether the stream has ended.
    pub(crate) async fn ended(&mut self) -> bool {
        self.items.recv().await.is_none()
    }
}
