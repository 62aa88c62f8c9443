//! Channels, roles, members, permissions, mutes: what one call changes the next one shows.

use qq_emulator::Say;
use serde_json::{Value, json};

use crate::api::{Api, EVERYTHING, assert_like, empty, event, ids, now, sent};
use crate::client::{Gateway, start};

#[tokio::test]
async fn channels() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let (mut gateway, _) = Gateway::ready(&emulator, EVERYTHING).await;
    let path = format!("/guilds/{}/channels", ids.guild);
    let body = json!({"name": "attic", "type": 0, "sub_type": 1, "position": 2, "parent_id": "0"});
    let channel = api.ok("POST", &path, body).await;
    assert_like(&channel, "create_guild_channel.docs2026");
    assert_eq!(
        (&channel["position"], &channel["owner_id"]),
        (&json!(2), &json!(ids.bot))
    );
    let d = event(&mut gateway, "CHANNEL_CREATE").await;
    assert_eq!(
        (&d["id"], &d["op_user_id"]),
        (&channel["id"], &json!(ids.bot))
    );
    let all = api.get(&path).await;
    let mut positions: Vec<u64> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|channel| channel["position"].as_u64().unwrap())
        .collect();
    positions.sort_unstable();
    assert_eq!(positions, [1, 2, 3, 4, 5, 6, 7]);
    let one = format!("/channels/{}", channel["id"].as_str().unwrap());
    let changed = api
        .ok("PATCH", &one, json!({"name": "cellar", "position": null}))
        .await;
    assert_like(&changed, "modify_channel.docs2026");
    assert_eq!(
        (&changed["name"], &changed["position"]),
        (&json!("cellar"), &json!(2))
    );
    assert_eq!(
        event(&mut gateway, "CHANNEL_UPDATE").await["name"],
        "cellar"
    );
    assert_eq!(api.get(&one).await, changed);
    assert_eq!(api.ok("DELETE", &one, Value::Null).await, empty());
    assert_eq!(
        event(&mut gateway, "CHANNEL_DELETE").await["id"],
        channel["id"]
    );
    assert_eq!(api.refused("GET", &one, Value::Null).await, 10_003);
    let message = json!({"content": "x"});
    assert_eq!(
        api.refused("POST", &format!("{one}/messages"), message)
            .await,
        10_003
    );
    for (body, code) in [
        (json!({"type": 0, "name": ""}), 200_016),
        (json!({"name": "x"}), 50_035),
        (json!({"name": "x", "type": 7}), 50_035),
        (json!({"name": "x", "type": 4, "position": 1}), 200_017),
        (
            json!({"name": "x", "type": 0, "parent_id": ids.general}),
            200_019,
        ),
        (json!({"name": "x", "type": 0, "position": -1}), 50_035),
    ] {
        assert_eq!(api.refused("POST", &path, body).await, code);
    }
    emulator.change_settings(|settings| settings.private_domain = false);
    let body = json!({"name": "x", "type": 0});
    assert_eq!(api.refused("POST", &path, body).await, 11_253);
}

