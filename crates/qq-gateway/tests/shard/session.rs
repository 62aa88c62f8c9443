//! Opening, resuming and closing sessions.

use std::time::Duration;

use qq_gateway::{CloseMode, ShardErrorKind, ShardStatus};
use serde_json::json;

use crate::fake::{builder, consume, network};

#[tokio::test(start_paused = true)]
async fn identify_ready_event_resume_event() {
    let (net, mut gateway) = network();
    let mut consumer = consume(builder(&net).build().unwrap());

    let mut server = gateway.hello().await;
    let identify = server.expect(2).await;
    assert_eq!(identify["d"]["token"], "QQBot canary-token");
    assert_eq!(identify["d"]["shard"], json!([0, 1]));
    assert_eq!(
        identify["d"]["intents"],
        qq_model::Intents::default().bits()
    );
    server.ready("s1").await;
    consumer.expect("READY").await;
    server.event().await;
    assert_eq!(
        consumer.expect("C2C_MESSAGE_CREATE").await.sequence,
        Some(2)
    );
    server.close(4009).await;
    let error = consumer.error().await;
    assert_eq!(
        (error.kind(), error.is_fatal()),
        (ShardErrorKind::Closed, false)
    );
    assert!(error.retry_after().unwrap() < Duration::from_secs(1));

    let (mut server, sequence) = gateway.resuming("s1").await;
    assert_eq!(sequence, 2);
    server.sequence = sequence;
    server.event().await;
    server.resumed().await;
    assert_eq!(consumer.event().await.sequence, Some(3));
    consumer.expect("RESUMED").await;
    server.event().await;
    assert_eq!(consumer.event().await.sequence, Some(5));
}

#[tokio::test(start_paused = true)]
async fn close_keeps_the_session_for_another_process() {
    let (net, mut gateway) = network();
    let mut shard = builder(&net).build().unwrap();
    let serve = async {
        let mut server = gateway.identified("s1").await;
        server.event().await;
        server
    };
    let read = async {
        shard.next().await.unwrap().unwrap();
        shard.next().await.unwrap().unwrap();
    };
    let (mut server, ()) = tokio::join!(serve, read);
    let (code, session) = tokio::join!(server.closed(), shard.close(CloseMode::KeepSession));
    assert_eq!(code, Some(4000));
    assert_eq!(shard.status(), ShardStatus::Closed);
    assert!(shard.next().await.is_none());
    let session = session.unwrap();
    assert_eq!(
        (session.id.to_string().as_str(), session.sequence),
        ("s1", 2)
    );

    let saved = serde_json::to_string(&session).unwrap();
    let session: qq_gateway::Session = serde_json::from_str(&saved).unwrap();
    let mut consumer = consume(builder(&net).session(session).build().unwrap());
    let (mut server, sequence) = gateway.resuming("s1").await;
    assert_eq!(sequence, 2);
    server.sequence = 2;
    server.resumed().await;
    consumer.expect("RESUMED").await;
}
