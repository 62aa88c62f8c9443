//! A run: the network, the platform, the shards and what their consumer saw.

use std::collections::BTreeMap;
use std::env;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use qq_gateway::{
    CloseMode, IdentifyQueue, InMemoryIdentifyQueue, Phase, Shard, ShardBuilder, ShardError,
    ShardErrorKind, ShardGroup,
};
use qq_model::event::Event;
use qq_model::gateway::{SessionStartLimit, ShardId};
use qq_model::{Dispatch, Intents};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::net::{Net, Weather};
use crate::platform::{INTERVAL, Platform, Tokens};

/// The longest back-off.
pub(crate) const CAP: Duration = Duration::from_secs(60);
/// However a connection died: finding out, the longest back-off, and the way to a session.
pub(crate) const BOUND: Duration = Duration::from_secs(2 * 42 + 60 + 30);

/// Runs a scenario with so many seeds.
pub(crate) fn simulate<F: Future<Output = ()>>(name: &str, runs: u64, scenario: impl Fn(Sim) -> F) {
    let setting = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seeds = match setting("QQ_GATEWAY_SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..setting("QQ_GATEWAY_SIM_RUNS").unwrap_or(runs),
    };
    for seed in seeds {
        run(name, seed, &scenario);
    }
}

/// Runs a scenario with one seed.
pub(crate) fn run<F: Future<Output = ()>>(name: &str, seed: u64, scenario: impl FnOnce(Sim) -> F) {
    let _note = Note { name, seed };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async { scenario(Sim::new(seed)).await });
}

/// Says what failed.
struct Note<'a> {
    name: &'a str,
    seed: u64,
}

impl Drop for Note<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!(
                "{} failed with QQ_GATEWAY_SIM_SEED={}",
                self.name, self.seed
            );
        }
    }
}

pub(crate) struct Sim {
    pub(crate) rng: Rng,
    pub(crate) net: Net,
    pub(crate) platform: Platform,
    pub(crate) log: Log,
    queue: Arc<InMemoryIdentifyQueue>,
    shards: u32,
    publisher: Option<JoinHandle<()>>,
}

