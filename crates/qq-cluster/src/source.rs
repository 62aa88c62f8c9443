//! The cluster as a client's source of events.

use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use qq_client::{
    BotError, ClientBuilder, ErrorKind, EventSource, Outcome as ClientOutcome, SourceContext,
    SourceEvent, SourceItem,
};
use qq_model::Dispatch;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::{Duration, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::cluster::Cluster;
use crate::identify::{ClusterGateway, ClusterIdentifyQueue, Unanswered};
use crate::members::Duty;
use crate::process::{Process, ProcessNews};
use crate::receiver::{Receiver, ShardNews};
use crate::stores::{ClusterDedupeStore, ClusterReplyStore, ClusterTokenStore};
use crate::worker::{Handle, Outcome, Recent, Worker};

/// Makes a client a part of a cluster.
pub trait ClusterExt {
    /// Takes part in this cluster, in the role of its [`ClusterConfig`](crate::ClusterConfig): holds gateway sessions
    /// and publishes what comes, handles what was published, or both. The access token, the rate limits of the bot and the
    /// answers to messages are shared with the other processes.
    ///
    /// The client's own gateway is left alone. With a webhook, a process in the role of a receiver holds no shards: what comes
    /// by webhook is published, and acknowledged to the platform when NATS has it. Some processes may have webhooks and
    /// others hold shards; an event that comes both ways is handled once.
    #[must_use]
    fn cluster(self, cluster: &Cluster) -> Self;
}

impl<H> ClusterExt for ClientBuilder<H> {
    fn cluster(self, cluster: &Cluster) -> Self {
        let source = cluster.clone();
        #[cfg(feature = "webhook")]
        let this = self.webhook_sink(cluster.webhook_sink());
        #[cfg(not(feature = "webhook"))]
        let this = self;
        let this = match &cluster.layout().handled {
            Some(handled) => this.dedupe_store(ClusterDedupeStore::new(handled.clone())),
            None => this,
        };
        this.token_store(ClusterTokenStore::new(cluster.layout()))
            .limit_store(cluster.limit_store())
            .reply_store(ClusterReplyStore::new(cluster.layout(), cluster.tenures()))
            .reply_store_timeout(LEDGER)
            .event_source(move || ClusterSource::new(source.clone()))
    }
}

/// How many events wait between the partitions and the client.
const QUEUE: usize = 64;
/// How long an answer waits for the ledger: as long as NATS may be away, for one that is sent without a record may be
/// sent twice.
const LEDGER: Duration = Duration::from_secs(10 * 60);
/// How often it is looked at whether the shards are held.
const LOOK: Duration = Duration::from_millis(250);
/// The pause before the platform is asked again for the number of shards.
const PAUSE: Duration = Duration::from_secs(2);

struct ClusterSource {
    cluster: Cluster,
    items: Option<mpsc::Receiver<SourceItem>>,
    stop: CancellationToken,
    task: Option<AbortOnDropHandle<()>>,
}

impl ClusterSource {
    fn new(cluster: Cluster) -> Self {
        Self {
            cluster,
            items: None,
            stop: CancellationToken::new(),
            task: None,
        }
    }
}

impl EventSource for ClusterSource {
    fn name(&self) -> &'static str {
        "cluster"
    }

    fn open(&mut self, context: SourceContext) {
        let (sender, items) = mpsc::channel(QUEUE);
        self.items = Some(items);
        let node = Node {
            cluster: self.cluster.clone(),
            context,
            items: sender,
            stop: self.stop.clone(),
        };
        self.task = Some(AbortOnDropHandle::new(tokio::spawn(node.run())));
    }

    fn next(&mut self) -> Pin<Box<dyn Future<Output = Option<SourceItem>> + Send + '_>> {
        Box::pin(async {
            match &mut self.items {
                Some(items) => items.recv().await,
                None => None,
            }
        })
    }

    fn close(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            self.stop.cancel();
            // What was not taken yet is not waited for.
            self.items = None;
            if let Some(task) = self.task.take() {
                // A panic in it was logged by the runtime, and ends it as well.
                let _ = task.await;
            }
            self.cluster.limits().release().await;
        })
    }
}

/// What runs beside the client.
struct Node {
    cluster: Cluster,
    context: SourceContext,
    items: mpsc::Sender<SourceItem>,
    stop: CancellationToken,
}

impl Node {
    async fn run(self) {
        let stop = self.stop.clone();
        let duty = Duty {
            role: self.cluster.config().role,
            has_webhook: self.context.has_webhook,
        };
        let (shard_news, shards) = mpsc::channel(QUEUE);
        let receiver = if duty.holds_shards() {
            match stop.run_until_cancelled(self.receiver(shard_news)).await {
                Some(receiver) => Some(Arc::new(receiver)),
                None => return,
            }
        } else {
            None
        };
        let config = self.cluster.config();
        let worker = duty.works().then(|| {
            Arc::new(Worker {
                layout: self.cluster.layout().clone(),
                handler: Arc::new(ClientHandler(self.items.clone())),
                in_flight: config.in_flight,
                max_attempts: config.max_attempts,
                counters: Arc::clone(self.cluster.counters()),
                tenures: Arc::clone(self.cluster.tenures()),
                recent: Recent::new(config.retention.duplicate_window),
                suspects: Semaphore::new(1),
            })
        });
        let count = receiver.as_ref().map_or(0, |receiver| receiver.shards);
        let (news, process) = mpsc::channel(QUEUE);
        let running = Process {
            cluster: self.cluster.clone(),
            duty,
            receiver,
            worker,
            news,
            stop: self.stop.clone(),
        };
        // The news end with the process.
        tokio::join!(running.run(), self.report(process, shards, count));
    }

