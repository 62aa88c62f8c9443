//! A1 to A5, A8 and A20: a client's life.

use std::sync::Arc;
use std::time::Duration;

use qq_emulator::{Emulator, Fault, Say};
use qqbot::ReconnectCause;
use qqbot::prelude::*;
use tokio::time::{Instant, timeout};

use crate::support::{
    Again, DEADLINE, Echo, Notes, TRANSPORTS, all_scenes, answer_to, assert_no_violations, builder,
    client, emulator, eventually, is_child, nobody_connected, run, stop, wait_until,
};

/// Answers, and stops its client when it is told to.
pub(crate) struct Obedient;

impl EventHandler for Obedient {
    async fn c2c_message_create(&self, ctx: Context, message: C2CMessage) {
        ctx.reply(format!("echo: {}", message.text()))
            .await
            .unwrap();
        if message.text() == "stop" {
            ctx.client().request_stop();
        }
    }
}

/// Talks to the bot that a child process runs, until it ends.
pub(crate) async fn talk(emulator: &Emulator, process: Again) {
    let session = emulator.wait_for_session(DEADLINE).await.unwrap();
    assert_eq!(session.app_id, emulator.app_id());
    assert_eq!(session.intents, u64::from(all_scenes().bits()));
    for text in ["hello", "stop"] {
        emulator.say(Say::c2c(text)).await;
        answer_to(emulator, text).await;
    }
    assert!(process.ended().await.success());
    nobody_connected(emulator).await;
    assert_no_violations(emulator);
}

#[tokio::test]
async fn a1_client_new() {
    if is_child() {
        let token = Token::from_env().unwrap();
        let client = Client::new(token, all_scenes(), Obedient, false).unwrap();
        return client.start().await.unwrap();
    }
    let emulator = emulator().await;
    let name = concat!(module_path!(), "::a1_client_new");
    talk(&emulator, Again::start(name, Some(&emulator))).await;
}

#[tokio::test]
async fn a2_start_runs_until_stopped() {
    let emulator = Emulator::builder()
        .heartbeat_interval(Duration::from_secs(1))
        .start()
        .await
        .unwrap();
    let running = run(client(&emulator, Echo::default())).await;
    // Nobody asks for heartbeats and reconnections.
    eventually("a heartbeat acknowledges READY", || {
        let session = &emulator.sessions()[0];
        session.last_seq > 0 && session.acknowledged == session.last_seq
    })
    .await;
    assert_eq!(emulator.drop_connections(None), 1);
    emulator.say(Say::c2c("meanwhile")).await;
    answer_to(&emulator, "meanwhile").await;
    assert_eq!(emulator.sessions()[0].resumes, 1);
    assert!(!running.task.is_finished(), "start goes on");
    assert_no_violations(&emulator);
    stop(&emulator, running).await;
}

