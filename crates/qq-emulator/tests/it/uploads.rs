//! Files are uploaded whole and in parts, sent, and downloaded again.

use std::time::Duration;

use qq_emulator::Say;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::api::{Api, assert_like, empty, ids};
use crate::client::{codes, connect, http, quick, start, start_with};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nnot really";

fn hex<D: md5::Digest>(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&D::digest(bytes))
}

fn prepare(bytes: &[u8]) -> Value {
    let md5 = hex::<md5::Md5>(bytes);
    json!({
        "file_type": 4, "file_size": bytes.len(), "file_name": "notes.txt",
        "md5": md5, "sha1": hex::<sha1::Sha1>(bytes), "md5_10m": md5,
    })
}

fn path_of(url: &str) -> String {
    url.splitn(4, '/')
        .nth(3)
        .map(|path| format!("/{path}"))
        .unwrap()
}

#[tokio::test]
async fn a_picture_is_uploaded_sent_and_downloaded() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let (group, user) = (&ids.group, &ids.users[0].1);
    let body = json!({"file_type": 1, "url": "", "srv_send_msg": false,
                      "file_data": data_encoding::BASE64.encode(PNG)});
    let file = api
        .ok("POST", &format!("/v2/groups/{group}/files"), body.clone())
        .await;
    assert_like(&file, "upload_c2c_file");
    let media = json!({"msg_type": 7, "content": " ", "media": file});
    let to_group = format!("/v2/groups/{group}/messages");
    let sent = api.ok("POST", &to_group, media.clone()).await;
    assert!(sent["id"].is_string());
    // It may be used again, but not in the other scene.
    api.ok("POST", &to_group, media.clone()).await;
    let to_user = format!("/v2/users/{user}/messages");
    assert_eq!(api.refused("POST", &to_user, media.clone()).await, 304_080);
    let uuid = file["file_uuid"].as_str().unwrap();
    let mut stream = connect(&emulator).await;
    let request = format!("GET /cos/file/{uuid} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.ends_with(PNG));
    assert!(String::from_utf8_lossy(&answer).contains("content-type: image/png"));

    emulator.advance(Duration::from_secs(300));
    assert_eq!(api.refused("POST", &to_group, media).await, 304_080);

    // At once, as a message that answers nothing.
    let mut body = body;
    body["srv_send_msg"] = true.into();
    let before = emulator.outbox().len();
    let file = api
        .ok("POST", &format!("/v2/users/{user}/files"), body)
        .await;
    let entry = emulator.outbox().pop().unwrap();
    assert_eq!(emulator.outbox().len(), before + 1);
    assert_eq!(file["id"], entry.message_id);
    assert_eq!(entry.body["media"]["file_info"], file["file_info"]);
    let logged = serde_json::to_string(&emulator.requests()).unwrap();
    assert!(logged.len() < 100_000);
}

#[tokio::test]
async fn bad_files_are_refused() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let files = format!("/v2/users/{}/files", ids.users[0].1);
    let text = data_encoding::BASE64.encode(b"text");
    for (body, code) in [
        (json!({"file_type": 1}), 40_034_125),
        (json!({"file_type": 1, "url": "ftp://x"}), 850_026),
        (
            json!({"file_type": 1, "file_data": "data:image/png;base64,AA"}),
            850_019,
        ),
        (json!({"file_type": 1, "file_data": text}), 850_019),
        (json!({"file_type": 9, "file_data": text}), 850_019),
        (json!({"upload_id": "none"}), 10_000),
    ] {
        assert_eq!(api.refused("POST", &files, body).await, code);
    }
    assert_eq!(
        api.refused(
            "POST",
            "/v2/users/nobody/files",
            json!({"file_type": 4, "file_data": text})
        )
        .await,
        11_255
    );
    emulator.change_settings(|settings| {
        settings.file_data_limit = 4;
    });
    let large = api
        .call("POST", &files, &json!({"file_type": 4, "file_data": text}))
        .await;
    assert_eq!((large.status, large.code()), (500, 850_012));
    emulator.change_settings(|settings| {
        settings.file_data_limit = 100;
        settings.upload_daily_volume = 5;
    });
    let body = json!({"file_type": 4, "file_data": text});
    api.ok("POST", &files, body.clone()).await;
    assert_eq!(api.refused("POST", &files, body).await, 40_093_002);
    assert!(codes(&emulator).contains(&"rest.upload.volume".to_owned()));
}

