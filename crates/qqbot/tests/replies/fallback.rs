//! Markdown where no markdown is taken, quotes, and taking messages back.

use qq_emulator::Emulator;
use qqbot::prelude::*;

use crate::inbox::{Inbox, What, c2c, channel, group, sends, stop};
use crate::support::{assert_no_violations, builder, client, run};

#[tokio::test]
async fn markdown_falls_back_to_text_once_where_asked() {
    let emulator = Emulator::builder()
        .settings(|settings| settings.allow_markdown = false)
        .start()
        .await
        .unwrap();
    let inbox = Inbox::default();
    let running = run(client(&emulator, inbox.clone())).await;
    for (say, name) in [(group as fn(&str) -> _, "g"), (c2c, "u"), (channel, "c")] {
        let kept = inbox.say(&emulator, say, name).await;
        let markdown = || MessageMarkdown::native(format!("**{name}**"));
        let error = kept.ctx.send_markdown(markdown()).await.unwrap_err();
        assert!(error.rest().is_some(), "not without being asked: {error:?}");
        let before = sends(&emulator);
        let sent = kept
            .ctx
            .send_markdown(markdown())
            .text_fallback()
            .await
            .unwrap();
        assert!(sent.is_text_fallback());
        assert_eq!(sends(&emulator), before + 2);
        assert_eq!(
            emulator.outbox().pop().unwrap().body["content"],
            format!("**{name}**")
        );
        let sent = kept
            .ctx
            .send_markdown(markdown())
            .text_fallback_with("plain")
            .await
            .unwrap();
        assert!(sent.is_text_fallback());
        assert_eq!(emulator.outbox().pop().unwrap().text(), "plain");
        // A text that is refused has nothing to fall back to.
        let sent = kept.ctx.reply("text").text_fallback().await.unwrap();
        assert!(!sent.is_text_fallback());
    }
    stop(running).await;

    let inbox = Inbox::default();
    let bot = builder(&emulator).markdown_text_fallback(true);
    let running = run(bot.handler(inbox.clone()).build().unwrap()).await;
    let kept = inbox.say(&emulator, c2c, "again").await;
    let sent = kept.ctx.send_markdown(MessageMarkdown::native("*x*")).await;
    assert!(sent.unwrap().is_text_fallback(), "of the client");
    stop(running).await;
}

#[tokio::test]
async fn a_message_quotes_what_it_answers() {
    let emulator = Emulator::builder().start().await.unwrap();
    let inbox = Inbox::default();
    let running = run(client(&emulator, inbox.clone())).await;
    for (say, name) in [(group as fn(&str) -> _, "g"), (c2c, "u"), (channel, "c")] {
        let kept = inbox.say(&emulator, say, name).await;
        let call = match &kept.what {
            What::Group(message) => message.reply_quoting(&kept.ctx, name),
            What::C2C(message) => message.reply_quoting(&kept.ctx, name),
            What::Channel(message) => message.reply_quoting(&kept.ctx, name),
            _ => panic!("no message"),
        };
        call.await.unwrap();
        let entry = emulator.outbox().pop().unwrap();
        let quoted = entry.body["message_reference"]["message_id"].as_str();
        let expected = match &kept.what {
            What::Channel(message) => message.id.to_string(),
            What::Group(message) => index(message.message_scene.as_deref()),
            What::C2C(message) => index(message.message_scene.as_deref()),
            _ => panic!("no message"),
        };
        assert_eq!(quoted, Some(&*expected), "{name}");
    }
    assert_no_violations(&emulator);
    stop(running).await;
}

fn index(scene: Option<&qqbot::model::message::MessageScene>) -> String {
    scene.unwrap().msg_idx().unwrap().to_owned()
}

#[tokio::test]
async fn what_was_sent_can_be_taken_back() {
    let emulator = Emulator::builder().start().await.unwrap();
    let inbox = Inbox::default();
    let running = run(client(&emulator, inbox.clone())).await;
    for (say, name) in [
        (group as fn(&str) -> _, "g"),
        (c2c, "u"),
        (channel, "c"),
        (crate::inbox::direct, "d"),
    ] {
        let kept = inbox.say(&emulator, say, name).await;
        let sent = kept.ctx.reply(format!("{name} oops")).await.unwrap();
        kept.ctx.recall(&sent).await.unwrap();
        let id = sent.id().unwrap().to_string();
        let timeline = emulator.timeline();
        let item = timeline.iter().find(|item| item.message_id == id).unwrap();
        assert!(item.recalled, "{name}");
    }
    // The owner's messages stay; an ordinary member's do not.
    let member = emulator.world().users.last().unwrap().name.clone();
    let rude = emulator.say(qq_emulator::Say::channel("rude").author(member));
    rude.await;
    let kept = inbox.get("rude").await;
    kept.ctx.recall_received().await.unwrap();
    let timeline = emulator.timeline();
    assert!(
        timeline
            .iter()
            .any(|item| item.content.contains("rude") && item.recalled)
    );
    let kept = inbox.say(&emulator, c2c, "private").await;
    let error = kept.ctx.recall_received().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert_no_violations(&emulator);
    stop(running).await;
}
