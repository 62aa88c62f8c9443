//! A real `nats-server` for tests, with its own port and folder.

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A server that ends with this value, and its folder with it.
pub(crate) struct NatsServer {
    child: Option<Child>,
    port: u16,
    folder: PathBuf,
    extra: Vec<String>,
}

impl NatsServer {
    /// Starts a server with JetStream; `None` when there is no `nats-server`, which is an error in CI.
    pub(crate) async fn start() -> Option<Self> {
        Self::start_with(&["-js"]).await
    }

    /// Starts a server with these arguments.
    pub(crate) async fn start_with(arguments: &[&str]) -> Option<Self> {
        if Command::new("nats-server")
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_err()
        {
            assert!(
                std::env::var_os("CI").is_none(),
                "nats-server is not installed: apt-get install nats-server"
            );
            eprintln!("skipped: nats-server is not installed (apt-get install nats-server)");
            return None;
        }
        let port = free_port();
        let folder =
            std::env::temp_dir().join(format!("qq-cluster-nats-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut server = Self {
            child: None,
            port,
            folder,
            extra: arguments
                .iter()
                .map(|argument| (*argument).to_owned())
                .collect(),
        };
        server.resume().await;
        Some(server)
    }

    /// The address for clients.
    pub(crate) fn url(&self) -> String {
        format!("nats://{}", self.address())
    }

    /// The same without the scheme.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Ends the server at once, as a crash would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Starts the server again, with what its folder holds.
    pub(crate) async fn resume(&mut self) {
        let child = Command::new("nats-server")
            .args(["-a", "127.0.0.1", "-p", &self.port.to_string()])
            .arg("-sd")
            .arg(&self.folder)
            .args(&self.extra)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
        for _ in 0..1200 {
            if self.speaks() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("nats-server did not start");
    }
}

/// A port that is free now, and not one that the system gives to outgoing connections: those could take it while its
/// server is down.
pub(crate) fn free_port() -> u16 {
    let mut random = fastrand::Rng::new();
    loop {
        let port = random.u16(10_000..32_000);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

impl NatsServer {
    /// Whether it introduces itself, as it does before TLS and credentials.
    fn speaks(&self) -> bool {
        let address = (std::net::Ipv4Addr::LOCALHOST, self.port).into();
        let second = Duration::from_secs(1);
        let Ok(mut stream) = TcpStream::connect_timeout(&address, second) else {
            return false;
        };
        let mut start = [0; 4];
        stream.set_read_timeout(Some(second)).is_ok()
            && stream.read_exact(&mut start).is_ok()
            && start == *b"INFO"
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
