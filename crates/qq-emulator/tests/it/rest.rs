//! What all REST routes share, and the routes that read.

use std::collections::BTreeSet;

use qq_emulator::{ErrorBody, Level, Say};
use serde_json::{Value, json};

use crate::client::{
    call, codes, control, http, http_raw, quick, start, start_with, token, violation,
};

#[tokio::test]
async fn authorization_is_checked_on_every_call() {
    let emulator = start().await;
    let token = token(&emulator).await;
    for (header, code, violation) in [
        (String::new(), 11_241, "rest.auth.missing"),
        (
            format!("Authorization: Bot 102000001.{token}\r\n"),
            11_243,
            "rest.auth.scheme",
        ),
        (
            format!("Authorization: Bearer {token}\r\n"),
            11_243,
            "rest.auth.scheme",
        ),
        (
            format!("Authorization: qqbot {token}\r\n"),
            11_243,
            "rest.auth.scheme",
        ),
        (
            "Authorization: QQBot nonsense\r\n".to_owned(),
            11_244,
            "rest.auth.token",
        ),
    ] {
        for (method, path) in [
            ("GET", "/users/@me"),
            ("POST", "/channels/1/messages"),
            ("GET", "/v2/menu"),
        ] {
            let answer = http(&emulator, method, path, &header, "").await;
            assert_eq!((answer.status, answer.code()), (401, code), "{header}");
            assert_eq!(codes(&emulator).pop().as_deref(), Some(violation));
            assert_eq!(answer.header("content-type"), Some("application/json"));
            assert!(answer.json()["message"].is_string());
        }
    }
    // In any capitals of the header's name, and with X-Union-Appid.
    let header = format!("AUTHORIZATION: QQBot {token}\r\nX-Union-Appid: 102000001\r\n");
    assert_eq!(
        http(&emulator, "GET", "/gateway", &header, "").await.status,
        200
    );
}

#[tokio::test]
async fn wrong_paths_and_methods() {
    let emulator = start().await;
    for (method, path, status, code) in [
        ("GET", "/nowhere", 404, "rest.path"),
        ("GET", "/channels", 404, "rest.path"),
        ("POST", "/channels/1/pins/2", 405, "rest.method"),
        ("DELETE", "/gateway", 405, "rest.method"),
    ] {
        let answer = call(&emulator, method, path, &json!(null)).await;
        assert_eq!(answer.status, status, "{path}");
        let body = answer.json();
        assert!(
            body["message"].is_string() && body["code"].is_i64(),
            "{body}"
        );
        assert_eq!(codes(&emulator).pop().as_deref(), Some(code), "{path}");
        assert_eq!(answer.header("x-tps-trace-id"), body["trace_id"].as_str());
    }
    assert_eq!(
        emulator
            .requests()
            .iter()
            .filter(|request| request.status == 405)
            .count(),
        2
    );
}

#[tokio::test]
async fn bodies_are_checked_against_the_tables() {
    let emulator = start().await;
    let world = emulator.world();
    let group = format!("/v2/groups/{}/messages", world.groups[0].id);
    let channel = format!("/channels/{}/messages", world.guilds[0].channels[0].id);
    let token = token(&emulator).await;
    let auth = format!("Authorization: QQBot {token}\r\nContent-Type: application/json\r\n");
    for (path, body, code, violation) in [
        (&group, "{\"content\":", 40_034_125, "rest.body.json"),
        (&group, "\"content\"", 40_034_125, "rest.body.json"),
        (&group, "", 304_061, "rest.message.content"),
        (&group, "{\"content\":7}", 40_034_125, "rest.body.type"),
        (
            &group,
            "{\"content\":\"x\",\"msg_seq\":\"1\"}",
            40_034_125,
            "rest.body.type",
        ),
        (
            &group,
            "{\"content\":\"x\",\"message_reference\":{}}",
            40_034_125,
            "rest.body.type",
        ),
        (&channel, "{\"content\":7}", 50_035, "rest.body.type"),
        (&channel, "[]", 50_035, "rest.body.json"),
        (&channel, "{}", 50_006, "rest.message.content"),
    ] {
        let answer = http(&emulator, "POST", path, &auth, body).await;
        assert_eq!((answer.status, answer.code()), (400, code), "{body}");
        assert_eq!(codes(&emulator).pop().as_deref(), Some(violation), "{body}");
    }
    assert!(emulator.outbox().is_empty());
}

