//! Connections that end in every way, and what follows.

use std::time::Duration;

use qq_gateway::{Limits, ShardErrorKind, ShardStatus};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use crate::fake::{builder, consume, network};

#[tokio::test(start_paused = true)]
async fn a_connection_dropped_inside_a_frame_is_resumed() {
    let (net, mut gateway) = network();
    let mut consumer = consume(builder(&net).build().unwrap());
    let mut server = gateway.identified("s1").await;
    server.event().await;
    consumer.expect("READY").await;
    consumer.event().await;
    // A text frame of 100 bytes, of which five come.
    server
        .socket
        .get_mut()
        .write_all(b"\x81\x64{\"op\"")
        .await
        .unwrap();
    drop(server);
    assert_eq!(consumer.error().await.kind(), ShardErrorKind::Network);
    let (mut server, sequence) = gateway.resuming("s1").await;
    assert_eq!(sequence, 2);
    server.resumed().await;
    consumer.expect("RESUMED").await;
}

#[tokio::test(start_paused = true)]
async fn op_7_is_answered_with_a_close_that_keeps_the_session() {
    let (net, mut gateway) = network();
    let mut consumer = consume(builder(&net).build().unwrap());
    let mut server = gateway.identified("s1").await;
    consumer.expect("READY").await;
    let start = Instant::now();
    server.send(json!({"op": 7})).await;
    // On its way when the server asked.
    server.event().await;
    assert_eq!(server.closed().await, Some(4000));
    assert_eq!(consumer.error().await.kind(), ShardErrorKind::Reconnect);
    consumer.expect("C2C_MESSAGE_CREATE").await;
    let (_server, sequence) = gateway.resuming("s1").await;
    assert_eq!(sequence, 2);
    assert!(start.elapsed() <= Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn an_error_carries_its_own_cause_and_no_earlier_one() {
    let (net, mut gateway) = network();
    let mut consumer = consume(builder(&net).build().unwrap());
    let mut server = gateway.identified("s1").await;
    consumer.expect("READY").await;
    server.send(json!({"op": 7})).await;
    consumer.error().await;
    // Instead of the answer to the close frame.
    drop(server);
    gateway.resuming("s1").await.0.close(4914).await;
    let error = consumer.error().await;
    assert!(std::error::Error::source(&error).is_none(), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn op_9_decides_between_resume_and_identify() {
    for (frame, resumes) in [
        (json!({"op": 9, "d": true}), true),
        (json!({"op": 9, "d": false}), false),
        (json!({"op": 9}), false),
        (json!({"op": 9, "d": null}), false),
    ] {
        let (net, mut gateway) = network();
        let mut consumer = consume(builder(&net).build().unwrap());
        let mut server = gateway.identified("s1").await;
        consumer.expect("READY").await;
        server.send(frame.clone()).await;
        server.closed().await;
        assert_eq!(
            consumer.error().await.kind(),
            ShardErrorKind::InvalidSession
        );
        let mut server = gateway.hello().await;
        server.expect(if resumes { 6 } else { 2 }).await;
    }
}

#[tokio::test(start_paused = true)]
async fn fatal_codes_end_the_stream_with_the_reason() {
    for code in [4001, 4002, 4010, 4011, 4012, 4013, 4014, 4914, 4915] {
        let (net, mut gateway) = network();
        let mut consumer = consume(builder(&net).build().unwrap());
        gateway.identified("s1").await.close(code).await;
        consumer.expect("READY").await;
        let error = consumer.error().await;
        assert!(error.is_fatal(), "{code}");
        assert_eq!(error.close_code().map(|code| code.0), Some(code));
        assert!(error.to_string().contains(&code.to_string()), "{error}");
        assert!(consumer.ended().await);
        let shard = consumer.task.await.unwrap();
        assert_eq!(shard.status(), ShardStatus::Closed);
        assert_eq!(shard.session(), None);
        assert!(
            gateway.is_quiet(Duration::from_secs(24 * 3600)).await,
            "{code}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_code_is_retried_slowly() {
    let (net, mut gateway) = network();
    let mut consumer = consume(builder(&net).build().unwrap());
    gateway.identified("s1").await.close(4924).await;
    consumer.expect("READY").await;
    let error = consumer.error().await;
    assert!(!error.is_fatal());
    assert!(gateway.is_quiet(Duration::from_secs(149)).await);
    gateway.identified("s2").await;
    consumer.expect("READY").await;
}

#[tokio::test(start_paused = true)]
async fn after_4008_the_shard_waits_a_minute_and_resumes() {
    let (net, mut gateway) = network();
    let mut consumer = consume(builder(&net).build().unwrap());
    gateway.identified("s1").await.close(4008).await;
    consumer.expect("READY").await;
    consumer.error().await;
    assert!(gateway.is_quiet(Duration::from_secs(59)).await);
    gateway.resuming("s1").await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_resume_is_not_repeated() {
    let (net, mut gateway) = network();
    let mut consumer = consume(builder(&net).build().unwrap());
    gateway.identified("s1").await.close(4009).await;
    consumer.expect("READY").await;
    consumer.error().await;
    gateway.resuming("s1").await.0.close(4902).await;
    assert_eq!(
        consumer.error().await.close_code().map(|code| code.0),
        Some(4902)
    );
    gateway.identified("s2").await;
    consumer.expect("READY").await;
}

#[tokio::test(start_paused = true)]
async fn a_huge_frame_ends_the_connection_and_the_loop() {
    let (net, mut gateway) = network();
    let mut limits = Limits::default();
    limits.max_frame = 1000;
    let mut consumer = consume(builder(&net).limits(limits).build().unwrap());
    let huge = json!({"op": 0, "s": 2, "t": "X", "d": "x".repeat(1001)});
    let mut server = gateway.identified("s1").await;
    consumer.expect("READY").await;
    server.send(huge.clone()).await;
    let error = consumer.error().await;
    assert_eq!(
        (error.kind(), error.is_fatal()),
        (ShardErrorKind::Protocol, false)
    );
    assert!(error.to_string().contains("max_frame"), "{error}");
    // The replay brings it again: after two attempts the session is given up.
    for _ in 0..2 {
        let (mut server, _) = gateway.resuming("s1").await;
        server.send(huge.clone()).await;
        assert_eq!(consumer.error().await.kind(), ShardErrorKind::Protocol);
    }
    gateway.identified("s2").await;
    consumer.expect("READY").await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_breaks_the_protocol_is_left() {
    let (net, mut gateway) = network();
    let mut consumer = consume(builder(&net).build().unwrap());
    let mut server = gateway.identified("s1").await;
    consumer.expect("READY").await;
    // A text frame that is no UTF-8.
    server
        .socket
        .get_mut()
        .write_all(b"\x81\x02\xff\xfe")
        .await
        .unwrap();
    assert_eq!(consumer.error().await.kind(), ShardErrorKind::Protocol);
    gateway.resuming("s1").await;
}
