//! IDENTIFY, and everything that can be wrong before and with it.

use qq_emulator::{DuplicateShard, IdentifyPace, UngrantedIntents};
use serde_json::{Value, json};

use crate::client::{
    End, Gateway, MESSAGES, call, codes, connect, control, http, start, token, violation,
};

async fn refused(frames: &[Value]) -> (End, String) {
    let emulator = start().await;
    let (mut gateway, _) = Gateway::hello(&emulator).await;
    let token = token(&emulator).await;
    for frame in frames {
        let text = frame
            .to_string()
            .replace("TOKEN", &format!("QQBot {token}"));
        gateway.text(&text).await;
    }
    let end = gateway.end().await;
    (end, violation(&emulator).code)
}

#[tokio::test]
async fn bad_frames_are_closed_with_their_code() {
    let good = json!({"op": 2, "d": {"token": "TOKEN", "intents": 1, "shard": [0, 1]}});
    let identify = |d: Value| json!({"op": 2, "d": d});
    for (frames, code, violation) in [
        (
            vec![json!({"op": 1, "d": null})],
            4003,
            "ws.not_authenticated",
        ),
        (vec![json!({"op": 3})], 4003, "ws.opcode"),
        (vec![json!({"op": 42})], 4001, "ws.opcode"),
        (vec![good.clone(), json!({"op": 8})], 4001, "ws.opcode"),
        (vec![good.clone(), json!({"op": 11})], 4001, "ws.opcode"),
        (vec![json!({"d": 1})], 4002, "ws.payload"),
        (vec![json!({"op": "2"})], 4002, "ws.payload"),
        (vec![json!([1, 2])], 4002, "ws.payload"),
        (
            vec![good.clone(), json!({"op": 1, "d": "7"})],
            4002,
            "ws.payload",
        ),
        (
            vec![good.clone(), good.clone()],
            4005,
            "ws.already_authenticated",
        ),
        (
            vec![good.clone(), json!({"op": 6, "d": {}})],
            4005,
            "ws.already_authenticated",
        ),
        (vec![identify(json!({}))], 4002, "ws.payload"),
        (
            vec![identify(json!({"token": "TOKEN"}))],
            4002,
            "ws.payload",
        ),
        (
            vec![identify(json!({"token": "TOKEN", "intents": "1"}))],
            4002,
            "ws.payload",
        ),
        (
            vec![identify(json!({"token": "QQBot nonsense", "intents": 1}))],
            4004,
            "ws.token",
        ),
        (
            vec![identify(json!({"token": "nonsense", "intents": 1}))],
            4004,
            "ws.token_form",
        ),
        (
            vec![identify(
                json!({"token": "TOKEN", "intents": 1, "shard": [1, 1]}),
            )],
            4010,
            "ws.shard",
        ),
        (
            vec![identify(
                json!({"token": "TOKEN", "intents": 1, "shard": [0]}),
            )],
            4010,
            "ws.shard",
        ),
        (
            vec![identify(
                json!({"token": "TOKEN", "intents": 1, "shard": [-1, 2]}),
            )],
            4010,
            "ws.shard",
        ),
        (
            vec![identify(json!({"token": "TOKEN", "intents": 4}))],
            4013,
            "ws.intents",
        ),
        (
            vec![identify(json!({"token": "TOKEN", "intents": 1_u64 << 40}))],
            4013,
            "ws.intents",
        ),
        (
            vec![json!({"op": 6, "d": {"token": "TOKEN"}})],
            4002,
            "ws.payload",
        ),
    ] {
        let got = refused(&frames).await;
        assert_eq!(got, (End::Closed(code), violation.to_owned()), "{frames:?}");
    }
}

#[tokio::test]
async fn text_that_is_no_json_and_binary_frames_are_invalid_payloads() {
    use futures_util::SinkExt;
    use tokio_tungstenite::tungstenite::Message;
    let emulator = start().await;
    for message in [
        Message::Text("{".into()),
        Message::Binary(b"{\"op\":1}".to_vec().into()),
        Message::Text("x".repeat(70_000).into()),
    ] {
        let (mut gateway, _) = Gateway::hello(&emulator).await;
        gateway.socket.send(message).await.unwrap();
        assert_eq!(gateway.end().await, End::Closed(4002));
    }
    assert_eq!(codes(&emulator), ["ws.payload"; 3]);
}

#[tokio::test]
async fn a_missing_shard_is_the_only_one_and_ready_comes_first() {
    let emulator = start().await;
    let (mut gateway, interval) = Gateway::hello(&emulator).await;
    assert_eq!(interval, 41_250);
    let token = token(&emulator).await;
    gateway
        .send(&json!({"op": 2, "d": {"token": format!("QQBot {token}"), "intents": 0}, "Session": null}))
        .await;
    let ready = gateway.frame().await;
    assert_eq!(ready["t"], "READY");
    assert_eq!(ready["d"]["shard"], json!([0, 1]));
    assert_eq!(ready["d"]["version"], 1);
    assert!(ready["d"]["user"]["username"].is_string());
    let session = &emulator.sessions()[0];
    assert_eq!(ready["d"]["session_id"], session.id);
    assert!(session.connected);
    assert!(emulator.violations().is_empty());
}

