//! What a bot meets that says or does what it may not: the platform's numbers, by rules and not by
//! planned faults.

use qq_emulator::BotStanding;
use serde_json::{Value, json};

use crate::api::{Api, EVERYTHING, event, ids, now, sent};
use crate::client::{
    End, Gateway, codes, control, quick, start, start_with, token as access_token, token_request,
};
use crate::process::Folder;

fn text(content: &str) -> Value {
    json!({"content": content, "msg_type": 0})
}

#[tokio::test]
async fn banned_words_are_refused_wherever_they_are() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let buttons = json!({"content": {"rows": [{"buttons": [{"id": "1", "render_data":
        {"label": "a", "style": 1}, "action": {"type": 1, "permission": {"type": 2}, "data": "d"}}]}]}});
    let own = sent(
        &api,
        &ids,
        json!({"markdown": {"content": "x"}, "keyboard": buttons}),
    )
    .await;
    emulator.change_settings(|settings| settings.banned_words = vec!["Casino".into()]);
    let word = "the CASINO opens";
    let now = now();
    let (start_at, end_at) = ((now + 3_600_000).to_string(), (now + 7_200_000).to_string());
    let schedule = json!({"schedule": {"name": word, "start_timestamp": start_at,
        "end_timestamp": end_at, "jump_channel_id": "0", "remind_type": "0"}});
    let menu = json!({"menu": {"items": [{"name": "casino", "type": "send_message",
        "send_message": "hi"}]}});
    let panel = json!({"scope": "c2c", "panel": {"items": [{"name": "casino",
        "type": "command", "description": word}]}});
    let user = &ids.users[0].1;
    let stream = json!({"input_mode": "replace", "input_state": 1, "index": 0,
        "content_type": "text", "content_raw": word});
    for (method, path, body, code) in [
        (
            "POST",
            format!("/v2/groups/{}/messages", ids.group),
            text(word),
            40_034_006,
        ),
        (
            "POST",
            format!("/v2/users/{user}/messages"),
            json!({"msg_type": 2, "markdown": {"content": word}}),
            40_034_006,
        ),
        (
            "POST",
            format!("/v2/users/{user}/stream_messages"),
            stream,
            40_034_006,
        ),
        (
            "POST",
            format!("/channels/{}/messages", ids.general),
            json!({"content": word}),
            1_100_101,
        ),
        (
            "PATCH",
            format!("/channels/{}/messages/{own}", ids.general),
            json!({"markdown": {"content": word}, "keyboard": buttons}),
            3_300_006,
        ),
        (
            "POST",
            format!("/guilds/{}/channels", ids.guild),
            json!({"name": word, "type": 0}),
            200_011,
        ),
        (
            "PATCH",
            format!("/channels/{}", ids.general),
            json!({"name": word}),
            200_011,
        ),
        (
            "POST",
            format!("/channels/{}/schedules", ids.calendar),
            schedule,
            302_013,
        ),
        (
            "POST",
            format!("/guilds/{}/announces", ids.guild),
            json!({"recommend_channels": [{"channel_id": ids.general, "introduce": word}]}),
            501_014,
        ),
        ("PUT", "/v2/menu".into(), menu, 40_030_020),
        ("POST", "/v2/panels".into(), panel, 40_030_020),
    ] {
        assert_eq!(
            api.refused(method, &path, body).await,
            code,
            "{method} {path}"
        );
    }
    assert!(
        codes(&emulator)
            .iter()
            .all(|code| code == "rest.banned_word")
    );
    // What was refused is not there.
    assert_eq!(api.get("/v2/menu").await["menu"], json!({}));
    let channel = api.get(&format!("/channels/{}", ids.general)).await;
    assert_eq!(channel["name"], "general");
    api.ok(
        "POST",
        &format!("/v2/groups/{}/messages", ids.group),
        text("the cinema"),
    )
    .await;
}

