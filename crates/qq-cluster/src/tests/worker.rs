//! Events through workers that come, go and die.

mod poison;
mod restart;

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::pull::Config;
use futures_util::StreamExt;
use qq_model::{Dispatch, Event};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::{LEASE, PATIENCE, Process, layout, layout_with};
use crate::Role;
use crate::claims::Record;
use crate::counters::Counters;
use crate::members::Duty;
use crate::nats::Layout;
use crate::nats_server::NatsServer;
use crate::partition::{Place, message_id};
use crate::receiver::{Parcel, Publisher};
use crate::worker::{Handle, Outcome, Recent, Worker};

const PARTITIONS: u16 = 8;

/// What the world has seen of all workers.
#[derive(Default)]
struct World {
    handled: Mutex<HashMap<String, Vec<u32>>>,
    busy: Mutex<HashMap<String, u32>>,
    overlaps: Mutex<Vec<String>>,
    /// What was said to have been begun before.
    repeated: Mutex<Vec<String>>,
}

struct Bot {
    world: Arc<World>,
    /// Cancelled on the event with this text.
    fatal: Option<CancellationToken>,
    pause: Duration,
}

fn parts(event: &Event) -> (String, String) {
    let Event::GroupMessageCreate(message) = event else {
        panic!("{event:?}")
    };
    (
        message.group_openid.to_string(),
        message.text().into_owned(),
    )
}

impl Handle for Bot {
    async fn handle(&self, dispatch: Dispatch, is_repeated: bool) -> Outcome {
        let (group, text) = parts(&dispatch.event);
        if is_repeated {
            self.world.repeated.lock().unwrap().push(text.clone());
        }
        if text == "fatal" {
            if let Some(fatal) = &self.fatal {
                fatal.cancel();
            }
            return std::future::pending().await;
        }
        if text == "poison" {
            return Outcome::Failed("it panicked".into());
        }
        if self
            .world
            .busy
            .lock()
            .unwrap()
            .insert(group.clone(), 1)
            .is_some()
        {
            self.world.overlaps.lock().unwrap().push(group.clone());
        }
        let _guard = Leave(&self.world, group.clone());
        tokio::time::sleep(self.pause).await;
        self.world
            .handled
            .lock()
            .unwrap()
            .entry(group)
            .or_default()
            .push(text.parse().unwrap());
        Outcome::Handled
    }
}

struct Leave<'a>(&'a World, String);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.busy.lock().unwrap().remove(&self.1);
    }
}

struct Workman {
    process: Process,
    worker: Arc<Worker<Bot>>,
    fatal: CancellationToken,
    counters: Arc<Counters>,
}

fn start(layout: &Layout, world: &Arc<World>, pause: Duration, max_attempts: u32) -> Workman {
    start_with(layout, world, pause, max_attempts, 64, LEASE)
}

fn start_with(
    layout: &Layout,
    world: &Arc<World>,
    pause: Duration,
    max_attempts: u32,
    in_flight: usize,
    lease: Duration,
) -> Workman {
    let fatal = CancellationToken::new();
    let counters = Arc::new(Counters::default());
    let worker = Arc::new(Worker {
        layout: layout.clone(),
        handler: Arc::new(Bot {
            world: Arc::clone(world),
            fatal: Some(fatal.clone()),
            pause,
        }),
        in_flight,
        max_attempts,
        counters: Arc::clone(&counters),
        tenures: Arc::default(),
        recent: Recent::new(Duration::from_secs(60)),
        suspects: Semaphore::new(1),
    });
    Workman {
        process: run(layout, &worker, lease),
        worker,
        fatal,
        counters,
    }
}

fn run(layout: &Layout, worker: &Arc<Worker<Bot>>, lease: Duration) -> Process {
    Process::start(
        layout,
        lease,
        Duty::gateway(Role::Worker),
        "partition",
        PARTITIONS.into(),
        Arc::clone(worker),
    )
}

fn event(group: u32, number: usize, text: &str) -> (String, Dispatch) {
    let envelope = format!(
        r#"{{"op":0,"s":{number},"t":"GROUP_MESSAGE_CREATE","id":"e-{group}-{number}",
            "d":{{"id":"m-{group}-{number}-{text}","group_openid":"G{group}","content":"{text}"}}}}"#
    );
    let scanned = qq_model::gateway::Envelope::scan(&envelope).unwrap();
    let dispatch = Dispatch::decode(&scanned).unwrap();
    (envelope, dispatch)
}

