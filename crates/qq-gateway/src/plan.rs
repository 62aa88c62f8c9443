//! Which shards a process runs.

use std::error::Error;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use qq_model::gateway::{GatewayBot, ShardId};
use qq_model::id::GuildId;

/// Which shards a process runs, of how many.
///
/// All shards of a bot have the same count. The platform recommends one, and lets the bot choose. Every shard
/// needs a session: [`InMemoryIdentifyQueue::check`](crate::InMemoryIdentifyQueue::check) says whether the
/// day's quota covers [`len`](Self::len) of them.
///
/// On paper, and in settings, a plan is `4..8 of 16`, or `16` for all of them.
///
/// ```
/// use qq_gateway::ShardPlan;
/// use qq_model::gateway::GatewayBot;
///
/// let answer: GatewayBot = serde_json::from_str(r#"{"url":"wss://gateway.example","shards":9}"#)?;
/// assert_eq!(ShardPlan::recommended(&answer).len(), 9);
///
/// let part: ShardPlan = "4..8 of 16".parse()?;
/// assert_eq!(part, ShardPlan::range(4..8, 16)?);
/// assert_eq!(part.shards().next().unwrap().to_string(), "4/16");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ShardPlan {
    first: u32,
    /// Past the last one.
    end: u32,
    count: u32,
}

/// More shards than this are no plan but a mistake: to open their sessions takes more than a day.
const MOST: u32 = 1 << 16;

impl ShardPlan {
    /// As many shards as the platform recommends, at least one.
    #[must_use]
    pub fn recommended(answer: &GatewayBot) -> Self {
        let count = answer.shards.clamp(1, MOST);
        Self {
            first: 0,
            end: count,
            count,
        }
    }

    /// All of so many shards.
    ///
    /// # Errors
    ///
    /// When there are none, or more than 65,536.
    pub const fn all(count: u32) -> Result<Self, ShardPlanError> {
        Self::range(0..count, count)
    }

    /// A part of so many shards, for one of several processes.
    ///
    /// # Errors
    ///
    /// When the range is empty or goes beyond the count, or the count is above 65,536.
    pub const fn range(shards: Range<u32>, count: u32) -> Result<Self, ShardPlanError> {
        let Range { start: first, end } = shards;
        if count > MOST {
            return Err(ShardPlanError::TooMany { count });
        }
        if first >= end || end > count {
            return Err(ShardPlanError::Range { first, end, count });
        }
        Ok(Self { first, end, count })
    }

    /// How many shards the bot has, in all its processes.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// How many of them this plan runs: as many sessions it needs.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a plan is never empty")]
    pub const fn len(&self) -> u32 {
        self.end - self.first
    }

    /// The shards of this plan, in order.
    pub fn shards(&self) -> impl Iterator<Item = ShardId> + use<> {
        let count = self.count;
        (self.first..self.end).filter_map(move |index| ShardId::new(index, count))
    }

    /// Whether this plan runs the shard.
    #[must_use]
    pub const fn contains(&self, shard: ShardId) -> bool {
        shard.count() == self.count && self.first <= shard.index() && shard.index() < self.end
    }

    /// The shard that gets the events of a guild, whether this plan runs it or not; `None` when the guild id
    /// is not decimal. See [`ShardId::of_guild`].
    #[must_use]
    pub fn of_guild(&self, guild_id: &GuildId) -> Option<ShardId> {
        ShardId::of_guild(guild_id, self.count)
    }

    /// The plan after the platform has closed a shard with 4011 (too many guilds): more shards than now.
    ///
    /// The count becomes the recommended one. Where that is no larger, it doubles, so that the bot does not
    /// try again what was refused. A part of the shards stays the same part, of a multiple of the count, so
    /// that processes which do the same need not talk about it.
    ///
    /// # Errors
    ///
    /// When that is more than 65,536 shards.
    pub fn grown(&self, answer: &GatewayBot) -> Result<Self, ShardPlanError> {
        if self.len() == self.count && answer.shards > self.count {
            return Self::all(answer.shards);
        }
        let factor = answer.shards.div_ceil(self.count).max(2);
        let end = self.end.saturating_mul(factor);
        Self::range(
            self.first.saturating_mul(factor)..end,
            self.count.saturating_mul(factor),
        )
    }
}

impl fmt::Display for ShardPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.len() == self.count {
            write!(f, "{}", self.count)
        } else {
            write!(f, "{}..{} of {}", self.first, self.end, self.count)
        }
    }
}

impl FromStr for ShardPlan {
    type Err = ShardPlanError;

