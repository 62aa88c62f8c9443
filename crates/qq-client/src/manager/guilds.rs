//! Guilds.

use std::sync::Arc;

use qq_model::guild::Guild;
use qq_model::id::GuildId;

use super::{cache, define_manager};
use crate::BotError;
use crate::shared::Shared;

define_manager! {
    /// Guilds, from the cache and by REST.
    ///
    /// ```
    /// use qq_client::{BotError, Context};
    ///
    /// # async fn run(ctx: Context) -> Result<(), BotError> {
    /// let guild = ctx.guilds().resolve(1234).await?;
    /// println!("{} has {:?} members", guild.name, guild.member_count);
    /// # Ok(())
    /// # }
    /// ```
    GuildManager
}

impl GuildManager {
    /// A guild, if it is in the cache.
    #[must_use]
    pub fn get(&self, guild: impl Into<GuildId>) -> Option<Arc<Guild>> {
        cache(&self.shared).guild(&guild.into())
    }

    /// A guild, as the platform has it now.
    ///
    /// # Errors
    ///
    /// What the platform or the network said.
    pub async fn fetch(&self, guild: impl Into<GuildId>) -> Result<Arc<Guild>, BotError> {
        fetch(Arc::clone(&self.shared), guild.into()).await
    }

    /// A guild from the cache, else from the platform, asked once for all who ask at the same time.
    ///
    /// # Errors
    ///
    /// What the platform or the network said, now or within
    /// [`remember_missing`](crate::ClientBuilder::remember_missing).
    pub async fn resolve(&self, guild: impl Into<GuildId>) -> Result<Arc<Guild>, BotError> {
        let guild = guild.into();
        if let Some(known) = cache(&self.shared).guild(&guild) {
            return Ok(known);
        }
        let shared = Arc::clone(&self.shared);
        let flights = &self.shared.knowledge.flights.guilds;
        flights
            .resolve(guild.clone(), || fetch(shared, guild))
            .await
    }

    /// All guilds of the bot, page by page.
    ///
    /// # Errors
    ///
    /// What the platform or the network said. The pages before the failure are in the cache.
    pub async fn fetch_all(&self) -> Result<Vec<Arc<Guild>>, BotError> {
        let mut pages = self.shared.access.api.guilds().pages();
        let mut guilds = Vec::new();
        while let Some(page) = pages.next().await {
            for guild in page? {
                cache(&self.shared).insert_guild(guild.clone());
                guilds.push(Arc::new(guild));
            }
        }
        Ok(guilds)
    }
}

async fn fetch(shared: Arc<Shared>, guild: GuildId) -> Result<Arc<Guild>, BotError> {
    let guild = shared.access.api.guild(guild).get().await?;
    cache(&shared).insert_guild(guild.clone());
    Ok(Arc::new(guild))
}
