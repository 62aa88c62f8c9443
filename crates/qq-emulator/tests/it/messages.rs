//! Messages listed, edited, recalled and audited; interactions; grants and limits.

use std::time::Duration;

use qq_emulator::{MessageAudit, Say};
use serde_json::{Value, json};

use crate::api::{Api, EVERYTHING, assert_like, empty, event, ids, sent};
use crate::client::{Gateway, codes, http, start, token};

#[tokio::test]
async fn messages_are_listed_and_edited() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let path = format!("/channels/{}/messages", ids.general);
    let mut all = Vec::new();
    for n in 0..5 {
        let said = emulator.say(Say::channel(n.to_string())).await;
        all.push(said.message_id);
    }
    let listed = async |query: &str| -> Vec<usize> {
        let page = api.get(&format!("{path}?{query}")).await;
        let list = page.as_array().unwrap().iter();
        let place = |id: &Value| all.iter().position(|known| *id == known.as_str()).unwrap();
        list.map(|message| place(&message["id"])).collect()
    };
    assert_eq!(listed("limit=2").await, [4, 3]);
    assert_eq!(listed(&format!("before={}&limit=2", all[2])).await, [1, 0]);
    assert_eq!(listed(&format!("after={}&limit=1", all[2])).await, [3]);
    assert_eq!(
        listed(&format!("around={}&limit=3", all[2])).await,
        [3, 2, 1]
    );
    let both = format!("{path}?before={}&after={}", all[0], all[1]);
    assert_eq!(api.refused("GET", &both, Value::Null).await, 50_035);

    let keyboard = json!({"id": "1"});
    let own = sent(
        &api,
        &ids,
        json!({"markdown": {"content": "a"}, "keyboard": keyboard}),
    )
    .await;
    let plain = sent(&api, &ids, json!({"content": "x", "msg_id": all[4]})).await;
    let body = json!({"markdown": {"content": "b"}, "keyboard": keyboard});
    let edited = api
        .ok("PATCH", &format!("{path}/{own}"), body.clone())
        .await;
    assert!(edited["edited_timestamp"].is_string());
    let shown = api.get(&format!("{path}/{own}")).await;
    assert_eq!(shown["message"], edited);
    let item = emulator
        .timeline()
        .into_iter()
        .find(|item| item.message_id == own)
        .unwrap();
    assert_eq!((item.content.as_str(), item.recalled), ("b", false));
    assert_eq!(
        api.refused("PATCH", &format!("{path}/{plain}"), body.clone())
            .await,
        50_049
    );
    assert_eq!(
        api.refused("PATCH", &format!("{path}/{}", all[0]), body)
            .await,
        50_051
    );
    let none = json!({"keyboard": {}});
    assert_eq!(
        api.refused("PATCH", &format!("{path}/{own}"), none).await,
        50_050
    );
}

#[tokio::test]
async fn guild_messages_are_recalled() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let said = emulator.say(Say::channel("x").author("ana")).await;
    let by_owner = emulator.say(Say::channel("x").author("mia")).await;
    let direct = emulator.say(Say::direct("x")).await;
    let (mut gateway, _) = Gateway::ready(&emulator, EVERYTHING).await;
    let path = format!("/channels/{}/messages", ids.general);
    let one = format!("{path}/{}", said.message_id);
    assert_eq!(
        api.refused("DELETE", &format!("{one}?hidetip=True"), Value::Null)
            .await,
        306_001
    );
    assert_eq!(
        api.ok("DELETE", &format!("{one}?hidetip=true"), Value::Null)
            .await,
        empty()
    );
    let d = event(&mut gateway, "MESSAGE_DELETE").await;
    assert_eq!(d["op_user"]["id"], ids.bot);
    assert_eq!(event(&mut gateway, "PUBLIC_MESSAGE_DELETE").await, d);
    assert_eq!(api.refused("GET", &one, Value::Null).await, 304_026);
    assert_eq!(api.refused("DELETE", &one, Value::Null).await, 306_002);
    assert!(emulator.timeline()[0].recalled);
    let owners = format!("{path}/{}", by_owner.message_id);
    assert_eq!(api.refused("DELETE", &owners, Value::Null).await, 306_004);
    emulator.change_settings(|settings| settings.guild_recall_window = 1_000);
    let own = sent(&api, &ids, json!({"content": "x"})).await;
    emulator.advance(Duration::from_secs(2));
    assert_eq!(
        api.refused("DELETE", &format!("{path}/{own}"), Value::Null)
            .await,
        306_011
    );

    emulator.change_settings(|settings| settings.guild_recall_window = 0);
    let dms = format!("/dms/{}/messages", direct.conversation);
    let users = format!("{dms}/{}", direct.message_id);
    assert_eq!(api.get(&users).await["content"], "x");
    assert_eq!(api.refused("DELETE", &users, Value::Null).await, 306_004);
    let own = api.ok("POST", &dms, json!({"content": "y"})).await;
    api.ok(
        "DELETE",
        &format!("{dms}/{}", own["id"].as_str().unwrap()),
        Value::Null,
    )
    .await;
    let d = event(&mut gateway, "DIRECT_MESSAGE_DELETE").await;
    assert_eq!(
        (
            &d["message"]["direct_message"],
            &d["message"]["src_guild_id"]
        ),
        (&json!(true), &json!(ids.guild))
    );
    let guide = format!("/channels/{}/settingguide", ids.general);
    assert_eq!(
        api.refused("POST", &guide, json!({"content": ""})).await,
        304_051
    );
    assert!(api.ok("POST", &guide, json!({"content": "<@!1>"})).await["id"].is_string());
    let guide = format!("/dms/{}/settingguide", direct.conversation);
    let body = json!({"setting_guide": {"guild_id": ids.guild}});
    assert!(api.ok("POST", &guide, body).await["id"].is_string());
}

