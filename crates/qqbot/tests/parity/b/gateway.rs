//! B6 to B8 and B11: sessions and what becomes of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use qq_emulator::{Emulator, Fault, IdentifyPace, Say};
use qqbot::ReconnectCause;
use qqbot::gateway::{IdentifyFuture, IdentifyQueue, InMemoryIdentifyQueue};
use qqbot::model::gateway::ShardId;
use qqbot::prelude::*;
use tokio::time::{Instant, timeout};

use crate::support::{
    DEADLINE, Echo, Notes, answer_to, assert_no_violations, builder, client, emulator, eventually,
    run, stop, wait_until,
};

#[tokio::test]
async fn b6_heartbeats() {
    let interval = Duration::from_secs(1);
    let emulator = Emulator::builder()
        .heartbeat_interval(interval)
        .start()
        .await
        .unwrap();
    let running = run(client(&emulator, Echo::default())).await;
    for n in 0..3 {
        let text = format!("message {n}");
        emulator.say(Say::c2c(&*text)).await;
        answer_to(&emulator, &text).await;
    }
    // Heartbeats carry the last sequence: READY is 1, so the third message is 4.
    let said = Instant::now();
    eventually("the sequence is acknowledged", || {
        let session = &emulator.sessions()[0];
        session.last_seq == 4 && session.acknowledged == 4
    })
    .await;
    assert!(said.elapsed() < 3 * interval, "at the server's interval");
    assert_eq!(emulator.sessions()[0].resumes, 0);
    assert_no_violations(&emulator);

    emulator
        .fault(Fault::event("HEARTBEAT_ACK").times(2).discard())
        .unwrap();
    eventually("a silent connection is given up and resumed", || {
        emulator.sessions()[0].resumes == 1
    })
    .await;
    eventually("the cause is counted", || {
        running
            .client
            .stats()
            .interruptions_by(ReconnectCause::Timeout)
            == 1
    })
    .await;
    stop(&emulator, running).await;
}

#[tokio::test]
async fn b7_resume_and_identify_anew() {
    let emulator = emulator().await;
    let running = run(client(&emulator, Echo::default())).await;
    let first = running.client.get_session_info().unwrap().session_id;
    for n in 1..=2 {
        emulator.close_session(None, 4009);
        let text = format!("missed {n}");
        emulator.say(Say::c2c(&*text)).await;
        answer_to(&emulator, &text).await;
        assert_eq!(emulator.sessions()[0].resumes, n);
    }
    assert_eq!(running.client.get_session_info().unwrap().session_id, first);
    for code in [4006, 4900] {
        let before = running.client.get_session_info().unwrap().session_id;
        emulator.close_session(None, code);
        eventually("a new session", || {
            let session = running.client.get_session_info();
            session.is_some_and(|session| session.session_id != before)
        })
        .await;
        let text = format!("after {code}");
        emulator.say(Say::c2c(&*text)).await;
        answer_to(&emulator, &text).await;
    }
    assert_no_violations(&emulator);
    stop(&emulator, running).await;
}

#[tokio::test]
async fn b7_fatal_close_returns() {
    let emulator = Emulator::builder()
        .settings(|settings| {
            settings.shards = 2;
            settings.max_concurrency = 2;
        })
        .start()
        .await
        .unwrap();
    let running = run(client(&emulator, Echo::default())).await;
    let session = |shard: u32| {
        let sessions = emulator.sessions().into_iter();
        let mut sessions = sessions.filter(|session| session.shard[0] == shard);
        sessions.next().unwrap().id
    };
    // One shard stops; the other goes on.
    emulator.close_session(Some(&session(1)), 4914);
    wait_until(&running.client, |status| {
        !matches!(status, Status::Ready { .. })
    })
    .await;
    emulator.say(Say::c2c("still here")).await;
    answer_to(&emulator, "still here").await;
    assert!(!running.task.is_finished());
    // With the last one, `start` returns why.
    emulator.close_session(Some(&session(0)), 4915);
    let error = timeout(DEADLINE, running.task)
        .await
        .unwrap()
        .unwrap()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Gateway);
    let code = error.gateway().unwrap().close_code().unwrap().0;
    assert!([4914, 4915].contains(&code), "{error:?}");
    assert!(!running.client.is_connected());
}