#[tokio::test]
async fn a_file_in_parts() {
    for first in [1, 0] {
        let emulator = start_with(quick().settings(|settings| {
            settings.upload_block_size = 10;
            settings.upload_first_index = first;
        }))
        .await;
        let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
        let base = format!("/v2/groups/{}", ids.group);
        let bytes = b"twenty-five bytes of text";
        let prepared = api
            .ok("POST", &format!("{base}/upload_prepare"), prepare(bytes))
            .await;
        assert_like(&prepared, "c2c_upload_prepare");
        let parts = prepared["parts"].as_array().unwrap();
        assert_eq!(parts.len(), 3);
        assert_eq!(parts[2]["block_size"], "5");
        let id = &prepared["upload_id"];
        let finish = format!("{base}/upload_part_finish");
        for (part, chunk) in parts.iter().zip(bytes.chunks(10)) {
            assert!(part["index"].as_u64().unwrap() >= u64::from(first));
            let done = json!({"upload_id": id, "part_index": part["index"],
                              "block_size": chunk.len(), "md5": hex::<md5::Md5>(chunk)});
            // Not sent yet; then sent to the wrong place, too short, and right.
            assert_eq!(api.refused("POST", &finish, done.clone()).await, 40_093_001);
            let path = path_of(part["presigned_url"].as_str().unwrap());
            let text = std::str::from_utf8(chunk).unwrap();
            let unsigned = path.split('?').next().unwrap();
            assert_eq!(http(&emulator, "PUT", unsigned, "", text).await.status, 403);
            assert_eq!(http(&emulator, "PUT", &path, "", "x").await.status, 400);
            let put = http(&emulator, "PUT", &path, "", text).await;
            assert_eq!(put.status, 200);
            assert!(put.header("etag").is_some());
            let mut wrong = done.clone();
            wrong["md5"] = "0".repeat(32).into();
            assert_eq!(api.refused("POST", &finish, wrong).await, 10_000);
            // Twice is as good as once.
            assert_eq!(api.ok("POST", &finish, done.clone()).await, empty());
            assert_eq!(api.ok("POST", &finish, done).await, empty());
        }
        let files = format!("{base}/files");
        let file = api.ok("POST", &files, json!({"upload_id": id})).await;
        assert_eq!(
            api.refused("POST", &files, json!({"upload_id": id})).await,
            10_000
        );
        let uuid = file["file_uuid"].as_str().unwrap();
        let back = http(&emulator, "GET", &format!("/cos/file/{uuid}"), "", "").await;
        assert_eq!(back.body.as_bytes(), bytes);
        assert_eq!(
            back.header("content-disposition"),
            Some("inline; filename=\"notes.txt\"")
        );
        // The same file again: nothing is left to send.
        let again = api
            .ok("POST", &format!("{base}/upload_prepare"), prepare(bytes))
            .await;
        assert_eq!(again["parts"], json!([]));
        let merged = json!({"upload_id": again["upload_id"], "file_type": 4});
        let again = api.ok("POST", &files, merged).await;
        let message = json!({"msg_type": 7, "media": {"file_info": again["file_info"]}});
        api.ok("POST", &format!("{base}/messages"), message).await;
    }
}

#[tokio::test]
async fn uploads_in_parts_fail_as_documented() {
    let emulator = start_with(quick().settings(|settings| {
        settings.upload_block_size = 10;
        settings.upload_part_failures = 1;
    }))
    .await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let base = format!("/v2/users/{}", ids.users[0].1);
    let bytes = b"eleven byte";
    let mut bad = prepare(bytes);
    bad["md5_10m"] = "0".repeat(32).into();
    let path = format!("{base}/upload_prepare");
    assert_eq!(api.refused("POST", &path, bad).await, 40_034_125);
    let mut huge = prepare(bytes);
    huge["file_size"] = "999999999999".into();
    assert_eq!(api.refused("POST", &path, huge).await, 850_031);
    let prepared = api.ok("POST", &path, prepare(bytes)).await;
    let id = &prepared["upload_id"];
    let done = json!({"upload_id": id, "part_index": 7, "block_size": "10", "md5": "x"});
    let finish = format!("{base}/upload_part_finish");
    assert_eq!(api.refused("POST", &finish, done.clone()).await, 40_093_001);
    assert_eq!(api.refused("POST", &finish, done).await, 10_000);
    let files = format!("{base}/files");
    assert_eq!(
        api.refused("POST", &files, json!({"upload_id": id})).await,
        40_093_001
    );
    // Of this user only, and only for a day.
    let other = format!("/v2/users/{}/files", ids.users[1].1);
    assert_eq!(
        api.refused("POST", &other, json!({"upload_id": id})).await,
        10_000
    );
    emulator.advance(Duration::from_secs(24 * 3600));
    let part = path_of(prepared["parts"][0]["presigned_url"].as_str().unwrap());
    assert_eq!(
        http(&emulator, "PUT", &part, "", "eleven byt").await.status,
        403
    );
    emulator.expire_tokens();
    let api = Api::new(&emulator).await;
    assert_eq!(
        api.refused("POST", &files, json!({"upload_id": id})).await,
        10_000
    );
}

