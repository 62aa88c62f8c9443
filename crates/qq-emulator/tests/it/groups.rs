//! Groups, strategies, menu, panels, links, webhook sessions.

use serde_json::{Value, json};

use crate::api::{Api, EVERYTHING, assert_like, empty, event, ids};
use crate::client::{Gateway, start};

#[tokio::test]
async fn a_group_and_its_members() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let (mut gateway, _) = Gateway::ready(&emulator, EVERYTHING).await;
    let base = format!("/v2/groups/{}", ids.group);
    let [mia, leo, ana] = [0, 1, 2].map(|user: usize| ids.users[user].1.as_str());
    let info = api.get(&format!("{base}/info")).await;
    assert_like(&info, "get_group_info");
    assert_eq!(
        (&info["group_name"], &info["group_member_num"]),
        (&json!("tea house"), &json!(4))
    );
    assert_like(
        &api.get(&format!("{base}/bot_state")).await,
        "get_group_bot_state",
    );
    let members = api.get(&format!("{base}/members")).await;
    assert_like(&members, "list_group_members");
    assert_eq!(
        (
            members["members"].as_array().unwrap().len(),
            &members["next_cursor"]
        ),
        (4, &json!(""))
    );
    assert_like(
        &api.get(&format!("{base}/members/{leo}")).await,
        "get_group_member",
    );
    let page = json!({"limit": 2, "start_index": 0});
    let page = api.ok("POST", &format!("{base}/members"), page).await;
    assert_eq!(
        (
            page["members"][1]["member_openid"].as_str(),
            &page["next_index"]
        ),
        (Some(leo), &json!(2))
    );
    let page = json!({"limit": 2, "start_index": 2});
    let page = api.ok("POST", &format!("{base}/members"), page).await;
    assert_eq!(
        (
            page["members"].as_array().unwrap().len(),
            &page["next_index"]
        ),
        (1, &json!(0))
    );

    let mutes = format!("{base}/restrict_chat_setting");
    let until = "2099-01-01T00:00:00+08:00";
    let change = |op: &str, user: &str, until: &str| {
        json!({"members":
        [{"op": op, "member_openid": user, "mute_expire_at": until}]})
    };
    assert_eq!(
        api.refused("POST", &mutes, change("add", ana, until)).await,
        40_034_125
    );
    assert_eq!(
        api.refused("POST", &mutes, change("add", mia, until)).await,
        40_103_004
    );
    let soon = soon_rfc3339();
    assert_eq!(
        api.ok("POST", &mutes, change("add", ana, &soon)).await,
        empty()
    );
    let setting = api.get(&mutes).await;
    assert_eq!(setting["members"][0]["member_openid"], ana);
    assert_eq!(setting["global_rule"]["mode"], "none");
    api.ok("POST", &mutes, change("del", ana, "")).await;
    assert_eq!(api.get(&mutes).await["members"], json!([]));

    let remove = format!("{base}/batch_remove_members");
    assert_eq!(
        api.refused("POST", &remove, json!({"member_openids": [ana, leo]}))
            .await,
        11_703
    );
    let body = json!({"member_openids": [ana], "add_to_member_blacklist": true});
    let removed = api.ok("POST", &remove, body).await;
    assert_like(&removed, "batch_remove_group_members");
    let d = event(&mut gateway, "GROUP_MEMBER_REMOVE").await;
    assert_eq!(
        (&d["member_openid"], &d["group_openid"]),
        (&json!(ana), &json!(ids.group))
    );
    let one = format!("{base}/members/{ana}");
    assert_eq!(api.refused("GET", &one, Value::Null).await, 40_034_125);
    let blacklist = format!("{base}/member_blacklist");
    let listed = api.get(&blacklist).await;
    assert_like(&listed, "list_group_member_blacklist");
    assert_eq!(listed["users"][0]["username"], "ana");
    let change = |op: &str, users: Value| json!({"op": op, "member_openids": users});
    let changed = api
        .ok("POST", &blacklist, change("add", json!([leo, "STRANGER"])))
        .await;
    assert_eq!(changed["fail_openids"], json!([leo]));
    let changed = api
        .ok("POST", &blacklist, change("del", json!([ana])))
        .await;
    assert_like(&changed, "modify_group_member_blacklist");
    let page = api.get(&format!("{blacklist}?limit=1")).await;
    assert_eq!(
        (&page["users"][0]["member_openid"], &page["next_cursor"]),
        (&json!("STRANGER"), &json!(""))
    );
    emulator.change_settings(|settings| settings.invited = false);
    assert_eq!(
        api.refused("GET", &format!("{base}/info"), Value::Null)
            .await,
        11_253
    );
}

