//! Turns to identify, shared by processes.

use std::time::{Duration, Instant};

use qq_emulator::{Emulator, RequestEntry};
use qq_gateway::IdentifyQueue;
use qq_http::HttpClient;
use qq_model::gateway::ShardId;
use qq_model::{Environment, Token};

use super::{PATIENCE, layout};
use crate::identify::ClusterIdentifyQueue;
use crate::nats_server::NatsServer;

/// How often the platform was asked for the quota.
fn asked(emulator: &Emulator) -> usize {
    let is_gateway = |request: &&RequestEntry| request.path == "/gateway/bot";
    emulator.requests().iter().filter(is_gateway).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_a_turn_asks_nothing_of_the_platform() {
    let Some(server) = NatsServer::start().await else {
        return;
    };
    let layout = layout(&server).await;
    let emulator = Emulator::builder().start().await.unwrap();
    let queue = || {
        let http = HttpClient::builder(Token::new(emulator.app_id(), emulator.secret()))
            .environment(Environment::custom(emulator.base_url()).unwrap())
            .build()
            .unwrap();
        ClusterIdentifyQueue::new(layout.brief.clone(), http)
    };
    let (one, two) = (queue(), queue());
    one.wait(ShardId::ONE).await.unwrap().spend();
    let start = Instant::now();
    // Once for the number of turns, and once for the quota.
    assert_eq!(asked(&emulator), 2);
    let turn = tokio::time::timeout(PATIENCE, two.wait(ShardId::ONE)).await;
    let turn = turn.unwrap().unwrap();
    assert!(start.elapsed() >= Duration::from_secs(5), "too early");
    assert_eq!(asked(&emulator), 4);
    // What is given back is free at once, and the number of turns is known by now.
    drop(turn);
    let turn = tokio::time::timeout(PATIENCE, two.wait(ShardId::ONE)).await;
    turn.unwrap().unwrap().spend();
    assert_eq!(asked(&emulator), 5);
}
