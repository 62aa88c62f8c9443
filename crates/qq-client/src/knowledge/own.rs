//! The bot's own messages: the platform sends no events about them, but users quote them.

use std::sync::Arc;
use std::time::SystemTime;

use qq_cache::CachedMessage;
use qq_http::{Sent, Streamed};
use qq_model::id::MessageId;
use qq_model::message::{
    C2CMessage, Conversation, DirectMessage, GroupMessage, Message, MessageScene,
};
use qq_model::user::{SelfUser, User};
use qq_model::{Event, Timestamp};

use super::Knowledge;

impl Knowledge {
    /// Keeps a message that the bot sent, as if it had been received.
    pub(crate) fn note_sent(
        &self,
        me: Option<&SelfUser>,
        conversation: &Conversation,
        text: &str,
        sent: &Sent,
    ) {
        let written = Written {
            id: sent.id().cloned().unwrap_or_default(),
            at: sent.time().cloned(),
            index: sent.ref_idx(),
            text,
        };
        self.note_own(&Arc::new(written.into_received(me, conversation)));
    }

    /// The same for a text that grew while it was written.
    pub(crate) fn note_streamed(
        &self,
        me: Option<&SelfUser>,
        conversation: &Conversation,
        text: &str,
        streamed: &Streamed,
    ) {
        for (place, id) in streamed.ids.iter().enumerate() {
            let written = Written {
                id: MessageId::new(&**id),
                at: Some(Timestamp::from(SystemTime::now())),
                index: streamed.ref_idxs.get(place).and_then(Option::as_deref),
                text,
            };
            self.note_own(&Arc::new(written.into_received(me, conversation)));
        }
    }

    fn note_own(&self, event: &Arc<Event>) {
        self.quotes.note(event);
        if let Some(message) = CachedMessage::from_event(event) {
            self.cache.insert_message(message);
        }
    }
}

/// A message of the bot's own.
struct Written<'a> {
    id: MessageId,
    at: Option<Timestamp>,
    /// What users quote it by.
    index: Option<&'a str>,
    text: &'a str,
}

impl Written<'_> {
    /// As if somebody had said it.
    fn into_received(self, me: Option<&SelfUser>, conversation: &Conversation) -> Event {
        let Self {
            id,
            at,
            index,
            text,
        } = self;
        let name = me.map(|me| me.username.clone());
        match conversation {
            Conversation::Group(group) => {
                let mut message = GroupMessage::default();
                message.id = id;
                message.group_openid = group.clone();
                message.author.bot = true;
                message.author.username = name;
                message.content = text.into();
                message.timestamp = at.unwrap_or_default();
                message.message_scene = scene(index);
                Event::GroupMessageCreate(Box::new(message))
            }
            Conversation::C2C(user) => {
                let mut message = C2CMessage::default();
                message.id = id;
                // A one-to-one chat is named by its user, whoever says something in it.
                message.author.user_openid = Some(user.clone());
                message.author.bot = true;
                message.author.username = name;
                message.content = text.into();
                message.timestamp = at.unwrap_or_default();
                message.message_scene = scene(index);
                Event::C2CMessageCreate(Box::new(message))
            }
            Conversation::Channel(channel) => {
                let mut message = in_guild(me, text, id, at);
                message.channel_id = channel.clone();
                Event::MessageCreate(Box::new(message))
            }
            Conversation::Direct(guild) => {
                let mut message = in_guild(me, text, id, at);
                message.guild_id = guild.clone();
                Event::DirectMessageCreate(Box::new(DirectMessage(message)))
            }
        }
    }
}

fn in_guild(me: Option<&SelfUser>, text: &str, id: MessageId, at: Option<Timestamp>) -> Message {
    let mut author = User::default();
    author.bot = true;
    if let Some(me) = me {
        author.id = me.id.clone();
        author.username = me.username.clone();
    }
    let mut message = Message::default();
    message.id = id;
    message.author = author;
    message.content = text.into();
    message.timestamp = at;
    message
}

/// What users quote it by.
fn scene(index: Option<&str>) -> Option<Box<MessageScene>> {
    let index = index?;
    let mut scene = MessageScene::default();
    scene.ext = vec![format!("msg_idx={index}").into()];
    Some(Box::new(scene))
}
