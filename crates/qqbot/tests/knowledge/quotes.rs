//! What messages quote.

use std::sync::{Arc, Mutex};

use crate::support::{client, eventually, run};
use qq_emulator::Emulator;
use qqbot::prelude::*;
use serde_json::json;

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

#[tokio::test]
async fn quotes_lead_to_messages_of_users_and_of_the_bot_and_fall_back_to_what_is_told() {
    let emulator = Emulator::builder().start().await.unwrap();
    let bot = Quoter::default();
    let running = run(client(&emulator, bot.clone())).await;
    let user = emulator.world().users[0].openid.clone();
    let push = |id: &str, idx: &str, quotes: Option<&str>, told: Option<&str>| {
        let mut ext = vec![format!("msg_idx={idx}")];
        ext.extend(quotes.map(|quotes| format!("ref_msg_idx={quotes}")));
        let data = json!({
            "id": id,
            "author": {"user_openid": user},
            "content": format!("text of {id}"),
            "message_type": if quotes.is_some() { 103 } else { 0 },
            "message_scene": {"source": "default", "ext": ext},
            "msg_elements": told.map(|told| json!([{"content": told, "attachments": [{"url": "https://a.example/x"}]}])).unwrap_or(json!([])),
            "timestamp": "2026-11-21T12:00:00+08:00",
        });
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
