//! A bot with nothing between it and the protocol: it answers `!ping` and echoes the rest.

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Duration, MissedTickBehavior, interval, timeout};
use tokio_tungstenite::tungstenite::Message;

use crate::browser::{PATIENCE, Result};

/// Groups and C2C, direct messages, mentions in channels.
const INTENTS: u64 = 1 << 25 | 1 << 12 | 1 << 30;

/// The second link is one that no page may follow.
const HELP: &str = "**What I can do**\n\n- `!ping` answers *Pong!*\n- `!help` shows [the \
                    guide](https://bot.q.qq.com/wiki/)[.](javascript:alert(1))\n- \
                    anything else comes back";

/// A running bot.
pub(crate) struct Bot {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<()>>,
}

impl Bot {
    /// Stops it, and says what went wrong while it ran.
    pub(crate) async fn stop(self) -> Result<()> {
        // A bot that has ended by itself has no receiver, and its result says why.
        let _ = self.stop.send(());
        self.task.await?
    }
}

/// Starts a bot that talks to the server at `base_url`.
pub(crate) fn start(base_url: &str, app_id: &str, secret: &str) -> Bot {
    let (stop, stopped) = oneshot::channel();
    let run = run(
        base_url.to_owned(),
        json!({"appId": app_id, "clientSecret": secret}),
    );
    let task = tokio::spawn(async move {
        tokio::select! {
            ended = run => ended,
            _ = stopped => Ok(()),
        }
    });
    Bot { stop, task }
}

async fn run(base_url: String, credentials: Value) -> Result<()> {
    let mut rest = Rest {
        client: Client::builder(TokioExecutor::new()).build_http(),
        base_url,
        authorization: String::new(),
    };
    let token = rest
        .call(Method::POST, "/app/getAppAccessToken", Some(&credentials))
        .await?;
    rest.authorization = format!("QQBot {}", text(&token["access_token"]));
    let mut session = Session::default();
    loop {
        let gateway = rest.call(Method::GET, "/gateway", None).await?;
        session.connection(&rest, text(&gateway["url"])).await?;
    }
}

#[derive(Default)]
struct Session {
    id: Option<String>,
    seq: Option<u64>,
}

impl Session {
    /// Holds one connection until the server ends it.
    async fn connection(&mut self, rest: &Rest, url: &str) -> Result<()> {
        let authority = url
            .strip_prefix("ws://")
            .and_then(|rest| rest.split('/').next())
            .ok_or("the gateway's address is not ws://")?;
        let stream = TcpStream::connect(authority).await?;
        let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await?;
        let hello = timeout(PATIENCE, socket.next())
            .await?
            .ok_or("no HELLO")??;
        let hello: Value = serde_json::from_str(hello.to_text()?)?;
        let beat = hello["d"]["heartbeat_interval"]
            .as_u64()
            .ok_or("no interval")?;
        let mut heartbeat = interval(Duration::from_millis(beat));
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        heartbeat.tick().await;

        let greeting = match &self.id {
            Some(id) => json!({"op": 6, "d": {
                "token": rest.authorization, "session_id": id, "seq": self.seq,
            }}),
            None => json!({"op": 2, "d": {
                "token": rest.authorization, "intents": INTENTS, "shard": [0, 1],
            }}),
        };
        socket.send(Message::text(greeting.to_string())).await?;
        loop {
            let frame = tokio::select! {
                _ = heartbeat.tick() => {
                    let beat = json!({"op": 1, "d": self.seq});
                    socket.send(Message::text(beat.to_string())).await?;
                    continue;
                }
                frame = socket.next() => frame,
            };
            let Some(Ok(Message::Text(frame))) = frame else {
                return Ok(());
            };
            let frame: Value = serde_json::from_str(frame.as_str())?;
            match frame["op"].as_u64() {
                Some(0) => {
                    self.seq = frame["s"].as_u64().or(self.seq);
                    match text(&frame["t"]) {
                        "READY" => self.id = Some(text(&frame["d"]["session_id"]).to_owned()),
                        event if event.ends_with("MESSAGE_CREATE") => {
                            answer(rest, event, &frame["d"]).await?;
                        }
                        _ => {}
                    }
                }
                Some(7) => return Ok(()),
                Some(9) => {
                    *self = Self::default();
                    return Ok(());
                }
                _ => {}
            }
        }
    }
}

async fn answer(rest: &Rest, event: &str, message: &Value) -> Result<()> {
    let path = match event {
        "GROUP_AT_MESSAGE_CREATE" => {
            format!("/v2/groups/{}/messages", text(&message["group_openid"]))
        }
        "C2C_MESSAGE_CREATE" => {
            format!(
                "/v2/users/{}/messages",
                text(&message["author"]["user_openid"])
            )
        }
        "AT_MESSAGE_CREATE" => format!("/channels/{}/messages", text(&message["channel_id"])),
        "DIRECT_MESSAGE_CREATE" => format!("/dms/{}/messages", text(&message["guild_id"])),
        _ => return Ok(()),
    };
    let said = text(&message["content"]);
    let said = said
        .strip_prefix("<@!")
        .and_then(|rest| rest.split_once('>'))
        .map_or(said, |(_, said)| said)
        .trim();
    let mut body = match said {
        "!ping" => json!({"content": "Pong!"}),
        "!help" => json!({"msg_type": 2, "markdown": {"content": HELP}}),
        other => json!({"content": other}),
    };
    body["msg_id"] = message["id"].clone();
    if path.starts_with("/v2/") {
        body["msg_seq"] = json!(1);
    }
    rest.call(Method::POST, &path, Some(&body)).await?;
    Ok(())
}

struct Rest {
    client: Client<HttpConnector, Full<Bytes>>,
    base_url: String,
    authorization: String,
}

impl Rest {
    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base_url))
            .header("authorization", &self.authorization)
            .header("content-type", "application/json")
            .body(Full::from(body.map(Value::to_string).unwrap_or_default()))?;
        let response = timeout(PATIENCE, self.client.request(request)).await??;
        let status = response.status();
        let answer = timeout(PATIENCE, response.into_body().collect())
            .await??
            .to_bytes();
        if !status.is_success() {
            return Err(format!("{path}: {status}: {}", String::from_utf8_lossy(&answer)).into());
        }
        Ok(serde_json::from_slice(&answer)?)
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
