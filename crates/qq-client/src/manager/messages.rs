//! Messages.

use std::sync::Arc;

use qq_cache::CachedMessage;
use qq_model::id::{ChannelId, MessageId};
use qq_model::message::{Conversation, Message};

use super::{cache, define_manager};
use crate::BotError;
use crate::shared::Shared;

define_manager! {
    /// Messages of all scenes from the cache, and those of guild channels by REST: for others the platform has no
    /// call.
    MessageManager
}

impl MessageManager {
    /// A message of any scene, if it is in the cache.
    #[must_use]
    pub fn get(&self, message: impl Into<MessageId>) -> Option<CachedMessage> {
        cache(&self.shared).message(&message.into())
    }

    /// The message of a QQ group or one-to-one chat that others quote by this index (`REFIDX_...`), if it is in the
    /// cache.
    #[must_use]
    pub fn get_by_index(&self, conversation: &Conversation, index: &str) -> Option<CachedMessage> {
        cache(&self.shared).message_by_index(conversation, index)
    }

    /// A message of a guild channel, as the platform has it now.
    ///
    /// # Errors
    ///
    /// What the platform or the network said.
    pub async fn fetch(
        &self,
        channel: impl Into<ChannelId>,
        message: impl Into<MessageId>,
    ) -> Result<Message, BotError> {
        fetch(&self.shared, &channel.into(), message.into()).await
    }

    /// A message of a guild channel from the cache, else from the platform, asked once for all who ask at the same
    /// time.
    ///
    /// # Errors
    ///
    /// What the platform or the network said, now or within
    /// [`remember_missing`](crate::ClientBuilder::remember_missing).
    pub async fn resolve(
        &self,
        channel: impl Into<ChannelId>,
        message: impl Into<MessageId>,
    ) -> Result<CachedMessage, BotError> {
        let (channel, message) = (channel.into(), message.into());
        if let Some(known) = cache(&self.shared).message(&message) {
            return Ok(known);
        }
        let shared = Arc::clone(&self.shared);
        let flights = &self.shared.knowledge.flights.messages;
        flights
            .resolve((channel.clone(), message.clone()), || async move {
                fetch(&shared, &channel, message)
                    .await
                    .map(CachedMessage::from)
            })
            .await
    }
}

pub(super) async fn fetch(
    shared: &Shared,
    channel: &ChannelId,
    message: MessageId,
) -> Result<Message, BotError> {
    let message = shared
        .access
        .api
        .channel(channel.clone())
        .message(message)
        .get()
        .await?;
    cache(shared).insert_message(message.clone());
    Ok(message)
}
