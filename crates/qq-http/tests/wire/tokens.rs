//! Secrets and access tokens: sent to the platform alone, however it answers.

use qq_http::{Advice, Error, ErrorKind, HttpClient, RetryPolicy};
use qq_model::{Environment, Token};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::platform::{Fault, Platform, json as answer, whole};

/// A client that makes each call once.
fn once(platform: &Platform) -> HttpClient {
    let builder = platform.builder().retry(RetryPolicy::never());
    builder.build().unwrap()
}

#[tokio::test]
async fn a_token_that_is_always_refused_is_replaced_once() {
    let refused = || Fault::refused(answer(401, &json!({"code": 11_244, "message": "no"})));
    for is_message in [false, true] {
        let platform = Platform::start().await;
        platform.plan(std::iter::repeat_with(refused).take(10));
        let http = platform.client();
        let error: Error = if is_message {
            http.group("G").send("hi").await.unwrap_err()
        } else {
            http.me().await.unwrap_err()
        };
        assert_eq!(
            (error.kind(), error.advice(), error.attempts()),
            (ErrorKind::Authentication, Advice::RefreshToken, 2),
            "{error}"
        );
        let made = (
            platform.requests().len(),
            platform.tokens(),
            platform.shown(),
        );
        assert_eq!(made, (2, 2, 0), "{error}");
    }
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let thief = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    thief.set_nonblocking(true).unwrap();
    let elsewhere = format!("location: http://{}/x\r\n", thief.local_addr().unwrap());
    for status in [301, 302, 303, 307, 308] {
        let platform = Platform::start().await;
        platform.plan([(); 2].map(|()| Fault::refused(whole(status, &elsewhere, ""))));
        let http = platform.client();
        let read = http.me().await.unwrap_err();
        let sent = http.group("G").send("hi").await.unwrap_err();
        for error in [read, sent] {
            assert_eq!(
                (error.kind(), error.advice(), error.attempts()),
                (ErrorKind::Http, Advice::Configuration, 1),
                "{error}"
            );
            assert!(error.to_string().contains("redirect"), "{error}");
        }
        assert_eq!(platform.requests().len(), 2);
    }
    // The token endpoint that sends the secret elsewhere.
    let platform = Platform::start().await;
    platform.answer_instead_of_tokens(whole(307, &elsewhere, ""));
    let error = once(&platform).me().await.unwrap_err();
    assert!(error.to_string().contains("redirect"), "{error}");
    assert_eq!(error.route(), Some("/app/getAppAccessToken"));
    // Whoever had connected would be waiting there.
    let nobody = thief.accept().unwrap_err();
    assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
}

#[tokio::test]
async fn what_is_no_platform_gets_no_token() {
    // A server that speaks nothing of the platform at the token endpoint: no call is made there.
    let platform = Platform::start().await;
    platform.answer_instead_of_tokens(whole(
        200,
        "content-type: text/html\r\n",
        "<html>log in</html>",
    ));
    let http = once(&platform);
    let error = http.group("G").send("hi").await.unwrap_err();
    assert!(!error.is_outcome_unknown(), "nothing was sent: {error}");
    assert_eq!(
        (error.route(), platform.requests().len()),
        (Some("/app/getAppAccessToken"), 0)
    );
    // Nobody is there at all.
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let http = HttpClient::builder(Token::new("102000000", "canary-secret"))
        .environment(Environment::custom(format!("http://{free}")).unwrap())
        .no_proxy()
        .retry(RetryPolicy::never())
        .build()
        .unwrap();
    let error = http.me().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts()),
        (ErrorKind::Network, 0),
        "{error}"
    );
    let line = error.to_string();
    assert!(
        line.contains("refused") && line.contains(&free.to_string()),
        "{line}"
    );
    assert!(line.contains("network") && error.is_retryable(), "{line}");
    // A server that speaks no TLS.
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = plain.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = plain.accept().await.unwrap();
        let mut buffer = [0; 1024];
        while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let http = HttpClient::builder(Token::new("102000000", "canary-secret"))
        .environment(Environment::custom(format!("https://{address}")).unwrap())
        .no_proxy()
        .retry(RetryPolicy::never())
        .build()
        .unwrap();
    let error = http.me().await.unwrap_err();
    assert!(error.to_string().contains("does not speak TLS"), "{error}");
}
