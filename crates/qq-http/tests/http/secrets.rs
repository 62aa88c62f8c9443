//! Secrets and tokens show nowhere: not in logs at the finest level, not in errors, not in `Debug`.

use std::time::Duration;

use serde_json::json;

use crate::support::{Received, Reply, SECRET, Server, log};

#[tokio::test(start_paused = true)]
async fn no_secret_shows_whatever_the_server_repeats() {
    log::record();
    // A server that repeats every header and body it got, in each kind of answer.
    let mut turn = 0;
    let server = Server::new(move |request: &Received| {
        turn += 1;
        let echo = format!(
            "{:?} {}",
            request.headers,
            String::from_utf8_lossy(&request.body)
        );
        match turn % 6 {
            0 => Reply::json(
                400,
                &json!({"code": 50035, "message": echo, "trace_id": echo}),
            ),
            1 => Reply::json(200, &json!({"code": 11244, "message": echo})),
            2 => Reply::text(502, "text/html", echo),
            3 => Reply::text(200, "text/html", echo),
            4 => Reply::json(401, &json!({"code": 11244, "err_msg": echo})),
            _ => Reply::json(200, &json!({"id": "1", "username": echo})),
        }
    });
    let mut shown = String::new();
    let http = server.client();
    for _ in 0..12 {
        match http.me().await {
            Ok(_) => {}
            Err(error) => {
                shown += &format!(
                    "{error} {error:?} {:?} {:?}\n",
                    error.raw_body(),
                    error.message()
                );
            }
        }
        match http.group("GROUP-CANARY").send("TEXT-CANARY").await {
            Ok(_) => {}
            Err(error) => shown += &format!("{error} {error:?}\n"),
        }
    }
    let request = http
        .group("GROUP-CANARY")
        .send("TEXT-CANARY")
        .try_into_request()
        .unwrap();
    let response = http.request(qq_http::Method::GET, "/x", None).await;
    shown += &format!(
        "{http:?} {:?} {request:?} {response:?}",
        http.access_token()
    );
    // The token endpoint repeats the secret, and cuts an answer off within the token.
    for (status, body) in [
        (200, json!({"code": 100_001, "message": SECRET}).to_string()),
        (500, format!("<html>{SECRET}</html>")),
        (200, r#"{"access_token":"canary-token-cut"#.to_owned()),
        (
            200,
            json!({"access_token": "canary-token-bad\n", "expires_in": 1}).to_string(),
        ),
    ] {
        let server = Server::script([]);
        server
            .tokens
            .fail(move || Some(Reply::text(status, "application/json", body.clone())));
        let error = server
            .client()
            .me()
            .timeout(Duration::from_secs(5))
            .await
            .unwrap_err();
        shown += &format!("{error} {error:?} {:?}\n", error.raw_body());
    }
    let log = log::recorded();
    for canary in ["canary-secret", "canary-token"] {
        assert!(!shown.contains(canary), "{shown}");
        assert!(!log.contains(canary));
    }
    for part in [
        "qq.http.request",
        "route=\"/users/@me\"",
        "attempt=2",
        "status=502",
        "code=11244",
    ] {
        assert!(log.contains(part), "{part}");
    }
    for canary in ["GROUP-CANARY", "TEXT-CANARY"] {
        assert!(!log.contains(canary), "{canary}");
    }
}
