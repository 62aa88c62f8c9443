//! What an update changed.

use std::sync::Arc;

use qq_model::channel::Channel;
use qq_model::guild::Guild;
use qq_model::id::{GroupOpenid, GuildId};
use qq_model::user::Member;

use crate::{CachedGroup, CachedGroupMember, CachedMessage, CachedUser};

/// A value before and after.
#[derive(Clone, Debug, PartialEq)]
pub enum Changed<T> {
    /// It was not cached before.
    Created {
        /// The value now.
        new: T,
    },
    /// It has another value.
    Updated {
        /// The value before.
        old: T,
        /// The value now.
        new: T,
    },
    /// It is cached no longer.
    Deleted {
        /// The value before.
        old: T,
    },
}

impl<T> Changed<T> {
    /// The value before, if there was one.
    #[must_use]
    pub const fn old(&self) -> Option<&T> {
        match self {
            Self::Created { .. } => None,
            Self::Updated { old, .. } | Self::Deleted { old } => Some(old),
        }
    }

    /// The value now, if there is one.
    #[must_use]
    pub const fn new_value(&self) -> Option<&T> {
        match self {
            Self::Created { new } | Self::Updated { new, .. } => Some(new),
            Self::Deleted { .. } => None,
        }
    }

    pub(crate) fn map<U>(self, map: impl Fn(T) -> U) -> Changed<U> {
        match self {
            Self::Created { new } => Changed::Created { new: map(new) },
            Self::Updated { old, new } => Changed::Updated {
                old: map(old),
                new: map(new),
            },
            Self::Deleted { old } => Changed::Deleted { old: map(old) },
        }
    }
}

/// One thing that an event changed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// A guild. Deleting it also deletes its channels, roles and members, which are not listed.
    Guild(Changed<Arc<Guild>>),
    /// A channel.
    Channel(Changed<Arc<Channel>>),
    /// A member of a guild.
    Member {
        /// The guild.
        guild: GuildId,
        /// The member.
        member: Changed<Arc<Member>>,
    },
    /// A QQ group. Deleting it also deletes its members, which are not listed.
    Group(Changed<Arc<CachedGroup>>),
    /// A member of a QQ group.
    GroupMember {
        /// The group.
        group: GroupOpenid,
        /// The member.
        member: Changed<CachedGroupMember>,
    },
    /// A user of one-to-one chats.
    User(Changed<Arc<CachedUser>>),
    /// A message.
    Message(Changed<CachedMessage>),
}

/// What an event changed, in the order in which it happened. Nothing is listed that stayed the same, and
/// nothing of kinds that are off.
///
/// The usual event changes one thing or nothing, and needs no allocation for saying so.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    first: Option<Change>,
    rest: Vec<Change>,
}

impl Changes {
    /// Whether nothing changed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// The changes in order.
    pub fn iter(&self) -> impl Iterator<Item = &Change> {
        self.first.iter().chain(&self.rest)
    }

    pub(crate) fn push(&mut self, change: Option<Change>) {
        match (change, &mut self.first) {
            (Some(change), first @ None) => *first = Some(change),
            (Some(change), Some(_)) => self.rest.push(change),
            (None, _) => {}
        }
    }
}

impl IntoIterator for Changes {
    type Item = Change;
    type IntoIter = std::iter::Chain<std::option::IntoIter<Change>, std::vec::IntoIter<Change>>;

    fn into_iter(self) -> Self::IntoIter {
        self.first.into_iter().chain(self.rest)
    }
}
