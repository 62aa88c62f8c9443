//! Gateways behind TLS.

use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use qq_gateway::{CloseMode, Phase, Shard, ShardErrorKind};
use qq_model::{BearerToken, Intents};
use qq_transport::Tls;
use rcgen::CertifiedKey;
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

use crate::fake::network;

const HOST: &str = "gateway.example";

fn identity() -> (TlsAcceptor, Tls) {
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed([HOST.to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    (
        TlsAcceptor::from(Arc::new(config)),
        Tls::with_extra_roots([cert.der()]).unwrap(),
    )
}

fn builder(host: &str) -> qq_gateway::ShardBuilder {
    Shard::builder(
        format!("wss://{host}/websocket"),
        BearerToken::new("t"),
        Intents::default(),
    )
}

#[tokio::test]
async fn a_session_over_tls() {
    let (acceptor, tls) = identity();
    let (net, mut gateway) = network();
    let mut shard = builder(HOST).connect(net).tls(tls).build().unwrap();
    let serve = tokio::spawn(async move {
        let stream = acceptor.accept(gateway.stream().await).await.unwrap();
        let mut socket = accept_async(stream).await.unwrap();
        socket
            .send(Message::text(
                r#"{"op":10,"d":{"heartbeat_interval":41250}}"#,
            ))
            .await
            .unwrap();
        let identify = socket.next().await.unwrap().unwrap().into_text().unwrap();
        socket
            .send(Message::text(
                r#"{"op":0,"s":1,"t":"READY","d":{"session_id":"s1"}}"#,
            ))
            .await
            .unwrap();
        while let Some(Ok(message)) = socket.next().await {
            if let Message::Close(frame) = message {
                return (identify, frame.map(|frame| u16::from(frame.code)));
            }
        }
        (identify, None)
    });
    assert_eq!(shard.next().await.unwrap().unwrap().event.name(), "READY");
    assert_eq!(
        shard.close(CloseMode::KeepSession).await.unwrap().sequence,
        1
    );
    let (identify, code) = serve.await.unwrap();
    assert!(identify.contains("QQBot t"), "{identify}");
    assert_eq!(code, Some(4000));
}

#[tokio::test]
async fn the_token_does_not_go_to_a_server_that_cannot_prove_its_name() {
    let (acceptor, tls) = identity();
    for (host, tls) in [("other.example", tls), (HOST, Tls::new())] {
        let (net, mut gateway) = network();
        let mut shard = builder(host).connect(net).tls(tls).build().unwrap();
        let (accepted, item) = tokio::join!(
            async {
                let stream = gateway.stream().await;
                acceptor.accept(stream).await
            },
            shard.next()
        );
        assert!(accepted.is_err());
        let error = item.unwrap().unwrap_err();
        assert_eq!(
            (error.kind(), error.phase()),
            (ShardErrorKind::Network, Some(Phase::Tls))
        );
        assert!(format!("{error:?}").contains("certificate"), "{error:?}");
    }
}
