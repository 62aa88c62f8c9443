//! Recordings: what they hold, what they never hold, and played again.

use std::time::Duration;

use qq_emulator::{Emulator, Proxy, Recording, ReplaySpeed};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use crate::callbacks::{BROKEN, Bot, OK};
use crate::client::{Gateway, MESSAGES, STEP, call, control, start};
use crate::process::{Folder, Process};

/// A client of whatever is at `base`.
async fn http(base: &str, method: &str, path: &str, token: &str, body: &Value) -> Value {
    let address = base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Authorization: QQBot {token}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
    serde_json::from_str(body).unwrap()
}

/// A small bot: connects, and answers so many messages with what they said.
async fn echo(base: &str, app_id: &str, secret: &str, messages: usize) -> Vec<Value> {
    use futures_util::{SinkExt as _, StreamExt as _};

    let request = json!({"appId": app_id, "clientSecret": secret});
    let token = http(base, "POST", "/app/getAppAccessToken", "none", &request).await;
    let token = token["access_token"].as_str().unwrap();
    let gateway = http(base, "GET", "/gateway/bot", token, &Value::Null).await;
    let url = gateway["url"].as_str().unwrap();
    let address = url
        .strip_prefix("ws://")
        .unwrap()
        .split('/')
        .next()
        .unwrap();
    assert_eq!(Some(address), base.strip_prefix("http://"));
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
    let identify = json!({"op": 2, "d": {
        "token": format!("QQBot {token}"), "intents": MESSAGES, "shard": [0, 1],
    }});
    socket
        .send(Message::Text(identify.to_string().into()))
        .await
        .unwrap();
    let mut events = Vec::new();
    while events.len() < messages {
        let message = tokio::time::timeout(STEP, socket.next()).await.unwrap();
        let Message::Text(text) = message.unwrap().unwrap() else {
            continue;
        };
        let mut frame: Value = serde_json::from_str(&text).unwrap();
        let t = frame["t"].as_str().unwrap_or_default().to_owned();
        let d = &frame["d"];
        let path = match t.as_str() {
            "GROUP_AT_MESSAGE_CREATE" => format!(
                "/v2/groups/{}/messages",
                d["group_openid"].as_str().unwrap()
            ),
            "C2C_MESSAGE_CREATE" => format!(
                "/v2/users/{}/messages",
                d["author"]["user_openid"].as_str().unwrap()
            ),
            "AT_MESSAGE_CREATE" => {
                format!("/channels/{}/messages", d["channel_id"].as_str().unwrap())
            }
            "DIRECT_MESSAGE_CREATE" => format!("/dms/{}/messages", d["guild_id"].as_str().unwrap()),
            _ => continue,
        };
        let mut answer = json!({"content": d["content"], "msg_id": d["id"]});
        if path.starts_with("/v2") {
            answer["msg_type"] = 0.into();
        }
        http(base, "POST", &path, token, &answer).await;
        // Sequence numbers are the session's own.
        frame.as_object_mut().unwrap().remove("s");
        // Neither is a token, which no recording holds.
        for ext in frame["d"]["message_scene"]["ext"]
            .as_array_mut()
            .into_iter()
            .flatten()
        {
            if ext
                .as_str()
                .is_some_and(|text| text.starts_with("auth_token="))
            {
                *ext = "auth_token=***".into();
            }
        }
        events.push(frame);
    }
    let _ = socket.close(None).await;
    events
}

/// Scene, conversation and body of what a bot has sent.
fn sent(emulator: &Emulator) -> Vec<(String, Value)> {
    let outbox = emulator.outbox().into_iter();
    outbox
        .map(|entry| {
            (
                format!("{:?}/{}", entry.scene, entry.conversation),
                entry.body,
            )
        })
        .collect()
}

async fn talk(emulator: &Emulator) {
    emulator.connected().await.unwrap();
    let mia = emulator.user("mia");
    mia.in_group("tea house").says("one <&>").await;
    mia.in_c2c().says("two").await;
    mia.in_channel("general").says("three").await;
    mia.in_direct().says("four").await;
}

