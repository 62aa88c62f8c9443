//! A bot that does nothing by itself: the test answers with the contexts that it keeps.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use qq_emulator::{Emulator, Say};
use qqbot::client::{Context, ReplyCall};
use qqbot::model::friend::FriendAddEvent;
use qqbot::model::group::GroupRobotEvent;
use qqbot::prelude::*;

pub(crate) use crate::support::stop;

use crate::support::eventually;

/// What was said, by its text or the name of its event.
#[derive(Clone, Default)]
pub(crate) struct Inbox {
    kept: Arc<Mutex<HashMap<String, Kept>>>,
    pub(crate) errors: Arc<Mutex<Vec<BotError>>>,
}

/// What came, and the session that it came with.
#[derive(Clone)]
pub(crate) struct Kept {
    pub(crate) ctx: Context,
    pub(crate) what: What,
}

#[derive(Clone)]
pub(crate) enum What {
    Channel(Message),
    Direct(DirectMessage),
    Group(GroupMessage),
    C2C(C2CMessage),
    Event,
}

impl Inbox {
    fn keep(&self, name: &str, ctx: Context, what: What) {
        let kept = Kept { ctx, what };
        self.kept.lock().unwrap().insert(name.to_owned(), kept);
    }

    /// Waits for what was said.
    pub(crate) async fn get(&self, name: &str) -> Kept {
        eventually(name, || self.kept.lock().unwrap().contains_key(name)).await;
        self.kept.lock().unwrap()[name].clone()
    }

    /// Has somebody say this, and waits until the bot has it.
    pub(crate) async fn say(&self, emulator: &Emulator, say: fn(&str) -> Say, text: &str) -> Kept {
        emulator.say(say(text)).await;
        self.get(text).await
    }
}

impl Kept {
    /// Answers by the message itself, with the session of any event.
    pub(crate) fn answer_with(&self, ctx: &Context, text: String) -> ReplyCall {
        match &self.what {
            What::Channel(message) => message.reply(ctx, text),
            What::Direct(message) => message.reply(ctx, text),
            What::Group(message) => message.reply(ctx, text),
            What::C2C(message) => message.reply(ctx, text),
            What::Event => self.ctx.reply(text),
        }
    }
}

impl EventHandler for Inbox {
    async fn message_create(&self, ctx: Context, message: Message) {
        self.keep(&message.text(), ctx, What::Channel(message.clone()));
    }

    async fn direct_message_create(&self, ctx: Context, message: DirectMessage) {
        self.keep(&message.text(), ctx, What::Direct(message.clone()));
    }

    async fn group_message_create(&self, ctx: Context, message: GroupMessage) {
        self.keep(&message.text(), ctx, What::Group(message.clone()));
    }

    async fn c2c_message_create(&self, ctx: Context, message: C2CMessage) {
        self.keep(&message.text(), ctx, What::C2C(message.clone()));
    }

    async fn friend_add(&self, ctx: Context, _event: FriendAddEvent) {
        self.keep("FRIEND_ADD", ctx, What::Event);
    }

    async fn group_add_robot(&self, ctx: Context, _event: GroupRobotEvent) {
        self.keep("GROUP_ADD_ROBOT", ctx, What::Event);
    }

    async fn error(&self, error: BotError) {
        self.errors.lock().unwrap().push(error);
    }
}

pub(crate) fn group(text: &str) -> Say {
    Say::group(text)
}

pub(crate) fn c2c(text: &str) -> Say {
    Say::c2c(text)
}

pub(crate) fn channel(text: &str) -> Say {
    Say::channel(text)
}

pub(crate) fn direct(text: &str) -> Say {
    Say::direct(text)
}

/// How many calls the emulator has taken to send messages.
pub(crate) fn sends(emulator: &Emulator) -> usize {
    let is_send = |route: &str| route.starts_with("send_") && route.ends_with("_message");
    emulator
        .requests()
        .iter()
        .filter(|request| request.route.as_deref().is_some_and(is_send))
        .count()
}
