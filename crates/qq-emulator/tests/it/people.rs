//! What users do, in Rust and by the control API, and waiting for bots.

use std::time::Duration;

use qq_emulator::{Emulator, Scene};
use serde_json::{Value, json};

use crate::client::{Gateway, call, control, start};

/// A connection that gets every event there is.
async fn all_events(emulator: &Emulator) -> Gateway {
    let settings = control(emulator, "GET", "settings", &Value::Null)
        .await
        .json();
    let granted = settings["granted_intents"].as_u64().unwrap();
    Gateway::ready(emulator, granted).await.0
}

fn keyboard() -> Value {
    let button = |id: &str, label: &str, kind: i64, permission: Value| {
        json!({
            "id": id,
            "render_data": {"label": label, "visited_label": label},
            "action": {"type": kind, "data": format!("data of {id}"), "permission": permission,
                       "unsupport_tips": "no"},
        })
    };
    let all = json!({"type": 2});
    let row = json!({"buttons": [
        button("1", "yes", 1, all.clone()),
        button("2", "say it", 2, all.clone()),
        button("3", "link", 0, all),
        button("4", "chiefs", 1, json!({"type": 1})),
    ]});
    json!({"msg_type": 2, "markdown": {"content": "choose"},
           "keyboard": {"content": {"rows": [row]}}})
}

#[tokio::test]
async fn a_click_is_an_interaction_that_is_acknowledged() {
    let emulator = start().await;
    let mut gateway = all_events(&emulator).await;
    let group = emulator.world().groups[0].id.clone();
    let path = format!("/v2/groups/{group}/messages");
    let sent = call(&emulator, "POST", &path, &keyboard()).await;
    assert_eq!(sent.status, 200, "{}", sent.body);

    let mia = emulator.user("mia").in_group("tea house");
    let click = mia.clicks("yes").await;
    let frame = gateway.frame().await;
    assert_eq!(frame["t"], "INTERACTION_CREATE");
    assert_eq!(frame["id"], click.event_id);
    assert_eq!(frame["d"]["chat_type"], 1);
    assert_eq!(frame["d"]["group_openid"], group);
    assert_eq!(frame["d"]["data"]["resolved"]["button_data"], "data of 1");
    let id = click.interaction_id.unwrap();
    assert_eq!(frame["d"]["id"], id);

    let path = format!("/interactions/{id}");
    let answer = call(&emulator, "PUT", &path, &json!({"code": 2})).await;
    assert_eq!(answer.status, 200);
    assert_eq!(emulator.acknowledgement(&id).await.unwrap(), 2);

    let said = mia.clicks("say it").await;
    let frame = gateway.frame().await;
    assert_eq!(frame["t"], "GROUP_AT_MESSAGE_CREATE");
    assert_eq!(frame["d"]["id"], said.message_id.unwrap());
    assert_eq!(frame["d"]["content"], " data of 2");

    let ana = emulator.user("ana").in_group("tea house");
    for (button, why) in [
        (
            "no",
            "button: no message here has a button \"no\"; there are \"yes\", ",
        ),
        ("link", "button: its action has type 0"),
        ("chiefs", "author: ana may not press this button"),
    ] {
        let click = std::panic::AssertUnwindSafe(ana.clicks(button));
        let panic = futures_util::FutureExt::catch_unwind(click)
            .await
            .unwrap_err();
        let error = panic.downcast_ref::<String>().unwrap();
        assert!(
            error.contains("people.rs") && error.contains(why),
            "{error}"
        );
    }
    // mia owns the group.
    mia.clicks("chiefs").await;
    assert_eq!(gateway.frame().await["t"], "INTERACTION_CREATE");
}

