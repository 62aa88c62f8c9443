#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a test may fail")]
//! The token goes to the gateway and nowhere else.
//!
//! The server is written by hand: one of the WebSocket library would log the frames that it receives.

use std::sync::{Mutex, PoisonError};

use log::{LevelFilter, Log, Metadata, Record};
use qq_gateway::Shard;
use qq_model::{BearerToken, Intents};
use qq_transport::{Connect, ConnectFuture, Connection};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// Everything that this crate and the libraries below it log, at every level.
static LOGGED: Mutex<String> = Mutex::new(String::new());

struct Capture;

impl Log for Capture {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let line = format!("{} {}\n", record.target(), record.args());
        LOGGED
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_str(&line);
    }

    fn flush(&self) {}
}

struct Net(mpsc::UnboundedSender<DuplexStream>);

impl Connect for Net {
    fn connect<'a>(&'a self, _: &'a str, _: u16) -> ConnectFuture<'a> {
        let (client, server) = tokio::io::duplex(4096);
        self.0.send(server).unwrap();
        Box::pin(std::future::ready(Ok(Box::new(client) as Connection)))
    }
}

async fn upgrade(stream: &mut DuplexStream) {
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") {
        request.push(char::from(stream.read_u8().await.unwrap()));
    }
    assert!(!request.contains("canary"), "{request}");
    let key = request
        .lines()
        .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))
        .unwrap();
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {}\r\n\r\n",
        derive_accept_key(key.as_bytes())
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
    write(
        stream,
        0x81,
        br#"{"op":10,"d":{"heartbeat_interval":41250}}"#,
    )
    .await;
}

async fn write(stream: &mut DuplexStream, opcode: u8, payload: &[u8]) {
    let length = u8::try_from(payload.len()).unwrap();
    let mut frame = vec![opcode, length];
    if length > 125 {
        frame = vec![opcode, 126, 0, length];
    }
    frame.extend(payload);
    stream.write_all(&frame).await.unwrap();
}

async fn read(stream: &mut DuplexStream) -> String {
    assert_eq!(stream.read_u8().await.unwrap(), 0x81);
    let length = match stream.read_u8().await.unwrap() {
        254 => stream.read_u16().await.unwrap().into(),
        length => usize::from(length & 0x7f),
    };
    let mut mask = [0; 4];
    stream.read_exact(&mut mask).await.unwrap();
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).await.unwrap();
    payload
        .iter_mut()
        .zip(mask.iter().cycle())
        .for_each(|(byte, mask)| *byte ^= mask);
    String::from_utf8(payload).unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_token_is_in_no_log_debug_output_or_error() {
    log::set_logger(&Capture).unwrap();
    log::set_max_level(LevelFilter::Trace);
    let (sender, mut streams) = mpsc::unbounded_channel();
    let builder = Shard::builder(
        "ws://localhost/",
        BearerToken::new("canary"),
        Intents::default(),
    )
    .connect(Net(sender));
    let mut shown = format!("{builder:?}");
    let mut shard = builder.build().unwrap();
    shown += &format!("{shard:?} {:?}", shard.sender());
    let serve = tokio::spawn(async move {
        let mut stream = streams.recv().await.unwrap();
        upgrade(&mut stream).await;
        assert!(
            read(&mut stream)
                .await
                .contains(r#""token":"QQBot canary""#)
        );
        write(
            &mut stream,
            0x81,
            br#"{"op":0,"s":1,"t":"READY","d":{"session_id":"s1"}}"#,
        )
        .await;
        write(&mut stream, 0x88, &4009_u16.to_be_bytes()).await;
        let mut stream = streams.recv().await.unwrap();
        upgrade(&mut stream).await;
        assert!(
            read(&mut stream)
                .await
                .contains(r#""token":"QQBot canary""#)
        );
        write(&mut stream, 0x81, br#"{"op":0,"s":2,"t":"RESUMED","d":""}"#).await;
        write(&mut stream, 0x88, &4914_u16.to_be_bytes()).await;
    });
    let mut items = 0;
    while let Some(item) = shard.next().await {
        shown += &match item {
            Ok(dispatch) => format!("{dispatch:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        shown += &format!("{shard:?} {:?}", shard.session());
        items += 1;
    }
    serve.await.unwrap();
    assert_eq!(items, 4, "READY, 4009, RESUMED, 4914");
    assert!(!shown.contains("canary"), "{shown}");
    let logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(
        logged.contains("qq_gateway") && logged.contains("resume"),
        "this crate's logs are captured: {logged}"
    );
    assert!(
        logged.contains("tungstenite::protocol"),
        "the library's logs are captured: {logged}"
    );
    assert_eq!(logged.lines().find(|line| line.contains("canary")), None);
}