#[tokio::test]
async fn a_thread_with_a_banned_word_is_not_published() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    emulator.change_settings(|settings| settings.banned_words = vec!["casino".into()]);
    let (mut gateway, _) = Gateway::ready(&emulator, EVERYTHING).await;
    let path = format!("/channels/{}/threads", ids.forum);
    let thread = json!({"title": "news", "content": "a casino", "format": 1});
    let answer = api.ok("PUT", &path, thread).await;
    let result = event(&mut gateway, "FORUM_PUBLISH_AUDIT_RESULT").await;
    assert_eq!(result["result"], 1);
    assert_eq!(result["task_id"], answer["task_id"]);
    assert_eq!(result["thread_id"], "");
    assert!(result["err_msg"].as_str().unwrap().contains("casino"));
    assert_eq!(api.get(&path).await["threads"], json!([]));
}

#[tokio::test]
async fn a_muted_bot_says_nothing_in_the_group() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let path = format!("/v2/groups/{}/messages", ids.group);
    let mia = emulator.user("mia");
    let asked = mia.in_group("tea house").says("hello").await;
    mia.in_group("tea house").mutes_bot().await;
    assert_eq!(api.refused("POST", &path, text("a")).await, 40_054_002);
    let answer = json!({"content": "a", "msg_type": 0, "msg_id": asked.message_id});
    let refused = api.refused("POST", &path, answer.clone()).await;
    assert_eq!(refused, 40_054_002);
    let file = json!({"file_type": 1, "url": "https://example.com/a.png", "srv_send_msg": false});
    let files = format!("/v2/groups/{}/files", ids.group);
    assert_eq!(api.refused("POST", &files, file).await, 850_018);
    let unmute = json!({"action": "unmute_bot", "scene": "group"});
    let done = control(&emulator, "POST", "actions", &unmute).await;
    assert_eq!(done.json(), json!({"event_id": ""}));
    // A refused answer has used up neither its number nor the budget.
    api.ok("POST", &path, answer).await;
    let elsewhere = json!({"action": "mute_bot", "scene": "c2c"});
    let refused = control(&emulator, "POST", "actions", &elsewhere).await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn who_is_no_friend_any_more_gets_nothing() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let user = &ids.users[0].1;
    let path = format!("/v2/users/{user}/messages");
    let mia = emulator.user("mia").in_c2c();
    let asked = mia.says("hello").await;
    mia.removes_friend().await;
    let answer = json!({"content": "a", "msg_type": 0, "msg_id": asked.message_id});
    assert_eq!(api.refused("POST", &path, answer).await, 40_054_004);
    assert_eq!(api.refused("POST", &path, text("a")).await, 40_054_004);
    mia.adds_friend().await;
    api.ok("POST", &path, text("a")).await;
}

#[tokio::test]
async fn guilds_and_their_users_switch_messages_off() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let channel = format!("/channels/{}/messages", ids.general);
    let mia = emulator.user("mia");
    let asked = mia.in_channel("general").says("hello").await;
    mia.in_channel("general").refuses_messages().await;
    assert_eq!(api.refused("POST", &channel, text("a")).await, 304_048);
    let setting = format!("/guilds/{}/message/setting", ids.guild);
    assert_eq!(api.get(&setting).await["disable_push_msg"], true);
    // Answers are no active messages.
    let answer = json!({"content": "a", "msg_id": asked.message_id});
    api.ok("POST", &channel, answer).await;
    mia.in_channel("general").allows_messages().await;
    api.ok("POST", &channel, text("a")).await;

    let open = json!({"recipient_id": ids.users[0].0, "source_guild_id": ids.guild});
    let direct = api.ok("POST", "/users/@me/dms", open.clone()).await;
    let path = format!("/dms/{}/messages", direct["guild_id"].as_str().unwrap());
    mia.in_direct().refuses_messages().await;
    assert_eq!(api.refused("POST", &path, text("a")).await, 304_031);
    assert_eq!(api.refused("POST", "/users/@me/dms", open).await, 304_031);
    mia.in_direct().allows_messages().await;
    api.ok("POST", &path, text("a")).await;
}