#[tokio::test]
async fn what_real_clients_send_is_tolerated() {
    let emulator = start().await;
    let world = emulator.world();
    let openid = &world.users[0].openid;
    let body = json!({
        "openid": openid, "user_openid": openid, "content": "x", "embed": null, "ark": null,
        "keyboard": null, "msg_id": null, "event_id": null, "unheard_of": null, "file_image": null,
        "timestamp": 1, "msg_seq": 1_000_000, "image": null,
    });
    let path = format!("/v2/users/{openid}/messages");
    assert_eq!(call(&emulator, "POST", &path, &body).await.status, 200);
    assert!(
        emulator.violations().is_empty(),
        "{:?}",
        emulator.violations()
    );
    // A GET with a body, and other methods' bodies where none is expected.
    let answer = call(&emulator, "GET", "/users/@me", &json!({"since": 1})).await;
    assert_eq!(answer.status, 200);
    assert!(emulator.violations().is_empty());

    let body = json!({"content": "x", "colour": "red"});
    assert_eq!(call(&emulator, "POST", &path, &body).await.status, 200);
    let breach = violation(&emulator);
    assert_eq!(
        (breach.code.as_str(), breach.level),
        ("rest.body.unknown_field", Level::Warn)
    );
    let token = token(&emulator).await;
    let auth = format!("Authorization: QQBot {token}\r\n");
    let answer = http(&emulator, "POST", &path, &auth, "{\"content\":\"x\"}").await;
    assert_eq!(answer.status, 200);
    assert_eq!(codes(&emulator)[1], "rest.body.content_type");
}

#[tokio::test]
async fn error_bodies_have_one_number_or_two() {
    let emulator = start().await;
    let path = "/v2/groups/404/messages";
    let both = call(&emulator, "POST", path, &json!({"content": "x"}))
        .await
        .json();
    assert_eq!(
        (&both["code"], &both["err_code"]),
        (&json!(11_255), &json!(40_011_028))
    );
    emulator.change_settings(|settings| settings.error_body = ErrorBody::ErrCode);
    let one = call(&emulator, "POST", path, &json!({"content": "x"}))
        .await
        .json();
    assert!(one.get("code").is_none());
    assert_eq!(one["err_code"], 40_011_028);
}

fn members(value: &Value) -> BTreeSet<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

fn assert_has(ours: &Value, fixture: &str) {
    let fixture: Value = serde_json::from_str(fixture).unwrap();
    let missing: Vec<_> = members(&fixture)
        .difference(&members(ours))
        .copied()
        .collect();
    assert!(missing.is_empty(), "{missing:?} in {ours}");
}

