//! Many shards as one stream.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use futures_util::{SinkExt, StreamExt};
use qq_gateway::{
    CloseMode, IdentifyQueue, InMemoryIdentifyQueue, Shard, ShardError, ShardGroup, ShardPlan,
    ShardStatus, Timeouts,
};
use qq_model::Dispatch;
use qq_model::gateway::{GatewayBot, SessionStartLimit, ShardId};
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use crate::fake::{Gateway, INTERVAL, Net, Server, builder, network};

fn id(index: u32, count: u32) -> ShardId {
    ShardId::new(index, count).unwrap()
}

fn shard(net: &Net, id: ShardId) -> Shard {
    let queue: Arc<dyn IdentifyQueue> = Arc::new(InMemoryIdentifyQueue::unlimited(4096));
    builder(net)
        .shard(id)
        .seed(id.index().into())
        .identify_queue(queue)
        .build()
        .unwrap()
}

fn group(net: &Net, plan: &str) -> ShardGroup {
    let plan: ShardPlan = plan.parse().unwrap();
    let build = |id| Ok::<_, ShardError>(shard(net, id));
    ShardGroup::from_plan(&plan, build).unwrap()
}

/// The next connection, identified, and whose it is.
async fn identified(gateway: &mut Gateway) -> (u64, Server) {
    let mut server = gateway.hello().await;
    let identify = server.expect(2).await;
    let index = identify["d"]["shard"][0].as_u64().unwrap();
    server.ready(&format!("s{index}")).await;
    (index, server)
}

/// So many connections, by shard; the group yields a READY for each.
async fn live<S: qq_gateway::ShardStream>(
    group: &mut ShardGroup<S>,
    gateway: &mut Gateway,
    shards: usize,
) -> BTreeMap<u64, Server> {
    let serve = async {
        let mut servers = BTreeMap::new();
        while servers.len() < shards {
            let (index, server) = identified(gateway).await;
            servers.insert(index, server);
        }
        servers
    };
    let read = async {
        for _ in 0..shards {
            assert!(group.next().await.unwrap().1.is_ok());
        }
    };
    tokio::join!(serve, read).0
}

#[tokio::test(start_paused = true)]
async fn a_busy_shard_leaves_the_others_their_turn() {
    let (net, mut gateway) = network();
    let mut group = group(&net, "3");
    let mut servers = live(&mut group, &mut gateway, 3).await;
    for _ in 0..200 {
        servers.get_mut(&0).unwrap().event().await;
    }
    for _ in 0..2 {
        servers.get_mut(&1).unwrap().event().await;
        servers.get_mut(&2).unwrap().event().await;
    }
    let mut order = Vec::new();
    let mut sequences: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    for _ in 0..204 {
        let (shard, item) = group.next().await.unwrap();
        order.push(shard.index());
        let sequence = item.unwrap().sequence.unwrap();
        sequences.entry(shard.index()).or_default().push(sequence);
    }
    assert!(
        order[8..].iter().all(|index| *index == 0),
        "the others had theirs among the first: {:?}",
        &order[..12]
    );
    assert_eq!(sequences[&0], (2..=201).collect::<Vec<_>>());
    assert_eq!(
        (&*sequences[&1], &*sequences[&2]),
        (&[2, 3][..], &[2, 3][..])
    );
}

/// An adaptor around a shard: yields names, and counts how often it was polled.
struct Names {
    shard: Shard,
    polls: Arc<AtomicU32>,
}

impl Stream for Names {
    type Item = Result<String, ShardError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.polls.fetch_add(1, Ordering::Relaxed);
        let item = Pin::new(&mut self.shard).poll_next(cx);
        item.map(|item| item.map(|item| item.map(|dispatch| dispatch.event.name().to_owned())))
    }
}

impl AsRef<Shard> for Names {
    fn as_ref(&self) -> &Shard {
        &self.shard
    }
}

impl AsMut<Shard> for Names {
    fn as_mut(&mut self) -> &mut Shard {
        &mut self.shard
    }
}

