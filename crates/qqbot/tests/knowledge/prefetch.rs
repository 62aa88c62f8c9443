//! Guilds before `ready`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{builder, eventually, run};
use qq_emulator::{Emulator, Fault};
use qqbot::prelude::*;
use tokio::time::Instant;

/// Looks into the cache as soon as it is ready.
#[derive(Clone, Default)]
struct Looker {
    guilds: Arc<Mutex<Option<usize>>>,
    errors: Arc<Mutex<Vec<String>>>,
}

impl EventHandler for Looker {
    async fn ready(&self, ctx: Context, _ready: Ready) {
        let guilds = usize::try_from(ctx.cache().stats().guilds.entries).unwrap();
        *self.guilds.lock().unwrap() = Some(guilds);
    }

    async fn error(&self, error: BotError) {
        self.errors.lock().unwrap().push(format!("{error:?}"));
    }
}

#[tokio::test]
async fn c1_wait_for_guilds() {
    let emulator = Emulator::builder().start().await.unwrap();
    let bot = Looker::default();
    let client = builder(&emulator)
        .wait_for_channels(Duration::from_secs(10))
        .wait_for_roles(Duration::from_secs(10))
        .handler(bot.clone())
        .build()
        .unwrap();
    let running = run(client).await;
    eventually("ready", || bot.guilds.lock().unwrap().is_some()).await;
    assert_eq!(
        *bot.guilds.lock().unwrap(),
        Some(emulator.world().guilds.len())
    );
    let cache = running.client.cache();
    for guild in &emulator.world().guilds {
        let id = guild.id.as_str().into();
        assert_eq!(cache.guild_channels(&id).len(), guild.channels.len());
        assert_eq!(cache.guild_roles(&id).len(), guild.roles.len());
    }
    assert!(bot.errors.lock().unwrap().is_empty());
    running.client.stop().await.unwrap();
    running.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_platform_that_does_not_answer_delays_the_start_by_the_deadline_only() {
    let emulator = Emulator::builder().start().await.unwrap();
    emulator
        .fault(Fault::route("list_my_guilds").blackhole())
        .unwrap();
    let bot = Looker::default();
    let client = builder(&emulator)
        .wait_for_guilds(Duration::from_millis(300))
        .handler(bot.clone())
        .build()
        .unwrap();
    let began = Instant::now();
    let running = run(client).await;
    assert!(began.elapsed() >= Duration::from_millis(300));
    eventually("the failure is told", || {
        !bot.errors.lock().unwrap().is_empty()
    })
    .await;
    let told = bot.errors.lock().unwrap().concat();
    assert!(told.contains("without all of its guilds"), "{told}");
    assert_eq!(*bot.guilds.lock().unwrap(), Some(0));
    running.client.stop().await.unwrap();
    running.task.await.unwrap().unwrap();
}
