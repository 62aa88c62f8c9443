//! Processes of a cluster: this program again, which then runs [`a_process_of_the_cluster`] alone.

use std::fs::OpenOptions;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use qq_cluster::{Cluster, ClusterConfig, Role};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tracing_subscriber::EnvFilter;

use super::support::{Echo, PATIENCE, part_of, token};

/// What the processes of a cluster have in common.
#[derive(Clone)]
pub(crate) struct Site {
    /// The addresses of the NATS servers, `host:port`.
    pub(crate) nats: Vec<String>,
    pub(crate) replicas: usize,
    /// The address of the platform.
    pub(crate) platform: String,
    pub(crate) lease: Duration,
    /// Where it is written down what is handled.
    pub(crate) register: PathBuf,
}

impl Site {
    fn config(&self, nats: &str) -> ClusterConfig {
        ClusterConfig::new(nats)
            .replicas(self.replicas)
            .lease(self.lease)
            .partitions(16)
    }

    /// The cluster, for whoever asks how it stands.
    pub(crate) async fn cluster(&self) -> Cluster {
        connect(self.config(&addresses(&self.nats))).await
    }
}

fn addresses(servers: &[String]) -> String {
    let servers: Vec<String> = servers
        .iter()
        .map(|server| format!("nats://{server}"))
        .collect();
    servers.join(",")
}

/// Connects, again while a server is away.
async fn connect(config: ClusterConfig) -> Cluster {
    let start = Instant::now();
    loop {
        match Cluster::connect(config.clone(), &token()).await {
            Ok(cluster) => return cluster,
            Err(error) if error.is_retryable() && start.elapsed() < PATIENCE => {
                eprintln!("{}: {error:?}", std::process::id());
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// A process. Dropping it is SIGKILL: nothing of it is tidied up.
pub(crate) struct Process {
    child: Child,
    pub(crate) role: Role,
    links: Vec<Link>,
}

impl Process {
    pub(crate) async fn start(role: Role, site: &Site) -> Self {
        let mut links = Vec::new();
        for server in &site.nats {
            links.push(Link::to(server.clone()).await);
        }
        let near: Vec<String> = links
            .iter()
            .map(|link| format!("127.0.0.1:{}", link.port))
            .collect();
        let child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "process::a_process_of_the_cluster",
                "--nocapture",
            ])
            .env("CLUSTER_ROLE", format!("{role:?}"))
            .env("CLUSTER_NATS", near.join(","))
            .env("CLUSTER_REPLICAS", site.replicas.to_string())
            .env("CLUSTER_PLATFORM", &site.platform)
            .env("CLUSTER_LEASE", site.lease.as_millis().to_string())
            .env("CLUSTER_REGISTER", &site.register)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, role, links }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Cuts the process off from NATS, or lets it through again.
    pub(crate) fn cut(&self, is_cut: bool) {
        for link in &self.links {
            link.is_cut.send_replace(is_cut);
        }
    }

    /// Tells the process to stop, as Ctrl-C would.
    pub(crate) fn begin_stop(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Waits until a process that was told to stop has ended.
    pub(crate) async fn ended(mut self) {
        let start = Instant::now();
        while self.status().is_none() {
            assert!(start.elapsed() < PATIENCE, "a process did not stop");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let status = self.status();
        assert!(status.is_some_and(|status| status.success()), "{status:?}");
    }

    /// How it ended, if it did.
    pub(crate) fn status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Lies between a process and a NATS server, and can be cut.
struct Link {
    port: u16,
    is_cut: watch::Sender<bool>,
}

impl Link {
    async fn to(nats: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (is_cut, cut) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (mut cut, nats) = (cut.clone(), nats.clone());
                tokio::spawn(async move {
                    if *cut.borrow() {
                        return;
                    }
                    let Ok(mut far) = TcpStream::connect(&nats).await else {
                        return;
                    };
                    // A proxy that waits to fill its packets would slow down what it lies between.
                    near.set_nodelay(true).unwrap();
                    far.set_nodelay(true).unwrap();
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        _ = cut.wait_for(|is_cut| *is_cut) => {}
                    }
                });
            }
        });
        Self { port, is_cut }
    }
}

/// Not a test by itself: what the processes run. It does nothing where nobody asked for a process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_of_the_cluster() {
    let Ok(role) = std::env::var("CLUSTER_ROLE") else {
        return;
    };
    let variable = |name| std::env::var(name).unwrap();
    // What they say is shown when RUST_LOG asks for it.
    tracing_subscriber::fmt()
        .with_env_filter(
            EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("off")),
        )
        .with_writer(|| {
            eprint!("{} ", std::process::id());
            std::io::stderr()
        })
        .init();
    let role = match role.as_str() {
        "Receiver" => Role::Receiver,
        "Worker" => Role::Worker,
        _ => Role::Both,
    };
    let site = Site {
        nats: variable("CLUSTER_NATS")
            .split(',')
            .map(str::to_owned)
            .collect(),
        replicas: variable("CLUSTER_REPLICAS").parse().unwrap(),
        platform: variable("CLUSTER_PLATFORM"),
        lease: Duration::from_millis(variable("CLUSTER_LEASE").parse().unwrap()),
        register: variable("CLUSTER_REGISTER").into(),
    };
    let register = OpenOptions::new().append(true).open(&site.register);
    let echo = Echo {
        register: Some(register.unwrap()),
    };
    let cluster = connect(site.config(&addresses(&site.nats)).role(role)).await;
    let client = part_of(&cluster, &site.platform, echo);
    let handle = client.handle();
    tokio::spawn(async move {
        whoever_started_it_is_done().await;
        handle.stop().await.unwrap();
    });
    client.start().await.unwrap();
}

/// Waits for the end of the input, on a thread that nobody waits for.
async fn whoever_started_it_is_done() {
    let (done, is_done) = oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        let _ = done.send(());
    });
    is_done.await.unwrap();
}
