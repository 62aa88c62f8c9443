//! Capacity, time, predicates, media, statistics.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use qq_cache::{Cache, Change, Changed, Eviction, ManualClock, MediaKey};
use qq_model::Event;
use qq_model::guild::Guild;
use qq_model::message::Scene;

fn guild(id: u64, name: &str) -> Guild {
    let mut guild = Guild::default();
    guild.id = id.into();
    guild.name = name.into();
    guild
}

#[test]
fn the_least_recently_used_makes_room() {
    let cache = Cache::builder().guilds(|guilds| guilds.capacity(2)).build();
    cache.insert_guild(guild(1, ""));
    cache.insert_guild(guild(2, ""));
    assert!(cache.guild(&1.into()).is_some());
    cache.insert_guild(guild(3, ""));
    assert!(cache.guild(&2.into()).is_none());
    assert!(cache.guild(&1.into()).is_some());
    let stats = cache.stats().guilds;
    assert_eq!((stats.entries, stats.evicted_for_capacity), (2, 1));
    assert_eq!((stats.hits, stats.misses), (2, 1));
    assert_eq!(stats.hit_ratio(), Some(2.0 / 3.0));
}

#[test]
fn the_oldest_makes_room_however_much_it_is_read() {
    let cache = Cache::builder()
        .guilds(|guilds| guilds.capacity(2).eviction(Eviction::Oldest))
        .build();
    cache.insert_guild(guild(1, ""));
    cache.insert_guild(guild(2, ""));
    assert!(cache.guild(&1.into()).is_some());
    cache.insert_guild(guild(3, ""));
    assert!(cache.guild(&1.into()).is_none());
}

#[test]
fn entries_expire_by_age_and_by_idleness() {
    let clock = Arc::new(ManualClock::new());
    let second = Duration::from_secs(1);
    let cache = Cache::builder()
        .guilds(|guilds| guilds.time_to_live(10 * second).idle_time(4 * second))
        .clock(clock.clone())
        .build();
    cache.insert_guild(guild(1, ""));
    cache.insert_guild(guild(2, ""));
    for _ in 0..3 {
        clock.advance(3 * second);
        assert!(cache.guild(&1.into()).is_some());
    }
    clock.advance(second);
    assert!(cache.guild(&1.into()).is_none(), "too old");
    assert!(cache.guild(&2.into()).is_none(), "too idle");
    assert_eq!(cache.stats().guilds.entries, 0);
    cache.insert_guild(guild(3, ""));
    clock.advance(4 * second);
    assert_eq!(cache.sweep(), 1);
    let stats = cache.stats().guilds;
    assert_eq!(stats.expired + stats.expired_idle, 3);
    assert!(stats.expired_idle >= 1);
}

#[test]
fn the_predicate_may_read_the_cache_that_it_belongs_to() {
    let cell: Arc<OnceLock<Cache>> = Arc::default();
    let inner = Arc::clone(&cell);
    let cache = Cache::builder()
        .guilds(move |guilds| {
            guilds.keep(move |guild: &Guild| {
                let _ = inner.get().map(|cache| cache.guild(&guild.id));
                &*guild.name != "secret"
            })
        })
        .build();
    cell.set(cache.clone()).unwrap();
    assert!(cache.insert_guild(guild(1, "open")).is_some());
    assert!(cache.insert_guild(guild(2, "secret")).is_none());
    assert!(cache.guild(&2.into()).is_none());
    // A change after which it is not to be kept.
    let hidden = Event::decode("GUILD_UPDATE", r#"{"id":"1","name":"secret"}"#);
    let changes: Vec<_> = cache.update(&hidden).into_iter().collect();
    assert!(matches!(
        &changes[..],
        [Change::Guild(Changed::Deleted { old })] if &*old.name == "open"
    ));
    assert!(cache.guild(&1.into()).is_none());
    let stats = cache.stats().guilds;
    assert_eq!((stats.entries, stats.rejected), (0, 2));
}

#[test]
fn media_live_until_shortly_before_the_platform_forgets_them() {
    let clock = Arc::new(ManualClock::new());
    let cache = Cache::builder()
        .media(|media| media.capacity(2))
        .clock(clock.clone())
        .build();
    let key = |name: &str| MediaKey::new(Scene::Group, name);
    cache.insert_media(&key("short"), "S", 300);
    cache.insert_media(&key("endless"), "E", 0);
    let other_scene = MediaKey::new(Scene::C2C, "short");
    assert!(cache.media(&other_scene).is_none());
    clock.advance(Duration::from_secs(269));
    assert_eq!(cache.media(&key("short")).unwrap().file_info(), "S");
    clock.advance(Duration::from_secs(1));
    assert!(cache.media(&key("short")).is_none());
    clock.advance(Duration::from_secs(86_400 * 365));
    assert_eq!(cache.media(&key("endless")).unwrap().file_info(), "E");

    cache.insert_media(&key("a"), "A", 1);
    clock.advance(Duration::from_secs(1));
    assert_eq!(cache.sweep(), 1);
    assert_eq!(cache.stats().media.expired, 2);
    cache.insert_media(&key("b"), "B", 60);
    cache.insert_media(&key("c"), "C", u64::MAX);
    assert!(cache.media(&key("endless")).is_none(), "it made room");
    assert!(cache.remove_media(&key("c")));
    assert!(!cache.remove_media(&key("c")));
}

#[test]
fn clearing_keeps_the_counters() {
    let cache = Cache::default();
    cache.insert_guild(guild(1, "a"));
    let _ = cache.guild(&1.into());
    assert!(cache.stats().guilds.bytes > 0);
    assert_eq!(cache.clear(), 1);
    let stats = cache.stats().guilds;
    assert_eq!((stats.entries, stats.hits, stats.removes), (0, 1, 1));
}

#[test]
fn a_full_cache_is_nearly_full_and_never_over() {
    let cache = Cache::builder()
        .guilds(|guilds| guilds.capacity(20_000))
        .build();
    for id in 0..20_000 {
        cache.insert_guild(guild(id, ""));
    }
    let entries = cache.stats().guilds.entries;
    assert!(entries <= 20_000 && entries > 19_000, "{entries}");
}

#[test]
fn what_is_used_does_not_make_room() {
    let (capacity, used) = (8_192, 50);
    let cache = Cache::builder()
        .guilds(|guilds| guilds.capacity(capacity))
        .build();
    for id in 0..30_000 {
        cache.insert_guild(guild(id, ""));
        // Each of them far more often than so many others come.
        let again = id % used;
        if id >= used {
            assert!(cache.guild(&again.into()).is_some(), "{again} after {id}");
        }
    }
    assert!(cache.guild(&(used + 1).into()).is_none());
}
