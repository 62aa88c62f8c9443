//! The cache itself.

use std::fmt;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::config::{CacheBuilder, CacheConfig};
use crate::kinds::{
    Channels, Entries, GroupMembers, Groups, Guilds, MediaFiles, Members, MessageIndexes, Messages,
    Roles, Texts, Users,
};
use crate::stats::CacheStats;

/// What a bot has seen, bounded.
///
/// A handle: clones share the entries, and everything takes `&self`. It may be used inside handlers, in tasks
/// and across awaits; two caches share nothing. See the [crate](crate) for how it behaves.
#[derive(Clone)]
pub struct Cache {
    pub(crate) kinds: Arc<Kinds>,
}

/// The kinds of a cache; public methods on [`Cache`] are in the files of the kinds.
pub(crate) struct Kinds {
    pub(crate) guilds: Entries<Guilds>,
    pub(crate) channels: Entries<Channels>,
    pub(crate) roles: Entries<Roles>,
    pub(crate) members: Entries<Members>,
    pub(crate) groups: Entries<Groups>,
    pub(crate) group_members: Entries<GroupMembers>,
    pub(crate) users: Entries<Users>,
    pub(crate) messages: Entries<Messages>,
    pub(crate) message_indexes: MessageIndexes,
    pub(crate) texts: Texts,
    pub(crate) index_hasher: RandomState,
    pub(crate) media: Entries<MediaFiles>,
}

impl Cache {
    /// A cache with these limits. It starts nothing and opens nothing.
    #[must_use]
    pub fn new(config: CacheConfig) -> Self {
        let CacheConfig { shards, clock, .. } = config;
        let message_limits = config.messages.limits();
        let kinds = Kinds {
            guilds: Entries::new(config.guilds, shards, &clock),
            channels: Entries::new(config.channels, shards, &clock),
            roles: Entries::new(config.roles, shards, &clock),
            members: Entries::new(config.members, shards, &clock),
            groups: Entries::new(config.groups, shards, &clock),
            group_members: Entries::new(config.group_members, shards, &clock),
            users: Entries::new(config.users, shards, &clock),
            messages: Entries::new(config.messages, shards, &clock),
            message_indexes: MessageIndexes::new(&message_limits, &clock),
            texts: Texts::default(),
            index_hasher: RandomState::default(),
            media: Entries::new(config.media, shards, &clock),
        };
        Self {
            kinds: Arc::new(kinds),
        }
    }

    /// A cache with other limits than the [default ones](CacheConfig).
    ///
    /// ```
    /// use qq_cache::Cache;
    ///
    /// let cache = Cache::builder().group_members(|members| members.capacity(1_000_000)).build();
    /// assert_eq!(cache.stats().group_members.entries, 0);
    /// ```
    #[must_use]
    pub fn builder() -> CacheBuilder {
        CacheBuilder::default()
    }

    /// What the cache has done so far and what it holds. Locks one shard after another, each for a moment.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        let mut messages = self.kinds.messages.stats();
        messages.bytes += self.kinds.message_indexes.bytes() as u64;
        CacheStats {
            guilds: self.kinds.guilds.stats(),
            channels: self.kinds.channels.stats(),
            roles: self.kinds.roles.stats(),
            members: self.kinds.members.stats(),
            groups: self.kinds.groups.stats(),
            group_members: self.kinds.group_members.stats(),
            users: self.kinds.users.stats(),
            messages,
            media: self.kinds.media.stats(),
        }
    }

    /// Clears away what has expired, and returns how many entries that were.
    ///
    /// Never needed for correctness: expired entries are not found, and each insertion clears some away. It
    /// gives memory back early when nothing is inserted for long. Takes time in proportion to what has expired,
    /// for media to what is kept, and blocks others only briefly.
    #[expect(
        clippy::must_use_candidate,
        reason = "the number is for those who want it"
    )]
    pub fn sweep(&self) -> usize {
        self.kinds.message_indexes.sweep();
        self.kinds.guilds.sweep()
            + self.kinds.channels.sweep()
            + self.kinds.roles.sweep()
            + self.kinds.members.sweep()
            + self.kinds.groups.sweep()
            + self.kinds.group_members.sweep()
            + self.kinds.users.sweep()
            + self.kinds.messages.sweep()
            + self.kinds.media.sweep()
    }

    /// Forgets everything, and returns how many entries that were. Counters stay.
    #[expect(
        clippy::must_use_candidate,
        reason = "the number is for those who want it"
    )]
    pub fn clear(&self) -> usize {
        self.kinds.message_indexes.clear();
        self.kinds.guilds.clear()
            + self.kinds.channels.clear()
            + self.kinds.roles.clear()
            + self.kinds.members.clear()
            + self.kinds.groups.clear()
            + self.kinds.group_members.clear()
            + self.kinds.users.clear()
            + self.kinds.messages.clear()
            + self.kinds.media.clear()
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self::new(CacheConfig::default())
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("stats", &self.stats())
            .finish()
    }
}