/// A day from now.
fn soon_rfc3339() -> String {
    let days = crate::api::now() / 86_400_000 + 1;
    // Days since 1970 to a date, by counting.
    let (mut year, mut left) = (1970, days);
    let length = |year: u64| {
        let leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        [
            31,
            28 + u64::from(leap),
            31,
            30,
            31,
            30,
            31,
            31,
            30,
            31,
            30,
            31,
        ]
    };
    while left >= length(year).iter().sum() {
        left -= length(year).iter().sum::<u64>();
        year += 1;
    }
    let mut month = 0;
    while left >= length(year)[month] {
        left -= length(year)[month];
        month += 1;
    }
    format!("{year:04}-{:02}-{:02}T23:59:59Z", month + 1, left + 1)
}

#[tokio::test]
async fn people_join() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let (mut gateway, _) = Gateway::ready(&emulator, EVERYTHING).await;
    let base = format!("/v2/groups/{}", ids.group);
    let requests = format!("{base}/join_request_list");
    let list = api.get(&requests).await;
    assert_like(&list, "list_group_join_requests");
    let (zoe, request) = (
        &list["list"][0]["member_openid"],
        &list["list"][0]["join_request_id"],
    );
    let decide = format!("{base}/approval_join_request/{}", zoe.as_str().unwrap());
    let body = json!({"op": "perhaps", "join_request_id": request});
    assert_eq!(api.refused("POST", &decide, body).await, 40_034_125);
    let body = json!({"op": "approve", "join_request_id": request});
    assert_eq!(api.ok("POST", &decide, body.clone()).await, empty());
    assert_eq!(
        &event(&mut gateway, "GROUP_MEMBER_ADD").await["member_openid"],
        zoe
    );
    assert_eq!(api.get(&requests).await["list"], json!([]));
    let one = format!("{base}/members/{}", zoe.as_str().unwrap());
    assert_eq!(api.get(&one).await["username"], "zoe");
    assert_eq!(api.refused("POST", &decide, body).await, 40_034_125);

    emulator.reset();
    let api = Api::new(&emulator).await;
    let body = json!({"op": "decline", "add_to_member_blacklist": true});
    api.ok("POST", &decide, body).await;
    let banned = api.get(&format!("{base}/member_blacklist")).await;
    assert_eq!(&banned["users"][0]["member_openid"], zoe);
}

