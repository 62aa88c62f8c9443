//! The server that stands alone, over real sockets on 127.0.0.1.
//!
//! The clock is stopped only once everything that is on its way has arrived: from then on a test waits for deadlines alone,
//! and none of them costs time.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::support::{event, signed, verifier};
use qq_webhook::{
    ErrorKind, RawEvent, ServerErrorKind, ServerHandle, WebhookServer, WebhookServerBuilder,
    WebhookService,
};
use rcgen::{CertifiedKey, KeyPair};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, advance, pause, resume, sleep, timeout};
use tokio_rustls::TlsConnector;

/// A server that runs until it is dropped.
struct Running {
    address: SocketAddr,
    handle: ServerHandle,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn start(builder: WebhookServerBuilder) -> Running {
    let server = builder.bind("127.0.0.1:0").await.unwrap();
    Running {
        address: server.local_addr(),
        handle: server.handle(),
        task: tokio::spawn(server.run()),
    }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

/// A callback on the wire.
fn callback(path: &str, body: &str) -> String {
    let mut text = format!(
        "POST {path} HTTP/1.1\r\nHost: bot.example\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in &signed(body) {
        text += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    text + "\r\n" + body
}

/// A test that hangs has failed. Longer than any deadline that a test waits for.
async fn in_time<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(45), future)
        .await
        .expect("in time")
}

/// One answer of a connection that stays open.
async fn answer(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut text = String::new();
    loop {
        let mut byte = [0];
        if in_time(stream.read(&mut byte)).await.unwrap() == 0 {
            return text;
        }
        text.push(char::from(byte[0]));
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            if body.len() == length.map_or(0, |length| length.parse().unwrap()) {
                return text;
            }
        }
    }
}

/// Sends the head of a callback and returns when the server has begun to wait for the body.
async fn begin_body(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &str) {
    let head = request.split_once("\r\n\r\n").unwrap().0;
    let answer = exchange(stream, &format!("{head}\r\nExpect: 100-continue\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 100"), "{answer}");
}

async fn exchange(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    answer(stream).await
}

