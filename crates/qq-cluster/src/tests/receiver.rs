//! Sessions held by processes that come, go and die, against the emulator.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use qq_emulator::Emulator;
use qq_gateway::CloseMode;
use qq_http::HttpClient;
use qq_model::gateway::ShardId;
use qq_model::{Environment, Intents, Token};
use qq_transport::{Connect, ConnectFuture, Connection, Tcp, Tls};
use tokio::io::copy_bidirectional;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{LEASE, PATIENCE, Process, layout};
use crate::Role;
use crate::claims::holders;
use crate::identify::{ClusterGateway, ClusterIdentifyQueue};
use crate::members::Duty;
use crate::nats::Layout;
use crate::nats_server::NatsServer;
use crate::receiver::{Receiver, ShardNews};
use crate::stores::ClusterTokenStore;

const SHARDS: u32 = 2;

/// What holds shards of the emulator, and what it tells.
async fn receiver(
    layout: &Layout,
    emulator: &Emulator,
    connect: Arc<dyn Connect>,
) -> (Receiver, mpsc::Receiver<ShardNews>) {
    let http = HttpClient::builder(Token::new(emulator.app_id(), emulator.secret()))
        .environment(Environment::custom(emulator.base_url()).unwrap())
        .token_store(ClusterTokenStore::new(layout))
        .build()
        .unwrap();
    let url = http.gateway_bot().await.unwrap().url;
    let (news, read) = mpsc::channel(64);
    let receiver = Receiver {
        layout: layout.clone(),
        http: http.clone(),
        url,
        intents: Intents::default().with_group_and_c2c(),
        shards: SHARDS,
        partitions: 4,
        connect,
        tls: Tls::new(),
        queue: ClusterIdentifyQueue::new(layout, ClusterGateway::new(layout, http)),
        counters: Arc::default(),
        news,
    };
    (receiver, read)
}

async fn start(layout: &Layout, emulator: &Emulator) -> Process {
    let (receiver, mut read) = receiver(layout, emulator, Arc::new(Tcp)).await;
    let prefix = format!("shard.{SHARDS}");
    let mut process = Process::start(
        layout,
        LEASE,
        Duty::gateway(Role::Receiver),
        prefix,
        SHARDS,
        Arc::new(receiver),
    );
    process.tasks.spawn(async move {
        while read.recv().await.is_some() {}
        Ok(())
    });
    process
}

/// What was published, by text, and how often.
async fn published(layout: &Layout, count: usize) -> BTreeMap<u64, usize> {
    use async_nats::jetstream::consumer::pull::Config;
    let mut streams = Vec::new();
    for stream in layout.events.all() {
        let consumer = stream.create_consumer(Config::default()).await.unwrap();
        streams.push(consumer.messages().await.unwrap());
    }
    let mut messages = futures_util::stream::select_all(streams);
    let mut seen = BTreeMap::new();
    while seen.len() < count {
        let message = tokio::time::timeout(PATIENCE, messages.next())
            .await
            .unwrap_or_else(|_| panic!("{} of {count} published", seen.len()))
            .unwrap()
            .unwrap();
        let envelope: serde_json::Value = serde_json::from_slice(&message.payload).unwrap();
        let number = envelope["d"]["content"].as_str().unwrap().parse().unwrap();
        *seen.entry(number).or_default() += 1;
        message.ack().await.unwrap();
    }
    seen
}

