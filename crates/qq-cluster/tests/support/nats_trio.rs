//! Three NATS servers as one.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::nats_server::{NatsServer, free_port};
/// How long a server may take to join the others.
const PATIENCE: Duration = Duration::from_secs(60);

/// Three servers, each of which keeps everything.
pub(crate) struct NatsTrio {
    pub(crate) servers: Vec<NatsServer>,
    /// Where each says how it stands.
    monitors: [u16; 3],
}

impl NatsTrio {
    /// Starts three servers; `None` when there is no `nats-server`.
    pub(crate) async fn start() -> Option<Self> {
        let ports = [free_port(), free_port(), free_port()];
        let monitors = [free_port(), free_port(), free_port()];
        let others = ports.map(|port| format!("nats://127.0.0.1:{port}"));
        let mut servers = Vec::new();
        let routes = others.join(",");
        for (number, monitor) in monitors.iter().enumerate() {
            let (name, monitor) = (format!("n{number}"), monitor.to_string());
            let arguments = [
                "-js",
                "--server_name",
                &name,
                "--cluster_name",
                "trio",
                "--cluster",
                &others[number],
                "--routes",
                &routes,
                "--no_advertise",
                "-m",
                &monitor,
            ];
            // Where it should say what it does, for whoever looks for a mistake.
            let log = std::env::var("NATS_LOGS").map(|folder| format!("{folder}/n{number}.log"));
            let mut arguments = arguments.to_vec();
            if let Ok(log) = &log {
                arguments.extend(["-D", "-l", log]);
            }
            servers.push(NatsServer::start_with(&arguments).await?);
        }
        println!("NATS says how it stands on {monitors:?}");
        let trio = Self { servers, monitors };
        for number in 0..3 {
            trio.until_up(number).await;
        }
        Some(trio)
    }

    /// Waits until a server is one of the three.
    pub(crate) async fn until_up(&self, number: usize) {
        let start = Instant::now();
        while !self.is_up(number) {
            assert!(
                start.elapsed() < PATIENCE,
                "server {number} did not come up"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// What a server says of itself at this path.
    pub(crate) fn ask(&self, number: usize, path: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.monitors[number]))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    fn is_up(&self, number: usize) -> bool {
        self.ask(number, "/healthz?js-server-only=true")
            .is_ok_and(|answer| answer.split(' ').nth(1) == Some("200"))
    }
}
