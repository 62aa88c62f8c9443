//! Events that were read together with the last one.

use std::time::Duration;

use fastrand::Rng;
use futures_util::{SinkExt, StreamExt};
use qq_gateway::{CloseMode, Shard};
use qq_model::{EventKind, EventKinds};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::time::{advance, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use crate::fake::{INTERVAL, Server, builder, network, network_with_buffer};

fn message(sequence: u64) -> Value {
    json!({"op": 0, "s": sequence, "t": "C2C_MESSAGE_CREATE", "d": {"id": sequence.to_string()}})
}

fn friend(sequence: u64) -> Value {
    json!({"op": 0, "s": sequence, "t": "FRIEND_ADD", "d": {"openid": "U"}})
}

/// Writes frames at once.
async fn say(server: &mut Server, frames: &[Value]) {
    for frame in frames {
        let frame = Message::text(frame.to_string());
        server.socket.feed(frame).await.unwrap();
    }
    server.socket.flush().await.unwrap();
}

async fn next(shard: &mut Shard) -> Option<u64> {
    shard.next().await.unwrap().unwrap().sequence
}

const MESSAGES: EventKinds = EventKinds::none().with(EventKind::C2CMessageCreate);

#[tokio::test(start_paused = true)]
async fn only_what_is_there_and_asked_for_comes_before_it_is_waited_for() {
    let (net, mut gateway) = network();
    let wanted = MESSAGES.with(EventKind::FriendAdd);
    let mut shard = builder(&net).kinds(wanted).build().unwrap();
    assert!(shard.next_read(EventKinds::all()).is_none());
    let serve = async {
        let mut server = gateway.identified("s1").await;
        let unwanted = json!({"op": 0, "s": 5, "t": "FRIEND_DEL", "d": {"openid": "U"}});
        let frames = [message(2), message(3), friend(4), unwanted, message(6)];
        say(&mut server, &frames).await;
        server
    };
    let (mut server, first) = tokio::join!(serve, next(&mut shard));
    assert_eq!(first, Some(1));
    assert_eq!(next(&mut shard).await, Some(2));
    let ahead = |shard: &mut Shard| shard.next_read(MESSAGES).and_then(|event| event.sequence);
    assert_eq!(ahead(&mut shard), Some(3));
    assert!(shard.yielded_at().is_some());
    for _ in 0..2 {
        assert_eq!(ahead(&mut shard), None, "of another kind");
    }
    assert_eq!(next(&mut shard).await, Some(4));
    let all = shard.next_read(EventKinds::all());
    assert!(all.is_none(), "a frame that nobody wants comes first");
    assert_eq!(next(&mut shard).await, Some(6));
    assert_eq!(ahead(&mut shard), None, "nothing is left");
    let stats = shard.stats();
    assert_eq!((stats.events, stats.unwanted), (5, 1));

    // A heartbeat is due: that comes first.
    say(&mut server, &[message(7), message(8), message(9)]).await;
    assert_eq!(next(&mut shard).await, Some(7));
    assert_eq!(ahead(&mut shard), Some(8));
    advance(INTERVAL).await;
    assert_eq!(ahead(&mut shard), None);
    assert_eq!(next(&mut shard).await, Some(9));
    assert_eq!(server.expect(1).await["d"], 8);
    // The connection is gone, and what was read with it.
    say(&mut server, &[message(10), friend(11)]).await;
    assert_eq!(next(&mut shard).await, Some(10));
    assert_eq!(ahead(&mut shard), None);
    shard.sender().close(CloseMode::KeepSession).unwrap();
    drop(server);
    while shard.next().await.is_some() {}
    assert!(shard.next_read(EventKinds::all()).is_none());
}

/// What a shard makes of some bytes, however they come, and whether events are taken ahead now and then.
async fn items(seed: u64, bytes: &[u8], takes_ahead: bool) -> (Vec<String>, usize) {
    let (net, mut gateway) = network_with_buffer(700);
    let mut shard = builder(&net).build().unwrap();
    let mut rng = Rng::with_seed(seed);
    let serve = async {
        let mut server = gateway.identified("s1").await;
        let mut stream = server.socket.get_mut();
        let mut rng = Rng::with_seed(seed);
        let mut rest = bytes;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rng.usize(1..=rest.len().min(2_000)));
            // The shard may have left.
            if stream.write_all(now).await.is_err() || stream.flush().await.is_err() {
                break;
            }
            stream = server.socket.get_mut();
            if rng.bool() {
                sleep(Duration::from_millis(1)).await;
            }
            rest = later;
        }
        while let Some(Ok(_)) = server.socket.next().await {}
        std::future::pending().await
    };
    let read = async {
        let (mut items, mut taken) = (Vec::new(), 0);
        loop {
            let kinds = rng.choice([EventKinds::all(), MESSAGES, EventKinds::none()]);
            let ahead = kinds.filter(|_| takes_ahead);
            let item = match ahead.and_then(|kinds| shard.next_read(kinds)) {
                Some(dispatch) => {
                    taken += 1;
                    Ok(dispatch)
                }
                None => match timeout(Duration::from_secs(5), shard.next()).await {
                    Ok(item) => item.unwrap(),
                    Err(_) => break (items, taken),
                },
            };
            items.push(match item {
                Ok(dispatch) => format!("{} {:?}", dispatch.event.name(), dispatch.sequence),
                Err(error) => format!("{:?}", error.kind()),
            });
        }
    };
    tokio::select! {
        items = read => items,
        items = serve => items,
    }
}