#[tokio::test]
async fn roles() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let (mut gateway, _) = Gateway::ready(&emulator, EVERYTHING).await;
    let roles = format!("/guilds/{}/roles", ids.guild);
    assert_like(&api.get(&roles).await, "list_guild_roles");
    let flat = json!({"name": "pine", "color": 4_294_927_682_u32, "hoist": true});
    let created = api.ok("POST", &roles, flat).await;
    assert_like(&created, "create_guild_role");
    assert_eq!(created["role"]["hoist"], 1);
    let id = created["role_id"].as_str().unwrap();
    let one = format!("{roles}/{id}");
    let wrapped = json!({"guild_id": ids.guild, "filter": {"name": 1, "color": 0, "hoist": 0},
                         "info": {"name": "fir", "color": 1, "hoist": 0}});
    let changed = api.ok("PATCH", &one, wrapped).await;
    assert_like(&changed, "modify_guild_role");
    assert_eq!(
        (&changed["role"]["name"], &changed["role"]["hoist"]),
        (&json!("fir"), &json!(1))
    );
    assert_eq!(api.refused("PATCH", &one, empty()).await, 50_035);
    let ana = &ids.users[2].0;
    let given = format!("/guilds/{}/members/{ana}/roles/{id}", ids.guild);
    api.done("PUT", &given, Value::Null).await;
    let d = event(&mut gateway, "GUILD_MEMBER_UPDATE").await;
    assert_eq!(d["roles"], json!(["1", id]));
    // Once more changes nothing.
    api.done("PUT", &given, json!({"channel": null})).await;
    let members = api.get(&format!("{one}/members?limit=400")).await;
    assert_like(&members, "list_guild_role_members");
    assert_eq!(
        (&members["data"][0]["user"]["id"], &members["next"]),
        (&json!(ana), &json!("0"))
    );
    let page = api.get(&format!("{roles}/1/members?limit=3")).await;
    assert_eq!(
        (page["data"].as_array().unwrap().len(), &page["next"]),
        (3, &json!("3"))
    );
    let page = api
        .get(&format!("{roles}/1/members?limit=3&start_index=3"))
        .await;
    assert_eq!(
        (page["data"].as_array().unwrap().len(), &page["next"]),
        (1, &json!("0"))
    );
    api.done("DELETE", &one, Value::Null).await;
    assert_eq!(
        event(&mut gateway, "GUILD_MEMBER_UPDATE").await["roles"],
        json!(["1"])
    );
    assert_eq!(api.refused("DELETE", &one, Value::Null).await, 50_035);
    assert_eq!(
        api.refused("DELETE", &format!("{roles}/4"), Value::Null)
            .await,
        50_035
    );
    // The role of channel administrators is for one channel.
    let five = format!("/guilds/{}/members/{ana}/roles/5", ids.guild);
    assert_eq!(api.refused("PUT", &five, Value::Null).await, 50_035);
    api.done("PUT", &five, json!({"id": ids.general})).await;
    let path = format!("/channels/{}/members/{ana}/permissions", ids.general);
    assert_eq!(api.get(&path).await["permissions"], "7");
    api.done("DELETE", &five, json!({"channel": {"id": ids.general}}))
        .await;
    assert_eq!(api.get(&path).await["permissions"], "5");
    // Without its own role 2 the bot may do nothing of this.
    let own = format!("/guilds/{}/members/{}/roles/2", ids.guild, ids.bot);
    api.done("DELETE", &own, Value::Null).await;
    assert_eq!(
        api.refused("POST", &roles, json!({"name": "x"})).await,
        11_282
    );
}

#[tokio::test]
async fn members_permissions_and_mutes() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let (mut gateway, _) = Gateway::ready(&emulator, EVERYTHING).await;
    let [mia, leo, ana] = [0, 1, 2].map(|user: usize| ids.users[user].0.as_str());
    for (whose, of) in [("members", ana), ("roles", "1")] {
        let path = format!("/channels/{}/{whose}/{of}/permissions", ids.general);
        let fixture = if whose == "roles" { "role" } else { "user" };
        assert_like(
            &api.get(&path).await,
            &format!("get_channel_{fixture}_permissions"),
        );
        api.done("PUT", &path, json!({"add": "9", "remove": "4"}))
            .await;
        assert_eq!(api.get(&path).await["permissions"], "9");
        assert_eq!(
            api.refused("PUT", &path, json!({"add": "2"})).await,
            301_003
        );
        assert_eq!(
            api.refused("PUT", &path, json!({"add": "x"})).await,
            301_000
        );
        assert_eq!(api.refused("PUT", &path, json!({"add": 1})).await, 301_000);
    }
    let mute = format!("/guilds/{}/mute", ids.guild);
    let both = json!({"mute_seconds": "60", "user_ids": [mia, ana, "nobody"]});
    let muted = api.ok("PATCH", &mute, both).await;
    assert_like(&muted, "mute_guild_members");
    assert_eq!(muted["user_ids"], json!([ana]));
    let member = |user: &str| format!("/guilds/{}/members/{user}", ids.guild);
    assert_eq!(api.get(&member(ana)).await["mute"], true);
    let end = (now() / 1000 + 60).to_string();
    let until = json!({"mute_end_timestamp": end, "mute_seconds": 0});
    api.done("PATCH", &format!("{}/mute", member(leo)), until)
        .await;
    assert_eq!(api.get(&member(leo)).await["mute"], true);
    api.done(
        "PATCH",
        &format!("{}/mute", member(leo)),
        json!({"mute_seconds": 0}),
    )
    .await;
    assert_eq!(api.get(&member(leo)).await["mute"], false);
    api.done("PATCH", &mute, json!({"mute_seconds": "60"}))
        .await;
    assert_eq!(api.get(&member(leo)).await["mute"], true);
    emulator.advance(std::time::Duration::from_secs(60));
    assert_eq!(api.get(&member(leo)).await["mute"], false);
    assert_eq!(api.refused("PATCH", &mute, empty()).await, 502_006);
    let admin = format!("{}/mute", member(mia));
    assert_eq!(
        api.refused("PATCH", &admin, json!({"mute_seconds": "1"}))
            .await,
        502_003
    );

    let said = emulator
        .say(Say::channel("bye").author(ana).mention_bot(false))
        .await;
    gateway.frame().await;
    let body = json!({"add_blacklist": true, "delete_history_msg_days": -1});
    api.done("DELETE", &member(ana), body).await;
    let d = event(&mut gateway, "GUILD_MEMBER_REMOVE").await;
    assert_eq!(
        (&d["user"]["id"], &d["op_user_id"]),
        (&json!(ana), &json!(ids.bot))
    );
    assert_eq!(api.refused("GET", &member(ana), Value::Null).await, 10_001);
    assert_eq!(
        api.refused("DELETE", &member(mia), Value::Null).await,
        11_282
    );
    let gone = format!("/channels/{}/messages/{}", ids.general, said.message_id);
    assert_eq!(api.refused("GET", &gone, Value::Null).await, 304_026);
}