#[tokio::test]
async fn the_world_can_be_read() {
    let emulator = start().await;
    let get = async |path: &str| {
        let answer = call(&emulator, "GET", path, &json!(null)).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()
    };
    let world = emulator.world();
    let guild = &world.guilds[0];

    let me = get("/users/@me").await;
    assert_has(
        &me,
        include_str!("../fixtures/get_me.docs2026.response.json"),
    );
    let gateway = get("/gateway/bot").await;
    assert_has(
        &gateway,
        include_str!("../fixtures/get_gateway_bot.response.json"),
    );
    let url = format!("ws://127.0.0.1:{}/websocket/", emulator.port());
    assert_eq!(gateway["url"], url);
    assert_eq!(get("/gateway").await, json!({"url": url}));

    let guilds = get("/users/@me/guilds").await;
    assert_eq!(guilds.as_array().unwrap().len(), 2);
    let ids: Vec<u64> = guilds
        .as_array()
        .unwrap()
        .iter()
        .map(|guild| guild["id"].as_str().unwrap().parse().unwrap())
        .collect();
    assert!(ids[0] < ids[1]);
    assert_has(
        &guilds[0],
        include_str!("../fixtures/get_guild.response.json"),
    );
    assert_eq!(
        get(&format!("/users/@me/guilds?after={}", ids[1])).await,
        json!([])
    );
    assert_eq!(
        get(&format!("/users/@me/guilds?before={}", ids[0])).await,
        json!([])
    );
    assert_eq!(get("/users/%40me/guilds?limit=1").await, json!([guilds[0]]));
    assert_eq!(get(&format!("/guilds/{}", ids[0])).await, guilds[0]);

    let channels = get(&format!("/guilds/{}/channels", guild.id)).await;
    assert_eq!(channels.as_array().unwrap().len(), 6);
    let fixture = include_str!("../fixtures/get_channel.docs2026.response.json");
    assert_has(&channels[0], fixture);
    let channel = channels[0]["id"].as_str().unwrap();
    assert_eq!(get(&format!("/channels/{channel}")).await, channels[0]);

    let mut seen = BTreeSet::new();
    let mut after = "0".to_owned();
    loop {
        let path = format!("/guilds/{}/members?limit=3&after={after}", guild.id);
        let page = get(&path).await;
        let Some(last) = page.as_array().unwrap().last() else {
            break;
        };
        after = last["user"]["id"].as_str().unwrap().to_owned();
        for member in page.as_array().unwrap() {
            assert!(seen.insert(member["user"]["id"].as_str().unwrap().to_owned()));
        }
    }
    assert_eq!(seen.len(), 4);
    let member = get(&format!(
        "/guilds/{}/members/{}",
        guild.id, world.users[0].id
    ))
    .await;
    assert_has(
        &member,
        include_str!("../fixtures/get_guild_member.response.json"),
    );
    assert_eq!(member["roles"], json!(["4"]));

    let said = emulator.say(Say::channel("x")).await;
    let message = get(&format!("/channels/{channel}/messages/{}", said.message_id)).await;
    assert_eq!(message["message"]["id"], said.message_id);
    assert!(
        emulator.violations().is_empty(),
        "{:?}",
        emulator.violations()
    );

    for (path, code) in [
        ("/guilds/404", 10_004),
        ("/channels/404", 10_003),
        ("/guilds/404/members", 10_004),
        ("/users/@me/guilds?limit=101", 50_035),
        ("/users/@me/guilds?limit=x", 50_035),
    ] {
        let answer = call(&emulator, "GET", path, &json!(null)).await;
        assert_eq!((answer.status, answer.code()), (400, code), "{path}");
    }
}

#[tokio::test]
async fn the_outbox_shows_the_body_as_it_came() {
    let emulator = start().await;
    let path = format!("/v2/groups/{}/messages", emulator.world().groups[0].id);
    let token = token(&emulator).await;
    let auth = format!("Authorization: QQBot {token}\r\nContent-Type: application/json\r\n");
    let body = "{ \"z\": null, \"content\": \"\\u0078\",  \"msg_seq\": 1 }";
    assert_eq!(
        http(&emulator, "POST", &path, &auth, body).await.status,
        200
    );
    let outbox = control(&emulator, "GET", "outbox?after=0", &json!(null)).await;
    assert!(
        outbox.body.contains(&format!("\"body\":{body}")),
        "{}",
        outbox.body
    );
    let entry = &outbox.json()[0];
    assert_eq!((&entry["n"], &entry["scene"]), (&json!(1), &json!("group")));
    assert!(entry.get("reply_to").is_none());
    let later = control(&emulator, "GET", "outbox?after=1", &json!(null)).await;
    assert_eq!(later.json(), json!([]));
}

#[tokio::test]
async fn a_body_that_never_ends_is_refused() {
    let emulator = start().await;
    let token = token(&emulator).await;
    let request = format!(
        "POST /channels/1/messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Authorization: QQBot {token}\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
    );
    let answer = http_raw(&emulator, request.as_bytes()).await;
    assert_eq!((answer.status, answer.code()), (400, 50_035));
    assert_eq!(violation(&emulator).code, "rest.body.unreadable");
}

#[tokio::test]
async fn on_all_addresses_the_gateway_is_where_the_client_came_in() {
    let everywhere = std::net::Ipv4Addr::UNSPECIFIED.into();
    let emulator = start_with(quick().host(everywhere)).await;
    let port = emulator.port();
    assert_eq!(emulator.base_url(), format!("http://127.0.0.1:{port}"));
    let answer = call(&emulator, "GET", "/gateway", &json!(null)).await;
    assert_eq!(answer.json()["url"], "ws://emulator/websocket/");
}
