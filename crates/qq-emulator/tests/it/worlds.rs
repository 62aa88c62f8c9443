//! Worlds from files, and worlds that survive restarts.

use std::time::Duration;

use qq_emulator::{Emulator, World};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::client::{call, control, start_with};
use crate::process::{Folder, Process};

#[tokio::test]
async fn an_exported_world_can_be_loaded() {
    let emulator = Emulator::builder().seed(99).start().await.unwrap();
    emulator.add_stranger("max").unwrap();
    emulator.user("max").in_channel("lawn").joins().await;
    let exported = control(&emulator, "GET", "world", &Value::Null).await.body;
    let world = World::from_json(&exported, 0).unwrap();
    let copy = start_with(Emulator::builder().world(world)).await;
    assert_eq!(
        control(&copy, "GET", "world", &Value::Null).await.body,
        exported
    );
    copy.user("max").in_channel("lawn").says("hi").await;
}

#[tokio::test]
async fn the_command_reads_a_world_or_says_what_is_wrong_with_it() {
    let folder = Folder::new();
    let file = folder.file(
        "world.json",
        r#"{"version": 1, "users": [{"name": "eva"}], "groups": [{"name": "lab"}]}"#,
    );
    let process = Process::start(&["--world", &file]).await;
    let say = json!({"scene": "group", "conversation": "lab", "author": "eva", "content": "hi"});
    process.call("POST", "/emulator/v1/messages", &say).await;
    process.interrupt().await;

    let bad = folder.file("bad.json", "{\n  \"version\": 1,\n  \"userz\": []\n}");
    let why = Process::refusal(&["--world", &bad]).await;
    let wanted = "bad.json: line 3, column 9: userz: unknown field; did you mean \"users\"?";
    assert!(why.contains(wanted), "{why}");
    let why = Process::refusal(&["--world", "/nowhere/world.json"]).await;
    assert!(why.contains("/nowhere/world.json: "), "{why}");
}

/// Guilds, messages, reactions, schedules, the clock and the ids go on where they were.
#[tokio::test]
async fn a_world_with_a_folder_goes_on_after_a_restart() {
    let folder = Folder::new();
    let builder = || Emulator::builder().data(folder.path());
    let emulator = builder().start().await.unwrap();
    let guild = emulator.world().guilds[0].clone();
    let path = format!("/guilds/{}/channels", guild.id);
    let new = json!({"name": "new", "type": 0, "sub_type": 0});
    let made = call(&emulator, "POST", &path, &new).await.json();
    let said = emulator
        .user("mia")
        .in_channel("general")
        .says("remember")
        .await;
    emulator
        .user("leo")
        .in_channel("general")
        .reacts("👍")
        .await;
    let role = format!("/guilds/{}/roles", guild.id);
    call(&emulator, "POST", &role, &json!({"name": "crew"})).await;
    let user = emulator.world().users[0].openid.clone();
    let sent = json!({"content": "kept", "msg_type": 0});
    call(
        &emulator,
        "POST",
        &format!("/v2/users/{user}/messages"),
        &sent,
    )
    .await;
    emulator.advance(Duration::from_secs(3600));
    let before = control(&emulator, "GET", "world", &Value::Null).await.body;
    emulator.stop().await;

    let emulator = builder().start().await.unwrap();
    assert_eq!(
        control(&emulator, "GET", "world", &Value::Null).await.body,
        before
    );
    let general = &said.conversation;
    let path = format!("/channels/{general}/messages/{}", said.message_id);
    let message = call(&emulator, "GET", &path, &Value::Null).await.json();
    assert_eq!(
        message["message"]["content"],
        format!("<@!{}> remember", emulator.world().bots[0].id)
    );
    let users = call(
        &emulator,
        "GET",
        &format!("{path}/reactions/2/128077"),
        &Value::Null,
    )
    .await;
    assert_eq!(users.json()["users"][0]["username"], "leo");
    let channel = made["id"].as_str().unwrap();
    assert_eq!(
        call(
            &emulator,
            "GET",
            &format!("/channels/{channel}"),
            &Value::Null
        )
        .await
        .json()["name"],
        "new"
    );
    assert_eq!(emulator.outbox()[0].text(), "kept");
    assert_eq!(emulator.timeline().len(), 2);
    let clock = control(&emulator, "GET", "clock", &Value::Null)
        .await
        .json();
    assert_eq!(clock["advanced_ms"], 3_600_000);
    let next = emulator
        .user("mia")
        .in_channel("general")
        .says("more")
        .await;
    assert_ne!(next.message_id, said.message_id);
    emulator.stop().await;
}

#[tokio::test]
async fn a_killed_process_loses_less_than_a_second() {
    let folder = Folder::new();
    let data = folder.path();
    let process = Process::start(&["--data", &data]).await;
    process
        .call("POST", "/emulator/v1/users", &json!({"name": "early"}))
        .await;
    sleep(Duration::from_secs(1)).await;
    // While it writes, and most likely while the file is half there.
    for n in 0..20 {
        process
            .call(
                "POST",
                "/emulator/v1/users",
                &json!({"name": format!("u{n}")}),
            )
            .await;
    }
    process.kill().await;
    let process = Process::start(&["--data", &data]).await;
    let world = process
        .call("GET", "/emulator/v1/world", &Value::Null)
        .await;
    let users = world["users"].as_array().unwrap();
    assert!(
        users.iter().any(|user| user["name"] == "early"),
        "{users:?}"
    );
    process.interrupt().await;
}

#[tokio::test]
async fn a_broken_file_is_an_error_and_stays_as_it_is() {
    let folder = Folder::new();
    let data = folder.path();
    Process::start(&["--data", &data]).await.interrupt().await;
    let file = folder.0.join("state.json");
    let whole = std::fs::read_to_string(&file).unwrap();
    for (broken, why) in [
        (
            whole[..whole.len() / 2].to_owned(),
            "state.json: line 1, column ",
        ),
        (
            whole.replacen("\"version\":1", "\"version\":9", 1),
            "version: this is version 1",
        ),
        (
            whole.replacen("\"groups\":[{", "\"groupz\":[{", 1),
            "did you mean \"groups\"?",
        ),
        (
            whole.replacen("\"bot_role\":\"admin\"", "\"bot_role\":\"x\"", 1),
            "world.groups[0].bot_role: give",
        ),
        (String::new(), "EOF"),
    ] {
        std::fs::write(&file, &broken).unwrap();
        let said = Process::refusal(&["--data", &data]).await;
        assert!(said.contains("state.json") && said.contains(why), "{said}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), broken);
    }
    let why = Process::refusal(&["--data", "/proc/nowhere"]).await;
    assert!(
        why.contains("cannot use /proc/nowhere/state.json: "),
        "{why}"
    );
}

/// A folder that has gone is complained of, and a snapshot is written again once it is back.
#[tokio::test]
async fn what_cannot_be_written_is_complained_of() {
    let folder = Folder::new();
    let place = folder.0.join("inner");
    let emulator = Emulator::builder().data(&place).start().await.unwrap();
    std::fs::remove_dir_all(&place).unwrap();
    emulator.add_stranger("eva").unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    while emulator
        .violations()
        .iter()
        .all(|found| found.code != "data.write")
    {
        assert!(Instant::now() < until, "nothing is complained of");
        sleep(Duration::from_millis(10)).await;
    }
    std::fs::create_dir_all(&place).unwrap();
    emulator.stop().await;
    assert!(place.join("state.json").exists());
}
