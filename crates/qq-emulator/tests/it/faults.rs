//! Faults pressed on purpose, and how a connection ends.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use qq_emulator::Say;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::Message;

use crate::client::{End, Gateway, MESSAGES, STEP, connect, control, start};

#[tokio::test]
async fn any_close_code_arrives_with_a_handshake() {
    let emulator = start().await;
    for code in [1000, 3000, 4000, 4001, 4009, 4900, 4914, 4999] {
        let (mut gateway, _) = Gateway::ready(&emulator, MESSAGES).await;
        // Data in flight from the client does not turn the code into 1006.
        for _ in 0..3 {
            gateway.send(&json!({"op": 1, "d": 1})).await;
        }
        let answer = control(&emulator, "POST", "gateway/close", &json!({"code": code})).await;
        assert_eq!(answer.json(), json!({"connections": 1}));
        gateway.send(&json!({"op": 1, "d": 1})).await;
        assert_eq!(gateway.end().await, End::Closed(code));
    }
    assert!(
        emulator.violations().is_empty(),
        "{:?}",
        emulator.violations()
    );
}

#[tokio::test]
async fn a_close_without_a_code_and_none_at_all() {
    let emulator = start().await;
    for (code, end) in [(1005, End::Closed(1005)), (1006, End::Broken)] {
        let (mut gateway, ready) = Gateway::ready(&emulator, MESSAGES).await;
        let answer = control(&emulator, "POST", "gateway/close", &json!({"code": code})).await;
        assert_eq!(answer.json(), json!({"connections": 1}));
        assert_eq!(gateway.end().await, end);
        // Neither is the end of the session.
        let id = ready["session_id"].as_str().unwrap();
        let mut gateway = Gateway::resume(&emulator, id, 1).await;
        assert_eq!(gateway.frame().await["t"], "RESUMED");
        assert_eq!(emulator.drop_connections(None), 1);
    }
}

#[tokio::test]
async fn tcp_stays_open_until_the_close_is_answered() {
    let emulator = start().await;
    let (mut gateway, _) = Gateway::ready(&emulator, MESSAGES).await;
    emulator.close_session(None, 4009);
    // Reading the TCP stream itself answers nothing.
    let stream = gateway.socket.get_mut();
    let mut bytes = [0; 64];
    let read = stream.read(&mut bytes).await.unwrap();
    assert_eq!(&bytes[..1], b"\x88", "a close frame");
    assert!(read > 3 && bytes[2..4] == 4009_u16.to_be_bytes());
    let open = timeout(Duration::from_millis(200), stream.read(&mut bytes)).await;
    assert!(open.is_err(), "shut down before the answer: {open:?}");
}

#[tokio::test]
async fn a_drop_is_a_reset_without_a_close_frame() {
    let emulator = start().await;
    let (mut gateway, _) = Gateway::ready(&emulator, MESSAGES).await;
    assert_eq!(
        control(&emulator, "POST", "gateway/drop", &json!(null))
            .await
            .status,
        200
    );
    let mut bytes = [0; 16];
    let error = gateway.socket.get_mut().read(&mut bytes).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert!(!emulator.sessions()[0].connected);
}

