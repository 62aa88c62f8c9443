//! A person says something in each scene, and the bot answers there: over real HTTP and a real WebSocket.

use crate::support::{
    Echo, all_scenes, answer_to, assert_no_violations, client, control, eventually, run,
};
use qq_emulator::{Emulator, Scene};
use serde_json::json;

#[tokio::test]
async fn every_scene_is_answered_where_it_was_said() {
    let emulator = Emulator::builder().start().await.unwrap();
    let bot = Echo::default();
    let running = run(client(&emulator, bot.clone())).await;

    for (name, scene) in [
        ("group", Scene::Group),
        ("c2c", Scene::C2c),
        ("channel", Scene::Channel),
        ("direct", Scene::Direct),
    ] {
        let text = format!("hello from {name}");
        let said = control(
            &emulator,
            "messages",
            &json!({"scene": name, "content": text}),
        )
        .await;
        let answer = answer_to(&emulator, &text).await;
        assert_eq!(answer.scene, scene);
        assert_eq!(
            answer.conversation,
            said["conversation"].as_str().unwrap(),
            "{name}"
        );
        assert_eq!(
            answer.reply_to.as_deref(),
            said["message_id"].as_str(),
            "{name}"
        );
        assert_eq!(bot.calls(&text), 1, "{name}");
    }
    // The platform shows an answer before the client has heard that it was taken.
    eventually("the answers count", || running.client.stats().sent == 4).await;
    assert_no_violations(&emulator);
    running.client.stop().await.unwrap();
    running.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn messages_that_do_not_mention_the_bot_reach_the_same_callbacks() {
    let emulator = Emulator::builder().start().await.unwrap();
    let bot = Echo::default();
    let intents = all_scenes().with_guild_messages();
    let client = qqbot::Client::builder(
        qqbot::Token::new(emulator.app_id(), emulator.secret()),
        intents,
    )
    .environment(qqbot::Environment::custom(emulator.base_url()).unwrap())
    .handler(bot.clone())
    .build()
    .unwrap();
    let running = run(client).await;
    for scene in ["group", "channel"] {
        let text = format!("to everybody in the {scene}");
        control(
            &emulator,
            "messages",
            &json!({"scene": scene, "content": text, "mention_bot": false}),
        )
        .await;
        answer_to(&emulator, &text).await;
    }
    running.client.stop().await.unwrap();
    running.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn one_message_under_two_event_names_is_handled_once() {
    let emulator = Emulator::builder()
        .settings(|settings| settings.mention_delivery = qq_emulator::MentionDelivery::Both)
        .start()
        .await
        .unwrap();
    let bot = Echo::default();
    let running = run(client(&emulator, bot.clone())).await;
    control(
        &emulator,
        "messages",
        &json!({"scene": "group", "content": "twice"}),
    )
    .await;
    control(
        &emulator,
        "messages",
        &json!({"scene": "group", "content": "after"}),
    )
    .await;
    answer_to(&emulator, "after").await;
    answer_to(&emulator, "twice").await;
    assert_eq!(bot.calls("twice"), 1);
    assert!(running.client.stats().duplicates >= 1);
    running.client.stop().await.unwrap();
    running.task.await.unwrap().unwrap();
}
