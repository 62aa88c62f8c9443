//! Nothing that a client sends brings the emulator down.

use futures_util::SinkExt;
use proptest::prelude::*;
use qq_emulator::Say;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Gateway, call, connect, control, http, start, token, token_request};

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[<@!&\\PC]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        let key = prop_oneof![
            "[a-z_]{1,8}",
            prop::sample::select(vec![
                "content",
                "markdown",
                "keyboard",
                "rows",
                "buttons",
                "msg_type",
                "msg_id",
                "msg_seq",
                "media",
                "ark",
                "embed",
                "appId",
                "clientSecret",
                "token",
                "intents",
                "shard",
                "seq",
                "session_id",
                "scene",
                "data",
                "type",
                "attachments",
            ])
            .prop_map(str::to_owned),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(key, inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bodies(body in json_value(), cut in 0..200_usize) {
        runtime().block_on(async {
            let emulator = start().await;
            let world = emulator.world();
            let text = body.to_string();
            let end = (0..=cut.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
            let auth = format!("Authorization: QQBot {}\r\n", token(&emulator).await);
            for path in [
                "/app/getAppAccessToken".to_owned(),
                format!("/v2/groups/{}/messages", world.groups[0].id),
                format!("/v2/users/{}/messages", world.users[0].openid),
                format!("/channels/{}/messages", world.guilds[0].channels[0].id),
                format!("/dms/{}/messages", world.direct[0].guild_id),
                "/emulator/v1/messages".to_owned(),
                "/emulator/v1/events".to_owned(),
                "/emulator/v1/gateway/close".to_owned(),
            ] {
                for text in [&text, &text[..end]] {
                    let answer = http(&emulator, "POST", &path, &auth, text).await;
                    prop_assert!(answer.status == 200 || answer.status == 400, "{path} {text}: {}", answer.status);
                }
            }
            let patch = http(&emulator, "PATCH", "/emulator/v1/settings", "", &text).await;
            prop_assert!(patch.status == 200 || patch.status == 400);
            Ok(())
        })?;
    }

    #[test]
    fn frames(frames in prop::collection::vec((0..14_i64, json_value()), 1..6), raw in prop::collection::vec(any::<u8>(), 0..80)) {
        runtime().block_on(async {
            let emulator = start().await;
            for identified in [false, true] {
                let mut gateway = if identified {
                    Gateway::ready(&emulator, 1).await.0
                } else {
                    Gateway::hello(&emulator).await.0
                };
                for (op, d) in &frames {
                    let text = json!({"op": op, "d": d}).to_string();
                    if gateway.socket.send(Message::Text(text.into())).await.is_err() {
                        break;
                    }
                }
            }
            // Bytes that are no WebSocket frames, and bytes that are no HTTP.
            let (mut gateway, _) = Gateway::hello(&emulator).await;
            let _ = gateway.socket.get_mut().write_all(&raw).await;
            let mut tcp = connect(&emulator).await;
            let _ = tcp.write_all(&raw).await;
            drop((gateway, tcp));
            let (_gateway, ready) = Gateway::ready(&emulator, 1).await;
            prop_assert!(ready["session_id"].is_string());
            Ok(())
        })?;
    }

    #[test]
    fn paths(path in "/[ -~]{0,40}") {
        let path: String = path.chars().map(|c| if c == ' ' || c == '#' { '_' } else { c }).collect();
        runtime().block_on(async {
            let emulator = start().await;
            let answer = call(&emulator, "GET", &path, &Value::Null).await;
            prop_assert!(answer.status >= 200, "{path}");
            prop_assert_eq!(call(&emulator, "GET", "/gateway", &Value::Null).await.status, 200);
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn deep_nesting_is_refused() {
    let emulator = start().await;
    let deep = format!(
        "{{\"content\":{}1{}}}",
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    let auth = format!("Authorization: QQBot {}\r\n", token(&emulator).await);
    let path = format!(
        "/channels/{}/messages",
        emulator.world().guilds[0].channels[0].id
    );
    assert_eq!(
        http(&emulator, "POST", &path, &auth, &deep).await.status,
        400
    );
    let (mut gateway, _) = Gateway::hello(&emulator).await;
    gateway.text(&deep).await;
    assert_eq!(gateway.end().await, crate::client::End::Closed(4002));
}

#[tokio::test]
async fn the_largest_numbers_are_survived() {
    let emulator = start().await;
    let settings = control(&emulator, "GET", "settings", &Value::Null)
        .await
        .json();
    for (name, value) in settings.as_object().unwrap() {
        if value.is_u64() {
            for most in [u64::MAX, u64::from(u32::MAX)] {
                control(&emulator, "PATCH", "settings", &json!({ name: most })).await;
            }
        }
    }
    let (mut gateway, _) = Gateway::ready(&emulator, 1 << 25).await;
    assert_eq!(emulator.reconnect(None), 1);
    assert_eq!(gateway.frame().await["op"], 7);
    gateway.send(&json!({"op": 1, "d": null})).await;
    assert_eq!(gateway.frame().await["op"], 11);
    for _ in 0..2 {
        control(&emulator, "POST", "clock", &json!({"advance_ms": u64::MAX})).await;
        let said = emulator.say(Say::c2c("x")).await;
        assert_eq!(gateway.frame().await["d"]["id"], said.message_id);
        let body = json!({"appId": emulator.app_id(), "clientSecret": emulator.secret()});
        assert_eq!(
            token_request(&emulator, &body.to_string()).await.status,
            200
        );
        assert_eq!(
            call(&emulator, "GET", "/gateway/bot", &Value::Null)
                .await
                .status,
            401
        );
    }
    let waiting = emulator.reply_after(0, std::time::Duration::MAX);
    assert!(
        tokio::time::timeout(std::time::Duration::from_millis(20), waiting)
            .await
            .is_err()
    );
}