#[tokio::test]
async fn pins_and_announcements() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let pins = format!("/channels/{}/pins", ids.general);
    assert_eq!(api.get(&pins).await["message_ids"], json!([]));
    let message = sent(&api, &ids, json!({"content": "x"})).await;
    let pinned = api.ok("PUT", &format!("{pins}/{message}"), empty()).await;
    assert_like(&pinned, "add_pin");
    assert_eq!(api.get(&pins).await, pinned);
    assert_eq!(
        api.refused("PUT", &format!("{pins}/none"), Value::Null)
            .await,
        501_008
    );
    api.done("DELETE", &format!("{pins}/{message}"), Value::Null)
        .await;
    assert_eq!(
        api.refused("DELETE", &format!("{pins}/{message}"), Value::Null)
            .await,
        501_012
    );
    for _ in 0..20 {
        let said = emulator.say(Say::channel("x")).await;
        api.ok("PUT", &format!("{pins}/{}", said.message_id), Value::Null)
            .await;
    }
    assert_eq!(
        api.refused("PUT", &format!("{pins}/{message}"), Value::Null)
            .await,
        501_013
    );
    api.done("DELETE", &format!("{pins}/all"), Value::Null)
        .await;
    assert_eq!(api.get(&pins).await["message_ids"], json!([]));

    let guild = format!("/guilds/{}/announces", ids.guild);
    let body = json!({"channel_id": ids.general, "message_id": message});
    let announce = api.ok("POST", &guild, body.clone()).await;
    assert_like(&announce, "create_guild_announce");
    let channels = json!({"announces_type": 1, "recommend_channels":
        [{"channel_id": ids.general, "channel_introduce": "here"}]});
    let recommended = api.ok("POST", &guild, channels).await;
    assert_like(&recommended, "create_guild_announce.recommend");
    let old = format!("{guild}/{message}");
    assert_eq!(api.refused("DELETE", &old, Value::Null).await, 501_007);
    api.done("DELETE", &format!("{guild}/all"), Value::Null)
        .await;
    api.ok("POST", &guild, body).await;
    api.done("DELETE", &old, Value::Null).await;
    for (body, code) in [
        (empty(), 501_001),
        (json!({"message_id": message, "channel_id": "1"}), 501_001),
        (
            json!({"message_id": "1", "channel_id": ids.general}),
            501_008,
        ),
        (
            json!({"recommend_channels": [{"channel_id": "1", "introduce": "x"}]}),
            501_018,
        ),
    ] {
        assert_eq!(api.refused("POST", &guild, body).await, code);
    }
    let channel = format!("/channels/{}/announces", ids.general);
    let body = json!({"message_id": message});
    assert_like(
        &api.ok("POST", &channel, body).await,
        "create_channel_announce",
    );
    api.done("DELETE", &format!("{channel}/{message}"), Value::Null)
        .await;
    let again = format!("{channel}/{message}");
    assert_eq!(api.refused("DELETE", &again, Value::Null).await, 501_003);
}

