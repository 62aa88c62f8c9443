//! Roles of guilds. The platform sends no events about them.

use std::collections::HashSet;
use std::sync::Arc;

use qq_model::id::{GuildId, RoleId};
use qq_model::role::Role;

use super::Visible;
use crate::Cache;
use crate::store::Kind;
use crate::update::Changed;

pub(crate) struct Roles;

impl Kind for Roles {
    type Owner = GuildId;
    type Key = RoleId;
    type Value = Arc<Role>;
    const INDEXED: bool = true;
    // Roles 1, 2, 4 and 5 exist in every guild.
    const SCOPED: bool = true;
}

impl Visible for Roles {
    type Seen = Role;

    fn show<R>(_: &RoleId, value: &Arc<Role>, look: impl FnOnce(&Role) -> R) -> R {
        look(value)
    }
}

impl Cache {
    /// A role of a guild.
    #[must_use]
    pub fn role(&self, guild: &GuildId, role: &RoleId) -> Option<Arc<Role>> {
        self.kinds.roles.get(Some(guild), role)
    }

    /// The cached roles of a guild by id. Takes time in proportion to their number; not counted as reads.
    #[must_use]
    pub fn guild_roles(&self, guild: &GuildId) -> Vec<Arc<Role>> {
        let mut roles: Vec<_> = self
            .kinds
            .roles
            .list(guild)
            .into_iter()
            .map(|(_, role)| role)
            .collect();
        roles.sort_by(|a, b| (a.id.as_u64(), &a.id).cmp(&(b.id.as_u64(), &b.id)));
        roles
    }

    /// Keeps a role as a REST call gave it, in place of what was known.
    pub fn insert_role(&self, guild: &GuildId, role: Role) -> Option<Changed<Arc<Role>>> {
        if guild.is_empty() || role.id.is_empty() {
            return None;
        }
        let id = role.id.clone();
        self.kinds.roles.insert(Some(guild), &id, Arc::new(role))
    }

    /// Keeps the complete list of a guild's roles, and forgets those that are not in it.
    pub fn replace_roles(&self, guild: &GuildId, roles: impl IntoIterator<Item = Role>) {
        let mut listed = HashSet::new();
        for role in roles {
            listed.insert(role.id.clone());
            self.insert_role(guild, role);
        }
        for (id, _) in self.kinds.roles.list(guild) {
            if !listed.contains(&id) {
                self.kinds.roles.remove(Some(guild), &id);
            }
        }
    }

    /// Forgets a role.
    pub fn remove_role(&self, guild: &GuildId, role: &RoleId) -> Option<Changed<Arc<Role>>> {
        self.kinds.roles.remove(Some(guild), role)
    }
}