impl Sim {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let (net, connections) = Net::new(rng.u64(..));
        let mut limit = SessionStartLimit::default();
        limit.total = 1000;
        limit.remaining = 1000;
        limit.max_concurrency = 1;
        limit.reset_after_ms = 24 * 3_600_000;
        Self {
            platform: Platform::new(rng.u64(..), connections),
            net,
            log: Log::default(),
            queue: Arc::new(InMemoryIdentifyQueue::new(&limit)),
            shards: 0,
            publisher: None,
            rng,
        }
    }

    /// So many IDENTIFYs may be sent within five seconds.
    pub(crate) fn set_concurrency(&self, turns: u32) {
        let mut limit = SessionStartLimit::default();
        limit.total = 1000;
        limit.remaining = 1000;
        limit.max_concurrency = turns;
        limit.reset_after_ms = 24 * 3_600_000;
        self.queue.update(&limit);
        self.platform.state().max_concurrency = turns as usize;
    }

    fn builder(&mut self, id: ShardId, tokens: &Arc<Tokens>) -> ShardBuilder {
        let queue: Arc<dyn IdentifyQueue> = self.queue.clone();
        Shard::builder(
            "ws://localhost/websocket",
            tokens.clone(),
            Intents::default(),
        )
        .shard(id)
        .connect(self.net.clone())
        .seed(self.rng.u64(..))
        .identify_queue(queue)
    }

    /// One shard.
    pub(crate) fn shard(&mut self) -> Shard {
        self.shards = 1;
        let tokens = Arc::new(Tokens::new(&self.platform));
        self.builder(ShardId::ONE, &tokens).build().unwrap()
    }

    /// Runs one shard, with a consumer that drops its futures here and there.
    pub(crate) fn start(&mut self) -> JoinHandle<Shard> {
        let shard = self.shard();
        tokio::spawn(consume(
            shard,
            self.log.clone(),
            Rng::with_seed(self.rng.u64(..)),
        ))
    }

    /// Runs so many shards as one stream.
    pub(crate) fn start_group(&mut self, shards: u32) -> JoinHandle<ShardGroup> {
        self.shards = shards;
        let tokens = Arc::new(Tokens::new(&self.platform));
        let mut group: ShardGroup = (0..shards)
            .map(|index| {
                let id = ShardId::new(index, shards).unwrap();
                self.builder(id, &tokens).build().unwrap()
            })
            .collect();
        let log = self.log.clone();
        tokio::spawn(async move {
            while let Some((shard, item)) = group.next().await {
                log.take(shard, item);
            }
            group
        })
    }

    /// Events happen from now on, with pauses of at most `pause`.
    pub(crate) fn publish(&mut self, pause: Duration) {
        let platform = self.platform.clone();
        let (shards, mut rng) = (self.shards, Rng::with_seed(self.rng.u64(..)));
        let most = u64::try_from(pause.as_millis()).unwrap();
        let publisher = tokio::spawn(async move {
            loop {
                sleep(Duration::from_millis(rng.u64(1..=most))).await;
                platform.publish(rng.u64(0..shards.into()));
            }
        });
        if let Some(earlier) = self.publisher.replace(publisher) {
            earlier.abort();
        }
    }

    /// The weather turns, and is fair again after a while.
    pub(crate) fn squall(
        &self,
        weather: Weather,
        duration: Duration,
    ) -> impl FnOnce() + Send + use<> {
        let net = self.net.clone();
        move || {
            net.set(weather);
            tokio::spawn(async move {
                sleep(duration).await;
                net.set(Weather::FAIR);
            });
        }
    }

    /// Waits until every shard has a live session, as far as its consumer knows.
    pub(crate) async fn live_within(&self, limit: Duration) {
        let start = Instant::now();
        while self.log.live() < self.shards as usize {
            assert!(
                start.elapsed() <= limit,
                "{} of {} shards live after {limit:?}: {:#?}",
                self.log.live(),
                self.shards,
                self.log.errors().last()
            );
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until everything has arrived, and compares what was sent with what came.
    pub(crate) async fn settle(&mut self, sessions: Sessions) {
        if let Some(publisher) = self.publisher.take() {
            publisher.abort();
        }
        let end = Instant::now() + 2 * BOUND;
        while !self.has_arrived() && Instant::now() < end {
            sleep(Duration::from_millis(250)).await;
        }
        let (sent, log) = (self.platform.sent(), self.log.state());
        assert_eq!(self.platform.violations(), Vec::<String>::new());
        if sessions == Sessions::Kept {
            assert_eq!(
                log.events.len(),
                self.shards as usize,
                "sessions: {:?}",
                log.events.keys()
            );
        }
        for (id, came) in &log.events {
            let sent: Vec<_> = sent[id].iter().copied().collect();
            // What was not sent, came twice, is missing in between, or came out of order shows here.
            assert_eq!(*came, sent[..came.len().min(sent.len())], "session {id}");
            if log.current.values().any(|current| current == id) {
                assert_eq!(came.len(), sent.len(), "all events of {id}");
            }
        }
        self.check_identifies();
        assert!(
            self.net.open() <= self.shards as usize,
            "one connection per shard"
        );
    }

    fn has_arrived(&self) -> bool {
        let (sent, log) = (self.platform.sent(), self.log.state());
        log.current.len() == self.shards as usize
            && log
                .current
                .values()
                .all(|id| log.events[id].len() == sent[id].len())
    }

    /// IDENTIFYs keep the distance that the platform asks for.
    fn check_identifies(&self) {
        let state = self.platform.state();
        let mut times: Vec<_> = state.identifies.iter().map(|(time, _)| *time).collect();
        times.sort_unstable();
        let window = Duration::from_millis(4_990);
        for group in times.windows(state.max_concurrency + 1) {
            let distance = *group.last().unwrap() - group[0];
            assert!(distance >= window, "IDENTIFYs within {distance:?}");
        }
    }

    /// Ends the shard and has a last look.
    pub(crate) async fn close(&self, task: JoinHandle<Shard>) -> Shard {
        for sender in self.log.state().senders.values() {
            sender.close(CloseMode::KeepSession).unwrap();
        }
        let shard = timeout(Duration::from_secs(10), task).await.unwrap();
        shard.unwrap()
    }
}

/// What is expected of the sessions of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sessions {
    /// The first one of each shard lasts, so nothing is lost.
    Kept,
    /// One may have been lost, with the events that came between it and the next.
    Lost,
}

