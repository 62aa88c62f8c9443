//! A bot that is ended in the middle and started again sends no answer twice.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use qq_emulator::{Emulator, Say};
use qqbot::client::{InMemoryReplyStore, ReplyStore};
use qqbot::prelude::*;
use serde_json::{Value, json};

use crate::support::{Running, assert_no_violations, builder, eventually, run};

/// Answers each message three times.
struct Thrice;

impl EventHandler for Thrice {
    async fn c2c_message_create(&self, ctx: Context, message: C2CMessage) {
        let text = message.text();
        for n in 1..=3 {
            let _ = ctx.reply(format!("{text}: {n}")).await;
        }
    }

    async fn message_create(&self, ctx: Context, message: Message) {
        let text = message.text();
        for n in 1..=3 {
            let _ = ctx.reply(format!("{text}: {n}")).await;
        }
    }
}

async fn bot(emulator: &Emulator, store: impl ReplyStore) -> Running<Thrice> {
    let bot = builder(emulator).reply_store(store).handler(Thrice);
    run(bot.build().unwrap()).await
}

/// The same message once more, as a platform brings it that was not told that it was handled.
async fn again(emulator: &Emulator, id: &str, text: &str) {
    let user = emulator.world().users[0].openid.clone();
    let data: Value = json!({
        "id": id, "content": text, "timestamp": "2026-11-21T12:00:00+08:00",
        "author": {"id": user, "user_openid": user, "union_openid": "", "bot": false},
    });
    emulator.push_event("C2C_MESSAGE_CREATE", data).await;
}

fn shown(emulator: &Emulator, text: &str) -> usize {
    let outbox = emulator.outbox();
    outbox.iter().filter(|entry| entry.text() == text).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ended_at_any_moment_no_answer_shows_twice_and_none_is_missing() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = Rng::with_seed(seed);
    let emulator = Emulator::builder()
        .settings(|settings| settings.log_size = 100_000)
        .start()
        .await
        .unwrap();
    let store = Arc::new(InMemoryReplyStore::default());
    for round in 0..20 {
        let text = format!("round {round}");
        let first = bot(&emulator, Arc::clone(&store)).await;
        let said = emulator.say(Say::c2c(&text)).await;
        tokio::time::sleep(Duration::from_micros(random.u64(0..20_000))).await;
        first.task.abort();
        let _ = first.task.await;
        let second = bot(&emulator, Arc::clone(&store)).await;
        again(&emulator, &said.message_id, &text).await;
        for n in 1..=3 {
            let answer = format!("{text}: {n}");
            eventually(&answer, || shown(&emulator, &answer) > 0).await;
        }
        again(&emulator, &said.message_id, &text).await;
        second.client.stop().await.unwrap();
        second.task.await.unwrap().unwrap();
        for n in 1..=3 {
            assert_eq!(shown(&emulator, &format!("{text}: {n}")), 1, "{text}: {n}");
        }
    }
    assert_no_violations(&emulator);
}
