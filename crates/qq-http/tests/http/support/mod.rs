//! A strict HTTP/1.1 server over the `Connect` seam: no socket, any answer, and virtual time throughout.

pub(crate) mod log;
mod tokens;
mod wire;

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use qq_http::{HttpClient, HttpClientBuilder};
use qq_model::{Environment, Token};
use qq_transport::{Connect, ConnectFuture, Connection};
use serde_json::Value;

pub(crate) use self::tokens::{LIFETIME, TokenService};

pub(crate) const APP_ID: &str = "102000000";
pub(crate) const SECRET: &str = "canary-secret";

/// What the server does with one request.
pub(crate) enum Reply {
    /// A whole answer.
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    },
    /// These bytes, then nothing more, with the connection open.
    Stall(Vec<u8>),
    /// These bytes, then the connection breaks.
    Break(Vec<u8>),
    /// Another reply, later.
    Late(Duration, Box<Reply>),
}

impl Reply {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json", body.to_string())
    }

    pub(crate) fn text(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::Answer {
            status,
            headers: vec![("content-type", content_type.to_owned())],
            body: body.into(),
        }
    }

    pub(crate) fn with_header(self, name: &'static str, value: impl Into<String>) -> Self {
        match self {
            Self::Answer {
                status,
                mut headers,
                body,
            } => {
                headers.push((name, value.into()));
                Self::Answer {
                    status,
                    headers,
                    body,
                }
            }
            other => other,
        }
    }

    pub(crate) fn after(self, delay: Duration) -> Self {
        Self::Late(delay, Box::new(self))
    }
}

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn is_token_call(&self) -> bool {
        self.path == "/app/getAppAccessToken"
    }
}

type Handler = Box<dyn FnMut(&Received) -> Reply + Send>;
type Opening = Box<dyn FnMut(&str) -> io::Result<Duration> + Send>;

/// The server; clones are the same one.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) tokens: TokenService,
    handler: Arc<Mutex<Handler>>,
    opening: Arc<Mutex<Opening>>,
    received: Arc<Mutex<Vec<Received>>>,
    hosts: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// A server that serves tokens by itself, and everything else by `handler`.
    pub(crate) fn new(handler: impl FnMut(&Received) -> Reply + Send + 'static) -> Self {
        Self {
            tokens: TokenService::default(),
            handler: Arc::new(Mutex::new(Box::new(handler))),
            opening: Arc::new(Mutex::new(Box::new(|_| Ok(Duration::ZERO)))),
            received: Arc::default(),
            hosts: Arc::default(),
        }
    }

    /// A server that gives these replies one after the other, and then fails the test.
    pub(crate) fn script(
        replies: impl IntoIterator<Item = Reply, IntoIter: Send + 'static>,
    ) -> Self {
        let mut replies = replies.into_iter();
        Self::new(move |request| {
            replies.next().unwrap_or_else(|| {
                Reply::text(599, "text/plain", format!("unexpected {}", request.path))
            })
        })
    }

    /// What opening a connection to a host does: fails, or takes its time.
    pub(crate) fn on_connect(
        self,
        opening: impl FnMut(&str) -> io::Result<Duration> + Send + 'static,
    ) -> Self {
        *self.opening.lock().unwrap() = Box::new(opening);
        self
    }

    pub(crate) fn builder(&self) -> HttpClientBuilder {
        log::watch();
        HttpClient::builder(Token::new(APP_ID, SECRET))
            .environment(Environment::custom("http://127.0.0.1:9").unwrap())
            .connect(self.clone())
    }

    pub(crate) fn client(&self) -> HttpClient {
        self.builder().build().unwrap()
    }

    /// The requests so far, those for tokens aside.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received
            .lock()
            .unwrap()
            .iter()
            .filter(|request| !request.is_token_call())
            .cloned()
            .collect()
    }

    pub(crate) fn token_calls(&self) -> usize {
        self.received
            .lock()
            .unwrap()
            .iter()
            .filter(|request| request.is_token_call())
            .count()
    }

    /// The hosts that connections were opened to.
    pub(crate) fn hosts(&self) -> Vec<String> {
        self.hosts.lock().unwrap().clone()
    }

    fn reply(&self, request: &Received) -> Reply {
        self.received.lock().unwrap().push(request.clone());
        if request.is_token_call() {
            return self.tokens.reply(request);
        }
        self.handler.lock().unwrap()(request)
    }
}

impl Connect for Server {
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> ConnectFuture<'a> {
        Box::pin(async move {
            self.hosts.lock().unwrap().push(format!("{host}:{port}"));
            let delay = self.opening.lock().unwrap()(host)?;
            tokio::time::sleep(delay).await;
            let (client, server) = tokio::io::duplex(64 * 1024);
            tokio::spawn(wire::serve(server, self.clone()));
            Ok(Box::new(client) as Connection)
        })
    }
}
