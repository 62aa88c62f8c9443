//! What the tests share: an echo bot, a platform with many conversations.

use std::fs::File;
use std::io::Write;
use std::time::{Duration, Instant};

use qq_client::{BotError, Client, Context, ErrorKind, EventHandler, Reply, Status};
use qq_cluster::{Cluster, ClusterConfig, ClusterExt, Role};
use qq_emulator::Emulator;
use qq_http::Limits;
use qq_model::message::{GroupMessage, Message};
use qq_model::{Environment, Intents, Token};
use tokio::sync::{Mutex, MutexGuard};

/// Short, so that tests are.
pub(crate) const LEASE: Duration = Duration::from_secs(3);
/// How long a test waits for what has to happen, on a slow machine with much else to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Tests that start many processes take turns.
static TURN: Mutex<()> = Mutex::const_new(());

/// Waits until no other test with many processes runs.
pub(crate) async fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().await
}

/// Answers every message with its own text, and writes down that it was called.
#[derive(Default)]
pub(crate) struct Echo {
    /// Where, one text to a line; several processes share it.
    pub(crate) register: Option<File>,
}

impl Echo {
    fn register(&self, text: &str) {
        if let Some(mut file) = self.register.as_ref() {
            // One write, so that lines of several processes do not mix.
            file.write_all(format!("{text}\n").as_bytes()).unwrap();
        }
    }
}

impl EventHandler for Echo {
    async fn message_create(&self, ctx: Context, message: Message) {
        self.register(&message.text());
        echo(&ctx, &message, &message.text()).await;
    }

    async fn group_message_create(&self, ctx: Context, message: GroupMessage) {
        self.register(&message.text());
        echo(&ctx, &message, &message.text()).await;
    }

    async fn error(&self, error: BotError) {
        eprintln!("{}: {error:?}", std::process::id());
    }
}

async fn echo(ctx: &Context, message: &(impl Reply + Sync), text: &str) {
    // A handler that must not lose an answer asks again until it knows.
    for _ in 0..20 {
        match message.reply(ctx, text.to_owned()).await {
            Ok(_) => return,
            // It may have been sent, and guild channels know no repeats.
            Err(error) if error.kind() == ErrorKind::OutcomeUnknown => return,
            Err(error) => eprintln!("{}: {text}: {error:?}", std::process::id()),
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

pub(crate) fn token() -> Token {
    Token::new(qq_emulator::DEFAULT_APP_ID, qq_emulator::DEFAULT_SECRET)
}

/// One process of the bot.
pub(crate) async fn client(
    nats: &str,
    base_url: &str,
    role: Role,
    echo: Echo,
) -> (Client<Echo>, Cluster) {
    let config = ClusterConfig::new(nats)
        .role(role)
        .lease(LEASE)
        .partitions(16);
    let cluster = Cluster::connect(config, &token()).await.unwrap();
    (part_of(&cluster, base_url, echo), cluster)
}

/// A client that takes part in a cluster.
pub(crate) fn part_of(cluster: &Cluster, base_url: &str, echo: Echo) -> Client<Echo> {
    Client::builder(token(), Intents::default().with_group_and_c2c())
        .environment(Environment::custom(base_url).unwrap())
        // The cluster's pace is what is looked at, not the platform's.
        .limits(Limits::learned())
        .cluster(cluster)
        .handler(echo)
        .build()
        .unwrap()
}

/// Waits until the answers to everything that was said are there.
pub(crate) async fn until_answered(emulator: &Emulator, count: usize, limit: Duration) {
    let start = Instant::now();
    loop {
        let answers = emulator.outbox().len();
        if answers >= count {
            return;
        }
        assert!(start.elapsed() < limit, "{answers} of {count} answered");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub(crate) async fn until_ready(client: &Client<Echo>) {
    let mut status = client.status();
    let ready = status.wait_for(|status| matches!(status, Status::Ready { .. }));
    let result = tokio::time::timeout(PATIENCE, ready).await;
    assert!(
        result.is_ok(),
        "the status stayed {:?}",
        *client.status().borrow()
    );
}