#[tokio::test]
async fn op_7_and_later_4009_with_events_in_between() {
    let emulator = start().await;
    emulator.change_settings(|settings| settings.reconnect_close_after_ms = 150);
    let (mut gateway, ready) = Gateway::ready(&emulator, MESSAGES).await;
    let sent = Instant::now();
    assert_eq!(emulator.reconnect(None), 1);
    assert_eq!(gateway.raw().await, r#"{"op":7}"#);
    emulator.say(Say::c2c("x")).await;
    gateway.send(&json!({"op": 1, "d": 1})).await;
    let (a, b) = (gateway.frame().await, gateway.frame().await);
    assert!(a["op"] == 11 || b["op"] == 11);
    assert_eq!(gateway.next().await, Err(End::Closed(4009)));
    assert!(sent.elapsed() >= Duration::from_millis(150));
    let session = ready["session_id"].as_str().unwrap();
    let mut gateway = Gateway::resume(&emulator, session, 1).await;
    assert_eq!(gateway.frame().await["s"], 2);
    assert_eq!(gateway.frame().await["t"], "RESUMED");
}

#[tokio::test]
async fn op_9_ends_the_session_or_not() {
    let emulator = start().await;
    let (mut gateway, _) = Gateway::ready(&emulator, MESSAGES).await;
    control(&emulator, "POST", "gateway/invalid-session", &json!({})).await;
    assert!(emulator.sessions().is_empty());
    assert_eq!(gateway.raw().await, r#"{"op":9,"d":false}"#);
    assert_eq!(gateway.end().await, End::Closed(4006));

    let (mut gateway, ready) = Gateway::ready(&emulator, MESSAGES).await;
    let session = ready["session_id"].as_str().unwrap();
    let body = json!({"resumable": true, "session": session});
    control(&emulator, "POST", "gateway/invalid-session", &body).await;
    assert_eq!(gateway.raw().await, r#"{"op":9,"d":true}"#);
    assert_eq!(gateway.end().await, End::Closed(4009));
    let mut gateway = Gateway::resume(&emulator, session, 1).await;
    assert_eq!(gateway.frame().await["t"], "RESUMED");
    assert!(
        emulator.violations().is_empty(),
        "{:?}",
        emulator.violations()
    );
}

#[tokio::test]
async fn one_session_is_hit_and_the_other_is_not() {
    let emulator = start().await;
    let mut gateways = Vec::new();
    for index in [0, 1] {
        let (mut gateway, _) = Gateway::hello(&emulator).await;
        gateway.identify(&emulator, MESSAGES, [index, 2]).await;
        let ready = gateway.frame().await;
        gateways.push((
            gateway,
            ready["d"]["session_id"].as_str().unwrap().to_owned(),
        ));
    }
    assert_eq!(emulator.close_session(Some(&gateways[1].1), 4000), 1);
    assert_eq!(gateways[1].0.end().await, End::Closed(4000));
    gateways[0].0.quiet().await;
    assert_eq!(emulator.close_session(Some("nonsense"), 4000), 0);
}

#[tokio::test]
async fn pings_are_answered_and_a_clients_close_keeps_the_session() {
    let emulator = start().await;
    let (mut gateway, ready) = Gateway::ready(&emulator, MESSAGES).await;
    gateway
        .socket
        .send(Message::Ping("hey".into()))
        .await
        .unwrap();
    let pong = gateway.socket.next().await.unwrap().unwrap();
    assert_eq!(pong, Message::Pong("hey".into()));
    gateway.socket.close(None).await.unwrap();
    assert!(matches!(
        gateway.next().await,
        Err(End::Closed(_) | End::Broken)
    ));
    let session = ready["session_id"].as_str().unwrap();
    let mut gateway = Gateway::resume(&emulator, session, 1).await;
    assert_eq!(gateway.frame().await["t"], "RESUMED");
}

#[tokio::test]
async fn stopping_closes_everything_and_waits_for_nobody() {
    let emulator = start().await;
    let (mut gateway, _) = Gateway::ready(&emulator, MESSAGES).await;
    let (mut idle, _) = Gateway::hello(&emulator).await;
    let mut kept_alive = connect(&emulator).await;
    kept_alive
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(kept_alive.read_u8().await.unwrap(), b'H');
    let (port, begun) = (emulator.port(), Instant::now());
    let end = tokio::spawn(async move { (gateway.end().await, idle.end().await) });
    emulator.stop().await;
    assert!(begun.elapsed() < STEP, "{:?}", begun.elapsed());
    assert_eq!(end.await.unwrap(), (End::Closed(1001), End::Closed(1001)));
    assert!(
        tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .is_err()
    );

    let emulator = start().await;
    let (mut gateway, _) = Gateway::ready(&emulator, MESSAGES).await;
    drop(emulator);
    assert_eq!(gateway.end().await, End::Closed(1001));
}

#[tokio::test]
async fn several_in_one_process_and_waiting_for_a_session() {
    let (one, two) = (start().await, start().await);
    let waiting = one.wait_for_session(STEP);
    let (session, (_gateway, ready)) = tokio::join!(waiting, Gateway::ready(&one, MESSAGES));
    assert_eq!(session.unwrap().id, ready["session_id"]);
    assert!(
        two.wait_for_session(Duration::from_millis(20))
            .await
            .is_none()
    );
    assert!(two.sessions().is_empty());
}

#[tokio::test]
async fn starting_takes_less_than_20_milliseconds() {
    // The first start of a process reads the tables; and the machine may have much else to do.
    let (first, mut best) = (Instant::now(), Duration::MAX);
    while best >= Duration::from_millis(20) {
        assert!(first.elapsed() < STEP, "{best:?}");
        let begun = Instant::now();
        let emulator = start().await;
        best = best.min(begun.elapsed());
        drop(emulator);
    }
}
