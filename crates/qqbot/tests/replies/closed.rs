//! What becomes of answers that come too late or too often.

use std::time::Duration;

use qq_emulator::Emulator;
use qqbot::client::{Answered, Closed, ReplyRule, ReplyRules};
use qqbot::model::Advice;
use qqbot::prelude::*;

use crate::inbox::{Inbox, c2c, channel, group, sends, stop};
use crate::support::{assert_no_violations, builder, client, eventually, run};

#[tokio::test]
async fn the_window_of_the_rules_ends_without_a_call() {
    let emulator = Emulator::builder().start().await.unwrap();
    let rule = ReplyRule {
        window: Duration::ZERO,
        budget: None,
    };
    let mut rules = ReplyRules::default();
    for scene in [Scene::C2C, Scene::Group, Scene::Channel] {
        rules = rules.with(scene, Answered::Message, rule);
    }
    let inbox = Inbox::default();
    let bot = builder(&emulator).reply_rules(rules);
    let running = run(bot.handler(inbox.clone()).build().unwrap()).await;
    for (say, text) in [(group as fn(&str) -> _, "g"), (c2c, "u"), (channel, "c")] {
        let kept = inbox.say(&emulator, say, text).await;
        assert_eq!(kept.ctx.reply_closed(), Some(Closed::Window));
        let error = kept.ctx.reply("late").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ReplyClosed);
        assert_eq!(error.advice(), Advice::WindowClosed);
    }
    assert_eq!(sends(&emulator), 0);
    stop(running).await;
}

#[tokio::test]
async fn the_platform_is_believed_about_windows() {
    let emulator = Emulator::builder().start().await.unwrap();
    let inbox = Inbox::default();
    let running = run(client(&emulator, inbox.clone())).await;
    for (say, text, window, code) in [
        (group as fn(&str) -> _, "g", 5, 40_034_005),
        (c2c, "u", 60, 40_034_005),
        (channel, "c", 5, 304_027),
    ] {
        let kept = inbox.say(&emulator, say, text).await;
        let minutes = Duration::from_secs(window * 60);
        emulator.advance(minutes - Duration::from_secs(10));
        kept.ctx.reply(format!("{text} in time")).await.unwrap();
        emulator.advance(Duration::from_secs(11));
        let before = sends(&emulator);
        let error = kept.ctx.reply("late").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ReplyClosed);
        assert!(error.rest().unwrap().has_code(code), "{error:?}");
        assert_eq!(sends(&emulator), before + 1);
        // From now on it is known.
        let error = kept.ctx.reply("later").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ReplyClosed);
        assert_eq!(sends(&emulator), before + 1);
    }
    stop(running).await;
}

#[tokio::test]
async fn the_platform_is_believed_about_budgets() {
    let emulator = Emulator::builder()
        .settings(|settings| settings.c2c_reply_budget = 1)
        .start()
        .await
        .unwrap();
    let inbox = Inbox::default();
    let running = run(client(&emulator, inbox.clone())).await;
    let kept = inbox.say(&emulator, c2c, "hello").await;
    kept.ctx.reply("first").await.unwrap();
    let error = kept.ctx.reply("second").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReplyClosed);
    assert!(error.rest().unwrap().has_code(40_034_128), "{error:?}");
    assert_eq!(kept.ctx.reply_closed(), Some(Closed::Budget));
    assert_eq!(
        kept.ctx.stream().await.unwrap_err().kind(),
        ErrorKind::ReplyClosed
    );
    assert_eq!(sends(&emulator), 2);
    stop(running).await;
}

#[tokio::test]
async fn an_active_message_says_so() {
    let emulator = Emulator::builder().start().await.unwrap();
    let inbox = Inbox::default();
    let bot = builder(&emulator)
        .when_closed(WhenClosed::GoActive)
        .handler(inbox.clone());
    let running = run(bot.build().unwrap()).await;
    let kept = inbox.say(&emulator, c2c, "hello").await;
    for n in 1..=4 {
        let sent = kept.ctx.reply(n.to_string()).await.unwrap();
        assert_eq!(sent.kind(), ReplyKind::PassiveToMessage);
    }
    let sent = kept.ctx.reply("5").await.unwrap();
    assert_eq!(sent.kind(), ReplyKind::Active);
    assert_eq!(sent.number(), None);
    let last = emulator.outbox().pop().unwrap();
    assert_eq!((last.text(), last.reply_to.as_deref()), ("5", None));
    // The choice of one answer counts more than that of the client.
    let error = kept
        .ctx
        .reply("6")
        .when_closed(WhenClosed::Error)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReplyClosed);
    // Also after the platform said that it is closed.
    let kept = inbox.say(&emulator, group, "more").await;
    emulator.advance(Duration::from_secs(301));
    let sent = kept.ctx.reply("late").await.unwrap();
    assert_eq!(sent.kind(), ReplyKind::Active);
    stop(running).await;
}