/// Frames of all sorts, as a server writes them.
fn frames(rng: &mut Rng) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut sequence = 1;
    for _ in 0..rng.usize(1..60) {
        let mut put = |head: u8, text: &str| {
            bytes.push(head);
            let length = u16::try_from(text.len()).unwrap();
            match text.len() {
                short @ 0..126 => bytes.push(u8::try_from(short).unwrap()),
                _ => {
                    bytes.push(126);
                    bytes.extend(length.to_be_bytes());
                }
            }
            bytes.extend(text.as_bytes());
        };
        match rng.u8(0..12) {
            // A text within another one: the end.
            3 if rng.u8(0..20) == 0 => {
                put(0x01, "{");
                put(0x81, &message(sequence + 1).to_string());
            }
            0 => put(0x89, "ping"),
            1 => put(0x81, "{\"op\":11}"),
            2 => put(0x81, "nonsense"),
            3 => put(0x82, "{\"op\":11}"),
            4 => {
                sequence += 1;
                let text = message(sequence).to_string();
                let (one, other) = text.split_at(rng.usize(0..text.len()));
                put(0x01, one);
                put(0x80, other);
            }
            5 | 6 => {
                sequence += 1;
                put(0x81, &friend(sequence).to_string());
            }
            7 => {
                sequence += 1;
                let long = "x".repeat(rng.usize(0..3_000));
                let text = json!({"op": 0, "s": sequence, "t": "NEW_EVENT", "d": long});
                put(0x81, &text.to_string());
            }
            other => {
                // Now and then one is missing, which is told behind the event.
                sequence += if other == 8 { 2 } else { 1 };
                put(0x81, &message(sequence).to_string());
            }
        }
    }
    bytes
}

#[tokio::test(start_paused = true)]
async fn whoever_takes_events_ahead_gets_the_same_in_the_same_order() {
    let mut all_taken = 0;
    for seed in 0..200 {
        let bytes = frames(&mut Rng::with_seed(seed));
        let (plain, _) = items(seed, &bytes, false).await;
        let (ahead, taken) = items(seed, &bytes, true).await;
        assert_eq!(ahead, plain, "seed {seed}");
        all_taken += taken;
    }
    assert!(all_taken > 500, "{all_taken}");
}
