//! What messages quote.

use std::sync::{Arc, Mutex};

use crate::support::{builder, client, eventually, run, stop};
use qq_emulator::{Emulator, Fault};
use qqbot::cache::{Cache, CacheConfig};
use qqbot::prelude::*;
use serde_json::{Value, json};

/// Answers with what is quoted, and keeps the indexes of its answers.
#[derive(Clone, Default)]
struct Quoter(Arc<Mutex<Vec<String>>>);

impl Quoter {
    async fn answer(&self, ctx: &Context, message: &dyn ChatMessage) {
        let answer = match ctx.quoted(message).await {
            Ok(Some(quoted)) => format!(
                "quoted {:?} by {:?}, bot {}, files {}",
                quoted.text().unwrap_or_default(),
                quoted.author_id().map(|id| id.to_string()),
                quoted.is_from_bot(),
                quoted.attachments().len(),
            ),
            Ok(None) => "no quote".to_owned(),
            Err(error) => format!("{error:?}"),
        };
        if let Ok(sent) = ctx.reply(answer).await {
            self.0
                .lock()
                .unwrap()
                .extend(sent.ref_idx().map(Into::into));
        }
    }
}

impl EventHandler for Quoter {
    async fn c2c_message_create(&self, ctx: Context, message: C2CMessage) {
        self.answer(&ctx, &message).await;
    }

    async fn message_create(&self, ctx: Context, message: Message) {
        self.answer(&ctx, &message).await;
    }
}

/// A message, perhaps with a quote.
fn message(user: &str, id: &str, idx: &str, quotes: Option<&str>, told: Option<&str>) -> Value {
    let mut ext = vec![format!("msg_idx={idx}")];
    ext.extend(quotes.map(|quotes| format!("ref_msg_idx={quotes}")));
    json!({
        "id": id,
        "author": {"user_openid": user},
        "content": format!("text of {id}"),
        "message_type": if quotes.is_some() { 103 } else { 0 },
        "message_scene": {"source": "default", "ext": ext},
        "msg_elements": told.map(|told| json!([{"content": told, "attachments": [{"url": "https://a.example/x"}]}])).unwrap_or(json!([])),
        "timestamp": "2026-11-21T12:00:00+08:00",
    })
}

#[tokio::test]
async fn quotes_lead_to_messages_of_users_and_of_the_bot_and_fall_back_to_what_is_told() {
    let emulator = Emulator::builder().start().await.unwrap();
    let bot = Quoter::default();
    let running = run(client(&emulator, bot.clone())).await;
    let user = emulator.world().users[0].openid.clone();
    let push = |id: &str, idx: &str, quotes: Option<&str>, told: Option<&str>| {
        let data = message(&user, id, idx, quotes, told);
        let emulator = &emulator;
        async move { emulator.push_event("C2C_MESSAGE_CREATE", data).await }
    };
    let said = |text: &str| emulator.outbox().iter().any(|entry| entry.text() == text);
    push("m1", "REFIDX_1", None, None).await;
    eventually("no quote", || said("no quote")).await;
    push("m2", "REFIDX_2", Some("REFIDX_1"), Some("ignored")).await;
    let wanted = format!("quoted \"text of m1\" by Some(\"{user}\"), bot false, files 0");
    eventually("a quote of a user's message", || said(&wanted)).await;
    eventually("its index", || bot.0.lock().unwrap().len() == 2).await;
    let own = bot.0.lock().unwrap()[0].clone();
    push("m3", "REFIDX_3", Some(&own), None).await;
    eventually("a quote of the bot's own answer", || {
        said(&format!(
            "quoted \"no quote\" by Some(\"{user}\"), bot true, files 0"
        ))
    })
    .await;
    push(
        "m4",
        "REFIDX_4",
        Some("REFIDX_unknown"),
        Some(" from before "),
    )
    .await;
    eventually("a quote of something unseen", || {
        said("quoted \"from before\" by None, bot false, files 1")
    })
    .await;
    running.client.stop().await.unwrap();
    running.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn quotes_of_what_was_said_before_a_restart_are_found() {
    let folder = std::env::temp_dir().join(format!("qqbot-quotes-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let emulator = Emulator::builder().start().await.unwrap();
    let user = emulator.world().users[0].openid.clone();
    let said = |text: String| emulator.outbox().iter().any(|entry| entry.text() == text);
    let quoted = |text: &str, by_bot: bool| {
        format!("quoted {text:?} by Some({user:?}), bot {by_bot}, files 0")
    };
    // The store alone must do, so the cache keeps nothing.
    let options = || {
        let store = FileStore::open(&folder).unwrap();
        builder(&emulator)
            .cache(Cache::new(CacheConfig::off()))
            .quote_store(store)
    };
    let push = |id: &str, idx: &str, quotes: Option<&str>| {
        let data = message(&user, id, idx, quotes, None);
        let emulator = &emulator;
        async move { emulator.push_event("C2C_MESSAGE_CREATE", data).await }
    };

    let running = run(options().handler(Quoter::default()).build().unwrap()).await;
    push("m1", "REFIDX_1", None).await;
    eventually("no quote", || said("no quote".to_owned())).await;
    let api = running.client.api().clone();
    let direct = api.user(&*user).send("by the api").await.unwrap();
    let direct = direct.ref_idx().unwrap().to_owned();
    let mut stream = api.user(&*user).stream().start().unwrap();
    stream.push("it grew").await.unwrap();
    let streamed = stream.finish().await.unwrap();
    let grown = streamed.ref_idxs[0].clone().unwrap();
    // At once, while some of it may still wait for the store.
    push("m2", "REFIDX_2", Some("REFIDX_1")).await;
    eventually("in the same process", || said(quoted("text of m1", false))).await;
    let report = running.client.stop().await.unwrap();
    assert!(report.is_clean(), "{report:?}");
    running.task.await.unwrap().unwrap();
    drop(running.client);

    let before = emulator.outbox().len();
    let running = run(options().handler(Quoter::default()).build().unwrap()).await;
    push("m3", "REFIDX_3", Some("REFIDX_1")).await;
    eventually("a user's message", || emulator.outbox().len() == before + 1).await;
    assert_eq!(
        emulator.outbox()[before].text(),
        quoted("text of m1", false)
    );
    push("m4", "REFIDX_4", Some(&direct)).await;
    eventually("one that the api sent", || said(quoted("by the api", true))).await;
    push("m5", "REFIDX_5", Some(&grown)).await;
    eventually("one that grew", || said(quoted("it grew", true))).await;
    assert_eq!(running.client.stats().quote_store_failures, 0);
    stop(running).await;
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn what_was_not_sent_is_nothing_to_quote() {
    let emulator = Emulator::builder().start().await.unwrap();
    let running = run(client(&emulator, Quoter::default())).await;
    let user = emulator.world().users[0].openid.clone();
    let fault = Fault::route("send_c2c_message")
        .status(400)
        .code(40_034_011);
    emulator.fault(fault.times(1)).unwrap();
    let api = running.client.api();
    api.user(&*user).send("refused").await.unwrap_err();
    assert_eq!(running.client.cache().stats().messages.entries, 0);
    api.user(&*user).send("taken").await.unwrap();
    assert_eq!(running.client.cache().stats().messages.entries, 1);
    stop(running).await;
}
