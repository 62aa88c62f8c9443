//! Streams and buckets that somebody else made, or that were made with other settings: none is altered.

use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy};

use crate::nats::{Layout, connect};
use crate::nats_server::NatsServer;
use crate::{ClusterConfig, ClusterErrorKind};

fn config(server: &NatsServer) -> ClusterConfig {
    ClusterConfig::new(server.url()).name("mine")
}

#[tokio::test]
async fn what_is_somebody_elses_is_named_and_left_alone() {
    let Some(server) = NatsServer::start().await else {
        return;
    };
    let config = config(&server);
    let connection = connect(&config, "test").await.unwrap();
    let work_queue = Config {
        retention: RetentionPolicy::WorkQueue,
        discard: DiscardPolicy::New,
        ..Config::default()
    };
    for (name, subject, theirs) in [
        // First, for it is opened first, and made by whoever comes so far.
        ("KV_qqbot-registry", "registry.>", Config::default()),
        ("mine-events-0", "orders.*", work_queue.clone()),
        ("mine-events-7", "mine.events.7.*", Config::default()),
        ("mine-dead", "mine.dead.*", work_queue),
        ("KV_mine-members", "$KV.mine-members.>", Config::default()),
        ("KV_mine-ledger", "members.>", Config::default()),
    ] {
        let theirs = Config {
            name: name.to_owned(),
            subjects: vec![subject.to_owned()],
            ..theirs
        };
        let mut stream = connection.context.create_stream(theirs).await.unwrap();
        let message = connection
            .context
            .publish(subject.replace(['*', '>'], "1"), "theirs".into())
            .await
            .unwrap();
        message.await.unwrap();
        let before = stream.info().await.unwrap().clone();

        let error = Layout::open(connection.clone(), &config, "1")
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ClusterErrorKind::ForeignLayout, "{error:?}");
        let stem = name.trim_start_matches("KV_");
        assert!(error.to_string().contains(stem), "{error}");
        let after = stream.info().await.unwrap();
        assert_eq!(after.config, before.config, "{name}");
        assert_eq!(after.state.messages, 1, "{name}");
        connection.context.delete_stream(name).await.unwrap();
    }
    Layout::open(connection, &config, "1").await.unwrap();
}

#[tokio::test]
async fn limits_that_were_set_before_stay_as_they_are() {
    let Some(server) = NatsServer::start().await else {
        return;
    };
    let config = config(&server);
    let connection = connect(&config, "test").await.unwrap();
    let first = Layout::open(connection.clone(), &config, "1")
        .await
        .unwrap();
    let events = first.events.of(3);
    let before = events.get_info().await.unwrap().config;
    assert_eq!(before.max_age, Duration::from_secs(60 * 60));
    // Each of eight streams takes its part.
    assert_eq!((before.max_messages, before.max_bytes), (125_000, 32 << 20));
    let other = config
        .max_age(Duration::from_secs(2 * 60 * 60))
        .max_events(7)
        .duplicate_window(Duration::from_secs(60))
        .replicas(3);
    let second = Layout::open(connection, &other, "1").await.unwrap();
    assert_eq!(second.events.all().len(), 8);
    assert_eq!(second.events.subject(3), first.events.subject(3));
    assert_eq!(events.get_info().await.unwrap().config, before);
}
