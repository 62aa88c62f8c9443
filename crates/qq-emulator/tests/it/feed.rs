//! The stream that the page lives on.

use std::collections::VecDeque;

use qq_emulator::{Emulator, Fault, MessageAudit, Say};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::{Gateway, MESSAGES, STEP, call, connect, control, start};

/// A Server-Sent Events client.
struct Feed {
    lines: BufReader<TcpStream>,
    id: String,
    ready: VecDeque<(String, Value)>,
}

impl Feed {
    async fn open(emulator: &Emulator, from: &str) -> Self {
        let mut stream = connect(emulator).await;
        let request =
            format!("GET /emulator/v1/feed HTTP/1.1\r\nHost: x\r\nLast-Event-ID: {from}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut lines = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            lines.read_line(&mut head).await.unwrap();
        }
        assert!(head.contains("content-type: text/event-stream"), "{head}");
        Self {
            lines,
            id: String::new(),
            ready: VecDeque::new(),
        }
    }

    /// The next event; the lines of the chunked encoding are skipped.
    async fn next(&mut self) -> (String, Value) {
        let mut name = String::new();
        loop {
            let mut line = String::new();
            let read = timeout(STEP, self.lines.read_line(&mut line)).await;
            assert!(read.expect("in time").unwrap() > 0, "the stream ended");
            if let Some(id) = line.strip_prefix("id: ") {
                self.id = id.trim().to_owned();
            } else if let Some(event) = line.strip_prefix("event: ") {
                name = event.trim().to_owned();
            } else if let Some(data) = line.strip_prefix("data: ") {
                return (name, serde_json::from_str(data).unwrap());
            }
        }
    }

    /// The next event of this name that fits; the others are kept for later.
    async fn see(&mut self, name: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let kept = self.ready.iter();
        let found = kept
            .clone()
            .position(|(known, data)| known == name && fits(data));
        if let Some((_, data)) = found.and_then(|place| self.ready.remove(place)) {
            return data;
        }
        loop {
            let (known, data) = self.next().await;
            if known == name && fits(&data) {
                return data;
            }
            self.ready.push_back((known, data));
        }
    }
}

#[tokio::test]
async fn everything_comes_and_nothing_twice_after_coming_back() {
    let emulator = start().await;
    let first = emulator.say(Say::group("one")).await;
    let mut feed = Feed::open(&emulator, "").await;
    assert_eq!(feed.next().await.0, "begin");
    feed.see("message", |item| item["content"] == "one").await;
    let (mut gateway, _) = Gateway::ready(&emulator, MESSAGES).await;
    feed.see("frame", |frame| frame["kind"] == "opened").await;
    let identify = feed.see("frame", |frame| frame["data"]["op"] == 2).await;
    assert_eq!(identify["kind"], "received");
    assert_eq!(identify["data"]["d"]["token"], "***");
    let ready = feed
        .see("frame", |frame| frame["data"]["t"] == "READY")
        .await;
    assert_eq!(ready["kind"], "sent");
    feed.see("sessions", |list| list[0]["connected"] == true)
        .await;
    let path = format!("/v2/groups/{}/messages", first.conversation);
    let body = json!({"content": "two", "msg_id": first.message_id});
    call(&emulator, "POST", &path, &body).await;
    feed.see("message", |item| item["content"] == "two").await;
    feed.see("request", |request| {
        request["route"] == "send_group_message"
    })
    .await;
    call(&emulator, "GET", "/nowhere", &json!(null)).await;
    feed.see("violation", |violation| violation["code"] == "rest.path")
        .await;
    emulator.fault(Fault::route("get_me").status(500)).unwrap();
    feed.see("faults", |list| list[0]["route"] == "get_me")
        .await;
    control(&emulator, "POST", "clock", &json!({"advance_ms": 60_000})).await;
    feed.see("clock", |clock| clock["advanced_ms"] == 60_000)
        .await;

    let id = feed.id.clone();
    drop(feed);
    emulator.say(Say::group("three")).await;
    gateway.frame().await;
    let mut feed = Feed::open(&emulator, &id).await;
    let (name, begin) = feed.next().await;
    assert_eq!((name.as_str(), &begin["resumed"]), ("begin", &json!(true)));
    let (name, item) = feed.next().await;
    assert_eq!(
        (name.as_str(), &item["content"]),
        ("message", &json!("three"))
    );

    emulator.reset();
    feed.see("begin", |begin| begin["resumed"] == false).await;
    emulator.say(Say::group("four")).await;
    let item = feed.see("message", |item| item["content"] == "four").await;
    assert_eq!(item["n"], 1);
    let mut late = Feed::open(&emulator, &id).await;
    assert_eq!(late.next().await.1["resumed"], false);
}

