//! A server on a socket, and a connector that leads everything to it.

use std::io;
use std::sync::{Arc, Mutex};

use qq_http::{HttpClient, MediaPolicy};
use qq_model::{Environment, Token};
use qq_transport::{Connect, ConnectFuture, Tcp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A server that answers each path with the same raw answer, and keeps what it was asked.
pub(crate) struct Server {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) async fn start(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, log) = (Arc::new(answer), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                // A client that hangs up ends it.
                tokio::spawn(async move { drop(serve(stream, &*answer, &log).await) });
            }
        });
        Self { port, asked }
    }

    pub(crate) fn client(&self, policy: MediaPolicy) -> HttpClient {
        let base = format!("http://127.0.0.1:{}", self.port);
        HttpClient::builder(Token::new("102000000", "canary-secret"))
            .environment(Environment::custom(base).unwrap())
            .media(policy)
            .build()
            .unwrap()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

pub(crate) struct Answer {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// How much more of the same body follows, piece by piece.
    pub(crate) repeats: usize,
    pub(crate) stalls: bool,
}

pub(crate) fn answer(head: &str, body: &[u8]) -> Answer {
    Answer {
        head: format!("{head}\r\nconnection: close\r\n"),
        body: body.to_vec(),
        repeats: 0,
        stalls: false,
    }
}

pub(crate) fn redirect(to: &str) -> Answer {
    answer(
        &format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0"),
        b"",
    )
}

async fn serve(
    mut stream: TcpStream,
    answer: &(dyn Fn(&str) -> Answer + Send + Sync),
    log: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    log.lock().unwrap().push(head);
    let answer = answer(&path);
    stream.write_all(answer.head.as_bytes()).await?;
    stream.write_all(b"\r\n").await?;
    for _ in 0..=answer.repeats {
        stream.write_all(&answer.body).await?;
    }
    if answer.stalls {
        std::future::pending::<()>().await;
    }
    stream.shutdown().await
}

pub(crate) const PNG: &[u8] = b"\x89PNG and more";

pub(crate) fn picture() -> Answer {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: {}",
        PNG.len()
    );
    answer(&head, PNG)
}

/// Every address leads to the server, as if it were there.
pub(crate) struct Everywhere(pub(crate) u16, pub(crate) Arc<Mutex<Vec<String>>>);

impl Connect for Everywhere {
    fn connect<'a>(&'a self, host: &'a str, _: u16) -> ConnectFuture<'a> {
        self.1.lock().unwrap().push(host.to_owned());
        Tcp.connect("127.0.0.1", self.0)
    }
}
