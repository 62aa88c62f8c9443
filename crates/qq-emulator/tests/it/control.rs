//! The control API: what it takes, and how it refuses.

use qq_emulator::Say;
use serde_json::{Value, json};

use crate::client::{End, Gateway, MESSAGES, call, control, http, start, token};

#[tokio::test]
async fn bad_calls_name_the_field_and_the_fix() {
    let emulator = start().await;
    for (call, body, why) in [
        ("messages", "{", "body: send a JSON object"),
        ("messages", "[]", "body: send a JSON object"),
        (
            "messages",
            "{}",
            "scene: is missing; give group, c2c, channel or direct",
        ),
        (
            "messages",
            r#"{"scene":"guild","content":"x"}"#,
            "scene: give group, c2c",
        ),
        (
            "messages",
            r#"{"scene":1,"content":"x"}"#,
            "scene: give group, c2c",
        ),
        ("messages", r#"{"scene":"group"}"#, "content: is missing"),
        (
            "messages",
            r#"{"scene":"group","content":1}"#,
            "content: give a string",
        ),
        (
            "messages",
            r#"{"scene":"group","content":"x","mention":true}"#,
            "mention: unknown; this call takes scene",
        ),
        (
            "messages",
            r#"{"scene":"group","content":"x","mention_bot":1}"#,
            "mention_bot: give true or false",
        ),
        (
            "messages",
            r#"{"scene":"group","content":"x","author":"bob"}"#,
            "author: there is no user \"bob\"",
        ),
        (
            "messages",
            r#"{"scene":"group","content":"x","conversation":"1"}"#,
            "conversation: there is no group \"1\"",
        ),
        (
            "messages",
            r#"{"scene":"channel","content":"x","conversation":"1"}"#,
            "conversation: there is no channel",
        ),
        (
            "messages",
            r#"{"scene":"direct","content":"x","conversation":"1"}"#,
            "conversation: there is no direct",
        ),
        (
            "messages",
            r#"{"scene":"c2c","content":"x","conversation":"1"}"#,
            "conversation: there is no user",
        ),
        (
            "messages",
            r#"{"scene":"c2c","content":"x","conversation":"leo","author":"mia"}"#,
            "author: in a C2C",
        ),
        (
            "messages",
            r#"{"scene":"group","content":"x","attachments":[1]}"#,
            "attachments[0]: give an object",
        ),
        (
            "messages",
            r#"{"scene":"group","content":"x","attachments":{}}"#,
            "attachments: give a list",
        ),
        ("events", r#"{"type":"X"}"#, "data: is missing"),
        ("events", r#"{"data":{}}"#, "type: is missing"),
        (
            "events",
            r#"{"type":"","data":{}}"#,
            "type: give the event's type",
        ),
        (
            "events",
            r#"{"type":"X","data":{},"session":"no"}"#,
            "session: there is no session",
        ),
        ("gateway/close", "{}", "code: is missing"),
        (
            "gateway/close",
            r#"{"code":1004}"#,
            "code: give a close code that a client can see",
        ),
        (
            "gateway/close",
            r#"{"code":70000}"#,
            "code: give a close code",
        ),
        (
            "gateway/close",
            r#"{"code":"4009"}"#,
            "code: give a close code",
        ),
        (
            "gateway/drop",
            r#"{"session":"no"}"#,
            "session: there is no session",
        ),
        (
            "gateway/reconnect",
            r#"{"session":7}"#,
            "session: give a session id",
        ),
        (
            "gateway/invalid-session",
            r#"{"resumable":"yes"}"#,
            "resumable: give true or false",
        ),
        (
            "clock",
            r#"{"advance_ms":-1}"#,
            "advance_ms: give how many milliseconds",
        ),
        ("clock", "{}", "advance_ms: is missing"),
    ] {
        let answer = http(&emulator, "POST", &format!("/emulator/v1/{call}"), "", body).await;
        assert_eq!(answer.status, 400, "{call} {body}");
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(error.starts_with(why), "{call} {body}: {error}");
    }
    let unknown = control(&emulator, "GET", "nothing", &json!(null)).await;
    assert_eq!(unknown.status, 404);
    assert!(
        unknown.json()["error"]
            .as_str()
            .unwrap()
            .contains("/emulator/v1/nothing")
    );
    let method = control(&emulator, "DELETE", "outbox", &json!(null)).await;
    assert_eq!(
        (method.status, method.json()["error"].is_string()),
        (405, true)
    );
    for query in ["outbox?after=x", "timeline?before=1", "live?after=-1"] {
        let answer = control(&emulator, "GET", query, &json!(null)).await;
        assert_eq!(
            (answer.status, answer.json()["error"].is_string()),
            (400, true),
            "{query}"
        );
    }
    let settings = control(&emulator, "PATCH", "settings", &json!({"no_such": 1})).await;
    assert_eq!(settings.status, 400);
    assert!(
        settings.json()["error"]
            .as_str()
            .unwrap()
            .starts_with("no_such:")
    );
    assert!(
        emulator.violations().is_empty(),
        "control calls are no client calls"
    );
}

#[tokio::test]
async fn everything_of_the_world_can_be_spoken_in() {
    let emulator = start().await;
    let world = control(&emulator, "GET", "world", &json!(null))
        .await
        .json();
    assert_eq!(world["bots"][0]["app_id"], emulator.app_id());
    assert_eq!(world["bots"][0]["secret"], emulator.secret());
    let of_guilds: Vec<&Value> = world["guilds"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|guild| guild["channels"].as_array().unwrap())
        .collect();
    assert_eq!(world["channels"], json!(of_guilds));
    let user = &world["users"][1];
    for (scene, conversations) in [
        ("group", vec![&world["groups"][0]["id"], &json!(null)]),
        (
            "c2c",
            vec![&user["openid"], &user["id"], &user["name"], &json!(null)],
        ),
        ("channel", vec![&world["channels"][1]["id"], &json!(null)]),
        (
            "direct",
            vec![&world["direct"][1]["guild_id"], &user["id"], &json!(null)],
        ),
    ] {
        let mut answered = Vec::new();
        for conversation in conversations {
            for author in [&user["id"], &user["openid"], &user["name"]] {
                let body = json!({"scene": scene, "content": "x", "conversation": conversation,
                                  "author": author, "mention_bot": null, "attachments": []});
                let answer = control(&emulator, "POST", "messages", &body).await;
                assert_eq!(answer.status, 200, "{body}: {}", answer.body);
                assert_eq!(answer.header("content-type"), Some("application/json"));
                answered.push(answer.json()["conversation"].clone());
            }
        }
        if scene == "c2c" || scene == "direct" {
            assert!(
                answered.iter().all(|one| *one == answered[0]),
                "{answered:?}"
            );
        }
    }
    let timeline = control(&emulator, "GET", "timeline?after=2", &json!(null))
        .await
        .json();
    assert_eq!(timeline["last"], 33);
    assert_eq!(timeline["items"][0]["n"], 3);
    assert_eq!(timeline["items"][0]["reply_to"], Value::Null);
    assert_eq!(timeline["items"][0]["body"], Value::Null);
    assert_eq!(timeline["items"][0]["author"]["name"], "leo");
}

#[tokio::test]
async fn requests_sessions_and_violations_are_shown() {
    let emulator = start().await;
    let (_gateway, ready) = Gateway::ready(&emulator, MESSAGES).await;
    call(&emulator, "GET", "/nowhere?x=1", &json!(null)).await;
    let get = async |call: &str| control(&emulator, "GET", call, &json!(null)).await.json();
    let requests = get("requests?after=1").await;
    let last = requests.as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["path"], &last["query"]),
        (&json!("/nowhere"), &json!("x=1"))
    );
    assert_eq!(
        (&last["status"], &last["method"]),
        (&json!(404), &json!("GET"))
    );
    assert_eq!(last["headers"]["authorization"], "QQBot ***");
    assert_eq!(last["headers"]["user-agent"], "raw/1");
    let sessions = get("sessions").await;
    assert_eq!(sessions[0]["id"], ready["session_id"]);
    assert_eq!(sessions[0]["shard"], json!([0, 1]));
    assert_eq!(sessions[0]["intents"], MESSAGES);
    assert_eq!(
        (&sessions[0]["connected"], &sessions[0]["acknowledged"]),
        (&json!(true), &json!(0))
    );
    let violation = &get("violations").await[0];
    for member in [
        "n", "at", "level", "code", "rule", "message", "client", "request",
    ] {
        assert!(!violation[member].is_null(), "{member} in {violation}");
    }
    assert_eq!(violation["level"], "error");
    assert_eq!(get("violations?after=1").await, json!([]));
}

#[tokio::test]
async fn events_are_pushed_with_a_chosen_id_to_a_chosen_session() {
    let emulator = start().await;
    let (mut one, ready) = Gateway::ready(&emulator, MESSAGES).await;
    let (mut two, _) = Gateway::ready(&emulator, MESSAGES).await;
    let body =
        json!({"type": "X_EVENT", "data": null, "id": "X_EVENT:1", "session": ready["session_id"]});
    let answer = control(&emulator, "POST", "events", &body).await.json();
    assert_eq!(answer, json!({"event_id": "X_EVENT:1", "sessions": 1}));
    let frame = one.frame().await;
    assert_eq!(
        frame,
        json!({"op": 0, "s": 2, "t": "X_EVENT", "id": "X_EVENT:1", "d": null})
    );
    two.quiet().await;
}

#[tokio::test]
async fn settings_and_clock_are_changed_and_shown() {
    let emulator = start().await;
    let body = json!({"heartbeat_interval": 500, "shards": 3, "reply_budget": 1});
    let patched = control(&emulator, "PATCH", "settings", &body).await.json();
    assert_eq!(patched["c2c_reply_budget"], 1);
    let shown = control(&emulator, "GET", "settings", &json!(null))
        .await
        .json();
    assert_eq!(shown, patched);
    let (_gateway, interval) = Gateway::hello(&emulator).await;
    assert_eq!(interval, 500);
    let gateway = call(&emulator, "GET", "/gateway/bot", &json!(null))
        .await
        .json();
    assert_eq!(gateway["shards"], 3);

    let before = control(&emulator, "GET", "clock", &json!(null))
        .await
        .json();
    let after = control(
        &emulator,
        "POST",
        "clock",
        &json!({"advance_ms": 86_400_000}),
    )
    .await
    .json();
    assert_eq!(after["advanced_ms"], 86_400_000);
    assert_ne!(
        before["now"].as_str().unwrap()[..10],
        after["now"].as_str().unwrap()[..10]
    );
}

#[tokio::test]
async fn reset_starts_from_nothing() {
    let emulator = start().await;
    let first = emulator.say(Say::group("x")).await;
    let old_token = token(&emulator).await;
    let (mut gateway, _) = Gateway::ready(&emulator, MESSAGES).await;
    call(&emulator, "GET", "/nowhere", &json!(null)).await;
    control(&emulator, "PATCH", "settings", &json!({"shards": 3})).await;
    assert_eq!(
        control(&emulator, "POST", "reset", &json!(null))
            .await
            .status,
        200
    );
    assert_eq!(gateway.end().await, End::Closed(4900));
    assert!(emulator.timeline().is_empty() && emulator.outbox().is_empty());
    assert!(emulator.violations().is_empty() && emulator.sessions().is_empty());
    let settings = control(&emulator, "GET", "settings", &json!(null))
        .await
        .json();
    assert_eq!(settings["shards"], 1);
    let header = format!("Authorization: QQBot {old_token}\r\n");
    let answer = http(&emulator, "GET", "/gateway", &header, "").await;
    assert_eq!(answer.status, 401);
    assert_eq!(emulator.say(Say::group("x")).await, first);
}

#[tokio::test]
async fn logs_are_bounded() {
    let emulator = start().await;
    emulator.change_settings(|settings| {
        settings.log_size = 3;
        settings.message_memory = 4;
    });
    let first = emulator.say(Say::group("x")).await;
    for _ in 0..5 {
        emulator.say(Say::group("x")).await;
        call(&emulator, "GET", "/nowhere", &json!(null)).await;
    }
    assert_eq!(emulator.timeline().len(), 3);
    assert_eq!(emulator.requests().len(), 3);
    assert_eq!(emulator.violations().len(), 3);
    assert_eq!(emulator.violations()[2].n, 5);
    let path = format!("/v2/groups/{}/messages", first.conversation);
    let body = json!({"content": "x", "msg_id": first.message_id});
    assert_eq!(
        call(&emulator, "POST", &path, &body).await.code(),
        40_034_024
    );
}

#[tokio::test]
async fn the_address_of_the_api_lists_its_calls() {
    let emulator = start().await;
    for path in ["/emulator/v1", "/emulator/v1/"] {
        let answer = http(&emulator, "GET", path, "", "").await;
        assert_eq!(answer.status, 200, "{path}");
        let index = answer.json();
        let described = http(&emulator, "GET", index["openapi"].as_str().unwrap(), "", "").await;
        assert_eq!(described.json()["openapi"], "3.1.0");
        let calls = index["calls"].as_array().unwrap();
        assert!(calls.len() > 30, "{}", calls.len());
        for call in calls {
            assert!(call["does"].as_str().unwrap().len() > 5, "{call}");
        }
        for call in calls.iter().filter(|call| call["method"] == "GET") {
            let path = call["path"].as_str().unwrap();
            // These two go on for ever.
            if path.ends_with("/live") || path.ends_with("/feed") {
                continue;
            }
            let answer = http(&emulator, "GET", path, "", "").await;
            assert_eq!(answer.status, 200, "{path}");
        }
    }
}
