//! What the shard yields, drops and reports of what comes in.

use futures_util::{SinkExt, StreamExt};
use qq_gateway::{AckMode, CloseMode, ShardErrorKind};
use qq_model::event::{Event, EventKinds};
use qq_model::{Dispatch, EventKind};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::fake::{builder, consume, network};

#[tokio::test(start_paused = true)]
async fn unwanted_kinds_are_dropped_and_control_events_never_are() {
    let (net, mut gateway) = network();
    let kinds = EventKinds::none().with(EventKind::GroupAtMessageCreate);
    let mut shard = builder(&net).kinds(kinds).build().unwrap();
    let serve = async {
        let mut server = gateway.identified("s1").await;
        server.event().await;
        server
            .send(json!({"op": 0, "s": 3, "t": "GROUP_AT_MESSAGE_CREATE", "d": {"id": "g"}}))
            .await;
        server
            .send(json!({"op": 0, "s": 4, "t": "SOMETHING_NEW", "d": {}}))
            .await;
        server
    };
    let read = async {
        let mut names = Vec::new();
        for _ in 0..3 {
            let dispatch: Dispatch = shard.next().await.unwrap().unwrap();
            names.push(dispatch.event.name().to_owned());
        }
        names
    };
    let (_server, names) = tokio::join!(serve, read);
    assert_eq!(names, ["READY", "GROUP_AT_MESSAGE_CREATE", "SOMETHING_NEW"]);
    assert_eq!((shard.stats().events, shard.stats().unwanted), (3, 1));
    assert_eq!(shard.session().unwrap().sequence, 4);
}

#[tokio::test(start_paused = true)]
async fn filters_see_frames_and_unknown_events_can_be_dropped() {
    let (net, mut gateway) = network();
    let shard = builder(&net)
        .keep_unknown(false)
        .filter(|_, frame| frame.contains("wanted"))
        .build()
        .unwrap();
    let mut consumer = consume(shard);
    let mut server = gateway.identified("s1").await;
    server
        .send(json!({"op": 0, "s": 2, "t": "SOMETHING_NEW", "d": {"content": "wanted"}}))
        .await;
    server
        .send(json!({"op": 0, "s": 3, "t": "C2C_MESSAGE_CREATE", "d": {"content": "other"}}))
        .await;
    server
        .send(json!({"op": 0, "s": 4, "t": "C2C_MESSAGE_CREATE", "d": {"content": "wanted"}}))
        .await;
    consumer.expect("READY").await;
    assert_eq!(consumer.event().await.sequence, Some(4));
}

#[tokio::test(start_paused = true)]
async fn malformed_frames_are_reported_and_the_connection_lives() {
    let (net, mut gateway) = network();
    let mut consumer = consume(builder(&net).build().unwrap());
    let mut server = gateway.identified("s1").await;
    consumer.expect("READY").await;
    for text in ["", "nonsense", "{}", "{\"op\":0", "[1]"] {
        server.socket.send(Message::text(text)).await.unwrap();
        let error = consumer.error().await;
        assert_eq!(
            (error.kind(), error.is_fatal()),
            (ShardErrorKind::Decode, false),
            "{text}"
        );
        assert_eq!(error.retry_after(), None);
    }
    server
        .socket
        .send(Message::binary(vec![0xff, 0xfe]))
        .await
        .unwrap();
    assert_eq!(consumer.error().await.kind(), ShardErrorKind::Decode);
    server
        .socket
        .send(Message::binary(
            r#"{"op":0,"s":2,"t":"SOMETHING_NEW","d":{}}"#,
        ))
        .await
        .unwrap();
    assert_eq!(consumer.event().await.sequence, Some(2));
    // An event that cannot be read is an event all the same.
    server
        .send(json!({"op": 0, "s": 3, "t": "C2C_MESSAGE_CREATE", "d": [1]}))
        .await;
    assert!(matches!(
        consumer.event().await.event,
        Event::Undecodable { .. }
    ));
    server.send(json!({"op": 0, "s": 4})).await;
    server.send(json!({"op": 77, "s": 4, "t": "X"})).await;
    server.event_numbered(5).await;
    assert_eq!(consumer.event().await.sequence, Some(5));
}

