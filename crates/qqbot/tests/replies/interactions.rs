//! Clicks are acknowledged once and in time, whatever their callbacks do.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use qq_emulator::{Emulator, Fault};
use qqbot::http::{CallRefused, RetryPolicy};
use qqbot::model::interaction::{Interaction, InteractionAckCode};
use qqbot::prelude::*;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::inbox::stop;
use crate::support::{assert_no_violations, builder_with, eventually, run};

/// What a callback does is in the button's data.
#[derive(Clone, Default)]
struct Clerk {
    done: Arc<Mutex<Vec<String>>>,
}

impl EventHandler for Clerk {
    async fn interaction_create(&self, ctx: Context, interaction: Interaction) {
        let told = interaction.button_data().unwrap_or("nothing").to_owned();
        match &*told {
            "sleep" => tokio::time::sleep(Duration::from_secs(10)).await,
            "refuse" => {
                assert!(ctx.ack(InteractionAckCode::AdminOnly).await.unwrap());
                assert!(!ctx.ack(InteractionAckCode::Success).await.unwrap());
            }
            "take" => {
                assert!(ctx.take_ack());
                tokio::time::sleep(Duration::from_millis(900)).await;
                assert!(ctx.ack(InteractionAckCode::Failed).await.unwrap());
            }
            "late" => {
                tokio::time::sleep(Duration::from_millis(900)).await;
                assert!(!ctx.take_ack());
                assert!(!ctx.ack(InteractionAckCode::Failed).await.unwrap());
            }
            "answer" => drop(ctx.reply("pressed").await.unwrap()),
            // Through the api it is the same acknowledgement.
            "direct" => {
                let call = ctx.api.interaction(interaction.id.clone());
                call.ack(InteractionAckCode::AdminOnly).await.unwrap();
                assert!(!ctx.ack(InteractionAckCode::Success).await.unwrap());
                let error = call.ack(InteractionAckCode::Success).await.unwrap_err();
                assert!(error.to_string().contains("take_ack"), "{error}");
            }
            "direct late" => {
                tokio::time::sleep(Duration::from_millis(900)).await;
                let call = ctx.api.interaction(interaction.id.clone());
                let error = call.ack(InteractionAckCode::Failed).await.unwrap_err();
                assert!(CallRefused::of(&error).is_some(), "{error}");
            }
            "refused" => {
                ctx.ack(InteractionAckCode::Failed).await.unwrap_err();
                assert!(ctx.ack(InteractionAckCode::Failed).await.unwrap());
            }
            "queued" => {
                assert!(!ctx.ack(InteractionAckCode::Failed).await.unwrap());
            }
            _ => {}
        }
        self.done.lock().unwrap().push(told);
    }
}

fn press(id: &str, kind: i64, data: &str, user: &str) -> Value {
    json!({
        "id": id, "type": kind, "chat_type": 2, "scene": "c2c", "user_openid": user,
        "timestamp": "2026-11-21T12:00:00+08:00", "version": 1,
        "data": {"type": kind, "resolved": {"button_data": data, "button_id": "1"}},
    })
}

fn options(emulator: &Emulator) -> qqbot::ClientBuilder {
    let intents = Intents::default().with_group_and_c2c().with_interaction();
    builder_with(emulator, intents)
}

/// The codes that an interaction was acknowledged with.
fn acks(emulator: &Emulator, id: &str) -> Vec<i64> {
    emulator
        .requests()
        .iter()
        .filter(|request| request.path.ends_with(&format!("/interactions/{id}")))
        .map(|request| request.body["code"].as_i64().unwrap())
        .collect()
}

