//! Planned faults, each over a real socket.

use std::time::Duration;

use qq_emulator::{Emulator, Fault, Say};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::client::{
    Answer, End, Gateway, MESSAGES, STEP, call, connect, control, http, start, token,
};

const LATE: Duration = Duration::from_millis(150);

async fn me(emulator: &Emulator) -> Answer {
    call(emulator, "GET", "/users/@me", &Value::Null).await
}

/// Sends a message; the answer is not read yet.
async fn post(emulator: &Emulator) -> TcpStream {
    let user = emulator.world().users[0].openid.clone();
    let token = token(emulator).await;
    let body = r#"{"content":"hello","msg_type":0}"#;
    let request = format!(
        "POST /v2/users/{user}/messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Authorization: QQBot {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream: TcpStream = connect(emulator).await;
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Sends a message; gives whatever comes back until the connection ends.
async fn send_raw(emulator: &Emulator) -> Vec<u8> {
    let mut stream = post(emulator).await;
    let mut bytes = Vec::new();
    let end = timeout(STEP, stream.read_to_end(&mut bytes)).await;
    // How it ends is a matter of the fault.
    let _ = end.expect("the end of the connection in time");
    bytes
}

#[tokio::test]
async fn a_status_with_code_headers_and_body_on_the_nth_call() {
    let emulator = start().await;
    let plan = json!([
        {"route": "get_me", "nth": 2, "times": 2, "status": 429, "code": 22009,
         "headers": {"Retry-After": "7"}},
        {"route": "GET /gateway", "status": 500, "body": {"own": true}},
    ]);
    let answer = control(&emulator, "POST", "faults", &plan).await;
    assert_eq!(answer.json(), json!({"added": 2}));
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(me(&emulator).await.status);
    }
    assert_eq!(statuses, [200, 429, 429, 200]);
    let shown = control(&emulator, "GET", "faults", &Value::Null)
        .await
        .json();
    assert_eq!(
        (&shown[0]["matched"], &shown[0]["played"]),
        (&json!(4), &json!(2))
    );
    let gateway = call(&emulator, "GET", "/gateway", &Value::Null).await;
    assert_eq!(
        (gateway.status, gateway.json()),
        (500, json!({"own": true}))
    );

    let gone = control(&emulator, "DELETE", "faults", &Value::Null).await;
    assert_eq!(gone.json(), json!({"removed": 2}));
    emulator
        .fault(Fault::route("get_me").code(11_244).header("X-A", "b"))
        .unwrap();
    let refused = me(&emulator).await;
    assert_eq!((refused.status, refused.code()), (400, 11_244));
    assert_eq!(refused.header("x-a"), Some("b"));
    assert_eq!(refused.header("x-tps-trace-id").unwrap().len(), 32);
    let logged = emulator.requests().pop().unwrap();
    assert_eq!((logged.status, logged.code), (400, Some(11_244)));
    assert_eq!(logged.headers["authorization"], "QQBot ***");
    assert!(
        emulator.violations().is_empty(),
        "{:?}",
        emulator.violations()
    );
    emulator.clear_faults();
    assert_eq!(me(&emulator).await.status, 200);
}

#[tokio::test]
async fn the_token_endpoint_can_fail_too_and_a_reset_ends_it() {
    let emulator = start().await;
    emulator
        .fault(Fault::route("get_app_access_token").status(500))
        .unwrap();
    let answer = http(&emulator, "POST", "/app/getAppAccessToken", "", "{}").await;
    assert_eq!(answer.status, 500);
    emulator.reset();
    assert!(emulator.faults().is_empty());
    assert_eq!(me(&emulator).await.status, 200);
}

#[tokio::test]
async fn a_call_is_late_or_never_answered() {
    let emulator = start().await;
    emulator.fault(Fault::route("get_me").delay(LATE)).unwrap();
    let begun = Instant::now();
    assert_eq!(me(&emulator).await.status, 200);
    assert!(begun.elapsed() >= LATE);
    emulator
        .fault(Fault::route("send_c2c_message").blackhole())
        .unwrap();
    let mut open = post(&emulator).await;
    let byte = timeout(Duration::from_millis(400), open.read_u8()).await;
    assert!(byte.is_err(), "open and silent");
    assert!(emulator.outbox().is_empty());
}

#[tokio::test]
async fn a_page_and_garbage_instead_of_json() {
    let emulator = start().await;
    emulator
        .fault(Fault::route("get_me").times(1).html(413))
        .unwrap();
    let page = me(&emulator).await;
    assert_eq!(
        (page.status, page.header("content-type")),
        (413, Some("text/html"))
    );
    assert!(page.body.starts_with("<html>"), "{}", page.body);
    emulator
        .fault(Fault::route("send_c2c_message").garbage())
        .unwrap();
    let answer = send_raw(&emulator).await;
    assert!(answer.starts_with(b"HTTP/1.1 200 OK"));
    assert!(String::from_utf8(answer).is_err());
    assert_eq!(emulator.outbox().len(), 1, "it was sent all the same");
}

#[tokio::test]
async fn a_reply_is_lost_or_cut_after_the_call_was_done() {
    let emulator = start().await;
    emulator
        .fault(Fault::route("*").nth(2).lose_reply())
        .unwrap();
    // The first call is for the token.
    assert!(send_raw(&emulator).await.is_empty());
    assert_eq!(emulator.outbox().len(), 1);
    emulator.clear_faults();
    for after in [0, 10] {
        emulator.clear_faults();
        emulator
            .fault(Fault::route("send_c2c_message").cut_after(after))
            .unwrap();
        let text = String::from_utf8(send_raw(&emulator).await).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let announced = head.lines().find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length: ")?
                .parse()
                .ok()
        });
        let announced: usize = announced.unwrap();
        assert_eq!(body.len(), after);
        assert!(announced > 10, "{head}");
    }
    assert_eq!(emulator.outbox().len(), 3);
}

