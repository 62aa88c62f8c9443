//! Events by webhook reach the same callbacks, contexts and answers as events by gateway.

use std::net::TcpListener;
use std::time::{Duration, SystemTime};

use qq_emulator::{Emulator, Say};
use qq_webhook::signature::KeyPair;
use qqbot::prelude::*;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{
    DEADLINE, Echo, all_scenes, answer_to, assert_no_violations, builder, eventually, run,
};

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn client(emulator: &Emulator, bot: Echo, port: u16, has_gateway: bool) -> Client<Echo> {
    builder(emulator)
        .webhook(format!("127.0.0.1:{port}"), "/qqbot")
        .gateway(has_gateway)
        .handler(bot)
        .build()
        .unwrap()
}

/// A callback as the platform makes it; `extra` are further lines of its head.
pub(crate) fn request(emulator: &Emulator, body: &Value, corrupt: bool, extra: &str) -> String {
    let body = body.to_string();
    let timestamp = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs()
        .to_string();
    let key =
        KeyPair::from_secret(Token::new(emulator.app_id(), emulator.secret()).secret()).unwrap();
    let signed = if corrupt {
        format!("{body} ")
    } else {
        body.clone()
    };
    let signature = key.sign_event(&timestamp, signed.as_bytes());
    format!(
        "POST /qqbot HTTP/1.1\r\nHost: bot\r\n{extra}Content-Type: application/json\r\n\
         X-Bot-Appid: {}\r\nX-Signature-Timestamp: {timestamp}\r\nX-Signature-Ed25519: {signature}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        emulator.app_id(),
        body.len()
    )
}

