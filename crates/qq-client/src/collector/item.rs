//! What collectors collect.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use qq_model::Event;
use qq_model::id::MessageId;
use qq_model::interaction::{Interaction, InteractionType};
use qq_model::message::{
    C2CMessage, ChatMessage, ChatUserId, Conversation, DirectMessage, GroupMessage, Message,
};
use qq_model::outgoing::MessageBody;
use qq_model::reaction::{MessageReaction, ReactionTargetKind};

use super::Collectors;
use super::registry::Registry;
use super::scope::Subject;
use crate::{Context, ReplyCall};

/// What can be collected: [`CollectedMessage`], [`CollectedReaction`], [`ButtonPress`].
pub trait Collectable: Sealed + fmt::Debug + Send + Sized + 'static {}

/// The side of [`Collectable`] that is nobody else's.
pub trait Sealed: Sized + Send {
    /// Where collectors of this kind are filed.
    fn registry(collectors: &Collectors) -> &Registry<Self>;
}

macro_rules! collectable {
    ($item:ident, $registry:ident) => {
        impl Collectable for $item {}

        impl Sealed for $item {
            fn registry(collectors: &Collectors) -> &Registry<Self> {
                &collectors.$registry
            }
        }

        impl $item {
            pub(super) fn new(event: &Arc<Event>, ctx: Context) -> Self {
                Self {
                    event: Arc::clone(event),
                    ctx,
                }
            }

            /// The context of the event that brought it: answers go to it, not to the event whose callback collects.
            #[must_use]
            pub const fn context(&self) -> &Context {
                &self.ctx
            }

            /// The event that brought it.
            #[must_use]
            pub const fn event(&self) -> &Arc<Event> {
                &self.event
            }

            /// Answers it; see [`Context::reply`].
            pub fn reply(&self, body: impl Into<MessageBody>) -> ReplyCall {
                self.ctx.reply(body)
            }
        }

        impl fmt::Debug for $item {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($item)).field(&self.event).finish()
            }
        }
    };
}

/// A collected message of any scene; what all scenes have in common by [`Deref`].
#[derive(Clone)]
pub struct CollectedMessage {
    event: Arc<Event>,
    ctx: Context,
}

collectable!(CollectedMessage, messages);

impl CollectedMessage {
    /// What the sender meant; see [`ChatMessage::text`].
    #[must_use]
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        (**self).text()
    }

    /// The message, if it was sent in a channel.
    #[must_use]
    pub fn as_channel(&self) -> Option<&Message> {
        match &*self.event {
            Event::MessageCreate(message) | Event::AtMessageCreate(message) => Some(message),
            _ => None,
        }
    }

    /// The message, if it is a direct message.
    #[must_use]
    pub fn as_direct(&self) -> Option<&DirectMessage> {
        match &*self.event {
            Event::DirectMessageCreate(message) => Some(message),
            _ => None,
        }
    }

    /// The message, if it was sent in a QQ group.
    #[must_use]
    pub fn as_group(&self) -> Option<&GroupMessage> {
        match &*self.event {
            Event::GroupMessageCreate(message) | Event::GroupAtMessageCreate(message) => {
                Some(message)
            }
            _ => None,
        }
    }

    /// The message, if it was sent in a one-to-one chat.
    #[must_use]
    pub fn as_c2c(&self) -> Option<&C2CMessage> {
        match &*self.event {
            Event::C2CMessageCreate(message) => Some(message),
            _ => None,
        }
    }
}

impl Deref for CollectedMessage {
    type Target = dyn ChatMessage;

    #[expect(clippy::panic, reason = "made of events with a message only")]
    fn deref(&self) -> &Self::Target {
        match &*self.event {
            Event::MessageCreate(message) | Event::AtMessageCreate(message) => &**message,
            Event::DirectMessageCreate(message) => &**message,
            Event::GroupMessageCreate(message) | Event::GroupAtMessageCreate(message) => &**message,
            Event::C2CMessageCreate(message) => &**message,
            other => panic!("{} is no message", other.name()),
        }
    }
}

/// A collected reaction.
#[derive(Clone)]
pub struct CollectedReaction {
    event: Arc<Event>,
    ctx: Context,
}

collectable!(CollectedReaction, reactions);

impl CollectedReaction {
    /// Whether the reaction was taken back. Only those who ask for it
    /// ([`with_removals`](crate::CollectorBuilder::with_removals)) see these.
    #[must_use]
    pub fn is_removal(&self) -> bool {
        matches!(&*self.event, Event::MessageReactionRemove(_))
    }
}

impl Deref for CollectedReaction {
    type Target = MessageReaction;

    #[expect(clippy::panic, reason = "made of events with a reaction only")]
    fn deref(&self) -> &MessageReaction {
        match &*self.event {
            Event::MessageReactionAdd(reaction) | Event::MessageReactionRemove(reaction) => {
                reaction
            }
            other => panic!("{} is no reaction", other.name()),
        }
    }
}

