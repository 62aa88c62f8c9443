//! Slow, stuck and panicking handlers cost what was agreed and no more.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use qq_emulator::{Emulator, Say};
use qqbot::client::OverflowPolicy;
use qqbot::prelude::*;

use crate::support::{builder, eventually, run, wait_until};

/// What a message is answered with: nothing, but it is noted, after a while.
#[derive(Clone, Default)]
struct Slow {
    delay: Duration,
    handled: Arc<Mutex<Vec<String>>>,
    most_at_once: Arc<AtomicUsize>,
    now: Arc<AtomicUsize>,
    overflows: Arc<AtomicUsize>,
    timeouts: Arc<AtomicUsize>,
    panics: Arc<AtomicUsize>,
}

impl EventHandler for Slow {
    async fn group_message_create(&self, _: Context, message: GroupMessage) {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(now, Ordering::SeqCst);
        let text = message.text().to_string();
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        self.now.fetch_sub(1, Ordering::SeqCst);
        assert_ne!(text, "panic");
        self.handled
            .lock()
            .unwrap()
            .push(format!("{} {text}", message.group_openid));
        if text == "hang" {
            std::future::pending::<()>().await;
        }
    }

    async fn error(&self, error: BotError) {
        let counter = match error.kind() {
            ErrorKind::Overflow => &self.overflows,
            ErrorKind::HandlerTimeout => &self.timeouts,
            ErrorKind::HandlerPanic => &self.panics,
            kind => panic!("{kind:?}: {error:?}"),
        };
        counter.fetch_add(1, Ordering::SeqCst);
    }
}

impl Slow {
    fn after(delay: Duration) -> Self {
        Self {
            delay,
            ..Self::default()
        }
    }

    fn handled(&self) -> usize {
        self.handled.lock().unwrap().len()
    }
}

#[tokio::test]
async fn twenty_slow_handlers_run_side_by_side_and_in_order_within_a_conversation() {
    let emulator = Emulator::builder().start().await.unwrap();
    let groups = crate::sources::groups(20);
    let bot = Slow::after(Duration::from_millis(200));
    let (source, _) = crate::sources::source(
        groups
            .iter()
            .map(|group| (group.clone(), "x".into()))
            .collect(),
    );
    let running = run(builder(&emulator)
        .event_source(source)
        .handler(bot.clone())
        .build()
        .unwrap());
    let begun = Instant::now();
    let running = running.await;
    eventually("all of them", || bot.handled() == 20).await;
    let took = begun.elapsed();
    assert!(took < Duration::from_millis(800), "{took:?}");
    assert!(bot.most_at_once.load(Ordering::SeqCst) > 10);
    running.client.stop().await.unwrap();
    // The same in one conversation.
    let bot = Slow::after(Duration::from_millis(20));
    let texts: Vec<String> = (0..20).map(|n| format!("{n}")).collect();
    let said: Vec<_> = texts
        .iter()
        .map(|text| (groups[0].clone(), text.clone()))
        .collect();
    let (source, _) = crate::sources::source(said);
    let running = run(builder(&emulator)
        .event_source(source)
        .handler(bot.clone())
        .build()
        .unwrap())
    .await;
    eventually("all of them", || bot.handled() == 20).await;
    assert_eq!(bot.most_at_once.load(Ordering::SeqCst), 1);
    let expected: Vec<_> = texts
        .iter()
        .map(|text| format!("{} {text}", groups[0]))
        .collect();
    assert_eq!(*bot.handled.lock().unwrap(), expected);
    running.client.stop().await.unwrap();
}

