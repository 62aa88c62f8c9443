//! What nobody asks for is not decoded, and nothing is lost that somebody asks for.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use qq_emulator::{Emulator, Say};
use qqbot::cache::{Cache, CacheConfig};
use qqbot::model::EventKinds;
use qqbot::prelude::*;
use serde_json::json;

use crate::support::{builder_with, eventually, run, stop};

/// Notes what it is called for. Nothing else is written.
#[derive(Clone, Default)]
struct OneToOne(Arc<Mutex<Vec<String>>>);

impl OneToOne {
    fn add(&self, text: impl Into<String>) {
        self.0.lock().unwrap().push(text.into());
    }

    async fn wait_for(&self, text: &str) {
        eventually(text, || {
            self.0.lock().unwrap().iter().any(|one| one == text)
        })
        .await;
    }
}

impl EventHandler for OneToOne {
    async fn resumed(&self, _ctx: Context, _resumed: Resumed) {
        self.add("resumed");
    }

    async fn c2c_message_create(&self, _ctx: Context, message: C2CMessage) {
        self.add(message.text());
    }

    async fn unknown_event(&self, _ctx: Context, event: UnknownEvent) {
        self.add(&*event.name);
    }

    async fn error(&self, error: BotError) {
        self.add(format!("{:?}", error.kind()));
    }
}

fn options(emulator: &Emulator) -> qqbot::ClientBuilder {
    let intents = Intents::default().with_group_and_c2c().with_interaction();
    builder_with(emulator, intents).cache(Cache::new(CacheConfig::off()))
}

#[tokio::test]
async fn callbacks_that_are_not_written_ask_for_nothing() {
    let emulator = Emulator::builder().start().await.unwrap();
    let bot = OneToOne::default();
    let running = run(options(&emulator).handler(bot.clone()).build().unwrap()).await;
    for n in 0..10 {
        emulator.say(Say::group(format!("group {n}"))).await;
    }
    // Nobody looks at what it is.
    emulator
        .push_event("GROUP_MESSAGE_CREATE", json!([1]))
        .await;
    emulator.push_event("C2C_MESSAGE_CREATE", json!([1])).await;
    emulator.push_event("BRAND_NEW", json!({})).await;
    emulator.say(Say::c2c("for me")).await;
    bot.wait_for("for me").await;
    bot.wait_for("Decode").await;
    bot.wait_for("BRAND_NEW").await;
    let stats = running.client.stats();
    assert!(stats.unwanted >= 11, "{stats:?}");
    let group = stats.events_of(Some(EventKind::GroupMessageCreate));
    let mentions = stats.events_of(Some(EventKind::GroupAtMessageCreate));
    assert_eq!((group, mentions), (0, 0), "{stats:?}");
    assert_eq!(stats.events_of(Some(EventKind::Ready)), 1);
    // Those that were dropped count as had: nothing comes again.
    emulator.drop_connections(None);
    bot.wait_for("resumed").await;
    assert_eq!(stats.unwanted, running.client.stats().unwanted);
    let errors = bot.0.lock().unwrap().clone();
    assert_eq!(errors.iter().filter(|note| *note == "Decode").count(), 1);
    stop(running).await;
}

#[tokio::test]
async fn closures_ask_for_their_kinds_as_long_as_they_are_there() {
    let emulator = Emulator::builder().start().await.unwrap();
    let running = run(options(&emulator).build().unwrap()).await;
    let client = &running.client;
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hear = |who: &'static str| {
        let heard = Arc::clone(&heard);
        move |_: Context, event: Arc<Event>| {
            let text = event
                .as_message()
                .map(|message| message.text().into_owned());
            heard
                .lock()
                .unwrap()
                .push(format!("{who} {}", text.unwrap_or_default()));
            std::future::ready(())
        }
    };
    let had = |note: &str| heard.lock().unwrap().iter().any(|one| one == note);
    let skipped = |count: u64| move |stats: qqbot::Stats| stats.unwanted >= count;

    emulator.say(Say::group("before")).await;
    eventually("nobody wants it", || skipped(1)(client.stats())).await;
    let kinds = EventKinds::none()
        .with(EventKind::GroupMessageCreate)
        .with(EventKind::GroupAtMessageCreate);
    let of_groups = client.on_kinds(kinds, hear("groups"));
    emulator.say(Say::group("with one")).await;
    eventually("the closure", || had("groups with one")).await;
    emulator.say(Say::c2c("not yet")).await;
    let all = client.on_typed(hear("all"));
    emulator.say(Say::c2c("with all")).await;
    eventually("the closure", || had("all with all")).await;
    assert!(of_groups.remove() && all.remove());
    let before = client.stats().unwanted;
    emulator.say(Say::group("after")).await;
    eventually("nobody wants it any more", || {
        skipped(before + 1)(client.stats())
    })
    .await;
    let heard = heard.lock().unwrap().clone();
    assert!(
        !heard
            .iter()
            .any(|note| note.ends_with("before") || note.ends_with("after"))
    );
    stop(running).await;
}

