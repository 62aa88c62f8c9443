//! The token endpoint, and tokens in use.

use std::time::Duration;

use serde_json::json;

use crate::client::{call, codes, control, http, start, token, token_request, violation};

#[tokio::test]
async fn one_token_with_its_time_left_as_a_string() {
    let emulator = start().await;
    let body = json!({"appId": emulator.app_id(), "clientSecret": emulator.secret()}).to_string();
    let answer = token_request(&emulator, &body).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("x-tps-trace-id").unwrap().len(), 32);
    let first = answer.json();
    assert_eq!(first["expires_in"], "7200");
    emulator.advance(Duration::from_secs(3600));
    let second = token_request(&emulator, &body).await.json();
    assert_eq!(second["access_token"], first["access_token"]);
    let left: u64 = second["expires_in"].as_str().unwrap().parse().unwrap();
    assert!((3590..=3600).contains(&left), "{left}");
    emulator.change_settings(|settings| settings.expires_in_as_number = true);
    let third = token_request(&emulator, &body).await.json();
    assert!(third["expires_in"].is_u64());
}

#[tokio::test]
async fn in_the_last_minute_a_new_one_and_the_old_stays_valid() {
    let emulator = start().await;
    let old = token(&emulator).await;
    let use_it = async |token: &str| {
        let header = format!("Authorization: QQBot {token}\r\n");
        http(&emulator, "GET", "/users/@me", &header, "").await
    };
    emulator.advance(Duration::from_secs(7139));
    assert_eq!(token(&emulator).await, old);
    emulator.advance(Duration::from_secs(2));
    let new = token(&emulator).await;
    assert_ne!(new, old);
    assert_eq!(token(&emulator).await, new);
    assert_eq!(use_it(&old).await.status, 200);
    assert_eq!(use_it(&new).await.status, 200);
    assert!(emulator.violations().is_empty());
    emulator.advance(Duration::from_secs(60));
    let refused = use_it(&old).await;
    assert_eq!((refused.status, refused.code()), (401, 11_244));
    assert_eq!(refused.json()["err_code"], 40_011_027);
    assert_eq!(
        refused.json()["trace_id"].as_str(),
        refused.header("x-tps-trace-id")
    );
    assert_eq!(violation(&emulator).code, "rest.auth.expired");
    assert_eq!(use_it(&new).await.status, 200);
}

#[tokio::test]
async fn revoked_tokens_are_refused_without_blame() {
    let emulator = start().await;
    let old = token(&emulator).await;
    assert_eq!(
        control(&emulator, "POST", "tokens/expire", &json!(null))
            .await
            .status,
        200
    );
    let header = format!("Authorization: QQBot {old}\r\n");
    let refused = http(&emulator, "GET", "/gateway", &header, "").await;
    assert_eq!((refused.status, refused.code()), (401, 11_244));
    assert_ne!(token(&emulator).await, old);
    assert_eq!(
        call(&emulator, "GET", "/gateway", &json!(null))
            .await
            .status,
        200
    );
    assert!(emulator.violations().is_empty());
}

#[tokio::test]
async fn refusals_come_with_status_200() {
    let emulator = start().await;
    let (id, secret) = (emulator.app_id().to_owned(), emulator.secret().to_owned());
    for (body, code, violation) in [
        (
            json!({"appId": id, "clientSecret": "x"}).to_string(),
            100_016,
            "token.secret",
        ),
        (
            json!({"appId": "1", "clientSecret": secret}).to_string(),
            100_007,
            "token.app_id",
        ),
        (
            json!({"appId": 102_000_001, "clientSecret": secret}).to_string(),
            100_007,
            "token.body",
        ),
        (json!({"appId": id}).to_string(), 100_016, "token.body"),
        ("{".to_owned(), 100_007, "token.body"),
        ("[]".to_owned(), 100_007, "token.body"),
        (String::new(), 100_007, "token.body"),
    ] {
        let answer = token_request(&emulator, &body).await;
        assert_eq!((answer.status, answer.code()), (200, code), "{body}");
        assert!(answer.json()["message"].is_string());
        assert_eq!(codes(&emulator).pop().as_deref(), Some(violation), "{body}");
    }
    let wrong = http(&emulator, "GET", "/app/getAppAccessToken", "", "").await;
    assert_eq!(wrong.status, 405);
}

#[tokio::test]
async fn too_many_requests_are_refused() {
    let emulator = start().await;
    emulator.change_settings(|settings| settings.token_requests_per_minute = 2);
    token(&emulator).await;
    token(&emulator).await;
    let body = json!({"appId": emulator.app_id(), "clientSecret": emulator.secret()}).to_string();
    assert_eq!(token_request(&emulator, &body).await.code(), 100_001);
    assert_eq!(violation(&emulator).code, "token.too_fast");
    emulator.advance(Duration::from_secs(60));
    token(&emulator).await;
}

#[tokio::test]
async fn secrets_and_tokens_are_not_logged() {
    let emulator = start().await;
    let token = token(&emulator).await;
    let headers = format!("Authorization: QQBot {token}\r\nCookie: {token}\r\n");
    http(&emulator, "GET", "/users/@me", &headers, "").await;
    token_request(&emulator, "{\"clientSecret\":\"emulator-secret\"").await;
    let log = serde_json::to_string(&emulator.requests()).unwrap();
    assert!(
        log.contains("QQBot ***") && log.contains("\"clientSecret\":\"***\""),
        "{log}"
    );
    assert!(
        !log.contains(&token) && !log.contains(emulator.secret()),
        "{log}"
    );
}
