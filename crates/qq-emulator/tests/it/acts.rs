//! What users do besides speaking.

use qq_emulator::{Emulator, Say};
use serde_json::{Value, json};

use crate::client::{Gateway, MESSAGES, call, control, http, start};

const ALL: u64 = MESSAGES | 1 << 1 | 1 << 10 | 1 << 24 | 1 << 26;

/// The next event of a type.
async fn event(gateway: &mut Gateway, name: &str) -> Value {
    loop {
        let frame = gateway.frame().await;
        if frame["t"] == name {
            return frame;
        }
    }
}

async fn refused(emulator: &Emulator, path: &str, body: &Value) -> String {
    let answer = control(emulator, "POST", path, body).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    answer.json()["error"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

fn keyboard() -> Value {
    let button = |id: &str, action: Value| {
        let label = json!({"label": id, "visited_label": "done", "style": 1});
        json!({"id": id, "render_data": label, "action": action})
    };
    let everybody = json!({"type": 2});
    json!({"content": {"rows": [{"buttons": [
        button("go", json!({"type": 1, "data": "x", "permission": everybody})),
        button("link", json!({"type": 0, "data": "https://example.com", "permission": everybody})),
        button("admins", json!({"type": 1, "data": "y", "permission": {"type": 1}})),
    ]}]}})
}

#[tokio::test]
async fn a_click_reaches_the_bot_and_can_be_answered_in_every_scene() {
    let emulator = start().await;
    let (mut gateway, _) = Gateway::ready(&emulator, ALL).await;
    for (say, path) in [
        (Say::group("x"), "/v2/groups/{}/messages"),
        (Say::c2c("x"), "/v2/users/{}/messages"),
        (Say::channel("x"), "/channels/{}/messages"),
        (Say::direct("x"), "/dms/{}/messages"),
    ] {
        let said = emulator.say(say).await;
        let path = path.replace("{}", &said.conversation);
        let mut body = json!({
            "markdown": {"content": "press"}, "keyboard": keyboard(), "msg_id": said.message_id,
        });
        if path.starts_with("/v2/") {
            body["msg_type"] = 2.into();
        }
        let sent = call(&emulator, "POST", &path, &body).await.json();
        let click = json!({"message_id": sent["id"], "row": 0, "column": 0});
        let clicked = control(&emulator, "POST", "clicks", &click).await.json();
        let frame = event(&mut gateway, "INTERACTION_CREATE").await;
        assert_eq!(frame["id"], clicked["event_id"]);
        let d = &frame["d"];
        assert_eq!(d["id"], clicked["interaction_id"]);
        assert_eq!(d["data"]["resolved"]["button_data"], "x");
        assert_eq!(d["data"]["resolved"]["button_id"], "go");
        assert_eq!(d["application_id"], emulator.app_id());
        let ack = format!("/interactions/{}", d["id"].as_str().unwrap_or_default());
        let acked = call(&emulator, "PUT", &ack, &json!({"code": 0})).await;
        assert!(acked.status < 300, "{}", acked.body);
        let reply = json!({"content": "pressed", "event_id": frame["id"]});
        let replied = call(&emulator, "POST", &path, &reply).await;
        assert_eq!(replied.status, 200, "{path}: {}", replied.body);
    }
    assert!(
        emulator.violations().is_empty(),
        "{:?}",
        emulator.violations()
    );
}

#[tokio::test]
async fn a_button_is_pressed_only_as_it_allows() {
    let emulator = start().await;
    let said = emulator.say(Say::group("x")).await;
    let path = format!("/v2/groups/{}/messages", said.conversation);
    let body = json!({
        "msg_type": 2, "markdown": {"content": "press"}, "keyboard": keyboard(),
        "msg_id": said.message_id,
    });
    let sent = call(&emulator, "POST", &path, &body).await.json();
    for (button, author, why) in [
        ("link", "mia", "button: its action has type 0"),
        ("none", "mia", "button: the message has no such button"),
        ("admins", "ana", "author: ana may not press"),
        ("go", "zoe", "author: there is no user \"zoe\""),
    ] {
        let click = json!({"message_id": sent["id"], "button": button, "author": author});
        let error = refused(&emulator, "clicks", &click).await;
        assert!(error.starts_with(why), "{error}");
    }
    // mia owns the group.
    let click = json!({"message_id": sent["id"], "button": "admins", "author": "mia"});
    assert_eq!(
        control(&emulator, "POST", "clicks", &click).await.status,
        200
    );
    let unknown = refused(
        &emulator,
        "clicks",
        &json!({"message_id": "x", "button": "y"}),
    )
    .await;
    assert!(unknown.starts_with("message_id: "), "{unknown}");
    let neither = refused(&emulator, "clicks", &json!({"message_id": sent["id"]})).await;
    assert!(neither.starts_with("button: "), "{neither}");
}

#[tokio::test]
async fn users_react_and_take_it_back() {
    let emulator = start().await;
    let (mut gateway, _) = Gateway::ready(&emulator, ALL).await;
    let said = emulator.say(Say::channel("hello")).await;
    let add = json!({"message_id": said.message_id, "type": 2, "id": "128077", "author": "leo"});
    assert_eq!(
        control(&emulator, "POST", "reactions", &add).await.status,
        200
    );
    let frame = event(&mut gateway, "MESSAGE_REACTION_ADD").await;
    let leo = &emulator.world().users[1].id;
    assert_eq!(frame["d"]["user_id"], *leo);
    assert_eq!(frame["d"]["target"]["id"], said.message_id);
    let again = refused(&emulator, "reactions", &add).await;
    assert!(again.starts_with("id: the user has reacted"), "{again}");
    let list = format!(
        "/channels/{}/messages/{}/reactions/2/128077",
        said.conversation, said.message_id
    );
    let users = call(&emulator, "GET", &list, &json!(null)).await.json();
    assert_eq!(users["users"][0]["id"], *leo);
    let mut remove = add.clone();
    remove["remove"] = true.into();
    control(&emulator, "POST", "reactions", &remove).await;
    event(&mut gateway, "MESSAGE_REACTION_REMOVE").await;
    let again = refused(&emulator, "reactions", &remove).await;
    assert!(again.contains("has not reacted"), "{again}");
    let elsewhere = emulator.say(Say::group("x")).await;
    let group = json!({"message_id": elsewhere.message_id, "type": 2, "id": "1"});
    refused(&emulator, "reactions", &group).await;
}

#[tokio::test]
async fn users_take_back_their_own_messages() {
    let emulator = start().await;
    let (mut gateway, _) = Gateway::ready(&emulator, ALL).await;
    for (say, name) in [
        (Say::channel("x"), Some("PUBLIC_MESSAGE_DELETE")),
        (Say::direct("x"), Some("DIRECT_MESSAGE_DELETE")),
        (Say::group("x"), None),
        (Say::c2c("x"), None),
    ] {
        let said = emulator.say(say).await;
        let recall = json!({"message_id": said.message_id});
        let answer = control(&emulator, "POST", "recalls", &recall).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        if let Some(name) = name {
            let frame = event(&mut gateway, name).await;
            assert_eq!(frame["d"]["message"]["id"], said.message_id);
        }
        let item = emulator.timeline().pop().expect("it was said");
        assert!(item.recalled);
        let again = refused(&emulator, "recalls", &recall).await;
        assert!(again.contains("before"), "{again}");
    }
    let said = emulator.say(Say::c2c("x")).await;
    let path = format!("/v2/users/{}/messages", said.conversation);
    let body = json!({"content": "y", "msg_id": said.message_id});
    let sent = call(&emulator, "POST", &path, &body).await.json();
    let bots = refused(&emulator, "recalls", &json!({"message_id": sent["id"]})).await;
    assert!(bots.contains("a bot's"), "{bots}");
}

#[tokio::test]
async fn somebody_new_can_speak_everywhere() {
    let emulator = start().await;
    let (mut gateway, _) = Gateway::ready(&emulator, ALL).await;
    let noa = control(&emulator, "POST", "users", &json!({"name": " noa "})).await;
    assert_eq!(noa.json()["name"], "noa");
    for name in ["FRIEND_ADD", "GROUP_MEMBER_ADD", "GUILD_MEMBER_ADD"] {
        event(&mut gateway, name).await;
    }
    for say in [
        Say::group("x"),
        Say::c2c("x"),
        Say::channel("x"),
        Say::direct("x"),
    ] {
        emulator.say(say.author("noa")).await;
    }
    for name in ["", "noa", "a\nb", &"x".repeat(33)] {
        let error = refused(&emulator, "users", &json!({"name": name})).await;
        assert!(error.starts_with("name: "), "{error}");
    }
}

#[tokio::test]
async fn users_quote_in_every_scene() {
    let emulator = start().await;
    let (mut gateway, _) = Gateway::ready(&emulator, ALL).await;
    for say in [Say::group("a"), Say::c2c("a")] {
        let first = emulator.say(say.clone()).await;
        let before = gateway.frame().await;
        let index = before["d"]["message_scene"]["ext"][0]
            .as_str()
            .and_then(|text| text.strip_prefix("msg_idx="))
            .map(str::to_owned);
        emulator.say(say.reply_to(&first.message_id)).await;
        let d = gateway.frame().await["d"].take();
        assert_eq!(d["message_type"], 103);
        assert_eq!(d["msg_elements"][0]["content"], "a");
        assert_eq!(d["msg_elements"][0]["msg_idx"].as_str(), index.as_deref());
        let quoted = format!("ref_msg_idx={}", index.unwrap_or_default());
        assert_eq!(d["message_scene"]["ext"][0], quoted);
    }
    for say in [Say::channel("a"), Say::direct("a")] {
        let first = emulator.say(say.clone()).await;
        gateway.frame().await;
        emulator.say(say.reply_to(&first.message_id)).await;
        let d = gateway.frame().await["d"].take();
        assert_eq!(d["message_reference"]["message_id"], first.message_id);
    }
    let elsewhere = emulator.timeline()[0].message_id.clone();
    let error = emulator.try_say(Say::c2c("x").reply_to(elsewhere)).await;
    assert!(error.is_err_and(|why| why.starts_with("reply_to: ")));
}

#[tokio::test]
async fn a_file_is_kept_and_shown_without_running_anything() {
    let emulator = start().await;
    let html = "<script>alert(1)</script>";
    let path = "/emulator/v1/files?name=a%20%22b%22.html";
    let kept = http(&emulator, "POST", path, "", html).await.json();
    assert_eq!(kept["filename"], "a \"b\".html");
    assert_eq!(kept["size"], html.len());
    let url = kept["url"].as_str().unwrap_or_default();
    let path = url
        .strip_prefix(emulator.base_url())
        .expect("its own address");
    let got = http(&emulator, "GET", path, "", "").await;
    assert_eq!(got.body, html);
    assert_eq!(got.header("content-type"), Some("application/octet-stream"));
    assert_eq!(got.header("x-content-type-options"), Some("nosniff"));
    let alone = got.header("content-security-policy").unwrap_or_default();
    assert!(alone.contains("sandbox"), "{alone}");
    let empty = http(&emulator, "POST", "/emulator/v1/files", "", "").await;
    assert_eq!(empty.status, 400);
}

#[tokio::test]
async fn one_fault_is_removed_by_its_place() {
    let emulator = start().await;
    let faults = json!([
        {"route": "get_me", "status": 500},
        {"event": "HEARTBEAT_ACK", "action": "discard"},
    ]);
    control(&emulator, "POST", "faults", &faults).await;
    let removed = control(&emulator, "DELETE", "faults/1", &json!(null)).await;
    assert_eq!(removed.status, 200);
    let left = control(&emulator, "GET", "faults", &json!(null))
        .await
        .json();
    assert_eq!(left.as_array().map(Vec::len), Some(1));
    assert_eq!(left[0]["event"], "HEARTBEAT_ACK");
    for place in ["0", "2", "x"] {
        let path = format!("faults/{place}");
        let answer = control(&emulator, "DELETE", &path, &json!(null)).await;
        assert_eq!(answer.status, 400, "{place}");
    }
}
