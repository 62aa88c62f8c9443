//! What keeps a bot from starting comes out of `start`, typed, in time, with the cause named.

use std::time::Duration;

use crate::support::DEADLINE;
use qq_emulator::Emulator;
use qqbot::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout};

fn client(base_url: &str, app_id: &str, secret: &str) -> Client {
    Client::builder(Token::new(app_id, secret), Intents::default())
        .environment(Environment::custom(base_url).unwrap())
        .timeout(Duration::from_secs(2))
        .build()
        .unwrap()
}

/// Starts the client, which must fail well before the test's own deadline.
async fn failure(client: &Client) -> BotError {
    let started = Instant::now();
    let error = timeout(DEADLINE, client.start())
        .await
        .expect("start hangs")
        .expect_err("start succeeds");
    assert!(
        started.elapsed() < Duration::from_secs(6),
        "{:?}: {error:?}",
        started.elapsed()
    );
    assert!(matches!(
        &*client.status().borrow(),
        Status::Stopped { reason: Some(_) }
    ));
    error
}

fn assert_says(error: &BotError, words: &[&str]) {
    let text = format!("{error:?}");
    for word in words {
        assert!(text.contains(word), "{word:?} is missing: {text}");
    }
}

#[tokio::test]
async fn a_wrong_secret_is_named() {
    let emulator = Emulator::builder().start().await.unwrap();
    let error = failure(&client(
        emulator.base_url(),
        emulator.app_id(),
        "wrong-secret",
    ))
    .await;
    assert_eq!(error.kind(), ErrorKind::Authentication);
    assert_says(&error, &["100016"]);
    assert!(!format!("{error:?}").contains("wrong-secret"));
}

#[tokio::test]
async fn an_unknown_app_id_is_named() {
    let emulator = Emulator::builder().start().await.unwrap();
    let error = failure(&client(emulator.base_url(), "999", emulator.secret())).await;
    assert_eq!(error.kind(), ErrorKind::Authentication);
    assert_says(&error, &["1000"]);
}

#[tokio::test]
async fn an_unreachable_host_is_a_network_error() {
    let port = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let error = failure(&client(&format!("http://127.0.0.1:{port}"), "1", "s")).await;
    assert_eq!(error.kind(), ErrorKind::Network);
    assert_says(&error, &["refused"]);
}

#[tokio::test]
async fn a_server_that_answers_html_is_an_http_error() {
    let base_url = serve(|_| "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 15\r\n\r\n<h1>oh no!</h1>".to_owned()).await;
    let error = failure(&client(&base_url, "1", "s")).await;
    assert_eq!(error.kind(), ErrorKind::Http, "{error:?}");
    assert_says(&error, &["502"]);
}

#[tokio::test]
async fn a_server_that_never_answers_is_a_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let error = failure(&client(&base_url, "1", "s")).await;
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
}

#[tokio::test]
async fn a_gateway_that_never_says_hello_is_a_timeout_that_names_the_phase() {
    let gateway = silent_gateway().await;
    let base_url = serve(move |request| {
        let body = if request.contains("/app/getAppAccessToken") {
            r#"{"access_token":"t","expires_in":"7200"}"#.to_owned()
        } else if request.contains("/gateway/bot") {
            format!(
                r#"{{"url":"{gateway}","shards":1,"session_start_limit":{{"total":9,"remaining":9,"reset_after":1,"max_concurrency":1}}}}"#
            )
        } else {
            r#"{"id":"1","username":"bot"}"#.to_owned()
        };
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    })
    .await;
    let error = failure(&client(&base_url, "1", "s")).await;
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    assert_says(&error, &["HELLO"]);
}

#[tokio::test]
async fn credentials_that_cannot_be_right_are_refused_before_anything_is_sent() {
    let error = Client::new(Token::new("", "s"), Intents::default(), (), false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidToken);
    let error = Client::builder(Token::new("1", ""), Intents::default())
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidToken);
}

#[tokio::test]
async fn intents_that_were_not_granted_end_start_with_the_reason() {
    let emulator = Emulator::builder()
        .settings(|settings| settings.granted_intents = 0)
        .start()
        .await
        .unwrap();
    let error = failure(&client(
        emulator.base_url(),
        emulator.app_id(),
        emulator.secret(),
    ))
    .await;
    assert_says(&error, &["4014", "intent"]);
}

/// Answers every request on every connection with what the function makes of it.
async fn serve(answer: impl Fn(&str) -> String + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut buffer = vec![0; 16 * 1024];
                // Every request of these tests fits one read; a body may follow its head in another.
                while let Ok(read) = stream.read(&mut buffer).await {
                    let text = String::from_utf8_lossy(&buffer[..read]).into_owned();
                    if read == 0
                        || (is_request(&text)
                            && stream.write_all(answer(&text).as_bytes()).await.is_err())
                    {
                        break;
                    }
                }
            });
        }
    });
    base_url
}

fn is_request(text: &str) -> bool {
    ["GET ", "POST "]
        .iter()
        .any(|method| text.starts_with(method))
}

/// Upgrades to a WebSocket and says nothing.
async fn silent_gateway() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/websocket", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(socket) = tokio_tungstenite::accept_async(stream).await {
                open.push(socket);
            }
        }
    });
    url
}
