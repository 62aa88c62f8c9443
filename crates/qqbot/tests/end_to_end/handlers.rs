//! Callbacks that are slow, hang, block or panic cost only themselves.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{DEADLINE, assert_no_violations, builder, client, eventually, run};
use qq_emulator::{Emulator, Say};
use qqbot::Registration;
use qqbot::client::{Answered, ReplyRule, ReplyRules};
use qqbot::model::EventKinds;
use qqbot::prelude::*;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Does what the message says.
#[derive(Clone)]
struct Obedient {
    gate: Arc<Semaphore>,
    panics: Arc<AtomicUsize>,
}

impl Obedient {
    fn new() -> Self {
        Self {
            gate: Arc::new(Semaphore::new(0)),
            panics: Arc::default(),
        }
    }
}

impl EventHandler for Obedient {
    async fn c2c_message_create(&self, ctx: Context, message: C2CMessage) {
        match &*message.text() {
            "hang" => std::future::pending().await,
            "wait" => drop(self.gate.acquire().await),
            "block" => std::thread::sleep(Duration::from_millis(2500)),
            "panic" => panic!("as told"),
            text => drop(ctx.reply(text.to_owned()).await),
        }
    }

    async fn group_message_create(&self, ctx: Context, message: GroupMessage) {
        let replies = (0..64).map(|n| {
            let (ctx, message) = (ctx.clone(), message.clone());
            // Both ways of answering, from many tasks at once.
            tokio::spawn(async move {
                if n % 2 == 0 {
                    ctx.reply(format!("{n}")).await
                } else {
                    message.reply(&ctx, format!("{n}")).await
                }
            })
        });
        for reply in replies.collect::<Vec<_>>() {
            reply.await.unwrap().unwrap();
        }
    }

