//! RESUME: what is replayed, and what is refused.

use std::time::Duration;

use qq_emulator::Say;
use serde_json::{Value, json};

use crate::client::{End, Gateway, MESSAGES, codes, quick, start, start_with, token, violation};

async fn say(emulator: &qq_emulator::Emulator, texts: &[&str]) {
    for text in texts {
        emulator.say(Say::c2c(*text)).await;
    }
}

fn brief(frame: &Value) -> (u64, String) {
    let text = frame["d"]["content"].as_str().or(frame["t"].as_str());
    (frame["s"].as_u64().unwrap(), text.unwrap().to_owned())
}

#[tokio::test]
async fn missed_events_come_again_with_their_own_s_then_resumed() {
    let emulator = start().await;
    let (mut gateway, ready) = Gateway::ready(&emulator, MESSAGES).await;
    let session = ready["session_id"].as_str().unwrap();
    say(&emulator, &["a", "b"]).await;
    assert_eq!(brief(&gateway.frame().await), (2, "a".into()));
    assert_eq!(brief(&gateway.frame().await), (3, "b".into()));
    emulator.drop_connections(None);
    assert_eq!(gateway.end().await, End::Broken);
    say(&emulator, &["c", "d"]).await;
    assert!(!emulator.sessions()[0].connected);

    let mut gateway = Gateway::resume(&emulator, session, 2).await;
    for wanted in [(3, "b"), (4, "c"), (5, "d")] {
        assert_eq!(
            brief(&gateway.frame().await),
            (wanted.0, wanted.1.to_owned())
        );
    }
    let resumed = gateway.raw().await;
    assert!(resumed.contains("\"d\":\"\""), "{resumed}");
    let resumed: Value = serde_json::from_str(&resumed).unwrap();
    assert_eq!(brief(&resumed), (6, "RESUMED".into()));
    say(&emulator, &["e"]).await;
    assert_eq!(brief(&gateway.frame().await), (7, "e".into()));
    let view = &emulator.sessions()[0];
    assert_eq!((view.resumes, view.connected, view.last_seq), (1, true, 7));

    // Once more: RESUMED itself is not an event that could be missed.
    drop(gateway);
    let mut gateway = Gateway::resume(&emulator, session, 5).await;
    assert_eq!(brief(&gateway.frame().await), (7, "e".into()));
    assert_eq!(gateway.frame().await["t"], "RESUMED");
    assert!(
        emulator.violations().is_empty(),
        "{:?}",
        emulator.violations()
    );
}

#[tokio::test]
async fn the_token_may_come_bare() {
    let emulator = start().await;
    let (gateway, ready) = Gateway::ready(&emulator, MESSAGES).await;
    drop(gateway);
    let token = token(&emulator).await;
    for (token, end) in [
        (token.clone(), None),
        ("nonsense".into(), Some(End::Closed(4004))),
    ] {
        let (mut gateway, _) = Gateway::hello(&emulator).await;
        let d = json!({"token": token, "session_id": ready["session_id"], "seq": 1});
        gateway.send(&json!({"op": 6, "d": d})).await;
        match end {
            None => assert_eq!(gateway.frame().await["t"], "RESUMED"),
            Some(end) => assert_eq!(gateway.end().await, end),
        }
    }
    assert_eq!(violation(&emulator).code, "ws.token");
}

