#![forbid(unsafe_code)]
//! What a QQ bot has seen, kept in bounded memory: guilds, channels, roles, members, groups, group members,
//! users, messages, uploaded media.
//!
//! ```
//! use qq_cache::Cache;
//! use qq_model::Event;
//!
//! let cache = Cache::builder().group_members(|members| members.capacity(50_000)).build();
//! cache.update(&Event::decode(
//!     "GROUP_MESSAGE_CREATE",
//!     r#"{"id":"M","group_openid":"G","author":{"member_openid":"A","username":"小明","member_role":"admin"}}"#,
//! ));
//! let member = cache.group_member(&"G".into(), &"A".into()).unwrap();
//! assert_eq!(member.username(), Some("小明"));
//! ```
//!
//! * **Fed by events and by REST results.** [`Cache::update`] takes every [`Event`](qq_model::Event) and says
//!   [what changed](Change), with the value before. `insert_*` takes what a REST call gave. Events bring parts of
//!   a value: what they leave out stays. REST results replace.
//! * **Reads give snapshots**, an [`Arc`](std::sync::Arc) or a small copy: nothing that locks, nothing that
//!   changes under the reader. They are good inside handlers and across awaits.
//! * **Bounded.** Each kind has a [capacity](KindConfig::capacity), and may have a
//!   [time to live](KindConfig::time_to_live), an [idle time](KindConfig::idle_time) and a
//!   [keep-predicate](KindConfig::keep), or be [off](KindConfig::off). Reading, writing and evicting take the
//!   same time however much is kept.
//! * **Passive.** No task, no timer, no I/O, no runtime; time comes from a [`Clock`].
//! * **Observable.** [`Cache::stats`] counts hits, misses, and what left for which reason, and says about how
//!   many bytes each kind takes. A member of a QQ group takes about 100 bytes, its index included.
//!
//! A miss means "not seen, or no longer kept", never "does not exist".
//!
//! # How it is stored
//!
//! Each kind is a hash map in up to [16 shards](CacheConfig::shards). Behind the one lock of a shard are its entries,
//! the order in which they leave, and the list of each owner's entries (the channels of a guild, the members of a
//! group). So an insertion that evicts needs no second lock, and a list never names an entry that is gone. The
//! lock is held for single steps, never while a user's code runs, and never handed out. To find an entry takes one line of
//! the processor's cache beside the entry itself, and both can be asked for in advance: [`Cache::preload`].
//!
//! The map is not `DashMap`: it has no place for an order behind the lock of a shard, so that a bounded cache
//! needs another lock or looks for a victim at random, and its reads hand out guards. The bench `cache_members`
//! of the workspace prints both side by side. For a million members in a thousand groups it showed 111 bytes
//! each here, order and lists included, and 336 for a `DashMap` of `Arc`s with an index and no bound; reads and
//! writes took about the same time.

mod cache;
mod clock;
mod config;
mod kinds;
mod packed;
mod prefetch;
mod stats;
mod store;
mod update;

pub use self::cache::Cache;
pub use self::clock::{Clock, ManualClock, SystemClock};
pub use self::config::{CacheBuilder, CacheConfig, Eviction, KindConfig};
pub use self::kinds::{
    CachedGroup, CachedGroupMember, CachedMedia, CachedMessage, CachedUser, MediaKey,
};
pub use self::stats::{CacheStats, KindStats};
pub use self::update::{Change, Changed, Changes, Preload};