/// A session recorded by a proxy, played on an emulator that never heard of these people.
#[tokio::test]
async fn a_recorded_session_is_the_same_when_it_is_played_again() {
    let folder = Folder::new();
    let file = folder.0.join("session.jsonl");
    let emulator = Emulator::builder().seed(1).start().await.unwrap();
    let proxy = Proxy::builder(emulator.base_url(), &file)
        .unwrap()
        .start()
        .await
        .unwrap();
    let bot = echo(proxy.base_url(), emulator.app_id(), emulator.secret(), 4);
    let (events, ()) = tokio::join!(bot, talk(&emulator));
    assert!(
        emulator.violations().is_empty(),
        "{:?}",
        emulator.violations()
    );
    assert_eq!(proxy.problem(), None);
    proxy.stop().await;

    let recording = Recording::read(&file).unwrap();
    assert_eq!(recording.len(), 4);
    let other = Emulator::builder()
        .seed(2)
        .replay(recording, ReplaySpeed::Max);
    let other = other.start().await.unwrap();
    let again = echo(other.base_url(), other.app_id(), other.secret(), 4).await;
    assert_eq!(events, again);
    assert_eq!(sent(&emulator), sent(&other));
    assert_eq!(sent(&other).len(), 4);
    assert!(other.replayed(STEP).await);
    assert!(other.violations().is_empty(), "{:?}", other.violations());
}

/// Canaries: nothing that permits anything is in a recording, whoever made it.
#[tokio::test]
async fn secrets_are_never_written() {
    let folder = Folder::new();
    let (own, between) = (folder.0.join("own.jsonl"), folder.0.join("between.jsonl"));
    let emulator = Emulator::builder().record(&own).start().await.unwrap();
    let proxy = Proxy::builder(emulator.base_url(), &between)
        .unwrap()
        .start()
        .await
        .unwrap();
    let base = proxy.base_url();
    let request = json!({"appId": emulator.app_id(), "clientSecret": emulator.secret()});
    let token = http(base, "POST", "/app/getAppAccessToken", "none", &request).await;
    let token = token["access_token"].as_str().unwrap().to_owned();
    let user = emulator.world().users[0].openid.clone();
    let path = format!("/v2/users/{user}/messages");
    // A bot that repeats its own secrets.
    let leak = json!({"msg_type": 0, "content": format!("{token} {}", emulator.secret())});
    http(base, "POST", &path, &token, &leak).await;
    let bytes = b"file";
    let upload = json!({
        "file_type": 4, "file_name": "a.txt", "file_size": bytes.len().to_string(),
        "md5": "8c7dd922ad47494fc02c388e12c00eac", "sha1": "971c419dd609331343dee105fffd0f4608dc0bf2",
        "md5_10m": "8c7dd922ad47494fc02c388e12c00eac",
    });
    let path = format!("/v2/users/{user}/upload_prepare");
    let prepared = http(base, "POST", &path, &token, &upload).await;
    let presigned = prepared["parts"][0]["presigned_url"].as_str().unwrap();
    let signature = presigned.split("sign=").nth(1).unwrap().to_owned();
    let bot = echo(base, emulator.app_id(), emulator.secret(), 4);
    tokio::join!(bot, talk(&emulator));
    proxy.stop().await;
    for file in [own, between] {
        let text = std::fs::read_to_string(&file).unwrap();
        for secret in [
            token.as_str(),
            emulator.secret(),
            signature.as_str(),
            "auth_token=0",
            "auth_token=f",
        ] {
            assert!(!text.contains(secret), "{secret} in {}", file.display());
        }
        assert_eq!(text.matches("\"op\":2").count(), 1);
        assert!(text.contains("QQBot ***") && text.contains("\"kind\":\"open\""));
        assert!(text.contains("\"content\":\"*** ***\""), "{text}");
        assert!(Recording::read(&file).unwrap().len() >= 4);
    }
}

