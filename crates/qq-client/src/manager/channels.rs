//! Channels of guilds.

use std::sync::Arc;

use qq_http::Sent;
use qq_model::channel::Channel;
use qq_model::id::{ChannelId, GuildId, MessageId};
use qq_model::message::{Conversation, Message};
use qq_model::outgoing::MessageBody;

use super::{cache, define_manager};
use crate::BotError;
use crate::shared::Shared;

define_manager! {
    /// Channels of guilds, from the cache and by REST.
    ChannelManager
}

impl ChannelManager {
    /// A channel, if it is in the cache.
    #[must_use]
    pub fn get(&self, channel: impl Into<ChannelId>) -> Option<Arc<Channel>> {
        cache(&self.shared).channel(&channel.into())
    }

    /// A channel, as the platform has it now.
    ///
    /// # Errors
    ///
    /// What the platform or the network said.
    pub async fn fetch(&self, channel: impl Into<ChannelId>) -> Result<Arc<Channel>, BotError> {
        fetch(Arc::clone(&self.shared), channel.into()).await
    }

    /// A channel from the cache, else from the platform, asked once for all who ask at the same time.
    ///
    /// # Errors
    ///
    /// What the platform or the network said, now or within
    /// [`remember_missing`](crate::ClientBuilder::remember_missing).
    pub async fn resolve(&self, channel: impl Into<ChannelId>) -> Result<Arc<Channel>, BotError> {
        let channel = channel.into();
        if let Some(known) = cache(&self.shared).channel(&channel) {
            return Ok(known);
        }
        let shared = Arc::clone(&self.shared);
        let flights = &self.shared.knowledge.flights.channels;
        flights
            .resolve(channel.clone(), || fetch(shared, channel))
            .await
    }

    /// All channels of a guild.
    ///
    /// # Errors
    ///
    /// What the platform or the network said.
    pub async fn fetch_all(
        &self,
        guild: impl Into<GuildId>,
    ) -> Result<Vec<Arc<Channel>>, BotError> {
        fetch_channels(&self.shared, &guild.into()).await
    }

    /// Sends a message to a channel, answering nothing. What it answers is [`Context::reply`](crate::Context::reply).
    ///
    /// # Errors
    ///
    /// What the platform or the network said.
    pub async fn send(
        &self,
        channel: impl Into<ChannelId>,
        body: impl Into<MessageBody>,
    ) -> Result<Sent, BotError> {
        let conversation = Conversation::Channel(channel.into());
        super::send(&self.shared, &conversation, body.into()).await
    }

    /// A message of a channel, as the platform has it now.
    ///
    /// # Errors
    ///
    /// What the platform or the network said.
    pub async fn fetch_message(
        &self,
        channel: impl Into<ChannelId>,
        message: impl Into<MessageId>,
    ) -> Result<Message, BotError> {
        super::messages::fetch(&self.shared, &channel.into(), message.into()).await
    }
}

/// Fetches the channels of a guild into the cache.
pub(crate) async fn fetch_channels(
    shared: &Shared,
    guild: &GuildId,
) -> Result<Vec<Arc<Channel>>, BotError> {
    let channels = shared.access.api.guild(guild.clone()).channels().await?;
    cache(shared).replace_channels(guild, channels.clone());
    Ok(channels.into_iter().map(Arc::new).collect())
}

async fn fetch(shared: Arc<Shared>, channel: ChannelId) -> Result<Arc<Channel>, BotError> {
    let channel = shared.access.api.channel(channel).get().await?;
    cache(&shared).insert_channel(channel.clone());
    Ok(Arc::new(channel))
}
