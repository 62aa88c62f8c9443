//! Calls through a proxy: a given one, and those of the environment.

use std::io;
use std::process::Command;
use std::sync::{Arc, Mutex};

use qq_http::{Advice, ErrorKind, HttpClient, Proxy, ProxyErrorKind};
use qq_model::{Environment, Token};
use qq_transport::{Connect, ConnectFuture, Connection};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, copy_bidirectional};
use tokio::net::TcpListener;

use crate::support::{Reply, Server};

/// A network in which only a proxy is reached, which leads to the server.
#[derive(Clone)]
struct ProxyOnly {
    server: Server,
    answer: &'static str,
    asked: Arc<Mutex<Vec<String>>>,
}

impl ProxyOnly {
    fn new(answer: &'static str) -> Self {
        let me = || Reply::json(200, &json!({"id": "1", "username": "bot"}));
        Self {
            server: Server::new(move |_| me()),
            answer,
            asked: Arc::default(),
        }
    }

    fn client(&self) -> HttpClient {
        self.server
            .builder()
            .connect(self.clone())
            .proxy(Proxy::parse("http://user:canary@proxy.example:3128").unwrap())
            .build()
            .unwrap()
    }

    async fn serve(self, mut stream: DuplexStream) -> io::Result<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        self.asked
            .lock()
            .unwrap()
            .push(String::from_utf8(head).unwrap());
        stream.write_all(self.answer.as_bytes()).await?;
        if self.answer.contains(" 200 ") {
            let mut server = self.server.connect("127.0.0.1", 9).await?;
            copy_bidirectional(&mut stream, &mut server).await?;
        }
        Ok(())
    }
}

impl Connect for ProxyOnly {
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> ConnectFuture<'a> {
        assert_eq!((host, port), ("proxy.example", 3128));
        let (client, server) = tokio::io::duplex(64 * 1024);
        tokio::spawn(self.clone().serve(server));
        Box::pin(std::future::ready(Ok(Box::new(client) as Connection)))
    }
}

#[tokio::test(start_paused = true)]
async fn token_and_calls_go_through_the_proxy() {
    let network = ProxyOnly::new("HTTP/1.1 200 OK\r\n\r\n");
    let http = network.client();
    http.me().await.unwrap();
    http.me().await.unwrap();
    assert_eq!(network.server.received().len(), 2);
    let asked = network.asked.lock().unwrap();
    assert_eq!(asked.len(), 1, "the connection is kept");
    assert!(asked[0].starts_with("CONNECT 127.0.0.1:9 HTTP/1.1\r\n"));
    let received = network.server.received();
    let to_proxy = received[0].header("proxy-authorization");
    assert_eq!(to_proxy, None, "the proxy's credentials end at the proxy");
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_refuses_is_named_with_what_to_do() {
    for (answer, kind, advice, times) in [
        (
            "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
            ProxyErrorKind::Credentials,
            Advice::Configuration,
            1,
        ),
        (
            "HTTP/1.1 502 Bad Gateway\r\n\r\n",
            ProxyErrorKind::Refused { status: 502 },
            Advice::Retry,
            3,
        ),
    ] {
        let network = ProxyOnly::new(answer);
        let error = network.client().me().await.unwrap_err();
        assert_eq!((error.kind(), error.advice()), (ErrorKind::Network, advice));
        assert_eq!(error.proxy_error().unwrap().kind(), kind);
        let shown = format!("{error} {error:?}");
        assert!(
            shown.contains("proxy proxy.example:3128") && !shown.contains("canary"),
            "{shown}"
        );
        assert_eq!(network.asked.lock().unwrap().len(), times, "{kind:?}");
    }
}

/// The environment of a process cannot be changed safely, so another one is started.
fn run_with(variables: &[(&str, &str)], test: &str) {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--ignored", "--exact", test]);
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        child.env_remove(name).env_remove(name.to_uppercase());
    }
    child.envs(variables.iter().copied());
    let output = child.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

fn client_of(base: &str) -> Result<HttpClient, qq_http::BuildError> {
    HttpClient::builder(Token::new("1", "canary-secret"))
        .environment(Environment::custom(base).unwrap())
        .retry(qq_http::RetryPolicy::never())
        .build()
}

#[tokio::test]
async fn the_environment_names_the_proxy() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 1024];
            let length = stream.read(&mut head).await.unwrap();
            log.lock()
                .unwrap()
                .push(String::from_utf8_lossy(&head[..length]).into_owned());
            let _ = stream.write_all(b"HTTP/1.1 403 No\r\n\r\n").await;
        }
    });
    let run = move || {
        for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
            run_with(&[(name, &proxy)], "proxy::is_refused_by_the_proxy");
        }
        run_with(
            &[("ALL_PROXY", &proxy), ("NO_PROXY", "api.invalid")],
            "proxy::is_not_proxied",
        );
        run_with(&[("HTTPS_PROXY", "gopher://x")], "proxy::is_not_built");
    };
    tokio::task::spawn_blocking(run).await.unwrap();
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 3);
    assert!(
        asked
            .iter()
            .all(|head| head.starts_with("CONNECT api.invalid:443 "))
    );
}

#[tokio::test]
#[ignore = "run by the_environment_names_the_proxy"]
async fn is_refused_by_the_proxy() {
    let error = client_of("https://api.invalid")
        .unwrap()
        .me()
        .await
        .unwrap_err();
    let kind = error.proxy_error().unwrap().kind();
    assert_eq!(kind, ProxyErrorKind::Refused { status: 403 });
    // This machine itself is not proxied: nothing listens there.
    let error = client_of("https://127.0.0.1:1")
        .unwrap()
        .me()
        .await
        .unwrap_err();
    assert!(error.proxy_error().is_none(), "{error}");
}

#[tokio::test]
#[ignore = "run by the_environment_names_the_proxy"]
async fn is_not_proxied() {
    let error = client_of("https://api.invalid")
        .unwrap()
        .me()
        .await
        .unwrap_err();
    assert!(error.proxy_error().is_none(), "{error}");
}

#[test]
#[ignore = "run by the_environment_names_the_proxy"]
fn is_not_built() {
    let error = client_of("https://api.invalid").unwrap_err();
    assert_eq!(error.setting(), "proxy");
    assert!(error.to_string().contains("HTTPS_PROXY"), "{error}");
    // A client that does not ask the environment is.
    let builder = HttpClient::builder(Token::new("1", "s"));
    builder.no_proxy().build().unwrap();
}