/// What the consumer saw.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<LogState>>);

#[derive(Default)]
struct LogState {
    /// The numbers that came, by session.
    events: BTreeMap<String, Vec<u64>>,
    /// The session of each shard.
    current: BTreeMap<u32, String>,
    live: BTreeMap<u32, bool>,
    errors: Vec<Seen>,
    senders: BTreeMap<u32, qq_gateway::ShardSender>,
}

/// An error.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) at: Instant,
    pub(crate) kind: ShardErrorKind,
    pub(crate) phase: Option<Phase>,
    pub(crate) code: Option<u16>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) is_fatal: bool,
}

impl Log {
    fn state(&self) -> std::sync::MutexGuard<'_, LogState> {
        self.0.lock().unwrap()
    }

    fn live(&self) -> usize {
        self.state().live.values().filter(|live| **live).count()
    }

    pub(crate) fn errors(&self) -> Vec<Seen> {
        self.state().errors.clone()
    }

    /// The errors that ended a connection, or an attempt to get one.
    pub(crate) fn ends(&self) -> Vec<Seen> {
        let mut errors = self.errors();
        errors.retain(|error| error.retry_after.is_some() || error.is_fatal);
        errors
    }

    pub(crate) fn sessions(&self) -> usize {
        self.state().events.len()
    }

    /// Whom to ask for the end.
    pub(crate) fn watch(&self, shard: &Shard) {
        self.state()
            .senders
            .insert(shard.id().index(), shard.sender());
    }

    pub(crate) fn take(&self, shard: ShardId, item: Result<Dispatch, ShardError>) {
        let mut state = self.state();
        let index = shard.index();
        match item {
            Ok(dispatch) => {
                let sequence = dispatch.sequence.unwrap();
                match &dispatch.event {
                    Event::Ready(ready) => {
                        let id = ready.session_id.to_string();
                        state.current.insert(index, id.clone());
                        state.live.insert(index, true);
                        state.events.entry(id).or_default().push(sequence);
                    }
                    Event::Resumed(_) => {
                        state.live.insert(index, true);
                    }
                    _ => {
                        let name = dispatch.id.as_ref().unwrap().to_string();
                        let (id, _) = name.split_once(':').unwrap();
                        state
                            .events
                            .entry(id.to_owned())
                            .or_default()
                            .push(sequence);
                    }
                }
            }
            Err(error) => {
                let seen = Seen {
                    at: Instant::now(),
                    kind: error.kind(),
                    phase: error.phase(),
                    code: error.close_code().map(|code| code.0),
                    retry_after: error.retry_after(),
                    is_fatal: error.is_fatal(),
                };
                if seen.retry_after.is_some() || seen.is_fatal {
                    state.live.insert(index, false);
                }
                state.errors.push(seen);
            }
        }
    }
}

/// Reads a shard to its end; at random points the future is dropped, or the connection only kept alive.
async fn consume(mut shard: Shard, log: Log, mut rng: Rng) -> Shard {
    log.watch(&shard);
    loop {
        let item = match rng.u8(0..100) {
            0 => {
                let pause = Duration::from_millis(rng.u64(0..300));
                let _ = timeout(pause, shard.keep_alive()).await;
                continue;
            }
            1..25 => {
                let piece = Duration::from_millis(rng.u64(0..3000));
                match timeout(piece, shard.next()).await {
                    Ok(item) => item,
                    Err(_) => continue,
                }
            }
            _ => {
                let piece = INTERVAL * 3;
                match timeout(piece, shard.next()).await {
                    Ok(item) => item,
                    Err(_) => continue,
                }
            }
        };
        match item {
            Some(item) => log.take(shard.id(), item),
            None => return shard,
        }
    }
}