#[tokio::test]
async fn hello_comes_late_or_never() {
    let emulator = start().await;
    emulator
        .fault(Fault::event("HELLO").nth(1).delay(LATE))
        .unwrap();
    emulator
        .fault(Fault::event("HELLO").nth(2).discard())
        .unwrap();
    let begun = Instant::now();
    Gateway::hello(&emulator).await;
    assert!(begun.elapsed() >= LATE);
    let mut gateway = Gateway::open(&emulator).await;
    gateway.quiet().await;
    Gateway::hello(&emulator).await;
}

#[tokio::test]
async fn ready_comes_late_and_before_the_events_behind_it() {
    let emulator = start().await;
    emulator.fault(Fault::event("READY").delay(LATE)).unwrap();
    let (mut gateway, _) = Gateway::hello(&emulator).await;
    let begun = Instant::now();
    gateway.identify(&emulator, MESSAGES, [0, 1]).await;
    emulator.wait_for_session(STEP).await.unwrap();
    emulator.say(Say::c2c("x")).await;
    assert_eq!(gateway.frame().await["t"], "READY");
    assert!(begun.elapsed() >= LATE);
    assert_eq!(gateway.frame().await["t"], "C2C_MESSAGE_CREATE");
}

#[tokio::test]
async fn heartbeats_are_answered_late_or_not_at_all() {
    let emulator = start().await;
    emulator
        .fault(Fault::event("HEARTBEAT_ACK").nth(1).delay(LATE * 10))
        .unwrap();
    emulator
        .fault(Fault::event("HEARTBEAT_ACK").nth(2).discard())
        .unwrap();
    let (mut gateway, _) = Gateway::ready(&emulator, MESSAGES).await;
    let begun = Instant::now();
    gateway.send(&json!({"op": 1, "d": 1})).await;
    emulator.say(Say::c2c("x")).await;
    assert_eq!(gateway.frame().await["op"], 0, "overtakes the late ACK");
    assert_eq!(gateway.frame().await["op"], 11);
    assert!(begun.elapsed() >= LATE * 10);
    gateway.send(&json!({"op": 1, "d": 1})).await;
    gateway.quiet().await;
    gateway.send(&json!({"op": 1, "d": 1})).await;
    assert_eq!(gateway.frame().await["op"], 11);
}

