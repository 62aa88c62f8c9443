//! An HTTP server without sockets: what it was asked, and what it answers or breaks.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use qq_http::{HttpClient, HttpClientBuilder, RetryPolicy};
use qq_model::{Environment, Token};
use qq_transport::{Connect, ConnectFuture, Connection};
use serde_json::{Value, json};

/// What is answered to a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Json(u16, Value),
    Page(u16, &'static str, String),
    /// Nothing: the connection breaks.
    Break,
    /// Nothing: the connection stays.
    Stall,
}

pub(crate) fn refusal(status: u16, code: i64) -> Reply {
    Reply::Json(status, json!({"code": code, "message": "refused"}))
}

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) host: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Received {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(own, _)| own == name)
            .map(|(_, value)| &**value)
    }

    /// The last step of the path.
    pub(crate) fn call(&self) -> &str {
        self.path
            .split('?')
            .next()
            .unwrap()
            .rsplit('/')
            .next()
            .unwrap()
    }

    pub(crate) fn is_storage(&self) -> bool {
        self.path.starts_with("/cos/")
    }
}

type Handler = Box<dyn FnMut(&Received) -> Reply + Send>;

/// Clones are the same server.
#[derive(Clone)]
pub(crate) struct Server {
    handler: Arc<Mutex<Handler>>,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Server {
    pub(crate) fn new(handler: impl FnMut(&Received) -> Reply + Send + 'static) -> Self {
        Self {
            handler: Arc::new(Mutex::new(Box::new(handler))),
            received: Arc::default(),
        }
    }

    pub(crate) fn builder(&self) -> HttpClientBuilder {
        HttpClient::builder(Token::new("102000000", "canary-secret"))
            .environment(Environment::custom("http://127.0.0.1:9").unwrap())
            .retry(RetryPolicy::default().jitter(false))
            .connect(self.clone())
    }

    pub(crate) fn client(&self) -> HttpClient {
        self.builder().build().unwrap()
    }

    /// The requests so far, those for tokens aside.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// How often each kind of request was made.
    pub(crate) fn count(&self, call: &str) -> usize {
        let received = self.received();
        let calls = received.iter().filter(|request| match call {
            "PUT" => request.is_storage(),
            call => request.call() == call,
        });
        calls.count()
    }

    async fn answer(
        &self,
        host: String,
        request: http::Request<Incoming>,
    ) -> io::Result<http::Response<Full<Bytes>>> {
        let (head, body) = request.into_parts();
        let Ok(body) = body.collect().await else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let headers = head.headers.iter();
        let request = Received {
            host,
            method: head.method.to_string(),
            path: head.uri.to_string(),
            headers: headers
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect(),
            body: body.to_bytes(),
        };
        if request.path == "/app/getAppAccessToken" {
            let token = json!({"access_token": "canary-token", "expires_in": "7200"});
            return Ok(http::Response::new(token.to_string().into()));
        }
        self.received.lock().unwrap().push(request.clone());
        let reply = self.handler.lock().unwrap()(&request);
        let answer = http::Response::builder();
        let answer = match reply {
            Reply::Json(status, body) => answer
                .status(status)
                .header("content-type", "application/json")
                .body(body.to_string().into()),
            Reply::Page(status, content_type, body) => answer
                .status(status)
                .header("content-type", content_type)
                .header("location", "https://elsewhere.example/")
                .body(body.into()),
            Reply::Break => return Err(io::ErrorKind::ConnectionReset.into()),
            Reply::Stall => {
                tokio::time::sleep(Duration::from_secs(1_000_000)).await;
                return Err(io::ErrorKind::TimedOut.into());
            }
        };
        Ok(answer.unwrap())
    }
}

impl Connect for Server {
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> ConnectFuture<'a> {
        Box::pin(async move {
            let (client, server) = tokio::io::duplex(64 * 1024);
            let (this, host) = (self.clone(), format!("{host}:{port}"));
            tokio::spawn(async move {
                let service = service_fn(|request| this.answer(host.clone(), request));
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(server), service);
                // One that was made to break ends with an error.
                drop(connection.await);
            });
            Ok(Box::new(client) as Connection)
        })
    }
}