#[tokio::test]
async fn every_click_is_acknowledged_once() {
    let emulator = Emulator::builder()
        .settings(|settings| settings.strict = true)
        .start()
        .await
        .unwrap();
    let clerk = Clerk::default();
    let bot = options(&emulator).handler(clerk.clone());
    let running = run(bot.build().unwrap()).await;
    let user = emulator.world().users[0].openid.clone();

    for (id, kind, data, codes) in [
        ("i-quick", 11, "nothing", vec![0]),
        ("i-menu", 12, "nothing", vec![0]),
        ("i-feedback", 13, "nothing", vec![]),
        ("i-clear", 14, "nothing", vec![]),
        ("i-refuse", 11, "refuse", vec![5]),
        ("i-take", 11, "take", vec![1]),
        ("i-late", 11, "late", vec![0]),
        ("i-answer", 11, "answer", vec![0]),
        ("i-direct", 11, "direct", vec![5]),
        ("i-direct-late", 11, "direct late", vec![0]),
    ] {
        let before = clerk.done.lock().unwrap().len();
        emulator
            .push_event("INTERACTION_CREATE", press(id, kind, data, &user))
            .await;
        eventually(id, || clerk.done.lock().unwrap().len() > before).await;
        eventually(id, || acks(&emulator, id).len() >= codes.len()).await;
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert_eq!(acks(&emulator, id), codes, "{id}");
    }
    let answer = emulator.outbox().pop().unwrap();
    assert_eq!(answer.text(), "pressed");
    assert!(answer.reply_to.unwrap().contains("INTERACTION_CREATE"));
    assert_no_violations(&emulator);
    stop(running).await;
}

#[tokio::test]
async fn a_click_is_acknowledged_within_a_second_of_a_callback_of_ten() {
    let emulator = Emulator::builder().start().await.unwrap();
    let bot = options(&emulator).handler(Clerk::default());
    let running = run(bot.build().unwrap()).await;
    let user = emulator.world().users[0].openid.clone();
    // The second waits behind the first.
    for id in ["i-1", "i-2"] {
        let pressed = Instant::now();
        emulator
            .push_event("INTERACTION_CREATE", press(id, 11, "sleep", &user))
            .await;
        eventually(id, || !acks(&emulator, id).is_empty()).await;
        assert!(
            pressed.elapsed() < Duration::from_secs(1),
            "{:?}",
            pressed.elapsed()
        );
    }
    running
        .client
        .stop_within(Duration::from_millis(500))
        .await
        .unwrap();
    running.task.await.unwrap().unwrap();
    assert_eq!(
        acks(&emulator, "i-1").len() + acks(&emulator, "i-2").len(),
        2
    );
    assert_no_violations(&emulator);
}

#[tokio::test]
async fn a_click_that_waited_too_long_for_its_callback_is_not_acknowledged_again() {
    let emulator = Emulator::builder().start().await.unwrap();
    let clerk = Clerk::default();
    let bot = options(&emulator).handler(clerk.clone());
    let running = run(bot.build().unwrap()).await;
    let user = emulator.world().users[0].openid.clone();
    for (id, data) in [("i-first", "late"), ("i-second", "queued")] {
        emulator
            .push_event("INTERACTION_CREATE", press(id, 11, data, &user))
            .await;
    }
    eventually("both callbacks", || clerk.done.lock().unwrap().len() == 2).await;
    assert_eq!(acks(&emulator, "i-second"), [0]);
    assert_no_violations(&emulator);
    stop(running).await;
}

#[tokio::test]
async fn what_the_platform_did_not_take_can_be_acknowledged_again() {
    let emulator = Emulator::builder().start().await.unwrap();
    let clerk = Clerk::default();
    let bot = options(&emulator)
        .auto_ack(None)
        .retry(RetryPolicy::never())
        .handler(clerk.clone());
    let running = run(bot.build().unwrap()).await;
    let user = emulator.world().users[0].openid.clone();
    let fault = Fault::route("put_interaction").status(500).times(1);
    emulator.fault(fault).unwrap();
    emulator
        .push_event("INTERACTION_CREATE", press("i-1", 11, "refused", &user))
        .await;
    eventually("its callback", || clerk.done.lock().unwrap().len() == 1).await;
    assert_eq!(acks(&emulator, "i-1"), [1, 1]);
    stop(running).await;
}

#[tokio::test]
async fn callbacks_can_have_it_all_to_themselves() {
    let emulator = Emulator::builder().start().await.unwrap();
    let clerk = Clerk::default();
    let bot = options(&emulator).auto_ack(None);
    let bot = bot.handler(clerk.clone());
    let running = run(bot.build().unwrap()).await;
    let user = emulator.world().users[0].openid.clone();
    emulator
        .push_event("INTERACTION_CREATE", press("i-1", 11, "nothing", &user))
        .await;
    emulator
        .push_event("INTERACTION_CREATE", press("i-2", 11, "refuse", &user))
        .await;
    eventually("both callbacks", || clerk.done.lock().unwrap().len() == 2).await;
    stop(running).await;
    assert!(acks(&emulator, "i-1").is_empty());
    assert_eq!(acks(&emulator, "i-2"), [5]);
}
