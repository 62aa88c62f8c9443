//! Every wait ends, and its error names the phase.

use std::time::Duration;

use qq_gateway::{Phase, Shard, ShardErrorKind, ShardStatus, Timeouts};
use qq_model::access_token::AccessTokenFuture;
use qq_model::{AccessToken, AccessTokenError, BearerToken, Intents};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use crate::fake::{Net, builder, consume, network};

/// The error that comes first, and after how long.
async fn first_error(shard: Shard) -> (qq_gateway::ShardError, Duration) {
    let start = Instant::now();
    let mut consumer = consume(shard);
    let error = consumer.error().await;
    (error, start.elapsed())
}

fn close_to(duration: Duration, expected: Duration) -> bool {
    duration >= expected && duration < expected + Duration::from_millis(50)
}

#[tokio::test(start_paused = true)]
async fn a_host_that_does_not_answer() {
    let (net, _gateway) = network();
    net.blackhole(true);
    let (error, after) = first_error(builder(&net).build().unwrap()).await;
    assert_eq!(
        (error.kind(), error.phase()),
        (ShardErrorKind::Timeout, Some(Phase::Connect))
    );
    assert!(close_to(after, Timeouts::default().connect), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn a_host_that_refuses() {
    let (net, _gateway) = network();
    net.refuse(true);
    let (error, _) = first_error(builder(&net).build().unwrap()).await;
    assert_eq!(
        (error.kind(), error.phase()),
        (ShardErrorKind::Network, Some(Phase::Connect))
    );
    assert!(
        std::error::Error::source(&error)
            .unwrap()
            .to_string()
            .contains("refused")
    );
}

#[tokio::test(start_paused = true)]
async fn a_tls_handshake_that_never_ends_and_one_that_fails() {
    let secure = |net: &Net| {
        let token = BearerToken::new("t");
        Shard::builder("wss://gateway.example/", token, Intents::default())
            .connect(net.clone())
            .build()
            .unwrap()
    };
    let (net, mut gateway) = network();
    let (_stream, (error, after)) = tokio::join!(gateway.stream(), first_error(secure(&net)));
    assert_eq!(
        (error.kind(), error.phase()),
        (ShardErrorKind::Timeout, Some(Phase::Tls))
    );
    assert!(close_to(after, Timeouts::default().tls), "{after:?}");

    let (net, mut gateway) = network();
    let serve = async {
        let mut stream = gateway.stream().await;
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .unwrap();
        stream
    };
    let (_stream, (error, _)) = tokio::join!(serve, first_error(secure(&net)));
    assert_eq!(
        (error.kind(), error.phase()),
        (ShardErrorKind::Network, Some(Phase::Tls))
    );
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_that_is_not_answered() {
    let (net, mut gateway) = network();
    let (_stream, (error, after)) = tokio::join!(
        gateway.stream(),
        first_error(builder(&net).build().unwrap())
    );
    assert_eq!(
        (error.kind(), error.phase()),
        (ShardErrorKind::Timeout, Some(Phase::Upgrade))
    );
    assert!(close_to(after, Timeouts::default().upgrade), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_answers_html() {
    let (net, mut gateway) = network();
    let serve = async {
        let mut stream = gateway.stream().await;
        let mut request = [0; 1024];
        let read = stream.read(&mut request).await.unwrap();
        assert!(request[..read].starts_with(b"GET /websocket HTTP/1.1\r\n"));
        stream
            .write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<p/>")
            .await
            .unwrap();
        stream
    };
    let (_stream, (error, _)) = tokio::join!(serve, first_error(builder(&net).build().unwrap()));
    assert_eq!(
        (error.kind(), error.phase()),
        (ShardErrorKind::Network, Some(Phase::Upgrade))
    );
    assert!(error.to_string().contains("HTTP status 502"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn hello_never() {
    let (net, mut gateway) = network();
    let serve = async { gateway.accept().await.closed().await };
    let (code, (error, after)) = tokio::join!(serve, first_error(builder(&net).build().unwrap()));
    assert_eq!(
        (error.kind(), error.phase()),
        (ShardErrorKind::Timeout, Some(Phase::Hello))
    );
    assert!(close_to(after, Timeouts::default().hello), "{after:?}");
    assert_eq!(code, Some(4000));
}

/// A consumer that was away finds frames and passed deadlines together; the frames count.
#[tokio::test(start_paused = true)]
async fn what_came_in_time_is_read_however_late() {
    let (net, mut gateway) = network();
    let mut shard = builder(&net).build().unwrap();
    let moment = Duration::from_millis(1);
    let (mut server, item) =
        tokio::join!(gateway.accept(), tokio::time::timeout(moment, shard.next()));
    item.unwrap_err();
    server
        .send(json!({"op": 10, "d": {"heartbeat_interval": 41250}}))
        .await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    tokio::time::timeout(moment, shard.next())
        .await
        .unwrap_err();
    assert_eq!(shard.status(), ShardStatus::Identifying);
    server.expect(2).await;
    server.ready("s1").await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(shard.next().await.unwrap().unwrap().event.name(), "READY");
    assert_eq!(shard.stats().connections, 1);
}

#[tokio::test(start_paused = true)]
async fn ready_never() {
    let (net, mut gateway) = network();
    let mut consumer = consume(builder(&net).build().unwrap());
    let mut server = gateway.hello().await;
    server.expect(2).await;
    let start = Instant::now();
    assert_eq!(server.closed().await, Some(4000));
    let error = consumer.error().await;
    assert_eq!(
        (error.kind(), error.phase()),
        (ShardErrorKind::Timeout, Some(Phase::Ready))
    );
    assert!(close_to(start.elapsed(), Timeouts::default().ready));
    // And again, without giving up.
    gateway.identified("s1").await;
    consumer.expect("READY").await;
}

#[tokio::test(start_paused = true)]
async fn resumed_never_costs_the_session() {
    let (net, mut gateway) = network();
    let mut consumer = consume(builder(&net).build().unwrap());
    gateway.identified("s1").await.close(4009).await;
    consumer.expect("READY").await;
    consumer.error().await;
    let (mut server, _) = gateway.resuming("s1").await;
    assert_eq!(server.closed().await, Some(4000));
    let error = consumer.error().await;
    assert_eq!(
        (error.kind(), error.phase()),
        (ShardErrorKind::Timeout, Some(Phase::Resumed))
    );
    gateway.identified("s2").await;
    consumer.expect("READY").await;
}

#[tokio::test(start_paused = true)]
async fn a_token_that_never_comes_and_one_that_is_refused_for_good() {
    struct Stuck;
    impl AccessToken for Stuck {
        fn get(&self) -> AccessTokenFuture<'_> {
            Box::pin(std::future::pending())
        }
        fn refused(&self, _: &BearerToken) {}
    }
    struct Wrong;
    impl AccessToken for Wrong {
        fn get(&self) -> AccessTokenFuture<'_> {
            Box::pin(std::future::ready(Err(AccessTokenError::refused(
                "wrong secret",
            ))))
        }
        fn refused(&self, _: &BearerToken) {}
    }
    let shard = Shard::builder("ws://localhost/", Stuck, Intents::default())
        .build()
        .unwrap();
    let (error, after) = first_error(shard).await;
    assert_eq!(
        (error.kind(), error.phase()),
        (ShardErrorKind::Timeout, Some(Phase::Token))
    );
    assert!(close_to(after, Timeouts::default().token), "{after:?}");

    let mut consumer = consume(
        Shard::builder("ws://localhost/", Wrong, Intents::default())
            .build()
            .unwrap(),
    );
    let error = consumer.error().await;
    assert_eq!(
        (error.kind(), error.is_fatal()),
        (ShardErrorKind::Authentication, true)
    );
    assert!(consumer.ended().await);
}

#[tokio::test(start_paused = true)]
async fn close_without_an_answer_ends_at_its_deadline() {
    let (net, mut gateway) = network();
    let mut shard = builder(&net).build().unwrap();
    let (server, item) = tokio::join!(gateway.identified("s1"), shard.next());
    item.unwrap().unwrap();
    let start = Instant::now();
    let session = shard.close(qq_gateway::CloseMode::KeepSession).await;
    assert!(close_to(start.elapsed(), Timeouts::default().close));
    assert_eq!(session.unwrap().sequence, 1);
    drop(server);

    // Without a connection there is nothing to wait for.
    net.blackhole(true);
    let mut shard = builder(&net).session(shard.session()).build().unwrap();
    let start = Instant::now();
    tokio::time::timeout(Duration::from_secs(1), shard.next())
        .await
        .unwrap_err();
    let session = shard.close(qq_gateway::CloseMode::KeepSession).await;
    assert!(close_to(start.elapsed(), Duration::from_secs(1)));
    assert_eq!(session.unwrap().sequence, 1);
}

#[test]
fn no_phase_exceeds_a_common_limit() {
    let limit = Duration::from_secs(12);
    let timeouts = Timeouts::default().at_most(limit);
    assert_eq!(
        (timeouts.token, timeouts.ready, timeouts.connect),
        (limit, limit, Duration::from_secs(10))
    );
}
