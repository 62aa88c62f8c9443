//! Uploads that meet faults: what is repeated, how often, for how long, and what is left behind.

use std::time::Duration;

use qq_http::{Error, ErrorKind, Upload, Uploaded};
use serde_json::json;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout};

use super::server::{Received, Reply, Server, refusal};
use super::upload_rules::{Platform, Play, Twist};
use super::uploads::{bytes, in_parts};

const SIZE: usize = 4 * 64 * 1024 + 9;

async fn upload(server: &Server) -> Result<Uploaded, Error> {
    let upload = Upload::bytes(bytes(SIZE));
    server
        .client()
        .group("G")
        .upload(upload)
        .policy(in_parts())
        .await
}

fn is_put(request: &Received) -> bool {
    request.is_storage()
}

fn denied() -> Reply {
    let page = "<Error><Code>AccessDenied</Code><Message>canary-sign</Message></Error>";
    Reply::Page(403, "application/xml", page.into())
}

/// Secrets and signed addresses show nowhere.
fn assert_discreet(error: &Error) {
    let mut shown = format!("{error} {error:?}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        shown += &format!("{error} {error:?}");
        cause = error.source();
    }
    assert!(!shown.contains("canary"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_passes_is_made_up_for() {
    type Fault = fn(&Received, usize) -> Option<Twist>;
    let faults: [(&str, Fault); 7] = [
        ("a part fails", |request, turn| {
            (is_put(request) && turn == 1)
                .then(|| Twist::Instead(Reply::Page(500, "text/html", "oops".into())))
        }),
        ("a part breaks twice", |request, turn| {
            (is_put(request) && turn < 2).then_some(Twist::Instead(Reply::Break))
        }),
        ("the answer to a part is lost", |request, turn| {
            (is_put(request) && turn == 2).then_some(Twist::After(Reply::Break))
        }),
        ("the answer to a report is lost", |request, turn| {
            (request.call() == "upload_part_finish" && turn == 1)
                .then_some(Twist::After(Reply::Break))
        }),
        ("a report fails", |request, turn| {
            (request.call() == "upload_part_finish" && turn == 0)
                .then(|| Twist::Instead(Reply::Page(502, "text/html", "<html>".into())))
        }),
        ("the end fails", |request, turn| {
            (request.call() == "files" && turn < 2).then(|| Twist::Instead(refusal(500, 850_027)))
        }),
        ("the beginning breaks", |request, turn| {
            (request.call() == "upload_prepare" && turn == 0)
                .then_some(Twist::Instead(Reply::Break))
        }),
    ];
    for (what, fault) in faults {
        let (platform, server) = Platform::start(Play::default(), fault);
        upload(&server)
            .await
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(platform.files() == [bytes(SIZE)], "{what}");
        assert_eq!(
            server.count("upload_prepare"),
            if what.contains("beginning") { 2 } else { 1 }
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_part_that_keeps_failing_ends_the_upload() {
    let (platform, server) = Platform::start(
        Play {
            concurrency: 1,
            ..Play::default()
        },
        |request, _| {
            is_put(request).then(|| Twist::Instead(Reply::Page(503, "text/plain", String::new())))
        },
    );
    let error = upload(&server).await.unwrap_err();
    assert_eq!(
        (
            error.status().unwrap().as_u16(),
            error.attempts(),
            server.count("PUT")
        ),
        (503, 3, 3)
    );
    assert_eq!(
        (error.kind(), error.route()),
        (ErrorKind::Http, Some("{presigned_url}"))
    );
    assert!(platform.files().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_busy_platform_is_asked_again_at_its_pace() {
    let begin = Instant::now();
    let (platform, server) = Platform::start(
        Play {
            concurrency: 1,
            ..Play::default()
        },
        move |request, _| {
            let is_busy =
                request.call() == "upload_part_finish" && begin.elapsed() < Duration::from_secs(30);
            is_busy.then(|| Twist::Instead(refusal(400, 40_093_001)))
        },
    );
    upload(&server).await.unwrap();
    assert_eq!(platform.files().len(), 1);
    // Every second for thirty seconds, and once for each of the five parts.
    assert_eq!(server.count("upload_part_finish"), 30 + 5);
    assert_eq!(server.count("PUT"), 5);
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_stays_busy_is_given_up_when_it_said() {
    let begin = Instant::now();
    let (_, server) = Platform::start(
        Play {
            concurrency: 1,
            ..Play::default()
        },
        |request, _| {
            (request.call() == "upload_part_finish")
                .then(|| Twist::Instead(refusal(400, 40_093_001)))
        },
    );
    let error = upload(&server).await.unwrap_err();
    assert!(error.has_code(40_093_001));
    let waited = begin.elapsed().as_secs();
    assert!((118..=120).contains(&waited), "{waited}");
    assert_eq!(server.count("upload_part_finish"), 120);
}

#[tokio::test(start_paused = true)]
async fn a_volume_that_is_used_up_is_final() {
    for call in ["upload_prepare", "upload_part_finish", "files"] {
        let (_, server) = Platform::start(
            Play {
                concurrency: 1,
                ..Play::default()
            },
            move |request, _| {
                (request.call() == call).then(|| Twist::Instead(refusal(400, 40_093_002)))
            },
        );
        let error = upload(&server).await.unwrap_err();
        assert!(
            error.has_code(40_093_002) && !error.is_outcome_unknown(),
            "{error}"
        );
        assert_eq!(server.count(call), 1, "{call}");
    }
}

#[tokio::test(start_paused = true)]
async fn expired_addresses_are_asked_for_anew_once() {
    let (platform, server) = Platform::start(Play::default(), |request, turn| {
        (is_put(request) && turn == 3).then(|| Twist::Instead(denied()))
    });
    upload(&server).await.unwrap();
    assert_eq!((platform.begun(), platform.files().len()), (2, 1));

    let (platform, server) = Platform::start(Play::default(), |request, _| {
        is_put(request).then(|| Twist::Instead(denied()))
    });
    let error = upload(&server).await.unwrap_err();
    assert_eq!(
        (platform.begun(), error.status().unwrap().as_u16()),
        (2, 403)
    );
    assert!(error.to_string().contains("AccessDenied"), "{error}");
    assert_discreet(&error);
}

#[tokio::test(start_paused = true)]
async fn a_page_keeps_its_status() {
    let (_, server) = Platform::start(Play::default(), |request, _| {
        let page = "<html>Request Entity Too Large</html>";
        (request.call() == "files")
            .then(|| Twist::Instead(Reply::Page(413, "text/html", page.into())))
    });
    for policy in [in_parts(), qq_http::UploadPolicy::default()] {
        let before = server.count("files");
        let error = server
            .client()
            .group("G")
            .upload(Upload::bytes(bytes(SIZE)))
            .policy(policy)
            .await
            .unwrap_err();
        assert_eq!(
            (error.status().unwrap().as_u16(), error.kind()),
            (413, ErrorKind::Http)
        );
        assert_eq!(server.count("files"), before + 1);
        assert_discreet(&error);
    }
}

#[tokio::test(start_paused = true)]
async fn bytes_go_where_the_platform_said_and_nowhere_else() {
    let (_, server) = Platform::start(Play::default(), |request, _| {
        is_put(request).then(|| Twist::Instead(Reply::Page(307, "text/plain", String::new())))
    });
    let error = upload(&server).await.unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 307);
    assert!(
        server
            .received()
            .iter()
            .all(|request| request.host.starts_with("127.0.0.1:"))
    );

    let storage = "http://cos.example".to_owned();
    let (_, server) = Platform::fair(Play {
        storage,
        ..Play::default()
    });
    let error = upload(&server).await.unwrap_err();
    assert!(error.to_string().contains("plain http"), "{error}");
    assert_eq!((error.kind(), server.count("PUT")), (ErrorKind::Decode, 0));
}

#[tokio::test(start_paused = true)]
async fn every_wait_has_an_end() {
    let begin = Instant::now();
    let (_, server) = Platform::start(Play::default(), |request, _| {
        is_put(request).then_some(Twist::Instead(Reply::Stall))
    });
    let policy = in_parts().part_timeout(Duration::from_secs(20)).attempts(2);
    let error = server
        .client()
        .group("G")
        .upload(Upload::bytes(bytes(SIZE)))
        .policy(policy)
        .await
        .unwrap_err();
    assert!(error.is_timeout() && error.kind() == ErrorKind::Timeout);
    // Two attempts, and a second between them.
    assert_eq!(begin.elapsed().as_secs(), 41);

    let begin = Instant::now();
    let policy = in_parts().timeout(Duration::from_secs(7));
    let error = server
        .client()
        .group("G")
        .upload(Upload::bytes(bytes(SIZE)))
        .policy(policy)
        .await
        .unwrap_err();
    assert!(
        error.is_timeout() && error.to_string().contains("7 s"),
        "{error}"
    );
    assert_eq!(begin.elapsed().as_secs(), 7);
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_is_dropped_leaves_nothing() {
    let folder = std::env::temp_dir().join(format!("qq-cancel-test-{:x}", fastrand::u64(..)));
    std::fs::create_dir(&folder).unwrap();
    let (_, server) = Platform::start(Play::default(), |request, turn| {
        (is_put(request) && turn > 0).then_some(Twist::Instead(Reply::Stall))
    });
    let http = server.client();
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let call = http
        .group("G")
        .upload(Upload::reader(std::io::Cursor::new(bytes(SIZE))))
        .policy(in_parts().spool_dir(&folder));
    timeout(Duration::from_secs(5), call.into_future())
        .await
        .unwrap_err();
    // Three parts were under way at once, as the server allowed; the first of them was stored.
    let sent = server.received().len();
    assert_eq!(
        (server.count("PUT"), server.count("upload_part_finish")),
        (4, 1)
    );
    drop(http);
    sleep(Duration::from_secs(600)).await;
    assert_eq!(server.received().len(), sent);
    // Not even connections: the server's ends are gone with the client's.
    assert_eq!(tasks(), 0);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    std::fs::remove_dir(&folder).unwrap();
}

#[tokio::test(start_paused = true)]
async fn answers_that_make_no_sense_are_errors() {
    for answer in [
        json!({}),
        json!({"upload_id": "u", "block_size": 0, "parts": [{"index": 1, "presigned_url": "http://127.0.0.1:7/cos/0/0"}]}),
        json!({"upload_id": "u", "block_size": 5, "parts": [{"index": 1, "presigned_url": "http://127.0.0.1:7/cos/0/0"}]}),
        json!({"upload_id": "u", "block_size": "x"}),
        json!({"upload_id": "u", "block_size": 1 << 30, "parts": [{"index": 1, "presigned_url": "not an address"}]}),
        json!([]),
    ] {
        let shown = answer.to_string();
        let server = Server::new(move |_| Reply::Json(200, answer.clone()));
        let error = upload(&server).await.unwrap_err();
        // A field that cannot be read is left out by the model, which then lacks something.
        assert!(
            matches!(error.kind(), ErrorKind::Decode),
            "{shown}: {error:?}"
        );
    }
}