/// A collected press of a button.
#[derive(Clone)]
pub struct ButtonPress {
    event: Arc<Event>,
    ctx: Context,
}

collectable!(ButtonPress, buttons);

impl ButtonPress {
    /// `data` of the button; empty without.
    #[must_use]
    pub fn data(&self) -> &str {
        self.button_data().unwrap_or_default()
    }

    /// Who pressed it, where the platform says so.
    #[must_use]
    pub fn author(&self) -> Option<ChatUserId> {
        presser_of(self)
    }
}

impl Deref for ButtonPress {
    type Target = Interaction;

    #[expect(clippy::panic, reason = "made of events with an interaction only")]
    fn deref(&self) -> &Interaction {
        match &*self.event {
            Event::InteractionCreate(interaction) => interaction,
            other => panic!("{} is no interaction", other.name()),
        }
    }
}

/// What an event is to collectors.
pub(super) enum Kind {
    Message,
    Reaction,
    Button,
}

pub(super) fn kind_of(event: &Event) -> Option<Kind> {
    match event {
        Event::MessageCreate(_)
        | Event::AtMessageCreate(_)
        | Event::DirectMessageCreate(_)
        | Event::GroupMessageCreate(_)
        | Event::GroupAtMessageCreate(_)
        | Event::C2CMessageCreate(_) => Some(Kind::Message),
        Event::MessageReactionAdd(_) | Event::MessageReactionRemove(_) => Some(Kind::Reaction),
        Event::InteractionCreate(interaction)
            if interaction.kind == InteractionType::InlineKeyboard =>
        {
            Some(Kind::Button)
        }
        _ => None,
    }
}

impl Subject {
    /// What an event is about.
    pub(super) fn of(event: &Event) -> Self {
        let author = author_of(event);
        match event {
            Event::MessageReactionAdd(reaction) | Event::MessageReactionRemove(reaction) => {
                Subject {
                    conversation: Some(Conversation::Channel(reaction.channel_id.clone())),
                    author,
                    message: (reaction.target.kind == ReactionTargetKind::Message)
                        .then(|| MessageId::new(&reaction.target.id)),
                }
            }
            Event::InteractionCreate(interaction) => Subject {
                conversation: interaction.conversation(),
                author,
                message: interaction
                    .data
                    .resolved
                    .as_ref()
                    .and_then(|resolved| resolved.message_id.clone()),
            },
            event => match event.as_message() {
                Some(message) => Subject {
                    conversation: Some(message.conversation()),
                    author,
                    message: Some(message.id().clone()),
                },
                None => Subject::default(),
            },
        }
    }
}

/// Who is behind an event.
pub(crate) fn author_of(event: &Event) -> Option<ChatUserId> {
    match event {
        Event::MessageReactionAdd(reaction) | Event::MessageReactionRemove(reaction) => {
            Some(ChatUserId::User(reaction.user_id.clone()))
        }
        Event::InteractionCreate(interaction) => presser_of(interaction),
        event => event.as_message().map(ChatMessage::author_id),
    }
}

fn presser_of(interaction: &Interaction) -> Option<ChatUserId> {
    if let Some(member) = interaction
        .group_member_openid
        .as_ref()
        .filter(|id| !id.is_empty())
    {
        return Some(ChatUserId::Member(member.clone()));
    }
    if let Some(user) = interaction.user_openid.as_ref().filter(|id| !id.is_empty()) {
        return Some(ChatUserId::Openid(user.clone()));
    }
    let user = interaction.data.resolved.as_ref()?.user_id.as_ref()?;
    (!user.is_empty()).then(|| ChatUserId::User(user.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_events_are_about() {
        let event = Event::decode(
            "MESSAGE_REACTION_ADD",
            r#"{"user_id":"1","guild_id":"2","channel_id":"3","target":{"id":"m","type":"ReactionTargetType_MSG"},"emoji":{"id":"4","type":1}}"#,
        );
        let subject = Subject::of(&event);
        assert!(matches!(kind_of(&event), Some(Kind::Reaction)));
        assert_eq!(
            (subject.conversation, subject.author, subject.message),
            (
                Some(Conversation::Channel("3".into())),
                Some(ChatUserId::User("1".into())),
                Some("m".into())
            )
        );
        let event = Event::decode(
            "INTERACTION_CREATE",
            r#"{"id":"i","type":11,"group_openid":"G","group_member_openid":"A","data":{"resolved":{"button_data":"x"}}}"#,
        );
        let subject = Subject::of(&event);
        assert!(matches!(kind_of(&event), Some(Kind::Button)));
        assert_eq!(
            (subject.conversation, subject.author),
            (
                Some(Conversation::Group("G".into())),
                Some(ChatUserId::Member("A".into()))
            )
        );
        let feedback = Event::decode("INTERACTION_CREATE", r#"{"type":13}"#);
        assert!(kind_of(&feedback).is_none());
        assert!(kind_of(&Event::decode("READY", "{}")).is_none());
    }
}