#[tokio::test]
async fn unknown_sessions_get_op_9_and_a_close() {
    let emulator = start().await;
    let mut gateway = Gateway::resume(&emulator, "nonsense", 1).await;
    assert_eq!(gateway.raw().await, r#"{"op":9,"d":false}"#);
    // What the client still says is not answered.
    gateway.identify(&emulator, 1, [0, 1]).await;
    assert_eq!(gateway.next().await, Err(End::Closed(4006)));
    assert_eq!(violation(&emulator).code, "ws.resume_unknown");
    assert!(emulator.sessions().is_empty());
}

#[tokio::test]
async fn the_window_closes() {
    let emulator = start().await;
    let (gateway, ready) = Gateway::ready(&emulator, MESSAGES).await;
    let session = ready["session_id"].as_str().unwrap();
    emulator.drop_connections(None);
    drop(gateway);
    emulator.advance(Duration::from_secs(299));
    let mut gateway = Gateway::resume(&emulator, session, 1).await;
    assert_eq!(gateway.frame().await["t"], "RESUMED");
    emulator.drop_connections(None);
    assert_eq!(gateway.end().await, End::Broken);
    emulator.advance(Duration::from_secs(301));
    assert!(emulator.sessions().is_empty());
    let mut gateway = Gateway::resume(&emulator, session, 1).await;
    assert_eq!(gateway.frame().await["op"], 9);
    assert!(
        emulator.violations().is_empty(),
        "{:?}",
        emulator.violations()
    );
}

#[tokio::test]
async fn a_seq_ahead_or_beyond_the_buffer_is_invalid() {
    let emulator = start_with(quick().settings(|settings| settings.replay_buffer = 2)).await;
    let (gateway, ready) = Gateway::ready(&emulator, MESSAGES).await;
    let session = ready["session_id"].as_str().unwrap();
    drop(gateway);
    let mut gateway = Gateway::resume(&emulator, session, 99).await;
    assert_eq!(gateway.end().await, End::Closed(4007));
    assert_eq!(violation(&emulator).code, "ws.resume_seq");

    let (gateway, ready) = Gateway::ready(&emulator, MESSAGES).await;
    let session = ready["session_id"].as_str().unwrap();
    emulator.drop_connections(None);
    drop(gateway);
    say(&emulator, &["a", "b", "c"]).await;
    let mut gateway = Gateway::resume(&emulator, session, 1).await;
    assert_eq!(gateway.end().await, End::Closed(4007));
    assert_eq!(codes(&emulator).len(), 1);
}

#[tokio::test]
async fn a_resume_takes_the_session_from_the_older_connection() {
    let emulator = start().await;
    let (mut old, ready) = Gateway::ready(&emulator, MESSAGES).await;
    let session = ready["session_id"].as_str().unwrap();
    let mut new = Gateway::resume(&emulator, session, 1).await;
    assert_eq!(new.frame().await["t"], "RESUMED");
    assert_eq!(old.end().await, End::Closed(4902));
    say(&emulator, &["x"]).await;
    assert_eq!(brief(&new.frame().await), (3, "x".into()));
    assert!(emulator.violations().is_empty());
}

#[tokio::test]
async fn resuming_what_a_close_has_ended_is_a_breach() {
    let emulator = start().await;
    for (code, resumable) in [
        (4900, false),
        (4006, false),
        (4914, false),
        (4009, true),
        (4008, true),
        (1000, true),
    ] {
        let (mut gateway, ready) = Gateway::ready(&emulator, MESSAGES).await;
        let session = ready["session_id"].as_str().unwrap();
        assert_eq!(emulator.close_session(Some(session), code), 1);
        assert_eq!(gateway.end().await, End::Closed(code));
        let before = emulator.violations().len();
        let mut gateway = Gateway::resume(&emulator, session, 1).await;
        let answer = gateway.frame().await;
        if resumable {
            assert_eq!(answer["t"], "RESUMED", "{code}");
            assert_eq!(emulator.violations().len(), before);
            emulator.invalid_session(Some(session), false);
            gateway.end().await;
        } else {
            assert_eq!(answer, json!({"op": 9, "d": false}), "{code}");
            let newest = emulator.violations().pop().unwrap();
            assert_eq!(newest.code, "ws.resume_refused");
            assert!(newest.message.contains(&code.to_string()));
            gateway.end().await;
        }
    }
}

#[tokio::test]
async fn many_events_survive_a_slow_reader() {
    let emulator = start().await;
    let (mut gateway, _) = Gateway::ready(&emulator, MESSAGES).await;
    let emulator = std::sync::Arc::new(emulator);
    let speaker = tokio::spawn({
        let emulator = std::sync::Arc::clone(&emulator);
        async move {
            for _ in 0..12_000 {
                emulator.say(Say::c2c("x")).await;
            }
        }
    });
    for s in 2..12_002_u64 {
        assert_eq!(gateway.frame().await["s"], s);
    }
    speaker.await.unwrap();
}

#[tokio::test]
async fn only_so_many_sessions_wait() {
    let emulator = start().await;
    for _ in 0..70 {
        Gateway::ready(&emulator, 0).await;
        emulator.drop_connections(None);
    }
    assert_eq!(emulator.sessions().len(), 64);
}
