//! Frames of one's own.

use crate::support::{Echo, client, run};
use qq_emulator::Emulator;
use qqbot::prelude::*;

const HEARTBEAT: &str = r#"{"op":1,"d":null}"#;

#[tokio::test]
async fn c8_send_to_gateway_and_to_shard() {
    let emulator = Emulator::builder().start().await.unwrap();
    let client = client(&emulator, Echo::default());
    let error = client.send_to_gateway(HEARTBEAT).unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::NotReady,
        "no session yet: {error:?}"
    );
    let running = run(client).await;
    let client = &running.client;
    assert_eq!(client.send_to_gateway(HEARTBEAT).unwrap(), 1);
    client.send_to_shard(0, HEARTBEAT).unwrap();
    let error = client.send_to_shard(1, HEARTBEAT).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotReady);
    for frame in [
        "no json",
        "{}",
        &format!(r#"{{"op":1,"d":"{}"}}"#, "x".repeat(5000)),
    ] {
        let error = client.send_to_gateway(frame).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error:?}");
    }
    let mut sent = 0;
    let error = loop {
        match client.send_to_gateway(HEARTBEAT) {
            Ok(_) => sent += 1,
            Err(error) => break error,
        }
        // The shard takes them up between.
        tokio::task::yield_now().await;
        assert!(sent < 1000, "nothing limits the frames");
    };
    assert_eq!(error.kind(), ErrorKind::RateLimited, "{error:?}");
    running.client.stop().await.unwrap();
    running.task.await.unwrap().unwrap();
}
