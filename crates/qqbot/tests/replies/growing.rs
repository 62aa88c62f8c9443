//! Typing, streams and media take their turns with all other answers.

use std::time::Duration;

use qq_emulator::Emulator;
use qqbot::client::Media;
use qqbot::prelude::*;

use crate::inbox::{Inbox, c2c, channel, group, sends, stop};
use crate::support::{assert_no_violations, client, eventually, run};

/// The smallest PNG.
const PNG: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, b'I', b'H', b'D', b'R', 0, 0, 0,
    1, 0, 0, 0, 1, 8, 6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89,
];

#[tokio::test]
async fn typing_text_media_and_streams_share_numbers_and_budget() {
    let emulator = Emulator::builder()
        .settings(|settings| settings.strict = true)
        .start()
        .await
        .unwrap();
    let inbox = Inbox::default();
    let running = run(client(&emulator, inbox.clone())).await;
    let kept = inbox.say(&emulator, c2c, "hello").await;
    assert!(kept.ctx.send_typing(5).await.unwrap());
    let sent = kept.ctx.reply("text").await.unwrap();
    assert_eq!(sent.number(), Some(2));
    let media = kept
        .ctx
        .send_media(Media::bytes(PNG))
        .kind(qqbot::model::outgoing::FileType::Image);
    assert_eq!(media.await.unwrap().number(), Some(3));
    assert!(
        !kept.ctx.send_typing(5).await.unwrap(),
        "one answer is left for the answer"
    );
    let mut stream = kept.ctx.stream().await.unwrap();
    assert_eq!(stream.number(), Some(4));
    stream.push("it").await.unwrap();
    stream.push(" grows").await.unwrap();
    let streamed = stream.finish().await.unwrap();
    assert_eq!(streamed.ids.len(), 1);
    let error = kept.ctx.stream().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReplyClosed);
    let texts: Vec<_> = emulator
        .outbox()
        .iter()
        .map(|entry| entry.text().to_owned())
        .collect();
    assert_eq!(texts, ["", "text", "", "it grows"]);
    assert_no_violations(&emulator);
    stop(running).await;
}

#[tokio::test]
async fn a_stream_that_said_nothing_costs_nothing() {
    let emulator = Emulator::builder().start().await.unwrap();
    let inbox = Inbox::default();
    let running = run(client(&emulator, inbox.clone())).await;
    let kept = inbox.say(&emulator, c2c, "hello").await;
    for _ in 0..10 {
        kept.ctx.stream().await.unwrap().finish().await.unwrap();
    }
    for n in 0..4 {
        kept.ctx.reply(n.to_string()).await.unwrap();
    }
    assert_eq!(sends(&emulator), 4);
    assert_no_violations(&emulator);
    stop(running).await;
}

#[tokio::test]
async fn a_dropped_stream_is_finished() {
    let emulator = Emulator::builder().start().await.unwrap();
    let inbox = Inbox::default();
    let running = run(client(&emulator, inbox.clone())).await;
    let kept = inbox.say(&emulator, c2c, "hello").await;
    let mut stream = kept.ctx.stream().markdown().await.unwrap();
    stream.push("# half").await.unwrap();
    drop(stream);
    eventually("the last frame", || {
        emulator
            .outbox()
            .iter()
            .any(|entry| entry.text() == "# half")
    })
    .await;
    assert_no_violations(&emulator);
    stop(running).await;
}

#[tokio::test]
async fn only_one_to_one_chats_have_streams_and_typing() {
    let emulator = Emulator::builder().start().await.unwrap();
    let inbox = Inbox::default();
    let running = run(client(&emulator, inbox.clone())).await;
    for (say, name) in [(group as fn(&str) -> _, "g"), (channel, "c")] {
        let kept = inbox.say(&emulator, say, name).await;
        let error = kept.ctx.stream().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(!kept.ctx.send_typing(5).await.unwrap(), "{name}");
        drop(kept.ctx.typing());
    }
    assert_eq!(sends(&emulator), 0);
    stop(running).await;
}

#[tokio::test]
async fn typing_lasts_while_its_guard_lives_and_never_takes_the_last_answer() {
    let emulator = Emulator::builder().start().await.unwrap();
    let inbox = Inbox::default();
    let running = run(client(&emulator, inbox.clone())).await;
    let kept = inbox.say(&emulator, c2c, "hello").await;
    let guards: Vec<_> = (0..5).map(|_| kept.ctx.typing()).collect();
    eventually("three indicators", || sends(&emulator) == 3).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(sends(&emulator), 3);
    drop(guards);
    kept.ctx.reply("done").await.unwrap();
    assert_eq!(emulator.outbox().pop().unwrap().body["msg_seq"], 4);
    assert_no_violations(&emulator);
    stop(running).await;
}

#[tokio::test]
async fn media_goes_by_the_way_of_its_scene() {
    let emulator = Emulator::builder()
        .settings(|settings| settings.strict = true)
        .start()
        .await
        .unwrap();
    let folder = std::env::temp_dir().join(format!("qqbot-replies-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("dot.png");
    std::fs::write(&file, PNG).unwrap();
    let inbox = Inbox::default();
    let running = run(client(&emulator, inbox.clone())).await;
    for (say, name) in [
        (group as fn(&str) -> _, "g"),
        (c2c, "u"),
        (channel, "c"),
        (crate::inbox::direct, "d"),
    ] {
        let kept = inbox.say(&emulator, say, name).await;
        let sent = kept.ctx.send_media(Media::file(&file)).caption(name).await;
        assert_eq!(sent.unwrap().kind(), ReplyKind::PassiveToMessage, "{name}");
        let entry = emulator.outbox().pop().unwrap();
        assert_eq!(entry.text(), name);
        let is_upload = matches!(name, "g" | "u");
        assert_eq!(entry.body["media"].is_object(), is_upload, "{name}");
        assert_eq!(entry.body["file_image"].is_object(), !is_upload, "{name}");
    }
    let kept = inbox.say(&emulator, channel, "by address").await;
    kept.ctx
        .send_media(Media::url("https://a.example/x.png"))
        .await
        .unwrap();
    assert_eq!(
        emulator.outbox().pop().unwrap().body["image"],
        "https://a.example/x.png"
    );
    let kept = inbox.say(&emulator, c2c, "missing").await;
    let error = kept
        .ctx
        .send_media(Media::file(folder.join("none.png")))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert_eq!(kept.ctx.reply("instead").await.unwrap().number(), Some(2));
    std::fs::remove_dir_all(&folder).unwrap();
    assert_no_violations(&emulator);
    stop(running).await;
}
