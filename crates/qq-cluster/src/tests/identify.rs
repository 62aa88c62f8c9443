//! Turns to identify, shared by processes.

use std::time::{Duration, Instant};

use qq_emulator::{Emulator, RequestEntry, Settings};
use qq_gateway::{IdentifyQueue, IdentifyTurn, SessionQuotaError};
use qq_http::HttpClient;
use qq_model::gateway::ShardId;
use qq_model::{Environment, Token};

use super::{PATIENCE, layout};
use crate::identify::{ClusterGateway, ClusterIdentifyQueue};
use crate::nats::Layout;
use crate::nats_server::NatsServer;

/// How often the platform was asked for the quota.
fn asked(emulator: &Emulator) -> usize {
    let is_gateway = |request: &&RequestEntry| request.path == "/gateway/bot";
    emulator.requests().iter().filter(is_gateway).count()
}

/// The queues of so many processes.
fn queues(
    layout: &Layout,
    emulator: &Emulator,
    count: usize,
) -> Vec<std::sync::Arc<ClusterIdentifyQueue>> {
    (0..count)
        .map(|_| {
            let token = Token::new(emulator.app_id(), emulator.secret());
            let http = HttpClient::builder(token)
                .environment(Environment::custom(emulator.base_url()).unwrap())
                .build()
                .unwrap();
            ClusterIdentifyQueue::new(layout, ClusterGateway::new(layout, http))
        })
        .collect()
}

async fn turn(queue: &ClusterIdentifyQueue) -> Result<IdentifyTurn, SessionQuotaError> {
    tokio::time::timeout(PATIENCE, queue.wait(ShardId::ONE))
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_comes_every_five_seconds_and_the_platform_is_asked_once() {
    let Some(server) = NatsServer::start().await else {
        return;
    };
    let layout = layout(&server).await;
    let emulator = Emulator::builder().start().await.unwrap();
    let queues = queues(&layout, &emulator, 2);
    turn(&queues[0]).await.unwrap().spend();
    let start = Instant::now();
    let second = turn(&queues[1]).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(5), "too early");
    // What is given back is free at once.
    drop(second);
    turn(&queues[0]).await.unwrap().spend();
    assert_eq!(asked(&emulator), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_sessions_are_begun_than_are_left_of_the_day() {
    let Some(server) = NatsServer::start().await else {
        return;
    };
    let layout = layout(&server).await;
    let few = |settings: &mut Settings| (settings.max_concurrency, settings.remaining) = (8, 3);
    let emulator = Emulator::builder().settings(few).start().await.unwrap();
    let queues = queues(&layout, &emulator, 4);
    for queue in &queues[1..] {
        turn(queue).await.unwrap().spend();
    }
    // The platform was not told of them yet, so it may be that there are more. It is asked again, and not all the time.
    let more = tokio::time::timeout(Duration::from_secs(2), queues[0].wait(ShardId::ONE)).await;
    assert!(more.is_err(), "{more:?}");
    assert_eq!(asked(&emulator), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_platform_says_that_none_is_left_everybody_is_told() {
    let Some(server) = NatsServer::start().await else {
        return;
    };
    let layout = layout(&server).await;
    let none = |settings: &mut Settings| settings.remaining = 0;
    let emulator = Emulator::builder().settings(none).start().await.unwrap();
    for queue in queues(&layout, &emulator, 3) {
        let error = turn(&queue).await.unwrap_err();
        assert!(error.to_string().contains('0'), "{error}");
    }
    assert_eq!(asked(&emulator), 1);
}
