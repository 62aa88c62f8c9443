//! Users of one-to-one chats.

use std::sync::Arc;

use qq_model::id::{UnionOpenid, UserOpenid};

use super::Visible;
use super::weigh::Weigh;
use crate::Cache;
use crate::store::Kind;
use crate::update::Changed;

/// What is known of a user of one-to-one chats. There is no REST call that tells more.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct CachedUser {
    /// Who.
    pub user_openid: UserOpenid,
    /// The display name; one-to-one messages often leave it out.
    pub username: Option<Box<str>>,
    /// The id across bots of one owner.
    pub union_openid: Option<UnionOpenid>,
    /// Whether the user lets the bot send unasked, by the latest event that said so.
    pub allow_proactive_msg: Option<bool>,
}

impl Weigh for CachedUser {
    fn owned_bytes(&self) -> usize {
        self.username.owned_bytes()
    }
}

pub(crate) struct Users;

impl Kind for Users {
    type Owner = ();
    type Key = UserOpenid;
    type Value = Arc<CachedUser>;
    const INDEXED: bool = false;
    const SCOPED: bool = false;
}

impl Visible for Users {
    type Seen = CachedUser;

    fn show<R>(_: &UserOpenid, value: &Arc<CachedUser>, look: impl FnOnce(&CachedUser) -> R) -> R {
        look(value)
    }
}

/// What an event says of a user; what it does not say stays as it was.
#[derive(Clone, Copy, Default)]
pub(crate) struct UserNews<'a> {
    pub(crate) username: Option<&'a str>,
    pub(crate) union_openid: Option<&'a UnionOpenid>,
    pub(crate) allow_proactive_msg: Option<bool>,
}

impl UserNews<'_> {
    fn is_known_of(&self, user: &CachedUser) -> bool {
        self.username
            .is_none_or(|name| user.username.as_deref() == Some(name))
            && self
                .union_openid
                .is_none_or(|id| user.union_openid.as_ref() == Some(id))
            && self
                .allow_proactive_msg
                .is_none_or(|allow| user.allow_proactive_msg == Some(allow))
    }

    fn tell(&self, user: &mut CachedUser) {
        if let Some(name) = self.username {
            user.username = Some(name.into());
        }
        if let Some(id) = self.union_openid {
            user.union_openid = Some(id.clone());
        }
        if self.allow_proactive_msg.is_some() {
            user.allow_proactive_msg = self.allow_proactive_msg;
        }
    }
}

impl Cache {
    /// A user of one-to-one chats.
    #[must_use]
    pub fn user(&self, user: &UserOpenid) -> Option<Arc<CachedUser>> {
        self.kinds.users.get(None, user)
    }

    /// Keeps a user, in place of what was known.
    pub fn insert_user(&self, user: CachedUser) -> Option<Changed<Arc<CachedUser>>> {
        if user.user_openid.is_empty() {
            return None;
        }
        let id = user.user_openid.clone();
        self.kinds.users.insert(None, &id, Arc::new(user))
    }

    /// Forgets a user.
    pub fn remove_user(&self, user: &UserOpenid) -> Option<Changed<Arc<CachedUser>>> {
        self.kinds.users.remove(None, user)
    }

    /// Brings a user up to date.
    pub(crate) fn merge_user(
        &self,
        user: &UserOpenid,
        news: &UserNews<'_>,
    ) -> Option<Changed<Arc<CachedUser>>> {
        if user.is_empty() {
            return None;
        }
        if self
            .kinds
            .users
            .confirm(None, user, |known| news.is_known_of(known))
        {
            return None;
        }
        self.kinds.users.merge(None, user, |old| {
            let mut new = old.map_or_else(CachedUser::default, |old| CachedUser::clone(old));
            new.user_openid = user.clone();
            news.tell(&mut new);
            Some(Arc::new(new))
        })
    }
}