#[tokio::test]
async fn who_refuses_active_messages_is_left_alone() {
    let emulator = Emulator::builder().start().await.unwrap();
    let inbox = Inbox::default();
    let bot = builder(&emulator)
        .when_closed(WhenClosed::GoActive)
        .handler(inbox.clone());
    let running = run(bot.build().unwrap()).await;
    let kept = inbox.say(&emulator, c2c, "hello").await;
    for n in 1..=4 {
        kept.ctx.reply(n.to_string()).await.unwrap();
    }
    let user = emulator.world().users[0].openid.clone();
    emulator
        .fault(
            qq_emulator::Fault::route("send_c2c_message")
                .status(400)
                .code(40_034_105),
        )
        .unwrap();
    let error = kept.ctx.reply("5").await.unwrap_err();
    assert!(error.rest().unwrap().has_code(40_034_105), "{error:?}");
    emulator.clear_faults();
    let before = sends(&emulator);
    let error = kept.ctx.reply("6").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReplyClosed);
    assert_eq!(sends(&emulator), before, "nothing is tried");
    // Until the user says otherwise.
    let allowed = serde_json::json!({"openid": user, "timestamp": 1_700_000_000});
    emulator.push_event("C2C_MSG_RECEIVE", allowed).await;
    let mut sent = kept.ctx.reply("7").await;
    for _ in 0..100 {
        if sent.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        sent = kept.ctx.reply("7").await;
    }
    assert_eq!(sent.unwrap().kind(), ReplyKind::Active);
    stop(running).await;
}

#[tokio::test]
async fn a_queued_answer_goes_to_the_next_message_of_the_chat() {
    let emulator = Emulator::builder().start().await.unwrap();
    let inbox = Inbox::default();
    let bot = builder(&emulator)
        .when_closed(WhenClosed::Queue(Duration::from_secs(20)))
        .reply_queue(100, 5)
        .handler(inbox.clone());
    let running = run(bot.build().unwrap()).await;
    let first = inbox.say(&emulator, c2c, "first").await;
    for n in 1..=4 {
        first.ctx.reply(n.to_string()).await.unwrap();
    }
    let waiting: Vec<_> = (5..=9)
        .map(|n| tokio::spawn(first.ctx.reply(n.to_string()).into_future()))
        .collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let error = first.ctx.reply("one too many waits").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReplyClosed, "the queue is bounded");
    assert_eq!(emulator.outbox().len(), 4);

    // Of another chat: nobody's chance.
    inbox.say(&emulator, group, "elsewhere").await;
    let second = inbox.say(&emulator, c2c, "second").await;
    eventually("three waiting answers", || emulator.outbox().len() == 7).await;
    second.ctx.reply("its own").await.unwrap();
    inbox.say(&emulator, c2c, "third").await;
    eventually("the others", || emulator.outbox().len() == 10).await;
    for sent in waiting {
        let sent = sent.await.unwrap().unwrap();
        assert_eq!(sent.kind(), ReplyKind::PassiveToMessage);
    }
    assert_no_violations(&emulator);
    stop(running).await;
}

#[tokio::test]
async fn a_queued_answer_waits_no_longer_than_it_was_told() {
    let emulator = Emulator::builder().start().await.unwrap();
    let inbox = Inbox::default();
    let running = run(client(&emulator, inbox.clone())).await;
    let kept = inbox.say(&emulator, c2c, "first").await;
    for n in 1..=4 {
        kept.ctx.reply(n.to_string()).await.unwrap();
    }
    let error = kept
        .ctx
        .reply("5")
        .when_closed(WhenClosed::Queue(Duration::from_millis(50)))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReplyClosed);
    assert_eq!(sends(&emulator), 4);
    stop(running).await;
}
