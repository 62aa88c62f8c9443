//! B1 to B5: making and starting a client.

use std::net::TcpListener;
use std::time::Duration;

use qq_emulator::{Emulator, Fault, Say};
use qqbot::gateway::ShardPlan;
use qqbot::prelude::*;
use tokio::time::{Instant, timeout};

use crate::a::client::{Obedient, talk};
use crate::support::{
    Again, DEADLINE, Echo, TRANSPORTS, all_scenes, assert_no_violations, builder, client, emulator,
    eventually, is_child, nobody_connected, run, stop, wait_until,
};

/// How the process of B1 says that its start took too long.
const TIMED_OUT: i32 = 33;

#[tokio::test]
async fn b1_with_config() {
    if is_child() {
        let token = Token::from_env().unwrap();
        let client = Client::with_config(token, all_scenes(), Obedient, 1, false).unwrap();
        match client.start().await {
            Err(error) if error.kind() == ErrorKind::Timeout => std::process::exit(TIMED_OUT),
            result => return result.unwrap(),
        }
    }
    let emulator = emulator().await;
    let name = concat!(module_path!(), "::b1_with_config");
    talk(&emulator, Again::start(name, Some(&emulator))).await;

    // The seconds are those of a call: one that is never answered ends the start.
    emulator.fault(Fault::route("get_me").blackhole()).unwrap();
    let begun = Instant::now();
    let process = Again::start(name, Some(&emulator));
    assert_eq!(process.ended().await.code(), Some(TIMED_OUT));
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert!(begun.elapsed() < Duration::from_secs(15), "not 30 s");
}

#[tokio::test]
async fn b2_new_validates() {
    for token in [
        Token::new("", "secret"),
        Token::new("1", ""),
        Token::new("a b", "secret"),
    ] {
        let error = Client::new(token, Intents::default(), (), false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidToken, "{error:?}");
    }
    // What it builds works at once, without a start.
    let emulator = emulator().await;
    let client = client(&emulator, Echo::default());
    assert!(
        emulator.requests().is_empty(),
        "nothing is sent before it is asked for"
    );
    client.api().me().await.unwrap();
    assert_no_violations(&emulator);
}

#[tokio::test]
async fn b3_start_up() {
    let emulator = emulator().await;
    let running = run(client(&emulator, Echo::default())).await;
    let routes: Vec<_> = emulator
        .requests()
        .into_iter()
        .filter_map(|request| request.route)
        .collect();
    let place = |route: &str| routes.iter().position(|one| one == route).unwrap();
    assert!(
        place("get_app_access_token") < place("get_me"),
        "{routes:?}"
    );
    assert!(
        place("get_app_access_token") < place("get_gateway_bot"),
        "{routes:?}"
    );
    let name = &emulator.world().bots[0].name;
    assert_eq!(&*running.client.user().unwrap().username, name.as_str());
    assert_no_violations(&emulator);
    stop(&emulator, running).await;

    for route in ["get_app_access_token", "get_me", "get_gateway_bot"] {
        emulator.reset();
        emulator
            .fault(Fault::route(route).status(400).code(11_999))
            .unwrap();
        let client = client(&emulator, Echo::default());
        let error = timeout(DEADLINE, client.start())
            .await
            .unwrap()
            .unwrap_err();
        let text = format!("{error:?}");
        assert!(text.contains("11999"), "{route}: {text}");
        assert!(emulator.sessions().is_empty(), "{route}");
        assert!(matches!(
            &*client.status().borrow(),
            Status::Stopped { reason: Some(_) }
        ));
    }
}

#[tokio::test]
async fn b4_dropping_closes() {
    for transport in TRANSPORTS {
        for drops in [false, true] {
            let emulator = Emulator::builder()
                .settings(|settings| {
                    settings.shards = 2;
                    settings.max_concurrency = 2;
                })
                .start()
                .await
                .unwrap();
            let bot = Echo::default();
            let running = transport.run(&emulator, bot.clone()).await;
            running.task.abort();
            assert!(running.task.await.unwrap_err().is_cancelled());
            if drops {
                drop(running.client);
            } else {
                assert!(!running.client.is_connected());
            }
            nobody_connected(&emulator).await;
            for webhook in emulator.webhooks() {
                let address = webhook.url.trim_start_matches("http://");
                let address = address.split('/').next().unwrap().to_owned();
                // Whoever listens there still would keep others from it.
                eventually("the port is free", || TcpListener::bind(&*address).is_ok()).await;
            }
            emulator.say(Say::c2c("anybody?")).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert_eq!(bot.calls("anybody?"), 0, "{transport:?}");
        }
    }
}

#[tokio::test]
async fn b5_shards() {
    let emulator = Emulator::builder()
        .settings(|settings| {
            settings.shards = 3;
            settings.max_concurrency = 4;
        })
        .start()
        .await
        .unwrap();
    let shards = || {
        let sessions = emulator.sessions().into_iter();
        let mut shards: Vec<_> = sessions.map(|session| session.shard).collect();
        shards.sort_unstable();
        shards
    };
    let running = run(client(&emulator, Echo::default())).await;
    assert_eq!(
        shards(),
        [[0, 3], [1, 3], [2, 3]],
        "as the platform recommends"
    );
    stop(&emulator, running).await;

    emulator.reset();
    let chosen = builder(&emulator).shards(ShardPlan::range(1..3, 4).unwrap());
    let running = run(chosen.handler(Echo::default()).build().unwrap()).await;
    assert_eq!(shards(), [[1, 4], [2, 4]], "as chosen");
    assert_no_violations(&emulator);
    stop(&emulator, running).await;

    // The session-start limit: what the day does not have left is not begun.
    emulator.reset();
    emulator.change_settings(|settings| settings.remaining = 2);
    let client = client(&emulator, Echo::default());
    let error = timeout(DEADLINE, client.start())
        .await
        .unwrap()
        .unwrap_err();
    let text = format!("{error:?}");
    assert!(text.contains("3 sessions are needed, 2 of"), "{text}");
    assert!(emulator.sessions().is_empty());
    wait_until(&client, |status| {
        matches!(status, Status::Stopped { reason: Some(_) })
    })
    .await;
}
