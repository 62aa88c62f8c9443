//! What whoever runs a cluster does and sees.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use qq_client::{Client, Context, EventHandler, Reply};
use qq_cluster::{Cluster, ClusterConfig, ClusterErrorKind, ClusterExt, Role};
use qq_emulator::{Emulator, Say};
use qq_model::message::GroupMessage;
use qq_model::{Environment, Intents, Token};
use tokio::task::JoinHandle;

use super::nats_server::NatsServer;
use super::support::LEASE;

/// No wait in here is for speed.
const PATIENCE: Duration = Duration::from_secs(60);

fn token() -> Token {
    Token::new(qq_emulator::DEFAULT_APP_ID, qq_emulator::DEFAULT_SECRET)
}

fn config(nats: &NatsServer) -> ClusterConfig {
    ClusterConfig::new(nats.url())
        .lease(LEASE)
        .partitions(16)
        .max_attempts(2)
}

/// Answers, but for what it cannot digest yet.
struct Delicate {
    is_ill: Arc<AtomicBool>,
}

impl EventHandler for Delicate {
    async fn group_message_create(&self, ctx: Context, message: GroupMessage) {
        assert!(
            message.text() != "poison" || !self.is_ill.load(Ordering::SeqCst),
            "it was poison"
        );
        message.reply(&ctx, message.text()).await.unwrap();
    }
}

struct Running {
    client: Arc<Client<Delicate>>,
    cluster: Cluster,
    task: JoinHandle<Result<(), qq_client::BotError>>,
}

impl Running {
    async fn start(config: ClusterConfig, emulator: &Emulator, is_ill: &Arc<AtomicBool>) -> Self {
        let cluster = Cluster::connect(config, &token()).await.unwrap();
        let client = Client::builder(token(), Intents::default().with_group_and_c2c())
            .environment(Environment::custom(emulator.base_url()).unwrap())
            .cluster(&cluster)
            .handler(Delicate {
                is_ill: Arc::clone(is_ill),
            })
            .build()
            .unwrap();
        let client = Arc::new(client);
        let running = Arc::clone(&client);
        let task = tokio::spawn(async move { running.start().await });
        Self {
            client,
            cluster,
            task,
        }
    }

    async fn stop(self) {
        self.client.stop().await.unwrap();
        self.task.await.unwrap().unwrap();
    }
}