#[tokio::test]
async fn schedules() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let path = format!("/channels/{}/schedules", ids.calendar);
    assert_eq!(api.get(&path).await, Value::Null);
    emulator.change_settings(|settings| settings.empty_schedules_as_null = false);
    assert_eq!(api.get(&path).await, json!([]));
    let at = |hours: u64| (now() + hours * 3_600_000).to_string();
    let schedule = |start: u64, end: u64, jump: &str| {
        json!({"schedule": {"name": "tea", "start_timestamp": at(start), "end_timestamp": at(end),
                            "jump_channel_id": jump, "remind_type": "0"}})
    };
    let made = api.ok("POST", &path, schedule(48, 49, "0")).await;
    assert_like(&made, "create_schedule");
    let flat = schedule(50, 51, &ids.general)["schedule"].clone();
    let other = api.ok("POST", &path, flat).await;
    let one = format!("{path}/{}", made["id"].as_str().unwrap());
    assert_eq!(api.get(&one).await, made);
    // `since` in the query or in the body.
    let since = format!("{path}?since={}", now() + 49 * 3_600_000 + 1_000_000);
    assert_eq!(api.get(&since).await, json!([other]));
    let body = json!({"since": now()});
    let all = api.ok("GET", &path, body).await;
    assert_eq!(all.as_array().unwrap().len(), 2);
    let changed = api.ok("PATCH", &one, schedule(60, 61, "0")).await;
    assert_like(&changed, "modify_schedule");
    assert_eq!(api.get(&one).await, changed);
    api.done("DELETE", &one, Value::Null).await;
    assert_eq!(api.refused("DELETE", &one, Value::Null).await, 302_011);
    assert_eq!(api.refused("GET", &one, Value::Null).await, 302_003);
    let mut past = schedule(1, 2, "0");
    past["schedule"]["start_timestamp"] = "1000".into();
    for (body, code) in [
        (empty(), 302_017),
        (schedule(2, 1, "0"), 302_016),
        (schedule(1, 200, "0"), 302_014),
        (schedule(1, 2, "1"), 302_024),
        (schedule(1, 2, &ids.calendar), 302_023),
        (past, 302_015),
    ] {
        assert_eq!(api.refused("POST", &path, body).await, code);
    }
    let general = format!("/channels/{}/schedules", ids.general);
    assert_eq!(
        api.refused("POST", &general, schedule(1, 2, "0")).await,
        302_000
    );
    emulator.change_settings(|settings| settings.schedules_per_day = 2);
    assert_eq!(
        api.refused("POST", &path, schedule(1, 2, "0")).await,
        302_012
    );
}

