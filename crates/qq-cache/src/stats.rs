//! What a cache has done, and what it holds.

/// Why an entry left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Removed,
    Capacity,
    TimeToLive,
    Idle,
}

/// One shard's counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) entries: u64,
    pub(crate) bytes: u64,
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) inserts: u64,
    pub(crate) updates: u64,
    pub(crate) removes: u64,
    pub(crate) capacity: u64,
    pub(crate) ttl: u64,
    pub(crate) idle: u64,
}

impl Tally {
    pub(crate) fn removed(&mut self, reason: Reason) {
        *match reason {
            Reason::Removed => &mut self.removes,
            Reason::Capacity => &mut self.capacity,
            Reason::TimeToLive => &mut self.ttl,
            Reason::Idle => &mut self.idle,
        } += 1;
    }

    pub(crate) const fn plus(self, other: Self) -> Self {
        Self {
            entries: self.entries + other.entries,
            bytes: self.bytes + other.bytes,
            hits: self.hits + other.hits,
            misses: self.misses + other.misses,
            inserts: self.inserts + other.inserts,
            updates: self.updates + other.updates,
            removes: self.removes + other.removes,
            capacity: self.capacity + other.capacity,
            ttl: self.ttl + other.ttl,
            idle: self.idle + other.idle,
        }
    }
}

/// The figures of one kind. All but [`entries`](Self::entries) and [`bytes`](Self::bytes) only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KindStats {
    /// How many entries are held. Entries that have expired count until they are met or
    /// [swept](crate::Cache::sweep).
    pub entries: u64,
    /// About how many bytes they take, index and unused room included. Text that an entry shares with the
    /// event it came from counts as the entry's.
    pub bytes: u64,
    /// Reads that found an entry.
    pub hits: u64,
    /// Reads that found none, or one that had expired.
    pub misses: u64,
    /// New entries.
    pub inserts: u64,
    /// Entries that got a new value.
    pub updates: u64,
    /// Entries that were removed: by an event, by a call, or because they are no longer to be kept.
    pub removes: u64,
    /// Entries that had to make room.
    pub evicted_for_capacity: u64,
    /// Entries that outlived their time to live.
    pub expired: u64,
    /// Entries that nobody used for their idle time.
    pub expired_idle: u64,
    /// Values that the keep-predicate refused.
    pub rejected: u64,
}

impl KindStats {
    pub(crate) const fn new(tally: Tally, rejected: u64) -> Self {
        Self {
            entries: tally.entries,
            bytes: tally.bytes,
            hits: tally.hits,
            misses: tally.misses,
            inserts: tally.inserts,
            updates: tally.updates,
            removes: tally.removes,
            evicted_for_capacity: tally.capacity,
            expired: tally.ttl,
            expired_idle: tally.idle,
            rejected,
        }
    }

    /// The share of reads that found an entry, 0 to 1; `None` before the first read.
    #[must_use]
    pub fn hit_ratio(&self) -> Option<f64> {
        let reads = self.hits + self.misses;
        #[expect(
            clippy::cast_precision_loss,
            reason = "a ratio for people; counters below 2^53 are exact"
        )]
        (reads > 0).then(|| self.hits as f64 / reads as f64)
    }
}

/// The figures of a cache; zeros for kinds that are off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStats {
    /// Guilds.
    pub guilds: KindStats,
    /// Channels of guilds.
    pub channels: KindStats,
    /// Roles of guilds.
    pub roles: KindStats,
    /// Members of guilds.
    pub members: KindStats,
    /// QQ groups.
    pub groups: KindStats,
    /// Members of QQ groups.
    pub group_members: KindStats,
    /// Users of one-to-one chats.
    pub users: KindStats,
    /// Messages.
    pub messages: KindStats,
    /// Uploaded media.
    pub media: KindStats,
}

impl CacheStats {
    /// The kinds with their names.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &KindStats)> {
        [
            ("guilds", &self.guilds),
            ("channels", &self.channels),
            ("roles", &self.roles),
            ("members", &self.members),
            ("groups", &self.groups),
            ("group_members", &self.group_members),
            ("users", &self.users),
            ("messages", &self.messages),
            ("media", &self.media),
        ]
        .into_iter()
    }

    /// About how many bytes the whole cache takes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.iter().map(|(_, kind)| kind.bytes).sum()
    }
}