#[tokio::test]
async fn a_stream_grows_and_becomes_a_message() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let said = emulator.say(Say::c2c("tell me")).await;
    let path = format!("/v2/users/{}/stream_messages", ids.users[0].1);
    let frame = |index: i64, state: i64, mode: &str, text: &str, id: &Value| {
        let mut body = json!({"input_mode": mode, "input_state": state, "index": index,
            "content_type": "markdown", "content_raw": text, "msg_id": said.message_id, "msg_seq": 1});
        if !id.is_null() {
            body["stream_msg_id"] = id.clone();
        }
        body
    };
    let none = Value::Null;
    assert_eq!(
        api.refused("POST", &path, frame(1, 1, "append", "x", &none))
            .await,
        40_034_125
    );
    assert_eq!(
        api.refused("POST", &path, frame(0, 2, "append", "x", &none))
            .await,
        50_059
    );
    assert_eq!(
        api.refused("POST", &path, frame(0, 1, "add", "x", &none))
            .await,
        50_059
    );
    let first = api
        .ok("POST", &path, frame(0, 1, "append", "once", &none))
        .await;
    assert_like(&first, "send_c2c_stream_message");
    let id = &first["id"];
    // The same answer cannot be begun twice.
    assert_eq!(
        api.refused("POST", &path, frame(0, 1, "append", "x", &none))
            .await,
        40_054_005
    );
    api.ok("POST", &path, frame(1, 1, "append", " upon", id))
        .await;
    // A retry of the same frame does no harm.
    api.ok("POST", &path, frame(1, 1, "append", " upon", id))
        .await;
    assert_eq!(
        api.refused("POST", &path, frame(1, 1, "append", "!", id))
            .await,
        40_034_125
    );
    assert_eq!(
        api.refused("POST", &path, frame(0, 1, "append", "!", id))
            .await,
        40_034_125
    );
    assert_eq!(
        api.refused("POST", &path, frame(2, 1, "replace", "twice", id))
            .await,
        40_007
    );
    let mut seq = frame(2, 1, "append", "!", id);
    seq["msg_seq"] = 2.into();
    assert_eq!(api.refused("POST", &path, seq).await, 40_034_125);
    emulator.change_settings(|settings| settings.stream_frames_per_second = 1);
    // However slow the machine is, two frames come within one second before long.
    let mut index = 2;
    let refused = loop {
        let more = frame(index, 1, "append", "", id);
        let answer = api.call("POST", &path, &more).await;
        if answer.status != 200 {
            break answer.code();
        }
        index += 1;
        assert!(index < 1_000);
    };
    assert_eq!(refused, 50_002);
    emulator.change_settings(|settings| settings.stream_frames_per_second = 0);
    assert!(emulator.outbox().is_empty());
    assert!(!codes(&emulator).contains(&"rest.stream.gap".to_owned()));
    // A number that was used in vain need not be used again.
    let last = frame(index + 1, 10, "replace", "once upon a time", id);
    let last = api.ok("POST", &path, last).await;
    assert_eq!(&last["id"], id);
    let entry = emulator.outbox().pop().unwrap();
    assert_eq!(
        (entry.text(), entry.message_id.as_str()),
        ("once upon a time", id.as_str().unwrap())
    );
    assert_eq!(entry.reply_to.as_deref(), Some(said.message_id.as_str()));
    assert!(codes(&emulator).contains(&"rest.stream.gap".to_owned()));
    assert_eq!(
        api.refused("POST", &path, frame(index + 2, 1, "append", "!", id))
            .await,
        40_034_125
    );
}

#[tokio::test]
async fn an_unfinished_stream_is_rolled_back() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let path = format!("/v2/users/{}/stream_messages", ids.users[0].1);
    let mut body =
        json!({"input_state": 1, "index": 0, "content_type": "text", "content_raw": "a"});
    let first = api.ok("POST", &path, body.clone()).await;
    emulator.advance(Duration::from_secs(60));
    body["index"] = 1.into();
    body["stream_msg_id"] = first["id"].clone();
    assert_eq!(api.refused("POST", &path, body).await, 40_034_125);
    assert!(codes(&emulator).contains(&"rest.stream.unfinished".to_owned()));
    assert!(emulator.outbox().is_empty());
}

#[tokio::test]
async fn planned_faults_hit_parts() {
    let emulator = start_with(quick().settings(|settings| settings.upload_block_size = 10)).await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let base = format!("/v2/users/{}", ids.users[0].1);
    let path = format!("{base}/upload_prepare");
    let prepared = api.ok("POST", &path, prepare(b"ten bytes.")).await;
    let part = path_of(prepared["parts"][0]["presigned_url"].as_str().unwrap());
    let route = "put_upload_part";
    emulator
        .fault(qq_emulator::Fault::route(route).nth(1).status(500))
        .unwrap();
    emulator
        .fault(qq_emulator::Fault::route(route).nth(2).html(502))
        .unwrap();
    for status in [500, 502, 200] {
        assert_eq!(
            http(&emulator, "PUT", &part, "", "ten bytes.").await.status,
            status
        );
    }
    assert_eq!(emulator.faults()[0].matched, 3);
}
