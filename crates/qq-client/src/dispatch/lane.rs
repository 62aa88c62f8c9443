//! Which events wait for each other.

use std::hash::{BuildHasher, Hash};

use foldhash::quality::RandomState;
use qq_model::Event;
use qq_model::message::Conversation;

/// Events of one lane are handled one after another, in the order in which they came.
///
/// A number is enough: that two conversations share one of 2^64 by chance is less likely than a failure of the
/// machine, and would merely make one wait for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Lane(u64);

/// Assigns lanes, by a hash that is seeded anew for each client.
#[derive(Default)]
pub(crate) struct LaneKeys(RandomState);

/// What a lane is for.
#[derive(Hash)]
enum Topic<'a, T> {
    Conversation(&'a T),
    /// Button presses do not wait behind messages: the platform wants an answer within three seconds, and a button
    /// may well be there to stop what a message's callback is doing.
    Interactions(&'a T),
    Guild(&'a T),
}

impl LaneKeys {
    /// The lane of an event: that of its conversation; for what concerns a whole guild, that of the guild. `None` for
    /// one that waits for no other, such as READY, whose callback may well run for as long as the bot.
    pub(crate) fn of(&self, event: &Event, conversation: Option<&Conversation>) -> Option<Lane> {
        if let Event::InteractionCreate(interaction) = event {
            return match (
                &interaction.group_openid,
                &interaction.channel_id,
                &interaction.user_openid,
            ) {
                (Some(group), _, _) => Some(self.lane(Topic::Interactions(group))),
                (_, Some(channel), _) => Some(self.lane(Topic::Interactions(channel))),
                (_, _, Some(user)) => Some(self.lane(Topic::Interactions(user))),
                _ => None,
            };
        }
        if let Some(conversation) = conversation {
            return Some(self.lane(Topic::Conversation(conversation)));
        }
        let guild = match event {
            Event::GuildCreate(guild) | Event::GuildUpdate(guild) | Event::GuildDelete(guild) => {
                &guild.id
            }
            Event::ChannelCreate(channel)
            | Event::ChannelUpdate(channel)
            | Event::ChannelDelete(channel) => &channel.guild_id,
            Event::GuildMemberAdd(member)
            | Event::GuildMemberUpdate(member)
            | Event::GuildMemberRemove(member) => &member.guild_id,
            _ => return None,
        };
        Some(self.lane(Topic::Guild(guild)))
    }

    fn lane<T: Hash>(&self, topic: Topic<'_, T>) -> Lane {
        Lane(self.0.hash_one(topic))
    }
}

impl Lane {
    pub(super) const fn number(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, data: &str) -> Event {
        Event::decode(name, data)
    }

    fn lane_of(keys: &LaneKeys, event: &Event) -> Option<Lane> {
        keys.of(event, event.conversation().as_ref())
    }

    #[test]
    fn a_conversation_is_one_lane_whatever_happens_in_it() {
        let keys = LaneKeys::default();
        let group = |name, id| {
            lane_of(
                &keys,
                &event(name, &format!(r#"{{"id":"m","group_openid":"{id}"}}"#)),
            )
        };
        let one = group("GROUP_AT_MESSAGE_CREATE", "A");
        assert!(one.is_some());
        for name in [
            "GROUP_MESSAGE_CREATE",
            "GROUP_MSG_REJECT",
            "GROUP_MEMBER_ADD",
        ] {
            assert_eq!(group(name, "A"), one, "{name}");
            assert_ne!(group(name, "B"), one, "{name}");
        }
    }

    #[test]
    fn buttons_are_a_lane_of_their_own_and_ready_is_none() {
        let keys = LaneKeys::default();
        let data = r#"{"id":"m","group_openid":"A"}"#;
        let button = lane_of(&keys, &event("INTERACTION_CREATE", data));
        assert!(button.is_some());
        assert_eq!(lane_of(&keys, &event("INTERACTION_CREATE", data)), button);
        assert_ne!(lane_of(&keys, &event("GROUP_MESSAGE_CREATE", data)), button);
        assert_eq!(lane_of(&keys, &event("READY", "{}")), None);
        assert_eq!(lane_of(&keys, &event("SOMETHING_NEW", data)), None);
    }

    #[test]
    fn a_guild_is_a_lane() {
        let keys = LaneKeys::default();
        let guild = lane_of(&keys, &event("GUILD_CREATE", r#"{"id":"7"}"#));
        assert!(guild.is_some());
        assert_eq!(
            lane_of(
                &keys,
                &event("CHANNEL_CREATE", r#"{"id":"1","guild_id":"7"}"#)
            ),
            guild
        );
        assert_eq!(
            lane_of(&keys, &event("GUILD_MEMBER_ADD", r#"{"guild_id":"7"}"#)),
            guild
        );
    }
}