#[tokio::test]
async fn strategies() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let path = "/v2/groups/join_approval_strategy";
    let body =
        json!({"group_openids": [ids.group], "is_enable": "on", "expire_at": "", "remark": "r"});
    let made = api.ok("POST", path, body).await;
    assert_like(&made, "create_join_approval_strategy");
    let one = format!("{path}/{}", made["strategy_id"].as_str().unwrap());
    let zoe = emulator.world().groups[0].join_requests[0].user.clone();
    let whitelist = format!("{one}/whitelist_users");
    let body = json!({"op": "add", "whitelist_users": ["1", zoe.id]});
    let changed = api.ok("POST", &whitelist, body).await;
    assert_like(&changed, "modify_join_approval_whitelist");
    assert_eq!(changed["whitelist_user_count"], 2);
    let list = api.get(path).await;
    assert_like(&list, "list_join_approval_strategies");
    assert_eq!(list["strategies"][0]["whitelist_user_count"], 2);
    let off = api.ok("PATCH", &one, json!({"is_enable": "off"})).await;
    assert_like(&off, "modify_join_approval_strategy");
    let execute = format!("{one}/execute");
    assert_eq!(api.refused("POST", &execute, empty()).await, 40_034_125);
    let body =
        json!({"is_enable": "on", "group_action": {"op": "add", "group_openids": ["quiet"]}});
    api.ok("PATCH", &one, body).await;
    let numbers = json!({"group_action": {"op": "add", "group_ids": [1]}});
    assert_eq!(api.refused("PATCH", &one, numbers).await, 40_034_125);
    api.ok("POST", &execute, empty()).await;
    let group = &emulator.world().groups[0];
    assert!(group.join_requests.is_empty());
    assert!(
        group
            .members
            .iter()
            .any(|member| member.openid == zoe.openid)
    );
    let changed = api
        .ok(
            "POST",
            &whitelist,
            json!({"op": "del", "whitelist_users": ["1"]}),
        )
        .await;
    assert_eq!(changed["whitelist_user_count"], 1);
    assert_eq!(api.ok("DELETE", &one, Value::Null).await, empty());
    assert_eq!(api.refused("DELETE", &one, Value::Null).await, 40_034_125);
    assert_eq!(api.get(path).await["strategies"], json!([]));
    for body in [
        empty(),
        json!({"group_openids": ["a"], "group_ids": [1]}),
        json!({"group_openids": ["a"], "is_enable": "maybe"}),
        json!({"group_openids": ["a"], "expire_at": "tomorrow"}),
    ] {
        assert_eq!(api.refused("POST", path, body).await, 40_034_125);
    }
}

