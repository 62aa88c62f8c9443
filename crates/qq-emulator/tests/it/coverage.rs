//! Everything that the platform can say can be said by the emulator.

use std::collections::BTreeSet;

use qq_emulator::{Emulator, Fault};
use serde_json::{Value, json};

use crate::api::{Api, ids};
use crate::client::{End, Gateway, control, start};

fn table(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The names of all events that an intent carries, and of those that come without one.
fn events() -> BTreeSet<String> {
    let intents = table(include_str!("../../tables/intents.json"));
    let names = |list: &Value| -> Vec<String> {
        let list = list.as_array().into_iter().flatten();
        list.map(|event| {
            let name = event.as_str().or_else(|| event["name"].as_str());
            name.unwrap_or_else(|| panic!("{event}")).to_owned()
        })
        .collect()
    };
    let all = intents["intents"].as_array().unwrap().iter();
    all.flat_map(|intent| names(&intent["events"])).collect()
}

async fn listener(emulator: &Emulator) -> Gateway {
    let settings = control(emulator, "GET", "settings", &Value::Null)
        .await
        .json();
    let granted = settings["granted_intents"].as_u64().unwrap();
    Gateway::ready(emulator, granted).await.0
}

/// Every event reaches a bot that has its intent.
#[tokio::test]
async fn every_event_can_be_pushed() {
    let emulator = start().await;
    let mut gateway = listener(&emulator).await;
    let all = events();
    assert!(all.len() >= 50, "{}", all.len());
    for name in &all {
        let body = json!({"type": name, "data": {"id": "1"}});
        let pushed = control(&emulator, "POST", "events", &body).await.json();
        assert_eq!(pushed["sessions"], 1, "{name}");
        let frame = gateway.frame().await;
        assert_eq!(frame["t"], name.as_str());
        assert_eq!(frame["id"], pushed["event_id"]);
    }
}

/// Calls, and what users do, push most of them without anybody's help.
#[tokio::test]
async fn calls_and_users_push_the_events_that_belong_to_them() {
    let emulator = start().await;
    emulator.change_settings(|settings| settings.message_audit_ms = 1);
    let mut gateway = listener(&emulator).await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let world = emulator.world();
    let (guild, mia) = (&ids.guild, emulator.user("mia"));
    let channel = |name: &str| {
        let mut channels = world.guilds[0].channels.iter();
        channels
            .find(|channel| channel.name == name)
            .unwrap()
            .id
            .clone()
    };
    // What is said.
    mia.in_group("tea house").says("x").await;
    mia.in_group("tea house").without_mention().says("x").await;
    mia.in_c2c().says("x").await;
    mia.in_channel("general").without_mention().says("x").await;
    let said = mia.in_channel("general").says("x").await;
    mia.in_channel("general").reacts("👍").await;
    mia.in_channel("general").unreacts("👍").await;
    mia.in_channel("general").recalls(said.message_id).await;
    let aside = mia.in_direct().says("x").await;
    mia.in_direct().recalls(aside.message_id).await;
    // What bots do.
    let path = format!("/guilds/{guild}/channels");
    let made = api
        .ok(
            "POST",
            &path,
            json!({"name": "new", "type": 0, "sub_type": 0}),
        )
        .await;
    let made = format!("/channels/{}", made["id"].as_str().unwrap());
    api.ok("PATCH", &made, json!({"name": "newer"})).await;
    api.call("DELETE", &made, &Value::Null).await;
    let role = format!("/guilds/{guild}/members/{}/roles/5", ids.users[2].0);
    api.call("PUT", &role, &json!({"channel": {"id": ids.general}}))
        .await;
    let voice = format!("/channels/{}", channel("voice"));
    let play = json!({"audio_url": "http://x/y.mp3", "text": "t", "status": 0});
    api.call("POST", &format!("{voice}/audio"), &play).await;
    api.call("POST", &format!("{voice}/audio"), &json!({"status": 3}))
        .await;
    api.call("PUT", &format!("{voice}/mic"), &json!({})).await;
    api.call("DELETE", &format!("{voice}/mic"), &Value::Null)
        .await;
    let forum = format!("/channels/{}/threads", channel("forum"));
    let thread = json!({"title": "t", "content": "c", "format": 1});
    api.call("PUT", &forum, &thread).await;
    let threads = api.get(&forum).await;
    let id = threads["threads"][0]["thread_info"]["thread_id"]
        .as_str()
        .unwrap();
    api.call("DELETE", &format!("{forum}/{id}"), &Value::Null)
        .await;
    for outcome in ["pass", "reject"] {
        control(
            &emulator,
            "PATCH",
            "settings",
            &json!({"message_audit": outcome}),
        )
        .await;
        let path = format!("/channels/{}/messages", ids.general);
        api.call("POST", &path, &json!({"content": "x"})).await;
    }
    control(
        &emulator,
        "PATCH",
        "settings",
        &json!({"message_audit": "off"}),
    )
    .await;
    // Who comes and goes.
    emulator.add_stranger("max").unwrap();
    let max = emulator.user("max");
    max.in_group("tea house").asks_to_join("x").await;
    max.in_group("tea house").joins().await;
    max.in_group("tea house").leaves().await;
    max.in_channel("general").joins().await;
    max.in_channel("general").leaves().await;
    mia.in_c2c().removes_friend().await;
    mia.in_c2c().adds_friend().await;
    mia.in_c2c().refuses_messages().await;
    mia.in_c2c().allows_messages().await;
    mia.in_group("tea house").refuses_messages().await;
    mia.in_group("tea house").allows_messages().await;
    mia.in_channel("voice").enters().await;
    mia.in_channel("voice").exits().await;
    let keyboard = json!({"msg_type": 2, "markdown": {"content": "c"}, "keyboard": {"content": {
        "rows": [{"buttons": [{"id": "1", "render_data": {"label": "b", "visited_label": "b"},
            "action": {"type": 1, "data": "d", "permission": {"type": 2}, "unsupport_tips": "n"}}]}],
    }}});
    api.ok(
        "POST",
        &format!("/v2/groups/{}/messages", ids.group),
        keyboard,
    )
    .await;
    mia.in_group("tea house").clicks("b").await;
    mia.in_group("tea house").removes_bot().await;
    mia.in_group("tea house").adds_bot().await;
    mia.in_channel("general").removes_bot().await;
    mia.in_channel("general").adds_bot().await;
    control(
        &emulator,
        "POST",
        "events",
        &json!({"type": "ENTER_AIO", "data": {}}),
    )
    .await;
    let mut seen = BTreeSet::new();
    while !seen.contains("ENTER_AIO") {
        seen.insert(gateway.frame().await["t"].as_str().unwrap().to_owned());
    }
    // The emulator's users post nothing in forums, and there is no such window as theirs.
    let by_hand: BTreeSet<&str> = events()
        .iter()
        .filter(|name| !seen.contains(*name))
        .map(|name| match name.as_str() {
            "GUILD_UPDATE" => "GUILD_UPDATE",
            "SUBSCRIBE_MESSAGE_STATUS" => "SUBSCRIBE_MESSAGE_STATUS",
            name if name.contains("FORUM_") => "FORUM",
            other => panic!("nothing pushes {other}"),
        })
        .collect();
    assert!(by_hand.len() <= 3);
    assert!(seen.len() >= 42, "{}: {seen:?}", seen.len());
}

/// Every close code of the documents, by hand and in the place of any frame.
#[tokio::test]
async fn every_close_code_can_be_sent() {
    let emulator = start().await;
    emulator.change_settings(|settings| settings.session_start_total = 10_000);
    let codes = (4_000..=4_016).chain(4_900..=4_915).chain([4_924]);
    for (n, code) in codes.enumerate() {
        if n % 2 == 0 {
            let (mut gateway, _) = Gateway::ready(&emulator, 1 << 25).await;
            let closed = control(&emulator, "POST", "gateway/close", &json!({"code": code})).await;
            assert_eq!(closed.json()["connections"], 1);
            assert_eq!(gateway.end().await, End::Closed(code));
        } else {
            emulator.fault(Fault::event("HELLO").close(code)).unwrap();
            assert_eq!(
                Gateway::open(&emulator).await.end().await,
                End::Closed(code)
            );
            emulator.clear_faults();
        }
    }
}

/// Every documented error code of the routes that send messages, as the platform would answer it.
#[tokio::test]
async fn every_error_code_of_the_message_routes_can_be_answered() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let routes = table(include_str!("../../tables/routes.json"));
    let mut answered = 0;
    for (id, path) in [
        (
            "send_group_message",
            format!("/v2/groups/{}/messages", ids.group),
        ),
        (
            "send_c2c_message",
            format!("/v2/users/{}/messages", ids.users[0].1),
        ),
        (
            "send_channel_message",
            format!("/channels/{}/messages", ids.general),
        ),
        (
            "send_dms_message",
            format!("/dms/{}/messages", world_direct(&emulator)),
        ),
        (
            "send_c2c_stream_message",
            format!("/v2/users/{}/stream_messages", ids.users[0].1),
        ),
    ] {
        let mut all = routes.as_array().unwrap().iter();
        let route = all.find(|route| route["id"] == id).unwrap();
        for code in route["error_codes"].as_array().unwrap() {
            let code = code.as_i64().or_else(|| code["code"].as_i64()).unwrap();
            emulator.fault(Fault::route(id).code(code)).unwrap();
            let answer = api.call("POST", &path, &json!({"content": "x"})).await;
            let body = answer.json();
            assert_eq!(answer.status, 400, "{id}");
            // Some have another number in the documents of 2026 than on the wire.
            let said = [&body["code"], &body["err_code"]];
            assert!(
                said.iter().any(|said| **said == code),
                "{id} {code}: {body}"
            );
            assert!(body["message"].is_string() && body["trace_id"].is_string());
            emulator.clear_faults();
            answered += 1;
        }
    }
    assert!(answered >= 140, "{answered}");
}

fn world_direct(emulator: &Emulator) -> String {
    emulator.world().direct[0].guild_id.clone()
}