async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let start = Instant::now();
    while !is_so().await {
        assert!(start.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_read_put_back_and_thrown_away() {
    let Some(nats) = NatsServer::start().await else {
        return;
    };
    let emulator = Emulator::builder().start().await.unwrap();
    let is_ill = Arc::new(AtomicBool::new(true));
    let receiver = Running::start(config(&nats).role(Role::Receiver), &emulator, &is_ill).await;
    let worker = Running::start(config(&nats).role(Role::Worker), &emulator, &is_ill).await;
    let cluster = receiver.cluster.clone();
    let connected = async || emulator.sessions().iter().any(|session| session.connected);
    until("the gateway was never opened", connected).await;
    emulator.say(Say::group("poison")).await;
    emulator.say(Say::group("poison")).await;
    emulator.say(Say::group("food")).await;
    let dead = async |count| cluster.overview().await.unwrap().dead_letters == count;
    until("nothing was put aside", async || dead(2).await).await;
    let letters = cluster.dead_letters(10).await.unwrap();
    assert_eq!(letters.len(), 2);
    for letter in &letters {
        assert_eq!(letter.attempts, 2);
        assert!(letter.reason.contains("it was poison"), "{letter:?}");
        assert!(letter.envelope.contains("poison"), "{letter:?}");
    }

    is_ill.store(false, Ordering::SeqCst);
    cluster.put_back(letters[0].id).await.unwrap();
    cluster.discard(letters[1].id).await.unwrap();
    for gone in [
        cluster.put_back(letters[0].id).await,
        cluster.discard(letters[1].id).await,
    ] {
        assert_eq!(gone.unwrap_err().kind(), ClusterErrorKind::NotFound);
    }
    until("it was not handled", async || emulator.outbox().len() == 2).await;
    let texts: Vec<String> = emulator
        .outbox()
        .iter()
        .map(|entry| entry.text().to_owned())
        .collect();
    assert_eq!(texts, ["food", "poison"]);

    let seen = async || {
        let overview = cluster.overview().await.unwrap();
        let stats = overview.stats;
        (stats.published, stats.handled, stats.dead_letters) == (3, 2, 2)
            && (overview.waiting, overview.dead_letters) == (0, 0)
            && overview.members.len() == 2
    };
    until("the whole is not the sum of its parts", seen).await;
    worker.stop().await;
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_has_one_cluster() {
    let Some(nats) = NatsServer::start().await else {
        return;
    };
    let emulator = Emulator::builder().start().await.unwrap();
    let is_ill = Arc::default();
    let one = Running::start(config(&nats), &emulator, &is_ill).await;
    let joined = async || one.cluster.members().await.unwrap().len() == 1;
    until("it never joined", joined).await;
    let other = || config(&nats).name("other");
    let error = Cluster::connect(other(), &token()).await.unwrap_err();
    assert_eq!(error.kind(), ClusterErrorKind::Rival, "{error:?}");
    for name in [one.cluster.name(), "other"] {
        assert!(error.to_string().contains(name), "{error}");
    }
    // Another bot's is no rival.
    Cluster::connect(
        config(&nats).name("neighbour"),
        &Token::new("102000777", "secret"),
    )
    .await
    .unwrap();
    let first = one.cluster.clone();
    one.stop().await;

    let two = Running::start(config(&nats).name("another"), &emulator, &is_ill).await;
    let joined = async || two.cluster.members().await.unwrap().len() == 1;
    until("it never joined", joined).await;
    // Whoever connected before, and starts only now, is told as well.
    let late = Client::builder(token(), Intents::default())
        .environment(Environment::custom(emulator.base_url()).unwrap())
        .cluster(&first)
        .handler(Delicate { is_ill })
        .build()
        .unwrap();
    let error = late.start().await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap();
    let cause = cause.downcast_ref::<qq_cluster::ClusterError>().unwrap();
    assert_eq!(cause.kind(), ClusterErrorKind::Rival, "{error:?}");
    two.stop().await;
}

/// Files that end with this value.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let name = format!(
            "qq-cluster-tls-{}-{:x}",
            std::process::id(),
            fastrand::u64(..)
        );
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn tls_and_credentials_are_passed_on() {
    let folder = Folder::new();
    let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let certificate = folder.file("certificate.pem", &made.cert.pem());
    let key = folder.file("key.pem", &made.signing_key.serialize_pem());
    let arguments = [
        "-js",
        "--tls",
        "--tlscert",
        certificate.to_str().unwrap(),
        "--tlskey",
        key.to_str().unwrap(),
        "--user",
        "bot",
        "--pass",
        "right",
    ];
    let Some(nats) = NatsServer::start_with(&arguments).await else {
        return;
    };
    let config = || config(&nats).require_tls();
    let trusting = || config().root_certificates(&certificate);
    let cluster = Cluster::connect(trusting().user("bot", "right"), &token())
        .await
        .unwrap();
    assert_eq!(cluster.members().await.unwrap(), []);
    for (config, kind) in [
        (config().user("bot", "right"), ClusterErrorKind::Unreachable),
        (
            trusting().user("bot", "wrong"),
            ClusterErrorKind::Credentials,
        ),
        (trusting(), ClusterErrorKind::Credentials),
        (
            trusting().credentials_file(folder.0.join("nothing.creds")),
            ClusterErrorKind::Configuration,
        ),
    ] {
        let error = Cluster::connect(config, &token()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error:?}");
        assert!(!format!("{error:?}").contains("wrong"), "{error:?}");
    }
}

#[tokio::test]
async fn an_nkey_is_passed_on() {
    const USER: &str = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";
    const SEED: &str = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
    let folder = Folder::new();
    let settings = format!("authorization {{ users: [ {{ nkey: {USER} }} ] }}");
    let settings = folder.file("nats.conf", &settings);
    let arguments = ["-js", "-c", settings.to_str().unwrap()];
    let Some(nats) = NatsServer::start_with(&arguments).await else {
        return;
    };
    Cluster::connect(config(&nats).nkey(SEED), &token())
        .await
        .unwrap();
    let error = Cluster::connect(config(&nats), &token()).await.unwrap_err();
    assert_eq!(error.kind(), ClusterErrorKind::Credentials, "{error:?}");
}
