//! Where the gateway is, and how many sessions it allows.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::GuildId;

object! {
    /// The gateway's address, from `GET /gateway`.
    pub struct Gateway {
        /// A `wss://` address.
        pub url: Box<str>,
    }

    /// The gateway's address with the platform's advice on sharding, from `GET /gateway/bot`.
    pub struct GatewayBot {
        /// A `wss://` address.
        pub url: Box<str>,
        /// The recommended number of shards.
        pub shards: u32,
        /// How many sessions may be opened.
        pub session_start_limit: SessionStartLimit,
    }

    /// How many sessions a bot may open.
    pub struct SessionStartLimit {
        /// Sessions per 24 hours.
        pub total: u32,
        /// Sessions left of them.
        pub remaining: u32,
        /// Milliseconds until the count starts anew; see [`reset_after`](Self::reset_after).
        pub reset_after_ms: u64 = "reset_after",
        /// Sessions that may be opened within five seconds.
        pub max_concurrency: u32,
    }
}

impl SessionStartLimit {
    /// The time until the count of sessions starts anew.
    #[must_use]
    pub const fn reset_after(&self) -> Duration {
        Duration::from_millis(self.reset_after_ms)
    }
}

/// One shard of a number of shards, `[index, count]` on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "[u32; 2]", try_from = "[u32; 2]")]
pub struct ShardId {
    index: u32,
    count: u32,
}

impl ShardId {
    /// The only shard of a bot that does not shard.
    pub const ONE: Self = Self { index: 0, count: 1 };

    /// A shard; `None` unless `index < count`.
    #[must_use]
    pub const fn new(index: u32, count: u32) -> Option<Self> {
        if index < count {
            Some(Self { index, count })
        } else {
            None
        }
    }

    /// The shard that gets the events of this guild; `None` when the guild id is not decimal.
    ///
    /// Where the platform sends events without a guild is undocumented; they have been seen on shard 0.
    #[must_use]
    pub fn of_guild(guild_id: &GuildId, count: u32) -> Option<Self> {
        let index = (guild_id.as_u64()? >> 22).checked_rem(u64::from(count))?;
        Self::new(u32::try_from(index).ok()?, count)
    }

    /// Which shard, from 0.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.index
    }

    /// How many shards there are.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.count
    }
}

impl From<ShardId> for [u32; 2] {
    fn from(shard: ShardId) -> Self {
        [shard.index, shard.count]
    }
}

impl TryFrom<[u32; 2]> for ShardId {
    type Error = &'static str;

    fn try_from([index, count]: [u32; 2]) -> Result<Self, &'static str> {
        Self::new(index, count).ok_or("a shard's index must be below the number of shards")
    }
}

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guilds_map_to_shards_as_documented() {
        let guild = GuildId::from(5_u64 << 22 | 7);
        assert_eq!(ShardId::of_guild(&guild, 4), ShardId::new(1, 4));
        assert_eq!(ShardId::of_guild(&guild, 0), None);
        assert_eq!(ShardId::of_guild(&GuildId::new("x"), 4), None);
    }

    #[test]
    fn a_shard_is_below_its_count() {
        assert_eq!(ShardId::new(1, 1), None);
        assert!(serde_json::from_str::<ShardId>("[0,0]").is_err());
        assert_eq!(serde_json::to_string(&ShardId::ONE).unwrap(), "[0,1]");
    }
}