#[tokio::test]
async fn v2_messages_are_recalled() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let group = format!("/v2/groups/{}/messages", ids.group);
    let user = format!("/v2/users/{}/messages", ids.users[0].1);
    for (path, unknown) in [(&group, 40_061_001), (&user, 40_061_002)] {
        let own = api.ok("POST", path, json!({"content": "x"})).await;
        let one = format!("{path}/{}", own["id"].as_str().unwrap());
        assert_eq!(api.ok("DELETE", &one, Value::Null).await, empty());
        // Twice is as good as once.
        assert_eq!(api.ok("DELETE", &one, Value::Null).await, empty());
        assert_eq!(
            api.refused("DELETE", &format!("{path}/none"), Value::Null)
                .await,
            unknown
        );
        let own = api.ok("POST", path, json!({"content": "x"})).await;
        let one = format!("{path}/{}", own["id"].as_str().unwrap());
        emulator.advance(Duration::from_secs(121));
        assert_eq!(api.refused("DELETE", &one, Value::Null).await, 40_064_004);
    }
    let by_member = emulator.say(Say::group("x").author("ana")).await;
    let by_owner = emulator.say(Say::group("x").author("mia")).await;
    api.ok(
        "DELETE",
        &format!("{group}/{}", by_member.message_id),
        Value::Null,
    )
    .await;
    let owners = format!("{group}/{}", by_owner.message_id);
    assert_eq!(
        api.refused("DELETE", &owners, Value::Null).await,
        40_062_003
    );
    let said = emulator.say(Say::c2c("x")).await;
    let users = format!("{user}/{}", said.message_id);
    assert_eq!(api.refused("DELETE", &users, Value::Null).await, 306_008);
}

#[tokio::test]
async fn messages_are_audited() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let (mut gateway, _) = Gateway::ready(&emulator, EVERYTHING).await;
    let path = format!("/channels/{}/messages", ids.general);
    for (outcome, name) in [
        (MessageAudit::Pass, "MESSAGE_AUDIT_PASS"),
        (MessageAudit::Reject, "MESSAGE_AUDIT_REJECT"),
        (MessageAudit::Never, ""),
    ] {
        emulator.change_settings(|settings| {
            settings.message_audit = outcome;
            settings.message_audit_ms = 5;
        });
        let answer = api.call("POST", &path, &json!({"content": "x"})).await;
        assert_eq!((answer.status, answer.code()), (202, 304_023));
        assert_like(&answer.json(), "send_channel_message.audit");
        if outcome == MessageAudit::Never {
            gateway.quiet().await;
            continue;
        }
        let d = event(&mut gateway, name).await;
        assert_eq!(
            d["audit_id"],
            answer.json()["data"]["message_audit"]["audit_id"]
        );
        assert_eq!(d["guild_id"], ids.guild);
        assert_eq!(d.get("message_id").is_some(), outcome == MessageAudit::Pass);
    }
    assert_eq!(emulator.outbox().len(), 1);
    let said = emulator.say(Say::channel("x")).await;
    let reply = json!({"content": "x", "msg_id": said.message_id});
    assert_eq!(api.call("POST", &path, &reply).await.code(), 304_024);
}

