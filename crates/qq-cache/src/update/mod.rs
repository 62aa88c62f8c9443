//! From events to entries.

mod change;
mod group;
mod guild;
mod kinds;
mod message;
mod preload;

pub use self::change::{Change, Changed, Changes};
pub use self::preload::Preload;

use std::sync::Arc;

use qq_model::{Event, JsonText};

use crate::kinds::Scened;
use crate::{Cache, CachedMessage};

impl Cache {
    /// Brings the cache up to date with an event, and says what changed.
    ///
    /// Events of one guild, group or user must come in order, as one session delivers them; others may come
    /// from any number of threads. Costs the same however much is cached, except that deleting a guild or a
    /// group takes time in proportion to its entries.
    ///
    /// A message is copied if messages are kept; [`update_shared`](Self::update_shared) copies nothing.
    ///
    /// ```
    /// use qq_cache::{Cache, Change};
    /// use qq_model::{Event, JsonText};
    ///
    /// let cache = Cache::default();
    /// let channel = |name| Event::decode("CHANNEL_UPDATE", &format!(r#"{{"id":"7","guild_id":"1","name":"{name}"}}"#));
    /// cache.update(&channel("before"));
    /// for change in cache.update(&channel("after")) {
    ///     let Change::Channel(channel) = change else { continue };
    ///     assert_eq!(channel.old().map(|channel| &*channel.name), Some("before"));
    /// }
    /// ```
    #[expect(
        clippy::must_use_candidate,
        reason = "what changed is for those who want it"
    )]
    pub fn update(&self, event: &Event) -> Changes {
        self.update_with(event, || {
            CachedMessage::from_shared(Arc::new(event.clone()))
        })
    }

    /// [`update`](Self::update) with an event that is shared: a cached message refers to it.
    #[expect(
        clippy::must_use_candidate,
        reason = "what changed is for those who want it"
    )]
    pub fn update_shared(&self, event: &Arc<Event>) -> Changes {
        self.update_with(event, || CachedMessage::from_shared(Arc::clone(event)))
    }

    /// [`update`](Self::update) with the JSON text that the event was decoded from
    /// ([`Dispatch::text`](qq_model::Dispatch::text)): a cached message is a copy of it, and is decoded when somebody reads
    /// it. So the event is nobody else's.
    pub fn update_with_text(&self, event: &Event, text: &JsonText) -> Changes {
        match event.kind() {
            Some(kind) => self.update_with(event, || {
                CachedMessage::from_text(kind, self.kinds.texts.keep(text.as_bytes()))
            }),
            None => Changes::default(),
        }
    }

    fn update_with(&self, event: &Event, message: impl FnOnce() -> CachedMessage) -> Changes {
        let mut changes = Changes::default();
        let scened = match event {
            Event::MessageCreate(message) | Event::AtMessageCreate(message) => {
                self.on_channel_message(message, &mut changes);
                Scened::Channel(message)
            }
            Event::DirectMessageCreate(message) => {
                self.on_direct_message(message, &mut changes);
                Scened::Direct(message)
            }
            Event::GroupMessageCreate(message) | Event::GroupAtMessageCreate(message) => {
                self.on_group_message(message, &mut changes);
                Scened::Group(message)
            }
            Event::C2CMessageCreate(message) => {
                self.on_c2c_message(message, &mut changes);
                Scened::C2C(message)
            }
            event => {
                self.update_entities(event, &mut changes);
                return changes;
            }
        };
        changes.end_with(self.keep_message(&scened, message));
        changes
    }

    fn update_entities(&self, event: &Event, changes: &mut Changes) {
        match event {
            Event::GuildCreate(guild) | Event::GuildUpdate(guild) => {
                self.on_guild(guild, changes);
            }
            Event::GuildDelete(guild) => {
                changes.push(self.remove_guild(&guild.id).map(Change::Guild));
            }
            Event::ChannelCreate(channel) | Event::ChannelUpdate(channel) => {
                changes.push(self.merge_channel(channel).map(Change::Channel));
            }
            Event::ChannelDelete(channel) => {
                changes.push(self.remove_channel(&channel.id).map(Change::Channel));
            }
            Event::GuildMemberAdd(member) | Event::GuildMemberUpdate(member) => {
                self.on_guild_member(member, changes);
            }
            Event::GuildMemberRemove(member) => {
                self.on_guild_member_remove(member, changes);
            }
            Event::MessageDelete(deleted)
            | Event::PublicMessageDelete(deleted)
            | Event::DirectMessageDelete(deleted) => {
                changes.push(
                    self.remove_message(&deleted.message.id)
                        .map(Change::Message),
                );
            }
            Event::GroupAddRobot(event) => {
                changes.push(self.see_group(&event.group_openid).map(Change::Group));
            }
            Event::GroupDelRobot(event) => {
                changes.push(self.remove_group(&event.group_openid).map(Change::Group));
            }
            Event::GroupMsgReceive(event) => self.on_group_switch(event, true, changes),
            Event::GroupMsgReject(event) => self.on_group_switch(event, false, changes),
            Event::GroupMemberAdd(event) => self.on_group_member_add(event, changes),
            Event::GroupMemberRemove(event) => self.on_group_member_remove(event, changes),
            Event::FriendAdd(event) => self.on_friend_add(event, changes),
            Event::FriendDel(event) => {
                changes.push(self.remove_user(&event.openid).map(Change::User));
            }
            Event::C2CMsgReceive(event) => self.on_user_switch(event, true, changes),
            Event::C2CMsgReject(event) => self.on_user_switch(event, false, changes),
            // The others are about nothing that is kept here, or are not understood by this version.
            _ => {}
        }
    }
}