#[tokio::test]
async fn events_come_twice_swapped_cut_or_replaced() {
    let emulator = start().await;
    let huge = format!("{{\"op\":0,\"x\":\"{}\"}}", "x".repeat(100_000));
    for fault in [
        Fault::event("C2C_MESSAGE_CREATE").nth(1).duplicate(),
        Fault::event("C2C_MESSAGE_CREATE").nth(2).reorder(),
        Fault::event("C2C_MESSAGE_CREATE").nth(4).malformed(),
        Fault::event("C2C_MESSAGE_CREATE")
            .nth(5)
            .frame(huge.clone()),
        Fault::event("C2C_MESSAGE_CREATE").nth(6).discard(),
    ] {
        emulator.fault(fault).unwrap();
    }
    let (mut gateway, ready) = Gateway::ready(&emulator, MESSAGES).await;
    emulator.say(Say::c2c("1")).await;
    let first = gateway.raw().await;
    assert_eq!(gateway.raw().await, first);
    emulator.say(Say::c2c("2")).await;
    gateway.quiet().await;
    emulator.say(Say::c2c("3")).await;
    assert_eq!(gateway.frame().await["s"], 4);
    assert_eq!(gateway.frame().await["s"], 3);
    emulator.say(Say::c2c("4")).await;
    let cut = gateway.raw().await;
    assert!(cut.starts_with("{\"op\":0,\"s\":5"), "{cut}");
    assert!(serde_json::from_str::<Value>(&cut).is_err());
    emulator.say(Say::c2c("5")).await;
    assert_eq!(gateway.raw().await, huge);
    emulator.say(Say::c2c("6")).await;
    emulator.say(Say::c2c("7")).await;
    assert_eq!(gateway.frame().await["s"], 8);
    // What was not sent, or not well, comes again.
    drop(gateway);
    let session = ready["session_id"].as_str().unwrap();
    let mut gateway = Gateway::resume(&emulator, session, 4).await;
    for s in 5..=8 {
        assert_eq!(gateway.frame().await["s"], s);
    }
    assert_eq!(gateway.frame().await["t"], "RESUMED");
    assert!(
        emulator.violations().is_empty(),
        "{:?}",
        emulator.violations()
    );
}

#[tokio::test]
async fn connections_end_at_any_phase() {
    let emulator = start().await;
    for (event, code) in [
        ("HELLO", 4900),
        ("READY", 4004),
        ("C2C_MESSAGE_CREATE", 4009),
    ] {
        emulator
            .fault(Fault::event(event).times(1).close(code))
            .unwrap();
        let (mut gateway, begun) = (Gateway::open(&emulator).await, Instant::now());
        if event != "HELLO" {
            gateway.frame().await;
            gateway.identify(&emulator, MESSAGES, [0, 1]).await;
        }
        if event == "C2C_MESSAGE_CREATE" {
            assert_eq!(gateway.frame().await["t"], "READY");
            emulator.say(Say::c2c("x")).await;
        }
        assert_eq!(gateway.next().await, Err(End::Closed(code)), "{event}");
        assert!(begun.elapsed() < STEP);
    }
    emulator
        .fault(Fault::event("READY").times(1).drop_connection())
        .unwrap();
    let (mut gateway, _) = Gateway::hello(&emulator).await;
    gateway.identify(&emulator, MESSAGES, [0, 1]).await;
    assert_eq!(gateway.next().await, Err(End::Broken));
}

