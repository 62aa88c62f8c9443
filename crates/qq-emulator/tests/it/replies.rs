//! Answers: which message, which number, how many, how late; and messages that answer nothing.

use std::time::Duration;

use qq_emulator::{Emulator, Level, Said, Say, Scene};
use serde_json::{Value, json};

use crate::client::{Gateway, MESSAGES, call, codes, start, violation};

fn path(scene: Scene, conversation: &str) -> String {
    let prefix = match scene {
        Scene::Group => "/v2/groups",
        Scene::C2c => "/v2/users",
        Scene::Channel => "/channels",
        _ => "/dms",
    };
    format!("{prefix}/{conversation}/messages")
}

/// Sends; gives 0 or the code of the refusal.
async fn send(emulator: &Emulator, scene: Scene, conversation: &str, body: Value) -> i64 {
    let answer = call(emulator, "POST", &path(scene, conversation), &body).await;
    match answer.status {
        200 => 0,
        400 => answer.code(),
        other => panic!("{other}: {}", answer.body),
    }
}

async fn said(emulator: &Emulator, scene: Scene) -> Said {
    emulator.say(Say::new(scene, "x")).await
}

const SCENES: [Scene; 4] = [Scene::Group, Scene::C2c, Scene::Channel, Scene::Direct];

#[tokio::test]
async fn each_pair_of_message_and_number_once() {
    let emulator = start().await;
    for scene in [Scene::Group, Scene::C2c] {
        let said = said(&emulator, scene).await;
        let reply = |seq: Value, text: &str| {
            let body = json!({"content": text, "msg_id": said.message_id, "msg_seq": seq});
            send(&emulator, scene, &said.conversation, body)
        };
        assert_eq!(reply(json!(null), "a").await, 0);
        assert_eq!(reply(json!(1), "b").await, 40_054_005);
        assert_eq!(emulator.violations().pop().unwrap().level, Level::Error);
        assert_eq!(reply(json!(2), "b").await, 0);
        assert_eq!(reply(json!(999_999), "c").await, 0);
        // The very same once more: a retry whose answer was lost.
        assert_eq!(reply(json!(2), "b").await, 40_054_005);
        assert_eq!(emulator.violations().pop().unwrap().level, Level::Info);
        assert_eq!(reply(json!(-1), "b").await, 40_034_125);
    }
    assert_eq!(emulator.outbox().len(), 6);
    assert_eq!(codes(&emulator)[0], "rest.reply.duplicate_seq");
    assert_eq!(codes(&emulator)[1], "rest.reply.repeated");
}

#[tokio::test]
async fn as_many_answers_as_the_scene_allows() {
    let emulator = start().await;
    for (scene, budget, over) in [
        (Scene::Group, 5, 40_034_128),
        (Scene::C2c, 4, 40_034_128),
        (Scene::Channel, 8, 0),
        (Scene::Direct, 8, 0),
    ] {
        let said = said(&emulator, scene).await;
        for seq in 0..budget {
            let body = json!({"content": "x", "msg_id": said.message_id, "msg_seq": seq});
            let body = if scene == Scene::Group || scene == Scene::C2c {
                body
            } else {
                json!({"content": "x", "msg_id": said.message_id})
            };
            assert_eq!(send(&emulator, scene, &said.conversation, body).await, 0);
        }
        let body = json!({"content": "x", "msg_id": said.message_id, "msg_seq": 100});
        let code = send(&emulator, scene, &said.conversation, body).await;
        assert_eq!(code, over, "{scene:?}");
    }
    let budget: Vec<_> = codes(&emulator)
        .into_iter()
        .filter(|code| code == "rest.reply.budget")
        .collect();
    assert_eq!(budget.len(), 2);
}

