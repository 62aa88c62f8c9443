//! Which chat an event belongs to.

use super::Event;
use crate::message::Conversation;

impl Event {
    /// The chat that this event belongs to; `None` for one that concerns a whole guild, or nobody in particular, such as
    /// READY, and where the platform left the id out.
    ///
    /// ```
    /// use qq_model::Event;
    /// use qq_model::message::Conversation;
    ///
    /// let event = Event::decode("GROUP_ADD_ROBOT", r#"{"group_openid":"A1B2"}"#);
    /// assert_eq!(event.conversation(), Some(Conversation::Group("A1B2".into())));
    /// ```
    #[must_use]
    pub fn conversation(&self) -> Option<Conversation> {
        let conversation = match self {
            Self::AtMessageCreate(message) | Self::MessageCreate(message) => message.conversation(),
            Self::DirectMessageCreate(message) => message.conversation(),
            Self::GroupAtMessageCreate(message) | Self::GroupMessageCreate(message) => {
                message.conversation()
            }
            Self::C2CMessageCreate(message) => message.conversation(),
            Self::PublicMessageDelete(deleted) | Self::MessageDelete(deleted) => {
                deleted.message.conversation()
            }
            Self::DirectMessageDelete(deleted) => {
                Conversation::Direct(deleted.message.guild_id.clone())
            }
            Self::MessageReactionAdd(reaction) | Self::MessageReactionRemove(reaction) => {
                Conversation::Channel(reaction.channel_id.clone())
            }
            Self::InteractionCreate(interaction) => return interaction.conversation(),
            Self::GroupAddRobot(robot)
            | Self::GroupDelRobot(robot)
            | Self::GroupMsgReject(robot)
            | Self::GroupMsgReceive(robot) => Conversation::Group(robot.group_openid.clone()),
            Self::GroupMemberAdd(member) | Self::GroupMemberRemove(member) => {
                Conversation::Group(member.group_openid.clone())
            }
            Self::GroupJoinRequest(request) => Conversation::Group(request.group_openid.clone()),
            Self::FriendAdd(friend) => Conversation::C2C(friend.openid.clone()),
            Self::FriendDel(friend) => Conversation::C2C(friend.openid.clone()),
            Self::C2CMsgReject(switch) | Self::C2CMsgReceive(switch) => {
                Conversation::C2C(switch.openid.clone())
            }
            _ => return None,
        };
        (!conversation.is_unnamed()).then_some(conversation)
    }
}

impl Conversation {
    /// Whether the platform left the id out.
    #[must_use]
    pub fn is_unnamed(&self) -> bool {
        match self {
            Self::Channel(id) => id.is_empty(),
            Self::Direct(id) => id.is_empty(),
            Self::Group(id) => id.is_empty(),
            Self::C2C(id) => id.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: &str = r#"{"id":"m","guild_id":"1","channel_id":"2","group_openid":"G","openid":"U",
        "author":{"user_openid":"U"},"message":{"id":"m","guild_id":"1","channel_id":"2"}}"#;

    #[test]
    fn each_event_belongs_to_the_chat_that_it_names() {
        let channel = || Some(Conversation::Channel("2".into()));
        let direct = || Some(Conversation::Direct("1".into()));
        let group = || Some(Conversation::Group("G".into()));
        let c2c = || Some(Conversation::C2C("U".into()));
        for (name, conversation) in [
            ("AT_MESSAGE_CREATE", channel()),
            ("MESSAGE_CREATE", channel()),
            ("PUBLIC_MESSAGE_DELETE", channel()),
            ("MESSAGE_DELETE", channel()),
            ("MESSAGE_REACTION_ADD", channel()),
            ("MESSAGE_REACTION_REMOVE", channel()),
            ("DIRECT_MESSAGE_CREATE", direct()),
            ("DIRECT_MESSAGE_DELETE", direct()),
            ("GROUP_AT_MESSAGE_CREATE", group()),
            ("GROUP_MESSAGE_CREATE", group()),
            ("GROUP_ADD_ROBOT", group()),
            ("GROUP_DEL_ROBOT", group()),
            ("GROUP_MSG_REJECT", group()),
            ("GROUP_MSG_RECEIVE", group()),
            ("GROUP_MEMBER_ADD", group()),
            ("GROUP_MEMBER_REMOVE", group()),
            ("GROUP_JOIN_REQUEST", group()),
            ("C2C_MESSAGE_CREATE", c2c()),
            ("C2C_MSG_REJECT", c2c()),
            ("C2C_MSG_RECEIVE", c2c()),
            ("FRIEND_ADD", c2c()),
            ("FRIEND_DEL", c2c()),
            ("GUILD_CREATE", None),
            ("READY", None),
            ("NEW_EVENT", None),
        ] {
            assert_eq!(
                Event::decode(name, DATA).conversation(),
                conversation,
                "{name}"
            );
            assert_eq!(
                Event::decode(name, "{}").conversation(),
                None,
                "{name} without ids"
            );
        }
    }
}