async fn publish(layout: &Layout, messages: impl IntoIterator<Item = (u32, String)>) {
    let mut publisher = Publisher::new(layout, &Arc::default());
    for (number, (group, text)) in messages.into_iter().enumerate() {
        let (envelope, dispatch) = event(group, number, &text);
        while !publisher.has_room() {
            publisher.stored().await;
        }
        publisher.push(Parcel {
            place: Place::of(&dispatch, PARTITIONS),
            message_id: message_id(&dispatch),
            envelope: envelope.clone().into(),
            sequence: None,
        });
    }
    while !publisher.is_empty() {
        publisher.stored().await;
    }
}

impl World {
    fn count(&self) -> usize {
        self.handled.lock().unwrap().values().map(Vec::len).sum()
    }

    async fn until(&self, count: usize, limit: Duration) {
        let start = Instant::now();
        while self.distinct() < count {
            assert!(
                start.elapsed() < limit,
                "{} of {count} handled",
                self.distinct()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn distinct(&self) -> usize {
        let handled = self.handled.lock().unwrap();
        handled
            .values()
            .map(|numbers| {
                numbers
                    .iter()
                    .collect::<std::collections::BTreeSet<_>>()
                    .len()
            })
            .sum()
    }

    /// Every conversation's events, in order; one may have come again after a crash, from where it stood.
    fn assert_in_order(&self) {
        for (group, numbers) in &*self.handled.lock().unwrap() {
            let mut seen = 0;
            for number in numbers {
                assert!(
                    *number <= seen + 1,
                    "{group}: {number} after {seen} in {numbers:?}"
                );
                seen = seen.max(*number);
            }
        }
        assert_eq!(*self.overlaps.lock().unwrap(), [] as [String; 0]);
    }
}

/// So many messages in each of so many groups, numbered from 1, mixed.
fn messages(groups: u32, each: u32) -> impl Iterator<Item = (u32, String)> {
    (1..=each).flat_map(move |number| (0..groups).map(move |group| (group, number.to_string())))
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_out_of_order_while_workers_come_go_and_die() {
    let Some(server) = NatsServer::start().await else {
        return;
    };
    let layout = layout(&server).await;
    let world = Arc::new(World::default());
    let mut workers: Vec<Workman> = (0..3)
        .map(|_| start(&layout, &world, Duration::from_millis(2), 5))
        .collect();
    let publishing = tokio::spawn({
        let layout = layout.clone();
        async move { publish(&layout, messages(50, 60)).await }
    });
    for round in 0..3 {
        tokio::time::sleep(Duration::from_millis(400)).await;
        let mut gone = workers.remove(0);
        if round == 1 {
            gone.process.stop.cancel();
            gone.process
                .tasks
                .join_next()
                .await
                .unwrap()
                .unwrap()
                .unwrap();
        } else {
            gone.process.tasks.shutdown().await;
        }
        workers.push(start(&layout, &world, Duration::from_millis(2), 5));
    }
    publishing.await.unwrap();
    world.until(3000, PATIENCE).await;
    world.assert_in_order();
    // Those that died over an event in the act have it handled again, and no others.
    assert!(world.count() < 3000 + 2 * 8 * 64, "{}", world.count());
    // The last acknowledgements may still be under way.
    let start = Instant::now();
    while !layout.events.waiting().await.unwrap().is_empty() {
        assert!(
            start.elapsed() < PATIENCE,
            "not everything was acknowledged"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_handlers_keep_the_order() {
    let Some(server) = NatsServer::start().await else {
        return;
    };
    let layout = layout(&server).await;
    let world = Arc::new(World::default());
    // Longer than NATS may be silent; and while the first is handled there is no room for the third.
    let pause = Duration::from_millis(4_500);
    let worker = start_with(&layout, &world, pause, 5, 2, LEASE);
    publish(&layout, messages(1, 3)).await;
    world.until(3, PATIENCE).await;
    world.assert_in_order();
    assert_eq!(world.count(), 3, "each once");
    drop(worker);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nats_stores_twice_is_handled_once() {
    let Some(server) = NatsServer::start().await else {
        return;
    };
    let layout = layout(&server).await;
    let world = Arc::new(World::default());
    let worker = start(&layout, &world, Duration::from_millis(2), 5);
    for (number, text) in [(0, "1"), (0, "1"), (1, "2"), (0, "1"), (2, "3")] {
        let (envelope, dispatch) = event(1, number, text);
        let subject = layout
            .events
            .subject(Place::of(&dispatch, PARTITIONS).partition);
        let stored = layout.context.publish(subject, envelope.into()).await;
        stored.unwrap().await.unwrap();
    }
    let start = Instant::now();
    let repeated = || worker.counters.repeated.load(Ordering::Relaxed);
    while repeated() < 2 || world.distinct() < 3 {
        assert!(start.elapsed() < PATIENCE, "{} repeats", repeated());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    world.assert_in_order();
    assert_eq!(world.count(), 3, "each once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_away_and_comes_back_was_begun_before() {
    let Some(server) = NatsServer::start().await else {
        return;
    };
    let layout = layout(&server).await;
    let world = Arc::new(World::default());
    let mut workman = start(&layout, &world, Duration::ZERO, 5);
    let fatal = [(1, "fatal".to_owned()), (1, "1".to_owned())];
    publish(&layout, fatal).await;
    workman.fatal.cancelled().await;
    workman.process.tasks.shutdown().await;
    // As if another process had taken everything over, and given it up without having begun it.
    for partition in 0..PARTITIONS {
        let key = format!("partition.{partition}");
        if let Some(entry) = layout.claims.load::<Record>(&key).await.unwrap() {
            layout.claims.delete(&key, entry.revision).await.unwrap();
        }
    }
    let _process = run(&layout, &workman.worker, LEASE);
    let begun = Instant::now();
    while world.repeated.lock().unwrap().is_empty() {
        assert!(begun.elapsed() < PATIENCE, "it was said to be new");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(*world.repeated.lock().unwrap(), ["fatal"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_gets_lost_on_the_way_comes_again_before_those_after_it() {
    let Some(server) = NatsServer::start().await else {
        return;
    };
    let layout = layout(&server).await;
    let world = Arc::new(World::default());
    let _worker = start(&layout, &world, Duration::ZERO, 5);
    publish(&layout, [(1, "1".to_owned())]).await;
    world.until(1, PATIENCE).await;
    let (_, dispatch) = event(1, 0, "1");
    let partition = Place::of(&dispatch, PARTITIONS).partition;
    let (stream, prefix) = (layout.events.of(partition), format!("p{partition}-"));
    let start = Instant::now();
    let mut said = 1_u32;
    loop {
        assert!(start.elapsed() < PATIENCE, "nothing got lost");
        let mut names = stream.consumer_names();
        let name = loop {
            match names.next().await {
                Some(name) if name.as_ref().unwrap().starts_with(&prefix) => break name.unwrap(),
                Some(_) => {}
                // It is being made anew.
                None => names = stream.consumer_names(),
            }
        };
        // Somebody else is sent an event of the worker's consumer, and keeps it.
        let thief = stream.get_consumer::<Config>(&name).await;
        let Ok(thief) = thief else { continue };
        let batch = thief.batch().max_messages(1);
        let mut batch = batch
            .expires(Duration::from_secs(1))
            .messages()
            .await
            .unwrap();
        let next = said + 1..=said + 6;
        publish(&layout, next.map(|number| (1, number.to_string()))).await;
        said += 6;
        if matches!(batch.next().await, Some(Ok(_))) {
            break;
        }
    }
    world.until(said as usize, PATIENCE).await;
    world.assert_in_order();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_for_events_runs_out_just_as_an_event_comes() {
    let Some(server) = NatsServer::start().await else {
        return;
    };
    let layout = layout(&server).await;
    let client = layout.context.client();
    let mut requests = client
        .subscribe("$JS.API.CONSUMER.MSG.NEXT.>")
        .await
        .unwrap();
    client.flush().await.unwrap();
    let _worker = start(&layout, &Arc::default(), Duration::ZERO, 5);
    for _ in 0..PARTITIONS {
        let request = tokio::time::timeout(PATIENCE, requests.next()).await;
        let request = request.expect("no request").unwrap();
        let asked: serde_json::Value = serde_json::from_slice(&request.payload).unwrap();
        let lasts = |field: &str| Duration::from_nanos(asked[field].as_u64().unwrap());
        assert!(
            lasts("expires") > Duration::from_secs(24 * 60 * 60),
            "{asked}"
        );
        // A server that has gone is noticed all the same.
        assert!(lasts("idle_heartbeat") <= Duration::from_secs(2), "{asked}");
    }
}
