//! Heartbeats: what is accepted, and what silence leads to.

use std::time::Duration;

use qq_emulator::{Level, Say};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::client::{End, Gateway, MESSAGES, quick, start, start_with, violation};

#[tokio::test]
async fn number_null_and_nothing_are_acknowledged() {
    let emulator = start().await;
    let (mut gateway, _) = Gateway::ready(&emulator, MESSAGES).await;
    for beat in [
        json!({"op": 1, "d": 1}),
        json!({"op": 1, "d": null}),
        json!({"op": 1, "s": 1}),
        json!({"op": 1, "d": 0, "extra": {}}),
    ] {
        gateway.send(&beat).await;
        assert_eq!(gateway.raw().await, r#"{"op":11}"#);
    }
    assert_eq!(emulator.sessions()[0].acknowledged, 1);
    emulator.say(Say::c2c("x")).await;
    gateway.frame().await;
    gateway.send(&json!({"op": 1, "d": 2})).await;
    gateway.frame().await;
    assert_eq!(emulator.sessions()[0].acknowledged, 2);
    assert!(emulator.violations().is_empty());
}

#[tokio::test]
async fn a_sequence_that_was_never_sent_is_a_breach() {
    let emulator = start().await;
    let (mut gateway, ready) = Gateway::ready(&emulator, MESSAGES).await;
    gateway.send(&json!({"op": 1, "d": 2})).await;
    assert_eq!(gateway.frame().await["op"], 11);
    let breach = violation(&emulator);
    assert_eq!(
        (breach.code.as_str(), breach.level),
        ("ws.heartbeat_seq_ahead", Level::Error)
    );
    assert_eq!(breach.session.as_deref(), ready["session_id"].as_str());
}

#[tokio::test]
async fn silence_of_two_intervals_is_closed_with_4009() {
    // Long enough that a loaded machine beats in time.
    let interval = Duration::from_secs(1);
    let emulator = start_with(quick().heartbeat_interval(interval)).await;
    let (mut gateway, _) = Gateway::ready(&emulator, MESSAGES).await;
    for _ in 0..2 {
        sleep(interval).await;
        gateway.send(&json!({"op": 1, "d": 1})).await;
        assert_eq!(gateway.frame().await["op"], 11);
    }
    assert!(emulator.violations().is_empty());
    let silent_since = Instant::now();
    assert_eq!(gateway.end().await, End::Closed(4009));
    assert!(silent_since.elapsed() >= interval * 2 - Duration::from_millis(10));
    assert_eq!(violation(&emulator).code, "ws.heartbeat_missed");
    // The session can be resumed: that is what 4009 says.
    assert_eq!(emulator.sessions().len(), 1);
}

#[tokio::test]
async fn who_never_identifies_is_closed_as_well() {
    let emulator = start_with(quick().heartbeat_interval(Duration::from_millis(40))).await;
    let (mut gateway, _) = Gateway::hello(&emulator).await;
    assert_eq!(gateway.end().await, End::Closed(4009));
}

#[tokio::test]
async fn too_many_heartbeats_and_frames() {
    let emulator = start().await;
    let (mut gateway, _) = Gateway::ready(&emulator, MESSAGES).await;
    for _ in 0..10 {
        gateway.send(&json!({"op": 1, "d": 1})).await;
        gateway.frame().await;
    }
    let breach = violation(&emulator);
    assert_eq!(
        (breach.code.as_str(), breach.level),
        ("ws.heartbeat_too_fast", Level::Warn)
    );

    emulator.change_settings(|settings| settings.frames_per_minute = 20);
    let (mut gateway, _) = Gateway::ready(&emulator, 0).await;
    for _ in 0..25 {
        gateway.send(&json!({"op": 1, "d": null})).await;
    }
    assert_eq!(gateway.end().await, End::Closed(4008));
}

/// Nobody waits here: skipped time counts as silence.
#[tokio::test]
async fn the_clock_moves_heartbeats_as_well() {
    let emulator = start().await;
    let (mut gateway, _) = Gateway::ready(&emulator, MESSAGES).await;
    // Not unless it is told to: no client can beat in time that is skipped.
    emulator.advance(Duration::from_secs(3600));
    gateway.quiet().await;
    gateway.send(&json!({"op": 1, "d": 1})).await;
    assert_eq!(gateway.frame().await["op"], 11);
    emulator.change_settings(|settings| settings.clock_moves_heartbeats = true);
    emulator.advance(Duration::from_secs(50));
    gateway.quiet().await;
    gateway.send(&json!({"op": 1, "d": 1})).await;
    assert_eq!(gateway.frame().await["op"], 11);
    // Counted from the beat.
    emulator.advance(Duration::from_secs(50));
    gateway.quiet().await;
    emulator.advance(Duration::from_secs(40));
    assert_eq!(gateway.end().await, End::Closed(4009));
    assert_eq!(violation(&emulator).code, "ws.heartbeat_missed");
}
