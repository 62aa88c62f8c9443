//! Members of guilds.

use std::sync::Arc;

use qq_model::id::{GuildId, UserId};
use qq_model::user::{Member, User};

use super::{cache, define_manager};
use crate::BotError;
use crate::shared::Shared;

define_manager! {
    /// Members of guilds, from the cache and by REST. Members of QQ groups are at
    /// [`GroupManager`](crate::GroupManager).
    MemberManager
}

impl MemberManager {
    /// A member, if it is in the cache.
    #[must_use]
    pub fn get(&self, guild: impl Into<GuildId>, user: impl Into<UserId>) -> Option<Arc<Member>> {
        cache(&self.shared).member(&guild.into(), &user.into())
    }

    /// A member, as the platform has it now.
    ///
    /// # Errors
    ///
    /// What the platform or the network said.
    pub async fn fetch(
        &self,
        guild: impl Into<GuildId>,
        user: impl Into<UserId>,
    ) -> Result<Arc<Member>, BotError> {
        fetch(Arc::clone(&self.shared), guild.into(), user.into()).await
    }

    /// A member from the cache, else from the platform, asked once for all who ask at the same time.
    ///
    /// Members seen in messages are in the cache with what the message said of them.
    ///
    /// # Errors
    ///
    /// What the platform or the network said, now or within
    /// [`remember_missing`](crate::ClientBuilder::remember_missing).
    pub async fn resolve(
        &self,
        guild: impl Into<GuildId>,
        user: impl Into<UserId>,
    ) -> Result<Arc<Member>, BotError> {
        let (guild, user) = (guild.into(), user.into());
        if let Some(known) = cache(&self.shared).member(&guild, &user) {
            return Ok(known);
        }
        let shared = Arc::clone(&self.shared);
        let flights = &self.shared.knowledge.flights.members;
        flights
            .resolve((guild.clone(), user.clone()), || fetch(shared, guild, user))
            .await
    }

    /// All members of a guild, page by page. Only bots of the private domain may ask.
    ///
    /// # Errors
    ///
    /// What the platform or the network said. The pages before the failure are in the cache.
    pub async fn fetch_all(&self, guild: impl Into<GuildId>) -> Result<Vec<Arc<Member>>, BotError> {
        let guild = guild.into();
        let mut pages = self
            .shared
            .access
            .api
            .guild(guild.clone())
            .members()
            .pages();
        let mut members = Vec::new();
        while let Some(page) = pages.next().await {
            for member in page? {
                cache(&self.shared).insert_member(&guild, member.clone());
                members.push(Arc::new(member));
            }
        }
        Ok(members)
    }
}

async fn fetch(shared: Arc<Shared>, guild: GuildId, user: UserId) -> Result<Arc<Member>, BotError> {
    let call = shared
        .access
        .api
        .guild(guild.clone())
        .member(user.clone())
        .get();
    let mut member = call.await?;
    // Some answers leave out who was asked for.
    if member.user.is_none() {
        let mut known = User::default();
        known.id = user;
        member.user = Some(known);
    }
    cache(&shared).insert_member(&guild, member.clone());
    Ok(Arc::new(member))
}