/// Sends a callback as the platform would; gives the status and the answer.
async fn push(emulator: &Emulator, port: u16, body: &Value, corrupt: bool) -> (u16, Value) {
    let request = request(emulator, body, corrupt, "Connection: close\r\n");
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(DEADLINE, stream.read_to_string(&mut answer))
        .await
        .unwrap()
        .unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

/// A message that a user said on the emulator, as a callback.
async fn said(emulator: &Emulator, text: &str) -> Value {
    let said = emulator.say(Say::c2c(text)).await;
    json!({"op": 0, "t": "C2C_MESSAGE_CREATE", "id": said.event_id, "d": {
        "id": said.message_id, "content": text, "timestamp": "2026-05-23T10:00:00+08:00",
        "author": {"id": said.conversation, "user_openid": said.conversation},
    }})
}

#[tokio::test]
async fn a_callback_is_acknowledged_handled_and_answered() {
    let emulator = Emulator::builder().start().await.unwrap();
    let (bot, port) = (Echo::default(), free_port());
    let running = run(client(&emulator, bot.clone(), port, false)).await;
    assert!(emulator.sessions().is_empty(), "the gateway is left alone");

    let event = said(&emulator, "by webhook").await;
    assert_eq!(
        push(&emulator, port, &event, false).await,
        (200, json!({"op": 12, "d": 0}))
    );
    answer_to(&emulator, "by webhook").await;

    // The platform sends again what it thinks was not taken.
    assert_eq!(push(&emulator, port, &event, false).await.0, 200);
    let after = said(&emulator, "after").await;
    push(&emulator, port, &after, false).await;
    answer_to(&emulator, "after").await;
    assert_eq!(bot.calls("by webhook"), 1);

    let report = running.client.stop().await.unwrap();
    running.task.await.unwrap().unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert!(
        TcpStream::connect(("127.0.0.1", port)).await.is_err(),
        "nobody listens any more"
    );
}

#[tokio::test]
async fn every_scene_is_answered_as_by_gateway() {
    let emulator = Emulator::builder().start().await.unwrap();
    let (bot, port) = (Echo::default(), free_port());
    let running = run(client(&emulator, bot.clone(), port, false)).await;
    let url = format!("http://127.0.0.1:{port}/qqbot");
    emulator.set_webhook(Some(&url)).await.unwrap();
    for (name, say) in [
        ("group", Say::group("from the group")),
        ("c2c", Say::c2c("from the c2c")),
        ("channel", Say::channel("from the channel")),
        ("direct", Say::direct("from the direct")),
    ] {
        let said = emulator.say(say).await;
        let text = format!("from the {name}");
        let answer = answer_to(&emulator, &text).await;
        assert_eq!(answer.conversation, said.conversation, "{name}");
        assert_eq!(
            answer.reply_to.as_deref(),
            Some(&*said.message_id),
            "{name}"
        );
        assert_eq!(bot.calls(&text), 1, "{name}");
    }
    assert_no_violations(&emulator);
    running.client.stop().await.unwrap();
}

#[tokio::test]
async fn a_callback_with_a_wrong_signature_reaches_no_callback() {
    let emulator = Emulator::builder().start().await.unwrap();
    let (bot, port) = (Echo::default(), free_port());
    let running = run(client(&emulator, bot.clone(), port, false)).await;
    let forged = said(&emulator, "forged").await;
    assert_eq!(push(&emulator, port, &forged, true).await.0, 401);
    let honest = said(&emulator, "honest").await;
    push(&emulator, port, &honest, false).await;
    answer_to(&emulator, "honest").await;
    assert_eq!(bot.calls("forged"), 0);
    running.client.stop().await.unwrap();
}

#[tokio::test]
async fn with_both_transports_an_event_is_handled_once() {
    let emulator = Emulator::builder().start().await.unwrap();
    let (bot, port) = (Echo::default(), free_port());
    let running = run(client(&emulator, bot.clone(), port, true)).await;
    // The emulator sends it by gateway, this test by webhook.
    let event = said(&emulator, "both ways").await;
    assert_eq!(push(&emulator, port, &event, false).await.0, 200);
    answer_to(&emulator, "both ways").await;
    eventually("the second delivery is dropped", || {
        running.client.stats().duplicates == 1
    })
    .await;
    assert_eq!(bot.calls("both ways"), 1);
    running.client.stop().await.unwrap();
}

#[tokio::test]
async fn callbacks_that_nobody_asks_for_are_acknowledged_and_not_decoded() {
    let emulator = Emulator::builder().start().await.unwrap();
    let (bot, port) = (Echo::default(), free_port());
    let running = run(client(&emulator, bot.clone(), port, false)).await;
    // No payload of this kind looks like this.
    let unwanted = json!({"op": 0, "t": "AUDIO_START", "id": "a:1", "d": [1]});
    assert_eq!(push(&emulator, port, &unwanted, false).await.0, 200);
    let wanted = said(&emulator, "wanted").await;
    push(&emulator, port, &wanted, false).await;
    answer_to(&emulator, "wanted").await;
    let stats = running.client.stats();
    assert_eq!((stats.unwanted, stats.events), (1, 1), "{stats:?}");
    assert!(bot.errors.lock().unwrap().is_empty());
    running.client.stop().await.unwrap();
}

#[tokio::test]
async fn the_address_is_validated_before_the_bot_is_otherwise_started() {
    // A platform that takes the connection and never answers: start is stuck in its first call.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let emulator = Emulator::builder().start().await.unwrap();
    let port = free_port();
    let client = Client::builder(
        Token::new(emulator.app_id(), emulator.secret()),
        all_scenes(),
    )
    .environment(Environment::custom(format!("http://{}", silent.local_addr().unwrap())).unwrap())
    .webhook(format!("127.0.0.1:{port}"), "/qqbot")
    .build()
    .unwrap();
    let task = tokio::spawn(async move { client.start().await });
    let end = tokio::time::Instant::now() + DEADLINE;
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        assert!(
            tokio::time::Instant::now() < end,
            "the webhook never listens"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let check =
        json!({"op": 13, "d": {"plain_token": "Arq0D5A61EgUu4OxUvOp", "event_ts": "1725442341"}});
    let (status, answer) = push(&emulator, port, &check, false).await;
    assert_eq!(
        (status, &answer["plain_token"]),
        (200, &json!("Arq0D5A61EgUu4OxUvOp"))
    );
    task.abort();
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let emulator = Emulator::builder().start().await.unwrap();
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = client(&emulator, Echo::default(), port, false)
        .start()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains(&port.to_string()), "{error:?}");
}
