//! Roles of guilds.

use std::sync::Arc;

use qq_model::id::{GuildId, RoleId};
use qq_model::role::Role;

use super::{cache, define_manager};
use crate::shared::Shared;
use crate::{BotError, ErrorKind};

define_manager! {
    /// Roles of guilds, from the cache and by REST. The platform lists the roles of a guild and has no call for one.
    RoleManager
}

impl RoleManager {
    /// A role, if it is in the cache.
    #[must_use]
    pub fn get(&self, guild: impl Into<GuildId>, role: impl Into<RoleId>) -> Option<Arc<Role>> {
        cache(&self.shared).role(&guild.into(), &role.into())
    }

    /// A role, as the platform has it now; the other roles of the guild come with it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when the guild has no such role, otherwise what the platform or the network said.
    pub async fn fetch(
        &self,
        guild: impl Into<GuildId>,
        role: impl Into<RoleId>,
    ) -> Result<Arc<Role>, BotError> {
        let roles = fetch_roles(&self.shared, &guild.into()).await?;
        pick(&roles, &role.into())
    }

    /// A role from the cache, else from the platform, asked once for all who ask for roles of this guild at the
    /// same time.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when the guild has no such role, otherwise what the platform or the network said, now
    /// or within [`remember_missing`](crate::ClientBuilder::remember_missing).
    pub async fn resolve(
        &self,
        guild: impl Into<GuildId>,
        role: impl Into<RoleId>,
    ) -> Result<Arc<Role>, BotError> {
        let (guild, role) = (guild.into(), role.into());
        if let Some(known) = cache(&self.shared).role(&guild, &role) {
            return Ok(known);
        }
        let shared = Arc::clone(&self.shared);
        let flights = &self.shared.knowledge.flights.roles;
        let roles = flights
            .resolve(guild.clone(), || async move {
                fetch_roles(&shared, &guild).await
            })
            .await?;
        pick(&roles, &role)
    }

    /// All roles of a guild.
    ///
    /// # Errors
    ///
    /// What the platform or the network said.
    pub async fn fetch_all(&self, guild: impl Into<GuildId>) -> Result<Vec<Arc<Role>>, BotError> {
        Ok(fetch_roles(&self.shared, &guild.into()).await?.to_vec())
    }
}

/// Fetches the roles of a guild into the cache.
pub(crate) async fn fetch_roles(
    shared: &Shared,
    guild: &GuildId,
) -> Result<Arc<[Arc<Role>]>, BotError> {
    let answer = shared.access.api.guild(guild.clone()).roles().await?;
    cache(shared).replace_roles(guild, answer.roles.clone());
    Ok(answer.roles.into_iter().map(Arc::new).collect())
}

fn pick(roles: &[Arc<Role>], role: &RoleId) -> Result<Arc<Role>, BotError> {
    let found = roles.iter().find(|candidate| candidate.id == *role);
    found
        .cloned()
        .ok_or_else(|| BotError::new(ErrorKind::NotFound, format!("the guild has no role {role}")))
}
