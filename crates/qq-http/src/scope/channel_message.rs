//! One message of a guild channel, and the reactions to it.

use qq_model::id::UserId;
use qq_model::message::Message;
use qq_model::outgoing::{DeleteMessage, EditMessage, MessageDetail};
use qq_model::reaction::{Emoji, ListReactionUsers, ReactionUsers};
use qq_model::user::User;

use super::at::At;
use crate::error::Error;
use crate::request::{self, Call, Paged, Query, QueryCall};
use crate::response::Response;
use crate::route::Route;

/// One message of a guild channel: [`ChannelScope::message`](crate::ChannelScope::message).
#[derive(Clone, Debug)]
pub struct ChannelMessageScope(pub(super) At);

impl ChannelMessageScope {
    /// The message. Undocumented; SDKs have it.
    pub fn get(&self) -> Call<Message> {
        self.0.read(Route::GetChannelMessage, read_message)
    }

    /// Changes it. Only the bot's own messages with buttons. Undocumented; official SDKs have it.
    pub fn edit(&self, message: &EditMessage) -> Call<Message> {
        self.0
            .write(Route::EditChannelMessage, message, read_message)
    }

    /// Recalls it; [`hidetip`](QueryCall::hidetip) hides the grey notice.
    pub fn recall(&self) -> QueryCall<DeleteMessage> {
        self.0
            .query(Route::DeleteChannelMessage, DeleteMessage::default())
    }

    /// Who reacted with this emoji, 20 per page by default and at most 50.
    pub fn reactions(&self, emoji: &Emoji) -> QueryCall<ListReactionUsers> {
        self.emoji(emoji)
            .query(Route::ListReactionUsers, ListReactionUsers::default())
    }

    /// Reacts to it.
    pub fn react(&self, emoji: &Emoji) -> Call<()> {
        self.emoji(emoji).act(Route::PutReaction)
    }

    /// Takes the bot's own reaction back.
    pub fn unreact(&self, emoji: &Emoji) -> Call<()> {
        self.emoji(emoji).act(Route::DeleteReaction)
    }

    fn emoji(&self, emoji: &Emoji) -> At {
        self.0
            .and_text(&emoji.kind.value().to_string())
            .and_text(&emoji.id)
    }
}

/// A message, wrapped or bare: the platform has answered both.
pub(super) fn read_message(response: &Response) -> Result<Message, Error> {
    match response.json::<MessageDetail>()?.message {
        Some(message) if !message.id.is_empty() => Ok(*message),
        _ => request::having(response, "id", |message: &Message| message.id.is_empty()),
    }
}

impl Query for DeleteMessage {
    type Answer = ();

    fn read(response: &Response) -> Result<(), Error> {
        request::nothing(response)
    }
}

impl QueryCall<DeleteMessage> {
    /// Whether the grey notice is hidden; it is shown by default.
    pub fn hidetip(self, hide: bool) -> Self {
        self.map(|query| query.hidetip(hide))
    }
}

impl Query for ListReactionUsers {
    type Answer = ReactionUsers;

    fn read(response: &Response) -> Result<ReactionUsers, Error> {
        response.json()
    }
}

impl Paged for ListReactionUsers {
    type Item = User;
    type Key = UserId;

    fn in_large_pages(mut self) -> Self {
        self.limit.get_or_insert(50);
        self
    }

    fn following(&self, page: &ReactionUsers) -> Option<Self> {
        let cookie = page.cookie.clone().filter(|_| !page.is_end)?;
        (!cookie.is_empty()).then(|| self.clone().cookie(cookie))
    }

    fn entries(page: ReactionUsers) -> Vec<User> {
        page.users
    }

    fn key(user: &User) -> Option<UserId> {
        Some(user.id.clone()).filter(|id| !id.is_empty())
    }
}

impl QueryCall<ListReactionUsers> {
    /// Goes on where the previous page ended.
    pub fn cookie(self, cookie: impl Into<Box<str>>) -> Self {
        self.map(|query| query.cookie(cookie))
    }

    /// How many per page, at most 50; the first page decides for all.
    pub fn limit(self, limit: u32) -> Self {
        self.map(|query| query.limit(limit))
    }
}
