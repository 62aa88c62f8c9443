//! Streams against a platform that shows what a user would see.

use std::time::Duration;

use proptest::prelude::*;
use qq_http::{ErrorKind, MessageStream, StreamErrorKind};
use serde_json::json;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout};

use super::server::{Received, Reply, Server, refusal};
use super::stream_rules::{Platform, Twist};

fn stream(server: &Server) -> MessageStream {
    server
        .client()
        .user("U")
        .stream()
        .reply_to("m")
        .msg_seq(2)
        .start()
        .unwrap()
}

/// The one message that is shown, once it is complete.
fn only(platform: &Platform) -> String {
    let messages = platform.messages();
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(messages[0].is_done, "{messages:?}");
    messages[0].text.clone()
}

#[tokio::test(start_paused = true)]
async fn text_is_gathered_between_frames() {
    let (platform, server) = Platform::fair();
    let mut stream = stream(&server);
    let begin = Instant::now();
    for n in 0..100 {
        stream.push(&format!("{n} ")).await.unwrap();
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(begin.elapsed(), Duration::from_secs(2));
    let text = stream.text().to_owned();
    let streamed = stream.finish().await.unwrap();
    assert_eq!(
        (streamed.ids, streamed.fallback),
        (vec!["stream-0".into()], None)
    );
    // What it is quoted by, as the last frame said it.
    assert_eq!(streamed.ref_idxs, [Some("REFIDX_0_4".into())]);
    assert_eq!(only(&platform), text);
    let frames: Vec<_> = server.received().iter().map(Received::json).collect();
    // One at once, one each half second, one at the end.
    assert_eq!(frames.len(), 5);
    for (index, frame) in frames.iter().enumerate() {
        assert_eq!(
            (&frame["index"], &frame["msg_seq"], &frame["msg_id"]),
            (&json!(index), &json!(2), &json!("m"))
        );
        assert_eq!(frame["input_state"], if index == 4 { 10 } else { 1 });
        assert_eq!(frame["stream_msg_id"].is_null(), index == 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_text_that_is_repeated_may_change_where_it_was_not_sent() {
    let (platform, server) = Platform::fair();
    let mut stream = stream(&server);
    stream.set("one").await.unwrap();
    stream.set("one two").await.unwrap();
    stream.set("one three").await.unwrap();
    stream.flush().await.unwrap();
    let error = stream.set("one two").await.unwrap_err();
    assert_eq!(error.kind(), StreamErrorKind::PrefixChanged { position: 5 });
    stream.set("one three four").await.unwrap();
    stream.finish().await.unwrap();
    assert_eq!(only(&platform), "one three four");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_dropped_is_finished() {
    let (platform, server) =
        Platform::start(|turn| (turn == 2).then_some(Twist::Instead(Reply::Break)));
    let mut stream = stream(&server);
    stream.push("shown, ").await.unwrap();
    stream.push("and more").await.unwrap();
    drop(stream);
    sleep(Duration::from_secs(20)).await;
    assert_eq!(only(&platform), "shown, and more");
}

#[tokio::test(start_paused = true)]
async fn a_finish_that_is_dropped_is_made_up_for() {
    let (platform, server) =
        Platform::start(|turn| (turn == 1).then_some(Twist::Instead(Reply::Stall)));
    let mut stream = stream(&server);
    stream.push("hello").await.unwrap();
    timeout(Duration::from_secs(2), stream.finish())
        .await
        .unwrap_err();
    sleep(Duration::from_secs(20)).await;
    assert_eq!(only(&platform), "hello");
}

#[tokio::test(start_paused = true)]
async fn what_is_left_behind_ends_in_time() {
    let (_, server) = Platform::start(|turn| (turn > 0).then_some(Twist::Instead(Reply::Stall)));
    let http = server.client();
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let begun = http
        .user("U")
        .stream()
        .reply_to("m")
        .finish_timeout(Duration::from_secs(5))
        .start();
    let mut stream = begun.unwrap();
    stream.push("hello").await.unwrap();
    drop((stream, http));
    sleep(Duration::from_millis(5_100)).await;
    assert_eq!(tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_showed_nothing_sends_nothing() {
    let (_, server) = Platform::start(|_| Some(Twist::Instead(refusal(429, 50_002))));
    drop(stream(&server));
    assert_eq!(stream(&server).finish().await.unwrap().ids.len(), 0);
    let mut refused = stream(&server);
    refused.push("x").await.unwrap();
    assert!(refused.last_error().unwrap().has_code(50_002));
    drop(refused);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(server.received().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_dropped_outside_of_a_runtime_is_finished() {
    let (platform, server) = Platform::fair();
    let mut stream = stream(&server);
    stream.push("hello ").await.unwrap();
    stream.push("there").await.unwrap();
    std::thread::spawn(move || drop(stream)).join().unwrap();
    sleep(Duration::from_secs(20)).await;
    assert_eq!(only(&platform), "hello there");
}

#[test]
fn a_runtime_that_ends_first_is_survived() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().start_paused(true).build().unwrap()
    };
    let begun = async |server: &Server| {
        let mut stream = stream(server);
        stream.push("hello").await.unwrap();
        stream
    };
    // The runtime is gone before the stream.
    let (_, server) = Platform::fair();
    let first = runtime();
    let stream = first.block_on(begun(&server));
    drop(first);
    drop(stream);
    // The stream goes with its runtime.
    let (_, server) = Platform::fair();
    let second = runtime();
    let stream = second.block_on(begun(&server));
    let held = second.spawn(async move {
        std::future::pending::<()>().await;
        drop(stream);
    });
    second.block_on(async { sleep(Duration::from_millis(1)).await });
    drop(second);
    assert!(held.is_finished());
    // Another runtime finishes it.
    let (platform, server) = Platform::fair();
    let third = runtime();
    let stream = third.block_on(begun(&server));
    drop(third);
    runtime().block_on(async move {
        drop(stream);
        sleep(Duration::from_secs(20)).await;
    });
    assert_eq!(only(&platform), "hello");
}

#[tokio::test(start_paused = true)]
async fn a_push_or_finish_that_is_never_polled_loses_nothing() {
    let (platform, server) = Platform::fair();
    let mut stream = stream(&server);
    stream.push("hello").await.unwrap();
    drop(stream.push("not said"));
    drop(stream.finish());
    sleep(Duration::from_secs(20)).await;
    assert_eq!(only(&platform), "hello");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_ends_the_stream_with_what_was_shown() {
    let (platform, server) =
        Platform::start(|turn| (turn == 1).then(|| Twist::Instead(refusal(400, 40_007))));
    let mut stream = stream(&server);
    stream.push("hello").await.unwrap();
    sleep(Duration::from_secs(1)).await;
    let error = stream.push(" world").await.unwrap_err();
    assert!(error.kind() == StreamErrorKind::Send && error.http().unwrap().has_code(40_007));
    assert_eq!(only(&platform), "hello");
    assert!(
        stream
            .push("!")
            .await
            .unwrap_err()
            .http()
            .unwrap()
            .has_code(40_007)
    );
    assert!(
        stream
            .finish()
            .await
            .unwrap_err()
            .http()
            .unwrap()
            .has_code(40_007)
    );
    assert_eq!(server.received().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_normal_message_stands_in_when_nothing_was_shown() {
    let (platform, server) = Platform::start(|_| Some(Twist::Instead(refusal(400, 40_034_128))));
    let builder = || server.client().user("U").stream().reply_to("m");
    let mut stream = builder().fallback().start().unwrap();
    stream.push("hello").await.unwrap();
    stream.push(" world").await.unwrap();
    let streamed = stream.finish().await.unwrap();
    assert_eq!(
        streamed.fallback.unwrap().id().unwrap().text().as_ref(),
        "normal"
    );
    assert_eq!(
        platform.normal(),
        [json!({"msg_type": 0, "content": "hello world", "msg_id": "m", "msg_seq": 1})]
    );
    assert_eq!(server.received().len(), 2);

    // It is a choice.
    sleep(Duration::from_secs(1)).await;
    let mut stream = builder().start().unwrap();
    assert!(stream.push("hello").await.is_err() && platform.normal().len() == 1);

    // Not after something was shown, nor after it may have been.
    for first in [None, Some(Twist::After(Reply::Break))] {
        let (platform, server) = Platform::start(move |turn| match turn {
            0 => first.clone(),
            _ => Some(Twist::Instead(refusal(400, 40_034_128))),
        });
        let mut stream = server
            .client()
            .user("U")
            .stream()
            .reply_to("m")
            .fallback()
            .start()
            .unwrap();
        stream.push("hello").await.unwrap();
        stream.finish().await.unwrap_err();
        assert!(platform.normal().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_answer_that_is_lost_never_shows_twice() {
    let (platform, server) =
        Platform::start(|turn| (turn == 0).then_some(Twist::After(Reply::Break)));
    let mut answer = stream(&server);
    answer.push("hello").await.unwrap();
    let error = answer.finish().await.unwrap_err();
    assert_eq!(error.http().unwrap().kind(), ErrorKind::OutcomeUnknown);
    assert_eq!(platform.messages().len(), 1);

    // Without a number nothing keeps it from showing twice, so that nothing more is sent.
    let (platform, server) =
        Platform::start(|turn| (turn == 0).then_some(Twist::After(Reply::Break)));
    let mut active = server.client().user("U").stream().start().unwrap();
    active.push("hello").await.unwrap();
    let error = active.finish().await.unwrap_err();
    assert_eq!(error.http().unwrap().kind(), ErrorKind::OutcomeUnknown);
    assert_eq!((platform.messages().len(), server.received().len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_long_text_goes_on_in_a_further_message() {
    let (platform, server) = Platform::fair();
    let platform = platform.with_capacity(40);
    let mut stream = stream(&server);
    let mut whole = String::new();
    for n in 0..30 {
        let word = format!("第{n}句话。 ");
        whole += &word;
        stream.push(&word).await.unwrap();
        sleep(Duration::from_millis(250)).await;
    }
    let streamed = stream.finish().await.unwrap();
    let messages = platform.messages();
    assert!(
        messages.len() > 4 && messages.iter().all(|message| message.is_done),
        "{messages:?}"
    );
    assert_eq!(streamed.ids.len(), messages.len());
    let quoted = streamed.ref_idxs.iter().flatten();
    for (n, ref_idx) in quoted.enumerate() {
        assert!(ref_idx.starts_with(&format!("REFIDX_{n}_")), "{ref_idx}");
    }
    assert!(streamed.ref_idxs.iter().all(Option::is_some));
    assert_eq!(streamed.ref_idxs.len(), messages.len());
    assert_eq!(
        messages
            .iter()
            .map(|message| &*message.text)
            .collect::<String>(),
        whole
    );
    for (n, message) in (2..).zip(&messages) {
        assert_eq!(message.msg_seq, n);
    }
}

#[test]
fn what_is_missing_is_named() {
    let (_, server) = Platform::fair();
    let http = server.client();
    for (builder, field) in [
        (http.user("").stream(), "user_openid"),
        (http.user("U").stream().reply_to(""), "msg_id"),
        (http.user("U").stream().reply_to_event(""), "event_id"),
        (http.user("U").stream().msg_seq(0), "msg_seq"),
    ] {
        let error = builder.start().unwrap_err();
        assert!(error.to_string().contains(field), "{error}");
    }
}

fn twist() -> impl Strategy<Value = Option<Twist>> {
    prop_oneof![
        4 => Just(None),
        1 => Just(Some(Twist::Instead(refusal(429, 50_002)))),
        1 => Just(Some(Twist::Instead(refusal(500, 50_001)))),
        1 => Just(Some(Twist::Instead(Reply::Break))),
        1 => Just(Some(Twist::Instead(Reply::Stall))),
        1 => Just(Some(Twist::Instead(Reply::Page(502, "text/html", "<html>".into())))),
        2 => Just(Some(Twist::After(Reply::Break))),
        1 => Just(Some(Twist::After(Reply::Stall))),
        1 => Just(Some(Twist::After(Reply::Page(200, "text/plain", "?".into())))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever the pieces, their times and the faults: the text is shown whole and once, or the error says that it
    /// is not known.
    #[test]
    fn the_whole_text_is_shown_once(
        pieces in prop::collection::vec(("[a-z 一二三]{0,12}", 0_u64..900), 1..25),
        faults in prop::collection::vec(twist(), 0..8),
        is_dropped: bool,
        is_strict: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async move {
            let text: String = pieces.iter().map(|(piece, _)| &**piece).collect();
            let is_first_lost = {
                // The first frame that is neither refused nor broken before it was taken decides.
                let mut first = faults.iter().skip_while(|twist| matches!(twist, Some(Twist::Instead(_))));
                matches!(first.next(), Some(Some(Twist::After(_))))
            };
            let mut all = faults.into_iter();
            let (platform, server) = Platform::start(move |_| all.next().flatten());
            let platform = platform.strict(is_strict);
            let mut stream = server.client().user("U").stream().reply_to("m").finish_timeout(Duration::from_secs(120)).start().unwrap();
            for (piece, pause) in &pieces {
                if stream.push(piece).await.is_err() {
                    break;
                }
                sleep(Duration::from_millis(*pause)).await;
            }
            let outcome = if is_dropped {
                let was_shown = !platform.messages().is_empty();
                drop(stream);
                sleep(Duration::from_secs(200)).await;
                if !was_shown && platform.messages().is_empty() {
                    return;
                }
                None
            } else {
                Some(stream.finish().await)
            };
            let messages = platform.messages();
            assert!(messages.len() <= 1, "{messages:?}");
            match outcome {
                Some(Err(error)) => {
                    assert_eq!(error.http().unwrap().kind(), ErrorKind::OutcomeUnknown, "{error}");
                    // Either nobody knows the stream, or its end arrived and only the answer did not.
                    assert!(is_first_lost || messages[0].is_done && messages[0].text == text);
                }
                None if is_first_lost => {}
                _ if text.is_empty() => assert!(messages.is_empty()),
                _ => {
                    assert_eq!(messages[0].text, text);
                    assert!(messages[0].is_done);
                }
            }
        });
    }
}
