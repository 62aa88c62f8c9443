//! What the rows share: an emulated platform, a client on it, and both ways its events can come.

#[cfg(test)]
#[path = "../end_to_end/support.rs"]
#[expect(dead_code, reason = "shared with other test targets")]
mod end_to_end;

pub(crate) use self::end_to_end::{
    DEADLINE, Echo, Running, all_scenes, answer_to, assert_no_violations, builder, builder_with,
    client, eventually, run, wait_until,
};

use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use qq_emulator::{Emulator, Scene};
use qqbot::prelude::*;
use tokio::time::Instant;

/// Set for the process in which a test runs again.
const CHILD: &str = "QQBOT_TEST_PARITY_CHILD";

/// How events come to the bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Gateway,
    #[cfg(feature = "webhook")]
    Webhook,
}

/// All of them: a row about events holds for each.
pub(crate) const TRANSPORTS: &[Transport] = &[
    Transport::Gateway,
    #[cfg(feature = "webhook")]
    Transport::Webhook,
];

impl Transport {
    /// A running bot to which events come this way, and no other.
    pub(crate) async fn run<H: EventHandler>(self, emulator: &Emulator, handler: H) -> Running<H> {
        self.run_with(emulator, Intents::all(), handler).await
    }

    pub(crate) async fn run_with<H: EventHandler>(
        self,
        emulator: &Emulator,
        intents: Intents,
        handler: H,
    ) -> Running<H> {
        let builder = builder_with(emulator, intents);
        match self {
            Self::Gateway => run(builder.handler(handler).build().unwrap()).await,
            #[cfg(feature = "webhook")]
            Self::Webhook => {
                let port = free_port();
                let builder = builder.webhook(format!("127.0.0.1:{port}"), "/qqbot");
                let running = run(builder.gateway(false).handler(handler).build().unwrap()).await;
                let url = format!("http://127.0.0.1:{port}/qqbot");
                emulator.set_webhook(Some(&url)).await.unwrap();
                assert!(emulator.sessions().is_empty());
                running
            }
        }
    }
}

/// A port that was free a moment ago.
#[cfg(feature = "webhook")]
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

pub(crate) const SCENES: [Scene; 4] = [Scene::Group, Scene::C2c, Scene::Channel, Scene::Direct];

pub(crate) async fn emulator() -> Emulator {
    Emulator::builder().start().await.unwrap()
}

/// Stops the bot, which must succeed and leave nothing behind.
pub(crate) async fn stop<H>(emulator: &Emulator, running: Running<H>) {
    let report = running.client.stop().await.unwrap();
    assert!(report.is_clean(), "{report:?}");
    running.task.await.unwrap().unwrap();
    nobody_connected(emulator).await;
}

pub(crate) async fn nobody_connected(emulator: &Emulator) {
    eventually("every connection ends", || {
        emulator.sessions().iter().all(|session| !session.connected)
    })
    .await;
}

/// What handlers noted, in order.
#[derive(Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    pub(crate) fn add(&self, note: impl Into<String>) {
        self.0.lock().unwrap().push(note.into());
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn contain(&self, note: &str) -> bool {
        self.0.lock().unwrap().iter().any(|one| one == note)
    }

    pub(crate) async fn wait_for(&self, note: &str) {
        let end = Instant::now() + DEADLINE;
        while !self.contain(note) {
            assert!(Instant::now() < end, "no {note:?}: {:#?}", self.all());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Whether this is the process that [`Again`] started.
pub(crate) fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// A test that runs once more, in a process of its own: what a client takes from the environment is set there.
pub(crate) struct Again(Child);

impl Again {
    /// `test` is its full name, the crate's included; without an emulator the environment names no platform.
    pub(crate) fn start(test: &str, emulator: Option<&Emulator>) -> Self {
        let (_, test) = test.split_once("::").unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", test, "--nocapture"]);
        command.env(CHILD, "1").env_remove("QQ_BOT_BASE_URL");
        if let Some(emulator) = emulator {
            command.env("QQ_BOT_BASE_URL", emulator.base_url());
            command.env("QQ_BOT_APP_ID", emulator.app_id());
            command.env("QQ_BOT_SECRET", emulator.secret());
        }
        Self(command.stdout(Stdio::null()).spawn().unwrap())
    }

    #[cfg(unix)]
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Waits for its end.
    pub(crate) async fn ended(mut self) -> ExitStatus {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "the process does not end");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Again {
    fn drop(&mut self) {
        // It has usually ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
