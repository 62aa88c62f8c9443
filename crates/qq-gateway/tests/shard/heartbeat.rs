//! Heartbeats: on time, supervised, and independent of the consumer.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use qq_gateway::{Phase, ShardErrorKind};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use tokio_tungstenite::tungstenite::Message;

use crate::fake::{INTERVAL, builder, consume, network, network_with_buffer};

#[tokio::test(start_paused = true)]
async fn beats_carry_the_newest_sequence_and_are_measured() {
    let (net, mut gateway) = network();
    let mut shard = builder(&net).build().unwrap();
    let serve = async {
        let mut server = gateway.identified("s1").await;
        server.event().await;
        assert_eq!(server.expect(1).await["d"], 2);
        sleep(Duration::from_millis(120)).await;
        server.send(json!({"op": 11})).await;
        assert_eq!(server.expect(1).await["d"], 2);
        server.event().await;
        server
    };
    let read = async {
        for _ in 0..3 {
            shard.next().await.unwrap().unwrap();
        }
    };
    let (_server, ()) = tokio::join!(serve, read);
    assert_eq!(shard.stats().round_trip, Some(Duration::from_millis(120)));
    assert_eq!(shard.stats().heartbeats, 2);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_is_answered_at_once() {
    let (net, mut gateway) = network();
    let mut consumer = consume(builder(&net).build().unwrap());
    let mut server = gateway.identified("s1").await;
    consumer.expect("READY").await;
    let start = Instant::now();
    server.send(json!({"op": 1, "d": null})).await;
    assert_eq!(server.expect(1).await["d"], 1);
    assert!(start.elapsed() < Duration::from_millis(5));
}

#[tokio::test(start_paused = true)]
async fn a_late_ack_does_not_reconnect() {
    let (net, mut gateway) = network();
    let mut consumer = consume(builder(&net).build().unwrap());
    let mut server = gateway.identified("s1").await;
    consumer.expect("READY").await;
    for _ in 0..50 {
        server.expect(1).await;
        sleep(INTERVAL.mul_f64(0.99)).await;
        server.send(json!({"op": 11})).await;
    }
    assert!(consumer.items.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_missing_ack_is_found_within_two_intervals() {
    let (net, mut gateway) = network();
    let mut consumer = consume(builder(&net).build().unwrap());
    let mut server = gateway.identified("s1").await;
    consumer.expect("READY").await;
    server.expect(1).await;
    server.send(json!({"op": 11})).await;
    // From here on the server takes everything and says nothing.
    let silent_since = Instant::now();
    let error = consumer.error().await;
    assert_eq!(
        (error.kind(), error.phase()),
        (ShardErrorKind::Timeout, Some(Phase::Heartbeat))
    );
    assert!(
        silent_since.elapsed() <= 2 * INTERVAL + Duration::from_millis(2),
        "{:?}",
        silent_since.elapsed()
    );
    server.expect(1).await;
    assert_eq!(
        server.closed().await,
        Some(4000),
        "not 1000 or 1001, and no further heartbeat"
    );
    gateway.resuming("s1").await;
}

#[tokio::test(start_paused = true)]
async fn an_event_is_no_ack() {
    let (net, mut gateway) = network();
    let mut consumer = consume(builder(&net).build().unwrap());
    let mut server = gateway.identified("s1").await;
    consumer.expect("READY").await;
    let start = Instant::now();
    let feed = async {
        loop {
            server.event().await;
            sleep(Duration::from_secs(5)).await;
        }
    };
    let watch = async {
        loop {
            if let Err(error) = consumer.items.recv().await.unwrap() {
                return error;
            }
        }
    };
    let error = tokio::select! {
        error = watch => error,
        () = feed => unreachable!(),
    };
    assert_eq!(error.phase(), Some(Phase::Heartbeat));
    assert!(start.elapsed() <= 2 * INTERVAL + Duration::from_millis(2));
}

#[tokio::test(start_paused = true)]
async fn a_ping_is_answered() {
    let (net, mut gateway) = network();
    let mut consumer = consume(builder(&net).build().unwrap());
    let mut server = gateway.identified("s1").await;
    consumer.expect("READY").await;
    server
        .socket
        .send(Message::Ping("hi".into()))
        .await
        .unwrap();
    let pong = server.socket.next().await.unwrap().unwrap();
    assert_eq!(pong, Message::Pong("hi".into()));
}

/// A consumer that has no room for ten minutes, while the gateway wants to send thousands of events.
#[tokio::test(start_paused = true)]
async fn a_slow_consumer_keeps_its_connection() {
    const EVENTS: u64 = 3000;
    let (net, mut gateway) = network_with_buffer(4096);
    let mut shard = builder(&net).build().unwrap();
    let (server, item) = tokio::join!(gateway.identified("s1"), shard.next());
    item.unwrap().unwrap();
    let (mut sink, mut stream) = server.socket.split();
    let sending = tokio::spawn(async move {
        for sequence in 2..=EVENTS {
            let event = json!({"op": 0, "s": sequence, "t": "SOMETHING_NEW", "d": {"text": "x".repeat(100)}});
            sink.send(Message::text(event.to_string())).await.unwrap();
        }
        sink.send(Message::text(json!({"op": 11}).to_string()))
            .await
            .unwrap();
        sink
    });
    let beats = tokio::spawn(async move {
        let mut beats = Vec::new();
        while let Some(Ok(Message::Text(text))) = stream.next().await {
            let frame: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(frame["op"], 1);
            beats.push(Instant::now());
        }
        beats
    });
    // The consumer takes some, and is then stuck, in pieces as in a loop of select!.
    for _ in 0..10 {
        shard.next().await.unwrap().unwrap();
    }
    let end = Instant::now() + Duration::from_secs(600);
    while Instant::now() < end {
        tokio::time::timeout(Duration::from_millis(7_777), shard.keep_alive())
            .await
            .unwrap_err();
    }
    assert!(!sending.is_finished(), "the gateway is held back");
    for sequence in 12..=EVENTS {
        let dispatch = shard.next().await.unwrap().unwrap();
        assert_eq!(dispatch.sequence, Some(sequence));
    }
    // The ACK came at the very end, and supervision has begun anew.
    let mut sink = sending.await.unwrap();
    assert!(
        tokio::time::timeout(INTERVAL / 2, shard.next())
            .await
            .is_err(),
        "nothing went wrong"
    );
    assert_eq!(shard.stats().connections, 1);
    sink.close().await.unwrap();
    drop(shard);
    let beats = beats.await.unwrap();
    assert!(beats.len() >= 14, "{}", beats.len());
    for pair in beats.windows(2) {
        assert!(
            pair[1] - pair[0] <= INTERVAL + Duration::from_millis(2),
            "{:?}",
            pair[1] - pair[0]
        );
    }
}

/// A consumer that handles each event in the same task, without `keep_alive`.
#[tokio::test(start_paused = true)]
async fn a_consumer_that_dawdles_does_not_lose_a_living_connection() {
    let (net, mut gateway) = network();
    let mut shard = builder(&net).build().unwrap();
    let (mut server, item) = tokio::join!(gateway.identified("s1"), shard.next());
    item.unwrap().unwrap();
    let serve = tokio::spawn(async move {
        for _ in 0..200 {
            server.event().await;
        }
        server.beat_for(Duration::from_secs(3000)).await;
    });
    for sequence in 2..=201 {
        let dispatch = shard.next().await.unwrap().unwrap();
        assert_eq!(dispatch.sequence, Some(sequence));
        sleep(Duration::from_secs(13)).await;
    }
    assert_eq!(shard.stats().connections, 1);
    serve.abort();
}

/// While a consumer was away, the ACK could not come through: a large event was in its way.
#[tokio::test(start_paused = true)]
async fn time_that_the_consumer_was_away_is_not_held_against_the_gateway() {
    let (net, mut gateway) = network_with_buffer(4096);
    let mut shard = builder(&net).build().unwrap();
    let serve = tokio::spawn(async move {
        let mut server = gateway.identified("s1").await;
        server.expect(1).await;
        server.event().await;
        let large = json!({"op": 0, "s": 3, "t": "SOMETHING_NEW", "d": "x".repeat(50_000)});
        server.send(large).await;
        server.send(json!({"op": 11})).await;
        server.beat_for(Duration::from_secs(3000)).await;
    });
    for sequence in 1..=2 {
        assert_eq!(
            shard.next().await.unwrap().unwrap().sequence,
            Some(sequence)
        );
    }
    sleep(INTERVAL + Duration::from_secs(20)).await;
    assert_eq!(shard.next().await.unwrap().unwrap().sequence, Some(3));
    assert!(
        tokio::time::timeout(3 * INTERVAL, shard.next())
            .await
            .is_err(),
        "nothing went wrong"
    );
    serve.abort();
}

#[tokio::test(start_paused = true)]
async fn keep_alive_resolves_when_the_connection_breaks() {
    let (net, mut gateway) = network();
    let mut shard = builder(&net).build().unwrap();
    let (server, item) = tokio::join!(gateway.identified("s1"), shard.next());
    item.unwrap().unwrap();
    drop(server);
    // Seen when the next heartbeat is written.
    tokio::time::timeout(INTERVAL, shard.keep_alive())
        .await
        .unwrap();
    let error = shard.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ShardErrorKind::Network);
    // Without a connection there is nothing to keep alive.
    tokio::time::timeout(INTERVAL, shard.keep_alive())
        .await
        .unwrap_err();
}
