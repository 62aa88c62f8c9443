//! Connections break in every way the platform breaks them; no event is lost, none handled twice.

use std::time::Duration;

use crate::support::{
    Echo, answer_to, assert_no_violations, client, control, eventually, run, stop, wait_until,
};
use qq_emulator::Emulator;
use qqbot::Status;
use serde_json::{Value, json};

async fn emulator() -> Emulator {
    Emulator::builder()
        .settings(|settings| {
            settings.reconnect_close_after_ms = 100;
            settings.invalid_session_close_after_ms = 100;
        })
        .start()
        .await
        .unwrap()
}

async fn say(emulator: &Emulator, text: &str) {
    control(
        emulator,
        "messages",
        &json!({"scene": "group", "content": text}),
    )
    .await;
}

/// A fault after which the session is resumed: what is said meanwhile arrives, too.
async fn resumes(path: &str, body: Value) {
    let emulator = emulator().await;
    let bot = Echo::default();
    let running = run(client(&emulator, bot.clone())).await;
    let session = running.client.get_session_info().unwrap().session_id;
    for round in 0..3 {
        let [before, during, after] =
            ["before", "during", "after"].map(|when| format!("{when} {round}"));
        say(&emulator, &before).await;
        answer_to(&emulator, &before).await;
        control(&emulator, path, &body).await;
        say(&emulator, &during).await;
        answer_to(&emulator, &during).await;
        let resumed = || {
            emulator
                .sessions()
                .iter()
                .any(|session| session.resumes > round && session.connected)
        };
        eventually("the session is resumed", resumed).await;
        wait_until(&running.client, |status| {
            matches!(status, Status::Ready { .. })
        })
        .await;
        say(&emulator, &after).await;
        answer_to(&emulator, &after).await;
        for text in [before, during, after] {
            assert_eq!(bot.calls(&text), 1, "{text}");
        }
    }
    assert_eq!(
        running.client.get_session_info().unwrap().session_id,
        session
    );
    assert!(running.client.stats().interruptions >= 3);
    // Renewals are routine; only a connection that broke is reported.
    let is_reported = path == "gateway/drop";
    let errors = bot.errors.lock().unwrap().clone();
    assert_eq!(errors.is_empty(), !is_reported, "{errors:?}");
    assert_no_violations(&emulator);
    stop(running).await;
}

/// A fault after which a new session is opened.
async fn identifies_anew(path: &str, body: Value) {
    let emulator = emulator().await;
    let bot = Echo::default();
    let running = run(client(&emulator, bot.clone())).await;
    let session = running.client.get_session_info().unwrap().session_id;
    say(&emulator, "before").await;
    answer_to(&emulator, "before").await;
    control(&emulator, path, &body).await;
    let is_new = || {
        running
            .client
            .get_session_info()
            .is_some_and(|info| info.session_id != session)
    };
    eventually("a new session", is_new).await;
    say(&emulator, "after").await;
    answer_to(&emulator, "after").await;
    assert_eq!((bot.calls("before"), bot.calls("after")), (1, 1));
    assert_no_violations(&emulator);
    stop(running).await;
}

#[tokio::test]
async fn a_dropped_connection_is_resumed() {
    resumes("gateway/drop", json!({})).await;
}

#[tokio::test]
async fn op_7_is_followed_by_a_resume() {
    resumes("gateway/reconnect", json!({})).await;
}

#[tokio::test]
async fn close_4009_is_followed_by_a_resume() {
    resumes("gateway/close", json!({"code": 4009})).await;
}

#[tokio::test]
async fn op_9_false_is_followed_by_a_new_session() {
    identifies_anew("gateway/invalid-session", json!({"resumable": false})).await;
}

#[tokio::test]
async fn close_4900_is_followed_by_a_new_session() {
    identifies_anew("gateway/close", json!({"code": 4900})).await;
}

#[tokio::test]
async fn a_fatal_close_ends_start_with_the_reason() {
    let emulator = emulator().await;
    let running = run(client(&emulator, Echo::default())).await;
    control(&emulator, "gateway/close", &json!({"code": 4914})).await;
    let error = tokio::time::timeout(Duration::from_secs(5), running.task)
        .await
        .unwrap()
        .unwrap()
        .unwrap_err();
    assert_eq!(
        error.gateway().unwrap().close_code().unwrap().0,
        4914,
        "{error:?}"
    );
    assert!(format!("{error:?}").contains("taken down"), "{error:?}");
    assert!(!running.client.is_connected());
}

#[tokio::test]
async fn a_revoked_token_is_replaced_and_the_answer_still_arrives() {
    let emulator = emulator().await;
    let running = run(client(&emulator, Echo::default())).await;
    say(&emulator, "before").await;
    answer_to(&emulator, "before").await;
    emulator.expire_tokens();
    say(&emulator, "after").await;
    answer_to(&emulator, "after").await;
    control(&emulator, "gateway/drop", &json!({})).await;
    say(&emulator, "resumed").await;
    answer_to(&emulator, "resumed").await;
    stop(running).await;
}
