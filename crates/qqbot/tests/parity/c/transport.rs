//! Both ways an event can come, and what the platform saw.

use qq_emulator::Emulator;
use qqbot::ClientBuilder;
use qqbot::prelude::*;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::support::{DEADLINE, Running, run};

/// How events come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    Gateway,
    #[cfg(feature = "webhook")]
    Webhook,
}

impl Transport {
    pub(super) const ALL: &'static [Self] = &[
        Self::Gateway,
        #[cfg(feature = "webhook")]
        Self::Webhook,
    ];

    /// Starts a bot whose events come this way and no other.
    pub(super) async fn run<H: EventHandler>(
        self,
        emulator: &Emulator,
        builder: ClientBuilder<H>,
    ) -> Running<H> {
        match self {
            Self::Gateway => {
                let running = run(builder.build().unwrap()).await;
                assert!(!emulator.sessions().is_empty(), "the gateway has it");
                running
            }
            #[cfg(feature = "webhook")]
            Self::Webhook => {
                let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
                let address = free.local_addr().unwrap().to_string();
                drop(free);
                let builder = builder.webhook(address.clone(), "/qqbot").gateway(false);
                let running = run(builder.build().unwrap()).await;
                let url = format!("http://{address}/qqbot");
                emulator.set_webhook(Some(&url)).await.unwrap();
                assert!(emulator.sessions().is_empty(), "the gateway is left alone");
                running
            }
        }
    }
}

/// Stops a bot, which must end as it should.
pub(super) async fn stop<H: EventHandler>(running: Running<H>) {
    let report = timeout(DEADLINE, running.client.stop()).await;
    let report = report.unwrap().unwrap();
    assert!(report.is_clean(), "{report:?}");
    running.task.await.unwrap().unwrap();
}

/// How often a route was called.
pub(super) fn calls(emulator: &Emulator, route: &str) -> usize {
    let requests = emulator.requests();
    let called = |request: &&qq_emulator::RequestEntry| request.route.as_deref() == Some(route);
    requests.iter().filter(called).count()
}

pub(super) fn said(emulator: &Emulator, text: &str) -> bool {
    emulator.outbox().iter().any(|entry| entry.text() == text)
}

/// The frames that the gateway received, as the emulator's log shows them.
pub(super) async fn received_frames(emulator: &Emulator) -> Vec<Value> {
    let address = ("127.0.0.1", emulator.port());
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(
            b"GET /emulator/v1/frames HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        )
        .await
        .unwrap();
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer);
    timeout(DEADLINE, read).await.unwrap().unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(" 200 "), "{head}");
    let frames: Vec<Value> = serde_json::from_str(body).unwrap();
    frames
        .into_iter()
        .filter(|frame| frame["kind"] == "received")
        .collect()
}