#[tokio::test]
async fn resets_and_close_codes_pass_through_the_proxy() {
    let folder = Folder::new();
    let file = folder.0.join("closes.jsonl");
    let emulator = start().await;
    let proxy = Proxy::builder(emulator.base_url(), &file)
        .unwrap()
        .start()
        .await
        .unwrap();
    let url = format!("{}/websocket/", proxy.base_url().replacen("http", "ws", 1));
    let address = proxy.base_url().strip_prefix("http://").unwrap().to_owned();
    for round in 0..2 {
        let stream = TcpStream::connect(&address).await.unwrap();
        let (socket, _) = tokio_tungstenite::client_async(&url, stream).await.unwrap();
        let mut gateway = Gateway { socket };
        assert_eq!(gateway.frame().await["op"], 10);
        gateway.identify(&emulator, MESSAGES, [0, 1]).await;
        assert_eq!(gateway.frame().await["t"], "READY");
        if round == 0 {
            assert_eq!(emulator.close_session(None, 4009), 1);
            assert_eq!(gateway.end().await, crate::client::End::Closed(4009));
        } else {
            assert_eq!(emulator.drop_connections(None), 1);
            assert_eq!(gateway.end().await, crate::client::End::Broken);
        }
    }
    proxy.stop().await;
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(
        text.contains("\"kind\":\"close\",\"connection\":1,\"from\":\"server\",\"code\":4009"),
        "{text}"
    );
}

#[tokio::test]
async fn pauses_are_as_recorded_divided_by_the_speed() {
    let folder = Folder::new();
    let event = |ms: u64, n: u64| {
        json!({"ms": ms, "kind": "frame", "connection": 1, "from": "server", "frame": {
            "op": 0, "s": n, "t": "C2C_MESSAGE_CREATE", "id": format!("C2C_MESSAGE_CREATE:{n}"),
            "d": {"id": format!("m{n}"), "author": {"id": "U", "user_openid": "U"}, "content": "x",
                  "timestamp": "2026-01-01T00:00:00+08:00"},
        }})
    };
    let head = json!({"ms": 0, "kind": "recording", "version": 1});
    let text = format!("{head}\n{}\n{}\n", event(1_000, 1), event(1_400, 2));
    let file = folder.file("slow.jsonl", &text);
    for (speed, least) in [
        (ReplaySpeed::Times(1.0), 400),
        (ReplaySpeed::Times(4.0), 100),
        (ReplaySpeed::Max, 0),
    ] {
        let builder = Emulator::builder().replay(Recording::read(&file).unwrap(), speed);
        let emulator = builder.start().await.unwrap();
        let begun = Instant::now();
        let (mut gateway, _) = Gateway::ready(&emulator, MESSAGES).await;
        assert_eq!(gateway.frame().await["d"]["id"], "m1");
        assert_eq!(gateway.frame().await["d"]["id"], "m2");
        let took = begun.elapsed();
        // How much longer it takes depends on the machine.
        assert!(took >= Duration::from_millis(least), "{took:?}");
        let path = "/v2/users/U/messages";
        let answer = json!({"content": "y", "msg_type": 0, "msg_id": "m2"});
        assert_eq!(call(&emulator, "POST", path, &answer).await.status, 200);
        let view = control(&emulator, "GET", "replay", &Value::Null)
            .await
            .json();
        assert_eq!(view, json!({"events": 2, "played": 2}));
    }
}

#[tokio::test]
async fn the_command_records_and_plays() {
    let folder = Folder::new();
    let file = folder.0.join("session.jsonl").display().to_string();
    let emulator = start().await;
    let between = ["--record", &file, "--upstream", emulator.base_url()];
    let process = Process::start(&between).await;
    let base = format!("http://{}", process.address);
    let bot = echo(&base, emulator.app_id(), emulator.secret(), 4);
    tokio::join!(bot, talk(&emulator));
    process.interrupt().await;
    let again = Process::refusal(&between).await;
    assert!(again.contains("session.jsonl: File exists"), "{again}");

    let process = Process::start(&["--replay", &file, "--replay-speed", "max"]).await;
    let base = format!("http://{}", process.address);
    echo(&base, emulator.app_id(), emulator.secret(), 4).await;
    process.interrupt().await;

    let bad = folder.file(
        "bad.jsonl",
        "{\"ms\":0,\"kind\":\"recording\",\"version\":1}\n{\"ms\":}\n",
    );
    let why = Process::refusal(&["--replay", &bad]).await;
    assert!(why.contains("bad.jsonl: line 2, column 7: "), "{why}");
    for (args, wanted) in [
        (&["--upstream", "http://x"][..], "--record <FILE>"),
        (
            &["--record", &bad, "--upstream", "x"],
            "--upstream: \"x\" begins with neither",
        ),
        (
            &["--replay", &file, "--replay-speed", "0"],
            "give a number above 0",
        ),
    ] {
        let why = Process::refusal(args).await;
        assert!(why.contains(wanted), "{why}");
    }
}

