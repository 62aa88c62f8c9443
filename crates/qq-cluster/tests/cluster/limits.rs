//! The bot's rate limits, kept by all processes together.

use std::time::{Duration, Instant};

use qq_client::Client;
use qq_cluster::{Cluster, ClusterConfig, ClusterExt, Role};
use qq_emulator::{Emulator, IdentifyPace};
use qq_http::{Certification, HttpClient, Limit, Limits, RetryPolicy, Route};
use qq_model::{Environment, Intents, Token};
use tokio::task::JoinSet;

use super::nats_server::NatsServer;
use super::support::{Echo, LEASE, turn, until_ready};

/// No wait in here is for speed.
const PATIENCE: Duration = Duration::from_secs(120);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn token() -> Token {
    Token::new(qq_emulator::DEFAULT_APP_ID, qq_emulator::DEFAULT_SECRET)
}

async fn cluster(nats: &NatsServer) -> Cluster {
    let config = ClusterConfig::new(nats.url())
        .role(Role::Worker)
        .lease(LEASE)
        .partitions(16);
    Cluster::connect(config, &token()).await.unwrap()
}

/// A process that makes calls: whoever drops it, kills it.
async fn process(
    nats: &NatsServer,
    emulator: &Emulator,
    limits: &Limits,
    timeout: Duration,
) -> (Cluster, HttpClient) {
    let cluster = cluster(nats).await;
    let http = HttpClient::builder(token())
        .environment(Environment::custom(emulator.base_url()).unwrap())
        .limits(limits.clone())
        .limit_store(cluster.limit_store())
        .retry(RetryPolicy::never())
        .timeout(timeout)
        .build()
        .unwrap();
    (cluster, http)
}

#[tokio::test(flavor = "multi_thread")]
async fn three_processes_with_too_much_to_say_are_never_refused() {
    let Some(nats) = NatsServer::start().await else {
        return;
    };
    let emulator = Emulator::builder()
        .settings(|settings| {
            settings.strict = true;
            settings.route_limits = true;
            settings.verified = true;
            settings.active_per_minute = 0;
            settings.active_per_day = 0;
            settings.active_per_bot_minute = 0;
        })
        .start()
        .await
        .unwrap();
    // What is left is ten messages a second, for all three together.
    let limits = Limits::documented(Certification::Verified)
        .without("c2c.active.user")
        .without("c2c.active.user.day");
    let user = emulator.world().users[0].openid.clone();
    let mut processes = Vec::new();
    for _ in 0..3 {
        processes.push(process(&nats, &emulator, &limits, PATIENCE).await);
    }
    // So that only the messages are timed.
    for (_, http) in &processes {
        http.me().await.unwrap();
    }
    let begun = Instant::now();
    let mut calls = JoinSet::new();
    for (at, (_, http)) in processes.iter().enumerate() {
        for number in 0..20 {
            let (http, user) = (http.clone(), user.clone());
            calls.spawn(async move {
                let text = format!("{at}: {number}");
                http.user(&*user).send(text).await.map(drop)
            });
        }
    }
    while let Some(call) = calls.join_next().await {
        call.unwrap().unwrap();
    }
    println!(
        "60 messages at 10 per second and bot took {:?}",
        begun.elapsed()
    );
    assert_nothing_was_refused(&emulator);
    assert_eq!(emulator.outbox().len(), 60);
}

fn assert_nothing_was_refused(emulator: &Emulator) {
    let mut refused = emulator.requests();
    refused.retain(|request| request.status >= 400);
    assert!(refused.is_empty(), "{refused:?}");
}

/// So many calls until one does not get its turn.
async fn calls(http: &HttpClient) -> u32 {
    let mut count = 0;
    while http.me().await.is_ok() {
        count += 1;
    }
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_used_of_a_day_counts_after_a_death() {
    let Some(nats) = NatsServer::start().await else {
        return;
    };
    let emulator = Emulator::builder().start().await.unwrap();
    let limits = Limits::learned().with(Limit::new("a/day", Route::GetMe, 8, DAY));
    let (cluster, http) = process(&nats, &emulator, &limits, PATIENCE).await;
    for _ in 0..4 {
        http.me().await.unwrap();
    }
    drop((cluster, http));
    let (_second, http) = process(&nats, &emulator, &limits, LEASE * 2).await;
    let more = calls(&http).await;
    // Two may have been in the hand of the one that died, and nobody knows whether it used them.
    assert!((2..=4).contains(&more), "{more}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planned_stop_leaves_its_places_to_others() {
    let Some(nats) = NatsServer::start().await else {
        return;
    };
    let emulator = Emulator::builder().start().await.unwrap();
    let limits = Limits::learned().with(Limit::new("day", Route::GetMe, 8, DAY));
    let first = cluster(&nats).await;
    let client = Client::builder(token(), Intents::default())
        .environment(Environment::custom(emulator.base_url()).unwrap())
        .limits(limits.clone())
        .cluster(&first)
        .handler(Echo::default())
        .build()
        .unwrap();
    let client = std::sync::Arc::new(client);
    let running = std::sync::Arc::clone(&client);
    let task = tokio::spawn(async move { running.start().await });
    until_ready(&client).await;
    client.stop().await.unwrap();
    task.await.unwrap().unwrap();
    // It asked once who it is, when it started.
    let (_second, http) = process(&nats, &emulator, &limits, LEASE * 2).await;
    assert_eq!(calls(&http).await, 7);
}

/// More than the platform lets itself be asked for its gateway at a time.
const MANY_SHARDS: u32 = 24;

#[tokio::test(flavor = "multi_thread")]
async fn many_shards_start_without_a_refusal() {
    let Some(nats) = NatsServer::start().await else {
        return;
    };
    let _turn = turn().await;
    let emulator = Emulator::builder()
        .settings(|settings| {
            settings.strict = true;
            settings.route_limits = true;
            settings.identify_pace = IdentifyPace::Record;
            settings.shards = MANY_SHARDS;
            settings.max_concurrency = MANY_SHARDS / 3;
        })
        .start()
        .await
        .unwrap();
    let mut receivers = Vec::new();
    for _ in 0..3 {
        let config = ClusterConfig::new(nats.url()).role(Role::Receiver);
        let cluster = Cluster::connect(config, &token()).await.unwrap();
        let client = Client::builder(token(), Intents::default())
            .environment(Environment::custom(emulator.base_url()).unwrap())
            .cluster(&cluster)
            .handler(Echo::default())
            .build()
            .unwrap();
        receivers.push(tokio::spawn(async move { client.start().await }));
    }
    let begun = Instant::now();
    let live = || {
        let sessions = emulator.sessions();
        sessions.iter().filter(|session| session.connected).count()
    };
    while live() < MANY_SHARDS as usize {
        assert!(begun.elapsed() < PATIENCE, "{} shards", live());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_nothing_was_refused(&emulator);
    let violations = emulator.violations();
    assert!(violations.is_empty(), "{violations:?}");
    for receiver in receivers {
        receiver.abort();
    }
}
