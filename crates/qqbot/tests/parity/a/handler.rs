//! A13 to A15 and A21: callbacks, their context, and what they share.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use qq_emulator::Say;
use qqbot::model::event::payload;
use qqbot::model::event_table;
use qqbot::prelude::*;
use serde_json::{Value, json};
use tokio::sync::{RwLock, Semaphore};

use crate::support::{
    Notes, TRANSPORTS, Transport, answer_to, assert_no_violations, emulator, eventually, stop,
};

/// Notes the name of every callback.
#[derive(Clone, Default)]
struct Everything(Notes);

macro_rules! every_callback {
    ($($(#[$doc:meta])* $variant:ident = $wire:literal, $payload:ident, [$($intent:ident)?], $callback:ident;)*) => {
        impl EventHandler for Everything {
            $(
                async fn $callback(&self, ctx: Context, _payload: payload::$payload) {
                    assert_eq!(ctx.kind(), Some(EventKind::$variant));
                    self.0.add($wire);
                }
            )*

            async fn unknown_event(&self, _ctx: Context, event: UnknownEvent) {
                self.0.add(format!("unknown {}", event.name));
            }

            async fn error(&self, error: BotError) {
                self.0.add(format!("error {:?} {error:?}", error.kind()));
            }
        }
    };
}

event_table!(every_callback);

/// The least that events carry. No two messages have one id: those would be one message under two names.
fn data(kind: EventKind) -> Value {
    let id = format!("id-of-{kind}");
    json!({
        "id": id, "message_id": id, "audit_id": id, "guild_id": "1001", "channel_id": "2002",
        "group_openid": "G", "openid": "U", "user_openid": "U", "content": "hello",
        "author": {"id": "3003", "member_openid": "M", "user_openid": "U"},
        "timestamp": "2026-05-23T10:00:00+08:00",
    })
}

#[tokio::test]
async fn a13_every_event_has_a_callback() {
    for transport in TRANSPORTS {
        let emulator = emulator().await;
        let bot = Everything::default();
        let running = transport.run(&emulator, bot.clone()).await;
        let control = [EventKind::Ready, EventKind::Resumed];
        for kind in EventKind::ALL {
            if !control.contains(kind) {
                emulator.push_event(kind.as_str(), data(*kind)).await;
                bot.0.wait_for(kind.as_str()).await;
            }
        }
        if *transport == Transport::Gateway {
            emulator.drop_connections(None);
            bot.0.wait_for("RESUMED").await;
            bot.0.wait_for("READY").await;
        }
        // Each exactly once, and the loss of the connection is the one failure.
        let mut seen = bot.0.all();
        seen.retain(|note| !note.starts_with("error Network"));
        seen.sort();
        let mut expected: Vec<_> = EventKind::ALL.iter().map(ToString::to_string).collect();
        if *transport != Transport::Gateway {
            expected.retain(|name| name != "READY" && name != "RESUMED");
        }
        expected.sort();
        assert_eq!(seen, expected, "{transport:?}");

        emulator.push_event("C2C_MESSAGE_CREATE", json!([1])).await;
        eventually("what cannot be read reaches `error`", || {
            let notes = bot.0.all();
            notes.iter().any(|note| note.starts_with("error Decode"))
        })
        .await;
        assert_no_violations(&emulator);
        stop(&emulator, running).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a14_handler_with_shared_state() {
    struct StatefulBot {
        user_data: Arc<RwLock<HashMap<UserId, usize>>>,
        semaphore: Arc<Semaphore>,
        running: AtomicUsize,
        most: Arc<AtomicUsize>,
    }
    impl EventHandler for StatefulBot {
        async fn message_create(&self, ctx: Context, message: Message) {
            let _permit = self.semaphore.acquire().await.unwrap();
            let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(running, Ordering::SeqCst);
            let count = {
                let mut data = self.user_data.write().await;
                let count = data.entry(message.author.id.clone()).or_default();
                *count += 1;
                *count
            };
            let text = format!("echo: {} {count}", message.text());
            ctx.reply(text).await.unwrap();
            self.running.fetch_sub(1, Ordering::SeqCst);
        }
    }
    for transport in TRANSPORTS {
        let emulator = emulator().await;
        let (user_data, most) = (Arc::default(), Arc::default());
        let bot = StatefulBot {
            user_data: Arc::clone(&user_data),
            semaphore: Arc::new(Semaphore::new(2)),
            running: AtomicUsize::new(0),
            most: Arc::clone(&most),
        };
        let running = transport.run(&emulator, bot).await;
        let world = emulator.world();
        let channels = world.guilds.iter().map(|guild| &guild.channels[0].id);
        for (channel, user) in channels.cycle().zip(world.users.iter().cycle()).take(12) {
            let say = Say::channel(&*user.name);
            emulator
                .say(say.author(&*user.name).conversation(channel))
                .await;
        }
        eventually("every message is answered", || {
            emulator.outbox().len() == 12
        })
        .await;
        for user in &world.users {
            answer_to(&emulator, &format!("{} 4", user.name)).await;
            assert_eq!(user_data.read().await[&UserId::new(&*user.id)], 4);
        }
        assert!((1..=2).contains(&most.load(Ordering::SeqCst)), "{most:?}");
        assert_no_violations(&emulator);
        stop(&emulator, running).await;
    }
}

#[tokio::test]
async fn a15_context_in_spawned_tasks() {
    struct Spawner;
    impl EventHandler for Spawner {
        async fn group_message_create(&self, ctx: Context, message: GroupMessage) {
            let (api, token) = (ctx.api.clone(), ctx.token.clone());
            let conversation = message.conversation();
            tokio::spawn(async move {
                let text = format!("echo: as {}", token.app_id());
                api.conversation(&conversation).send(text).await.unwrap();
                // The whole context outlives its callback, too.
                ctx.clone().reply("echo: by the context").await.unwrap();
            });
        }
    }
    for transport in TRANSPORTS {
        let emulator = emulator().await;
        let running = transport.run(&emulator, Spawner).await;
        let said = emulator.say(Say::group("go")).await;
        let active = answer_to(&emulator, &format!("as {}", emulator.app_id())).await;
        let reply = answer_to(&emulator, "by the context").await;
        assert_eq!(active.reply_to, None);
        assert_eq!(reply.reply_to, Some(said.message_id));
        assert_eq!(
            (active.conversation, reply.conversation),
            (said.conversation.clone(), said.conversation)
        );
        assert_no_violations(&emulator);
        stop(&emulator, running).await;
    }
}

#[path = "../../../../../examples/comprehensive/bot.rs"]
mod comprehensive;

#[tokio::test]
async fn a21_comprehensive_bot() {
    for transport in TRANSPORTS {
        let log = Log::default();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(log.clone())
            .finish();
        // The test's own thread runs the bot as well.
        let _logging = tracing::subscriber::set_default(subscriber);
        let emulator = emulator().await;
        let intents = Intents::default()
            .with_public_guild_messages()
            .with_guilds();
        let bot = comprehensive::ComprehensiveBot::new();
        let running = transport.run_with(&emulator, intents, bot).await;
        let commands = [
            ("!ping", "Pong! 🏓"),
            ("!uptime", "Bot uptime: "),
            ("!stats", "Messages sent: 3, Last active: "),
            ("!help", "Available commands: !ping, !uptime, !stats, !help"),
            (
                "!dance",
                "Unknown command: dance. Type !help for available commands.",
            ),
        ];
        for (n, (command, answer)) in commands.into_iter().enumerate() {
            let said = emulator.say(Say::channel(command)).await;
            eventually(command, || emulator.outbox().len() > n).await;
            let entry = emulator.outbox().remove(n);
            assert!(entry.text().starts_with(answer), "{}", entry.text());
            assert_eq!(entry.reply_to, Some(said.message_id));
        }
        emulator.say(Say::channel("no command")).await;
        // Its own messages and those of other bots are not commands.
        let mut from_bot = data(EventKind::AtMessageCreate);
        from_bot["content"] = "!ping".into();
        from_bot["author"]["bot"] = true.into();
        emulator.push_event("AT_MESSAGE_CREATE", from_bot).await;
        let guild = json!({"id": "77", "name": "Teahouse"});
        emulator.push_event("GUILD_CREATE", guild).await;
        eventually("the guild is logged", || {
            log.text().contains("Joined guild: Teahouse")
        })
        .await;
        if *transport == Transport::Gateway {
            let hello = format!(
                "Bot is ready! Logged in as: {}",
                emulator.world().bots[0].name
            );
            assert!(log.text().contains(&hello), "{}", log.text());
        }
        assert_eq!(emulator.outbox().len(), commands.len());
        assert_no_violations(&emulator);
        stop(&emulator, running).await;
    }
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<std::sync::Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl tracing_subscriber::fmt::MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
