//! What is kept, how much of it, and for how long.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use qq_model::channel::Channel;
use qq_model::guild::Guild;
use qq_model::role::Role;
use qq_model::user::Member;

use crate::clock::{Clock, SystemClock};
use crate::{Cache, CachedGroup, CachedGroupMember, CachedMedia, CachedMessage, CachedUser};

/// Which entry makes room when a kind is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Eviction {
    /// The one that was not read or written for the longest time.
    #[default]
    LeastRecentlyUsed,
    /// The one that was not written for the longest time.
    Oldest,
}

/// Decides whether a value is kept.
type Keep<T> = Arc<dyn Fn(&T) -> bool + Send + Sync>;

/// The limits of one kind.
///
/// ```
/// use std::time::Duration;
/// use qq_cache::Cache;
///
/// let cache = Cache::builder()
///     .channels(|channels| channels.capacity(500).time_to_live(Duration::from_secs(3600)))
///     .messages(|messages| messages.off())
///     .members(|members| members.keep(|member| member.user.as_ref().is_none_or(|user| !user.bot)))
///     .build();
/// # assert!(cache.message(&"1".into()).is_none());
/// ```
pub struct KindConfig<T> {
    capacity: Option<usize>,
    time_to_live: Option<Duration>,
    idle_time: Option<Duration>,
    eviction: Eviction,
    keep: Option<Keep<T>>,
}

impl<T> KindConfig<T> {
    /// At most so many entries, and nothing else.
    #[must_use]
    pub const fn new(capacity: usize) -> Self {
        Self {
            capacity: Some(capacity),
            time_to_live: None,
            idle_time: None,
            eviction: Eviction::LeastRecentlyUsed,
            keep: None,
        }
    }

    /// Keeps none: writes do nothing, reads find nothing and are not counted.
    #[must_use]
    pub fn off(self) -> Self {
        self.capacity(0)
    }

    /// Keeps at most so many entries; 0 is [`off`](Self::off).
    ///
    /// An upper bound that holds at every moment. Below 2,048 entries the one that leaves is exactly the one that
    /// [`Eviction`] names. From there on the capacity is divided among shards and the entry is chosen in the
    /// shard of the new one, so the first may leave when the kind is filled to about 97 %; it was not used lately, which
    /// is while three quarters of the shard's entries were.
    #[must_use]
    pub fn capacity(mut self, entries: usize) -> Self {
        self.capacity = Some(entries);
        self
    }

    /// Keeps any number of entries. Memory then grows with what the bot sees.
    #[must_use]
    pub fn unbounded(mut self) -> Self {
        self.capacity = None;
        self
    }

    /// Forgets an entry so long after it was last written. Zero keeps nothing readable.
    #[must_use]
    pub fn time_to_live(mut self, time: Duration) -> Self {
        self.time_to_live = Some(time);
        self
    }

    /// Forgets an entry so long after it was last read or written. Zero keeps nothing readable.
    #[must_use]
    pub fn idle_time(mut self, time: Duration) -> Self {
        self.idle_time = Some(time);
        self
    }

    /// Which entry makes room; [`Eviction::LeastRecentlyUsed`] by default.
    #[must_use]
    pub fn eviction(mut self, eviction: Eviction) -> Self {
        self.eviction = eviction;
        self
    }

    /// Keeps only values for which `keep` says yes. A change after which it says no removes the entry.
    ///
    /// Runs on the thread that writes, under no lock: it may read this very cache. It should be quick and give
    /// the same answer for the same value.
    #[must_use]
    pub fn keep(mut self, keep: impl Fn(&T) -> bool + Send + Sync + 'static) -> Self {
        self.keep = Some(Arc::new(keep));
        self
    }

    pub(crate) const fn is_off(&self) -> bool {
        matches!(self.capacity, Some(0))
    }

    pub(crate) fn limits(&self) -> crate::store::Limits {
        crate::store::Limits {
            capacity: self.capacity,
            ttl: self.time_to_live.map(crate::clock::nanos),
            idle: self.idle_time.map(crate::clock::nanos),
            eviction: self.eviction,
        }
    }

    pub(crate) const fn has_predicate(&self) -> bool {
        self.keep.is_some()
    }

    pub(crate) fn keeps(&self, value: &T) -> bool {
        self.keep.as_ref().is_none_or(|keep| keep(value))
    }
}

impl<T> Clone for KindConfig<T> {
    fn clone(&self) -> Self {
        Self {
            keep: self.keep.clone(),
            ..*self
        }
    }
}

impl<T> fmt::Debug for KindConfig<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KindConfig")
            .field("capacity", &self.capacity)
            .field("time_to_live", &self.time_to_live)
            .field("idle_time", &self.idle_time)
            .field("eviction", &self.eviction)
            .field("keep", &self.keep.is_some())
            .finish()
    }
}