#[tokio::test]
async fn reactions() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let said = emulator.say(Say::channel("x")).await;
    let (mut gateway, _) = Gateway::ready(&emulator, EVERYTHING).await;
    let message = format!("/channels/{}/messages/{}", ids.general, said.message_id);
    let face = format!("{message}/reactions/1/4");
    api.done("PUT", &face, Value::Null).await;
    let d = event(&mut gateway, "MESSAGE_REACTION_ADD").await;
    assert_eq!(d["user_id"], ids.bot);
    assert_eq!(d["target"]["type"], "ReactionTargetType_MSG");
    assert_eq!(d["emoji"], json!({"id": "4", "type": 1}));
    assert_eq!(api.refused("PUT", &face, Value::Null).await, 620_003);
    // Users react, too.
    for (user, _) in &ids.users {
        let mut d = d.clone();
        d["user_id"] = user.as_str().into();
        emulator.push_event("MESSAGE_REACTION_ADD", d).await;
        gateway.frame().await;
    }
    let page = api.get(&format!("{face}?limit=3")).await;
    assert_like(&page, "list_reaction_users");
    assert_eq!(
        (page["users"].as_array().unwrap().len(), &page["is_end"]),
        (3, &json!(false))
    );
    let cookie = page["cookie"].as_str().unwrap().replace('=', "%3D");
    let page = api.get(&format!("{face}?limit=50&cookie={cookie}")).await;
    assert_eq!(page["users"][0]["username"], "ana");
    assert_eq!(
        (page["users"].as_array().unwrap().len(), &page["is_end"]),
        (1, &json!(true))
    );
    emulator.change_settings(|settings| settings.reaction_target_as_number = true);
    api.done("DELETE", &face, Value::Null).await;
    let d = event(&mut gateway, "MESSAGE_REACTION_REMOVE").await;
    assert_eq!(d["target"]["type"], 0);
    assert_eq!(api.refused("DELETE", &face, Value::Null).await, 620_004);
    assert_eq!(api.get(&face).await["users"].as_array().unwrap().len(), 3);
    for path in ["reactions/3/4", "reactions/x/4"] {
        let path = format!("{message}/{path}");
        assert_eq!(api.refused("PUT", &path, Value::Null).await, 620_001);
    }
    for id in 0..19 {
        api.done("PUT", &format!("{message}/reactions/2/{id}"), Value::Null)
            .await;
    }
    let more = format!("{message}/reactions/2/99");
    assert_eq!(api.refused("PUT", &more, Value::Null).await, 620_002);
}

#[tokio::test]
async fn voice_and_audio() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let (mut gateway, _) = Gateway::ready(&emulator, EVERYTHING).await;
    let voice = format!("/channels/{}", ids.voice);
    let audio = format!("{voice}/audio");
    assert_eq!(
        api.refused("POST", &audio, json!({"status": 3})).await,
        50_035
    );
    let start = json!({"audio_url": "https://example.com/a.mp3", "text": "a", "status": 0});
    assert_eq!(api.ok("POST", &audio, start).await, empty());
    assert_eq!(event(&mut gateway, "AUDIO_START").await["text"], "a");
    api.ok("POST", &audio, json!({"audio_url": null, "status": 1}))
        .await;
    api.ok("POST", &audio, json!({"status": 3})).await;
    event(&mut gateway, "AUDIO_FINISH").await;
    let mic = format!("{voice}/mic");
    api.ok("PUT", &mic, empty()).await;
    event(&mut gateway, "AUDIO_ON_MIC").await;
    let enter = json!({"guild_id": ids.guild, "channel_id": ids.voice, "channel_type": 2,
                       "user_id": ids.users[0].0});
    emulator
        .push_event("AUDIO_OR_LIVE_CHANNEL_MEMBER_ENTER", enter.clone())
        .await;
    gateway.frame().await;
    let members = api.get(&format!("{voice}/voice/members")).await;
    assert_eq!(
        (&members[0]["user"]["id"], &members[1]["user"]["id"]),
        (&json!(ids.bot), &json!(ids.users[0].0))
    );
    let count = api.get(&format!("{voice}/online_nums")).await;
    assert_like(&count, "get_channel_online_nums");
    assert_eq!(count["online_nums"], 2);
    emulator
        .push_event("AUDIO_OR_LIVE_CHANNEL_MEMBER_EXIT", enter)
        .await;
    gateway.frame().await;
    api.ok("DELETE", &mic, empty()).await;
    event(&mut gateway, "AUDIO_OFF_MIC").await;
    assert_eq!(api.get(&format!("{voice}/voice/members")).await, json!([]));
    let text = format!("/channels/{}/voice/members", ids.general);
    assert_eq!(api.call("GET", &text, &Value::Null).await.status, 400);
}