/// Counts the turns that are asked for.
struct Counting(InMemoryIdentifyQueue, Arc<AtomicUsize>);

impl IdentifyQueue for Counting {
    fn wait(&self, shard: ShardId) -> IdentifyFuture<'_> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.wait(shard)
    }
}

#[tokio::test]
async fn b8_starts_are_spaced() {
    // The platform lets one session begin in five seconds, and says so when a client is faster.
    let emulator = Emulator::builder()
        .settings(|settings| {
            settings.shards = 2;
            settings.max_concurrency = 1;
            settings.identify_pace = IdentifyPace::Record;
        })
        .start()
        .await
        .unwrap();
    let turns = Arc::new(AtomicUsize::new(0));
    let queue = Counting(InMemoryIdentifyQueue::unlimited(1), Arc::clone(&turns));
    let client = builder(&emulator).identify_queue(Arc::new(queue));
    let begun = Instant::now();
    let running = run(client.handler(Echo::default()).build().unwrap()).await;
    assert!(
        begun.elapsed() >= Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(turns.load(Ordering::SeqCst), 2);

    assert_eq!(emulator.drop_connections(None), 2);
    eventually("both resume", || {
        emulator
            .sessions()
            .iter()
            .all(|session| session.resumes == 1 && session.connected)
    })
    .await;
    assert_eq!(
        turns.load(Ordering::SeqCst),
        2,
        "who resumes does not wait in the queue"
    );
    assert_no_violations(&emulator);
    stop(&emulator, running).await;

    // Without a queue of one's own, the platform's `max_concurrency` decides.
    // One after the other would take five seconds every time; a busy machine may take so long now and then.
    let mut attempts = 0;
    loop {
        emulator.reset();
        emulator.change_settings(|settings| settings.max_concurrency = 2);
        let begun = Instant::now();
        let running = run(crate::support::client(&emulator, Echo::default())).await;
        let took = begun.elapsed();
        assert_no_violations(&emulator);
        stop(&emulator, running).await;
        if took < Duration::from_secs(5) {
            break;
        }
        attempts += 1;
        assert!(attempts < 5, "two may begin at once");
    }
}

#[tokio::test]
async fn b11_lifecycle() {
    #[derive(Clone, Default)]
    struct Watcher(Notes);
    impl EventHandler for Watcher {
        async fn ready(&self, ctx: ReadySession, ready: Ready) {
            assert!(ctx.client().is_connected());
            self.0.add(format!("ready {}", ready.session_id));
        }
        async fn resumed(&self, _ctx: Context, _resumed: Resumed) {
            self.0.add("resumed");
        }
    }
    let emulator = emulator().await;
    let bot = Watcher::default();
    let client = client(&emulator, bot.clone());
    assert_eq!(*client.status().borrow(), Status::Idle);
    let seen = Notes::default();
    let watching = tokio::spawn({
        let (mut status, seen) = (client.status(), seen.clone());
        async move {
            while status.changed().await.is_ok() {
                let text = format!("{:?}", *status.borrow_and_update());
                seen.add(text.split([' ', '{']).next().unwrap());
                if seen.contain("Stopped") {
                    break;
                }
            }
        }
    });
    let running = run(client).await;
    let session = emulator.sessions()[0].id.clone();
    bot.0.wait_for(&format!("ready {session}")).await;
    assert!(running.client.ready_at().is_some());
    emulator.drop_connections(None);
    bot.0.wait_for("resumed").await;
    stop(&emulator, running).await;
    timeout(DEADLINE, watching).await.unwrap().unwrap();
    let mut seen = seen.all();
    seen.dedup();
    assert_eq!(
        seen,
        ["Connecting", "Ready", "Resuming", "Ready", "Stopped"]
    );
    assert_eq!(bot.0.all().len(), 2);
}