    fn from_str(text: &str) -> Result<Self, ShardPlanError> {
        let number = |text: &str| text.trim().parse().map_err(|_| ShardPlanError::Unreadable);
        match text.split_once(" of ") {
            None => Self::all(number(text)?),
            Some((range, count)) => {
                let (first, end) = range.split_once("..").ok_or(ShardPlanError::Unreadable)?;
                Self::range(number(first)?..number(end)?, number(count)?)
            }
        }
    }
}

/// No plan for shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShardPlanError {
    /// The range is empty, or goes beyond the count.
    Range {
        /// The first shard.
        first: u32,
        /// Past the last one.
        end: u32,
        /// How many there are.
        count: u32,
    },
    /// The count is above 65,536.
    TooMany {
        /// How many there would be.
        count: u32,
    },
    /// The text is neither `16` nor `4..8 of 16`.
    Unreadable,
}

impl fmt::Display for ShardPlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Range { first, end, count } => write!(
                f,
                "the shards {first}..{end} of {count} are none, or too many: the end is past the last one, and at \
                 most the count"
            ),
            Self::TooMany { count } => {
                write!(f, "{count} shards are more than {MOST}")
            }
            Self::Unreadable => f.write_str(
                "a plan for shards is a count, like `16`, or a part of it, like `4..8 of 16`",
            ),
        }
    }
}

impl Error for ShardPlanError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn recommends(shards: u32) -> GatewayBot {
        let mut answer = GatewayBot::default();
        answer.shards = shards;
        answer
    }

    #[test]
    fn plans_name_their_shards() {
        let plan = ShardPlan::range(4..8, 16).unwrap();
        let shards: Vec<_> = plan.shards().map(|shard| shard.to_string()).collect();
        assert_eq!(shards, ["4/16", "5/16", "6/16", "7/16"]);
        assert_eq!((plan.len(), plan.count()), (4, 16));
        for (index, count, contained) in
            [(4, 16, true), (3, 16, false), (8, 16, false), (4, 8, false)]
        {
            let shard = ShardId::new(index, count).unwrap();
            assert_eq!(plan.contains(shard), contained, "{shard}");
        }
        assert_eq!(ShardPlan::recommended(&recommends(0)).len(), 1);
        assert_eq!(ShardPlan::recommended(&recommends(u32::MAX)).len(), MOST);
    }

    #[test]
    fn what_is_no_plan_says_why() {
        for (text, error) in [
            (
                "0",
                ShardPlanError::Range {
                    first: 0,
                    end: 0,
                    count: 0,
                },
            ),
            (
                "8..4 of 16",
                ShardPlanError::Range {
                    first: 8,
                    end: 4,
                    count: 16,
                },
            ),
            (
                "4..17 of 16",
                ShardPlanError::Range {
                    first: 4,
                    end: 17,
                    count: 16,
                },
            ),
            ("4294967295", ShardPlanError::TooMany { count: u32::MAX }),
            ("", ShardPlanError::Unreadable),
            ("4..8", ShardPlanError::Unreadable),
            ("4 of 8", ShardPlanError::Unreadable),
            ("-1", ShardPlanError::Unreadable),
        ] {
            assert_eq!(text.parse::<ShardPlan>(), Err(error), "{text}");
            assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn plans_survive_writing_and_reading() {
        for text in ["1", "16", "4..8 of 16", "0..1 of 2"] {
            assert_eq!(text.parse::<ShardPlan>().unwrap().to_string(), text);
        }
        assert_eq!(
            "0..16 of 16".parse::<ShardPlan>().unwrap().to_string(),
            "16"
        );
    }

    #[test]
    fn a_plan_grows_beyond_what_was_refused() {
        for (plan, recommended, grown) in [
            ("4", 9, "9"),
            ("4", 4, "8"),
            ("4", 1, "8"),
            ("1", 0, "2"),
            ("4..8 of 16", 16, "8..16 of 32"),
            ("4..8 of 16", 40, "12..24 of 48"),
        ] {
            let plan: ShardPlan = plan.parse().unwrap();
            assert_eq!(
                plan.grown(&recommends(recommended)).unwrap().to_string(),
                grown
            );
        }
        let most = ShardPlan::all(MOST).unwrap();
        assert!(most.grown(&recommends(1)).is_err());
    }

    /// The parts of all processes are the whole, before and after.
    #[test]
    fn parts_that_grow_cover_every_guild() {
        let answer = recommends(40);
        let parts: Vec<_> = ["0..4 of 16", "4..8 of 16", "8..16 of 16"]
            .iter()
            .map(|text| text.parse::<ShardPlan>().unwrap().grown(&answer).unwrap())
            .collect();
        for index in 0..48_u64 {
            let guild = GuildId::from(index << 22);
            let shard = parts[0].of_guild(&guild).unwrap();
            let runs = parts.iter().filter(|part| part.contains(shard)).count();
            assert_eq!(runs, 1, "{shard}");
        }
    }
}
