//! Every answer has a number of its own, however it is sent.

use std::time::Duration;

use futures_util::future::join_all;
use qq_emulator::Emulator;
use qqbot::client::{Answered, ReplyRule, ReplyRules};
use qqbot::prelude::*;
use serde_json::Value;

use crate::inbox::{Inbox, c2c, channel, direct, group, stop};
use crate::support::{assert_no_violations, builder, client, run};

fn numbers(emulator: &Emulator) -> Vec<u64> {
    emulator
        .outbox()
        .iter()
        .filter_map(|entry| entry.body["msg_seq"].as_u64())
        .collect()
}

#[tokio::test]
async fn sixty_four_answers_at_once_carry_the_numbers_in_order_of_call() {
    let emulator = Emulator::builder()
        .settings(|settings| {
            settings.group_reply_budget = 0;
            settings.strict = true;
        })
        .start()
        .await
        .unwrap();
    let rule = ReplyRule {
        window: Duration::from_secs(300),
        budget: None,
    };
    let inbox = Inbox::default();
    let bot = builder(&emulator)
        .reply_rules(ReplyRules::default().with(Scene::Group, Answered::Message, rule))
        .handler(inbox.clone())
        .build()
        .unwrap();
    let running = run(bot).await;
    let kept = inbox.say(&emulator, group, "go").await;
    let replies = join_all((0..64).map(|n| {
        let clone = kept.ctx.clone();
        if n % 2 == 0 {
            clone.reply(n.to_string()).into_future()
        } else {
            kept.answer_with(&clone, n.to_string()).into_future()
        }
    }))
    .await;
    for (n, reply) in (1..).zip(replies) {
        assert_eq!(reply.unwrap().number(), Some(n));
    }
    for entry in emulator.outbox() {
        let text: u64 = entry.text().parse().unwrap();
        assert_eq!(entry.body["msg_seq"], Value::from(text + 1));
    }
    assert_eq!(emulator.outbox().len(), 64);
    assert_no_violations(&emulator);
    stop(running).await;
}

#[tokio::test]
async fn each_scene_has_its_budget_and_the_client_keeps_it() {
    let emulator = Emulator::builder().start().await.unwrap();
    let inbox = Inbox::default();
    let running = run(client(&emulator, inbox.clone())).await;
    for (say, name, budget) in [
        (group as fn(&str) -> _, "group", Some(5)),
        (c2c, "c2c", Some(4)),
        (channel, "channel", None),
        (direct, "direct", None),
    ] {
        let kept = inbox.say(&emulator, say, name).await;
        let before = emulator.outbox().len();
        let most = budget.unwrap_or(8);
        for n in 0..most {
            assert_eq!(kept.ctx.reply_closed(), None, "{name} {n}");
            kept.ctx.reply(format!("{name} {n}")).await.unwrap();
        }
        assert_eq!(emulator.outbox().len(), before + most, "{name}");
        if budget.is_some() {
            let error = kept.ctx.reply("one too many").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ReplyClosed, "{error:?}");
            assert!(error.rest().is_none(), "it was not sent");
            // The same message, from anywhere else.
            let error = kept
                .answer_with(&kept.ctx, "again".to_owned())
                .await
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ReplyClosed);
        }
    }
    assert_no_violations(&emulator);
    stop(running).await;
}

#[tokio::test]
async fn a_retried_send_keeps_its_number_and_shows_once() {
    let emulator = Emulator::builder().start().await.unwrap();
    let inbox = Inbox::default();
    let running = run(client(&emulator, inbox.clone())).await;
    let kept = inbox.say(&emulator, c2c, "hello").await;
    emulator
        .fault(
            qq_emulator::Fault::route("send_c2c_message")
                .nth(1)
                .lose_reply(),
        )
        .unwrap();
    let first = kept.ctx.reply("first").await.unwrap();
    assert_eq!(*first, qqbot::http::Sent::Repeated);
    assert_eq!(first.number(), Some(1));
    let second = kept.ctx.reply("second").await.unwrap();
    assert_eq!(second.number(), Some(2));
    assert_eq!(numbers(&emulator), [1, 2]);
    assert_no_violations(&emulator);
    stop(running).await;
}

#[tokio::test]
async fn a_number_that_somebody_else_used_is_replaced() {
    let emulator = Emulator::builder().start().await.unwrap();
    let inbox = Inbox::default();
    let running = run(client(&emulator, inbox.clone())).await;
    let kept = inbox.say(&emulator, group, "hello").await;
    let Some(Conversation::Group(id)) = kept.ctx.conversation() else {
        panic!("no group");
    };
    // Another process, without the ledger of this one.
    let said = emulator.timeline()[0].message_id.clone();
    kept.ctx
        .api
        .group(id.clone())
        .send("from elsewhere")
        .reply_to(said)
        .msg_seq(1)
        .await
        .unwrap();
    let reply = kept.ctx.reply("from here").await.unwrap();
    assert_eq!(reply.number(), Some(2));
    assert_eq!(numbers(&emulator), [1, 2]);
    stop(running).await;
}

#[tokio::test]
async fn events_are_answered_by_their_id_and_have_a_budget_too() {
    let emulator = Emulator::builder().start().await.unwrap();
    let inbox = Inbox::default();
    let running = run(client(&emulator, inbox.clone())).await;
    let world = emulator.world();
    for (name, data, most) in [
        (
            "FRIEND_ADD",
            serde_json::json!({"openid": world.users[0].openid, "timestamp": 1_700_000_000}),
            4,
        ),
        (
            "GROUP_ADD_ROBOT",
            serde_json::json!({"group_openid": world.groups[0].id, "op_member_openid": "M",
                "timestamp": 1_700_000_000}),
            5,
        ),
    ] {
        let event_id = emulator.push_event(name, data).await;
        let kept = inbox.get(name).await;
        for n in 1..=most {
            let sent = kept.ctx.reply(format!("{name} {n}")).await.unwrap();
            assert_eq!(sent.kind(), ReplyKind::PassiveToEvent);
            assert_eq!(sent.number(), Some(n));
        }
        let error = kept.ctx.reply("too many").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ReplyClosed);
        let last = emulator.outbox().pop().unwrap();
        assert_eq!(last.reply_to, Some(event_id), "{name}");
    }
    assert_no_violations(&emulator);
    stop(running).await;
}
