//! Servers that cannot be used.

use qq_model::Token;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::{Cluster, ClusterConfig, ClusterErrorKind};

/// Starting fails in this way, and says so in these words.
async fn fails(config: ClusterConfig, kind: ClusterErrorKind, words: &str) {
    let token = Token::new("1", "a-secret");
    let error = Cluster::connect(config, &token).await.unwrap_err();
    assert_eq!(error.kind(), kind, "{error:?}");
    assert!(format!("{error:?}").contains(words), "{error:?}");
}

#[tokio::test]
async fn no_server_and_one_that_is_too_old() {
    let nobody = ClusterConfig::new("nats://127.0.0.1:9");
    fails(nobody, ClusterErrorKind::Unreachable, "nats-server -js").await;
    fails(
        ClusterConfig::new("nats://127.0.0.1:no"),
        ClusterErrorKind::Configuration,
        "servers",
    )
    .await;

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let _server = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let info = r#"INFO {"server_id":"x","server_name":"x","version":"2.8.4","proto":1,"max_payload":1048576,"headers":true}"#;
            let _ = stream
                .write_all(format!("{info}\r\nPONG\r\n").as_bytes())
                .await;
            open.push(stream);
        }
    }));
    let old = ClusterConfig::new(format!("nats://{address}"));
    fails(old, ClusterErrorKind::ServerTooOld, "2.8.4").await;
}