#[tokio::test(start_paused = true)]
async fn only_shards_that_were_woken_are_polled() {
    const SHARDS: u32 = 300;
    let (net, mut gateway) = network();
    let polls: Vec<_> = (0..SHARDS).map(|_| Arc::new(AtomicU32::new(0))).collect();
    let mut group: ShardGroup<Names> = (0..SHARDS)
        .map(|index| Names {
            shard: shard(&net, id(index, SHARDS)),
            polls: Arc::clone(&polls[index as usize]),
        })
        .collect();
    let mut servers = live(&mut group, &mut gateway, SHARDS as usize).await;
    // What they were woken for while they connected.
    while timeout(Duration::from_millis(1), group.next())
        .await
        .is_ok()
    {}
    let before: Vec<_> = polls
        .iter()
        .map(|polls| polls.load(Ordering::Relaxed))
        .collect();
    let start = Instant::now();
    for _ in 0..100 {
        servers.get_mut(&7).unwrap().event().await;
        let (shard, item) = group.next().await.unwrap();
        assert_eq!(
            (shard, &*item.unwrap()),
            (id(7, SHARDS), "C2C_MESSAGE_CREATE")
        );
    }
    assert_eq!(start.elapsed(), Duration::ZERO, "no heartbeat was due");
    for (index, polls) in polls.iter().enumerate() {
        let more = polls.load(Ordering::Relaxed) - before[index];
        if index == 7 {
            assert!((100..=300).contains(&more), "{more}");
        } else {
            assert_eq!(more, 0, "shard {index}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn shards_come_and_go() {
    let (net, mut gateway) = network();
    let mut group = ShardGroup::new();
    assert!(group.next().await.is_none(), "nothing to wait for");
    assert!(group.insert(shard(&net, id(0, 2))).is_none());
    let mut servers = live(&mut group, &mut gateway, 1).await;
    assert!(group.insert(shard(&net, id(1, 2))).is_none());
    servers.append(&mut live(&mut group, &mut gateway, 1).await);

    // One that is taken out goes on by itself, and the group without it.
    let mut single = group.remove(id(0, 2)).unwrap();
    assert!(group.get(id(0, 2)).is_none() && group.remove(id(0, 2)).is_none());
    servers.get_mut(&0).unwrap().event().await;
    servers.get_mut(&1).unwrap().event().await;
    assert_eq!(group.next().await.unwrap().0, id(1, 2));
    assert_eq!(single.next().await.unwrap().unwrap().sequence, Some(2));
    assert!(timeout(Duration::from_secs(1), group.next()).await.is_err());

    // One that ends stays, with its reason, and its end is not the group's.
    assert!(group.insert(single).is_none());
    let (_, (ended, item)) = tokio::join!(servers.get_mut(&1).unwrap().close(4914), async {
        group.next().await.unwrap()
    });
    assert!(ended == id(1, 2) && item.unwrap_err().is_fatal());
    servers.get_mut(&0).unwrap().event().await;
    assert_eq!(group.next().await.unwrap().0, id(0, 2));
    let statuses: Vec<_> = group.statuses().collect();
    assert!(matches!(statuses[0], (_, ShardStatus::Ready { .. })));
    assert_eq!(statuses[1], (id(1, 2), ShardStatus::Closed));

    // Replacing gives the old one back.
    let old = group.insert(shard(&net, id(1, 2))).unwrap();
    assert_eq!(old.status(), ShardStatus::Closed);
    servers.append(&mut live(&mut group, &mut gateway, 1).await);
    assert_eq!(group.len(), 2);
    assert_eq!(group.sessions().count(), 2);
    assert!(group.acknowledge(id(1, 2), 1) && !group.acknowledge(id(1, 3), 1));

    // Another task ends both.
    for (_, sender) in group.senders() {
        sender.close(CloseMode::KeepSession).unwrap();
    }
    let close = async {
        for server in servers.values_mut() {
            server.closed().await;
        }
    };
    let (_, end) = tokio::join!(close, group.next());
    assert!(end.is_none());
}

#[tokio::test(start_paused = true)]
async fn closing_takes_as_long_as_one_shard() {
    let (net, mut gateway) = network();
    let mut group = group(&net, "50");
    let mut servers = live(&mut group, &mut gateway, 50).await;
    for server in servers.values_mut() {
        server.event().await;
    }
    group.next().await.unwrap().1.unwrap();
    // Nobody answers the close frames, and the call is dropped on the way.
    let start = Instant::now();
    let piece = Duration::from_millis(700);
    let sessions = loop {
        if let Ok(sessions) = timeout(piece, group.close(CloseMode::KeepSession)).await {
            break sessions;
        }
    };
    let limit = Timeouts::default().close;
    assert!(start.elapsed() >= limit && start.elapsed() < limit + Duration::from_millis(50));
    assert_eq!(sessions.len(), 50);
    let positions: Vec<_> = sessions.iter().map(|session| session.sequence).collect();
    assert_eq!(
        positions.iter().sum::<u64>(),
        51,
        "one event was read: {positions:?}"
    );
    for server in servers.values_mut() {
        assert_eq!(server.closed().await, Some(4000));
    }
    assert!(
        group
            .statuses()
            .all(|(_, status)| status == ShardStatus::Closed)
    );
}

/// A consumer without room for ten minutes, while every shard has something to say.
#[tokio::test(start_paused = true)]
async fn a_slow_consumer_keeps_every_connection() {
    let (net, mut gateway) = network();
    let mut group = group(&net, "20");
    let servers = live(&mut group, &mut gateway, 20).await;
    let mut watches = Vec::new();
    for mut server in servers.into_values() {
        server.event().await;
        let (mut sink, mut stream) = server.socket.split();
        watches.push(tokio::spawn(async move {
            let mut beats = Vec::new();
            while let Some(Ok(Message::Text(_))) = stream.next().await {
                beats.push(Instant::now());
                sink.send(Message::text(json!({"op": 11}).to_string()))
                    .await
                    .unwrap();
            }
            beats
        }));
    }
    let end = Instant::now() + Duration::from_secs(600);
    while Instant::now() < end {
        timeout(Duration::from_millis(7_777), group.keep_alive())
            .await
            .unwrap_err();
    }
    for _ in 0..20 {
        let (_, item) = group.next().await.unwrap();
        assert_eq!(item.unwrap().sequence, Some(2));
    }
    assert!(
        timeout(3 * INTERVAL, group.next()).await.is_err(),
        "nothing went wrong"
    );
    assert!(group.stats().all(|(_, stats)| stats.connections == 1));
    drop(group);
    for watch in watches {
        let beats = watch.await.unwrap();
        assert!(beats.len() >= 15, "{}", beats.len());
        for pair in beats.windows(2) {
            assert!(pair[1] - pair[0] <= INTERVAL + Duration::from_millis(2));
        }
    }
}

/// The ACK of one shard is behind a large event, and the consumer is busy with another shard's for too long.
#[tokio::test(start_paused = true)]
async fn time_that_the_consumer_was_away_is_not_held_against_any_shard() {
    let (net, mut gateway) = crate::fake::network_with_buffer(4096);
    let mut group = group(&net, "2");
    let mut servers = live(&mut group, &mut gateway, 2).await;
    let mut quiet = servers.remove(&0).unwrap();
    let mut busy = servers.remove(&1).unwrap();
    let serve = tokio::spawn(async move {
        quiet.expect(1).await;
        busy.event().await;
        sleep(Duration::from_secs(1)).await;
        for _ in 0..2 {
            quiet.event().await;
        }
        let large = json!({"op": 0, "s": 4, "t": "SOMETHING_NEW", "d": "x".repeat(50_000)});
        quiet.send(large).await;
        quiet.send(json!({"op": 11})).await;
        tokio::join!(
            quiet.beat_for(Duration::from_secs(3000)),
            busy.beat_for(Duration::from_secs(3000))
        );
    });
    assert_eq!(group.next().await.unwrap().0, id(1, 2));
    sleep(INTERVAL + Duration::from_secs(20)).await;
    for sequence in 2..=4 {
        let (shard, item) = group.next().await.unwrap();
        assert_eq!((shard, item.unwrap().sequence), (id(0, 2), Some(sequence)));
    }
    assert!(
        timeout(3 * INTERVAL, group.next()).await.is_err(),
        "nothing went wrong"
    );
    serve.abort();
}

fn recommends(shards: u32, remaining: u32) -> GatewayBot {
    let mut limit = SessionStartLimit::default();
    limit.total = 1000;
    limit.remaining = remaining;
    limit.reset_after_ms = 3_600_000;
    limit.max_concurrency = 1;
    let mut answer = GatewayBot::default();
    answer.shards = shards;
    answer.session_start_limit = limit;
    answer
}

#[tokio::test(start_paused = true)]
async fn a_bot_that_outgrows_its_shards_gets_more_and_loses_nothing() {
    let (net, mut gateway) = network();
    let answer = recommends(2, 1000);
    let queue = Arc::new(InMemoryIdentifyQueue::new(&answer.session_start_limit));
    let build = |id| {
        builder(&net)
            .shard(id)
            .identify_queue(queue.clone())
            .build()
    };
    let plan = ShardPlan::recommended(&answer);
    let mut group = ShardGroup::from_plan(&plan, build).unwrap();
    let mut old = live(&mut group, &mut gateway, 2).await;
    assert!(!group.is_resharding());

    // Shard 0 has too many guilds.
    let (_, (_, item)) = tokio::join!(old.get_mut(&0).unwrap().close(4011), async {
        group.next().await.unwrap()
    });
    let error = item.unwrap_err();
    assert!(error.is_fatal() && error.needs_resharding());
    // The platform has not noticed yet: it recommends as many as before.
    let grown = plan.grown(&answer).unwrap();
    queue.check(grown.len()).unwrap();
    group.reshard(&grown, build).unwrap();
    assert!(group.is_resharding());

    let mut other = old.remove(&1).unwrap();
    let started = Instant::now();
    let serve = tokio::spawn(async move {
        let mut new = Vec::new();
        for turn in 1..=4 {
            let (index, server) = identified(&mut gateway).await;
            let spaced = started.elapsed() + Duration::from_secs(6) > Duration::from_secs(5 * turn);
            assert!(
                spaced,
                "one IDENTIFY in five seconds: {:?}",
                started.elapsed()
            );
            new.push((index, server));
            if turn < 4 {
                // The other old shard delivers until the last new one is live.
                other.event().await;
            }
        }
        assert_eq!(other.closed().await, Some(1000), "its session ends");
        for (_, server) in &mut new {
            server.event().await;
        }
        new
    });
    let mut seen: BTreeMap<(u32, u32), Vec<u64>> = BTreeMap::new();
    while seen.values().map(Vec::len).sum::<usize>() < 3 + 8 {
        let (shard, item) = group.next().await.unwrap();
        let sequence = item.unwrap().sequence.unwrap();
        seen.entry((shard.count(), shard.index()))
            .or_default()
            .push(sequence);
    }
    assert_eq!(seen.remove(&(2, 1)), Some(vec![2, 3, 4]));
    for index in 0..4 {
        assert_eq!(seen.remove(&(4, index)), Some(vec![1, 2]), "{index}");
    }
    assert!(!group.is_resharding());
    let shards: Vec<_> = group.iter().map(|(id, _)| id.to_string()).collect();
    assert_eq!(
        shards,
        ["0/4", "1/4", "2/4", "3/4"],
        "the old ones are gone"
    );
    drop(serve.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn the_same_plan_again_revives_what_ended_and_leaves_the_rest() {
    let (net, mut gateway) = network();
    let mut group = group(&net, "2");
    let mut servers = live(&mut group, &mut gateway, 2).await;
    tokio::join!(servers.get_mut(&0).unwrap().close(4914), group.next());
    let mut built = Vec::new();
    group
        .reshard(&ShardPlan::all(2).unwrap(), |id| {
            built.push(id);
            Ok::<_, ShardError>(shard(&net, id))
        })
        .unwrap();
    assert_eq!(built, [id(0, 2)]);
    live(&mut group, &mut gateway, 1).await;
    assert!(group.stats().all(|(_, stats)| stats.connections == 1));
    // A builder that fails changes nothing.
    let failed = group.reshard(&ShardPlan::all(4).unwrap(), |_| Err("no"));
    assert!(failed == Err("no") && group.len() == 2 && !group.is_resharding());
}

#[tokio::test(start_paused = true)]
async fn no_event_is_lost_when_next_is_dropped() {
    let (net, mut gateway) = crate::fake::network_with_buffer(61);
    let mut group = group(&net, "5");
    let serve = tokio::spawn(async move {
        let mut servers = Vec::new();
        for _ in 0..5 {
            servers.push(identified(&mut gateway).await.1);
        }
        for _ in 0..40 {
            for server in &mut servers {
                server.event().await;
            }
        }
        servers
    });
    let mut seen: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    let mut turn = 0_u64;
    while seen.values().map(Vec::len).sum::<usize>() < 5 * 41 {
        turn += 1;
        if let Ok(Some((shard, item))) =
            timeout(Duration::from_micros(turn % 7 * 100), group.next()).await
        {
            let dispatch: Dispatch = item.unwrap();
            seen.entry(shard.index())
                .or_default()
                .push(dispatch.sequence.unwrap());
        }
        if turn.is_multiple_of(3) {
            let _ = timeout(Duration::from_micros(50), group.keep_alive()).await;
        }
    }
    for sequences in seen.values() {
        assert_eq!(*sequences, (1..=41).collect::<Vec<_>>());
    }
    drop(serve.await.unwrap());
}

/// A thousand shards: the quota is asked before the first connects, and IDENTIFYs keep their distance.
#[tokio::test(start_paused = true)]
async fn a_thousand_shards_start_within_the_quota() {
    let mut answer = recommends(1000, 999);
    answer.session_start_limit.max_concurrency = 16;
    let queue = Arc::new(InMemoryIdentifyQueue::new(&answer.session_start_limit));
    let plan = ShardPlan::recommended(&answer);
    let error = queue.check(plan.len()).unwrap_err();
    assert_eq!(
        (error.needed(), error.remaining(), error.reset_after()),
        (1000, 999, Duration::from_secs(3600))
    );
    assert_eq!(
        error.to_string(),
        "1000 sessions are needed, 999 of the day's are left: the count starts anew in 1:00:00 h"
    );
    answer.session_start_limit.remaining = 1000;
    queue.update(&answer.session_start_limit);
    queue.check(plan.len()).unwrap();

    let (net, mut gateway) = network();
    let build = |id| {
        builder(&net)
            .shard(id)
            .identify_queue(queue.clone())
            .build()
    };
    let mut group = ShardGroup::from_plan(&plan, build).unwrap();
    let serve = tokio::spawn(async move {
        let mut times = Vec::new();
        let mut servers = Vec::new();
        for _ in 0..1000 {
            let (_, server) = identified(&mut gateway).await;
            times.push(Instant::now());
            servers.push(tokio::spawn(async move {
                let mut server = server;
                server.beat_for(Duration::from_secs(100_000)).await;
            }));
        }
        times
    });
    let mut ready = 0;
    while ready < 1000 {
        let (_, item) = group.next().await.unwrap();
        assert_eq!(item.unwrap().event.name(), "READY");
        ready += 1;
    }
    let times = serve.await.unwrap();
    let window = Duration::from_secs(5) - Duration::from_millis(1);
    for pair in times.windows(17) {
        assert!(pair[16] - pair[0] >= window, "{:?}", pair[16] - pair[0]);
    }
    assert!(queue.check(1).is_err(), "the day's sessions are used up");
    assert!(
        group
            .stats()
            .all(|(_, stats)| (stats.identifies, stats.connections) == (1, 1))
    );
}
