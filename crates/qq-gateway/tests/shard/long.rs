//! Days of virtual time.

use std::sync::atomic::Ordering;
use std::time::Duration;

use qq_gateway::{CloseMode, ShardErrorKind};
use tokio::time::Instant;

use crate::fake::{builder, consume, network};

/// The normal life of a connection: closed with 4009 every half hour.
#[tokio::test(start_paused = true)]
async fn forty_eight_hours_of_expiring_connections() {
    let (net, mut gateway) = network();
    let shard = builder(&net).build().unwrap();
    let sender = shard.sender();
    let mut consumer = consume(shard);
    let start = Instant::now();
    let mut server = gateway.identified("s1").await;
    let mut newest = server.event().await;
    for cycle in 0..96_u64 {
        server.beat_for(Duration::from_secs(1800)).await;
        newest = server.event().await;
        server.close(4009).await;
        drop(server);
        let position;
        (server, position) = gateway.resuming("s1").await;
        // Some events happened meanwhile, and one that the client has seen comes again.
        server.event_numbered(position).await;
        server.sequence = newest;
        for _ in 0..cycle % 3 {
            server.event().await;
        }
        server.resumed().await;
        newest = server.sequence;
    }
    assert!(start.elapsed() >= Duration::from_secs(48 * 3600));
    server.beat_for(Duration::from_secs(1)).await;
    sender.close(CloseMode::KeepSession).unwrap();
    server.closed().await;

    let mut sequences = Vec::new();
    let mut reconnects = 0;
    while let Some(item) = consumer.items.recv().await {
        match item {
            Ok(dispatch) => sequences.push(dispatch.sequence.unwrap()),
            Err(error) if error.kind() == ShardErrorKind::SequenceRepeat => {}
            Err(error) => {
                assert_eq!(error.close_code().map(|code| code.0), Some(4009), "{error}");
                assert!(error.retry_after().unwrap() <= Duration::from_secs(1));
                reconnects += 1;
            }
        }
    }
    assert_eq!(
        sequences,
        (1..=newest).collect::<Vec<_>>(),
        "no event lost, none doubled"
    );
    assert_eq!(reconnects, 96);
    let stats = consumer.task.await.unwrap().stats();
    assert!(stats.identifies <= 2, "{}", stats.identifies);
    assert_eq!((stats.connections, stats.repeats), (97, 96));
}

/// No network for a day, then it is there again.
#[tokio::test(start_paused = true)]
async fn a_day_of_outage_is_over_within_one_back_off() {
    let (net, mut gateway) = network();
    let mut consumer = consume(builder(&net).build().unwrap());
    let server = gateway.identified("s1").await;
    consumer.expect("READY").await;
    net.refuse(true);
    drop(server);
    let end = Instant::now() + Duration::from_secs(24 * 3600);
    while let Ok(Some(item)) = tokio::time::timeout_at(end, consumer.items.recv()).await {
        let error = item.unwrap_err();
        assert!(!error.is_fatal());
        assert_eq!(error.kind(), ShardErrorKind::Network);
        assert!(error.retry_after().unwrap() <= Duration::from_secs(60));
    }
    let attempts = net.attempts.load(Ordering::Relaxed);
    assert!((1440..=4000).contains(&attempts), "{attempts}");
    net.refuse(false);
    let (mut server, _) = gateway.resuming("s1").await;
    assert!(Instant::now() - end <= Duration::from_secs(60));
    // The session is long gone.
    server.close(4006).await;
    gateway.identified("s2").await;
    while consumer.items.recv().await.unwrap().is_err() {}
    assert!(Instant::now() - end <= Duration::from_secs(120));
}
