//! Messages in all four scenes: the shape of their events, and the answers.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use qq_emulator::{MentionDelivery, Say, Scene};
use serde_json::{Value, json};

use crate::client::{
    Gateway, MESSAGES, STEP, call, http, http_raw, quick, start, start_with, token,
};

/// Every path of members in a value, lists entered: `d.author.id`.
fn paths(value: &Value, at: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let path = format!("{at}.{name}");
                paths(value, &path, into);
                into.insert(path);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| paths(item, at, into)),
        _ => {}
    }
}

fn fixture_paths(event: &str) -> BTreeSet<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/events");
    let mut all = BTreeSet::new();
    let mut found = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.split('.').next() == Some(event) {
            let frame: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
            paths(&frame, "", &mut all);
            found += 1;
        }
    }
    assert!(found > 0, "no fixtures of {event}");
    all
}

/// What the event carries occurs in the fixtures of its type.
fn assert_shape(frame: &Value) {
    let event = frame["t"].as_str().unwrap();
    let known = fixture_paths(event);
    let mut ours = BTreeSet::new();
    paths(frame, "", &mut ours);
    let odd: Vec<_> = ours.difference(&known).collect();
    assert!(odd.is_empty(), "{event}: no fixture has {odd:?}");
    assert!(frame["d"]["content"].is_string());
    assert!(
        frame["id"]
            .as_str()
            .unwrap()
            .starts_with(&format!("{event}:"))
    );
    let at = frame["d"]["timestamp"].as_str().unwrap();
    assert!(at.ends_with("+08:00") && at.len() == 25, "{at}");
    assert!(frame["d"].get("attachments").is_none_or(Value::is_array));
}

#[tokio::test]
async fn a_group_message_and_its_answer() {
    let emulator = start().await;
    let (mut gateway, ready) = Gateway::ready(&emulator, MESSAGES).await;
    assert_eq!(ready["shard"], json!([0, 1]));
    assert!(ready["user"]["id"].as_str().unwrap().parse::<u64>().is_ok());

    let said = emulator.say(Say::group("a <b> & c")).await;
    let raw = gateway.raw().await;
    assert!(!raw.contains(['<', '>', '&']), "{raw}");
    let frame: Value = serde_json::from_str(&raw).unwrap();
    assert_shape(&frame);
    let d = &frame["d"];
    assert_eq!(
        (&frame["t"], &frame["s"]),
        (&json!("GROUP_AT_MESSAGE_CREATE"), &json!(2))
    );
    assert_eq!(frame["id"], said.event_id);
    assert_eq!(d["id"], said.message_id);
    assert_eq!(d["content"], " a <b> & c");
    assert_eq!(d["group_id"], d["group_openid"]);
    assert_eq!(d["group_openid"], said.conversation);
    assert_eq!(d["author"]["id"], d["author"]["member_openid"]);
    assert_eq!(d["author"]["bot"], false);
    assert_eq!(d["author"]["member_role"], "owner");
    assert!(
        d["message_scene"]["ext"][0]
            .as_str()
            .unwrap()
            .starts_with("msg_idx=REFIDX_")
    );

    let path = format!("/v2/groups/{}/messages", said.conversation);
    let body = json!({"content": "pong", "msg_type": 0, "msg_id": said.message_id, "msg_seq": 1});
    let answer = call(&emulator, "POST", &path, &body).await;
    assert_eq!(answer.status, 200);
    let answer = answer.json();
    assert!(answer["id"].as_str().unwrap().starts_with("ROBOT1.0_"));
    assert!(answer["timestamp"].as_str().unwrap().ends_with("+08:00"));
    assert!(
        answer["ext_info"]["ref_idx"]
            .as_str()
            .unwrap()
            .starts_with("REFIDX_")
    );

    let reply = emulator.reply_after(0, STEP).await.unwrap();
    assert_eq!(reply.scene, Scene::Group);
    assert_eq!(reply.text(), "pong");
    assert_eq!(reply.body, body);
    assert_eq!(reply.reply_to.as_ref(), Some(&said.message_id));
    assert_eq!(reply.message_id, answer["id"]);
    assert!(
        emulator
            .reply_after(1, Duration::from_millis(20))
            .await
            .is_none()
    );
    assert!(
        emulator.violations().is_empty(),
        "{:?}",
        emulator.violations()
    );
}

