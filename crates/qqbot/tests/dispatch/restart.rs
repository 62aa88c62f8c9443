//! A client that is started again goes on where the one before it was.

use std::sync::Arc;
use std::time::Duration;

use qq_emulator::{Emulator, Say};
use qqbot::client::{FileStore, InMemorySessionStore, SessionSave, SessionStore};
use qqbot::prelude::*;

use crate::support::{Echo, all_scenes, answer_to, assert_no_violations, eventually, run};

fn folder(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("qqbot-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

fn client<H: EventHandler>(emulator: &Emulator, handler: H, store: &FileStore) -> Client<H> {
    Client::builder(
        Token::new(emulator.app_id(), emulator.secret()),
        all_scenes(),
    )
    .environment(Environment::custom(emulator.base_url()).unwrap())
    .session_store(store.clone())
    .dedupe_store(store.clone())
    .handler(handler)
    .build()
    .unwrap()
}

#[tokio::test]
async fn a_planned_restart_resumes_and_handles_what_was_said_meanwhile() {
    let emulator = Emulator::builder().start().await.unwrap();
    let folder = folder("planned");
    let bot = Echo::default();
    let store = FileStore::open(&folder).unwrap();
    let running = run(client(&emulator, bot.clone(), &store)).await;
    emulator.say(Say::c2c("before")).await;
    answer_to(&emulator, "before").await;
    let report = running.client.stop().await.unwrap();
    assert_eq!(report.sessions_saved, 1, "{report:?}");
    assert!(report.is_clean(), "{report:?}");
    running.task.await.unwrap().unwrap();
    drop(running.client);
    drop(store);
    emulator.say(Say::c2c("meanwhile")).await;
    let store = FileStore::open(&folder).unwrap();
    let running = run(client(&emulator, bot.clone(), &store)).await;
    answer_to(&emulator, "meanwhile").await;
    emulator.say(Say::c2c("after")).await;
    answer_to(&emulator, "after").await;
    for text in ["before", "meanwhile", "after"] {
        assert_eq!(bot.calls(text), 1, "{text}");
    }
    let sessions = emulator.sessions();
    assert_eq!(
        (sessions.len(), sessions[0].resumes),
        (1, 1),
        "{sessions:?}"
    );
    assert_no_violations(&emulator);
    running.client.stop().await.unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}

/// Hangs at every message until it is told not to.
#[derive(Clone)]
struct Hanging(Arc<tokio::sync::Semaphore>);

impl EventHandler for Hanging {
    async fn c2c_message_create(&self, _: Context, _: C2CMessage) {
        self.0.add_permits(1);
        std::future::pending::<()>().await;
    }
}

#[tokio::test]
async fn what_a_crash_left_unhandled_is_handled_by_the_next_process() {
    let emulator = Emulator::builder().start().await.unwrap();
    let folder = folder("crash");
    let store = FileStore::open(&folder).unwrap();
    let hanging = Hanging(Arc::new(tokio::sync::Semaphore::new(0)));
    let running = run(client(&emulator, hanging.clone(), &store)).await;
    emulator.say(Say::c2c("hangs")).await;
    emulator.say(Say::c2c("waits behind it")).await;
    let _begun = hanging.0.acquire().await.unwrap();
    // Nothing of it is stopped in an orderly way; only what was saved is left.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    running.task.abort();
    let _ = running.task.await;
    drop(running.client);
    drop(store);
    let bot = Echo::default();
    let store = FileStore::open(&folder).unwrap();
    let running = run(client(&emulator, bot.clone(), &store)).await;
    answer_to(&emulator, "hangs").await;
    answer_to(&emulator, "waits behind it").await;
    assert_eq!(emulator.sessions()[0].resumes, 1);
    assert_eq!((bot.calls("hangs"), bot.calls("waits behind it")), (1, 1));
    running.client.stop().await.unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn a_session_that_is_of_no_use_is_left_alone() {
    let emulator = Emulator::builder().start().await.unwrap();
    let store = Arc::new(InMemorySessionStore::default());
    let build = |intents: Intents, age: Duration| {
        Client::builder(Token::new(emulator.app_id(), emulator.secret()), intents)
            .environment(Environment::custom(emulator.base_url()).unwrap())
            .session_store(Arc::clone(&store))
            .session_max_age(age)
            .handler(Echo::default())
            .build()
            .unwrap()
    };
    let minute = Duration::from_secs(60);
    for (intents, age) in [
        (all_scenes(), minute),
        (Intents::default().with_group_and_c2c(), minute),
        (Intents::default().with_group_and_c2c(), Duration::ZERO),
    ] {
        let running = run(build(intents, age)).await;
        assert_eq!(running.client.stop().await.unwrap().sessions_saved, 1);
        running.task.await.unwrap().unwrap();
    }
    let sessions = emulator.sessions();
    assert_eq!(sessions.len(), 3, "{sessions:?}");
    assert!(
        sessions.iter().all(|session| session.resumes == 0),
        "{sessions:?}"
    );
    assert_no_violations(&emulator);
}

/// Always fails.
struct Broken;

impl SessionStore for Broken {
    fn load<'a>(
        &'a self,
        _: &'a qqbot::client::SessionKey,
    ) -> qqbot::client::StoreFuture<'a, Option<qqbot::client::StoredSession>> {
        Box::pin(async { Err(qqbot::client::StoreError::new("the disk is gone")) })
    }

    fn save<'a>(
        &'a self,
        _: &'a qqbot::client::SessionKey,
        _: &'a qqbot::gateway::Session,
        _: Option<u64>,
    ) -> qqbot::client::StoreFuture<'a, SessionSave> {
        Box::pin(async { Err(qqbot::client::StoreError::new("the disk is gone")) })
    }
}

#[tokio::test]
async fn a_store_that_fails_is_reported_once_and_costs_nothing_else() {
    let emulator = Emulator::builder().start().await.unwrap();
    let bot = Echo::default();
    let client = Client::builder(
        Token::new(emulator.app_id(), emulator.secret()),
        all_scenes(),
    )
    .environment(Environment::custom(emulator.base_url()).unwrap())
    .session_store(Broken)
    .handler(bot.clone())
    .build()
    .unwrap();
    let running = run(client).await;
    for n in 0..3 {
        emulator.say(Say::c2c(format!("{n}"))).await;
        answer_to(&emulator, &format!("{n}")).await;
    }
    eventually("the failure is reported", || {
        bot.errors.lock().unwrap().len() == 1
    })
    .await;
    running.client.stop().await.unwrap();
    let errors = bot.errors.lock().unwrap().clone();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("the disk is gone"), "{errors:?}");
}