#[tokio::test]
async fn ungranted_intents_are_refused_in_either_way() {
    let emulator = start().await;
    emulator.change_settings(|settings| settings.granted_intents &= !(1 << 9));
    let (mut gateway, _) = Gateway::hello(&emulator).await;
    gateway.identify(&emulator, MESSAGES, [0, 1]).await;
    assert_eq!(gateway.end().await, End::Closed(4014));
    emulator
        .change_settings(|settings| settings.ungranted_intents = UngrantedIntents::InvalidSession);
    let (mut gateway, _) = Gateway::hello(&emulator).await;
    gateway.identify(&emulator, MESSAGES, [0, 1]).await;
    assert_eq!(gateway.frame().await, json!({"op": 9, "d": false}));
    assert_eq!(gateway.end().await, End::Closed(4903));
    assert_eq!(codes(&emulator), ["ws.intents_not_granted"; 2]);
    assert!(emulator.sessions().is_empty());
}

#[tokio::test]
async fn session_starts_are_counted_down_and_refused() {
    let emulator = start().await;
    let limits = async || {
        call(&emulator, "GET", "/gateway/bot", &json!(null))
            .await
            .json()["session_start_limit"]
            .clone()
    };
    assert_eq!(limits().await["remaining"], 1000);
    let (_first, _) = Gateway::ready(&emulator, 1).await;
    let now = limits().await;
    assert_eq!(
        (&now["remaining"], &now["total"]),
        (&json!(999), &json!(1000))
    );
    assert!(now["reset_after"].as_u64().unwrap() <= 86_400_000);
    control(&emulator, "PATCH", "settings", &json!({"remaining": 0})).await;
    let (mut gateway, _) = Gateway::hello(&emulator).await;
    gateway.identify(&emulator, 1, [0, 2]).await;
    assert_eq!(gateway.end().await, End::Closed(4903));
    assert_eq!(violation(&emulator).code, "ws.session_limit");
    emulator.advance(std::time::Duration::from_secs(86_400));
    assert_eq!(limits().await["remaining"], 1000);
}

#[tokio::test]
async fn the_pace_of_identify_can_be_supervised() {
    let emulator = start().await;
    for (pace, expected) in [(IdentifyPace::Ignore, 0), (IdentifyPace::Record, 1)] {
        emulator.change_settings(|settings| settings.identify_pace = pace);
        for shard in [0, 1] {
            let (mut gateway, _) = Gateway::hello(&emulator).await;
            gateway.identify(&emulator, 1, [shard, 2]).await;
            assert_eq!(gateway.frame().await["t"], "READY");
        }
        assert_eq!(codes(&emulator), vec!["ws.identify_too_fast"; expected]);
    }
    emulator.change_settings(|settings| settings.identify_pace = IdentifyPace::Refuse);
    let (mut gateway, _) = Gateway::hello(&emulator).await;
    gateway.identify(&emulator, 1, [0, 1]).await;
    assert_eq!(gateway.end().await, End::Closed(4008));
    emulator.advance(std::time::Duration::from_secs(5));
    Gateway::ready(&emulator, 1).await;
}

#[tokio::test]
async fn two_connections_of_one_shard() {
    let emulator = start().await;
    let (mut first, _) = Gateway::ready(&emulator, MESSAGES).await;
    let (mut second, _) = Gateway::ready(&emulator, MESSAGES).await;
    assert_eq!(violation(&emulator).code, "ws.duplicate_shard");
    emulator.say(qq_emulator::Say::c2c("x")).await;
    assert_eq!(first.frame().await["d"], second.frame().await["d"]);
    emulator.change_settings(|settings| settings.duplicate_shard = DuplicateShard::Replace);
    let (_third, _) = Gateway::ready(&emulator, MESSAGES).await;
    assert_eq!(first.end().await, End::Closed(4902));
}

#[tokio::test]
async fn the_gateway_is_a_websocket() {
    let emulator = start().await;
    let answer = http(&emulator, "GET", "/websocket", "", "").await;
    assert_eq!((answer.status, answer.code()), (426, 426));
    assert_eq!(answer.header("x-tps-trace-id").map(str::len), Some(32));
    assert!(
        answer.json()["message"]
            .as_str()
            .unwrap()
            .contains("Upgrade")
    );
    let url = format!("ws://127.0.0.1:{}/websocket", emulator.port());
    let stream = connect(&emulator).await;
    tokio_tungstenite::client_async(url, stream).await.unwrap();
    assert_eq!(violation(&emulator).code, "ws.upgrade");
}
