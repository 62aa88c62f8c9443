//! What an update changed.

use std::fmt;
use std::sync::{Arc, OnceLock};

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
    /// A value was written in place of another one, or of none.
    pub(crate) fn new(old: Option<T>, new: T) -> Self {
        match old {
            Some(old) => Self::Updated { old, new },
            None => Self::Created { new },
        }
    }

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
/// The usual event brings a message or changes nothing, and needs no allocation for saying so.
#[derive(Clone, Default)]
pub struct Changes {
    list: Vec<Change>,
    /// A message that was created, after all else.
    message: Option<CachedMessage>,
    /// The same, once somebody looks.
    shown: OnceLock<Box<Change>>,
}

impl Changes {
    /// Whether nothing changed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.list.is_empty() && self.message.is_none()
    }

    /// The changes in order.
    pub fn iter(&self) -> impl Iterator<Item = &Change> {
        let message = self.message.as_ref().map(|message| {
            let shown = self
                .shown
                .get_or_init(|| Box::new(created(message.clone())));
            &**shown
        });
        self.list.iter().chain(message)
    }

    pub(crate) fn push(&mut self, change: Option<Change>) {
        self.list.extend(change);
    }

    /// Takes note of what became of the message of an event, which is the last change.
    pub(crate) fn end_with(&mut self, message: Option<Changed<CachedMessage>>) {
        match message {
            Some(Changed::Created { new }) => self.message = Some(new),
            other => self.list.extend(other.map(Change::Message)),
        }
    }
}

const fn created(message: CachedMessage) -> Change {
    Change::Message(Changed::Created { new: message })
}

impl PartialEq for Changes {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl IntoIterator for Changes {
    type Item = Change;
    type IntoIter = std::iter::Chain<std::vec::IntoIter<Change>, std::option::IntoIter<Change>>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter().chain(self.message.map(created))
    }
}
