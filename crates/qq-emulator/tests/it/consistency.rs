//! Whatever is called in whatever order: the world stays consistent, and every route answers.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::api::{Api, Ids, ids, sent};
use crate::client::{http, quick, start, start_with, token};

const ROUTES: &str = include_str!("../../tables/routes.json");

/// Method and path of every route, with the ids of the world where there are some.
fn routes(ids: &Ids) -> Vec<(String, String)> {
    let routes: Vec<Value> = serde_json::from_str(ROUTES).unwrap();
    assert_eq!(routes.len(), 111);
    let fill = |path: &str| {
        path.replace("{guild_id}", &ids.guild)
            .replace("{channel_id}", &ids.general)
            .replace("{user_id}", &ids.users[2].0)
            .replace("{user_openid}", &ids.users[2].1)
            .replace("{member_openid}", &ids.users[2].1)
            .replace("{group_openid}", &ids.group)
            .replace("{role_id}", "5")
            .replace("{type}", "1")
            .replace("{presigned_url}", "/cos/upload_1/1")
            .replace(['{', '}'], "")
    };
    routes
        .iter()
        .map(|route| {
            let text = |name: &str| route[name].as_str().unwrap();
            (text("method").to_owned(), fill(text("path")))
        })
        .collect()
}

#[tokio::test]
async fn every_route_is_served() {
    let emulator = start().await;
    let ids = ids(&emulator);
    let token = token(&emulator).await;
    let headers = format!("Authorization: QQBot {token}\r\n");
    let mut good = 0;
    for (method, path) in routes(&ids) {
        let answer = http(&emulator, &method, &path, &headers, "").await;
        let known = matches!(answer.status, 200 | 204 | 400 | 403);
        assert!(known, "{method} {path}: {} {}", answer.status, answer.body);
        good += usize::from(answer.status < 300);
        if answer.status == 204 || answer.body.is_empty() {
            assert_eq!(answer.header("content-type"), None, "{method} {path}");
        } else if !path.starts_with("/cos/") {
            assert_eq!(answer.header("content-type"), Some("application/json"));
            assert!(answer.status == 200 || answer.json()["message"].is_string());
        }
    }
    assert!(good >= 25, "{good}");
    let requests = emulator.requests();
    let served: BTreeSet<_> = requests
        .iter()
        .filter_map(|entry| entry.route.as_deref())
        .collect();
    // The two routes of one path differ by their body.
    assert_eq!(served.len(), 110);
    assert!(requests.iter().all(|entry| entry.route.is_some()));
}

