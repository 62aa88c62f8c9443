//! Channels of guilds.

use std::collections::HashSet;
use std::sync::Arc;

use qq_model::channel::Channel;
use qq_model::id::{ChannelId, GuildId};

use super::Visible;
use crate::Cache;
use crate::store::Kind;
use crate::update::Changed;

pub(crate) struct Channels;

impl Kind for Channels {
    type Owner = GuildId;
    type Key = ChannelId;
    type Value = Arc<Channel>;
    const INDEXED: bool = true;
    const SCOPED: bool = false;
}

impl Visible for Channels {
    type Seen = Channel;

    fn show<R>(_: &ChannelId, value: &Arc<Channel>, look: impl FnOnce(&Channel) -> R) -> R {
        look(value)
    }
}

impl Cache {
    /// A channel.
    #[must_use]
    pub fn channel(&self, channel: &ChannelId) -> Option<Arc<Channel>> {
        self.kinds.channels.get(None, channel)
    }

    /// The cached channels of a guild by position. Takes time in proportion to their number; not counted as
    /// reads.
    ///
    /// They are all channels of the guild only after [`replace_channels`](Self::replace_channels).
    #[must_use]
    pub fn guild_channels(&self, guild: &GuildId) -> Vec<Arc<Channel>> {
        let mut channels: Vec<_> = self
            .kinds
            .channels
            .list(guild)
            .into_iter()
            .map(|(_, channel)| channel)
            .collect();
        channels.sort_by(|a, b| (a.position, &a.id).cmp(&(b.position, &b.id)));
        channels
    }

    /// Keeps a channel as a REST call gave it, in place of what was known. A channel without its guild is not
    /// kept.
    pub fn insert_channel(&self, channel: Channel) -> Option<Changed<Arc<Channel>>> {
        if channel.id.is_empty() || channel.guild_id.is_empty() {
            return None;
        }
        let channel = Arc::new(channel);
        let guild = Some(&channel.guild_id);
        self.kinds
            .channels
            .insert(guild, &channel.id, Arc::clone(&channel))
    }

    /// Keeps the complete list of a guild's channels, and forgets those that are not in it. Channels that name
    /// no guild are taken for this guild's.
    ///
    /// An event that arrives while the REST call is under way may be newer than its answer; the answer wins.
    pub fn replace_channels(&self, guild: &GuildId, channels: impl IntoIterator<Item = Channel>) {
        let mut listed = HashSet::new();
        for mut channel in channels {
            if channel.guild_id.is_empty() {
                channel.guild_id = guild.clone();
            }
            listed.insert(channel.id.clone());
            self.insert_channel(channel);
        }
        for (id, _) in self.kinds.channels.list(guild) {
            if !listed.contains(&id) {
                self.kinds.channels.remove(None, &id);
            }
        }
    }

    /// Forgets a channel.
    pub fn remove_channel(&self, channel: &ChannelId) -> Option<Changed<Arc<Channel>>> {
        self.kinds.channels.remove(None, channel)
    }

    /// Brings a channel up to date with an event: what the event leaves out stays.
    pub(crate) fn merge_channel(&self, event: &Channel) -> Option<Changed<Arc<Channel>>> {
        if event.id.is_empty() || event.guild_id.is_empty() {
            return None;
        }
        let guild = Some(&event.guild_id);
        self.kinds.channels.merge(guild, &event.id, |old| {
            let mut new = event.clone();
            // Who did it is said of the event, not of the channel.
            new.op_user_id = None;
            if let Some(old) = old {
                let old = Channel::clone(old);
                new.sub_type = new.sub_type.or(old.sub_type);
                new.position = new.position.or(old.position);
                new.parent_id = new.parent_id.or(old.parent_id);
                new.owner_id = new.owner_id.or(old.owner_id);
                new.private_type = new.private_type.or(old.private_type);
                new.speak_permission = new.speak_permission.or(old.speak_permission);
                new.application_id = new.application_id.or(old.application_id);
                new.permissions = new.permissions.or(old.permissions);
                if new.name.is_empty() {
                    new.name = old.name;
                }
            }
            Some(Arc::new(new))
        })
    }
}
