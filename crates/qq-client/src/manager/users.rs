//! Users of one-to-one chats.

use std::sync::Arc;

use qq_cache::CachedUser;
use qq_http::Sent;
use qq_model::id::UserOpenid;
use qq_model::message::Conversation;
use qq_model::outgoing::MessageBody;
use qq_model::user::SelfUser;

use super::{cache, define_manager};
use crate::BotError;

define_manager! {
    /// Users of one-to-one chats, from the cache. The platform has no call that tells of a user, so there is neither
    /// `fetch` nor `resolve`; members of guilds are at [`MemberManager`](crate::MemberManager).
    UserManager
}

impl UserManager {
    /// A user, if it is in the cache.
    #[must_use]
    pub fn get(&self, user: impl Into<UserOpenid>) -> Option<Arc<CachedUser>> {
        cache(&self.shared).user(&user.into())
    }

    /// The bot itself, as the platform has it now.
    ///
    /// # Errors
    ///
    /// What the platform or the network said.
    pub async fn fetch_me(&self) -> Result<Arc<SelfUser>, BotError> {
        self.shared.set_user(self.shared.access.api.me().await?);
        // Set the line before.
        Ok(self.shared.user().unwrap_or_default())
    }

    /// Sends a message to a user, answering nothing. The platform counts such messages narrowly; an answer is
    /// [`Context::reply`](crate::Context::reply).
    ///
    /// # Errors
    ///
    /// What the platform or the network said.
    pub async fn send(
        &self,
        user: impl Into<UserOpenid>,
        body: impl Into<MessageBody>,
    ) -> Result<Sent, BotError> {
        let conversation = Conversation::C2C(user.into());
        super::send(&self.shared, &conversation, body.into()).await
    }
}