    async fn receiver(&self, news: mpsc::Sender<ShardNews>) -> Receiver {
        let context = &self.context;
        let layout = self.cluster.layout();
        let gateway = ClusterGateway::new(layout, context.api.clone());
        let answer = loop {
            let error = match gateway.answer().await {
                Ok(answer) => break answer,
                Err(Unanswered::Platform(error)) => error.into(),
                Err(Unanswered::Cluster(error)) => BotError::with_source(
                    ErrorKind::Network,
                    "the cluster could not be asked for the gateway",
                    error,
                ),
            };
            self.tell(SourceItem::Interrupted(error)).await;
            sleep(PAUSE).await;
        };
        Receiver {
            layout: layout.clone(),
            http: context.api.clone(),
            url: context.gateway_url.clone().unwrap_or(answer.url),
            intents: context.intents,
            shards: answer.shards,
            partitions: self.cluster.config().partitions,
            connect: Arc::clone(&context.connect),
            tls: context.tls.clone(),
            queue: ClusterIdentifyQueue::new(layout, gateway),
            counters: Arc::clone(self.cluster.counters()),
            news,
        }
    }

    /// Tells the client how it stands: connected when this process takes part, every shard that it holds is live, and
    /// every other one is held by somebody.
    async fn report(
        &self,
        mut process: mpsc::Receiver<ProcessNews>,
        mut shards: mpsc::Receiver<ShardNews>,
        count: u32,
    ) {
        let mut member: Option<Box<str>> = None;
        let mut is_connected = false;
        let mut live: HashSet<u32> = HashSet::new();
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                Some(news) = shards.recv() => match news {
                    ShardNews::Live(shard) => drop(live.insert(shard.index())),
                    ShardNews::Gone(shard) => drop(live.remove(&shard.index())),
                    ShardNews::Interrupted(shard, error) => {
                        live.remove(&shard.index());
                        is_connected = false;
                        self.tell(SourceItem::Interrupted(error.into())).await;
                    }
                    ShardNews::Ended(error) => {
                        is_connected = false;
                        self.tell(SourceItem::Failed(error.into())).await;
                    }
                },
                news = process.recv() => match news {
                    Some(ProcessNews::Joined(id)) => member = Some(id),
                    Some(ProcessNews::Refused(error)) => {
                        is_connected = false;
                        let error = BotError::with_source(
                            ErrorKind::Configuration,
                            "this process cannot take part in the cluster",
                            error,
                        );
                        self.tell(SourceItem::Failed(error)).await;
                    }
                    Some(ProcessNews::Lost(error)) => {
                        (member, is_connected) = (None, false);
                        live.clear();
                        let error = BotError::with_source(
                            ErrorKind::Network,
                            "this process lost its place in the cluster",
                            error,
                        );
                        self.tell(SourceItem::Interrupted(error)).await;
                    }
                    None => return,
                },
                _ = look.tick(), if !is_connected => {}
            }
            if !is_connected
                && let Some(member) = &member
                && self.are_live(count, member, &live).await
            {
                is_connected = true;
                self.tell(SourceItem::Connected).await;
            }
        }
    }

    /// Whether so many shards have a holder, and those of this process are live.
    async fn are_live(&self, count: u32, member: &str, live: &HashSet<u32>) -> bool {
        if count == 0 {
            return true;
        }
        let Ok(held) = self.cluster.shards().await else {
            return false;
        };
        held.len() >= count as usize
            && held
                .iter()
                .all(|shard| *shard.holder != *member || live.contains(&shard.index))
    }

    async fn tell(&self, item: SourceItem) {
        // Nobody hears it when the client stops.
        let _ = self.items.send(item).await;
    }
}

/// Hands events to the client.
struct ClientHandler(mpsc::Sender<SourceItem>);

impl Handle for ClientHandler {
    async fn handle(&self, dispatch: Dispatch, is_repeated: bool) -> Outcome {
        let (done, outcome) = oneshot::channel();
        let event = SourceEvent::new(dispatch)
            .delivered_before(is_repeated.into())
            .acknowledged_by(move |outcome: ClientOutcome| {
                // Nobody hears it when the partition has moved away.
                let _ = done.send(outcome);
            });
        if self.0.send(event.into()).await.is_err() {
            return Outcome::Abandoned;
        }
        match outcome.await {
            Ok(ClientOutcome::Failed(reason)) => Outcome::Failed(reason),
            // What the client's own overflow policy dropped is dropped, and counted there.
            Ok(_) => Outcome::Handled,
            Err(_) => Outcome::Abandoned,
        }
    }
}