/// Every attempt of a callback is a line, and the events of callbacks can be played again.
#[tokio::test]
async fn callbacks_are_recorded_with_their_answers_and_played_again() {
    let folder = Folder::new();
    let file = folder.0.join("session.jsonl");
    let emulator = Emulator::builder().record(&file).settings(|settings| {
        settings.webhook_retry_ms = 5;
    });
    let emulator = emulator.start().await.unwrap();
    // The first event is refused once; the call before it is op 13.
    let bot = Bot::start(emulator.secret(), |n, _| {
        if n == 2 { BROKEN } else { OK }.to_owned()
    })
    .await;
    let url = format!("{}?key=hidden-in-the-query", bot.url);
    let set = control(&emulator, "POST", "webhook", &json!({"url": url})).await;
    assert_eq!(set.json()["ok"], true, "{}", set.body);
    let mia = emulator.user("mia");
    let until = Instant::now() + STEP;
    for (delivered, text) in [(1, "one"), (2, "two")] {
        mia.in_c2c().says(text).await;
        while emulator.webhooks()[0].delivered < delivered {
            let view = emulator.webhooks();
            assert!(Instant::now() < until, "{view:?}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    let bad = control(
        &emulator,
        "POST",
        "webhook/bad",
        &json!({"corrupt": "body"}),
    )
    .await;
    assert_eq!(bad.json()["status"], 200);
    let secret = emulator.secret().to_owned();
    emulator.stop().await;

    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains(&secret) && !text.contains("hidden-in-the-query"));
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let callbacks: Vec<Value> = lines.filter(|line| line["kind"] == "callback").collect();
    let shown = |line: &Value| {
        let content = line["body"]["d"]["content"].as_str().unwrap_or_default();
        let content = content.trim().to_owned();
        (line["body"]["op"].clone(), content, line["status"].clone())
    };
    let shown: Vec<_> = callbacks.iter().map(shown).collect();
    assert_eq!(
        shown,
        [
            (json!(13), String::new(), json!(200)),
            (json!(0), "one".into(), json!(500)),
            (json!(0), "one".into(), json!(200)),
            (json!(0), "two".into(), json!(200)),
            (json!(0), "forgeD".into(), json!(200)),
        ]
    );
    assert_eq!(callbacks[1]["url"], bot.url);
    assert_eq!(
        callbacks[1]["headers"]["x-bot-appid"],
        callbacks[1]["app_id"]
    );
    assert_eq!(callbacks[2]["answer"], json!({"op": 12, "d": 0}));
    assert_eq!(callbacks[4]["corrupt"], "body");

    let recording = Recording::read(&file).unwrap();
    assert_eq!(recording.len(), 2);
    let emulator = Emulator::builder().replay(recording, ReplaySpeed::Max);
    let emulator = emulator.start().await.unwrap();
    let (mut gateway, _) = Gateway::ready(&emulator, MESSAGES).await;
    for content in ["one", "two"] {
        let frame = gateway.frame().await;
        assert_eq!(frame["d"]["content"].as_str().unwrap().trim(), content);
    }
}

/// Nobody listens: the line says so instead of an answer.
#[tokio::test]
async fn a_callback_without_an_answer_is_recorded_with_the_reason() {
    let folder = Folder::new();
    let file = folder.0.join("session.jsonl");
    let emulator = Emulator::builder().record(&file).start().await.unwrap();
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", nobody.local_addr().unwrap());
    drop(nobody);
    let set = control(&emulator, "POST", "webhook", &json!({"url": url})).await;
    assert_eq!(set.json()["ok"], false);
    emulator.stop().await;
    let text = std::fs::read_to_string(&file).unwrap();
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(last["kind"], "callback");
    assert!(last["error"].as_str().unwrap().starts_with("no answer: "));
    assert!(last.get("status").is_none());
    assert!(Recording::read(&file).unwrap().is_empty());
}
