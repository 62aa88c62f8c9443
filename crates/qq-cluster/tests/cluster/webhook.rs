//! Receivers that take webhooks, behind one load balancer.
#![cfg(feature = "webhook")]

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use qq_client::Client;
use qq_cluster::{Cluster, ClusterConfig, ClusterError, ClusterErrorKind, ClusterExt, Role};
use qq_emulator::{Emulator, Say, WebhookDelivery};
use qq_model::{Environment, Intents, Secret, Token};
use qq_webhook::signature::KeyPair;
use qq_webhook::{
    ErrorKind, EventSink, RawEvent, Received, Verifier, WebhookServer, WebhookService,
};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::nats_server::{NatsServer, free_port};
use super::support::{Echo, LEASE, client, until_answered, until_ready};

/// No wait in here is for speed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Gives each request to the next receiver that can be connected to.
struct Balancer {
    port: u16,
    _tasks: JoinSet<()>,
}

impl Balancer {
    async fn to(receivers: Vec<SocketAddr>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (receivers, next) = (Arc::new(receivers), Arc::new(AtomicUsize::new(0)));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                let (receivers, next) = (Arc::clone(&receivers), Arc::clone(&next));
                connections.spawn(async move {
                    let mut near = BufReader::new(near);
                    while let Some(request) = read(&mut near).await {
                        let answer = ask(&receivers, &next, &request).await;
                        let answer = answer.unwrap_or_else(|| {
                            b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n".to_vec()
                        });
                        if near.write_all(&answer).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self {
            port,
            _tasks: tasks,
        }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/qqbot", self.port)
    }
}

async fn ask(receivers: &[SocketAddr], next: &AtomicUsize, request: &[u8]) -> Option<Vec<u8>> {
    for _ in receivers {
        let at = next.fetch_add(1, Ordering::Relaxed) % receivers.len();
        if let Ok(mut far) = TcpStream::connect(receivers[at]).await {
            // One that dies over the request leaves it to the platform.
            far.write_all(request).await.ok()?;
            return read(&mut BufReader::new(far)).await;
        }
    }
    None
}

/// A request or an answer, head and body.
async fn read(stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let (mut whole, mut length) = (Vec::new(), 0);
    loop {
        let start = whole.len();
        if stream.read_until(b'\n', &mut whole).await.ok()? == 0 {
            return None;
        }
        let line = String::from_utf8_lossy(&whole[start..]).to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let head = whole.len();
    whole.resize(head + length, 0);
    stream.read_exact(&mut whole[head..]).await.ok()?;
    Some(whole)
}

async fn emulator() -> Emulator {
    Emulator::builder()
        .settings(|settings| {
            settings.webhook_delivery = WebhookDelivery::WebhookOnly;
            settings.webhook_attempts = 100;
            settings.webhook_retry_ms = 100;
        })
        .start()
        .await
        .unwrap()
}

fn token() -> Token {
    Token::new(qq_emulator::DEFAULT_APP_ID, qq_emulator::DEFAULT_SECRET)
}

fn config(nats: &str, role: Role) -> ClusterConfig {
    ClusterConfig::new(nats)
        .role(role)
        .lease(LEASE)
        .partitions(16)
}

fn free_address() -> SocketAddr {
    (std::net::Ipv4Addr::LOCALHOST, free_port()).into()
}

async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let start = Instant::now();
    while !is_so().await {
        assert!(start.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A client that takes webhooks at this address and works on nothing.
async fn receiver(
    nats: &NatsServer,
    emulator: &Emulator,
    address: SocketAddr,
) -> (Arc<Client<Echo>>, Cluster) {
    let cluster = Cluster::connect(config(&nats.url(), Role::Receiver), &token())
        .await
        .unwrap();
    let client = Client::builder(token(), Intents::default())
        .environment(Environment::custom(emulator.base_url()).unwrap())
        .webhook(address.to_string(), "/qqbot")
        .cluster(&cluster)
        .handler(Echo::default())
        .build()
        .unwrap();
    (Arc::new(client), cluster)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_several_webhooks_take_is_handled_once() {
    let Some(nats) = NatsServer::start().await else {
        return;
    };
    let emulator = emulator().await;
    let addresses = [free_address(), free_address()];
    let one = receiver(&nats, &emulator, addresses[0]).await;
    let two = receiver(&nats, &emulator, addresses[1]).await;
    let (worker, cluster) = client(
        &nats.url(),
        emulator.base_url(),
        Role::Worker,
        Echo::default(),
    )
    .await;
    let worker = Arc::new(worker);
    let mut tasks = JoinSet::new();
    for client in [&one.0, &two.0, &worker] {
        let running = Arc::clone(client);
        tasks.spawn(async move { running.start().await });
        until_ready(client).await;
    }
    let balancer = Balancer::to(addresses.to_vec()).await;
    emulator.set_webhook(Some(&balancer.url())).await.unwrap();
    for number in 0..40 {
        emulator.say(Say::group(format!("{number}"))).await;
    }
    until_answered(&emulator, 40, PATIENCE).await;

    let (one_took, two_took) = (one.1.stats().published, two.1.stats().published);
    assert_eq!(one_took + two_took, 40);
    assert!(one_took > 0 && two_took > 0, "{one_took} and {two_took}");
    let members = cluster.members().await.unwrap();
    let webhooks = members.iter().filter(|member| member.has_webhook).count();
    assert_eq!((members.len(), webhooks), (3, 2));
    assert_eq!(cluster.shards().await.unwrap(), []);
    assert_eq!(emulator.sessions().len(), 0, "nobody opened a gateway");
    // The emulator pushes one after the other, so there is an order to keep.
    let texts: Vec<String> = emulator
        .outbox()
        .iter()
        .map(|entry| entry.text().to_owned())
        .collect();
    let said: Vec<String> = (0..40).map(|number| number.to_string()).collect();
    assert_eq!(texts, said);
    for client in [&one.0, &two.0, &worker] {
        client.stop().await.unwrap();
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap().unwrap();
    }
    let violations = emulator.violations();
    assert!(violations.is_empty(), "{violations:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_while_nats_is_away_comes_again() {
    let Some(mut nats) = NatsServer::start().await else {
        return;
    };
    let emulator = emulator().await;
    let address = free_address();
    let (receiver, cluster) = receiver(&nats, &emulator, address).await;
    let running = Arc::clone(&receiver);
    let _receiving = tokio::spawn(async move { running.start().await });
    until_ready(&receiver).await;
    let url = format!("http://{address}/qqbot");
    emulator.set_webhook(Some(&url)).await.unwrap();
    nats.kill();
    for number in 0..4 {
        emulator.say(Say::group(format!("{number}"))).await;
    }
    let refused = async || {
        emulator
            .violations()
            .iter()
            .any(|violation| violation.code == "webhook.status")
    };
    until("nobody was told to come again", refused).await;
    assert_eq!(emulator.webhooks()[0].delivered, 0);
    nats.resume().await;
    until("not delivered", async || {
        emulator.webhooks()[0].delivered == 4
    })
    .await;
    assert_eq!(emulator.webhooks()[0].lost, 0);
    let waiting = async || {
        let partitions = cluster.partitions().await.unwrap();
        partitions
            .iter()
            .map(|partition| partition.waiting)
            .sum::<u64>()
    };
    assert_eq!(waiting().await, 4, "each once");
}

/// A receiver that says nothing to the platform once it has stored a certain event.
async fn hang_after_storing(cluster: &Cluster, marker: PathBuf) -> impl EventSink {
    let sink = cluster.webhook_sink();
    move |event: RawEvent| {
        let (sink, marker) = (sink.clone(), marker.clone());
        async move {
            let is_last = String::from_utf8_lossy(event.body()).contains("the last words");
            sink.accept(event).await?;
            if is_last {
                std::fs::write(marker, "stored").unwrap();
                std::future::pending::<()>().await;
            }
            Ok(())
        }
    }
}

/// Not a test by itself: the process that is killed. It does nothing where nobody asked for a process.
#[tokio::test]
async fn a_receiver_that_is_killed() {
    let Ok(nats) = std::env::var("WEBHOOK_NATS") else {
        return;
    };
    let variable = |name| std::env::var(name).unwrap();
    let cluster = Cluster::connect(config(&nats, Role::Receiver), &token())
        .await
        .unwrap();
    let sink = hang_after_storing(&cluster, variable("WEBHOOK_MARKER").into()).await;
    let service = WebhookService::builder(Verifier::new(&token()).unwrap())
        .accept_deadline(PATIENCE)
        .build_with_sink(sink);
    let server = WebhookServer::builder(service)
        .path("/qqbot")
        .bind(variable("WEBHOOK_ADDRESS"))
        .await
        .unwrap();
    server.run().await;
}

struct Process(Child);

impl Process {
    fn start(nats: &NatsServer, address: SocketAddr, marker: &Path) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "webhook::a_receiver_that_is_killed"])
            .env("WEBHOOK_NATS", nats.url())
            .env("WEBHOOK_ADDRESS", address.to_string())
            .env("WEBHOOK_MARKER", marker)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // SIGKILL.
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_handled_once_whose_receiver_dies_before_it_answers() {
    if std::env::var_os("WEBHOOK_NATS").is_some() {
        return;
    }
    let Some(nats) = NatsServer::start().await else {
        return;
    };
    let emulator = emulator().await;
    let (worker, cluster) = client(
        &nats.url(),
        emulator.base_url(),
        Role::Worker,
        Echo::default(),
    )
    .await;
    let worker = Arc::new(worker);
    let running = Arc::clone(&worker);
    let _working = tokio::spawn(async move { running.start().await });
    until_ready(&worker).await;
    let marker = std::env::temp_dir().join(format!(
        "qq-cluster-webhook-{}-{:x}",
        std::process::id(),
        fastrand::u64(..)
    ));
    let addresses = [free_address(), free_address()];
    let doomed = Process::start(&nats, addresses[0], &marker);
    let up = async || TcpStream::connect(addresses[0]).await.is_ok();
    until("the receiver never listened", up).await;
    let balancer = Balancer::to(addresses.to_vec()).await;
    emulator.set_webhook(Some(&balancer.url())).await.unwrap();
    emulator.say(Say::group("hello")).await;
    emulator.say(Say::group("the last words")).await;
    until("the event was not stored", async || marker.exists()).await;
    drop(doomed);
    std::fs::remove_file(&marker).unwrap();

    let service = WebhookService::builder(Verifier::new(&token()).unwrap())
        .build_with_sink(cluster.webhook_sink());
    let server = WebhookServer::builder(service)
        .path("/qqbot")
        .bind(&*addresses[1].to_string())
        .await
        .unwrap();
    let _answering = tokio::spawn(server.run());
    until("not delivered", async || {
        emulator.webhooks()[0].delivered == 2
    })
    .await;
    assert_eq!(cluster.stats().repeated, 1, "it was stored before");
    emulator.say(Say::group("goodbye")).await;
    until_answered(&emulator, 3, PATIENCE).await;
    let texts: Vec<String> = emulator
        .outbox()
        .iter()
        .map(|entry| entry.text().to_owned())
        .collect();
    assert_eq!(texts, ["hello", "the last words", "goodbye"]);
}

fn event(verifier: &Verifier, token: &Token, secret: &str, id: &str) -> RawEvent {
    let body = format!(
        r#"{{"op":0,"id":"C2C_MESSAGE_CREATE:{id}","d":{{"id":"{id}","content":"hi","author":{{"user_openid":"U"}}}},"t":"C2C_MESSAGE_CREATE"}}"#
    );
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let timestamp = now.as_secs().to_string();
    let keys = KeyPair::from_secret(&Secret::new(secret)).unwrap();
    let signature = keys.sign_event(&timestamp, body.as_bytes()).to_string();
    let app_id = token.app_id().to_string();
    let headers = [
        ("X-Bot-Appid", app_id.as_str()),
        ("X-Signature-Timestamp", &timestamp),
        ("X-Signature-Ed25519", &signature),
    ];
    match verifier
        .receive(&http::Method::POST, &headers, body)
        .unwrap()
    {
        Received::Event(event, claim) => {
            drop(claim);
            event
        }
        Received::Answered(answer) => panic!("{answer:?}"),
    }
}

#[tokio::test]
async fn repeats_are_known_across_processes_and_other_bots_refused() {
    let Some(nats) = NatsServer::start().await else {
        return;
    };
    let (mine, other) = (token(), Token::new("102000777", "another-secret"));
    let verifier = Verifier::builder().bot(&mine).bot(&other).build().unwrap();
    let event_of_mine = || event(&verifier, &mine, qq_emulator::DEFAULT_SECRET, "m1");
    let mut stats = Vec::new();
    for _ in 0..2 {
        let cluster = Cluster::connect(config(&nats.url(), Role::Receiver), &mine)
            .await
            .unwrap();
        cluster
            .webhook_sink()
            .accept(event_of_mine())
            .await
            .unwrap();
        stats.push((cluster.stats().published, cluster.stats().repeated));
    }
    assert_eq!(stats, [(1, 0), (0, 1)]);

    let cluster = Cluster::connect(config(&nats.url(), Role::Receiver), &mine)
        .await
        .unwrap();
    let foreign = event(&verifier, &other, "another-secret", "m2");
    let error = cluster.webhook_sink().accept(foreign).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotAccepted);
    let cause = std::error::Error::source(&error).unwrap();
    let cause = cause.downcast_ref::<ClusterError>().unwrap();
    assert_eq!(cause.kind(), ClusterErrorKind::Mismatch);
    assert!(cause.to_string().contains("102000777"), "{cause}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_long_after_it_was_handled_is_remembered() {
    let Some(nats) = NatsServer::start().await else {
        return;
    };
    let emulator = emulator().await;
    let register = std::env::temp_dir().join(format!(
        "qq-cluster-register-{}-{:x}",
        std::process::id(),
        fastrand::u64(..)
    ));
    std::fs::File::create(&register).unwrap();
    let config = |role| {
        config(&nats.url(), role)
            .duplicate_window(Duration::from_millis(200))
            .remember_handled(Duration::from_secs(60 * 60))
    };
    let receiver = Cluster::connect(config(Role::Receiver), &token())
        .await
        .unwrap();
    let verifier = Verifier::new(&token()).unwrap();
    let repeat = || event(&verifier, &token(), qq_emulator::DEFAULT_SECRET, "m1");
    for round in 1..=2 {
        // Another process each time, with nothing in its memory.
        let cluster = Cluster::connect(config(Role::Worker), &token())
            .await
            .unwrap();
        let file = std::fs::OpenOptions::new()
            .append(true)
            .open(&register)
            .unwrap();
        let client = Client::builder(token(), Intents::default())
            .environment(Environment::custom(emulator.base_url()).unwrap())
            .cluster(&cluster)
            .on("C2C_MESSAGE_CREATE", move |_, _| {
                (&file).write_all(b"handled\n").unwrap();
                std::future::ready(())
            })
            .build()
            .unwrap();
        let client = Arc::new(client);
        let running = Arc::clone(&client);
        let task = tokio::spawn(async move { running.start().await });
        let sink = receiver.webhook_sink();
        // Until NATS has forgotten it.
        until("it stays known", async || {
            sink.accept(repeat()).await.unwrap();
            receiver.stats().published == round
        })
        .await;
        until("not handled", async || cluster.stats().handled == 1).await;
        client.stop().await.unwrap();
        task.await.unwrap().unwrap();
    }
    let handled = std::fs::read_to_string(&register).unwrap();
    std::fs::remove_file(&register).unwrap();
    assert_eq!(handled, "handled\n", "the second time it was known");
}
