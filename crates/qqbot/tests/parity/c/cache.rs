//! What the client has seen, by id, within limits.

use std::sync::Arc;
use std::time::Duration;

use qq_emulator::{Emulator, Say};
use qqbot::cache::{Cache, Eviction, KindConfig, KindStats};
use qqbot::model::guild::Guild;
use qqbot::prelude::*;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::support::{DEADLINE, all_scenes, builder, builder_with, eventually};
use super::transport::{Transport, stop};

/// The events that make the cache know three of a kind, and what it keeps of them.
struct Three {
    event: &'static str,
    payload: fn(&str) -> Value,
    stats: fn(&Cache) -> KindStats,
    knows: fn(&Cache, &str) -> bool,
}

const KINDS: [Three; 6] = [
    Three {
        event: "GUILD_CREATE",
        payload: |id| json!({"id": id, "name": id}),
        stats: |cache| cache.stats().guilds,
        knows: |cache, id| cache.guild(&id.into()).is_some(),
    },
    Three {
        event: "CHANNEL_CREATE",
        payload: |id| json!({"id": id, "guild_id": "9", "name": id, "type": 0, "sub_type": 0}),
        stats: |cache| cache.stats().channels,
        knows: |cache, id| cache.channel(&id.into()).is_some(),
    },
    Three {
        // Of several guilds: the limit is one for all of them.
        event: "GUILD_MEMBER_ADD",
        payload: |id| json!({"guild_id": id, "user": {"id": "7", "username": "mia"}, "nick": "mia", "joined_at": "2026-01-01T00:00:00+08:00"}),
        stats: |cache| cache.stats().members,
        knows: |cache, id| cache.member(&id.into(), &"7".into()).is_some(),
    },
    Three {
        event: "GROUP_ADD_ROBOT",
        payload: |id| json!({"group_openid": id, "op_member_openid": "M", "timestamp": 1_767_225_600}),
        stats: |cache| cache.stats().groups,
        knows: |cache, id| cache.group(&id.into()).is_some(),
    },
    Three {
        event: "FRIEND_ADD",
        payload: |id| json!({"openid": id, "timestamp": 1_767_225_600}),
        stats: |cache| cache.stats().users,
        knows: |cache, id| cache.user(&id.into()).is_some(),
    },
    Three {
        event: "C2C_MESSAGE_CREATE",
        payload: |id| json!({"id": id, "content": id, "timestamp": "2026-01-01T00:00:00+08:00", "author": {"id": "401", "user_openid": "401"}}),
        stats: |cache| cache.stats().messages,
        knows: |cache, id| cache.message(&id.into()).is_some(),
    },
];

fn two_of_each() -> Cache {
    Cache::builder()
        .guilds(|kind| kind.capacity(2).eviction(Eviction::Oldest))
        .channels(|kind| kind.capacity(2).eviction(Eviction::Oldest))
        .members(|kind| kind.capacity(2).eviction(Eviction::Oldest))
        .groups(|kind| kind.capacity(2).eviction(Eviction::Oldest))
        .users(|kind| kind.capacity(2).eviction(Eviction::Oldest))
        .messages(|kind| kind.capacity(2).eviction(Eviction::Oldest))
        .build()
}

#[tokio::test]
async fn c2_cache_limits() {
    for &transport in Transport::ALL {
        let emulator = Emulator::builder().start().await.unwrap();
        let options = builder_with(&emulator, all_scenes().with_guild_members());
        let options = options.cache(two_of_each());
        let running = transport.run(&emulator, options).await;
        let cache = running.client.cache();
        for kind in KINDS {
            for (n, id) in ["401", "402", "403"].into_iter().enumerate() {
                emulator.push_event(kind.event, (kind.payload)(id)).await;
                eventually(kind.event, || (kind.knows)(cache, id)).await;
                // Reading the oldest does not make it younger.
                assert_eq!((kind.knows)(cache, "401"), n < 2, "{}", kind.event);
            }
            let stats = (kind.stats)(cache);
            assert_eq!(stats.entries, 2, "{}", kind.event);
            assert_eq!(stats.evicted_for_capacity, 1, "{}", kind.event);
            assert!((kind.knows)(cache, "402"), "{}", kind.event);
        }
        stop(running).await;
    }
}

#[tokio::test]
async fn c2_kinds_can_be_off_filtered_and_short_lived() {
    for &transport in Transport::ALL {
        let emulator = Emulator::builder().start().await.unwrap();
        let cache = Cache::builder()
            .messages(KindConfig::off)
            .guilds(|guilds| guilds.keep(|guild: &Guild| &*guild.name != "no"))
            .channels(|channels| channels.time_to_live(Duration::ZERO))
            .build();
        let running = transport
            .run(&emulator, builder(&emulator).cache(cache))
            .await;
        let cache = running.client.cache();
        for (event, payload) in [
            ("GUILD_CREATE", json!({"id": "401", "name": "no"})),
            ("CHANNEL_CREATE", (KINDS[1].payload)("402")),
            ("C2C_MESSAGE_CREATE", (KINDS[5].payload)("403")),
            // The last: what comes before it was looked at.
            ("GUILD_CREATE", json!({"id": "404", "name": "yes"})),
        ] {
            emulator.push_event(event, payload).await;
            let seen = || running.client.stats().events_of(event.parse().ok()) > 0;
            eventually(event, seen).await;
        }
        eventually("the last", || cache.guild(&"404".into()).is_some()).await;
        assert!(cache.guild(&"401".into()).is_none(), "not kept");
        assert_eq!(cache.stats().guilds.rejected, 1);
        assert!(cache.channel(&"402".into()).is_none(), "its time is over");
        assert!(cache.message(&"403".into()).is_none(), "off");
        stop(running).await;
    }
}

/// Shows what it finds in the cache.
struct Shower(mpsc::Sender<Arc<Guild>>);

impl EventHandler for Shower {
    async fn guild_create(&self, ctx: Context, guild: Guild) {
        let found = ctx.cache().guild(&guild.id).unwrap();
        self.0.send(found).await.unwrap();
    }
}

#[tokio::test]
async fn c3_caches_are_readable_by_id() {
    for &transport in Transport::ALL {
        let emulator = Emulator::builder().start().await.unwrap();
        let (sender, mut found) = mpsc::channel(1);
        let options = builder(&emulator).handler(Shower(sender));
        let running = transport.run(&emulator, options).await;
        let cache = running.client.cache();
        let old = json!({"id": "401", "name": "old"});
        emulator.push_event("GUILD_CREATE", old).await;
        let held = timeout(DEADLINE, found.recv()).await.unwrap().unwrap();
        assert_eq!(&*held.name, "old");

        // What is held is a snapshot: it locks nothing and does not change.
        let new = json!({"id": "401", "name": "new"});
        emulator.push_event("GUILD_UPDATE", new).await;
        let name = || cache.guild(&"401".into()).map(|guild| guild.name.clone());
        eventually("the update", || name().as_deref() == Some("new")).await;
        assert_eq!(&*held.name, "old");

        let sent = emulator.say(Say::c2c("hello")).await;
        let id: MessageId = sent.message_id.as_str().into();
        eventually("the message", || cache.message(&id).is_some()).await;
        assert_eq!(cache.message(&id).unwrap().content(), "hello");
        let user = sent.conversation.as_str().into();
        assert_eq!(cache.user(&user).unwrap().user_openid, user);
        assert!(cache.user(&"nobody".into()).is_none());
        stop(running).await;
    }
}
