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
    pub(crate) fn of(&self, event: &Event) -> Option<Lane> {
        let conversation = match event {
            Event::AtMessageCreate(message) | Event::MessageCreate(message) => {
                message.conversation()
            }
            Event::DirectMessageCreate(message) => message.conversation(),
            Event::GroupAtMessageCreate(message) | Event::GroupMessageCreate(message) => {
                message.conversation()
            }
            Event::C2CMessageCreate(message) => message.conversation(),
            Event::PublicMessageDelete(deleted) | Event::MessageDelete(deleted) => {
                deleted.message.conversation()
            }
            Event::DirectMessageDelete(deleted) => {
                Conversation::Direct(deleted.message.guild_id.clone())
            }
            Event::MessageReactionAdd(reaction) | Event::MessageReactionRemove(reaction) => {
                Conversation::Channel(reaction.channel_id.clone())
            }
            Event::GroupAddRobot(event)
            | Event::GroupDelRobot(event)
            | Event::GroupMsgReject(event)
            | Event::GroupMsgReceive(event) => Conversation::Group(event.group_openid.clone()),
            Event::GroupMemberAdd(event) | Event::GroupMemberRemove(event) => {
                Conversation::Group(event.group_openid.clone())
            }
            Event::GroupJoinRequest(event) => Conversation::Group(event.group_openid.clone()),
            Event::FriendAdd(event) => Conversation::C2C(event.openid.clone()),
            Event::FriendDel(event) => Conversation::C2C(event.openid.clone()),
            Event::C2CMsgReject(event) | Event::C2CMsgReceive(event) => {
                Conversation::C2C(event.openid.clone())
            }
            Event::InteractionCreate(interaction) => {
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
            Event::GuildCreate(guild) | Event::GuildUpdate(guild) | Event::GuildDelete(guild) => {
                return Some(self.lane(Topic::Guild(&guild.id)));
            }
            Event::ChannelCreate(channel)
            | Event::ChannelUpdate(channel)
            | Event::ChannelDelete(channel) => {
                return Some(self.lane(Topic::Guild(&channel.guild_id)));
            }
            Event::GuildMemberAdd(member)
            | Event::GuildMemberUpdate(member)
            | Event::GuildMemberRemove(member) => {
                return Some(self.lane(Topic::Guild(&member.guild_id)));
            }
            _ => return None,
        };
        Some(self.lane(Topic::Conversation(&conversation)))
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

    #[test]
    fn a_conversation_is_one_lane_whatever_happens_in_it() {
        let keys = LaneKeys::default();
        let group = |name, id| {
            keys.of(&event(
                name,
                &format!(r#"{{"id":"m","group_openid":"{id}"}}"#),
            ))
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
        let button = keys.of(&event("INTERACTION_CREATE", data));
        assert!(button.is_some());
        assert_eq!(keys.of(&event("INTERACTION_CREATE", data)), button);
        assert_ne!(keys.of(&event("GROUP_MESSAGE_CREATE", data)), button);
        assert_eq!(keys.of(&event("READY", "{}")), None);
        assert_eq!(keys.of(&event("SOMETHING_NEW", data)), None);
    }

    #[test]
    fn a_guild_is_a_lane() {
        let keys = LaneKeys::default();
        let guild = keys.of(&event("GUILD_CREATE", r#"{"id":"7"}"#));
        assert!(guild.is_some());
        assert_eq!(
            keys.of(&event("CHANNEL_CREATE", r#"{"id":"1","guild_id":"7"}"#)),
            guild
        );
        assert_eq!(
            keys.of(&event("GUILD_MEMBER_ADD", r#"{"guild_id":"7"}"#)),
            guild
        );
    }
}
