//! Several handlers for one event.

use std::sync::{Arc, Mutex};

use qq_emulator::{Emulator, Say};
use qqbot::EventKind;
use qqbot::prelude::*;

use crate::support::{client, eventually, run};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl EventHandler for Log {
    async fn c2c_message_create(&self, ctx: Context, message: C2CMessage) {
        let text = message.text();
        if &*text == "panic" {
            panic!("as told");
        }
        self.add(format!("trait {text}"));
        drop(ctx.reply(format!("done {text}")).await);
    }

    async fn error(&self, error: BotError) {
        self.add(format!("error {:?}", error.kind()));
    }
}

async fn say(emulator: &Emulator, log: &Log, text: &str, lines: usize) {
    emulator.say(Say::c2c(text)).await;
    eventually(text, || log.lines().len() >= lines).await;
}

#[tokio::test]
async fn closures_are_called_in_order_before_the_trait_and_can_be_removed() {
    let emulator = Emulator::builder().start().await.unwrap();
    let log = Log::default();
    let running = run(client(&emulator, log.clone())).await;
    let client = &running.client;
    let raw = client.on(EventKind::C2CMessageCreate, {
        let log = log.clone();
        move |ctx, raw| {
            let log = log.clone();
            async move {
                #[derive(serde::Deserialize)]
                struct Said {
                    content: String,
                }
                let said: Said = raw.decode().unwrap();
                log.add(format!("raw {} {}", raw.name(), said.content));
                // Added from a handler, it is called from the next event on.
                let inner = log.clone();
                let _ = ctx.client().on("C2C_MESSAGE_CREATE", move |_, _| {
                    let inner = inner.clone();
                    async move { inner.add("late") }
                });
            }
        }
    });
    let guard = client
        .on_typed({
            let log = log.clone();
            move |_, event| {
                let log = log.clone();
                async move {
                    if event.kind() == Some(EventKind::C2CMessageCreate) {
                        log.add("typed");
                        panic!("in a closure");
                    }
                }
            }
        })
        .into_guard();
    say(&emulator, &log, "one", 4).await;
    assert_eq!(
        log.lines()[..3],
        ["raw C2C_MESSAGE_CREATE one", "typed", "trait one"]
    );
    eventually("the panic is reported", || {
        log.lines().contains(&"error HandlerPanic".to_owned())
    })
    .await;
    assert!(raw.remove() && !raw.remove());
    drop(guard);
    log.0.lock().unwrap().clear();
    say(&emulator, &log, "two", 2).await;
    assert_eq!(log.lines(), ["late", "trait two"]);
    assert_eq!(client.stats().panics, 1);
    running.client.stop().await.unwrap();
}

#[tokio::test]
async fn closures_of_the_builder_make_a_bot_of_their_own() {
    let emulator = Emulator::builder().start().await.unwrap();
    let log = Log::default();
    let closures = Client::builder(
        Token::new(emulator.app_id(), emulator.secret()),
        crate::support::all_scenes(),
    )
    .environment(Environment::custom(emulator.base_url()).unwrap())
    .on_typed(|ctx, event| async move {
        if let Some(message) = event.as_message() {
            assert_ne!(&*message.text(), "panic");
            ctx.reply(format!("echo {}", message.text())).await.unwrap();
        }
    })
    .on_error({
        let log = log.clone();
        move |error| {
            let log = log.clone();
            async move { log.add(format!("{:?}", error.kind())) }
        }
    })
    .build()
    .unwrap();
    let running = run(closures).await;
    emulator.say(Say::group("hello")).await;
    eventually("an answer", || {
        emulator
            .outbox()
            .iter()
            .any(|entry| entry.text() == "echo hello")
    })
    .await;
    emulator.say(Say::group("panic")).await;
    eventually("the error", || log.lines() == ["HandlerPanic"]).await;
    running.client.stop().await.unwrap();
}

#[tokio::test]
async fn kinds_that_nobody_asked_for_reach_nobody() {
    let emulator = Emulator::builder().start().await.unwrap();
    let log = Log::default();
    let client = Client::builder(
        Token::new(emulator.app_id(), emulator.secret()),
        crate::support::all_scenes(),
    )
    .environment(Environment::custom(emulator.base_url()).unwrap())
    .kinds([EventKind::C2CMessageCreate].into_iter().collect())
    .on_typed({
        let log = log.clone();
        move |_, event| {
            let log = log.clone();
            async move { log.add(event.name()) }
        }
    })
    .build()
    .unwrap();
    let running = run(client).await;
    emulator.say(Say::group("not this one")).await;
    emulator.say(Say::c2c("this one")).await;
    eventually("both", || log.lines().len() == 2).await;
    assert_eq!(log.lines(), ["READY", "C2C_MESSAGE_CREATE"]);
    let stats = running.client.stats();
    assert_eq!(stats.events_of(Some(EventKind::C2CMessageCreate)), 1);
    assert_eq!(stats.events_of(Some(EventKind::GroupMessageCreate)), 0);
    let health = running.client.health();
    assert!(running.client.is_ready());
    assert_eq!(
        (health.shards.len(), health.waiting, health.running),
        (1, 0, 0)
    );
    assert!(health.shards[0].session_id.is_some() && health.shards[0].last_event_at.is_some());
    running.client.stop().await.unwrap();
}

#[tokio::test]
async fn a_closure_gets_the_text_that_came() {
    let emulator = Emulator::builder().start().await.unwrap();
    let running = run(client(&emulator, Log::default())).await;
    let (sender, mut pairs) = tokio::sync::mpsc::unbounded_channel();
    let text = Arc::new(Mutex::new(None));
    // Added while the client runs: the shard is told before the next event.
    running.client.on(EventKind::C2CMessageCreate, {
        let text = Arc::clone(&text);
        move |_, raw| {
            *text.lock().unwrap() = Some(raw.json().to_owned());
            std::future::ready(())
        }
    });
    running.client.on_typed(move |_, event| {
        if let Some(came) = text.lock().unwrap().take() {
            let written = serde_json::to_string(&*event).unwrap();
            sender.send((came, written)).unwrap();
        }
        std::future::ready(())
    });
    emulator.say(Say::c2c("hello")).await;
    let pair = tokio::time::timeout(std::time::Duration::from_secs(30), pairs.recv()).await;
    let (came, written) = pair.unwrap().unwrap();
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(value(&came)["content"], "hello");
    assert_ne!(came, written, "its members are in another order");
    running.client.stop().await.unwrap();
}