#[tokio::test]
async fn every_scene_there_and_back() {
    let emulator = start().await;
    let (mut gateway, _) = Gateway::ready(&emulator, MESSAGES).await;
    for (say, event, route) in [
        (
            Say::c2c("hi").author("leo"),
            "C2C_MESSAGE_CREATE",
            "/v2/users/",
        ),
        (
            Say::channel("hi <all>").author("ana"),
            "AT_MESSAGE_CREATE",
            "/channels/",
        ),
        (
            Say::channel("hi").mention_bot(false),
            "MESSAGE_CREATE",
            "/channels/",
        ),
        (
            Say::direct("hi").author("leo"),
            "DIRECT_MESSAGE_CREATE",
            "/dms/",
        ),
        (
            Say::group("hi").mention_bot(false),
            "GROUP_MESSAGE_CREATE",
            "/v2/groups/",
        ),
    ] {
        let said = emulator.say(say).await;
        let frame = gateway.frame().await;
        assert_eq!(frame["t"], event);
        assert_shape(&frame);
        let d = &frame["d"];
        match event {
            "C2C_MESSAGE_CREATE" => {
                assert_eq!(d["author"]["id"], d["author"]["user_openid"]);
                assert_eq!(d["author"]["id"], said.conversation);
            }
            "AT_MESSAGE_CREATE" => {
                let bot = d["mentions"][0]["id"].as_str().unwrap();
                assert_eq!(d["content"], format!("<@!{bot}> hi &lt;all&gt;"));
                assert_eq!(d["author"]["username"], "ana");
                assert_eq!(d["seq_in_channel"], "1");
            }
            "MESSAGE_CREATE" => assert_eq!(d["seq_in_channel"], "2"),
            "DIRECT_MESSAGE_CREATE" => {
                assert_eq!(d["direct_message"], true);
                assert_eq!(d["guild_id"], said.conversation);
                assert_ne!(d["src_guild_id"], d["guild_id"]);
            }
            _ => assert_eq!(d["content"], "hi"),
        }
        let path = format!("{route}{}/messages", said.conversation);
        let body = json!({"content": "yes", "msg_id": said.message_id});
        let answer = call(&emulator, "POST", &path, &body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        if route == "/channels/" || route == "/dms/" {
            let message = answer.json();
            assert_eq!(message["author"]["bot"], true);
            assert_eq!(message["content"], "yes");
            let text = include_str!("../fixtures/send_channel_message.response.json");
            let (mut wanted, mut ours) = (BTreeSet::new(), BTreeSet::new());
            paths(&serde_json::from_str(text).unwrap(), "", &mut wanted);
            paths(&message, "", &mut ours);
            assert!(wanted.is_subset(&ours), "{wanted:?} {ours:?}");
        }
    }
    assert_eq!(emulator.outbox().len(), 5);
    let timeline = emulator.timeline();
    assert_eq!(timeline.len(), 10);
    assert!(
        timeline
            .iter()
            .all(|item| item.author.bot == (item.n % 2 == 0))
    );
    assert_eq!(timeline[1].reply_to.as_ref(), Some(&timeline[0].message_id));
    assert_eq!(timeline[2].content, "hi <all>");
    assert!(
        emulator.violations().is_empty(),
        "{:?}",
        emulator.violations()
    );
}

#[tokio::test]
async fn attachments_are_completed_and_otherwise_absent() {
    let emulator = start().await;
    let (mut gateway, _) = Gateway::ready(&emulator, MESSAGES).await;
    emulator
        .say(Say::group("").attachment(json!({"url": "https://example.com/a.png", "width": 9})))
        .await;
    let frame = gateway.frame().await;
    assert_shape(&frame);
    let attachment = &frame["d"]["attachments"][0];
    assert_eq!(attachment["width"], 9);
    assert_eq!(attachment["content_type"], "image/png");
    let why = emulator
        .try_say(Say::c2c("x").attachment(json!({})))
        .await
        .unwrap_err();
    assert!(why.starts_with("attachments[0]"), "{why}");
}

#[tokio::test]
async fn mentions_arrive_as_one_event_the_other_or_both() {
    let emulator = start().await;
    let (mut gateway, _) = Gateway::ready(&emulator, MESSAGES).await;
    emulator.change_settings(|settings| settings.mention_delivery = MentionDelivery::Full);
    emulator.say(Say::group("x")).await;
    let full = gateway.frame().await;
    assert_eq!(full["t"], "GROUP_MESSAGE_CREATE");
    assert_eq!(full["d"]["mentions"][0]["is_you"], true);
    assert_shape(&full);
    emulator.say(Say::channel("x")).await;
    assert_eq!(gateway.frame().await["t"], "MESSAGE_CREATE");

    emulator.change_settings(|settings| settings.mention_delivery = MentionDelivery::Both);
    for say in [Say::group("x"), Say::channel("x")] {
        emulator.say(say).await;
        let (first, second) = (gateway.frame().await, gateway.frame().await);
        assert_ne!(first["t"], second["t"]);
        assert_ne!(first["id"], second["id"]);
        assert_eq!(first["d"]["id"], second["d"]["id"]);
    }
    gateway.quiet().await;
}

#[tokio::test]
async fn sessions_get_what_their_intents_and_shards_carry() {
    let emulator = start().await;
    let world = emulator.world();
    let guild: u64 = world.guilds[0].id.parse().unwrap();
    let of_guild = u32::try_from((guild >> 22) % 2).unwrap();
    let (mut none, _) = Gateway::ready(&emulator, 0).await;
    let (mut private, _) = Gateway::ready(&emulator, 1 << 9).await;
    let mut shards = Vec::new();
    for index in [0, 1] {
        let (mut shard, _) = Gateway::hello(&emulator).await;
        shard.identify(&emulator, MESSAGES, [index, 2]).await;
        let ready = shard.frame().await;
        assert_eq!(ready["d"]["shard"], json!([index, 2]));
        shards.push(shard);
    }
    emulator.say(Say::channel("x")).await;
    let at = shards[of_guild as usize].frame().await;
    assert_eq!(at["t"], "AT_MESSAGE_CREATE");
    assert_eq!(private.frame().await["t"], "MESSAGE_CREATE");
    shards[1 - of_guild as usize].quiet().await;
    emulator.say(Say::group("x")).await;
    emulator.say(Say::direct("x")).await;
    assert_eq!(shards[0].frame().await["t"], "GROUP_AT_MESSAGE_CREATE");
    assert_eq!(shards[0].frame().await["t"], "DIRECT_MESSAGE_CREATE");
    shards[1].quiet().await;
    private.quiet().await;
    none.quiet().await;
}

#[tokio::test]
async fn pushed_events_are_routed_and_can_be_answered() {
    let emulator = start().await;
    let (mut gateway, _) = Gateway::ready(&emulator, MESSAGES).await;
    // An intent that the session does not have, then an event that no intent is known for.
    emulator
        .push_event("MESSAGE_REACTION_ADD", json!({"guild_id": "1"}))
        .await;
    let id = emulator.push_event("SOMETHING_NEW", json!({"x": 1})).await;
    let frame = gateway.frame().await;
    assert_eq!(
        (&frame["t"], &frame["id"]),
        (&json!("SOMETHING_NEW"), &json!(id))
    );
    assert_eq!(frame["d"], json!({"x": 1}));

    let text = include_str!("../fixtures/events/GROUP_AT_MESSAGE_CREATE.json");
    let fixture: Value = serde_json::from_str(text).unwrap();
    emulator
        .push_event("GROUP_AT_MESSAGE_CREATE", fixture["d"].clone())
        .await;
    assert_eq!(gateway.frame().await["d"], fixture["d"]);
    let path = format!(
        "/v2/groups/{}/messages",
        fixture["d"]["group_openid"].as_str().unwrap()
    );
    let body = json!({"content": "ok", "msg_id": fixture["d"]["id"]});
    assert_eq!(call(&emulator, "POST", &path, &body).await.status, 200);

    let group = &emulator.world().groups[0].id;
    let event = emulator
        .push_event(
            "GROUP_ADD_ROBOT",
            json!({"group_openid": group, "timestamp": 1}),
        )
        .await;
    let path = format!("/v2/groups/{group}/messages");
    let body = json!({"content": "hello", "event_id": event});
    assert_eq!(call(&emulator, "POST", &path, &body).await.status, 200);
    assert!(
        emulator.violations().is_empty(),
        "{:?}",
        emulator.violations()
    );
}

#[tokio::test]
async fn the_same_seed_plays_the_same_run() {
    let mut runs = Vec::new();
    for seed in [5, 5, 6] {
        let emulator = start_with(quick().seed(seed)).await;
        let said = emulator.say(Say::channel("x")).await;
        runs.push((
            said.message_id,
            said.event_id,
            said.conversation,
            token(&emulator).await,
        ));
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}

#[tokio::test]
async fn pictures_come_as_multipart_forms() {
    let emulator = start().await;
    let said = emulator.say(Say::channel("x")).await;
    let token = token(&emulator).await;
    let form = format!(
        "--B\r\nContent-Disposition: form-data; name=\"msg_id\"\r\n\r\n{}\r\n\
         --B\r\nContent-Disposition: form-data; name=\"file_image\"; filename=\"a.png\"\r\n\
         Content-Type: image/png\r\n\r\nPNG!\r\n--B--\r\n",
        said.message_id
    );
    let request = format!(
        "POST /channels/{}/messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Authorization: QQBot {token}\r\nContent-Type: multipart/form-data; boundary=B\r\n\
         Content-Length: {}\r\n\r\n{form}",
        said.conversation,
        form.len()
    );
    let answer = http_raw(&emulator, request.as_bytes()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let sent = &emulator.outbox()[0];
    assert_eq!(sent.body["file_image"]["size"], 4);
    assert_eq!(sent.reply_to.as_ref(), Some(&said.message_id));
    // The page shows it from here.
    let picture = format!("/cos/file/{}", sent.message_id);
    let picture = http(&emulator, "GET", &picture, "", "").await;
    assert_eq!((picture.status, picture.body.as_str()), (200, "PNG!"));
    assert!(
        emulator.violations().is_empty(),
        "{:?}",
        emulator.violations()
    );
}
