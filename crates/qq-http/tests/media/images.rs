//! Guild messages with a picture as bytes.

use qq_http::ErrorKind;
use qq_model::message::MessageReference;
use serde_json::{Value, json};

use super::server::{Reply, Server};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n--\r\n\x00\xFF";

fn server() -> Server {
    Server::new(|_| {
        Reply::Json(
            200,
            json!({"id": "m", "timestamp": "2026-11-21T00:00:00+08:00"}),
        )
    })
}

/// The parts of a form: name, the rest of the head, content.
fn parts(content_type: &str, body: &[u8]) -> Vec<(String, String, Vec<u8>)> {
    let boundary = content_type
        .strip_prefix("multipart/form-data; boundary=")
        .unwrap();
    let body = [b"\r\n", body].concat();
    let body = body
        .strip_suffix(format!("\r\n--{boundary}--\r\n").as_bytes())
        .unwrap();
    let mark = format!("\r\n--{boundary}\r\n");
    let starts: Vec<_> = (0..body.len())
        .filter(|at| body[*at..].starts_with(mark.as_bytes()))
        .collect();
    let ends = starts.iter().skip(1).copied().chain([body.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(start, end)| {
            let part = &body[start + mark.len()..end];
            let head = part
                .windows(4)
                .position(|window| window == b"\r\n\r\n")
                .unwrap();
            let text = std::str::from_utf8(&part[..head]).unwrap();
            let rest = text
                .strip_prefix("Content-Disposition: form-data; name=\"")
                .unwrap();
            let (name, rest) = rest.split_once('"').unwrap();
            (name.to_owned(), rest.to_owned(), part[head + 4..].to_vec())
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_picture_is_a_part_beside_the_others() {
    let server = server();
    let http = server.client();
    let reference = MessageReference::new("quoted");
    http.channel(7)
        .send("小明 \"hi\"")
        .reply_to("m1")
        .reference(reference)
        .image_bytes(PNG)
        .await
        .unwrap();
    http.direct(8).send("").image_bytes(PNG).await.unwrap();
    let received = server.received();
    assert_eq!(
        (&*received[0].path, &*received[1].path),
        ("/channels/7/messages", "/dms/8/messages")
    );
    let found = parts(
        received[0].header("content-type").unwrap(),
        &received[0].body,
    );
    let names: Vec<_> = found.iter().map(|(name, ..)| &**name).collect();
    assert_eq!(
        names,
        ["content", "message_reference", "msg_id", "file_image"]
    );
    assert_eq!(found[0].2, "小明 \"hi\"".as_bytes());
    assert_eq!(found[2].2, b"m1");
    assert_eq!(found[1].1, "\r\nContent-Type: application/json");
    let reference: Value = serde_json::from_slice(&found[1].2).unwrap();
    assert_eq!(reference["message_reference"]["message_id"], "quoted");
    assert_eq!(
        found[3].1,
        "; filename=\"file_image\"\r\nContent-Type: image/png"
    );
    assert_eq!(found[3].2, PNG);
    let found = parts(
        received[1].header("content-type").unwrap(),
        &received[1].body,
    );
    assert_eq!(found.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_picture_is_for_guild_scenes() {
    let server = server();
    let http = server.client();
    for (message, why) in [
        (http.group("G").send("x").image_bytes(PNG), "upload"),
        (http.user("U").send("x").image_bytes(PNG), "upload"),
        (
            http.channel(1).send("x").image_bytes(""),
            "file_image is empty",
        ),
        (
            http.channel(1)
                .send(qq_model::outgoing::MessageBody::image(
                    "https://a.example/b.png",
                ))
                .image_bytes(PNG),
            "exclude",
        ),
        (http.channel(1).send(""), "content"),
    ] {
        let error = message.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.to_string().contains(why), "{error}");
    }
    assert!(server.received().is_empty());
}
