//! Everything that is sent is counted, by kind and result, whoever sends it.

use std::sync::Arc;
use std::time::Duration;

use qq_emulator::{Emulator, Fault, Say};
use qqbot::http::RetryPolicy;
use qqbot::model::interaction::InteractionAckCode;
use qqbot::prelude::*;
use qqbot::{SendKind, SendResult};
use tokio::sync::Notify;

use crate::support::{builder, eventually, run, stop};

/// A red dot.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Sends one of everything.
struct Sender(Arc<Notify>);

impl EventHandler for Sender {
    async fn c2c_message_create(&self, ctx: Context, _message: C2CMessage) {
        assert!(ctx.send_typing(5).await.unwrap());
        let mut stream = ctx.stream().await.unwrap();
        stream.push("It grows.").await.unwrap();
        stream.finish().await.unwrap();
        let sent = ctx.reply("an answer").await.unwrap();
        ctx.recall(&sent).await.unwrap();
        let picture = Media::bytes(PICTURE);
        ctx.send_media(picture).name("a.png").await.unwrap();
        // The budget of four is used up.
        ctx.reply("one too many").await.unwrap_err();
        let chat = ctx.conversation().unwrap();
        ctx.api.conversation(chat).send("unasked").await.unwrap();
        ctx.api.conversation(chat).send(" ").await.unwrap_err();
        let missing = ctx.api.interaction("none").ack(InteractionAckCode::Success);
        missing.await.unwrap_err();
        self.0.notify_one();
    }
}

#[tokio::test]
async fn by_kind_and_result() {
    let emulator = Emulator::builder().start().await.unwrap();
    let done = Arc::new(Notify::new());
    let bot = builder(&emulator).handler(Sender(Arc::clone(&done)));
    let running = run(bot.build().unwrap()).await;
    emulator.say(Say::c2c("go")).await;
    tokio::time::timeout(crate::support::DEADLINE, done.notified())
        .await
        .unwrap();
    let stats = running.client.stats();
    let mut sends: Vec<_> = stats.sends().collect();
    sends.sort_by_key(|(kind, result, _)| format!("{kind:?} {result:?}"));
    let failed = SendResult::Failed;
    assert_eq!(
        sends,
        [
            (SendKind::Ack, failed(ErrorKind::Api), 1),
            (SendKind::Active, failed(ErrorKind::InvalidRequest), 1),
            (SendKind::Active, SendResult::Sent, 1),
            (SendKind::Media, SendResult::Sent, 1),
            (SendKind::Passive, failed(ErrorKind::ReplyClosed), 1),
            (SendKind::Passive, SendResult::Sent, 1),
            (SendKind::Recall, SendResult::Sent, 1),
            (SendKind::Stream, SendResult::Sent, 1),
            (SendKind::Typing, SendResult::Sent, 1),
        ]
    );
    assert_eq!((stats.sent, stats.send_failures), (4, 2));
    stop(running).await;
}

#[tokio::test]
async fn audits_and_lost_answers_are_no_failures_and_no_successes() {
    let emulator = Emulator::builder().start().await.unwrap();
    let bot = builder(&emulator)
        .retry(RetryPolicy::never())
        .timeout(Duration::from_secs(10));
    let running = run(bot.build().unwrap()).await;
    let user = emulator.world().users[0].openid.clone();
    let audit = r#"{"code":304023,"message":"waiting for audit","data":{"message_audit":{"audit_id":"a1"}}}"#;
    let route = || Fault::route("send_c2c_message").times(1);
    for (fault, result) in [
        (route().status(202).body(audit), SendResult::PendingAudit),
        (route().lose_reply(), SendResult::Unknown),
    ] {
        emulator.fault(fault).unwrap();
        let _ = running.client.api().user(&*user).send("hello").await;
        eventually("it is counted", || {
            running.client.stats().sends_of(SendKind::Active, result) == 1
        })
        .await;
    }
    let stats = running.client.stats();
    assert_eq!((stats.sent, stats.send_failures), (1, 1));
    stop(running).await;
}
