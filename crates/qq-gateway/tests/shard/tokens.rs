//! Tokens that the gateway refuses.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use qq_gateway::{Shard, ShardErrorKind};
use qq_model::access_token::AccessTokenFuture;
use qq_model::{AccessToken, BearerToken, Intents};

use crate::fake::{consume, network};

/// A new token whenever one was refused.
#[derive(Default)]
struct Tokens {
    refused: AtomicU32,
}

impl AccessToken for Tokens {
    fn get(&self) -> AccessTokenFuture<'_> {
        let token = BearerToken::new(format!("token-{}", self.refused.load(Ordering::Relaxed)));
        Box::pin(std::future::ready(Ok(token)))
    }

    fn refused(&self, token: &BearerToken) {
        assert_eq!(
            token.expose(),
            format!("token-{}", self.refused.load(Ordering::Relaxed))
        );
        self.refused.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_replaced_and_the_session_resumed() {
    let (net, mut gateway) = network();
    let tokens = Arc::new(Tokens::default());
    let shard = Shard::builder("ws://localhost/", Arc::clone(&tokens), Intents::default())
        .connect(net)
        .build()
        .unwrap();
    let mut consumer = consume(shard);
    gateway.identified("s1").await.close(4004).await;
    consumer.expect("READY").await;
    let error = consumer.error().await;
    assert_eq!(
        (error.kind(), error.is_fatal()),
        (ShardErrorKind::Authentication, false)
    );
    let mut server = gateway.hello().await;
    let resume = server.expect(6).await;
    assert_eq!(
        (
            resume["d"]["token"].as_str(),
            resume["d"]["session_id"].as_str()
        ),
        (Some("QQBot token-1"), Some("s1"))
    );
    server.resumed().await;
    consumer.expect("RESUMED").await;
    assert_eq!(tokens.refused.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn three_refused_tokens_stop_the_shard() {
    let (net, mut gateway) = network();
    let tokens = Arc::new(Tokens::default());
    let shard = Shard::builder("ws://localhost/", Arc::clone(&tokens), Intents::default())
        .connect(net)
        .build()
        .unwrap();
    let mut consumer = consume(shard);
    for attempt in 0..3 {
        let mut server = gateway.hello().await;
        assert_eq!(
            server.expect(2).await["d"]["token"],
            format!("QQBot token-{attempt}")
        );
        server.close(4004).await;
        assert_eq!(consumer.error().await.is_fatal(), attempt == 2);
    }
    assert!(consumer.ended().await);
    assert_eq!(tokens.refused.load(Ordering::Relaxed), 3);
}