#[tokio::test]
async fn what_changes_comes_again() {
    let emulator = start().await;
    let (_gateway, _) = Gateway::ready(&emulator, MESSAGES).await;
    let mut feed = Feed::open(&emulator, "").await;
    let said = emulator.say(Say::channel("hello")).await;
    let add = json!({"message_id": said.message_id, "type": 2, "id": "128077", "author": "leo"});
    control(&emulator, "POST", "reactions", &add).await;
    let leo = emulator.world().users[1].id.clone();
    let reacted = feed
        .see("message", |item| item["reactions"][0].is_object())
        .await;
    assert_eq!(reacted["reactions"][0]["users"], json!([leo]));
    let recall = json!({"message_id": said.message_id});
    control(&emulator, "POST", "recalls", &recall).await;
    feed.see("message", |item| item["recalled"] == true).await;
    control(&emulator, "POST", "users", &json!({"name": "noa"})).await;
    feed.see("world", |_| true).await;

    let asked = emulator.say(Say::c2c("count")).await;
    let path = format!("/v2/users/{}/stream_messages", asked.conversation);
    let frame = |index: u64, state: u64, text: &str, id: Option<&Value>| {
        json!({
            "input_mode": "append", "input_state": state, "content_type": "markdown",
            "content_raw": text, "msg_id": asked.message_id, "msg_seq": 1, "index": index,
            "stream_msg_id": id,
        })
    };
    let begun = call(&emulator, "POST", &path, &frame(0, 1, "one", None))
        .await
        .json();
    let grown = feed.see("stream", |stream| stream["text"] == "one").await;
    assert_eq!(grown["author"]["name"], "robin");
    assert_eq!(grown["reply_to"], asked.message_id);
    call(
        &emulator,
        "POST",
        &path,
        &frame(1, 10, ", two", Some(&begun["id"])),
    )
    .await;
    feed.see("stream", |stream| stream["open"] == false).await;
    let done = feed
        .see("message", |item| item["message_id"] == begun["id"])
        .await;
    assert_eq!(done["content"], "one, two");

    let typing = json!({
        "msg_type": 6, "input_notify": {"input_type": 1, "input_second": 5},
        "msg_id": asked.message_id, "msg_seq": 2,
    });
    let path = format!("/v2/users/{}/messages", asked.conversation);
    call(&emulator, "POST", &path, &typing).await;
    feed.see("typing", |typing| typing["seconds"] == 5).await;

    emulator.change_settings(|settings| {
        settings.message_audit = MessageAudit::Reject;
        settings.message_audit_ms = 1;
    });
    let said = emulator.say(Say::channel("x")).await;
    let path = format!("/channels/{}/messages", said.conversation);
    let body = json!({"content": "looked at", "msg_id": said.message_id});
    call(&emulator, "POST", &path, &body).await;
    feed.see("audit", |audit| audit["state"] == "pending").await;
    let rejected = feed
        .see("audit", |audit| audit["state"] == "rejected")
        .await;
    assert_eq!(rejected["body"]["content"], "looked at");
    assert_eq!(rejected["author"]["name"], "robin");
}

#[tokio::test]
async fn clicks_are_acknowledged_or_late() {
    let emulator = start().await;
    let (_gateway, _) = Gateway::ready(&emulator, MESSAGES).await;
    emulator.change_settings(|settings| settings.interaction_window = 50);
    let mut feed = Feed::open(&emulator, "").await;
    let said = emulator.say(Say::group("x")).await;
    let path = format!("/v2/groups/{}/messages", said.conversation);
    let button = json!({
        "id": "go", "render_data": {"label": "go", "visited_label": "gone", "style": 1},
        "action": {"type": 1, "data": "x", "permission": {"type": 2}},
    });
    let body = json!({
        "msg_type": 2, "markdown": {"content": "press"}, "msg_id": said.message_id,
        "keyboard": {"content": {"rows": [{"buttons": [button]}]}},
    });
    let sent = call(&emulator, "POST", &path, &body).await.json();
    let click = json!({"message_id": sent["id"], "button": "go", "author": "leo"});
    control(&emulator, "POST", "clicks", &click).await;
    let pending = feed
        .see("message", |item| item["clicks"][0].is_object())
        .await;
    assert_eq!(pending["clicks"][0]["code"], json!(null));
    assert_eq!(pending["clicks"][0]["button"], json!([0, 0]));
    feed.see("message", |item| item["clicks"][0]["late"] == true)
        .await;

    emulator.change_settings(|settings| settings.interaction_window = 60_000);
    let clicked = control(&emulator, "POST", "clicks", &click).await.json();
    let id = clicked["interaction_id"].as_str().unwrap_or_default();
    let path = format!("/interactions/{id}");
    call(&emulator, "PUT", &path, &json!({"code": 4})).await;
    feed.see("message", |item| item["clicks"][1]["code"] == 4)
        .await;
}

#[tokio::test]
async fn a_wrong_place_is_refused() {
    let emulator = start().await;
    for (path, why) in [("feed?from=x", "from: "), ("feed?after=1", "after: ")] {
        let answer = control(&emulator, "GET", path, &json!(null)).await;
        assert_eq!(answer.status, 400);
        let error = answer.json()["error"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert!(error.starts_with(why), "{error}");
    }
    let frames = control(&emulator, "GET", "frames?after=0", &json!(null)).await;
    assert_eq!(frames.json(), json!([]));
}
