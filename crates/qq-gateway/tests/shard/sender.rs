//! Sending and closing from other tasks.

use std::time::Duration;

use qq_gateway::{CloseMode, SendError};
use serde_json::json;

use crate::fake::{builder, consume, network};

#[tokio::test(start_paused = true)]
async fn frames_wait_for_the_session_and_arrive_in_order() {
    let (net, mut gateway) = network();
    let shard = builder(&net).build().unwrap();
    let sender = shard.sender();
    sender.try_send(r#"{"op":77,"d":1}"#).unwrap();
    let mut consumer = consume(shard);
    let mut server = gateway.hello().await;
    server.expect(2).await;
    server.ready("s1").await;
    consumer.expect("READY").await;
    sender.send(r#"{"op":77,"d":2}"#).await.unwrap();
    for number in 1..=2 {
        assert_eq!(server.next().await.unwrap(), json!({"op": 77, "d": number}));
    }
}

#[tokio::test(start_paused = true)]
async fn large_frames_full_queues_and_ended_shards_are_refused() {
    let (net, mut gateway) = network();
    let shard = builder(&net).build().unwrap();
    let sender = shard.sender();
    let size = 4097;
    assert_eq!(
        sender.try_send("x".repeat(size)),
        Err(SendError::TooLarge { size, limit: 4096 })
    );
    assert_eq!(
        sender.send("x".repeat(size)).await,
        Err(SendError::TooLarge { size, limit: 4096 })
    );
    for _ in 0..16 {
        sender.try_send("{}").unwrap();
    }
    assert_eq!(sender.try_send("{}"), Err(SendError::Full));

    let mut consumer = consume(shard);
    gateway.identified("s1").await.close(4914).await;
    while consumer.items.recv().await.is_some() {}
    assert!(sender.is_closed());
    assert_eq!(sender.try_send("{}"), Err(SendError::Closed));
    assert_eq!(sender.send("{}").await, Err(SendError::Closed));
    assert_eq!(sender.close(CloseMode::Finish), Err(SendError::Closed));

    let sender = builder(&net).build().unwrap().sender();
    assert_eq!(
        sender.try_send("{}"),
        Err(SendError::Closed),
        "the shard was dropped"
    );
}

#[tokio::test(start_paused = true)]
async fn a_sender_closes_the_shard() {
    for (mode, code) in [(CloseMode::Finish, 1000), (CloseMode::KeepSession, 4000)] {
        let (net, mut gateway) = network();
        let shard = builder(&net).build().unwrap();
        let sender = shard.sender();
        let mut consumer = consume(shard);
        let mut server = gateway.identified("s1").await;
        consumer.expect("READY").await;
        sender.close(mode).unwrap();
        sender.close(mode).unwrap();
        assert_eq!(server.closed().await, Some(code));
        assert!(consumer.ended().await);
        let shard = consumer.task.await.unwrap();
        assert_eq!(shard.session().is_some(), mode == CloseMode::KeepSession);
    }
}

#[tokio::test(start_paused = true)]
async fn a_sender_closes_a_shard_that_waits_for_its_consumer() {
    let (net, mut gateway) = network();
    let mut shard = builder(&net).build().unwrap();
    let sender = shard.sender();
    let (mut server, item) = tokio::join!(gateway.identified("s1"), shard.next());
    item.unwrap().unwrap();
    sender.close(CloseMode::KeepSession).unwrap();
    tokio::time::timeout(Duration::from_millis(1), shard.keep_alive())
        .await
        .unwrap();
    let (code, item) = tokio::join!(server.closed(), shard.next());
    assert_eq!(code, Some(4000));
    assert!(item.is_none());
}

/// Events without end leave room for what is sent.
#[tokio::test(start_paused = true)]
async fn a_busy_shard_sends_and_closes_too() {
    let (net, mut gateway) = network();
    let mut shard = builder(&net).build().unwrap();
    let sender = shard.sender();
    let (mut server, item) = tokio::join!(gateway.identified("s1"), shard.next());
    item.unwrap().unwrap();
    for _ in 0..50 {
        server.event().await;
    }
    sender.try_send(r#"{"op":77}"#).unwrap();
    for _ in 0..10 {
        shard.next().await.unwrap().unwrap();
    }
    assert_eq!(server.next().await.unwrap(), json!({"op": 77}));
    sender.close(CloseMode::KeepSession).unwrap();
    let (code, item) = tokio::join!(server.closed(), shard.next());
    assert_eq!(code, Some(4000));
    assert!(item.is_none());
    assert_eq!(
        shard.session().unwrap().sequence,
        11,
        "what was not yielded is replayed"
    );
}
