//! Guilds.

use std::sync::Arc;

use qq_model::guild::Guild;
use qq_model::id::GuildId;

use super::Visible;
use crate::Cache;
use crate::store::Kind;
use crate::update::Changed;

pub(crate) struct Guilds;

impl Kind for Guilds {
    type Owner = ();
    type Key = GuildId;
    type Value = Arc<Guild>;
    const INDEXED: bool = false;
    const SCOPED: bool = false;
}

impl Visible for Guilds {
    type Seen = Guild;

    fn show<R>(_: &GuildId, value: &Arc<Guild>, look: impl FnOnce(&Guild) -> R) -> R {
        look(value)
    }
}

impl Cache {
    /// A guild.
    #[must_use]
    pub fn guild(&self, guild: &GuildId) -> Option<Arc<Guild>> {
        self.kinds.guilds.get(None, guild)
    }

    /// Keeps a guild as a REST call gave it, in place of what was known.
    pub fn insert_guild(&self, guild: Guild) -> Option<Changed<Arc<Guild>>> {
        if guild.id.is_empty() {
            return None;
        }
        let id = guild.id.clone();
        self.kinds.guilds.insert(None, &id, Arc::new(guild))
    }

    /// Forgets a guild with its channels, roles and members.
    pub fn remove_guild(&self, guild: &GuildId) -> Option<Changed<Arc<Guild>>> {
        self.kinds.channels.remove_owned(guild);
        self.kinds.roles.remove_owned(guild);
        self.kinds.members.remove_owned(guild);
        self.kinds.guilds.remove(None, guild)
    }

    /// Brings a guild up to date with an event: what the event leaves out stays.
    pub(crate) fn merge_guild(&self, event: &Guild) -> Option<Changed<Arc<Guild>>> {
        if event.id.is_empty() {
            return None;
        }
        self.kinds.guilds.merge(None, &event.id, |old| {
            let mut new = event.clone();
            // Who did it is said of the event, not of the guild.
            new.op_user_id = None;
            if let Some(old) = old {
                let old = Guild::clone(old);
                new.icon = new.icon.or(old.icon);
                new.owner = new.owner.or(old.owner);
                new.joined_at = new.joined_at.or(old.joined_at);
                new.member_count = new.member_count.or(old.member_count);
                new.max_members = new.max_members.or(old.max_members);
                new.description = new.description.or(old.description);
                new.union_world_id = new.union_world_id.or(old.union_world_id);
                new.union_org_id = new.union_org_id.or(old.union_org_id);
                if new.name.is_empty() {
                    new.name = old.name;
                }
                if new.owner_id.is_empty() {
                    new.owner_id = old.owner_id;
                }
            }
            // Channels have a kind of their own.
            new.channels = Vec::new();
            Some(Arc::new(new))
        })
    }
}