#[tokio::test]
async fn private_channels_are_for_those_who_see_them() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let make = format!("/guilds/{}/channels", ids.guild);
    let private = |kind: u32, users: Value| json!({"name": "private", "type": 0, "private_type": kind, "private_user_ids": users});
    let mut paths = Vec::new();
    for body in [
        private(1, json!([ids.bot])),
        private(2, json!([])),
        private(2, json!([ids.bot])),
    ] {
        let made = api.ok("POST", &make, body).await;
        paths.push(format!(
            "/channels/{}/messages",
            made["id"].as_str().unwrap()
        ));
    }
    // Those who administer the guild see everything.
    api.ok("POST", &paths[1], text("a")).await;
    let role = format!("/guilds/{}/members/{}/roles/2", ids.guild, ids.bot);
    api.done("DELETE", &role, Value::Null).await;
    assert_eq!(api.refused("POST", &paths[0], text("a")).await, 1_100_306);
    assert_eq!(api.refused("POST", &paths[1], text("a")).await, 1_100_306);
    api.ok("POST", &paths[2], text("a")).await;
}

#[tokio::test]
async fn quotes_name_a_message_of_the_same_channel() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let mia = emulator.user("mia");
    let here = mia.in_channel("general").says("here").await.message_id;
    let there = mia.in_channel("workshop").says("there").await.message_id;
    let path = format!("/channels/{}/messages", ids.general);
    let quote = |id: &str, ignore: bool| {
        json!({"content": "a", "message_reference":
            {"message_id": id, "ignore_get_message_error": ignore}})
    };
    api.ok("POST", &path, quote(&here, false)).await;
    api.ok("POST", &path, quote("gone", true)).await;
    for (body, code) in [
        (quote("gone", false), 50_039),
        (quote(&there, true), 50_038),
        (quote("", false), 50_048),
        (
            json!({"content": "a", "message_reference": {"ignore_get_message_error": true}}),
            50_048,
        ),
    ] {
        assert_eq!(api.refused("POST", &path, body).await, code);
    }
}

#[tokio::test]
async fn texts_are_as_long_as_the_setting_says() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let group = format!("/v2/groups/{}/messages", ids.group);
    let channel = format!("/channels/{}/messages", ids.general);
    api.ok("POST", &group, text(&"长".repeat(5_000))).await;
    emulator.change_settings(|settings| settings.message_length = 4);
    // Characters, not bytes.
    api.ok("POST", &group, text("长长长长")).await;
    assert_eq!(api.refused("POST", &group, text("long!")).await, 40_054_007);
    let markdown = json!({"msg_type": 2, "markdown": {"content": "long!"}});
    assert_eq!(api.refused("POST", &group, markdown).await, 40_054_007);
    assert_eq!(api.refused("POST", &channel, text("long!")).await, 50_035);
}

#[tokio::test]
async fn what_is_missing_has_a_number_of_its_own() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let threads = format!("/channels/{}/threads", ids.forum);
    let schedules = format!("/channels/{}/schedules", ids.calendar);
    let channels = format!("/guilds/{}/channels", ids.guild);
    for (method, path, body, code) in [
        (
            "PUT",
            &threads,
            json!({"content": "c", "format": 1}),
            503_005,
        ),
        ("PUT", &threads, json!({"title": "t", "format": 1}), 503_006),
        ("POST", &schedules, json!({}), 302_017),
        ("POST", &channels, json!({"type": 0}), 200_016),
        (
            "PUT",
            &"/v2/menu".to_owned(),
            json!({"menu": {"items": [{"type": "link"}]}}),
            40_030_016,
        ),
    ] {
        assert_eq!(api.refused(method, path, body).await, code, "{path}");
    }
}