#[tokio::test]
async fn menu_and_panels() {
    let emulator = start().await;
    let api = Api::new(&emulator).await;
    let items = json!([{"type": "send_message", "name": "a", "send_message": "b"},
        {"type": "menu", "name": "m", "sub_menu_items": [{"type": "link", "name": "l", "link": "https://example.com"}]}]);
    assert_like(
        &api.ok("PUT", "/v2/menu", json!({"menu": {"items": items}}))
            .await,
        "put_menu",
    );
    let menu = api.get("/v2/menu").await;
    assert_like(&menu, "get_menu");
    assert_eq!(menu["menu"]["items"], items);
    for (item, code) in [
        (
            json!({"type": "link", "name": "l", "link": "http://example.com"}),
            40_030_008,
        ),
        (
            json!({"type": "send_message", "name": "六个汉字太长", "send_message": "x"}),
            40_030_013,
        ),
        (json!({"type": "dance", "name": "x"}), 40_030_014),
        (json!({"type": "send_message", "name": "x"}), 40_030_016),
    ] {
        let body = json!({"menu": {"items": [item]}});
        assert_eq!(api.refused("PUT", "/v2/menu", body).await, code);
    }
    assert_eq!(api.ok("DELETE", "/v2/menu", Value::Null).await, empty());
    assert_eq!(api.get("/v2/menu").await["menu"], empty());

    let panel = json!({"items": [{"type": "command", "name": "a", "desc": "b"}]});
    let all = json!({"scope": "c2c", "target_type": "all", "panel": panel});
    let made = api.ok("POST", "/v2/panels", all).await;
    assert_like(&made, "create_panel");
    let some = json!({"scope": "group", "target_type": "specific", "group_openids": ["a"], "panel": panel});
    let some = api.ok("POST", "/v2/panels", some).await;
    assert_like(&api.get("/v2/panels?scope=c2c").await, "list_panels");
    let one = format!("/v2/panels/{}", some["panel_id"].as_str().unwrap());
    assert_like(&api.get(&one).await, "get_panel");
    let updated = api
        .ok(
            "PUT",
            &one,
            json!({"panel": {"items": [{"type": "command", "name": "c"}]}}),
        )
        .await;
    assert_eq!(updated["version"], 2);
    let target = format!("{one}/target");
    api.ok("PUT", &target, json!({"op": "add", "group_openids": ["b"]}))
        .await;
    api.ok("PUT", &target, json!({"op": "del", "group_openids": ["a"]}))
        .await;
    let shown = api.get(&one).await;
    assert_eq!(
        (&shown["group_openids"], &shown["panel"]["items"][0]["name"]),
        (&json!(["b"]), &json!("c"))
    );
    let for_all = format!("/v2/panels/{}/target", made["panel_id"].as_str().unwrap());
    for (path, body, code) in [
        (
            &for_all,
            json!({"op": "add", "user_openids": ["a"]}),
            40_030_021,
        ),
        (
            &target,
            json!({"op": "set", "group_openids": ["a"]}),
            40_030_017,
        ),
        (
            &target,
            json!({"op": "add", "user_openids": ["a"]}),
            40_030_018,
        ),
    ] {
        assert_eq!(api.refused("PUT", path, body).await, code);
    }
    for (body, code) in [
        (json!({"scope": "moon", "panel": panel}), 40_030_011),
        (
            json!({"scope": "dm", "target_type": "specific", "panel": panel}),
            40_030_018,
        ),
        (
            json!({"scope": "c2c", "target_type": "few", "panel": panel}),
            40_030_012,
        ),
        (json!({"scope": "c2c", "panel": {"items": []}}), 40_030_016),
        (
            json!({"scope": "c2c", "panel": {"items": [{"type": "x", "name": "a"}]}}),
            40_030_015,
        ),
    ] {
        assert_eq!(api.refused("POST", "/v2/panels", body).await, code);
    }
    assert_eq!(
        api.refused("GET", "/v2/panels?scope=x", Value::Null).await,
        40_030_011
    );
    assert_eq!(api.ok("DELETE", &one, Value::Null).await, empty());
    assert_eq!(api.refused("GET", &one, Value::Null).await, 40_030_006);
}

#[tokio::test]
async fn links_and_webhook_sessions() {
    let emulator = start().await;
    let api = Api::new(&emulator).await;
    let link = api
        .ok(
            "POST",
            "/v2/generate_url_link",
            json!({"callback_data": "x"}),
        )
        .await;
    assert_like(&link, "generate_url_link");
    let long = json!({"callback_data": "x".repeat(33)});
    assert_eq!(
        api.refused("POST", "/v2/generate_url_link", long).await,
        11_004
    );

    let path = "/gateway/webhook/sessions";
    let body = json!({"intents": 1, "shards": [0, 1], "callback_url": "https://example.com/hook"});
    let made = api.ok("POST", path, body).await;
    assert_eq!(made["shard"], json!([0, 1]));
    let list = api.get(path).await;
    assert_eq!(list[0]["session_id"], made["session_id"]);
    let checked = api
        .ok("PATCH", &format!("{path}?action=check"), Value::Null)
        .await;
    assert_eq!(checked[0]["state"], "ACTIVE");
    let one = format!("{path}/{}", made["session_id"].as_str().unwrap());
    api.done("DELETE", &one, Value::Null).await;
    assert_eq!(api.refused("DELETE", &one, Value::Null).await, 50_035);
    assert_eq!(api.get(path).await, json!([]));
    for body in [
        json!({"intents": 1, "shards": [1, 1], "callback_url": "https://example.com"}),
        json!({"intents": 1, "shards": [0, 1], "callback_url": "x"}),
        json!({"intents": 1, "shards": [0], "callback_url": "https://example.com"}),
    ] {
        assert_eq!(api.refused("POST", path, body).await, 50_035);
    }
}