/// All that still comes until the other side closes. A reset is a close, too.
async fn until_closed(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    let _ = in_time(stream.read_to_end(&mut bytes)).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Waits for what another task is about to do.
async fn eventually(what: impl Fn() -> bool) {
    for _ in 0..10_000 {
        if what() {
            return;
        }
        tokio::task::yield_now().await;
        sleep(Duration::from_millis(1)).await;
    }
    panic!("it did not happen");
}

#[tokio::test]
async fn callbacks_are_answered_on_one_connection() {
    let (service, mut events) = WebhookService::new(verifier());
    let server = start(WebhookServer::builder(service.clone()).path("/qqbot")).await;
    let mut stream = server.connect().await;
    for id in ["1", "2"] {
        let answer = exchange(&mut stream, &callback("/qqbot", &event(id))).await;
        assert!(
            answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with(r#"{"op":12,"d":0}"#),
            "{answer}"
        );
        assert_eq!(events.next().await.unwrap().dispatch.id.unwrap(), id);
    }
    let answer = exchange(&mut stream, &callback("/other", &event("3"))).await;
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    assert_eq!(
        service.verifier().stats().refused(ErrorKind::PathNotFound),
        1
    );
    assert_eq!(server.handle.stats().opened, 1);
}

#[tokio::test]
async fn a_query_does_not_change_the_path_and_chunks_are_read() {
    let (service, mut events) = WebhookService::new(verifier());
    let server = start(WebhookServer::builder(service).path("/qqbot")).await;
    let body = event("1");
    let (first, second) = body.split_at(9);
    let chunks = format!(
        "{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
        first.len(),
        second.len()
    );
    let request = callback("/qqbot?from=platform", &body);
    let head = request.split_once("\r\n\r\n").unwrap().0;
    let head = head.replace(
        &format!("Content-Length: {}", body.len()),
        "Transfer-Encoding: chunked",
    );
    let answer = exchange(
        &mut server.connect().await,
        &format!("{head}\r\n\r\n{chunks}"),
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(events.next().await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_header_that_trickles_is_cut_off() {
    let (service, _events) = WebhookService::new(verifier());
    let deadline = Duration::from_secs(10);
    let server = start(WebhookServer::builder(service).header_deadline(deadline)).await;
    let start = Instant::now();
    let (mut reader, mut writer) = server.connect().await.into_split();
    let trickle = tokio::spawn(async move {
        for byte in "POST / HTTP/1.1\r\nX-Endless: "
            .bytes()
            .chain(std::iter::repeat(b'a'))
        {
            if writer.write_all(&[byte]).await.is_err() {
                break;
            }
            sleep(Duration::from_secs(1)).await;
        }
    });
    let rest = until_closed(&mut reader).await;
    assert!(!rest.contains("200"), "{rest}");
    assert!(
        start.elapsed() <= deadline + Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
    timeout(Duration::from_secs(5), trickle)
        .await
        .unwrap()
        .unwrap();
    eventually(|| server.handle.stats().broken == 1).await;
}

#[tokio::test]
async fn a_connection_without_requests_is_closed() {
    let (service, _events) = WebhookService::new(verifier());
    let deadline = Duration::from_secs(10);
    let server = start(WebhookServer::builder(service).header_deadline(deadline)).await;
    let mut idle = server.connect().await;
    let mut used = server.connect().await;
    exchange(&mut used, &callback("/", &event("1"))).await;
    pause();
    let start = Instant::now();
    until_closed(&mut idle).await;
    until_closed(&mut used).await;
    assert!(
        start.elapsed() <= deadline + Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn a_body_that_trickles_is_answered_with_408_and_cut_off() {
    let verifier = verifier();
    let (service, _events) = WebhookService::builder(verifier.clone())
        .body_deadline(Duration::from_secs(5))
        .build();
    let server = start(WebhookServer::builder(service)).await;
    let mut stream = server.connect().await;
    begin_body(&mut stream, &callback("/", &event("1"))).await;
    pause();
    let start = Instant::now();
    let (mut reader, mut writer) = stream.into_split();
    let trickle = tokio::spawn(async move {
        for byte in event("1").bytes() {
            if writer.write_all(&[byte]).await.is_err() {
                break;
            }
            sleep(Duration::from_secs(1)).await;
        }
    });
    let rest = until_closed(&mut reader).await;
    assert!(rest.starts_with("HTTP/1.1 408"), "{rest}");
    assert!(
        start.elapsed() <= Duration::from_secs(6),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(verifier.stats().refused(ErrorKind::BodyTimeout), 1);
    timeout(Duration::from_secs(5), trickle)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn what_is_no_http_harms_nobody() {
    let (service, mut events) = WebhookService::new(verifier());
    let server = start(WebhookServer::builder(service)).await;
    let large = format!("POST / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(1 << 20));
    for bytes in [
        &b"\x16\x03\x01\x00\xee\x01\x00\x00\xea\x03\x03"[..],
        b"\r\n\r\n\r\n",
        b"GET\0/\r\n\r\n",
        large.as_bytes(),
    ] {
        let mut stream = server.connect().await;
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        assert!(!until_closed(&mut stream).await.contains(" 200 "));
    }
    exchange(&mut server.connect().await, &callback("/", &event("1"))).await;
    assert!(events.next().await.is_some());
}

#[tokio::test]
async fn connections_over_the_limit_wait() {
    let (service, _events) = WebhookService::new(verifier());
    let server = start(WebhookServer::builder(service).connection_limit(1)).await;
    let mut first = server.connect().await;
    exchange(&mut first, &callback("/", &event("1"))).await;
    let mut second = server.connect().await;
    second
        .write_all(callback("/", &event("2")).as_bytes())
        .await
        .unwrap();
    for _ in 0..10 {
        exchange(&mut first, &callback("/", &event("1"))).await;
        assert_eq!(server.handle.stats().opened, 1);
    }
    drop(first);
    assert!(answer(&mut second).await.starts_with("HTTP/1.1 200"));
    assert_eq!(server.handle.stats().opened, 2);
}

#[tokio::test]
async fn stopping_finishes_what_has_begun() {
    let (begun, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let service = WebhookService::builder(verifier()).build_with_sink({
        let (begun, finish) = (Arc::clone(&begun), Arc::clone(&finish));
        move |_: RawEvent| {
            let (begun, finish) = (Arc::clone(&begun), Arc::clone(&finish));
            async move {
                begun.notify_one();
                finish.notified().await;
                Ok(())
            }
        }
    });
    let mut server = start(WebhookServer::builder(service)).await;
    let mut idle = server.connect().await;
    exchange(&mut idle, "GET / HTTP/1.1\r\nHost: bot.example\r\n\r\n").await;
    let mut busy = server.connect().await;
    busy.write_all(callback("/", &event("1")).as_bytes())
        .await
        .unwrap();
    in_time(begun.notified()).await;
    server.handle.stop(Duration::from_secs(30));
    // The idle one does not wait for the busy one.
    until_closed(&mut idle).await;
    finish.notify_one();
    assert!(answer(&mut busy).await.starts_with("HTTP/1.1 200"));
    in_time(&mut server.task).await.unwrap();
    let stats = server.handle.stats();
    assert_eq!((stats.opened, stats.closed, stats.cut), (2, 2, 0));
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn stopping_has_a_deadline() {
    let (service, _events) = WebhookService::builder(verifier())
        .body_deadline(Duration::from_secs(30))
        .build();
    let mut server = start(WebhookServer::builder(service)).await;
    let mut stuck = server.connect().await;
    begin_body(&mut stuck, &callback("/", &event("1"))).await;
    pause();
    let start = Instant::now();
    server.handle.stop(Duration::from_secs(5));
    in_time(&mut server.task).await.unwrap();
    let stats = server.handle.stats();
    assert_eq!((stats.opened, stats.closed, stats.cut), (1, 1, 1));
    until_closed(&mut stuck).await;
    assert!(
        start.elapsed() < Duration::from_secs(6),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn nothing_survives_the_server() {
    let (service, mut events) = WebhookService::new(verifier());
    let server = start(WebhookServer::builder(service)).await;
    let mut open = server.connect().await;
    exchange(&mut open, &callback("/", &event("1"))).await;
    let handle = server.handle.clone();
    drop(server);
    until_closed(&mut open).await;
    assert_eq!(handle.stats().closed, 1);
    // The service went with it: the queue gives out what is left, and ends.
    assert!(in_time(events.next()).await.is_some());
    assert!(in_time(events.next()).await.is_none());
}

/// A folder of its own for each test, gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("qq-webhook-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, identity: &CertifiedKey<KeyPair>) {
        std::fs::write(self.file("cert.pem"), identity.cert.pem()).unwrap();
        std::fs::write(self.file("key.pem"), identity.signing_key.serialize_pem()).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn identity() -> CertifiedKey<KeyPair> {
    rcgen::generate_simple_self_signed(["bot.example".to_owned()]).unwrap()
}

/// A callback over TLS by a client that trusts this certificate alone.
async fn exchange_tls(
    server: &Running,
    trusted: &CertifiedKey<KeyPair>,
    request: &str,
) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.cert.der().clone()).unwrap();
    let config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
    let name = ServerName::try_from("bot.example").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config))
        .connect(name, server.connect().await)
        .await?;
    Ok(exchange(&mut stream, request).await)
}

fn tls(service: WebhookService, folder: &Folder) -> WebhookServerBuilder {
    WebhookServer::builder(service).tls_files(folder.file("cert.pem"), folder.file("key.pem"))
}

/// Lets a time pass that nobody has to wait for.
async fn pass(time: Duration) {
    pause();
    advance(time).await;
    resume();
}

#[tokio::test]
async fn certificates_are_taken_from_the_files_when_they_change() {
    let folder = Folder::new("reload");
    let (old, new) = (identity(), identity());
    folder.write(&old);
    let (service, _events) = WebhookService::new(verifier());
    let interval = Duration::from_secs(10);
    let server = start(tls(service, &folder).tls_reload_interval(interval)).await;
    let request = callback("/", &event("1"));
    assert!(
        exchange_tls(&server, &old, &request)
            .await
            .unwrap()
            .starts_with("HTTP/1.1 200")
    );
    assert!(exchange_tls(&server, &new, &request).await.is_err());

    // One file is written, the other not yet: the old pair stays in use.
    std::fs::write(folder.file("cert.pem"), new.cert.pem()).unwrap();
    pass(interval).await;
    eventually(|| server.handle.stats().certificates_refused == 1).await;
    assert!(
        exchange_tls(&server, &old, &request)
            .await
            .unwrap()
            .starts_with("HTTP/1.1 200")
    );
    // Gone for a moment.
    std::fs::remove_file(folder.file("key.pem")).unwrap();
    pass(interval).await;
    eventually(|| server.handle.stats().certificates_refused == 2).await;
    assert!(exchange_tls(&server, &old, &request).await.is_ok());

    folder.write(&new);
    pass(interval).await;
    eventually(|| server.handle.stats().certificates_loaded == 1).await;
    assert!(
        exchange_tls(&server, &new, &request)
            .await
            .unwrap()
            .starts_with("HTTP/1.1 200")
    );
    assert!(exchange_tls(&server, &old, &request).await.is_err());
    assert_eq!(server.handle.stats().certificates_refused, 2);
}

#[tokio::test]
async fn files_that_stay_as_they_are_are_not_loaded_again() {
    let folder = Folder::new("unchanged");
    folder.write(&identity());
    let (service, _events) = WebhookService::new(verifier());
    let server = start(tls(service, &folder).tls_reload_interval(Duration::from_secs(10))).await;
    pause();
    sleep(Duration::from_secs(100)).await;
    std::fs::remove_file(folder.file("cert.pem")).unwrap();
    // A change that lasts is noticed once.
    sleep(Duration::from_secs(100)).await;
    let stats = server.handle.stats();
    assert_eq!(
        (stats.certificates_loaded, stats.certificates_refused),
        (0, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_does_not_come_is_cut_off() {
    let folder = Folder::new("handshake");
    folder.write(&identity());
    let (service, _events) = WebhookService::new(verifier());
    let server = start(tls(service, &folder).header_deadline(Duration::from_secs(10))).await;
    let start = Instant::now();
    let mut silent = server.connect().await;
    until_closed(&mut silent).await;
    assert!(start.elapsed() <= Duration::from_secs(11));
    let mut plain = server.connect().await;
    plain
        .write_all(callback("/", &event("1")).as_bytes())
        .await
        .unwrap();
    assert!(!until_closed(&mut plain).await.contains("200"));
    eventually(|| server.handle.stats().handshakes_failed == 2).await;
}

async fn refusal(builder: WebhookServerBuilder, address: &str) -> (ServerErrorKind, String) {
    let error = builder.bind(address).await.unwrap_err();
    assert!(std::error::Error::source(&error).is_some());
    (error.kind(), error.to_string())
}

#[tokio::test]
async fn what_cannot_be_used_is_named() {
    let builder = || WebhookServer::builder(WebhookService::new(verifier()).0);
    let folder = Folder::new("errors");
    let files = |certificates: &Path, key: &Path| builder().tls_files(certificates, key);
    let (certificate, key) = (folder.file("cert.pem"), folder.file("key.pem"));

    let (kind, message) = refusal(files(&certificate, &key), "127.0.0.1:0").await;
    assert_eq!(kind, ServerErrorKind::FileUnreadable);
    assert!(message.contains("cert.pem"), "{message}");

    folder.write(&identity());
    std::fs::write(&key, identity().signing_key.serialize_pem()).unwrap();
    let (kind, message) = refusal(files(&certificate, &key), "127.0.0.1:0").await;
    assert_eq!(kind, ServerErrorKind::KeyMismatch);
    assert!(message.contains("key.pem"), "{message}");

    // The two files the wrong way round.
    let (kind, message) = refusal(files(&key, &certificate), "127.0.0.1:0").await;
    assert_eq!(kind, ServerErrorKind::FileMalformed);
    assert!(message.contains("key.pem"), "{message}");
    std::fs::write(&key, "").unwrap();
    let (kind, message) = refusal(files(&certificate, &key), "127.0.0.1:0").await;
    assert_eq!(kind, ServerErrorKind::FileMalformed);
    assert!(message.contains("key.pem"), "{message}");

    for path in ["", "qqbot", "/qqbot?x", "/qq bot"] {
        assert_eq!(
            refusal(builder().path(path), "127.0.0.1:0").await.0,
            ServerErrorKind::Path,
            "{path:?}"
        );
    }
    let taken = start(builder()).await;
    assert_eq!(
        refusal(builder(), &taken.address.to_string()).await.0,
        ServerErrorKind::Bind
    );
}
