//! What is on the wire of a call that goes well, and what it reads from the answer.

use std::time::Duration;

use qq_http::{ErrorKind, HttpClient, Method, StatusCode};
use qq_model::Token;
use serde_json::json;

use crate::support::{APP_ID, Reply, Server};

#[tokio::test(start_paused = true)]
async fn reads_have_their_path_and_headers_and_no_body() {
    let gateway = json!({"url": "wss://gateway.example/websocket", "shards": 9, "session_start_limit":
        {"total": 1000, "remaining": 999, "reset_after": 14_400_000, "max_concurrency": 1}});
    let server = Server::script([
        Reply::json(
            200,
            &json!({"id": "13308485892919817730", "username": "harbor", "avatar": "https://x.example/a"}),
        ),
        Reply::json(200, &json!({"url": "wss://gateway.example/websocket"})),
        Reply::json(200, &gateway),
    ]);
    let http = server.client();
    assert_eq!(http.me().await.unwrap().id, "13308485892919817730");
    assert_eq!(
        &*http.gateway().await.unwrap().url,
        "wss://gateway.example/websocket"
    );
    let bot = http.gateway_bot().await.unwrap();
    assert_eq!((bot.shards, bot.session_start_limit.remaining), (9, 999));
    let received = server.received();
    assert_eq!(
        received
            .iter()
            .map(|request| request.path.as_str())
            .collect::<Vec<_>>(),
        ["/users/@me", "/gateway", "/gateway/bot"]
    );
    for request in &received {
        assert_eq!((request.method.as_str(), request.body.len()), ("GET", 0));
        assert!(
            request
                .header("authorization")
                .unwrap()
                .starts_with("QQBot canary-token-")
        );
        assert_eq!(request.header("x-union-appid"), Some(APP_ID));
        assert!(
            request
                .header("user-agent")
                .unwrap()
                .starts_with("qq-http/")
        );
        assert_eq!(request.header("content-type"), None);
    }
    assert_eq!(server.hosts(), ["127.0.0.1:9"], "one connection serves all");
}

#[tokio::test(start_paused = true)]
async fn a_success_that_lacks_its_point_is_an_error() {
    let server = Server::script([
        Reply::json(200, &json!({})),
        Reply::json(200, &json!({"url": null})),
        Reply::json(200, &json!([])),
        Reply::text(204, "", ""),
    ]);
    let http = server.client();
    assert!(http.me().await.unwrap_err().to_string().contains("`id`"));
    assert!(
        http.gateway()
            .await
            .unwrap_err()
            .to_string()
            .contains("`url`")
    );
    assert_eq!(
        http.gateway_bot().await.unwrap_err().kind(),
        ErrorKind::Decode
    );
    let error = http.me().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Decode, Some(StatusCode::NO_CONTENT))
    );
}

#[tokio::test(start_paused = true)]
async fn any_path_can_be_called_with_the_same_care() {
    let server = Server::script([
        Reply::json(200, &json!([{"id": "1"}])),
        Reply::text(204, "", ""),
        Reply::json(401, &json!({"code": 11244})),
        Reply::json(200, &json!({"ok": true})).with_header("x-tps-trace-id", "trace-1"),
        Reply::json(404, &json!({"code": 50001, "message": "no"})),
    ]);
    let http = server.client();
    let guilds: serde_json::Value = http
        .request(Method::GET, "/users/@me/guilds?limit=1", None)
        .await
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(guilds[0]["id"], "1");
    let response = http
        .request(Method::PUT, "/tomorrow/%2F", Some(json!({"a": 1})))
        .await
        .unwrap();
    assert_eq!(
        (
            response.status(),
            response.body().len(),
            response.trace_id()
        ),
        (StatusCode::NO_CONTENT, 0, None)
    );
    let response = http
        .request(Method::PATCH, "/tomorrow", None)
        .await
        .unwrap();
    assert_eq!(
        (response.attempts(), response.trace_id()),
        (2, Some("trace-1"))
    );
    let error = http
        .request(Method::DELETE, "/tomorrow", None)
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), error.route()),
        (Some(50001), Some("(custom path)"))
    );
    let error = http
        .request(Method::GET, "/a/../b", None)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts()),
        (ErrorKind::InvalidRequest, 0)
    );
    let paths: Vec<_> = server
        .received()
        .iter()
        .map(|request| format!("{} {}", request.method, request.path))
        .collect();
    assert_eq!(
        paths,
        [
            "GET /users/@me/guilds?limit=1",
            "PUT /tomorrow/%2F",
            "PATCH /tomorrow",
            "PATCH /tomorrow",
            "DELETE /tomorrow"
        ]
    );
    assert_eq!(server.received()[1].json(), json!({"a": 1}));
}

#[tokio::test(start_paused = true)]
async fn a_redirect_leads_nowhere() {
    let server = Server::script([
        Reply::text(302, "text/html", "").with_header("location", "http://other.example/")
    ]);
    let error = server.client().me().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Http, Some(StatusCode::FOUND))
    );
    assert_eq!(server.hosts(), ["127.0.0.1:9"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_is_a_value_and_its_future_can_move_between_tasks() {
    let server = Server::new(|_| Reply::json(200, &json!({"id": "m"})));
    let http = server.client();
    let call = http.group("g").send("hi").timeout(Duration::from_secs(5));
    assert!(
        server.received().is_empty(),
        "nothing happens before it is awaited"
    );
    let sent = tokio::spawn(call.into_future()).await.unwrap().unwrap();
    assert_eq!(sent.id().unwrap(), "m");
}

#[test]
fn a_client_can_be_made_outside_of_a_runtime() {
    let http = HttpClient::new(Token::new("1", "s")).unwrap();
    assert_eq!(http.environment().api(), "https://api.bot.qq.com");
}
