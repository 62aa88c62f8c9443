#![forbid(unsafe_code)]
//! Received media: from where they may come, and how much of them.

#[cfg(test)]
mod server;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use qq_http::{ErrorKind, HttpClient, MediaPolicy};
use qq_model::Token;

use self::server::{Answer, Everywhere, PNG, Server, answer, picture, redirect};

#[tokio::test]
async fn a_file_arrives_with_its_type_and_without_the_bots_secrets() {
    let server = Server::start(|_| picture()).await;
    let http = server.client(MediaPolicy::default());
    let file = http.download(server.url("/a.png?key=1")).await.unwrap();
    assert_eq!(&*file.bytes, PNG);
    assert_eq!(file.content_type.as_deref(), Some("image/png"));
    let asked = server.asked().concat().to_ascii_lowercase();
    assert!(asked.starts_with("get /a.png?key=1 "));
    for secret in ["authorization", "canary", "102000000", "cookie"] {
        assert!(!asked.contains(secret), "{asked}");
    }
}

#[tokio::test]
async fn other_hosts_and_schemes_are_refused_before_anything_is_asked() {
    let server = Server::start(|_| picture()).await;
    let http = server.client(MediaPolicy::default());
    for (url, why) in [
        ("https://evil.example/x", "no host that media come from"),
        ("http://127.0.0.1:1/x", "no host that media come from"),
        (
            "https://evil.example/#@qq.com",
            "no host that media come from",
        ),
        (
            "https://qq.com@evil.example/x",
            "no host that media come from",
        ),
        ("file:///etc/passwd", "malformed"),
        ("ftp://qq.com/x", "https://"),
        ("/etc/passwd", "https://"),
        ("", "malformed"),
    ] {
        let error = http.download(url).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{url}: {error}");
        let text = error.to_string();
        assert!(text.contains(why), "{url}: {error}");
    }
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn no_redirect_and_no_name_leads_into_a_private_network() {
    let server = Server::start(|path| match path {
        "/loopback" => redirect("http://127.0.0.1:1/x"),
        "/link-local" => redirect("http://169.254.169.254/latest/meta-data"),
        "/ipv6" => redirect("http://[::ffff:127.0.0.1]:1/x"),
        "/name" => redirect("http://localhost:1/x"),
        "/benchmark" => redirect("http://198.18.0.1/x"),
        _ => picture(),
    })
    .await;
    let any = || MediaPolicy::default().any_host();
    let http = server.client(any());
    for path in ["/loopback", "/link-local", "/ipv6", "/name", "/benchmark"] {
        let error = http.download(server.url(path)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{path}: {error}");
        assert!(error.to_string().contains("private network"), "{error}");
    }
    let strict = server.client(MediaPolicy::default());
    let error = strict.download(server.url("/loopback")).await.unwrap_err();
    assert!(error.to_string().contains("no host that media come from"));
}

#[tokio::test]
async fn what_a_proxy_hands_out_for_names_can_be_allowed() {
    let server = Server::start(|_| picture()).await;
    let connected = Arc::new(Mutex::new(Vec::new()));
    let client = |policy: MediaPolicy| {
        HttpClient::builder(Token::new("102000000", "secret"))
            .connect(Everywhere(server.port, Arc::clone(&connected)))
            .media(policy.any_host())
            .build()
            .unwrap()
    };
    let refused = client(MediaPolicy::default());
    assert!(refused.download("http://198.18.0.7/x").await.is_err());
    assert!(connected.lock().unwrap().is_empty());
    let allowed = client(MediaPolicy::default().allow_benchmark_network());
    assert!(allowed.download("http://198.18.0.7/x").await.is_ok());
    let elsewhere = client(MediaPolicy::default().resolve_elsewhere());
    assert!(elsewhere.download("http://files.example/x").await.is_ok());
    assert_eq!(*connected.lock().unwrap(), ["198.18.0.7", "files.example"]);
}

#[tokio::test]
async fn redirects_between_public_hosts_are_followed_up_to_a_limit() {
    let server = Server::start(|path| match path {
        "/1" => redirect("http://93.184.216.34/2"),
        "/2" => redirect("/3"),
        "/round" => redirect("/round"),
        _ => picture(),
    })
    .await;
    let http = HttpClient::builder(Token::new("102000000", "secret"))
        .connect(Everywhere(server.port, Arc::default()))
        .media(
            MediaPolicy::default()
                .host("93.184.216.34")
                .host("93.184.216.35"),
        )
        .build()
        .unwrap();
    let file = http.download("http://93.184.216.35/1").await.unwrap();
    assert_eq!(&*file.bytes, PNG);
    let error = http
        .download("http://93.184.216.35/round")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("3 redirects"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_too_long_is_cut_whether_it_says_so_or_not() {
    let server = Server::start(|path| match path {
        "/honest" => answer("HTTP/1.1 200 OK\r\ncontent-length: 1000000000", b""),
        _ => Answer {
            repeats: 1_000_000,
            ..answer("HTTP/1.1 200 OK", &[7; 1024])
        },
    })
    .await;
    let http = server.client(MediaPolicy::default().max_bytes(100_000));
    for path in ["/honest", "/endless"] {
        let error = http.download(server.url(path)).await.unwrap_err();
        assert!(
            error.to_string().contains("longer than the 100000 bytes"),
            "{error}"
        );
    }
    let mut body = http
        .download(server.url("/endless"))
        .max_bytes(5000)
        .open()
        .await
        .unwrap();
    let mut taken = 0;
    let error = loop {
        match body.chunk().await {
            Ok(Some(chunk)) => taken += chunk.len(),
            Ok(None) => panic!("it has no end"),
            Err(error) => break error,
        }
    };
    assert!(
        taken <= 5000 && error.to_string().contains("5000"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_stalls_or_refuses_is_an_error_in_time() {
    let server = Server::start(|path| match path {
        "/gone" => answer("HTTP/1.1 404 Not Found\r\ncontent-length: 0", b""),
        "/cut" => answer("HTTP/1.1 200 OK\r\ncontent-length: 100", b"half"),
        _ => Answer {
            stalls: true,
            ..answer("HTTP/1.1 200 OK\r\ncontent-length: 100", b"half")
        },
    })
    .await;
    let http = server.client(MediaPolicy::default());
    let error = http
        .download(server.url("/stall"))
        .timeout(Duration::from_millis(200))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let error = http.download(server.url("/gone")).await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(404));
    let error = http.download(server.url("/cut")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network);
}

#[tokio::test]
async fn files_are_whole_or_not_there() {
    let server = Server::start(|path| match path {
        "/cut" => answer("HTTP/1.1 200 OK\r\ncontent-length: 100", b"half"),
        _ => picture(),
    })
    .await;
    let http = server.client(MediaPolicy::default());
    let folder = std::env::temp_dir().join(format!("qq-http-download-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("a.png");
    let file = http
        .download(server.url("/a"))
        .to_file(&path)
        .await
        .unwrap();
    assert_eq!(
        (file.size, file.content_type.as_deref()),
        (PNG.len() as u64, Some("image/png"))
    );
    assert_eq!(std::fs::read(&path).unwrap(), PNG);
    assert!(
        http.download(server.url("/cut"))
            .to_file(folder.join("b"))
            .await
            .is_err()
    );
    let nowhere = folder.join("none").join("c");
    let error = http
        .download(server.url("/a"))
        .to_file(nowhere)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    let left: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["a.png"]);
    std::fs::remove_dir_all(&folder).unwrap();
}