#[tokio::test]
async fn typing_costs_an_answer_unless_told_otherwise() {
    let emulator = start().await;
    let said = said(&emulator, Scene::C2c).await;
    emulator.change_settings(|settings| settings.c2c_reply_budget = 1);
    let typing = |seq: u32| {
        json!({"msg_type": 6, "msg_id": said.message_id, "msg_seq": seq,
               "input_notify": {"input_type": 1, "input_second": 5}})
    };
    emulator.change_settings(|settings| settings.typing_costs_budget = false);
    assert_eq!(
        send(&emulator, Scene::C2c, &said.conversation, typing(1)).await,
        0
    );
    assert_eq!(emulator.timeline().len(), 1, "typing is no message");
    emulator.change_settings(|settings| settings.typing_costs_budget = true);
    assert_eq!(
        send(&emulator, Scene::C2c, &said.conversation, typing(2)).await,
        0
    );
    let body = json!({"content": "x", "msg_id": said.message_id, "msg_seq": 3});
    assert_eq!(
        send(&emulator, Scene::C2c, &said.conversation, body).await,
        40_034_128
    );
}

#[tokio::test]
async fn the_window_of_each_scene() {
    let emulator = start().await;
    for (scene, minutes, expired) in [
        (Scene::Group, 5, 40_034_005),
        (Scene::C2c, 60, 40_034_005),
        (Scene::Channel, 5, 304_027),
        (Scene::Direct, 5, 304_027),
    ] {
        let said = said(&emulator, scene).await;
        let body = |seq: u32| match scene {
            Scene::Group | Scene::C2c => {
                json!({"content": "x", "msg_id": said.message_id, "msg_seq": seq})
            }
            _ => json!({"content": "x", "msg_id": said.message_id}),
        };
        emulator.advance(Duration::from_secs(minutes * 60 - 5));
        assert_eq!(send(&emulator, scene, &said.conversation, body(1)).await, 0);
        emulator.advance(Duration::from_secs(6));
        assert_eq!(
            send(&emulator, scene, &said.conversation, body(2)).await,
            expired
        );
        assert_eq!(
            emulator.violations().pop().unwrap().code,
            "rest.reply.expired"
        );
    }
}

#[tokio::test]
async fn ids_that_cannot_be_answered() {
    let emulator = start().await;
    let leo = emulator.say(Say::c2c("x").author("leo")).await;
    for (scene, unknown, elsewhere) in [
        (Scene::Group, 40_034_024, 40_034_024),
        (Scene::C2c, 40_034_024, 40_034_024),
        (Scene::Channel, 304_026, 50_038),
        (Scene::Direct, 304_026, 50_038),
    ] {
        let said = said(&emulator, scene).await;
        let answer = |id: &str| {
            let body = json!({"content": "x", "msg_id": id});
            send(&emulator, scene, &said.conversation, body)
        };
        assert_eq!(answer("ROBOT1.0_nonsense").await, unknown, "{scene:?}");
        assert_eq!(answer(&leo.message_id).await, elsewhere, "{scene:?}");
        let body = json!({"content": "x", "event_id": "GROUP_ADD_ROBOT:nonsense"});
        let code = send(&emulator, scene, &said.conversation, body).await;
        assert_eq!(
            code,
            if unknown == 304_026 {
                304_026
            } else {
                40_034_025
            }
        );
        let body = json!({"content": "x", "event_id": said.event_id});
        let code = send(&emulator, scene, &said.conversation, body).await;
        assert_eq!(
            code,
            if unknown == 304_026 {
                304_026
            } else {
                40_034_027
            }
        );
    }
    assert!(codes(&emulator).iter().all(|code| code == "rest.reply.id"));
    assert_eq!(codes(&emulator).len(), 16);
    let own = emulator.say(Say::channel("x")).await;
    let body = json!({"content": "x", "msg_id": own.message_id});
    let answer = call(
        &emulator,
        "POST",
        &path(Scene::Channel, &own.conversation),
        &body,
    )
    .await;
    let body = json!({"content": "x", "msg_id": answer.json()["id"]});
    assert_eq!(
        send(&emulator, Scene::Channel, &own.conversation, body).await,
        50_045
    );
}