#[tokio::test]
async fn a3_stop_drains_and_reports() {
    struct Slow(Notes);
    impl EventHandler for Slow {
        async fn c2c_message_create(&self, ctx: Context, message: C2CMessage) {
            self.0.add("begun");
            if message.text() == "hang" {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
            ctx.reply("echo: drained").await.unwrap();
        }
    }
    for transport in TRANSPORTS {
        for (text, unfinished) in [("finish", 0), ("hang", 1)] {
            let emulator = emulator().await;
            let notes = Notes::default();
            let running = transport.run(&emulator, Slow(notes.clone())).await;
            emulator.say(Say::c2c(text)).await;
            notes.wait_for("begun").await;
            let asked = Instant::now();
            let deadline = Duration::from_secs(1 + 4 * (1 - unfinished));
            let report = running.client.stop_within(deadline).await.unwrap();
            assert!(asked.elapsed() < deadline + Duration::from_secs(2));
            running.task.await.unwrap().unwrap();
            let counted = (report.drained as u64, report.unfinished as u64);
            assert_eq!(
                counted,
                (1 - unfinished, unfinished),
                "{transport:?} {report:?}"
            );
            assert_eq!(report.cut, 0);
            assert_eq!(emulator.outbox().len() as u64, 1 - unfinished);
            nobody_connected(&emulator).await;
            assert_no_violations(&emulator);
        }
    }
}

#[tokio::test]
async fn a4_is_connected_only_with_a_live_session() {
    let emulator = emulator().await;
    emulator.fault(Fault::event("READY").discard()).unwrap();
    let client = Arc::new(client(&emulator, Echo::default()));
    assert!(!client.is_connected());
    let task = tokio::spawn({
        let client = Arc::clone(&client);
        async move { client.start().await }
    });
    // A socket, HELLO and IDENTIFY are no session yet.
    emulator.wait_for_session(DEADLINE).await.unwrap();
    assert!(!client.is_connected() && client.get_session_info().is_none());
    emulator.clear_faults();
    emulator.close_session(None, 4900);
    wait_until(&client, |status| matches!(status, Status::Ready { .. })).await;
    assert!(client.is_connected());

    emulator.fault(Fault::event("RESUMED").discard()).unwrap();
    emulator.drop_connections(None);
    wait_until(&client, |status| !matches!(status, Status::Ready { .. })).await;
    assert!(!client.is_connected());
    emulator.clear_faults();
    client.stop().await.unwrap();
    task.await.unwrap().unwrap();
    assert!(!client.is_connected());
}

#[tokio::test]
async fn a5_get_session_info() {
    let emulator = Emulator::builder()
        .settings(|settings| {
            settings.shards = 2;
            settings.max_concurrency = 2;
        })
        .start()
        .await
        .unwrap();
    let client = client(&emulator, Echo::default());
    assert!(client.get_session_info().is_none());
    let running = run(client).await;
    let session = running.client.get_session_info().unwrap();
    assert_eq!((session.shard_id, session.shard_count), (0, 2));
    let mut seen: Vec<_> = emulator.sessions();
    seen.sort_by_key(|session| session.shard);
    let seen: Vec<_> = seen
        .iter()
        .map(|session| (session.id.clone(), session.shard))
        .collect();
    let known: Vec<_> = running
        .client
        .sessions()
        .iter()
        .map(|session| {
            let shard = [session.shard_id, session.shard_count];
            (session.session_id.to_string(), shard)
        })
        .collect();
    assert_eq!(known, seen);
    let client = Arc::clone(&running.client);
    stop(&emulator, running).await;
    assert!(client.get_session_info().is_none() && client.sessions().is_empty());
}

#[tokio::test]
async fn a8_reconnects_with_backoff() {
    /// Notes when each failure was reported.
    struct Watcher(Arc<std::sync::Mutex<Vec<Instant>>>);
    impl EventHandler for Watcher {
        async fn c2c_message_create(&self, ctx: Context, message: C2CMessage) {
            ctx.reply(format!("echo: {}", message.text()))
                .await
                .unwrap();
        }
        async fn error(&self, _error: BotError) {
            self.0.lock().unwrap().push(Instant::now());
        }
    }
    let emulator = emulator().await;
    let failures = Arc::default();
    let running = run(client(&emulator, Watcher(Arc::clone(&failures)))).await;
    emulator
        .fault(Fault::event("HELLO").times(3).drop_connection())
        .unwrap();
    emulator.drop_connections(None);
    emulator.say(Say::c2c("patience")).await;
    answer_to(&emulator, "patience").await;
    assert_eq!(emulator.faults()[0].played, 3);
    let stats = running.client.stats();
    assert!(
        stats.interruptions_by(ReconnectCause::Network) >= 1,
        "{stats:?}"
    );
    {
        let failures = failures.lock().unwrap();
        assert_eq!(failures.len(), 4, "the drop, and every attempt in vain");
        // Chance draws the delays, from a range that doubles; none is shorter than its floor.
        for pair in failures.windows(2) {
            assert!(
                pair[1] - pair[0] >= Duration::from_millis(100),
                "{failures:?}"
            );
        }
    }
    assert_no_violations(&emulator);
    stop(&emulator, running).await;
}

#[tokio::test]
async fn a20_graceful_shutdown() {
    if is_child() {
        let token = Token::from_env().unwrap();
        let client = Client::new(token, all_scenes(), Obedient, false).unwrap();
        return client.run_until_ctrl_c().await.unwrap();
    }
    // Shared behind `Arc`, stopped by another task.
    let emulator = emulator().await;
    let client = Arc::new(builder(&emulator).handler(Obedient).build().unwrap());
    let started = tokio::spawn({
        let client = Arc::clone(&client);
        async move { client.start().await }
    });
    wait_until(&client, |status| matches!(status, Status::Ready { .. })).await;
    let stopper = Arc::clone(&client);
    let stopped = tokio::spawn(async move { stopper.stop().await });
    assert!(stopped.await.unwrap().unwrap().is_clean());
    timeout(DEADLINE, started).await.unwrap().unwrap().unwrap();
    nobody_connected(&emulator).await;

    #[cfg(unix)]
    {
        emulator.reset();
        let name = concat!(module_path!(), "::a20_graceful_shutdown");
        let process = Again::start(name, Some(&emulator));
        emulator.wait_for_session(DEADLINE).await.unwrap();
        emulator.say(Say::c2c("here")).await;
        answer_to(&emulator, "here").await;
        // What Ctrl-C sends.
        let sent = std::process::Command::new("kill")
            .args(["-INT", &process.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
        assert!(process.ended().await.success(), "it ends by itself");
        nobody_connected(&emulator).await;
        assert_no_violations(&emulator);
    }
}
