//! Stopped or killed at any moment, a bot with a file store answers every message exactly once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use qq_emulator::{Emulator, Say};
use qqbot::client::FileStore;
use qqbot::prelude::*;

use crate::support::{Echo, all_scenes, answer_to, assert_no_violations, eventually, run};

/// How much later than asked a stop may end on a machine that is busy with other things.
const SLACK: Duration = Duration::from_secs(10);
/// Set for the process that is killed: where the platform is, the credentials, and the folder.
const CHILD: &str = "QQBOT_TEST_CRASH_CHILD";

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("qqbot-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

/// Opens the store once nobody has it any more: a process that is just being started holds what this one does.
async fn open(folder: &Path) -> FileStore {
    let opened = OnceLock::new();
    eventually("nobody else has the store", || {
        FileStore::open(folder).is_ok_and(|store| opened.set(store).is_ok())
    })
    .await;
    opened.into_inner().unwrap()
}

async fn build(url: &str, token: Token, folder: &Path) -> Client<Echo> {
    let store = open(folder).await;
    Client::builder(token, all_scenes())
        .environment(Environment::custom(url).unwrap())
        .session_store(store.clone())
        .dedupe_store(store.clone())
        .reply_store(store)
        .handler(Echo::default())
        .build()
        .unwrap()
}

/// Numbers that are the same for the same seed, which a failure names.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// Every message has one answer.
async fn all_answered_once(emulator: &Emulator, said: usize) {
    let answers = || {
        let mut answers: HashMap<String, usize> = HashMap::new();
        for entry in emulator.outbox() {
            *answers.entry(entry.text().to_owned()).or_default() += 1;
        }
        answers
    };
    eventually("every message is answered", || answers().len() == said).await;
    // Whatever is sent twice would come now.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let twice: Vec<_> = answers()
        .into_iter()
        .filter(|(_, count)| *count > 1)
        .collect();
    assert!(twice.is_empty(), "{twice:?}");
    assert_eq!(answers().len(), said);
    assert_no_violations(emulator);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_at_a_hundred_points_under_load() {
    let emulator = Emulator::builder().start().await.unwrap();
    let folder = folder("stopped");
    let mut random = Random(20_261_121);
    let token = || Token::new(emulator.app_id(), emulator.secret());
    let mut said = 0;
    for round in 0..100 {
        let running = run(build(emulator.base_url(), token(), &folder).await).await;
        let until = Instant::now() + Duration::from_millis(random.below(25));
        loop {
            emulator.say(Say::c2c(format!("{said}"))).await;
            said += 1;
            if Instant::now() >= until {
                break;
            }
            tokio::time::sleep(Duration::from_millis(random.below(3))).await;
        }
        let limit = Duration::from_millis(1 + random.below(200));
        let begun = Instant::now();
        let report = running.client.stop_within(limit).await.unwrap();
        let took = begun.elapsed();
        assert!(
            took < limit + SLACK,
            "round {round}: {took:?} of {limit:?}, {report:?}"
        );
        running.task.await.unwrap().unwrap();
        drop(running.client);
    }
    let running = run(build(emulator.base_url(), token(), &folder).await).await;
    all_answered_once(&emulator, said).await;
    running.client.stop().await.unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}

/// The process that is killed. As a test of its own it does nothing.
#[tokio::test]
async fn child() {
    let Ok(settings) = std::env::var(CHILD) else {
        return;
    };
    let [url, app_id, secret, folder] = *settings.split('\n').collect::<Vec<_>>() else {
        panic!("{settings}");
    };
    let client = build(url, Token::new(app_id, secret), Path::new(folder)).await;
    client.start().await.unwrap();
}

struct Killed(Child);

impl Killed {
    fn start(emulator: &Emulator, folder: &Path) -> Self {
        let settings = [
            emulator.base_url(),
            emulator.app_id(),
            emulator.secret(),
            &*folder.display().to_string(),
        ]
        .join("\n");
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["crash::child", "--exact", "--nocapture"])
            .env(CHILD, settings)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        // SIGKILL, on Unix.
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_thirty_points_under_load() {
    let emulator = Emulator::builder().start().await.unwrap();
    let folder = folder("killed");
    let mut random = Random(20_261_122);
    let mut said = 0;
    let first = Killed::start(&emulator, &folder);
    eventually("the first session", || {
        emulator.sessions().iter().any(|session| session.connected)
    })
    .await;
    emulator.say(Say::c2c("0")).await;
    said += 1;
    answer_to(&emulator, "0").await;
    // The session is saved within a second.
    tokio::time::sleep(Duration::from_millis(1200)).await;
    drop(first);
    for _ in 0..30 {
        let child = Killed::start(&emulator, &folder);
        let until = Instant::now() + Duration::from_millis(30 + random.below(350));
        while Instant::now() < until {
            emulator.say(Say::c2c(format!("{said}"))).await;
            said += 1;
            tokio::time::sleep(Duration::from_millis(1 + random.below(8))).await;
        }
        drop(child);
    }
    let last = Killed::start(&emulator, &folder);
    all_answered_once(&emulator, said).await;
    let sessions = emulator.sessions();
    assert_eq!(sessions.len(), 1, "every process resumed: {sessions:?}");
    drop(last);
    std::fs::remove_dir_all(folder).unwrap();
}
