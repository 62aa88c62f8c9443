//! What is read of answers, and what errors say of those that cannot be read.

use qq_http::{ErrorKind, Sent};
use serde_json::json;

use crate::platform::{Fault, Platform, json as answer, whole};

#[tokio::test]
async fn everything_the_platform_says_of_a_message_is_there() {
    let platform = Platform::start().await;
    let sent = json!({
        "id": "ROBOT1.0_x",
        "timestamp": "2026-11-21T19:00:00+08:00",
        "ext_info": {"ref_idx": "REFIDX_1"},
        "remain_msg_len": 12,
        "tomorrow": {"new": true},
    });
    platform.plan([Fault::taken(answer(200, &sent))]);
    let sent = platform.client().group("G").send("hi").await.unwrap();
    assert_eq!(sent.id().unwrap(), "ROBOT1.0_x");
    assert_eq!(sent.ref_idx(), Some("REFIDX_1"));
    let message = sent.message().unwrap();
    assert_eq!(message.remain_msg_len, Some(12));
    assert!(sent.time().is_some());
}

#[tokio::test]
async fn a_message_that_is_done_without_a_word_was_delivered() {
    let platform = Platform::start().await;
    platform.plan([Fault::taken("HTTP/1.1 204 No Content\r\n\r\n")]);
    let sent = platform.client().group("G").send("hi").await.unwrap();
    assert!(matches!(sent, Sent::Delivered(_)) && sent.id().is_none());
    assert_eq!((platform.shown(), platform.requests().len()), (1, 1));
}

#[tokio::test]
async fn what_cannot_be_read_is_named() {
    for (reply, words) in [
        (
            b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n\x1f\x8b\x08\x00".to_vec(),
            "compressed (gzip)",
        ),
        (whole(200, "", ""), "without a body"),
        (whole(200, "content-type: text/html\r\n", "<html></html>"), "text/html"),
        (whole(200, "", r#"{"id":"1","usern"#), "EOF"),
        (whole(302, "location: https://elsewhere.example/\r\n", ""), "redirect"),
        (whole(502, "content-type: text/html\r\n", "<html></html>"), "a page that is not the platform's"),
        (whole(413, "", ""), "without a body"),
    ] {
        let platform = Platform::start().await;
        platform.plan(std::iter::repeat_n(Fault::refused(reply), 3));
        let error = platform.client().me().await.unwrap_err();
        assert!(error.to_string().contains(words), "{words}: {error}");
        assert!(matches!(error.kind(), ErrorKind::Decode | ErrorKind::Http));
    }
}