#[tokio::test]
async fn people_react_and_take_back() {
    let emulator = start().await;
    let mut gateway = all_events(&emulator).await;
    let ana = emulator.user("ana").in_channel("general");
    let said = ana.says("hello").await;
    while gateway.frame().await["t"] != "AT_MESSAGE_CREATE" {}
    ana.reacts("👍").await;
    let frame = gateway.frame().await;
    assert_eq!(frame["t"], "MESSAGE_REACTION_ADD");
    assert_eq!(frame["d"]["target"]["id"], said.message_id);
    assert_eq!(frame["d"]["emoji"], json!({"id": "128077", "type": 2}));
    let channel = &said.conversation;
    let id = &said.message_id;
    let path = format!("/channels/{channel}/messages/{id}/reactions/2/128077");
    let users = call(&emulator, "GET", &path, &Value::Null).await.json();
    assert_eq!(users["users"][0]["username"], "ana");
    ana.unreacts("👍").await;
    assert_eq!(gateway.frame().await["t"], "MESSAGE_REACTION_REMOVE");
    let users = call(&emulator, "GET", &path, &Value::Null).await.json();
    assert_eq!(users["users"], json!([]));

    ana.recalls(&said.message_id).await;
    assert_eq!(gateway.frame().await["t"], "MESSAGE_DELETE");
    let frame = gateway.frame().await;
    assert_eq!(frame["t"], "PUBLIC_MESSAGE_DELETE");
    assert_eq!(frame["d"]["op_user"]["id"], emulator.world().users[2].id);
    let path = format!("/channels/{channel}/messages/{id}");
    let gone = call(&emulator, "GET", &path, &Value::Null).await;
    assert_eq!(gone.code(), 304_026);
    assert!(emulator.timeline()[0].recalled);

    let direct = emulator.user("ana").in_direct();
    let aside = direct.says("psst").await;
    assert_eq!(gateway.frame().await["t"], "DIRECT_MESSAGE_CREATE");
    direct.recalls(aside.message_id).await;
    assert_eq!(gateway.frame().await["t"], "DIRECT_MESSAGE_DELETE");
}

#[tokio::test]
async fn people_and_the_bot_come_and_go() {
    let emulator = start().await;
    let mut gateway = all_events(&emulator).await;
    let max = emulator.add_stranger("max").unwrap();
    assert!(emulator.add_stranger("max").is_err());
    let group = emulator.user("max").in_group("tea house");
    let guild = emulator.user("max").in_channel("general");
    group.asks_to_join("let me in").await;
    group.joins().await;
    group.leaves().await;
    guild.joins().await;
    guild.leaves().await;
    let mia = emulator.user("mia");
    mia.in_c2c().removes_friend().await;
    mia.in_c2c().adds_friend().await;
    mia.in_c2c().refuses_messages().await;
    mia.in_c2c().allows_messages().await;
    mia.in_group("tea house").refuses_messages().await;
    mia.in_group("tea house").allows_messages().await;
    mia.in_channel("voice").enters().await;
    mia.in_channel("voice").exits().await;
    mia.in_group("tea house").removes_bot().await;
    assert!(emulator.world().groups.is_empty());
    let path = format!("/v2/groups/{}/messages", emulator.world().left_groups[0].id);
    let refused = call(
        &emulator,
        "POST",
        &path,
        &json!({"content": "hi", "msg_type": 0}),
    )
    .await;
    assert_eq!(refused.code(), 40_034_101);
    mia.in_group("tea house").adds_bot().await;
    mia.in_channel("general").removes_bot().await;
    mia.in_channel("general").adds_bot().await;
    let mut seen = Vec::new();
    while seen.len() < 17 {
        let frame = gateway.frame().await;
        seen.push(frame["t"].as_str().unwrap().to_owned());
    }
    let wanted = [
        "GROUP_JOIN_REQUEST",
        "GROUP_MEMBER_ADD",
        "GROUP_MEMBER_REMOVE",
        "GUILD_MEMBER_ADD",
        "GUILD_MEMBER_REMOVE",
        "FRIEND_DEL",
        "FRIEND_ADD",
        "C2C_MSG_REJECT",
        "C2C_MSG_RECEIVE",
        "GROUP_MSG_REJECT",
        "GROUP_MSG_RECEIVE",
        "AUDIO_OR_LIVE_CHANNEL_MEMBER_ENTER",
        "AUDIO_OR_LIVE_CHANNEL_MEMBER_EXIT",
        "GROUP_DEL_ROBOT",
        "GROUP_ADD_ROBOT",
        "GUILD_DELETE",
        "GUILD_CREATE",
    ];
    assert_eq!(seen, wanted);
    let world = emulator.world();
    assert!(world.direct.iter().any(|direct| direct.user_id == max.id));
    assert_eq!((world.groups.len(), world.guilds.len()), (1, 2));
}