#[tokio::test]
async fn limits_of_channels_and_guilds_have_their_numbers() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    emulator.change_settings(|settings| {
        settings.schedules_per_guild_day = 1;
        settings.route_limits = true;
    });
    let path = format!("/channels/{}/schedules", ids.calendar);
    let now = now();
    let body = json!({"schedule": {"name": "tea",
        "start_timestamp": (now + 3_600_000).to_string(),
        "end_timestamp": (now + 7_200_000).to_string(),
        "jump_channel_id": "0", "remind_type": "0"}});
    api.ok("POST", &path, body.clone()).await;
    assert_eq!(api.refused("POST", &path, body).await, 302_021);
    let channel = format!("/channels/{}/messages", ids.general);
    // All at once: however slow the machine is, more than five fall into one second.
    let message = text("a");
    let calls = (0..19).map(|_| api.call("POST", &channel, &message));
    let answers = futures_util::future::join_all(calls).await;
    let refused = answers.iter().find(|answer| answer.status != 200);
    let refused = refused.map(|answer| (answer.status, answer.code()));
    assert_eq!(refused, Some((429, 20_028)));
}

#[tokio::test]
async fn a_bot_that_the_platform_has_taken_down_is_told_so() {
    let emulator = start().await;
    let body = json!({"appId": emulator.app_id(), "clientSecret": emulator.secret()}).to_string();
    let api = Api::new(&emulator).await;
    for (standing, token, refused, close) in [
        (BotStanding::TakenDown, None, None, 4914),
        (
            BotStanding::Banned,
            Some(100_007),
            Some((400, 11_265)),
            4915,
        ),
        (
            BotStanding::Cancelled,
            Some(100_007),
            Some((400, 11_700)),
            4914,
        ),
        (BotStanding::AddressRefused, None, Some((401, 11_298)), 4924),
    ] {
        emulator.change_settings(|settings| settings.bot_standing = BotStanding::Good);
        let (mut open, ready) = Gateway::ready(&emulator, 1).await;
        let (mut gateway, _) = Gateway::hello(&emulator).await;
        let (mut resumed, _) = Gateway::hello(&emulator).await;
        let access = access_token(&emulator).await;
        emulator.change_settings(|settings| settings.bot_standing = standing);

        let issued = token_request(&emulator, &body).await;
        assert_eq!(
            (issued.status, issued.json()["code"].as_i64()),
            (200, token)
        );
        let me = api.call("GET", "/users/@me", &Value::Null).await;
        let answered = (me.status != 200).then(|| (me.status, me.code()));
        assert_eq!(answered, refused, "{standing:?}");
        let access = format!("QQBot {access}");
        let identify = json!({"op": 2, "d": {"token": access, "intents": 1, "shard": [0, 1]}});
        gateway.send(&identify).await;
        assert_eq!(gateway.end().await, End::Closed(close), "{standing:?}");
        let session = &ready["session_id"];
        let resume = json!({"op": 6, "d": {"token": access, "session_id": session, "seq": 1}});
        resumed.send(&resume).await;
        assert_eq!(resumed.end().await, End::Closed(close), "{standing:?}");
        // Sessions that are open stay so.
        open.send(&json!({"op": 1, "d": 1})).await;
        assert_eq!(open.frame().await["op"], 11);
    }
    let twin = api.call("GET", "/users/@me", &Value::Null).await.json();
    assert_eq!(twin["err_code"], 40_023_002);
    // All this is no fault of the client.
    assert_eq!(codes(&emulator), Vec::<String>::new());
}

#[tokio::test]
async fn who_removed_the_bot_and_who_muted_it_survive_a_restart() {
    let folder = Folder::new();
    let open = || start_with(quick().data(&folder.0));
    let emulator = open().await;
    let ids = ids(&emulator);
    let mia = emulator.user("mia");
    mia.in_c2c().removes_friend().await;
    mia.in_group("tea house").mutes_bot().await;
    emulator.stop().await;
    let emulator = open().await;
    let api = Api::new(&emulator).await;
    let user = format!("/v2/users/{}/messages", ids.users[0].1);
    let group = format!("/v2/groups/{}/messages", ids.group);
    assert_eq!(api.refused("POST", &user, text("a")).await, 40_054_004);
    assert_eq!(api.refused("POST", &group, text("a")).await, 40_054_002);
    emulator.user("mia").in_c2c().adds_friend().await;
    api.ok("POST", &user, text("a")).await;
}
