//! What an answer goes to.

use qq_model::Event;
use qq_model::id::{EventId, MessageId};
use qq_model::message::Conversation;
use qq_model::outgoing::ReplyTo;

/// A chat, and the message or event in it that is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReplyTarget {
    pub(crate) conversation: Conversation,
    pub(crate) reply_to: ReplyTo,
}

impl ReplyTarget {
    pub(crate) const fn message(conversation: Conversation, id: MessageId) -> Self {
        Self {
            conversation,
            reply_to: ReplyTo::Message(id),
        }
    }

    /// Where answers to this event go; `None` when it cannot be answered, or does not say where.
    pub(crate) fn of(event: &Event, event_id: Option<&EventId>) -> Option<Self> {
        Some(Self {
            reply_to: Self::reply_to(event, event_id)?,
            conversation: event.conversation()?,
        })
    }

    /// What names this event in an answer; `None` when it cannot be answered.
    pub(crate) fn reply_to(event: &Event, event_id: Option<&EventId>) -> Option<ReplyTo> {
        if let Some(id) = message_of(event) {
            return Some(ReplyTo::Message(id.clone()));
        }
        let event_id = event_id.filter(|id| !id.is_empty())?;
        is_answerable(event).then(|| ReplyTo::Event(event_id.clone()))
    }
}

/// The id of a message that came.
fn message_of(event: &Event) -> Option<&MessageId> {
    let id = match event {
        Event::AtMessageCreate(message) | Event::MessageCreate(message) => &message.id,
        Event::DirectMessageCreate(message) => &message.id,
        Event::GroupAtMessageCreate(message) | Event::GroupMessageCreate(message) => &message.id,
        Event::C2CMessageCreate(message) => &message.id,
        _ => return None,
    };
    (!id.is_empty()).then_some(id)
}

/// Whether the platform's pages list the event among those that `event_id` takes.
const fn is_answerable(event: &Event) -> bool {
    matches!(
        event,
        // Groups and one-to-one chats.
        Event::InteractionCreate(_)
            | Event::C2CMsgReceive(_)
            | Event::FriendAdd(_)
            | Event::GroupAddRobot(_)
            | Event::GroupMsgReceive(_)
            | Event::GroupMemberAdd(_)
            // Guilds.
            | Event::GuildMemberAdd(_)
            | Event::GuildMemberUpdate(_)
            | Event::GuildMemberRemove(_)
            | Event::MessageReactionAdd(_)
            | Event::MessageReactionRemove(_)
            | Event::ForumThreadCreate(_)
            | Event::ForumThreadUpdate(_)
            | Event::ForumThreadDelete(_)
            | Event::ForumPostCreate(_)
            | Event::ForumPostDelete(_)
            | Event::ForumReplyCreate(_)
            | Event::ForumReplyDelete(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: &str = r#"{"id":"m","guild_id":"1","channel_id":"2","group_openid":"G","openid":"U","author":{"user_openid":"U"}}"#;

    fn of(name: &str) -> Option<ReplyTarget> {
        ReplyTarget::of(&Event::decode(name, DATA), Some(&"E:1".into()))
    }

    #[test]
    fn each_scene_is_answered_where_it_was_said() {
        for (name, conversation) in [
            ("AT_MESSAGE_CREATE", Conversation::Channel("2".into())),
            ("MESSAGE_CREATE", Conversation::Channel("2".into())),
            ("DIRECT_MESSAGE_CREATE", Conversation::Direct("1".into())),
            ("GROUP_AT_MESSAGE_CREATE", Conversation::Group("G".into())),
            ("GROUP_MESSAGE_CREATE", Conversation::Group("G".into())),
            ("C2C_MESSAGE_CREATE", Conversation::C2C("U".into())),
        ] {
            let expected = ReplyTarget::message(conversation, "m".into());
            assert_eq!(of(name), Some(expected), "{name}");
        }
        assert_eq!(of("READY"), None);
        assert_eq!(of("GROUP_DEL_ROBOT"), None, "it cannot be answered");
    }

    #[test]
    fn events_are_answered_by_their_outer_id() {
        for (name, conversation) in [
            ("INTERACTION_CREATE", Conversation::Group("G".into())),
            ("FRIEND_ADD", Conversation::C2C("U".into())),
            ("C2C_MSG_RECEIVE", Conversation::C2C("U".into())),
            ("GROUP_ADD_ROBOT", Conversation::Group("G".into())),
            ("GROUP_MSG_RECEIVE", Conversation::Group("G".into())),
            ("GROUP_MEMBER_ADD", Conversation::Group("G".into())),
            ("MESSAGE_REACTION_ADD", Conversation::Channel("2".into())),
        ] {
            let target = of(name).unwrap();
            assert_eq!(target.conversation, conversation, "{name}");
            assert_eq!(target.reply_to, ReplyTo::Event("E:1".into()), "{name}");
            assert_eq!(ReplyTarget::of(&Event::decode(name, DATA), None), None);
        }
        let joined = Event::decode("GUILD_MEMBER_ADD", DATA);
        let id = "E:1".into();
        assert_eq!(
            ReplyTarget::of(&joined, Some(&id)),
            None,
            "in which channel?"
        );
        assert_eq!(
            ReplyTarget::reply_to(&joined, Some(&id)),
            Some(ReplyTo::Event(id))
        );
    }
}