#[tokio::test]
async fn a_picture_can_be_fetched() {
    let emulator = start().await;
    let mut gateway = all_events(&emulator).await;
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x07\0\0\0\x09".to_vec();
    png.extend([0; 16]);
    emulator.user("leo").in_c2c().sends_image(png.clone()).await;
    let attachment = gateway.frame().await["d"]["attachments"][0].clone();
    assert_eq!(attachment["content_type"], "image/png");
    assert_eq!(
        (&attachment["width"], &attachment["height"]),
        (&json!(7), &json!(9))
    );
    assert_eq!(attachment["size"], png.len());
    let url = attachment["url"].as_str().unwrap();
    let path = url.strip_prefix(emulator.base_url()).unwrap();
    let mut stream = crate::client::connect(&emulator).await;
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes())
        .await
        .unwrap();
    let mut answer = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer)
        .await
        .unwrap();
    assert!(answer.ends_with(&png));
}

#[tokio::test]
async fn every_reply_is_given_once_and_a_missing_one_says_what_happened() {
    let deadline = Duration::from_millis(50);
    let emulator = Emulator::builder()
        .reply_deadline(deadline)
        .start()
        .await
        .unwrap();
    let user = emulator.world().users[0].openid.clone();
    let path = format!("/v2/users/{user}/messages");
    for content in ["one", "two"] {
        call(
            &emulator,
            "POST",
            &path,
            &json!({"content": content, "msg_type": 0}),
        )
        .await;
    }
    let typing = json!({"msg_type": 6, "input_notify": {"input_type": 1, "input_second": 9}});
    call(&emulator, "POST", &path, &typing).await;
    for content in ["one", "two"] {
        let reply = emulator.next_reply().await.unwrap();
        assert_eq!((reply.text(), reply.scene), (content, Scene::C2c));
    }
    let wrong = json!({"content": "three", "msg_type": 0, "msg_id": "nothing"});
    call(&emulator, "POST", &path, &wrong).await;
    let missed = emulator.next_reply().await.unwrap_err();
    assert_eq!(missed.waited(), deadline);
    assert_eq!(missed.connected(), 0);
    assert_eq!(missed.violations().last().unwrap().code, "rest.reply.id");
    let text = missed.to_string();
    assert!(
        text.starts_with("no reply within 50ms: no bot is connected"),
        "{text}"
    );
    assert!(text.contains("messages -> 400, code 40034024"), "{text}");
    assert!(text.contains("violation: rest.reply.id: msg_id"), "{text}");
    assert!(size_of_val(&missed) <= 64);
    emulator.reset();
    call(
        &emulator,
        "POST",
        &path,
        &json!({"content": "again", "msg_type": 0}),
    )
    .await;
    assert_eq!(emulator.next_reply().await.unwrap().text(), "again");
    let missed = emulator.acknowledgement("nothing").await.unwrap_err();
    assert!(missed.to_string().starts_with("no acknowledgement"));
    let missed = emulator.connected().await.unwrap_err();
    assert!(missed.to_string().starts_with("no session"));
}

#[tokio::test]
#[should_panic(expected = "people.rs")]
async fn a_wrong_name_panics_where_it_was_given() {
    let emulator = start().await;
    emulator.user("nobody").in_c2c().says("hi").await;
}

#[tokio::test]
async fn a_wrong_action_is_refused() {
    let emulator = start().await;
    for (body, why) in [
        (
            json!({"scene": "group"}),
            "action: is missing; give join, leave",
        ),
        (
            json!({"action": "fly", "scene": "group"}),
            "action: there is no \"fly\"; give join",
        ),
        (json!({"action": "join"}), "scene: is missing"),
        (
            json!({"action": "join", "scene": "c2c"}),
            "scene: join a group",
        ),
        (
            json!({"action": "join", "scene": "group"}),
            "author: is a member already",
        ),
        (
            json!({"action": "leave", "scene": "group", "author": "x"}),
            "author: there is no user",
        ),
        (
            json!({"action": "enter", "scene": "channel"}),
            "conversation: give a voice",
        ),
        (
            json!({"action": "add_bot", "scene": "group"}),
            "conversation: the bot was not",
        ),
        (
            json!({"action": "join", "scene": "group", "to": 1}),
            "to: unknown; this call takes",
        ),
    ] {
        let refused = control(&emulator, "POST", "actions", &body).await;
        assert_eq!(refused.status, 400, "{body}");
        let error = refused.json()["error"].as_str().unwrap().to_owned();
        assert!(error.starts_with(why), "{body}: {error}");
    }
}
