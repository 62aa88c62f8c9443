//! A platform on 127.0.0.1, with HTTP/1.1 written by hand: it knows which messages it took, shows each number once, and
//! answers a request in any way that a test wants.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use qq_http::{HttpClient, HttpClientBuilder, RetryPolicy};
use qq_model::{Environment, Token};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the platform does with one request.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    /// Whether it takes the message before it answers so.
    pub(crate) takes: bool,
    pub(crate) answer: Vec<u8>,
    pub(crate) end: End,
}

/// What becomes of the connection after an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    Keep,
    Close,
    Reset,
}

impl Fault {
    /// An answer to a message that the platform took.
    pub(crate) fn taken(answer: impl Into<Vec<u8>>) -> Self {
        Self {
            takes: true,
            answer: answer.into(),
            end: End::Keep,
        }
    }

    /// An answer to a message that the platform did not take.
    pub(crate) fn refused(answer: impl Into<Vec<u8>>) -> Self {
        Self {
            takes: false,
            ..Self::taken(answer)
        }
    }

    pub(crate) fn then(self, end: End) -> Self {
        Self { end, ..self }
    }
}

/// A whole answer.
pub(crate) fn whole(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\n\r\n{body}").into_bytes()
}

pub(crate) fn json(status: u16, body: &Value) -> Vec<u8> {
    whole(
        status,
        "content-type: application/json\r\n",
        &body.to_string(),
    )
}

#[derive(Default)]
struct State {
    /// What the next requests get; those after it are served well.
    faults: Vec<Fault>,
    tokens: usize,
    /// What the token endpoint answers instead of tokens.
    instead_of_tokens: Option<Vec<u8>>,
    /// The numbers that were used.
    taken: HashSet<(String, String)>,
    shown: usize,
    requests: Vec<String>,
}

#[derive(Clone)]
pub(crate) struct Platform {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Platform {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let platform = Self {
            address: listener.local_addr().unwrap(),
            state: Arc::default(),
        };
        let this = platform.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(this.clone().serve(stream));
            }
        });
        platform
    }

    /// What the next requests get, one each; access tokens aside.
    pub(crate) fn plan(&self, faults: impl IntoIterator<Item = Fault>) {
        let mut faults: Vec<Fault> = faults.into_iter().collect();
        faults.reverse();
        self.state.lock().unwrap().faults = faults;
    }

    /// What the token endpoint answers from now on.
    pub(crate) fn answer_instead_of_tokens(&self, answer: Vec<u8>) {
        self.state.lock().unwrap().instead_of_tokens = Some(answer);
    }

    /// How many messages are on somebody's screen.
    pub(crate) fn shown(&self) -> usize {
        self.state.lock().unwrap().shown
    }

    /// The requests so far, as method and path; access tokens aside.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.state.lock().unwrap().requests.clone()
    }

    /// How many access tokens were given.
    pub(crate) fn tokens(&self) -> usize {
        self.state.lock().unwrap().tokens
    }

    /// A client whose repeats follow at once.
    pub(crate) fn builder(&self) -> HttpClientBuilder {
        HttpClient::builder(Token::new("102000000", "canary-secret"))
            .environment(Environment::custom(format!("http://{}", self.address)).unwrap())
            .no_proxy()
            .retry(RetryPolicy::default().base(Duration::from_millis(1)))
    }

    pub(crate) fn client(&self) -> HttpClient {
        self.builder().build().unwrap()
    }

    async fn serve(self, mut stream: TcpStream) {
        let mut buffer = Vec::new();
        while let Some((head, body)) = read(&mut stream, &mut buffer).await {
            let Fault { answer, end, .. } = self.reply(&head, &body);
            let is_written = stream.write_all(&answer).await.is_ok();
            match end {
                End::Keep if is_written => {}
                End::Reset => return stream.set_zero_linger().unwrap(),
                End::Keep | End::Close => return,
            }
        }
    }

    fn reply(&self, head: &str, body: &[u8]) -> Fault {
        let mut state = self.state.lock().unwrap();
        let line = head.split(" HTTP/").next().unwrap().to_owned();
        if line == "POST /app/getAppAccessToken" {
            if let Some(answer) = &state.instead_of_tokens {
                return Fault::refused(answer.clone());
            }
            state.tokens += 1;
            let token = format!("canary-token-{}", state.tokens);
            let answer = json!({"access_token": token, "expires_in": "7200"});
            return Fault::taken(json(200, &answer));
        }
        state.requests.push(line.clone());
        let fault = state.faults.pop();
        let is_message = line.starts_with("POST") && line.ends_with("/messages");
        if !is_message {
            let well = || Fault::taken(json(200, &json!({"id": "1", "username": "bot"})));
            return fault.unwrap_or_else(well);
        }
        if fault.as_ref().is_some_and(|fault| !fault.takes) {
            return fault.unwrap();
        }
        let message: Value = serde_json::from_slice(body).unwrap();
        let number = (
            message["msg_id"].to_string(),
            message["msg_seq"].to_string(),
        );
        let is_numbered = line.contains("/v2/") && message["msg_id"].is_string();
        if is_numbered && !state.taken.insert(number) {
            let refusal = json!({"code": 40_054_005, "message": "消息被去重", "trace_id": "t"});
            return Fault::refused(json(400, &refusal));
        }
        state.shown += 1;
        let sent =
            json!({"id": format!("M{}", state.shown), "timestamp": "2026-11-21T19:00:00+08:00"});
        fault.unwrap_or_else(|| Fault::taken(json(200, &sent)))
    }
}

async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<(String, Vec<u8>)> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(buffer[..end].to_vec())
        .unwrap()
        .to_lowercase();
    let length = head.split("content-length: ").nth(1);
    let length: usize = length.map_or(0, |rest| rest.lines().next().unwrap().parse().unwrap());
    while buffer.len() < end + length {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    let head = String::from_utf8(buffer[..end].to_vec()).unwrap();
    let body = buffer[end..end + length].to_vec();
    buffer.drain(..end + length);
    Some((head, body))
}