/// Wherever the payload stands, and whatever is behind it.
#[tokio::test(start_paused = true)]
async fn members_count_behind_the_payload_too() {
    let (net, mut gateway) = network();
    let mut consumer = consume(builder(&net).build().unwrap());
    let mut server = gateway.identified("s1").await;
    consumer.expect("READY").await;
    for (text, sequence, id) in [
        (
            r#"{"op":0,"s":2,"t":"FRIEND_ADD","id":"a","d":{"openid":"{"}}"#,
            2,
            "a",
        ),
        (
            r#"{"op":0,"s":2,"t":"FRIEND_ADD","id":"a","d":{"openid":"1"},"s":3}"#,
            3,
            "a",
        ),
        (
            r#"{"op":0,"s":4,"t":"FRIEND_ADD","id":"a","d":{},"id":"{b}"}"#,
            4,
            "{b}",
        ),
        (
            r#"{"op":0,"s":5,"t":"FRIEND_DEL","d":{},"d":{},"id":"c","t":"FRIEND_ADD"}"#,
            5,
            "c",
        ),
        (r#"{"d":{},"id":"d","t":"FRIEND_ADD","s":6,"op":0}"#, 6, "d"),
    ] {
        server.socket.send(Message::text(text)).await.unwrap();
        let dispatch = consumer.event().await;
        assert_eq!(dispatch.event.name(), "FRIEND_ADD", "{text}");
        assert_eq!(dispatch.sequence, Some(sequence), "{text}");
        assert_eq!(dispatch.id.unwrap().to_string(), id, "{text}");
    }
    for broken in ["}", "]", ",", r#","x""#] {
        let text = format!(r#"{{"op":0,"s":7,"t":"FRIEND_ADD","id":"a","d":{{}}{broken}}}"#);
        server.socket.send(Message::text(text)).await.unwrap();
        assert_eq!(
            consumer.error().await.kind(),
            ShardErrorKind::Decode,
            "{broken}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn repeats_are_dropped_and_reported_and_so_are_gaps() {
    let (net, mut gateway) = network();
    let mut shard = builder(&net).build().unwrap();
    let serve = async {
        let mut server = gateway.identified("s1").await;
        for sequence in [2, 2, 1, 3, 7, 5, 8] {
            server.event_numbered(sequence).await;
        }
        server
    };
    let read = async {
        let mut seen = Vec::new();
        for _ in 0..9 {
            seen.push(match shard.next().await.unwrap() {
                Ok(dispatch) => format!("{}", dispatch.sequence.unwrap()),
                Err(error) => {
                    assert!(
                        !error.is_fatal() && error.retry_after().is_none(),
                        "{error}"
                    );
                    match (error.kind(), error.sequence_gap(), error.sequence_repeat()) {
                        (ShardErrorKind::SequenceGap, Some(gap), None) => {
                            format!("gap {}..{}", gap.after, gap.received)
                        }
                        (ShardErrorKind::SequenceRepeat, None, Some(repeat)) => {
                            format!("repeat {} of {}", repeat.received, repeat.newest)
                        }
                        _ => panic!("{error}"),
                    }
                }
            });
        }
        seen
    };
    let (_server, seen) = tokio::join!(serve, read);
    assert_eq!(
        seen,
        [
            "1",
            "2",
            "repeat 2 of 2",
            "repeat 1 of 2",
            "3",
            "7",
            "gap 3..7",
            "repeat 5 of 7",
            "8"
        ]
    );
    assert_eq!((shard.stats().repeats, shard.stats().gaps), (3, 1));
}

/// What was yielded but not acknowledged is replayed to another process, not to this one.
#[tokio::test(start_paused = true)]
async fn acknowledgements_move_the_position() {
    let (net, mut gateway) = network();
    let mut shard = builder(&net)
        .acknowledge_mode(AckMode::Manual)
        .build()
        .unwrap();
    let serve = async {
        let mut server = gateway.identified("s1").await;
        for _ in 2..=6 {
            server.event().await;
        }
        server
    };
    let read = async {
        for _ in 0..6 {
            shard.next().await.unwrap().unwrap();
        }
    };
    let (mut server, ()) = tokio::join!(serve, read);
    assert_eq!(shard.session().unwrap().sequence, 1);
    shard.acknowledge(3);
    assert_eq!(shard.session().unwrap().sequence, 3);

    let (_, error) = tokio::join!(server.close(4009), shard.next());
    error.unwrap().unwrap_err();
    let serve = async {
        let (mut server, position) = gateway.resuming("s1").await;
        assert_eq!(position, 3);
        for sequence in 4..=7 {
            server.event_numbered(sequence).await;
        }
        server.sequence = 7;
        server.resumed().await;
        server
    };
    let read = async {
        (
            shard.next().await.unwrap().unwrap(),
            shard.next().await.unwrap().unwrap(),
        )
    };
    let (mut server, (first, second)) = tokio::join!(serve, read);
    assert_eq!((first.sequence, second.event.name()), (Some(7), "RESUMED"));
    assert_eq!(shard.stats().repeats, 3);

    let (_, session) = tokio::join!(server.closed(), shard.close(CloseMode::KeepSession));
    let session = session.unwrap();
    assert_eq!(session.sequence, 3);
    let mut consumer = consume(
        builder(&net)
            .acknowledge_mode(AckMode::Manual)
            .session(session)
            .build()
            .unwrap(),
    );
    let (mut server, position) = gateway.resuming("s1").await;
    assert_eq!(position, 3);
    for sequence in 4..=7 {
        server.event_numbered(sequence).await;
        assert_eq!(consumer.event().await.sequence, Some(sequence));
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_of_other_intents_is_left_alone() {
    let (net, mut gateway) = network();
    let session: qq_gateway::Session = serde_json::from_value(json!({
        "id": "s1", "sequence": 5, "shard": [0, 1], "intents": 513, "saved_at": "2026-05-23T10:00:00+08:00"
    }))
    .unwrap();
    let _consumer = consume(builder(&net).session(session).build().unwrap());
    gateway.hello().await.expect(2).await;
}

#[tokio::test(start_paused = true)]
async fn a_shard_is_a_stream() {
    let (net, mut gateway) = network();
    let mut shard = builder(&net).build().unwrap();
    let stream: &mut (
             dyn futures_core::Stream<Item = Result<Dispatch, qq_gateway::ShardError>> + Unpin
         ) = &mut shard;
    let (_server, item) = tokio::join!(gateway.identified("s1"), stream.next());
    assert_eq!(item.unwrap().unwrap().event.name(), "READY");
}