#[tokio::test]
async fn what_waits_asks_for_what_it_waits_for() {
    let emulator = Emulator::builder().start().await.unwrap();
    let running = run(options(&emulator).build().unwrap()).await;
    let client = &running.client;
    emulator.say(Say::group("for nobody")).await;
    eventually("nobody wants it", || client.stats().unwanted == 1).await;
    let collector = client.create_message_collector().start();
    emulator.say(Say::group("for the collector")).await;
    let collected = tokio::time::timeout(crate::support::DEADLINE, collector)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(collected.text(), "for the collector");
    eventually("it collects no more", || {
        client.handle().active_collectors() == 0
    })
    .await;
    let before = client.stats().unwanted;
    emulator.say(Say::group("for nobody")).await;
    eventually("nobody wants it", || client.stats().unwanted == before + 1).await;
    // Clicks are acknowledged though nobody handles them.
    let user = emulator.world().users[0].openid.clone();
    let click = json!({
        "id": "i-1", "type": 11, "chat_type": 2, "scene": "c2c", "user_openid": user, "version": 1,
        "timestamp": "2026-11-21T12:00:00+08:00", "data": {"type": 11, "resolved": {"button_id": "1"}},
    });
    emulator.push_event("INTERACTION_CREATE", click).await;
    eventually("the acknowledgement", || {
        let acks = emulator.requests();
        acks.iter()
            .any(|request| request.path.ends_with("/interactions/i-1"))
    })
    .await;
    stop(running).await;
}

#[tokio::test]
async fn the_cache_learns_though_nobody_handles() {
    let emulator = Emulator::builder().start().await.unwrap();
    let bot = builder_with(&emulator, Intents::all());
    let running = run(bot.build().unwrap()).await;
    let said = emulator.say(Say::group("hello")).await;
    let group = said.conversation.as_str().into();
    eventually("the group is known", || {
        running.client.cache().group(&group).is_some()
    })
    .await;
    // Nobody learns from this.
    emulator
        .push_event("AUDIO_START", json!({"guild_id": "1", "channel_id": "2"}))
        .await;
    eventually("nobody wants it", || running.client.stats().unwanted == 1).await;
    stop(running).await;
}

#[tokio::test]
async fn kinds_that_are_said_are_exactly_those() {
    let emulator = Emulator::builder().start().await.unwrap();
    let bot = OneToOne::default();
    let all = builder_with(&emulator, Intents::all())
        .cache(Cache::new(CacheConfig::off()))
        .kinds(EventKinds::all())
        .handler(bot.clone());
    let running = run(all.build().unwrap()).await;
    emulator
        .push_event("AUDIO_START", json!({"guild_id": "1", "channel_id": "2"}))
        .await;
    eventually("it is taken", || {
        running
            .client
            .stats()
            .events_of(Some(EventKind::AudioStart))
            == 1
    })
    .await;
    assert_eq!(running.client.stats().unwanted, 0);
    stop(running).await;

    let few = builder_with(&emulator, Intents::all())
        .kinds(EventKinds::none().with(EventKind::C2CMessageCreate))
        .handler(bot.clone());
    let running = run(few.build().unwrap()).await;
    let collector = running.client.create_message_collector();
    let collector = collector.time(Duration::from_secs(600)).start();
    emulator.say(Say::group("for nobody")).await;
    eventually("nobody wants it", || running.client.stats().unwanted == 1).await;
    emulator.say(Say::c2c("for me")).await;
    bot.wait_for("for me").await;
    drop(collector);
    stop(running).await;
}
