//! One user in one-to-one chats.

use qq_model::id::MessageId;

use super::UserScope;
use super::at::At;
use crate::request::Call;
use crate::route::Route;

impl UserScope {
    /// A message that the bot sent to the user.
    pub fn message(&self, message: impl Into<MessageId>) -> UserMessageScope {
        UserMessageScope(self.at().and(message.into()))
    }
}

/// One message to a user: [`UserScope::message`].
#[derive(Clone, Debug)]
pub struct UserMessageScope(At);

impl UserMessageScope {
    /// Recalls it, within 2 minutes.
    pub fn recall(&self) -> Call<()> {
        self.0.act(Route::DeleteC2CMessage)
    }
}
