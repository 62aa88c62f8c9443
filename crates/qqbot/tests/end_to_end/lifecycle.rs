//! Starting, stopping, and leaving nothing behind.

use std::sync::Arc;
use std::time::Duration;

use crate::support::{DEADLINE, Echo, answer_to, client, eventually, run};
use qq_emulator::{Emulator, Say};
use qqbot::prelude::*;
use tokio::time::{Instant, timeout};

fn is_alone(emulator: &Emulator) -> bool {
    emulator.sessions().iter().all(|session| !session.connected)
}

#[tokio::test]
async fn stop_closes_the_session_within_a_second() {
    let emulator = Emulator::builder().start().await.unwrap();
    let running = run(client(&emulator, Echo::default())).await;
    assert!(running.client.is_connected());
    let info = running.client.get_session_info().unwrap();
    assert_eq!((info.shard_id, info.shard_count), (0, 1));
    assert_eq!(info.session_id, emulator.sessions()[0].id.as_str());

    let asked = Instant::now();
    let report = timeout(DEADLINE, running.client.stop())
        .await
        .unwrap()
        .unwrap();
    running.task.await.unwrap().unwrap();
    assert!(
        asked.elapsed() < Duration::from_secs(1),
        "{:?}",
        asked.elapsed()
    );
    assert!(report.is_clean(), "{report:?}");
    assert!(!running.client.is_connected() && running.client.get_session_info().is_none());
    eventually("the emulator sees the end", || is_alone(&emulator)).await;
}

#[tokio::test]
async fn dropping_start_leaves_nothing_connected() {
    let emulator = Emulator::builder().start().await.unwrap();
    let running = run(client(&emulator, Echo::default())).await;
    running.task.abort();
    assert!(running.task.await.unwrap_err().is_cancelled());
    eventually("the connection ends", || is_alone(&emulator)).await;
    assert!(!running.client.is_connected());
}

#[tokio::test]
async fn a_client_runs_once_at_a_time_and_again_after_a_stop() {
    let emulator = Emulator::builder().start().await.unwrap();
    let running = run(client(&emulator, Echo::default())).await;
    assert_eq!(
        running.client.start().await.unwrap_err().kind(),
        ErrorKind::AlreadyStarted
    );
    assert!(
        running.client.is_connected(),
        "the refused start disturbs nothing"
    );
    running.client.stop().await.unwrap();
    running.task.await.unwrap().unwrap();
    assert_eq!(
        running.client.stop().await.unwrap_err().kind(),
        ErrorKind::NotReady
    );

    let client = Arc::into_inner(running.client).unwrap();
    let running = run(client).await;
    emulator.say(Say::c2c("again")).await;
    answer_to(&emulator, "again").await;
    running.client.stop().await.unwrap();
    running.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_callback_can_stop_its_own_client() {
    struct Stopper;
    impl EventHandler for Stopper {
        async fn c2c_message_create(&self, ctx: Context, _message: C2CMessage) {
            assert!(ctx.client().request_stop());
        }
    }
    let emulator = Emulator::builder().start().await.unwrap();
    let running = run(client(&emulator, Stopper)).await;
    emulator.say(Say::c2c("stop")).await;
    timeout(DEADLINE, running.task)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn what_runs_when_the_client_stops_may_finish() {
    struct Slow;
    impl EventHandler for Slow {
        async fn c2c_message_create(&self, ctx: Context, message: C2CMessage) {
            ctx.client().request_stop();
            tokio::time::sleep(Duration::from_millis(100)).await;
            message.reply(&ctx, "echo: finished").await.unwrap();
        }
    }
    let emulator = Emulator::builder().start().await.unwrap();
    let running = run(client(&emulator, Slow)).await;
    emulator.say(Say::c2c("go")).await;
    timeout(DEADLINE, running.task)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    answer_to(&emulator, "finished").await;
}

#[tokio::test]
async fn two_bots_in_one_process_share_nothing() {
    let (first, second) = (
        Emulator::builder().seed(1).start().await.unwrap(),
        Emulator::builder().seed(2).start().await.unwrap(),
    );
    let (one, two) = (Echo::default(), Echo::default());
    let (first_running, second_running) = tokio::join!(
        run(client(&first, one.clone())),
        run(client(&second, two.clone()))
    );
    first.say(Say::group("for one")).await;
    second.say(Say::group("for two")).await;
    answer_to(&first, "for one").await;
    answer_to(&second, "for two").await;
    assert_eq!((one.calls("for two"), two.calls("for one")), (0, 0));
    first_running.client.stop().await.unwrap();
    assert!(second_running.client.is_connected());
    second_running.client.stop().await.unwrap();
}

#[tokio::test]
async fn events_that_cannot_be_answered_say_so() {
    struct Answerer(tokio::sync::mpsc::Sender<BotError>);
    impl EventHandler for Answerer {
        async fn ready(&self, ctx: Context, _ready: Ready) {
            self.0
                .send(ctx.reply("hi").await.unwrap_err())
                .await
                .unwrap();
        }
    }
    let emulator = Emulator::builder().start().await.unwrap();
    let (sender, mut errors) = tokio::sync::mpsc::channel(1);
    let _running = run(client(&emulator, Answerer(sender))).await;
    let error = timeout(DEADLINE, errors.recv()).await.unwrap().unwrap();
    assert_eq!(error.kind(), ErrorKind::NoReplyTarget);
    assert!(error.to_string().contains("READY"), "{error}");
}

#[tokio::test]
async fn unknown_and_unreadable_events_reach_their_callbacks() {
    struct Watcher(tokio::sync::mpsc::Sender<String>);
    impl EventHandler for Watcher {
        async fn unknown_event(&self, _ctx: Context, event: UnknownEvent) {
            self.0
                .send(format!("{} {}", event.name, event.raw))
                .await
                .unwrap();
        }
        async fn error(&self, error: BotError) {
            self.0.send(format!("{:?}", error.kind())).await.unwrap();
        }
    }
    let emulator = Emulator::builder().start().await.unwrap();
    let (sender, mut seen) = tokio::sync::mpsc::channel(4);
    let _running = run(client(&emulator, Watcher(sender))).await;
    emulator
        .push_event("BRAND_NEW", serde_json::json!({"a": 1}))
        .await;
    assert_eq!(
        timeout(DEADLINE, seen.recv()).await.unwrap().unwrap(),
        r#"BRAND_NEW {"a":1}"#
    );
    emulator
        .push_event("C2C_MESSAGE_CREATE", serde_json::json!([1, 2]))
        .await;
    assert_eq!(
        timeout(DEADLINE, seen.recv()).await.unwrap().unwrap(),
        "Decode"
    );
}