#[tokio::test]
async fn both_ids_are_tolerated_and_empty_ones_are_none() {
    let emulator = start().await;
    let said = said(&emulator, Scene::Group).await;
    let body = json!({"content": "x", "msg_id": said.message_id, "event_id": said.event_id});
    assert_eq!(
        send(&emulator, Scene::Group, &said.conversation, body).await,
        0
    );
    let breach = violation(&emulator);
    assert_eq!(
        (breach.code.as_str(), breach.level),
        ("rest.reply.both_ids", Level::Warn)
    );
    assert!(breach.request.is_some());
    assert_eq!(breach.client, "raw/1");
    let body = json!({"content": "x", "msg_id": "", "event_id": "", "msg_seq": 1});
    assert_eq!(
        send(&emulator, Scene::Group, &said.conversation, body).await,
        0
    );
    assert_eq!(emulator.outbox()[1].reply_to, None);
}

#[tokio::test]
async fn messages_that_answer_nothing_have_quotas() {
    let emulator = start().await;
    let world = emulator.world();
    let group = &world.groups[0].id;
    let body = json!({"content": "x"});
    for _ in 0..20 {
        assert_eq!(send(&emulator, Scene::Group, group, body.clone()).await, 0);
    }
    assert_eq!(
        send(&emulator, Scene::Group, group, body.clone()).await,
        40_034_100
    );
    // Of one user first, then of the bot.
    for (user, most) in world.users.iter().zip([20, 10]) {
        let user = &user.openid;
        for _ in 0..most {
            assert_eq!(send(&emulator, Scene::C2c, user, body.clone()).await, 0);
        }
        assert_eq!(
            send(&emulator, Scene::C2c, user, body.clone()).await,
            40_034_100
        );
    }
    emulator.advance(Duration::from_secs(60));
    assert_eq!(send(&emulator, Scene::Group, group, body.clone()).await, 0);

    let [general, workshop, ..] = &world.guilds[0].channels[..] else {
        panic!("two channels")
    };
    emulator.change_settings(|settings| settings.active_channels_per_guild_day = 1);
    for _ in 0..20 {
        assert_eq!(
            send(&emulator, Scene::Channel, &general.id, body.clone()).await,
            0
        );
    }
    assert_eq!(
        send(&emulator, Scene::Channel, &general.id, body.clone()).await,
        304_045
    );
    assert_eq!(
        send(&emulator, Scene::Channel, &workshop.id, body.clone()).await,
        304_047
    );
    let direct = &world.direct[0].guild_id;
    for wanted in [0, 0, 304_049] {
        assert_eq!(
            send(&emulator, Scene::Direct, direct, body.clone()).await,
            wanted
        );
    }
    assert!(
        codes(&emulator)
            .iter()
            .all(|code| code == "rest.active.quota")
    );
    emulator.advance(Duration::from_secs(86_400));
    assert_eq!(
        send(&emulator, Scene::Direct, direct, body.clone()).await,
        0
    );
    assert_eq!(send(&emulator, Scene::Channel, &workshop.id, body).await, 0);
}

#[tokio::test]
async fn unknown_conversations() {
    let emulator = start().await;
    for (scene, code) in SCENES.into_iter().zip([11_255, 11_255, 10_003, 304_032]) {
        let got = send(&emulator, scene, "404", json!({"content": "x"})).await;
        assert_eq!(got, code);
    }
    assert_eq!(codes(&emulator), ["rest.conversation"; 4]);
}

#[tokio::test]
async fn a_session_can_be_demanded() {
    let emulator = start().await;
    emulator.change_settings(|settings| settings.require_session = true);
    for (scene, code) in SCENES
        .into_iter()
        .zip([40_054_016, 40_054_016, 304_018, 304_018])
    {
        let said = said(&emulator, scene).await;
        let body = json!({"content": "x", "msg_id": said.message_id});
        assert_eq!(send(&emulator, scene, &said.conversation, body).await, code);
    }
    let (_gateway, _) = Gateway::ready(&emulator, MESSAGES).await;
    for scene in SCENES {
        let said = said(&emulator, scene).await;
        let body = json!({"content": "x", "msg_id": said.message_id});
        assert_eq!(send(&emulator, scene, &said.conversation, body).await, 0);
    }
}