/// One call of the sequence; numbers choose among what is there.
#[derive(Debug, Clone)]
enum Step {
    CreateChannel(u8, u64),
    MoveChannel(u8, u64),
    DeleteChannel(u8),
    CreateRole,
    DeleteRole(u8),
    GiveRole(u8, u8),
    TakeRole(u8, u8),
    RemoveMember(u8),
    Pin(u8),
    Unpin(u8),
    React(u8, u8),
    Unreact(u8, u8),
    Recall(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let n = any::<u8>;
    prop_oneof![
        (n(), 0..12_u64).prop_map(|(a, b)| Step::CreateChannel(a, b)),
        (n(), 0..12_u64).prop_map(|(a, b)| Step::MoveChannel(a, b)),
        n().prop_map(Step::DeleteChannel),
        Just(Step::CreateRole),
        n().prop_map(Step::DeleteRole),
        (n(), n()).prop_map(|(a, b)| Step::GiveRole(a, b)),
        (n(), n()).prop_map(|(a, b)| Step::TakeRole(a, b)),
        n().prop_map(Step::RemoveMember),
        n().prop_map(Step::Pin),
        n().prop_map(Step::Unpin),
        (n(), 0..3_u8).prop_map(|(a, b)| Step::React(a, b)),
        (n(), 0..3_u8).prop_map(|(a, b)| Step::Unreact(a, b)),
        n().prop_map(Step::Recall),
    ]
}

/// What the calls should have made of the guild.
#[derive(Default)]
struct Model {
    channels: BTreeSet<String>,
    roles: BTreeSet<String>,
    members: BTreeMap<String, BTreeSet<String>>,
    pins: Vec<String>,
    messages: BTreeSet<String>,
    reactions: BTreeSet<(String, u8)>,
}

fn pick<T: Clone>(from: impl IntoIterator<Item = T>, n: u8) -> Option<T> {
    let all: Vec<T> = from.into_iter().collect();
    (!all.is_empty()).then(|| all[usize::from(n) % all.len()].clone())
}

async fn succeeds(api: &Api<'_>, method: &str, path: &str, body: Value) -> Option<Value> {
    let answer = api.call(method, path, &body).await;
    match answer.status {
        200 => Some(answer.json()),
        204 => Some(Value::Null),
        400 => None,
        other => panic!("{method} {path} {body}: {other} {}", answer.body),
    }
}

async fn apply(api: &Api<'_>, ids: &Ids, model: &mut Model, step: &Step) {
    let guild = format!("/guilds/{}", ids.guild);
    let general = format!("/channels/{}", ids.general);
    match step {
        Step::CreateChannel(kind, position) => {
            let kind = [0, 2, 4, 10_007][usize::from(*kind) % 4];
            let body = json!({"name": "x", "type": kind, "position": position});
            let made = succeeds(api, "POST", &format!("{guild}/channels"), body).await;
            assert_eq!(made.is_some(), *position >= if kind == 4 { 2 } else { 1 });
            model
                .channels
                .extend(made.map(|made| made["id"].as_str().unwrap().to_owned()));
        }
        Step::MoveChannel(n, position) => {
            let id = pick(model.channels.iter().cloned(), *n).unwrap();
            let body = json!({"position": position});
            succeeds(api, "PATCH", &format!("/channels/{id}"), body).await;
        }
        Step::DeleteChannel(n) => {
            let others = model.channels.iter().filter(|id| **id != ids.general);
            if let Some(id) = pick(others.cloned(), *n) {
                let path = format!("/channels/{id}");
                assert!(succeeds(api, "DELETE", &path, Value::Null).await.is_some());
                model.channels.remove(&id);
            }
        }
        Step::CreateRole => {
            let made = succeeds(api, "POST", &format!("{guild}/roles"), json!({"name": "x"})).await;
            assert_eq!(made.is_some(), model.roles.len() < 30);
            model
                .roles
                .extend(made.map(|made| made["role_id"].as_str().unwrap().to_owned()));
        }
        Step::DeleteRole(n) => {
            let id = pick(model.roles.iter().cloned(), *n).unwrap();
            let gone = succeeds(api, "DELETE", &format!("{guild}/roles/{id}"), Value::Null).await;
            assert_eq!(gone.is_some(), id.len() > 1);
            if gone.is_some() {
                model.roles.remove(&id);
                for roles in model.members.values_mut() {
                    roles.remove(&id);
                }
            }
        }
        Step::GiveRole(user, role) | Step::TakeRole(user, role) => {
            let user = pick(model.members.keys().cloned(), *user).unwrap();
            let role = pick(model.roles.iter().filter(|id| id.len() > 1).cloned(), *role);
            if let Some(role) = role {
                let path = format!("{guild}/members/{user}/roles/{role}");
                let gives = matches!(step, Step::GiveRole(..));
                let method = if gives { "PUT" } else { "DELETE" };
                assert!(succeeds(api, method, &path, Value::Null).await.is_some());
                let roles = model.members.get_mut(&user).unwrap();
                if gives {
                    roles.insert(role);
                } else {
                    roles.remove(&role);
                }
            }
        }
        Step::RemoveMember(n) => {
            let user = pick(model.members.keys().cloned(), *n).unwrap();
            let gone = succeeds(
                api,
                "DELETE",
                &format!("{guild}/members/{user}"),
                Value::Null,
            )
            .await;
            let protected = ["2", "4"]
                .iter()
                .any(|role| model.members[&user].contains(*role));
            assert_eq!(gone.is_some(), !protected);
            if gone.is_some() {
                model.members.remove(&user);
            }
        }
        Step::Pin(n) => {
            if let Some(id) = pick(model.messages.iter().cloned(), *n) {
                let path = format!("{general}/pins/{id}");
                assert!(succeeds(api, "PUT", &path, Value::Null).await.is_some());
                if !model.pins.contains(&id) {
                    model.pins.insert(0, id);
                }
            }
        }
        Step::Unpin(n) => {
            if let Some(id) = pick(model.messages.iter().cloned(), *n) {
                let path = format!("{general}/pins/{id}");
                let gone = succeeds(api, "DELETE", &path, Value::Null).await;
                assert_eq!(gone.is_some(), model.pins.contains(&id));
                model.pins.retain(|known| *known != id);
            }
        }
        Step::React(n, face) | Step::Unreact(n, face) => {
            if let Some(id) = pick(model.messages.iter().cloned(), *n) {
                let path = format!("{general}/messages/{id}/reactions/1/{face}");
                let adds = matches!(step, Step::React(..));
                let method = if adds { "PUT" } else { "DELETE" };
                let done = succeeds(api, method, &path, Value::Null).await;
                let changed = if adds {
                    model.reactions.insert((id, *face))
                } else {
                    model.reactions.remove(&(id, *face))
                };
                assert_eq!(done.is_some(), changed);
            }
        }
        Step::Recall(n) => {
            if let Some(id) = pick(model.messages.iter().cloned(), *n) {
                let path = format!("{general}/messages/{id}");
                assert!(succeeds(api, "DELETE", &path, Value::Null).await.is_some());
                model.messages.remove(&id);
                model.pins.retain(|known| *known != id);
                model.reactions.retain(|(known, _)| *known != id);
            }
        }
    }
}

async fn compare(api: &Api<'_>, ids: &Ids, model: &Model) {
    let guild = format!("/guilds/{}", ids.guild);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let channels = api.get(&format!("{guild}/channels")).await;
    let channels = channels.as_array().unwrap();
    assert_eq!(
        channels
            .iter()
            .map(|c| text(&c["id"]))
            .collect::<BTreeSet<_>>(),
        model.channels
    );
    let positions: BTreeSet<u64> = channels
        .iter()
        .map(|c| c["position"].as_u64().unwrap())
        .collect();
    assert_eq!(positions, (1..=channels.len() as u64).collect());
    let members = api.get(&format!("{guild}/members?limit=400")).await;
    let members: BTreeMap<String, BTreeSet<String>> = members
        .as_array()
        .unwrap()
        .iter()
        .map(|m| {
            (
                text(&m["user"]["id"]),
                m["roles"].as_array().unwrap().iter().map(text).collect(),
            )
        })
        .collect();
    assert_eq!(members, model.members);
    let roles = api.get(&format!("{guild}/roles")).await;
    let mut known = BTreeSet::new();
    for role in roles["roles"].as_array().unwrap() {
        let id = text(&role["id"]);
        if id != "1" {
            let holders = model
                .members
                .values()
                .filter(|roles| roles.contains(&id))
                .count();
            assert_eq!(role["number"], holders);
        }
        known.insert(id);
    }
    assert_eq!(known, model.roles);
    let pins = api.get(&format!("/channels/{}/pins", ids.general)).await;
    assert_eq!(pins["message_ids"], json!(model.pins));
    let messages = api
        .get(&format!("/channels/{}/messages", ids.general))
        .await;
    let messages = messages.as_array().unwrap().iter().map(|m| text(&m["id"]));
    assert_eq!(messages.collect::<BTreeSet<_>>(), model.messages);
    for id in &model.messages {
        for face in 0..3 {
            let path = format!("/channels/{}/messages/{id}/reactions/1/{face}", ids.general);
            let users = api.get(&path).await["users"].as_array().unwrap().len();
            assert_eq!(users == 1, model.reactions.contains(&(id.clone(), face)));
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}

/// Members that many bodies have, and others.
fn body() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-2..12_i64).prop_map(Value::from),
        prop::sample::select(vec![
            "",
            "0",
            "1",
            "10",
            "all",
            "on",
            "add",
            "del",
            "approve",
            "c2c",
            "group",
            "specific",
            "append",
            "replace",
            "text",
            "markdown",
            "https://example.com/x",
            "你",
            "2099-01-01T00:00:00Z",
            "99999999999999999999",
        ])
        .prop_map(Value::from),
    ];
    let keys = prop::sample::select(vec![
        "name",
        "type",
        "position",
        "parent_id",
        "color",
        "hoist",
        "info",
        "filter",
        "channel",
        "id",
        "add",
        "remove",
        "mute_seconds",
        "mute_end_timestamp",
        "user_ids",
        "message_id",
        "channel_id",
        "recommend_channels",
        "schedule",
        "start_timestamp",
        "end_timestamp",
        "status",
        "audio_url",
        "title",
        "content",
        "format",
        "api_identify",
        "code",
        "input_state",
        "input_mode",
        "index",
        "content_type",
        "content_raw",
        "file_type",
        "url",
        "file_data",
        "file_size",
        "md5",
        "sha1",
        "md5_10m",
        "upload_id",
        "block_size",
        "part_index",
        "member_openids",
        "op",
        "members",
        "member_openid",
        "group_openids",
        "is_enable",
        "expire_at",
        "group_action",
        "whitelist_users",
        "menu",
        "items",
        "panel",
        "scope",
        "target_type",
        "intents",
        "shards",
        "callback_url",
        "keyboard",
        "markdown",
        "media",
        "msg_type",
        "limit",
        "start_index",
        "since",
        "recipient_id",
    ]);
    leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(keys.clone().prop_map(str::to_owned), inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn calls_in_any_order_keep_the_world_consistent(steps in prop::collection::vec(step(), 1..40)) {
        runtime().block_on(async {
            let emulator = start_with(quick().settings(|settings| {
                settings.active_per_channel_day = 0;
            })).await;
            let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
            let guild = &emulator.world().guilds[0];
            let mut model = Model {
                channels: guild.channels.iter().map(|channel| channel.id.clone()).collect(),
                roles: guild.roles.iter().map(|role| role.id.clone()).collect(),
                members: guild
                    .members
                    .iter()
                    .map(|member| (member.user_id.clone(), member.roles.iter().cloned().collect()))
                    .collect(),
                ..Model::default()
            };
            for n in 0..4 {
                model.messages.insert(sent(&api, &ids, json!({"content": n.to_string()})).await);
            }
            for step in &steps {
                apply(&api, &ids, &mut model, step).await;
            }
            compare(&api, &ids, &model).await;
        });
    }

    #[test]
    fn no_body_brings_it_down(body in body()) {
        runtime().block_on(async {
            let emulator = start().await;
            let ids = ids(&emulator);
            let headers = format!(
                "Authorization: QQBot {}\r\nContent-Type: application/json\r\n",
                token(&emulator).await
            );
            let text = body.to_string();
            for (method, path) in routes(&ids) {
                let answer = http(&emulator, &method, &path, &headers, &text).await;
                let known = matches!(answer.status, 200 | 204 | 400 | 403);
                prop_assert!(known, "{method} {path} {text}: {} {}", answer.status, answer.body);
            }
            Ok(())
        })?;
    }
}
