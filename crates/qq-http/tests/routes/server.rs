//! A server that gives one answer after the other, over the `Connect` seam, and keeps what it got.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use qq_http::HttpClient;
use qq_model::{Environment, Token};
use qq_transport::{Connect, ConnectFuture, Connection};

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) path_and_query: String,
    pub(crate) has_token: bool,
    pub(crate) body: Bytes,
}

/// The server; clones are the same one. Requests beyond its answers get status 599.
#[derive(Clone, Default)]
pub(crate) struct Server {
    answers: Arc<Mutex<VecDeque<(u16, String)>>>,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Server {
    pub(crate) fn answering(answers: impl IntoIterator<Item = (u16, String)>) -> Self {
        let server = Self::default();
        server.answers.lock().unwrap().extend(answers);
        server
    }

    pub(crate) fn client(&self) -> HttpClient {
        HttpClient::builder(Token::new("102000000", "secret"))
            .environment(Environment::custom("http://127.0.0.1:9").unwrap())
            .connect(self.clone())
            .build()
            .unwrap()
    }

    /// The requests so far, those for tokens aside.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    async fn answer(
        self,
        request: hyper::Request<Incoming>,
    ) -> Result<hyper::Response<Full<Bytes>>, Infallible> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let (status, text) = if head.uri.path() == "/app/getAppAccessToken" {
            let token = r#"{"access_token":"token","expires_in":"7200"}"#;
            (200, token.to_owned())
        } else {
            let authorization = head.headers.get("authorization");
            self.received.lock().unwrap().push(Received {
                method: head.method.to_string(),
                path_and_query: head.uri.path_and_query().unwrap().to_string(),
                has_token: authorization.is_some_and(|value| value == "QQBot token"),
                body,
            });
            let answer = self.answers.lock().unwrap().pop_front();
            answer.unwrap_or_else(|| (599, String::new()))
        };
        let mut response = hyper::Response::new(Full::from(text));
        *response.status_mut() = status.try_into().unwrap();
        Ok(response)
    }
}

impl Connect for Server {
    fn connect<'a>(&'a self, _: &'a str, _: u16) -> ConnectFuture<'a> {
        Box::pin(async move {
            let (client, stream) = tokio::io::duplex(64 * 1024);
            let server = self.clone();
            let service = service_fn(move |request| server.clone().answer(request));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            Ok(Box::new(client) as Connection)
        })
    }
}