/// Waits until so many processes hold all shards.
async fn until_shared(layout: &Layout, processes: usize) {
    let start = Instant::now();
    loop {
        let held = holders(&layout.claims, "shard").await.unwrap();
        let names: BTreeSet<_> = held.values().map(|record| record.member.clone()).collect();
        if held.len() == SHARDS as usize && names.len() == processes {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{held:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn until_connected(emulator: &Emulator) {
    let start = Instant::now();
    loop {
        let live = emulator
            .sessions()
            .iter()
            .filter(|session| session.connected)
            .count();
        if live == SHARDS as usize {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{live} sessions");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn shards_move_and_resume_and_every_event_is_published_once() {
    let Some(server) = NatsServer::start().await else {
        return;
    };
    let layout = layout(&server).await;
    let emulator = Emulator::builder()
        .settings(|settings| {
            settings.shards = SHARDS;
            settings.max_concurrency = 2;
        })
        .start()
        .await
        .unwrap();
    let mut one = start(&layout, &emulator).await;
    until_connected(&emulator).await;
    let mut said = 0_u64;
    let mut say = async |count: u64| {
        for _ in 0..count {
            // Guilds fall on both shards; groups are shard 0's.
            let guild = (said % 7) << 22;
            let data = serde_json::json!({
                "id": format!("m{said}"), "content": said.to_string(), "guild_id": guild.to_string(), "channel_id": "9",
                "author": {"id": "1", "username": "mia"},
            });
            emulator.push_event("AT_MESSAGE_CREATE", data).await;
            said += 1;
        }
        said
    };
    say(200).await;
    let mut two = start(&layout, &emulator).await;
    say(200).await;
    until_shared(&layout, 2).await;
    until_connected(&emulator).await;
    // A crash: what is said meanwhile is replayed to the other.
    one.tasks.shutdown().await;
    say(200).await;
    until_connected(&emulator).await;
    let mut three = start(&layout, &emulator).await;
    until_shared(&layout, 2).await;
    say(200).await;
    // A planned stop.
    two.stop.cancel();
    say(200).await;
    while let Some(ended) = two.tasks.join_next().await {
        ended.unwrap().unwrap();
    }
    let last = say(1).await;
    let seen = published(&layout, usize::try_from(last).unwrap()).await;
    assert!(seen.values().all(|count| *count == 1), "{seen:?}");
    until_connected(&emulator).await;

    let sessions = emulator.sessions();
    assert_eq!(
        sessions.len(),
        SHARDS as usize,
        "nothing was identified anew: {sessions:?}"
    );
    assert!(
        sessions.iter().map(|session| session.resumes).sum::<u32>() >= 3,
        "{sessions:?}"
    );
    let violations = emulator.violations();
    assert!(violations.is_empty(), "{violations:?}");
    three.tasks.shutdown().await;
}

/// A way to the platform on which nothing goes either way from a moment on, and no connection ends.
struct Mute(CancellationToken);

impl Connect for Mute {
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> ConnectFuture<'a> {
        let is_mute = self.0.clone();
        Box::pin(async move {
            let mut far = Tcp.connect(host, port).await?;
            let (near, mut middle) = tokio::io::duplex(64 << 10);
            tokio::spawn(async move {
                tokio::select! {
                    biased;
                    () = is_mute.cancelled() => std::future::pending().await,
                    _ = copy_bidirectional(&mut middle, &mut far) => {}
                }
            });
            Ok(Box::new(near) as Connection)
        })
    }
}

#[tokio::test]
async fn a_platform_that_does_not_say_goodbye_holds_no_hand_over_up() {
    let Some(server) = NatsServer::start().await else {
        return;
    };
    let layout = layout(&server).await;
    let emulator = Emulator::builder()
        .settings(|settings| settings.shards = SHARDS)
        .start()
        .await
        .unwrap();
    let is_mute = CancellationToken::new();
    let (receiver, _news) = receiver(&layout, &emulator, Arc::new(Mute(is_mute.clone()))).await;
    let id = ShardId::new(1, SHARDS).unwrap();
    let mut shard = receiver.shard(id, None).unwrap();
    let ready = tokio::time::timeout(PATIENCE, shard.next()).await;
    ready.expect("no session").unwrap().unwrap();
    is_mute.cancel();
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    let session = shard.close(CloseMode::KeepSession).await;
    let took = begun.elapsed();
    assert!(session.is_some());
    assert!(took < Duration::from_secs(1), "{took:?}");
}
