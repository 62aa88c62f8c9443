//! Connections through real proxies on this machine.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use qq_transport::{Connect, Endpoint, Proxied, Proxies, Proxy, ProxyError, ProxyErrorKind, Tcp};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// Repeats whatever it gets.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut reading, mut writing) = stream.split();
                let _ = tokio::io::copy(&mut reading, &mut writing).await;
            });
        }
    });
    address
}

/// What a proxy was asked for.
type Asked = Arc<Mutex<Vec<String>>>;

/// An HTTP proxy. `answer` is what it says to CONNECT; it goes on to the server if that is a 200.
async fn http_proxy(answer: &'static str) -> (SocketAddr, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Asked::default();
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await?);
                }
                let head = String::from_utf8(head).unwrap();
                log.lock().unwrap().push(head.clone());
                let server = head.split(' ').nth(1).unwrap().to_owned();
                // In two pieces, as the network may cut it.
                let (first, second) = answer.split_at(answer.len() / 2);
                stream.write_all(first.as_bytes()).await?;
                tokio::task::yield_now().await;
                stream.write_all(second.as_bytes()).await?;
                if answer.contains(" 200 ") {
                    let mut server = TcpStream::connect(server).await?;
                    copy_bidirectional(&mut stream, &mut server).await?;
                }
                io::Result::Ok(())
            });
        }
    });
    (address, asked)
}

/// A SOCKS5 proxy that wants `user` and `secret`, and answers requests with `code`.
async fn socks_proxy(code: u8) -> (SocketAddr, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Asked::default();
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                let mut methods = [0; 2];
                stream.read_exact(&mut methods).await?;
                let mut offered = vec![0; methods[1].into()];
                stream.read_exact(&mut offered).await?;
                if !offered.contains(&2) {
                    return stream.write_all(&[5, 0xff]).await;
                }
                stream.write_all(&[5, 2]).await?;
                let mut login = vec![0; "\u{1}\u{4}user\u{6}secret".len()];
                stream.read_exact(&mut login).await?;
                if login != b"\x01\x04user\x06secret" {
                    return stream.write_all(&[1, 1]).await;
                }
                stream.write_all(&[1, 0]).await?;
                let mut head = [0; 5];
                stream.read_exact(&mut head).await?;
                assert_eq!(head[..4], [5, 1, 0, 3], "a name, which the proxy resolves");
                let mut host = vec![0; head[4].into()];
                stream.read_exact(&mut host).await?;
                let host = String::from_utf8(host).unwrap();
                let port = stream.read_u16().await?;
                log.lock().unwrap().push(format!("{host}:{port}"));
                stream.write_all(&[5, code, 0, 3, 1, b'x', 0, 9]).await?;
                if code == 0 {
                    let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
                    copy_bidirectional(&mut stream, &mut server).await?;
                }
                io::Result::Ok(())
            });
        }
    });
    (address, asked)
}

fn through(url: &str) -> Proxied {
    Proxied::new(Tcp, Proxies::all(Proxy::parse(url).unwrap()))
}

async fn speaks_to(connect: &Proxied, host: &str, port: u16) {
    let mut stream = connect.connect(host, port).await.unwrap();
    stream.write_all(b"ping").await.unwrap();
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"ping");
}

/// The kind of the error, which names the proxy and shows no secret.
async fn refusal(url: &str, proxy: SocketAddr) -> ProxyErrorKind {
    let Err(error) = through(url).connect("server.example", 443).await else {
        unreachable!("there is no such server");
    };
    let found = ProxyError::find(&error).unwrap();
    assert_eq!(found.proxy(), proxy.to_string());
    let shown = format!("{error} {error:?}");
    assert!(
        shown.contains(&proxy.to_string()) && !shown.contains("canary"),
        "{shown}"
    );
    found.kind()
}

const ESTABLISHED: &str = "HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n";

#[tokio::test]
async fn connect_opens_a_way_to_the_server() {
    let server = echo().await;
    let (proxy, asked) = http_proxy(ESTABLISHED).await;
    let connect = through(&format!("http://user:pass%20word@{proxy}"));
    speaks_to(&connect, "127.0.0.1", server.port()).await;
    let asked = asked.lock().unwrap();
    assert_eq!(
        *asked,
        [format!(
            "CONNECT {server} HTTP/1.1\r\nHost: {server}\r\n\
             Proxy-Authorization: Basic dXNlcjpwYXNzIHdvcmQ=\r\n\r\n"
        )]
    );
    assert!(!format!("{connect:?}").contains("word"));
}

#[tokio::test]
async fn socks_opens_a_way_to_the_server() {
    let server = echo().await;
    let (proxy, asked) = socks_proxy(0).await;
    let connect = through(&format!("socks5://user:secret@{proxy}"));
    speaks_to(&connect, "server.example", server.port()).await;
    assert_eq!(
        *asked.lock().unwrap(),
        [format!("server.example:{}", server.port())]
    );
}

#[tokio::test]
async fn every_way_a_proxy_fails_has_its_kind() {
    for (answer, kind) in [
        (
            "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 2\r\n\r\nno",
            ProxyErrorKind::Credentials,
        ),
        (
            "HTTP/1.1 403 Forbidden\r\n\r\n<html>",
            ProxyErrorKind::Refused { status: 403 },
        ),
        (
            "HTTP/1.0 502 Bad Gateway\r\n\r\n",
            ProxyErrorKind::Refused { status: 502 },
        ),
        ("SSH-2.0-OpenSSH\r\n\r\n", ProxyErrorKind::Protocol),
        (
            "HTTP/1.1 204 No Content\r\n\r\nearly",
            ProxyErrorKind::Protocol,
        ),
        ("HTTP/1.1 2", ProxyErrorKind::Protocol),
    ] {
        let (proxy, _) = http_proxy(answer).await;
        let url = format!("http://user:canary@{proxy}");
        assert_eq!(refusal(&url, proxy).await, kind, "{answer}");
    }
    let (proxy, _) = socks_proxy(5).await;
    let with = |credentials: &str| format!("socks5h://{credentials}{proxy}");
    assert_eq!(refusal(&with(""), proxy).await, ProxyErrorKind::Credentials);
    assert_eq!(
        refusal(&with("user:canary@"), proxy).await,
        ProxyErrorKind::Credentials
    );
    let code = ProxyErrorKind::Unreachable { code: 5 };
    assert_eq!(refusal(&with("user:secret@"), proxy).await, code);
    // It speaks no TLS.
    let proxy = echo().await;
    assert_eq!(
        refusal(&format!("https://{proxy}"), proxy).await,
        ProxyErrorKind::Tls
    );
    // Nothing is there.
    let gone = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    assert_eq!(
        refusal(&format!("http://{gone}"), gone).await,
        ProxyErrorKind::Connect
    );
}

#[tokio::test]
async fn a_head_without_end_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await?;
        while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
        io::Result::Ok(())
    });
    assert_eq!(
        refusal(&format!("http://{proxy}"), proxy).await,
        ProxyErrorKind::Protocol
    );
}

#[tokio::test]
async fn a_host_cannot_end_the_line() {
    let (proxy, asked) = http_proxy(ESTABLISHED).await;
    let connect = through(&format!("http://{proxy}"));
    for host in ["a\r\nX: y", "a b", ""] {
        assert!(connect.connect(host, 443).await.is_err());
    }
    assert!(asked.lock().unwrap().is_empty());
    let endpoint = Endpoint::parse("wss://[::1]/").unwrap();
    let _ = connect.connect_to(&endpoint).await;
    assert!(
        asked.lock().unwrap()[0].starts_with("CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n")
    );
}
