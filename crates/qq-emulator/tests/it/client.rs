//! A raw client: HTTP written by hand, WebSocket frames as JSON.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use qq_emulator::{Emulator, EmulatorBuilder, Violation};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};

/// No single step takes longer than this.
pub(crate) const STEP: Duration = Duration::from_secs(30);

/// All intents that message events need.
pub(crate) const MESSAGES: u64 = 1 << 9 | 1 << 12 | 1 << 25 | 1 << 30;

/// An emulator whose pauses before a close are short.
pub(crate) async fn start() -> Emulator {
    start_with(quick()).await
}

pub(crate) fn quick() -> EmulatorBuilder {
    Emulator::builder().settings(|settings| {
        settings.reconnect_close_after_ms = 50;
        settings.invalid_session_close_after_ms = 50;
    })
}

pub(crate) async fn start_with(builder: EmulatorBuilder) -> Emulator {
    builder.start().await.unwrap()
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|why| panic!("{why}: {:?}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn code(&self) -> i64 {
        self.json()["code"]
            .as_i64()
            .unwrap_or_else(|| panic!("no code: {}", self.body))
    }
}

pub(crate) async fn connect(emulator: &Emulator) -> TcpStream {
    TcpStream::connect(("127.0.0.1", emulator.port()))
        .await
        .unwrap()
}

/// Sends bytes, reads the answer to the end of the connection.
pub(crate) async fn http_raw(emulator: &Emulator, request: &[u8]) -> Answer {
    let mut stream = connect(emulator).await;
    stream.write_all(request).await.unwrap();
    let mut bytes = Vec::new();
    timeout(STEP, stream.read_to_end(&mut bytes))
        .await
        .expect("no answer in time")
        .unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").expect("an HTTP answer");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

pub(crate) async fn http(
    emulator: &Emulator,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> Answer {
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: emulator\r\nConnection: close\r\nUser-Agent: raw/1\r\n\
         Content-Length: {length}\r\n{headers}\r\n{body}"
    );
    http_raw(emulator, request.as_bytes()).await
}

/// A call of the control API.
pub(crate) async fn control(emulator: &Emulator, method: &str, call: &str, body: &Value) -> Answer {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    http(emulator, method, &format!("/emulator/v1/{call}"), "", &body).await
}

pub(crate) async fn token(emulator: &Emulator) -> String {
    let body = json!({"appId": emulator.app_id(), "clientSecret": emulator.secret()});
    let answer = token_request(emulator, &body.to_string()).await;
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

pub(crate) async fn token_request(emulator: &Emulator, body: &str) -> Answer {
    http(
        emulator,
        "POST",
        "/app/getAppAccessToken",
        "Content-Type: application/json\r\n",
        body,
    )
    .await
}

/// A REST call with a good token.
pub(crate) async fn call(emulator: &Emulator, method: &str, path: &str, body: &Value) -> Answer {
    let token = token(emulator).await;
    let headers = format!("Authorization: QQBot {token}\r\nContent-Type: application/json\r\n");
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    http(emulator, method, path, &headers, &body).await
}

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// With a close frame of this code.
    Closed(u16),
    /// Without one.
    Broken,
}

/// A gateway connection.
pub(crate) struct Gateway {
    pub(crate) socket: WebSocketStream<TcpStream>,
}

impl Gateway {
    /// Connects; HELLO is not read yet.
    pub(crate) async fn open(emulator: &Emulator) -> Self {
        let stream = connect(emulator).await;
        let url = format!("ws://127.0.0.1:{}/websocket/", emulator.port());
        let (socket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
        Self { socket }
    }

    /// Connects and reads HELLO; gives its interval, too.
    pub(crate) async fn hello(emulator: &Emulator) -> (Self, u64) {
        let mut gateway = Self::open(emulator).await;
        let hello = gateway.frame().await;
        assert_eq!(hello["op"], 10);
        let interval = hello["d"]["heartbeat_interval"].as_u64().unwrap();
        (gateway, interval)
    }

    /// Connects and identifies as the only shard; gives READY's `d`, too.
    pub(crate) async fn ready(emulator: &Emulator, intents: u64) -> (Self, Value) {
        let (mut gateway, _) = Self::hello(emulator).await;
        gateway.identify(emulator, intents, [0, 1]).await;
        let ready = gateway.frame().await;
        assert_eq!(ready["t"], "READY", "{ready}");
        assert_eq!(ready["s"], 1);
        (gateway, ready["d"].clone())
    }

    pub(crate) async fn identify(&mut self, emulator: &Emulator, intents: u64, shard: [u32; 2]) {
        let token = token(emulator).await;
        self.send(&json!({"op": 2, "d": {
            "token": format!("QQBot {token}"), "intents": intents, "shard": shard, "properties": {},
        }}))
        .await;
    }

    /// Connects and resumes.
    pub(crate) async fn resume(emulator: &Emulator, session: &str, seq: u64) -> Self {
        let (mut gateway, _) = Self::hello(emulator).await;
        let token = token(emulator).await;
        gateway
            .send(&json!({"op": 6, "d": {
                "token": format!("QQBot {token}"), "session_id": session, "seq": seq,
            }}))
            .await;
        gateway
    }

    pub(crate) async fn send(&mut self, frame: &Value) {
        self.text(&frame.to_string()).await;
    }

    pub(crate) async fn text(&mut self, text: &str) {
        self.socket.send(Message::Text(text.into())).await.unwrap();
    }

    /// The next frame's text.
    pub(crate) async fn raw(&mut self) -> String {
        match self.next().await {
            Ok(text) => text,
            Err(end) => panic!("the connection ended: {end:?}"),
        }
    }

    /// The next frame.
    pub(crate) async fn frame(&mut self) -> Value {
        serde_json::from_str(&self.raw().await).unwrap()
    }

    /// The next frame, or how the connection ended.
    pub(crate) async fn next(&mut self) -> Result<String, End> {
        loop {
            match timeout(STEP, self.socket.next())
                .await
                .expect("nothing came in time")
            {
                Some(Ok(Message::Text(text))) => return Ok(text.as_str().to_owned()),
                Some(Ok(Message::Close(Some(close)))) => {
                    // The closing handshake: our answer, then the end of TCP.
                    while let Ok(Some(Ok(_))) = timeout(STEP, self.socket.next()).await {}
                    return Err(End::Closed(close.code.into()));
                }
                Some(Ok(Message::Close(None))) => return Err(End::Closed(1005)),
                Some(Ok(_)) => {}
                Some(Err(Error::ConnectionClosed)) | None | Some(Err(_)) => {
                    return Err(End::Broken);
                }
            }
        }
    }

    /// How the connection ends; frames before that are skipped.
    pub(crate) async fn end(&mut self) -> End {
        loop {
            if let Err(end) = self.next().await {
                return end;
            }
        }
    }

    /// Nothing comes for a while.
    pub(crate) async fn quiet(&mut self) {
        let next = timeout(Duration::from_millis(60), self.socket.next()).await;
        assert!(next.is_err(), "{next:?}");
    }
}

/// The codes of the violations so far.
pub(crate) fn codes(emulator: &Emulator) -> Vec<String> {
    emulator
        .violations()
        .into_iter()
        .map(|violation| violation.code)
        .collect()
}

/// The only violation.
pub(crate) fn violation(emulator: &Emulator) -> Violation {
    let mut all = emulator.violations();
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}