    async fn error(&self, error: BotError) {
        if error.kind() == ErrorKind::HandlerPanic && error.to_string().contains("as told") {
            self.panics.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn said(emulator: &Emulator, text: &str) -> bool {
    emulator.outbox().iter().any(|entry| entry.text() == text)
}

async fn say(emulator: &Emulator, author: &str, text: &str) {
    emulator.say(Say::c2c(text).author(author)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_callback_that_hangs_or_blocks_delays_only_its_conversation() {
    let emulator = Emulator::builder()
        .heartbeat_interval(Duration::from_secs(1))
        .start()
        .await
        .unwrap();
    let users: Vec<_> = emulator
        .world()
        .users
        .iter()
        .map(|user| user.name.clone())
        .collect();
    let bot = Obedient::new();
    let running = run(client(&emulator, bot.clone())).await;
    say(&emulator, &users[0], "hang").await;
    say(&emulator, &users[0], "behind the one that hangs").await;
    say(&emulator, &users[1], "block").await;
    say(&emulator, &users[2], "unhindered").await;
    eventually("another conversation is answered", || {
        said(&emulator, "unhindered")
    })
    .await;
    say(&emulator, &users[1], "after the block").await;
    eventually("the blocked conversation goes on", || {
        said(&emulator, "after the block")
    })
    .await;
    assert!(!said(&emulator, "behind the one that hangs"));
    // A client whose heartbeats stop for two intervals is closed with 4009.
    assert_eq!(emulator.sessions()[0].resumes, 0);
    assert_no_violations(&emulator);
    let report = timeout(
        DEADLINE,
        running.client.stop_within(Duration::from_millis(500)),
    )
    .await
    .unwrap()
    .unwrap();
    assert_eq!(report.unfinished, 1);
    running.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_panic_is_reported_and_loses_nothing_else() {
    let emulator = Emulator::builder().start().await.unwrap();
    let bot = Obedient::new();
    let running = run(client(&emulator, bot.clone())).await;
    for n in 0..20 {
        emulator
            .say(Say::c2c(if n % 5 == 0 {
                "panic".to_owned()
            } else {
                format!("message {n}")
            }))
            .await;
    }
    eventually("every other message is answered", || {
        (0..20)
            .filter(|n| n % 5 != 0)
            .all(|n| said(&emulator, &format!("message {n}")))
    })
    .await;
    eventually("every panic is reported", || {
        bot.panics.load(Ordering::Relaxed) == 4
    })
    .await;
    assert_eq!(running.client.stats().panics, 4);
    running.client.stop().await.unwrap();
    running.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn events_of_one_conversation_are_handled_in_order() {
    let emulator = Emulator::builder().start().await.unwrap();
    let bot = Obedient::new();
    let running = run(client(&emulator, bot.clone())).await;
    emulator.say(Say::c2c("wait")).await;
    for n in 0..50 {
        emulator.say(Say::c2c(format!("{n}"))).await;
    }
    // Said last, in a conversation that waits for nothing: by its answer the others could have come, too.
    let other = emulator.world().users[1].name.clone();
    say(&emulator, &other, "elsewhere").await;
    eventually("another conversation is answered", || {
        said(&emulator, "elsewhere")
    })
    .await;
    assert_eq!(emulator.outbox().len(), 1, "nothing overtakes what waits");
    bot.gate.add_permits(1);
    eventually("all are answered", || emulator.outbox().len() == 51).await;
    let order: Vec<_> = emulator
        .outbox()
        .iter()
        .skip(1)
        .map(|entry| entry.text().to_owned())
        .collect();
    assert_eq!(order, (0..50).map(|n| n.to_string()).collect::<Vec<_>>());
    running.client.stop().await.unwrap();
    running.task.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_answers_to_one_message_carry_distinct_numbers() {
    let emulator = Emulator::builder()
        .settings(|settings| settings.group_reply_budget = 100)
        .start()
        .await
        .unwrap();
    let rule = ReplyRule {
        window: Duration::from_secs(300),
        budget: Some(100),
    };
    let client = builder(&emulator)
        .reply_rules(ReplyRules::default().with(Scene::Group, Answered::Message, rule))
        .handler(Obedient::new())
        .build()
        .unwrap();
    let running = run(client).await;
    emulator.say(Say::group("go")).await;
    eventually("64 answers", || emulator.outbox().len() == 64).await;
    let mut numbers: Vec<_> = emulator
        .outbox()
        .iter()
        .map(|entry| entry.body["msg_seq"].as_u64().unwrap())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=64).collect::<Vec<_>>());
    assert_no_violations(&emulator);
    running.client.stop().await.unwrap();
    running.task.await.unwrap().unwrap();
}

/// Asks everything that can be asked of a client, and notes what is not as it should be.
#[derive(Clone, Default)]
struct Curious(Arc<Mutex<Vec<String>>>);

impl EventHandler for Curious {
    async fn c2c_message_create(&self, ctx: Context, message: C2CMessage) {
        let client = ctx.client();
        let mut wrong = Vec::new();
        let mut check = |what: &str, is_right: bool| {
            if !is_right {
                wrong.push(what.to_owned());
            }
        };
        check("is_connected", client.is_connected() && client.is_ready());
        check("ready_at", client.ready_at().is_some());
        let sessions = client.sessions();
        check("sessions", sessions.len() == 1);
        check(
            "get_session_info",
            client.get_session_info().as_ref() == sessions.first(),
        );
        let me = client.user().map(|me| me.id.clone());
        check(
            "user",
            me.is_some() && me == ctx.bot_info().map(|me| me.id.clone()),
        );
        let status = client.status().borrow().clone();
        check("status", matches!(status, Status::Ready { .. }));
        check("stats", client.stats().events_of(ctx.kind()) == 1);
        let health = client.health();
        check("health", health.shards.len() == 1 && health.running == 1);
        check("token", health.token_expires_at.is_some());
        let watched = client.watch_health(Duration::from_secs(60)).next().await;
        check("watch_health", watched.status == status);
        check("cache", client.cache().stats().users.entries > 0);
        let beat = r#"{"op":1,"d":null}"#;
        check("send_to_gateway", client.send_to_gateway(beat).is_ok());
        check("send_to_shard", client.send_to_shard(0, beat).is_ok());
        check("api", client.api().me().await.is_ok());
        check("active_collectors", client.active_collectors() == 0);
        let added = [
            client.on(EventKind::GuildCreate, |_, _| std::future::ready(())),
            client.on_typed(|_, _| std::future::ready(())),
            client.on_kinds(EventKinds::none(), |_, _| std::future::ready(())),
            client.on_error(|_| std::future::ready(())),
        ];
        check("on", added.iter().all(Registration::remove));
        let stopped = client.stop_within(Duration::ZERO);
        drop(stopped);
        check("request_stop", client.request_stop());
        wrong.push(message.text().into_owned());
        self.0.lock().unwrap().extend(wrong);
    }
}

#[tokio::test]
async fn everything_can_be_asked_from_a_callback() {
    let emulator = Emulator::builder().start().await.unwrap();
    let bot = Curious::default();
    let running = run(client(&emulator, bot.clone())).await;
    emulator.say(Say::c2c("asked")).await;
    timeout(DEADLINE, running.task)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!(*bot.0.lock().unwrap(), ["asked"]);
}