#[tokio::test]
async fn interactions_are_acknowledged_once_and_in_time() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let click = |id: &str| {
        json!({"id": id, "type": 11, "chat_type": 2, "scene": "c2c", "version": 1,
               "user_openid": ids.users[0].1, "data": {"type": 11, "resolved": {"button_data": "a"}}})
    };
    let event_id = emulator.push_event("INTERACTION_CREATE", click("a")).await;
    assert_eq!(
        api.ok("PUT", "/interactions/a", json!({"code": "0"})).await,
        empty()
    );
    assert_eq!(
        api.refused("PUT", "/interactions/a", json!({"code": 0}))
            .await,
        630_004
    );
    let swapped = format!("/interactions/{event_id}");
    assert_eq!(
        api.refused("PUT", &swapped, json!({"code": 0})).await,
        630_005
    );
    emulator.push_event("INTERACTION_CREATE", click("b")).await;
    emulator.advance(Duration::from_millis(3_100));
    assert_eq!(
        api.refused("PUT", "/interactions/b", json!({"code": 0}))
            .await,
        630_005
    );
    assert_eq!(
        codes(&emulator),
        [
            "rest.interaction.twice",
            "rest.interaction.id",
            "rest.interaction.late"
        ]
    );
    // One client says that its body is nothing.
    emulator.push_event("INTERACTION_CREATE", click("c")).await;
    let token = token(&emulator).await;
    let headers = format!("Authorization: QQBot {token}\r\nContent-Type: none\r\n");
    let answer = http(
        &emulator,
        "PUT",
        "/interactions/c",
        &headers,
        "{\"code\":0}",
    )
    .await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn who_switched_messages_off_gets_answers_only() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let user = ids.users[0].1.as_str();
    for (path, event, d, say) in [
        (
            format!("/v2/users/{user}/messages"),
            "C2C_MSG",
            json!({"openid": user, "timestamp": 1}),
            Say::c2c("x"),
        ),
        (
            format!("/v2/groups/{}/messages", ids.group),
            "GROUP_MSG",
            json!({"group_openid": ids.group, "op_member_openid": user, "timestamp": 1}),
            Say::group("x"),
        ),
    ] {
        let body = json!({"content": "x"});
        let rejects = format!("{event}_REJECT");
        emulator.push_event(&rejects, d.clone()).await;
        assert_eq!(api.refused("POST", &path, body.clone()).await, 40_034_105);
        let said = emulator.say(say).await;
        let answer = json!({"content": "x", "msg_id": said.message_id});
        api.ok("POST", &path, answer).await;
        let state = api
            .get(&format!("/v2/groups/{}/bot_state", ids.group))
            .await;
        assert_eq!(state["allow_proactive_msg"], event == "C2C_MSG");
        emulator.push_event(&format!("{event}_RECEIVE"), d).await;
        api.ok("POST", &path, body).await;
    }
}

#[tokio::test]
async fn grants_and_limits_can_be_switched() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let channel = format!("/channels/{}/messages", ids.general);
    let group = format!("/v2/groups/{}/messages", ids.group);
    emulator.change_settings(|settings| {
        settings.allow_urls = false;
        settings.allow_markdown = false;
        settings.allow_keyboards = false;
        settings.allow_ark = false;
    });
    let markdown = json!({"content": "a"});
    for (path, body, code) in [
        (
            &channel,
            json!({"content": "see https://example.com"}),
            304_003,
        ),
        (
            &group,
            json!({"content": "see http://example.com"}),
            40_054_010,
        ),
        (&channel, json!({"markdown": markdown}), 50_056),
        (
            &channel,
            json!({"markdown": {"custom_template_id": "1"}}),
            304_036,
        ),
        (
            &group,
            json!({"msg_type": 2, "markdown": markdown}),
            40_034_090,
        ),
        (
            &group,
            json!({"msg_type": 2, "markdown": {"custom_template_id": "1"}}),
            40_034_127,
        ),
        (
            &channel,
            json!({"content": "x", "keyboard": {"id": "1"}}),
            304_037,
        ),
        (
            &group,
            json!({"content": "x", "keyboard": {"content": {"rows": []}}}),
            304_057,
        ),
        (
            &channel,
            json!({"ark": {"template_id": 23, "kv": []}}),
            304_004,
        ),
        (
            &channel,
            json!({"ark": {"template_id": 0, "kv": []}}),
            304_011,
        ),
    ] {
        assert_eq!(api.refused("POST", path, body).await, code);
    }
    emulator.change_settings(|settings| settings.route_limits = true);
    for _ in 0..5 {
        api.get("/v2/menu").await;
        api.ok("PUT", "/v2/menu", json!({"menu": {"items": []}}))
            .await;
    }
    let answer = api
        .call("PUT", "/v2/menu", &json!({"menu": {"items": []}}))
        .await;
    assert_eq!((answer.status, answer.code()), (429, 100_017));
    emulator.advance(Duration::from_secs(60));
    api.ok("PUT", "/v2/menu", json!({"menu": {"items": []}}))
        .await;
    assert!(codes(&emulator).contains(&"rest.rate".to_owned()));
}
