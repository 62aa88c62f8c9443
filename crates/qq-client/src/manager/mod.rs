//! Looking things up: in the cache, by REST, or in the one and then by the other.
//!
//! `get` looks into the cache. `fetch` asks the platform and brings the cache up to date. `resolve` looks into the
//! cache and asks only when there is nothing: once, for all who ask for the same at the same time. That something does
//! not exist is remembered briefly. What the platform has no call for has no method.

mod channels;
mod flight;
mod groups;
mod guilds;
mod members;
mod messages;
mod roles;
mod users;

pub use self::channels::ChannelManager;
pub use self::groups::GroupManager;
pub use self::guilds::GuildManager;
pub use self::members::MemberManager;
pub use self::messages::MessageManager;
pub use self::roles::RoleManager;
pub use self::users::UserManager;

pub(crate) use self::channels::fetch_channels;
pub(crate) use self::roles::fetch_roles;

use std::sync::Arc;
use std::time::Duration;

use qq_cache::{CachedGroup, CachedMessage};
use qq_http::Sent;
use qq_model::channel::Channel;
use qq_model::group::GroupMember;
use qq_model::guild::Guild;
use qq_model::id::{ChannelId, GroupOpenid, GuildId, MemberOpenid, MessageId, UserId};
use qq_model::message::Conversation;
use qq_model::outgoing::MessageBody;
use qq_model::role::Role;
use qq_model::user::Member;

use self::flight::SingleFlight;
use crate::shared::Shared;
use crate::{BotError, Client, ClientHandle, Context};

/// The look-ups under way.
pub(crate) struct Flights {
    pub(crate) guilds: SingleFlight<GuildId, Arc<Guild>>,
    pub(crate) channels: SingleFlight<ChannelId, Arc<Channel>>,
    pub(crate) members: SingleFlight<(GuildId, UserId), Arc<Member>>,
    pub(crate) roles: SingleFlight<GuildId, Arc<[Arc<Role>]>>,
    pub(crate) groups: SingleFlight<GroupOpenid, Arc<CachedGroup>>,
    pub(crate) group_members: SingleFlight<(GroupOpenid, MemberOpenid), Arc<GroupMember>>,
    pub(crate) messages: SingleFlight<(ChannelId, MessageId), CachedMessage>,
}

impl Flights {
    pub(crate) fn new(memory: Duration) -> Self {
        Self {
            guilds: SingleFlight::new(memory),
            channels: SingleFlight::new(memory),
            members: SingleFlight::new(memory),
            roles: SingleFlight::new(memory),
            groups: SingleFlight::new(memory),
            group_members: SingleFlight::new(memory),
            messages: SingleFlight::new(memory),
        }
    }
}

macro_rules! managers {
    ($($type:ty),*) => {$(
        impl $type {
            /// Guilds.
            #[must_use]
            pub fn guilds(&self) -> GuildManager {
                GuildManager::new(Arc::clone(self.shared()))
            }

            /// Channels of guilds.
            #[must_use]
            pub fn channels(&self) -> ChannelManager {
                ChannelManager::new(Arc::clone(self.shared()))
            }

            /// Members of guilds.
            #[must_use]
            pub fn members(&self) -> MemberManager {
                MemberManager::new(Arc::clone(self.shared()))
            }

            /// Roles of guilds.
            #[must_use]
            pub fn roles(&self) -> RoleManager {
                RoleManager::new(Arc::clone(self.shared()))
            }

            /// QQ groups and their members.
            #[must_use]
            pub fn groups(&self) -> GroupManager {
                GroupManager::new(Arc::clone(self.shared()))
            }

            /// Users of one-to-one chats.
            #[must_use]
            pub fn users(&self) -> UserManager {
                UserManager::new(Arc::clone(self.shared()))
            }

            /// Messages.
            #[must_use]
            pub fn messages(&self) -> MessageManager {
                MessageManager::new(Arc::clone(self.shared()))
            }
        }
    )*};
}

managers!(ClientHandle, Context);

impl<H> Client<H> {
    /// Guilds.
    #[must_use]
    pub fn guilds(&self) -> GuildManager {
        self.handle().guilds()
    }

    /// Channels of guilds.
    #[must_use]
    pub fn channels(&self) -> ChannelManager {
        self.handle().channels()
    }

    /// Members of guilds.
    #[must_use]
    pub fn members(&self) -> MemberManager {
        self.handle().members()
    }

    /// Roles of guilds.
    #[must_use]
    pub fn roles(&self) -> RoleManager {
        self.handle().roles()
    }

    /// QQ groups and their members.
    #[must_use]
    pub fn groups(&self) -> GroupManager {
        self.handle().groups()
    }

    /// Users of one-to-one chats.
    #[must_use]
    pub fn users(&self) -> UserManager {
        self.handle().users()
    }

    /// Messages.
    #[must_use]
    pub fn messages(&self) -> MessageManager {
        self.handle().messages()
    }
}

/// Every manager is a handle on the client.
macro_rules! define_manager {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name {
            shared: std::sync::Arc<crate::shared::Shared>,
        }

        impl $name {
            pub(super) const fn new(shared: std::sync::Arc<crate::shared::Shared>) -> Self {
                Self { shared }
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}
use define_manager;

/// Sends something that answers nothing.
async fn send(
    shared: &Shared,
    conversation: &Conversation,
    body: MessageBody,
) -> Result<Sent, BotError> {
    let call = shared.access.api.conversation(conversation).send(body);
    Ok(call.await?)
}

/// The cache of a client.
fn cache(shared: &Shared) -> &qq_cache::Cache {
    &shared.knowledge.cache
}
