//! One guild direct conversation.

use qq_model::id::{GuildId, MessageId};
use qq_model::message::Message;
use qq_model::message_setting::PostDirectSettingGuide;
use qq_model::outgoing::DeleteMessage;

use super::DirectScope;
use super::at::At;
use super::channel_message::read_message;
use crate::request::{Call, QueryCall};
use crate::route::Route;
use crate::sent::Sent;

impl DirectScope {
    /// One of its messages.
    pub fn message(&self, message: impl Into<MessageId>) -> DirectMessageScope {
        DirectMessageScope(self.at().and(message.into()))
    }

    /// Posts a card that leads to the message settings of this guild: the one that the conversation was opened
    /// from. Undocumented; official SDKs have it.
    pub fn post_setting_guide(&self, guild: impl Into<GuildId>) -> Call<Sent> {
        let body = PostDirectSettingGuide::new(guild);
        self.at()
            .write(Route::PostDmsSettingGuide, &body, Sent::read)
    }
}

/// One guild direct message: [`DirectScope::message`].
#[derive(Clone, Debug)]
pub struct DirectMessageScope(At);

impl DirectMessageScope {
    /// The message. Unconfirmed; known from one SDK only.
    pub fn get(&self) -> Call<Message> {
        self.0.read(Route::GetDmsMessage, read_message)
    }

    /// Recalls it, if it is the bot's own; [`hidetip`](QueryCall::hidetip) hides the grey notice.
    pub fn recall(&self) -> QueryCall<DeleteMessage> {
        self.0
            .query(Route::DeleteDmsMessage, DeleteMessage::default())
    }
}