#[tokio::test]
async fn op_7_and_op_9_at_a_chosen_event() {
    let emulator = start().await;
    emulator
        .fault(Fault::event("C2C_MESSAGE_CREATE").nth(1).reconnect())
        .unwrap();
    emulator
        .fault(Fault::event("RESUMED").invalid_session(false))
        .unwrap();
    let (mut gateway, ready) = Gateway::ready(&emulator, MESSAGES).await;
    emulator.say(Say::c2c("x")).await;
    assert_eq!(gateway.frame().await["s"], 2);
    assert_eq!(gateway.raw().await, r#"{"op":7}"#);
    assert_eq!(gateway.next().await, Err(End::Closed(4009)));
    let session = ready["session_id"].as_str().unwrap();
    let mut gateway = Gateway::resume(&emulator, session, 2).await;
    assert_eq!(gateway.raw().await, r#"{"op":9,"d":false}"#);
    assert_eq!(gateway.next().await, Err(End::Closed(4006)));
}

#[tokio::test]
async fn a_blackhole_is_silent_and_its_session_can_be_resumed() {
    let emulator = start().await;
    emulator
        .fault(Fault::event("C2C_MESSAGE_CREATE").nth(1).blackhole())
        .unwrap();
    let (mut gateway, ready) = Gateway::ready(&emulator, MESSAGES).await;
    emulator.say(Say::c2c("x")).await;
    gateway.quiet().await;
    gateway.send(&json!({"op": 1, "d": 1})).await;
    gateway.quiet().await;
    let session = ready["session_id"].as_str().unwrap();
    let mut again = Gateway::resume(&emulator, session, 1).await;
    assert_eq!(again.frame().await["t"], "C2C_MESSAGE_CREATE");
    assert_eq!(again.frame().await["t"], "RESUMED");
    let begun = Instant::now();
    emulator.stop().await;
    assert!(begun.elapsed() < STEP);
}

#[tokio::test]
async fn one_session_is_hit_and_events_without_a_name() {
    let emulator = start().await;
    let (mut one, ready) = Gateway::ready(&emulator, MESSAGES).await;
    let (mut two, _) = Gateway::ready(&emulator, MESSAGES).await;
    let session = ready["session_id"].as_str().unwrap();
    let plan = json!([{"session": session, "action": "duplicate"}]);
    control(&emulator, "POST", "faults", &plan).await;
    emulator.say(Say::c2c("x")).await;
    assert_eq!(one.frame().await["s"], 2);
    assert_eq!(one.frame().await["s"], 2);
    assert_eq!(two.frame().await["s"], 2);
    two.quiet().await;
    one.send(&json!({"op": 1, "d": 2})).await;
    assert_eq!(one.frame().await["op"], 11);
    one.quiet().await;
}

#[tokio::test]
async fn bad_plans_change_nothing() {
    let emulator = start().await;
    for (plan, why) in [
        ("{", "body: give a JSON list of faults"),
        (
            r#"[{"route":"get_me","status":500},{"route":"x","status":500}]"#,
            "[1].route: there is",
        ),
    ] {
        let answer = http(&emulator, "POST", "/emulator/v1/faults", "", plan).await;
        assert_eq!(answer.status, 400);
        assert!(
            answer.json()["error"].as_str().unwrap().starts_with(why),
            "{}",
            answer.body
        );
        assert!(emulator.faults().is_empty());
    }
    let why = emulator
        .fault(Fault::route("get_me").duplicate())
        .unwrap_err();
    assert!(why.starts_with("route: frames of the gateway"), "{why}");
}

#[tokio::test]
async fn a_reset_goes_back_to_the_faults_of_the_start() {
    let builder = Emulator::builder().faults(r#"[{"route":"get_me","nth":1,"status":500}]"#);
    let emulator = crate::client::start_with(builder.unwrap()).await;
    for _ in 0..2 {
        emulator.fault(Fault::route("get_me").status(501)).unwrap();
        assert_eq!(me(&emulator).await.status, 500);
        assert_eq!(me(&emulator).await.status, 501);
        emulator.reset();
        assert_eq!(emulator.faults().len(), 1);
    }
    for (plan, place) in [
        (
            r#"{"route":"x","status":500}"#,
            "line 1, column 10: route: there is no route",
        ),
        (
            r#"{"faults":[{"route":"x","status":500}]}"#,
            "line 1, column 21: faults[0].route: there is no route",
        ),
    ] {
        let why = Emulator::builder().faults(plan).unwrap_err();
        assert!(why.starts_with(place), "{why}");
    }
}

#[tokio::test]
async fn a_strict_emulator_tolerates_nothing() {
    let emulator = start().await;
    let user = emulator.world().users[0].openid.clone();
    let path = format!("/v2/users/{user}/messages");
    let odd = json!({"content": "x", "msg_type": 0, "no_such_member": 1});
    assert_eq!(call(&emulator, "POST", &path, &odd).await.status, 200);
    emulator.change_settings(|settings| settings.strict = true);
    let refused = call(&emulator, "POST", &path, &odd).await;
    assert_eq!(refused.status, 400);
    assert!(
        refused.body.contains("rest.body.unknown_field: "),
        "{}",
        refused.body
    );
    let good = json!({"content": "x", "msg_type": 0});
    assert_eq!(call(&emulator, "POST", &path, &good).await.status, 200);
}
