//! What an answer goes to.

use qq_model::Event;
use qq_model::id::MessageId;
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

    /// Where answers to this event go; `None` when it cannot be answered.
    pub(crate) fn of(event: &Event) -> Option<Self> {
        let (conversation, id) = match event {
            Event::AtMessageCreate(message) | Event::MessageCreate(message) => {
                (message.conversation(), &message.id)
            }
            Event::DirectMessageCreate(message) => (message.conversation(), &message.id),
            Event::GroupAtMessageCreate(message) | Event::GroupMessageCreate(message) => {
                (message.conversation(), &message.id)
            }
            Event::C2CMessageCreate(message) => (message.conversation(), &message.id),
            _ => return None,
        };
        Some(Self::message(conversation, id.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scene_is_answered_where_it_was_said() {
        let data = r#"{"id":"m","guild_id":"1","channel_id":"2","group_openid":"G","author":{"user_openid":"U"}}"#;
        for (name, conversation) in [
            ("AT_MESSAGE_CREATE", Conversation::Channel("2".into())),
            ("MESSAGE_CREATE", Conversation::Channel("2".into())),
            ("DIRECT_MESSAGE_CREATE", Conversation::Direct("1".into())),
            ("GROUP_AT_MESSAGE_CREATE", Conversation::Group("G".into())),
            ("GROUP_MESSAGE_CREATE", Conversation::Group("G".into())),
            ("C2C_MESSAGE_CREATE", Conversation::C2C("U".into())),
        ] {
            let target = ReplyTarget::of(&Event::decode(name, data)).unwrap();
            assert_eq!(
                target,
                ReplyTarget::message(conversation, "m".into()),
                "{name}"
            );
        }
        assert_eq!(ReplyTarget::of(&Event::decode("READY", "{}")), None);
    }
}