/// What a cache keeps.
///
/// | Kind | Default capacity | Entry |
/// |---|---|---|
/// | [`guilds`](Self::guilds) | 2,000 | about 0.5 KiB |
/// | [`channels`](Self::channels) | 20,000 | about 0.4 KiB |
/// | [`roles`](Self::roles) | 10,000 | about 0.2 KiB |
/// | [`members`](Self::members) | 10,000 | about 0.7 KiB |
/// | [`groups`](Self::groups) | 20,000 | about 0.4 KiB |
/// | [`group_members`](Self::group_members) | 100,000 | about 100 bytes |
/// | [`users`](Self::users) | 20,000 | about 0.2 KiB |
/// | [`messages`](Self::messages) | 1,000 | about 0.2 KiB and its text; as much again and more once it was read |
/// | [`media`](Self::media) | 1,000 | about 0.4 KiB, until the platform forgets the file |
///
/// No kind has a time to live, an idle time or a keep-predicate by default: events keep entries current for as
/// long as the bot is connected. Roles are the exception, because the platform sends no events about them:
/// they live for an hour.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CacheConfig {
    /// Guilds.
    pub guilds: KindConfig<Guild>,
    /// Channels of guilds.
    pub channels: KindConfig<Channel>,
    /// Roles of guilds.
    pub roles: KindConfig<Role>,
    /// Members of guilds.
    pub members: KindConfig<Member>,
    /// QQ groups.
    pub groups: KindConfig<CachedGroup>,
    /// Members of QQ groups.
    pub group_members: KindConfig<CachedGroupMember>,
    /// Users of one-to-one chats.
    pub users: KindConfig<CachedUser>,
    /// Received messages of all scenes.
    pub messages: KindConfig<CachedMessage>,
    /// Uploaded media.
    pub media: KindConfig<CachedMedia>,
    /// Into how many shards, each with a lock of its own, a large kind is divided; 16 by default, at least 1.
    pub shards: usize,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self {
            guilds: KindConfig::new(2_000),
            channels: KindConfig::new(20_000),
            roles: KindConfig::new(10_000).time_to_live(Duration::from_secs(3_600)),
            members: KindConfig::new(10_000),
            groups: KindConfig::new(20_000),
            group_members: KindConfig::new(100_000),
            users: KindConfig::new(20_000),
            messages: KindConfig::new(1_000),
            media: KindConfig::new(1_000),
            shards: 16,
            clock: Arc::new(SystemClock),
        }
    }
}

impl CacheConfig {
    /// Keeps nothing: for turning on single kinds.
    #[must_use]
    pub fn off() -> Self {
        Self {
            guilds: KindConfig::new(0),
            channels: KindConfig::new(0),
            roles: KindConfig::new(0),
            members: KindConfig::new(0),
            groups: KindConfig::new(0),
            group_members: KindConfig::new(0),
            users: KindConfig::new(0),
            messages: KindConfig::new(0),
            media: KindConfig::new(0),
            ..Self::default()
        }
    }
}

/// Makes a [`Cache`]; see [`Cache::builder`].
#[derive(Clone, Debug, Default)]
pub struct CacheBuilder {
    config: CacheConfig,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident: $seen:ty,)*) => {
        impl CacheBuilder {
            $(
                $(#[$doc])*
                #[must_use]
                pub fn $kind(mut self, change: impl FnOnce(KindConfig<$seen>) -> KindConfig<$seen>) -> Self {
                    self.config.$kind = change(self.config.$kind);
                    self
                }
            )*
        }
    };
}

kinds! {
    /// Changes how guilds are kept.
    guilds: Guild,
    /// Changes how channels are kept.
    channels: Channel,
    /// Changes how roles are kept.
    roles: Role,
    /// Changes how members of guilds are kept.
    members: Member,
    /// Changes how QQ groups are kept.
    groups: CachedGroup,
    /// Changes how members of QQ groups are kept.
    group_members: CachedGroupMember,
    /// Changes how users of one-to-one chats are kept.
    users: CachedUser,
    /// Changes how messages are kept.
    messages: CachedMessage,
    /// Changes how uploaded media are kept.
    media: CachedMedia,
}

impl CacheBuilder {
    /// Starts from this configuration instead of the default one.
    #[must_use]
    pub const fn from_config(config: CacheConfig) -> Self {
        Self { config }
    }

    /// Into how many shards large kinds are divided; more let more threads write at once.
    #[must_use]
    pub fn shards(mut self, shards: usize) -> Self {
        self.config.shards = shards;
        self
    }

    /// Takes the time from this clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.config.clock = clock;
        self
    }

    /// The cache. It starts nothing and opens nothing.
    #[must_use]
    pub fn build(self) -> Cache {
        Cache::new(self.config)
    }
}