#[tokio::test]
async fn one_panic_in_a_thousand_loses_none_of_the_others() {
    let emulator = Emulator::builder().start().await.unwrap();
    let groups = crate::sources::groups(10);
    let said: Vec<_> = (0..1000)
        .map(|n| {
            let text = if n == 500 {
                "panic".to_owned()
            } else {
                n.to_string()
            };
            (groups[n % 10].clone(), text)
        })
        .collect();
    let (source, outcomes) = crate::sources::source(said);
    let bot = Slow::default();
    let running = run(builder(&emulator)
        .event_source(source)
        .handler(bot.clone())
        .build()
        .unwrap())
    .await;
    eventually("all others", || bot.handled() == 999).await;
    eventually("the report", || bot.panics.load(Ordering::SeqCst) == 1).await;
    eventually("the acknowledgements", || {
        outcomes.lock().unwrap().len() == 1000
    })
    .await;
    let failed = outcomes
        .lock()
        .unwrap()
        .iter()
        .filter(|(_, outcome)| outcome.contains("Failed"))
        .count();
    assert_eq!(failed, 1);
    running.client.stop().await.unwrap();
}

/// 100,000 events against a handler that takes 10 ms for each.
async fn flood(policy: OverflowPolicy) -> (Slow, qqbot::Stats, HashMap<String, usize>) {
    const EVENTS: usize = 100_000;
    let emulator = Emulator::builder().start().await.unwrap();
    let groups = crate::sources::groups(1000);
    let bot = Slow::after(Duration::from_millis(10));
    let said: Vec<_> = (0..EVENTS)
        .map(|n| (groups[n % 1000].clone(), n.to_string()))
        .collect();
    let (source, outcomes) = crate::sources::source(said);
    let client = builder(&emulator)
        .event_source(source)
        .event_capacity(256)
        .overflow(policy)
        .handler(bot.clone())
        .build()
        .unwrap();
    let running = run(client).await;
    // A machine that does much else needs a while for so many.
    let end = Instant::now() + Duration::from_secs(180);
    while outcomes.lock().unwrap().len() < EVENTS {
        assert!(
            Instant::now() < end,
            "{} events",
            outcomes.lock().unwrap().len()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let stats = running.client.stats();
    running.client.stop().await.unwrap();
    let mut kinds = HashMap::new();
    for (_, outcome) in outcomes.lock().unwrap().iter() {
        *kinds.entry(outcome.clone()).or_default() += 1;
    }
    (bot, stats, kinds)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_is_dropped_within_bounds_and_every_event_is_counted() {
    for policy in [OverflowPolicy::DropNewest, OverflowPolicy::DropOldest] {
        let (bot, stats, kinds) = flood(policy).await;
        assert!(bot.most_at_once.load(Ordering::SeqCst) <= 256);
        let handled = kinds["Handled"];
        let dropped = kinds["Dropped(Capacity)"];
        assert_eq!(handled + dropped, 100_000, "{kinds:?}");
        assert_eq!(stats.dropped, dropped as u64);
        assert_eq!(bot.handled(), handled);
        let overflows = bot.overflows.load(Ordering::SeqCst);
        // One for each burst and one for each interval after it, however many events were dropped.
        assert!((1..100).contains(&overflows), "{overflows} reports");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_that_waits_loses_nothing() {
    let emulator = Emulator::builder().start().await.unwrap();
    let groups = crate::sources::groups(50);
    let bot = Slow::after(Duration::from_millis(1));
    let said: Vec<_> = (0..5000)
        .map(|n| (groups[n % 50].clone(), n.to_string()))
        .collect();
    let (source, outcomes) = crate::sources::source(said);
    let client = builder(&emulator)
        .event_source(source)
        .event_capacity(16)
        .handler(bot.clone())
        .build()
        .unwrap();
    let running = run(client).await;
    eventually("all of them", || outcomes.lock().unwrap().len() == 5000).await;
    assert_eq!(bot.handled(), 5000);
    assert!(bot.most_at_once.load(Ordering::SeqCst) <= 16);
    assert_eq!(running.client.stats().dropped, 0);
    running.client.stop().await.unwrap();
}

#[tokio::test]
async fn a_flooded_conversation_leaves_the_others_their_places() {
    let emulator = Emulator::builder().start().await.unwrap();
    let groups = crate::sources::groups(2);
    let mut said = vec![(groups[0].clone(), "hang".to_owned())];
    said.extend((0..30).map(|n| (groups[0].clone(), format!("behind {n}"))));
    said.extend((0..100).map(|n| (groups[1].clone(), format!("free {n}"))));
    for policy in [
        OverflowPolicy::Wait,
        OverflowPolicy::DropNewest,
        OverflowPolicy::DropOldest,
    ] {
        let (source, _) = crate::sources::source(said.clone());
        let bot = Slow::default();
        let client = builder(&emulator)
            .event_source(source)
            .event_capacity(64)
            .conversation_capacity(4)
            .conversation_overflow(policy)
            .handler(bot.clone())
            .build()
            .unwrap();
        let running = run(client).await;
        eventually("the other conversation", || bot.handled() == 101).await;
        let expected = if policy == OverflowPolicy::Wait {
            0
        } else {
            27
        };
        assert_eq!(
            running.client.stats().dropped_by_conversation,
            expected,
            "{policy:?}"
        );
        let report = running
            .client
            .stop_within(Duration::from_millis(200))
            .await
            .unwrap();
        let waiting = if policy == OverflowPolicy::Wait {
            30
        } else {
            3
        };
        assert_eq!(
            (report.unfinished, report.unhandled),
            (1, waiting),
            "{report:?}"
        );
    }
}

#[tokio::test]
async fn a_handler_that_takes_too_long_is_ended_and_its_conversation_goes_on() {
    let emulator = Emulator::builder().start().await.unwrap();
    let bot = Slow::default();
    let client = builder(&emulator)
        .handler_timeout(Duration::from_millis(100))
        .handler(bot.clone())
        .build()
        .unwrap();
    let running = run(client).await;
    emulator.say(Say::group("hang")).await;
    emulator.say(Say::group("next")).await;
    eventually("the next one", || bot.handled() == 2).await;
    eventually("the report", || bot.timeouts.load(Ordering::SeqCst) == 1).await;
    assert_eq!(running.client.stats().timeouts, 1);
    let report = running.client.stop().await.unwrap();
    assert!(report.is_clean(), "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callbacks_that_block_their_thread_one_after_another_stop_nobody_else_for_long() {
    let emulator = Emulator::builder()
        .heartbeat_interval(Duration::from_secs(1))
        .start()
        .await
        .unwrap();
    let running = run(builder(&emulator).handler(Blocking).build().unwrap()).await;
    for round in 0..3 {
        emulator.say(Say::group(format!("block {round}"))).await;
        emulator.say(Say::c2c(format!("quick {round}"))).await;
        let begun = Instant::now();
        eventually("the quick one", || {
            emulator
                .outbox()
                .iter()
                .any(|entry| entry.text() == format!("quick {round}"))
        })
        .await;
        assert!(
            begun.elapsed() < Duration::from_millis(800),
            "{:?}",
            begun.elapsed()
        );
    }
    wait_until(&running.client, |status| {
        matches!(status, Status::Ready { .. })
    })
    .await;
    assert_eq!(emulator.sessions()[0].resumes, 0);
    running.client.stop().await.unwrap();
}

struct Blocking;

impl EventHandler for Blocking {
    async fn group_message_create(&self, _: Context, _: GroupMessage) {
        std::thread::sleep(Duration::from_millis(900));
    }

    async fn c2c_message_create(&self, ctx: Context, message: C2CMessage) {
        drop(ctx.reply(message.text().to_string()).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_clients_share_nothing() {
    let mut all = Vec::new();
    for n in 0..50 {
        let emulator = Emulator::builder().start().await.unwrap();
        let running = run(crate::support::client(
            &emulator,
            crate::support::Echo::default(),
        ))
        .await;
        all.push((n, emulator, running));
    }
    for (n, emulator, _) in &all {
        emulator.say(Say::c2c(format!("to {n}"))).await;
    }
    for (n, emulator, running) in &all {
        crate::support::answer_to(emulator, &format!("to {n}")).await;
        assert_eq!(emulator.outbox().len(), 1);
        // The platform has the message before the bot has its answer.
        eventually("the answer counts", || running.client.stats().sent == 1).await;
    }
    for (_, _, running) in all {
        assert!(running.client.stop().await.unwrap().is_clean());
        running.task.await.unwrap().unwrap();
    }
}
