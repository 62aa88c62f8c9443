//! Events that are not decoded, and those that nobody looks at.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use qq_gateway::{AckMode, CloseMode, RawDispatch, ShardErrorKind};
use qq_model::event::{Event, EventKinds};
use qq_model::{Dispatch, EventKind};
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;

use crate::fake::{Server, builder, consume, network, network_with_buffer};

/// The frame of an event, with what misleads: odd order, spaces, escapes, look-alikes, text beyond ASCII.
const ODD: &str = r#"{"id":"E:\u0031", "d" : {"id":"m","t":"READY","s":99,"op":7,"content":"\"}{ 你好"},"x":[{"t":"X"}],
    "\u0073":2,"t":"C2C_MESSAGE_\u0043REATE","op":0}"#;

async fn say(server: &mut Server, frames: &[&str]) {
    for frame in frames {
        let frame = Message::text((*frame).to_owned());
        server.socket.send(frame).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn the_text_of_a_kind_is_kept_when_asked_for() {
    let other = r#"{"op":0,"s":3,"t":"FRIEND_DEL","d":{"openid":"U"}}"#;
    let again = ODD.replace(r#""\u0073":2"#, r#""\u0073":4"#);
    let (net, mut gateway) = network();
    let mut shard = builder(&net).build().unwrap();
    shard.keep_text(EventKinds::none().with(EventKind::C2CMessageCreate));
    let serve = async {
        let mut server = gateway.identified("s1").await;
        say(&mut server, &[ODD, other, &again]).await;
        server
    };
    let read = async {
        let mut texts = Vec::new();
        for n in 0..4 {
            let dispatch = shard.next().await.unwrap().unwrap();
            assert!(shard.yielded_at().is_some());
            texts.push((dispatch.event.name().to_owned(), dispatch.text));
            if n == 2 {
                shard.keep_text(EventKinds::none());
            }
        }
        texts
    };
    let (_server, texts) = tokio::join!(serve, read);
    let payload = r#"{"id":"m","t":"READY","s":99,"op":7,"content":"\"}{ 你好"}"#;
    let [ready, kept, other, later] = &texts[..] else {
        panic!("{texts:?}");
    };
    assert_eq!(ready, &("READY".to_owned(), None));
    assert_eq!(
        kept,
        &("C2C_MESSAGE_CREATE".to_owned(), Some(payload.into()))
    );
    assert_eq!(other, &("FRIEND_DEL".to_owned(), None));
    assert_eq!(later, &("C2C_MESSAGE_CREATE".to_owned(), None));
}

#[tokio::test(start_paused = true)]
async fn raw_events_are_their_frames_and_decode_to_the_same() {
    let unknown = r#"{"op":0,"s":3,"t":"SOMETHING_NEW","d":{"a":1}}"#;
    let undecodable = r#"{"op":0,"s":4,"t":"C2C_MESSAGE_CREATE","id":"","d":[1]}"#;
    let frames = [
        ODD,
        unknown,
        undecodable,
        r#"{"op":0,"s":5,"t":"FRIEND_DEL"}"#,
    ];
    let (net, mut gateway) = network();
    let (other_net, mut other_gateway) = network();
    let mut raw = builder(&net).build().unwrap().into_raw();
    let mut typed = builder(&other_net).build().unwrap();
    let serve = async {
        let mut server = gateway.identified("s1").await;
        let mut other = other_gateway.identified("s1").await;
        say(&mut server, &frames).await;
        say(&mut other, &frames).await;
        (server, other)
    };
    let read = async {
        let mut both: Vec<(RawDispatch, Dispatch)> = Vec::new();
        for _ in 0..5 {
            let raw = StreamExt::next(&mut raw).await.unwrap().unwrap();
            both.push((raw, typed.next().await.unwrap().unwrap()));
        }
        both
    };
    let (_servers, both) = tokio::join!(serve, read);
    for (n, (raw, dispatch)) in both.iter().enumerate() {
        assert_eq!(&raw.decode(), dispatch);
        assert_eq!(
            (raw.sequence(), raw.kind()),
            (dispatch.sequence, dispatch.event.kind())
        );
        assert_eq!(raw.name(), dispatch.event.name());
        let id = dispatch.id.as_ref().map(ToString::to_string);
        assert_eq!(raw.id(), id.as_deref());
        if n > 0 {
            assert_eq!(raw.text(), frames[n - 1]);
            assert_eq!(raw.clone().into_bytes(), frames[n - 1]);
        }
    }
    let (odd, _) = &both[1];
    assert_eq!((odd.name(), odd.id()), ("C2C_MESSAGE_CREATE", Some("E:1")));
    assert!(odd.data().ends_with(r#"你好"}"#) && odd.data().starts_with(r#"{"id":"m""#));
    assert!(!format!("{odd:?}").contains("你好"));
    assert_eq!((both[2].0.kind(), both[2].0.data()), (None, r#"{"a":1}"#));
    assert!(matches!(&both[3].1.event, Event::Undecodable { raw, .. } if raw.get() == "[1]"));
    assert_eq!(both[4].0.data(), "");
    assert_eq!(raw.shard().session().unwrap().sequence, 5);
}

#[tokio::test(start_paused = true)]
async fn raw_and_typed_calls_can_be_mixed_and_acknowledged() {
    let (net, mut gateway) = network();
    let mut shard = builder(&net)
        .acknowledge_mode(AckMode::Manual)
        .build()
        .unwrap();
    let serve = async {
        let mut server = gateway.identified("s1").await;
        for _ in 0..3 {
            server.event().await;
        }
        server
    };
    let read = async {
        assert_eq!(shard.next_raw().await.unwrap().unwrap().name(), "READY");
        assert_eq!(shard.next().await.unwrap().unwrap().sequence, Some(2));
        assert_eq!(shard.next_raw().await.unwrap().unwrap().sequence(), Some(3));
        assert_eq!(shard.next().await.unwrap().unwrap().sequence, Some(4));
    };
    let (mut server, ()) = tokio::join!(serve, read);
    assert_eq!(shard.session().unwrap().sequence, 1);
    shard.acknowledge(3);
    assert_eq!(shard.session().unwrap().sequence, 3);
    assert_eq!(shard.stats().events, 4);
    let mut raw = shard.into_raw();
    let closing = raw.shard_mut().close(CloseMode::KeepSession);
    let (session, code) = tokio::join!(closing, server.closed());
    assert_eq!((session.unwrap().sequence, code), (3, Some(4000)));
    assert!(raw.next().await.is_none());
    assert!(raw.into_shard().next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn no_raw_event_is_lost_when_next_is_dropped() {
    // A small pipe cuts frames into pieces.
    let (net, mut gateway) = network_with_buffer(61);
    let mut shard = builder(&net).build().unwrap();
    let serve = tokio::spawn(async move {
        let mut server = gateway.identified("s1").await;
        for _ in 0..100 {
            server.event().await;
        }
        server
    });
    let mut sequences = Vec::new();
    while sequences.len() < 101 {
        let polled = {
            let mut next = pin!(shard.next_raw());
            poll_fn(|cx| Poll::Ready(next.as_mut().poll(cx))).await
        };
        match polled {
            Poll::Ready(item) => sequences.push(item.unwrap().unwrap().sequence().unwrap()),
            Poll::Pending => sleep(Duration::from_millis(1)).await,
        }
    }
    assert_eq!(sequences, (1..=101).collect::<Vec<_>>());
    drop(serve);
}

#[tokio::test(start_paused = true)]
async fn nobody_looks_at_the_payload_of_an_unwanted_event() {
    let (net, mut gateway) = network();
    let kinds = EventKinds::none().with(EventKind::C2CMessageCreate);
    let shard = builder(&net)
        .kinds(kinds)
        .keep_unknown(false)
        .build()
        .unwrap();
    let mut consumer = consume(shard);
    let mut server = gateway.identified("s1").await;
    consumer.expect("READY").await;
    say(
        &mut server,
        &[
            r#"{"op":0,"s":2,"t":"GROUP_MESSAGE_CREATE","id":"x","d":{"broken"#,
            r#" { "t" : "GROUP_AT_MESSAGE_CREATE" , "s" : 3 , "op" : 0 , "d" : nonsense"#,
            r#"{"d":{"t":"C2C_MESSAGE_CREATE"},"op":0,"s":4,"t":"SOMETHING_NEW"}"#,
            r#"{"op":0,"s":5,"t":"C2C_MESSAGE_CREATE","d":{"content":"hi"}}"#,
        ],
    )
    .await;
    // No error, no gap: the numbers advanced.
    assert_eq!(consumer.event().await.sequence, Some(5));
    say(
        &mut server,
        &[r#"{"op":0,"s":6,"t":"C2C_MESSAGE_CREATE","d":{"broken"#],
    )
    .await;
    assert_eq!(consumer.error().await.kind(), ShardErrorKind::Decode);
    server.event_numbered(6).await;
    assert_eq!(consumer.event().await.sequence, Some(6));
}

#[tokio::test(start_paused = true)]
async fn filters_see_the_header_and_the_whole_frame() {
    let (net, mut gateway) = network();
    let shard = builder(&net)
        .filter(|header, frame| {
            assert!(frame.starts_with("{\"op\":0,"), "{frame}");
            header.sequence.is_some_and(|sequence| sequence % 2 == 0)
                && header.id.as_deref() == Some("yes")
                && header.kind() == Some(EventKind::C2CMessageCreate)
                && frame.contains("wanted")
        })
        .build()
        .unwrap();
    let mut consumer = consume(shard);
    let mut server = gateway.identified("s1").await;
    consumer.expect("READY").await;
    say(
        &mut server,
        &[
            r#"{"op":0,"s":2,"t":"C2C_MESSAGE_CREATE","id":"no","d":{"content":"wanted"}}"#,
            r#"{"op":0,"s":3,"t":"C2C_MESSAGE_CREATE","id":"yes","d":{"content":"wanted"}}"#,
            r#"{"op":0,"s":4,"t":"C2C_MESSAGE_CREATE","id":"yes","d":{"content":"other"}}"#,
            r#"{"op":0,"s":5,"t":"SOMETHING_NEW","id":"yes","d":{"content":"wanted"}}"#,
            r#"{"op":0,"s":6,"t":"C2C_MESSAGE_CREATE","id":"yes","d":{"content":"wanted"}}"#,
        ],
    )
    .await;
    assert_eq!(consumer.event().await.sequence, Some(6));
}

#[tokio::test(start_paused = true)]
async fn an_event_nested_too_deep_is_reported_and_the_connection_lives() {
    let nested = |sequence: u64, depth: usize| {
        // The frame and its payload are two.
        let (open, close) = ("[".repeat(depth - 2), "]".repeat(depth - 2));
        format!(r#"{{"op":0,"s":{sequence},"t":"C2C_MESSAGE_CREATE","d":{{"new":{open}{close}}}}}"#)
    };
    for limit in [None, Some(8), Some(200)] {
        let (net, mut gateway) = network();
        let mut limits = qq_gateway::Limits::default();
        if let Some(limit) = limit {
            limits.max_depth = limit;
        }
        let shard = builder(&net)
            .limits(limits)
            .acknowledge_mode(AckMode::Manual)
            .build()
            .unwrap();
        let mut consumer = consume(shard);
        let mut server = gateway.identified("s1").await;
        consumer.expect("READY").await;
        say(&mut server, &[&nested(2, limits.max_depth)]).await;
        assert_eq!(consumer.event().await.sequence, Some(2));
        for depth in [limits.max_depth + 1, 100_000] {
            server.sequence += 1;
            let frame = nested(server.sequence + 1, depth);
            say(&mut server, &[&frame]).await;
            let error = consumer.error().await;
            assert_eq!(
                (error.kind(), error.is_fatal()),
                (ShardErrorKind::Decode, false)
            );
            assert!(error.to_string().contains("Limits::max_depth"), "{error}");
        }
        // Nobody can acknowledge what nobody gets.
        server.event_numbered(5).await;
        assert_eq!(consumer.event().await.sequence, Some(5));
        drop(consumer.items);
        server.event_numbered(6).await;
        let mut shard = consumer.task.await.unwrap();
        shard.acknowledge(2);
        assert_eq!(shard.session().unwrap().sequence, 2);
        shard.acknowledge(6);
        assert_eq!(shard.session().unwrap().sequence, 6);
        assert_eq!(shard.stats().malformed, 2);
    }
}
