//! The status is what is the case, whatever breaks.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use qq_emulator::{Emulator, Fault, Say};
use qqbot::http::RetryPolicy;
use qqbot::prelude::*;
use qqbot::{SendKind, SendResult};
use tokio::time::timeout;

use crate::support::{
    DEADLINE, Echo, answer_to, builder, client, eventually, run, say_and_wait, stop, wait_until,
};

fn is_ready(status: &Status) -> bool {
    matches!(status, Status::Ready { .. })
}

/// What breaks the connection, one way or the other.
type Strike = fn(&Emulator);

#[tokio::test]
async fn no_fault_of_the_gateway_leaves_it_ready_without_a_session() {
    let faults: [(&str, Strike); 8] = [
        ("a lost connection", |emulator| {
            emulator.drop_connections(None);
        }),
        ("4009", |emulator| {
            _ = emulator.close_session(None, 4009);
        }),
        ("4006", |emulator| {
            _ = emulator.close_session(None, 4006);
        }),
        ("4900", |emulator| {
            _ = emulator.close_session(None, 4900);
        }),
        ("op 7", |emulator| {
            _ = emulator.reconnect(None);
        }),
        ("op 9", |emulator| {
            _ = emulator.invalid_session(None, false);
        }),
        ("a resume that is not answered", |emulator| {
            emulator.fault(Fault::event("RESUMED").discard()).unwrap();
            emulator.drop_connections(None);
        }),
        ("an expired token", |emulator| {
            emulator.expire_tokens();
            emulator.drop_connections(None);
        }),
    ];
    for (what, strike) in faults {
        // A link that is lost again and again is tried ever later, so each has a bot of its own.
        let emulator = Emulator::builder()
            .settings(|settings| {
                settings.reconnect_close_after_ms = 50;
                settings.invalid_session_close_after_ms = 50;
            })
            .start()
            .await
            .unwrap();
        let running = run(client(&emulator, Echo::default())).await;
        // Nobody gets in again until the fault is over.
        emulator
            .fault(Fault::event("HELLO").times(1000).drop_connection())
            .unwrap();
        strike(&emulator);
        wait_until(&running.client, |status| !is_ready(status)).await;
        assert!(!running.client.is_connected(), "{what}");
        assert!(running.client.sessions().is_empty(), "{what}");
        for _ in 0..20 {
            let status = running.client.status().borrow().clone();
            assert!(!is_ready(&status), "{what}: {status:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let health = running.client.health();
        assert!(health.shards[0].interruption.is_some(), "{what}");
        emulator.clear_faults();
        wait_until(&running.client, is_ready).await;
        assert!(running.client.is_connected(), "{what}");
        let session = running.client.get_session_info().unwrap().session_id;
        let is_live = || {
            let mut sessions = emulator.sessions().into_iter();
            sessions.any(|known| known.connected && session == known.id.as_str())
        };
        eventually(what, is_live).await;
        assert_eq!(running.client.health().shards[0].interruption, None);
        stop(running).await;
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_fetched_is_told() {
    let emulator = Emulator::builder().start().await.unwrap();
    let bot = builder(&emulator)
        .timeout(Duration::from_secs(5))
        .handler(Echo::default());
    let running = run(bot.build().unwrap()).await;
    let health = running.client.health();
    let left = health
        .token_expires_at
        .unwrap()
        .duration_since(SystemTime::now());
    assert!(left.unwrap() > Duration::from_secs(600), "{health:?}");
    assert_eq!(health.token_failure, None);
    let since = running.client.ready_at().unwrap();

    emulator
        .fault(Fault::route("get_app_access_token").status(500))
        .unwrap();
    emulator.expire_tokens();
    running.client.api().me().await.unwrap_err();
    wait_until(&running.client, |status| match status {
        Status::Degraded { reason } => reason.contains("no access token"),
        _ => false,
    })
    .await;
    let health = running.client.health();
    assert!(health.token_failure.is_some());
    assert_eq!(health.token_expires_at, None);
    // The session is another matter.
    assert!(running.client.is_connected());
    assert_eq!(running.client.ready_at(), Some(since));

    emulator.clear_faults();
    eventually_me(&running.client).await;
    wait_until(&running.client, is_ready).await;
    let health = running.client.health();
    assert_eq!(health.token_failure, None);
    assert!(health.token_expires_at.is_some());
    stop(running).await;
}

/// Asks until the platform answers.
async fn eventually_me<H>(client: &Client<H>) {
    let asked = async {
        while client.api().me().await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(DEADLINE, asked).await.unwrap();
}

#[tokio::test]
async fn sends_that_fail_in_a_row_are_told_and_those_that_may_not_arrive() {
    let emulator = Emulator::builder().start().await.unwrap();
    let bot = builder(&emulator)
        .retry(RetryPolicy::never())
        .handler(Echo::default());
    let running = run(bot.build().unwrap()).await;
    let route = || Fault::route("send_c2c_message");
    let faults = [
        // An error inside the platform does not say how far it came.
        (route().html(500), SendResult::Unknown),
        // Yes, and nothing of it is seen again.
        (route().status(200).body("{}"), SendResult::Unconfirmed),
    ];
    for (round, (fault, result)) in faults.into_iter().enumerate() {
        emulator.fault(fault.times(5)).unwrap();
        for n in 1..=5 {
            assert!(running.client.status().borrow().clone() != Status::Idle);
            let before = running.client.stats().sends_of(SendKind::Passive, result);
            emulator.say(Say::c2c(format!("lost {round} {n}"))).await;
            eventually("it is counted", || {
                running.client.stats().sends_of(SendKind::Passive, result) == before + 1
            })
            .await;
            let is_told = !is_ready(&running.client.status().borrow());
            assert_eq!(is_told, n == 5, "round {round}, after {n}");
        }
        let status = running.client.status().borrow().clone();
        let Status::Degraded { reason } = status else {
            panic!("{status:?}");
        };
        assert!(reason.contains("the last 5 sends failed"), "{reason}");
        assert!(running.client.is_connected());
        // The faults are used up: the next answer arrives.
        let text = format!("found {round}");
        emulator.say(Say::c2c(&*text)).await;
        answer_to(&emulator, &text).await;
        wait_until(&running.client, is_ready).await;
    }
    stop(running).await;
}

#[tokio::test]
async fn a_refusal_that_is_the_messages_own_fault_is_no_trouble() {
    let emulator = Emulator::builder().start().await.unwrap();
    let bot = builder(&emulator)
        .retry(RetryPolicy::never())
        .handler(Echo::default());
    let running = run(bot.build().unwrap()).await;
    let fault = Fault::route("send_c2c_message")
        .status(400)
        .code(40_034_011);
    emulator.fault(fault.times(6)).unwrap();
    let failed = SendResult::Failed(ErrorKind::Api);
    for n in 1..=6 {
        emulator.say(Say::c2c(format!("refused {n}"))).await;
        eventually("it is counted", || {
            running.client.stats().sends_of(SendKind::Passive, failed) == n
        })
        .await;
    }
    assert!(is_ready(&running.client.status().borrow()));
    stop(running).await;
}

#[tokio::test]
async fn health_can_be_watched() {
    let emulator = Emulator::builder().start().await.unwrap();
    let client = Arc::new(client(&emulator, Echo::default()));
    let mut health = client.handle().watch_health(Duration::from_secs(3600));
    let first = timeout(DEADLINE, health.next()).await.unwrap();
    assert_eq!(first.status, Status::Idle);
    assert!(first.last_event_at.is_none() && first.token_expires_at.is_none());
    let task = tokio::spawn({
        let client = Arc::clone(&client);
        async move { client.start().await }
    });
    let ready = timeout(DEADLINE, async {
        loop {
            let health = health.next().await;
            if is_ready(&health.status) {
                return health;
            }
        }
    });
    let ready = ready.await.unwrap();
    assert_eq!(ready.shards.len(), 1);
    assert!(ready.token_expires_at.is_some());
    let before = SystemTime::now();
    say_and_wait(&emulator, "hello").await;
    assert!(client.health().last_event_at.unwrap() + Duration::from_secs(1) > before);
    // Without news of the status it comes again and again.
    let mut often = client.watch_health(Duration::from_millis(5));
    for _ in 0..5 {
        let again = timeout(DEADLINE, often.next()).await.unwrap();
        assert!(is_ready(&again.status));
    }
    client.stop().await.unwrap();
    task.await.unwrap().unwrap();
    let stopped = timeout(DEADLINE, health.next()).await.unwrap();
    assert_eq!(stopped.status, Status::Stopped { reason: None });
}
