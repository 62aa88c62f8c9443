//! Uploads that go well: sources, sizes, answers at once, the cache.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use qq_http::{ErrorKind, Upload, UploadLimits, UploadPolicy, UploadStep};
use qq_model::outgoing::{FileType, MessageBody};
use serde_json::json;
use tokio::io::AsyncRead;
use tokio::time::advance;

use super::server::{Reply, Server};
use super::upload_rules::{Platform, Play};

const KIB: usize = 1024;

pub(crate) fn bytes(size: usize) -> Vec<u8> {
    (0..=250).cycle().take(size).collect()
}

pub(crate) fn in_parts() -> UploadPolicy {
    UploadPolicy::default().chunked_from(1)
}

/// A reader that gives a little at a time and does not tell how much there is.
fn reader(bytes: &[u8]) -> impl AsyncRead + Send + use<> {
    tokio::io::AsyncReadExt::chain(
        std::io::Cursor::new(bytes[..bytes.len() / 3].to_vec()),
        std::io::Cursor::new(bytes[bytes.len() / 3..].to_vec()),
    )
}

#[tokio::test(start_paused = true)]
async fn what_is_small_goes_in_one_body() {
    for size in [1, 2, 3, 70_000] {
        let (platform, server) = Platform::fair(Play::default());
        let http = server.client();
        let uploaded = http
            .group("G")
            .upload(Upload::bytes(bytes(size)))
            .name("x.png")
            .await
            .unwrap();
        assert_eq!(
            (&*uploaded.file_info, uploaded.ttl),
            ("groups-1", Some(Duration::from_secs(300)))
        );
        http.user("U")
            .upload(Upload::reader(reader(&bytes(size))))
            .kind(FileType::Voice)
            .await
            .unwrap();
        assert_eq!(platform.files(), [bytes(size), bytes(size)]);
        let sent: Vec<_> = server
            .received()
            .iter()
            .map(|request| {
                let body = request.json();
                (
                    request.path.clone(),
                    body["file_type"].clone(),
                    body["file_name"].clone(),
                )
            })
            .collect();
        assert_eq!(
            sent,
            [
                ("/v2/groups/G/files".into(), json!(1), json!("x.png")),
                ("/v2/users/U/files".into(), json!(3), json!("file")),
            ]
        );
        assert_eq!(
            serde_json::to_value(MessageBody::from(&uploaded).v2()).unwrap(),
            json!({"msg_type": 7, "media": {"file_info": "groups-1"}})
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_goes_as_it_is() {
    let (_, server) = Platform::fair(Play::default());
    let upload = Upload::url("https://a.example/b/c.mp4?x=1");
    server.client().group("G").upload(upload).await.unwrap();
    assert_eq!(
        server.received()[0].json(),
        json!({
            "file_type": 2, "url": "https://a.example/b/c.mp4?x=1", "srv_send_msg": false, "file_name": "c.mp4",
        })
    );
    let error = server
        .client()
        .group("G")
        .upload(Upload::url("file:///etc/passwd"))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), server.received().len()),
        (ErrorKind::InvalidRequest, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn parts_follow_the_list_wherever_its_numbers_begin() {
    for (first_index, are_texts) in [(0, true), (1, false), (1, true), (5, false)] {
        let play = Play {
            first_index,
            are_texts,
            ..Play::default()
        };
        let (platform, server) = Platform::fair(play);
        let file = bytes(5 * 64 * KIB + 17);
        let upload = Upload::bytes(file.clone());
        server
            .client()
            .user("U")
            .upload(upload)
            .name("a.bin")
            .policy(in_parts())
            .await
            .unwrap();
        assert_eq!(platform.files(), [file]);
        let calls = ["upload_prepare", "PUT", "upload_part_finish", "files"];
        assert_eq!(calls.map(|call| server.count(call)), [1, 6, 6, 1]);
    }
}

#[tokio::test(start_paused = true)]
async fn large_files_go_in_parts_by_default() {
    for block in [5 << 20, 10 << 20] {
        let (platform, server) = Platform::fair(Play {
            block,
            ..Play::default()
        });
        let file = bytes((10 << 20) + 1);
        server
            .client()
            .group("G")
            .upload(Upload::bytes(file.clone()))
            .await
            .unwrap();
        assert!(platform.files() == [file], "the other end has other bytes");
        assert_eq!(server.count("PUT"), (10 << 20) / block + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn files_and_readers_arrive_as_they_are() {
    let folder = std::env::temp_dir().join(format!("qq-upload-test-{:x}", fastrand::u64(..)));
    std::fs::create_dir_all(folder.join("spool")).unwrap();
    let path = folder.join("小明.pdf");
    let file = bytes(3 * 64 * KIB + 1);
    std::fs::write(&path, &file).unwrap();
    let (platform, server) = Platform::fair(Play::default());
    let policy = in_parts().spool_dir(folder.join("spool"));
    let (http, size) = (server.client(), file.len() as u64);
    for upload in [
        Upload::file(&path),
        Upload::reader(reader(&file)),
        Upload::reader_with_size(reader(&file), size),
    ] {
        http.group("G")
            .upload(upload)
            .policy(policy.clone())
            .fresh()
            .await
            .unwrap();
    }
    assert_eq!(platform.files(), vec![file; 3]);
    assert_eq!(server.received()[0].json()["file_name"], "小明.pdf");
    for upload in [Upload::file(&folder), Upload::file(folder.join("none"))] {
        let error = http.group("G").upload(upload).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    }
    // Nothing is left of the readers.
    assert_eq!(std::fs::read_dir(folder.join("spool")).unwrap().count(), 0);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_is_refused_before_anything_is_sent() {
    let (_, server) = Platform::fair(Play::default());
    let limits = UploadLimits::default()
        .with(FileType::Image, 1000)
        .with(FileType::File, 100_000);
    let policy = in_parts().limits(limits);
    let http = server.client();
    for (upload, name, why) in [
        (
            Upload::bytes(bytes(1001)),
            "a.png",
            "image is too large: 1001 bytes, the limit is 1000",
        ),
        (
            Upload::reader(reader(&bytes(1001))),
            "a.png",
            "image is too large: more than 1000",
        ),
        (
            Upload::reader(tokio::io::repeat(0)),
            "a.bin",
            "file is too large: more than 100000",
        ),
        (
            Upload::reader_with_size(tokio::io::repeat(0), 100_001),
            "a.bin",
            "100001 bytes, the limit is 100000",
        ),
        (
            Upload::reader_with_size(reader(&bytes(50)), 51),
            "a.bin",
            "ended after 50 of the 51",
        ),
        (
            Upload::reader_with_size(reader(&bytes(50)), 49),
            "a.bin",
            "more than the 49",
        ),
        (Upload::bytes(""), "a.bin", "empty"),
        (Upload::reader(tokio::io::empty()), "a.bin", "empty"),
        (Upload::bytes("x"), "a\nb", "name"),
    ] {
        let error = http
            .group("G")
            .upload(upload)
            .name(name)
            .policy(policy.clone())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.to_string().contains(why), "{error}");
    }
    let error = http.group("").upload(Upload::bytes("x")).await.unwrap_err();
    assert!(error.to_string().contains("group_openid"), "{error}");
    assert!(server.received().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_file_that_the_platform_has_is_not_sent() {
    for (answer, calls) in [
        (
            json!({"file_uuid": "u", "file_info": "instant", "ttl": 60}),
            1,
        ),
        (
            json!({"upload_id": "u", "block_size": "5242880", "parts": []}),
            2,
        ),
    ] {
        let server = Server::new(move |request| match request.call() {
            "upload_prepare" => Reply::Json(200, answer.clone()),
            _ => Reply::Json(200, json!({"file_info": "instant", "ttl": 60})),
        });
        let upload = Upload::bytes(bytes(300));
        let uploaded = server
            .client()
            .group("G")
            .upload(upload)
            .policy(in_parts())
            .await
            .unwrap();
        assert_eq!(&*uploaded.file_info, "instant");
        assert_eq!(server.received().len(), calls);
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_is_used_again_while_it_is_good() {
    let (_, server) = Platform::fair(Play::default());
    let http = server.client();
    let group = || {
        http.group("G")
            .upload(Upload::bytes("picture"))
            .kind(FileType::Image)
    };
    let first = group().await.unwrap();
    let again = group().await.unwrap();
    assert_eq!(
        (&again.file_info, again.is_cached, first.is_cached),
        (&first.file_info, true, false)
    );
    // Not for the other kind of chat, not as another kind, not when it should be fresh, not for another bot.
    let user = http
        .user("U")
        .upload(Upload::bytes("picture"))
        .kind(FileType::Image)
        .await
        .unwrap();
    let file = group().kind(FileType::File).await.unwrap();
    let fresh = group().fresh().await.unwrap();
    let other = server
        .client()
        .group("G")
        .upload(Upload::bytes("picture"))
        .kind(FileType::Image)
        .await
        .unwrap();
    let infos = [&first, &user, &file, &fresh, &other].map(|uploaded| &*uploaded.file_info);
    assert_eq!(
        infos,
        ["groups-1", "users-2", "groups-3", "groups-4", "groups-5"]
    );
    advance(Duration::from_secs(280)).await;
    assert_eq!(&*group().await.unwrap().file_info, "groups-6");
}

#[tokio::test(start_paused = true)]
async fn progress_grows_and_ends() {
    let (_, server) = Platform::fair(Play::default());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let size = 4 * 64 * KIB as u64 + 5;
    let upload = Upload::bytes(bytes(4 * 64 * KIB + 5));
    let call = server.client().group("G").upload(upload).policy(in_parts());
    let sink = Arc::clone(&seen);
    call.progress(move |progress| sink.lock().unwrap().push(progress))
        .await
        .unwrap();
    let seen = seen.lock().unwrap();
    for step in [UploadStep::Reading, UploadStep::Sending, UploadStep::Done] {
        let bytes: Vec<_> = seen
            .iter()
            .filter(|progress| progress.step == step)
            .map(|progress| progress.bytes)
            .collect();
        assert!(
            bytes.is_sorted() && bytes.last() == Some(&size),
            "{step:?} {bytes:?}"
        );
    }
    assert!(seen.iter().all(|progress| progress.total == Some(size)));
    assert_eq!(
        seen.iter()
            .filter(|progress| progress.step == UploadStep::Sending)
            .count(),
        6
    );
}
