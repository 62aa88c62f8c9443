//! The bot's own messages: the platform sends no events about them, but users quote them.

use std::sync::Arc;

use qq_cache::CachedMessage;
use qq_http::Sent;
use qq_model::Event;
use qq_model::message::{
    C2CMessage, Conversation, DirectMessage, GroupMessage, Message, MessageScene,
};
use qq_model::user::{SelfUser, User};

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
        let event = Arc::new(own_message(me, conversation, text, sent));
        if let Some(message) = CachedMessage::from_event(&event) {
            self.cache.insert_message(message);
        }
    }
}

fn own_message(
    me: Option<&SelfUser>,
    conversation: &Conversation,
    text: &str,
    sent: &Sent,
) -> Event {
    let id = sent.id().cloned().unwrap_or_default();
    let name = me.map(|me| me.username.clone());
    match conversation {
        Conversation::Group(group) => {
            let mut message = GroupMessage::default();
            message.id = id;
            message.group_openid = group.clone();
            message.author.bot = true;
            message.author.username = name;
            message.content = text.into();
            message.timestamp = sent.time().cloned().unwrap_or_default();
            message.message_scene = scene(sent);
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
            message.timestamp = sent.time().cloned().unwrap_or_default();
            message.message_scene = scene(sent);
            Event::C2CMessageCreate(Box::new(message))
        }
        Conversation::Channel(channel) => {
            let mut message = in_guild(me, text, sent);
            message.channel_id = channel.clone();
            Event::MessageCreate(Box::new(message))
        }
        Conversation::Direct(guild) => {
            let mut message = in_guild(me, text, sent);
            message.guild_id = guild.clone();
            Event::DirectMessageCreate(Box::new(DirectMessage(message)))
        }
    }
}

fn in_guild(me: Option<&SelfUser>, text: &str, sent: &Sent) -> Message {
    let mut author = User::default();
    author.bot = true;
    if let Some(me) = me {
        author.id = me.id.clone();
        author.username = me.username.clone();
    }
    let mut message = Message::default();
    message.id = sent.id().cloned().unwrap_or_default();
    message.author = author;
    message.content = text.into();
    message.timestamp = sent.time().cloned();
    message
}

/// What users quote it by.
fn scene(sent: &Sent) -> Option<Box<MessageScene>> {
    let index = sent.ref_idx()?;
    let mut scene = MessageScene::default();
    scene.ext = vec![format!("msg_idx={index}").into()];
    Some(Box::new(scene))
}
