//! Receivers and workers as clients.

use std::sync::Arc;

use qq_client::Client;
use qq_cluster::{Cluster, Role};
use qq_emulator::{Emulator, Say};

use super::nats_server::NatsServer;
use super::support::{Echo, PATIENCE, client, until_answered, until_ready};

async fn start(nats: &NatsServer, emulator: &Emulator, role: Role) -> (Client<Echo>, Cluster) {
    client(&nats.url(), emulator.base_url(), role, Echo::default()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_receiver_publishes_a_worker_answers() {
    let Some(nats) = NatsServer::start().await else {
        return;
    };
    let emulator = Emulator::builder().start().await.unwrap();
    let (receiver, cluster) = start(&nats, &emulator, Role::Receiver).await;
    let (worker, _) = start(&nats, &emulator, Role::Worker).await;
    let (receiver, worker) = (Arc::new(receiver), Arc::new(worker));
    let mut tasks = tokio::task::JoinSet::new();
    for client in [&receiver, &worker] {
        let client = Arc::clone(client);
        tasks.spawn(async move { client.start().await });
    }
    until_ready(&receiver).await;
    until_ready(&worker).await;
    for number in 0..5 {
        emulator.say(Say::group(format!("hello {number}"))).await;
        emulator.say(Say::channel(format!("hi {number}"))).await;
    }
    until_answered(&emulator, 10, PATIENCE).await;
    let members = cluster.members().await.unwrap();
    assert_eq!(members.len(), 2);
    assert_eq!(cluster.shards().await.unwrap().len(), 1);
    let partitions = cluster.partitions().await.unwrap();
    assert_eq!(partitions.len(), 16);
    assert!(
        partitions
            .iter()
            .all(|partition| partition.holder.is_some() && partition.waiting == 0),
        "{partitions:?}"
    );
    assert_eq!(cluster.stats().published, 10);

    worker.stop().await.unwrap();
    receiver.stop().await.unwrap();
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap().unwrap();
    }
    assert_eq!(cluster.members().await.unwrap(), []);
    let violations = emulator.violations();
    assert!(violations.is_empty(), "{violations:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_loses_and_doubles_nothing() {
    let Some(nats) = NatsServer::start().await else {
        return;
    };
    let emulator = Emulator::builder().start().await.unwrap();
    let begin = async || {
        let (client, _) = start(&nats, &emulator, Role::Both).await;
        let client = Arc::new(client);
        let running = Arc::clone(&client);
        let task = tokio::spawn(async move { running.start().await });
        until_ready(&client).await;
        (client, task)
    };
    let mut processes = vec![begin().await, begin().await];
    let mut said = 0;
    for _ in 0..4 {
        for _ in 0..20 {
            emulator.say(Say::group(format!("{said}"))).await;
            said += 1;
        }
        let (client, task) = processes.remove(0);
        client.stop().await.unwrap();
        task.await.unwrap().unwrap();
        processes.push(begin().await);
    }
    until_answered(&emulator, said, PATIENCE).await;
    let texts: Vec<String> = emulator
        .outbox()
        .iter()
        .map(|entry| entry.text().to_owned())
        .collect();
    let expected: Vec<String> = (0..said).map(|number| number.to_string()).collect();
    assert_eq!(texts, expected, "each once, in order");
    assert_eq!(
        emulator.sessions().len(),
        1,
        "one session, resumed again and again"
    );
}