#[tokio::test]
async fn threads() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let (mut gateway, _) = Gateway::ready(&emulator, EVERYTHING).await;
    let path = format!("/channels/{}/threads", ids.forum);
    assert_eq!(api.get(&path).await, json!({"threads": [], "is_finish": 1}));
    let rich = json!({"paragraphs": [{"elems": [{"type": 1, "text": {"text": "a"}}]}]}).to_string();
    for (content, format) in [
        ("a\nb", 1),
        ("<p>a &lt; b</p>", 2),
        ("# a", 3),
        (rich.as_str(), 4),
    ] {
        let body = json!({"title": "maple", "content": content, "format": format});
        assert_like(&api.ok("PUT", &path, body).await, "put_thread");
        let d = event(&mut gateway, "FORUM_THREAD_CREATE").await;
        assert_eq!(d["author_id"], ids.bot);
        for part in ["title", "content"] {
            let text = d["thread_info"][part].as_str().unwrap();
            let rich: Value = serde_json::from_str(text).unwrap();
            assert!(
                rich["paragraphs"][0]["elems"][0]["text"]["text"].is_string(),
                "{rich}"
            );
            assert!(!text.contains("<p>"));
        }
        event(&mut gateway, "OPEN_FORUM_THREAD_CREATE").await;
        event(&mut gateway, "FORUM_PUBLISH_AUDIT_RESULT").await;
    }
    let threads = api.get(&path).await;
    assert_like(&threads, "list_threads");
    assert_eq!(threads["threads"].as_array().unwrap().len(), 4);
    let thread = &threads["threads"][0];
    let id = thread["thread_info"]["thread_id"].as_str().unwrap();
    let one = format!("{path}/{id}");
    assert_like(&api.get(&one).await, "get_thread");
    emulator.change_settings(|settings| settings.forum_ids_as_numbers = true);
    api.done("DELETE", &one, Value::Null).await;
    let d = event(&mut gateway, "FORUM_THREAD_DELETE").await;
    assert!(d["guild_id"].is_u64());
    event(&mut gateway, "OPEN_FORUM_THREAD_DELETE").await;
    assert_eq!(api.refused("GET", &one, Value::Null).await, 503_012);
    for (body, code) in [
        (json!({"title": "", "content": "x", "format": 1}), 503_005),
        (json!({"title": "x", "content": "", "format": 1}), 503_006),
        (json!({"title": "x", "content": "x", "format": 4}), 503_014),
        (json!({"title": "x", "content": "{}", "format": 4}), 503_015),
        (json!({"title": "x", "content": "x", "format": 5}), 503_015),
        (json!({"title": "x", "content": "x"}), 503_013),
    ] {
        assert_eq!(api.refused("PUT", &path, body).await, code);
    }
    let text = format!("/channels/{}/threads", ids.general);
    assert_eq!(api.refused("GET", &text, Value::Null).await, 503_003);
}

#[tokio::test]
async fn permissions_of_the_api_and_direct_conversations() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let path = format!("/guilds/{}/api_permission", ids.guild);
    assert_like(&api.get(&path).await, "get_api_permission");
    let demand = format!("{path}/demand");
    let body = json!({"channel_id": ids.general, "desc": "please", "api_identify":
        {"path": "/guilds/{guild_id}/members", "method": "GET"}});
    assert_eq!(api.refused("POST", &demand, body.clone()).await, 610_010);
    emulator.change_settings(|settings| settings.private_domain = false);
    for _ in 0..3 {
        assert_like(
            &api.ok("POST", &demand, body.clone()).await,
            "post_api_permission_demand",
        );
    }
    assert_eq!(api.refused("POST", &demand, body.clone()).await, 610_013);
    let mut odd = body;
    odd["api_identify"]["path"] = "/nowhere".into();
    assert_eq!(api.refused("POST", &demand, odd).await, 610_009);

    let setting = api
        .get(&format!("/guilds/{}/message/setting", ids.guild))
        .await;
    assert_like(&setting, "get_guild_message_setting");
    let garden = emulator.world().guilds[1].id.clone();
    let open = |user: &str| json!({"recipient_id": user, "source_guild_id": garden});
    let direct = api
        .ok("POST", "/users/@me/dms", open(&ids.users[0].0))
        .await;
    assert_like(&direct, "create_dms");
    let again = api
        .ok("POST", "/users/@me/dms", open(&ids.users[0].0))
        .await;
    assert_eq!(again["guild_id"], direct["guild_id"]);
    let dms = format!("/dms/{}/messages", direct["guild_id"].as_str().unwrap());
    let sent = api.ok("POST", &dms, json!({"content": "hello"})).await;
    assert_eq!(sent["channel_id"], direct["channel_id"]);
    // ana is not in that guild.
    assert_eq!(
        api.refused("POST", "/users/@me/dms", open(&ids.users[2].0))
            .await,
        304_034
    );
}
