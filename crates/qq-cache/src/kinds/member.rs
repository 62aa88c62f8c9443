//! Members of guilds.

use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

use qq_model::id::{GuildId, UserId};
use qq_model::user::{Member, User};

use super::Visible;
use crate::Cache;
use crate::store::{Kind, Snapshot};
use crate::update::Changed;

pub(crate) struct Members;

impl Kind for Members {
    type Owner = GuildId;
    type Key = UserId;
    type Value = KnownMember;
    const INDEXED: bool = true;
    const SCOPED: bool = true;
}

/// A member, and a hash of what an event said of them last that brought nothing new: events mostly say the same again,
/// and the names and lists of a member, each in a place of its own in memory, need not be looked at for that.
#[derive(Clone)]
pub(crate) struct KnownMember {
    member: Arc<Member>,
    /// `None`: there was none.
    told: Option<u64>,
}

impl KnownMember {
    const fn new(member: Arc<Member>) -> Self {
        Self { member, told: None }
    }
}

impl PartialEq for KnownMember {
    fn eq(&self, other: &Self) -> bool {
        self.member == other.member
    }
}

impl Snapshot for KnownMember {
    fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.member, &other.member)
    }

    fn heap_bytes(&self) -> usize {
        self.member.heap_bytes()
    }
}

impl Visible for Members {
    type Seen = Member;

    fn show<R>(_: &UserId, value: &KnownMember, look: impl FnOnce(&Member) -> R) -> R {
        look(&value.member)
    }
}

impl Cache {
    /// A member of a guild. Its [`user`](Member::user) is always there.
    #[must_use]
    pub fn member(&self, guild: &GuildId, user: &UserId) -> Option<Arc<Member>> {
        let known = self.kinds.members.get(Some(guild), user);
        known.map(|known| known.member)
    }

    /// The cached members of a guild, in no order. Takes time in proportion to their number; not counted as
    /// reads.
    #[must_use]
    pub fn guild_members(&self, guild: &GuildId) -> Vec<Arc<Member>> {
        self.kinds
            .members
            .list(guild)
            .into_iter()
            .map(|(_, known)| known.member)
            .collect()
    }

    /// Keeps a member as a REST call gave it, in place of what was known. A member without its
    /// [`user`](Member::user) is not kept.
    pub fn insert_member(&self, guild: &GuildId, member: Member) -> Option<Changed<Arc<Member>>> {
        let user = member.user.as_ref()?.id.clone();
        if guild.is_empty() || user.is_empty() {
            return None;
        }
        let known = KnownMember::new(Arc::new(member));
        let changed = self.kinds.members.insert(Some(guild), &user, known);
        changed.map(|changed| changed.map(|known| known.member))
    }

    /// Forgets a member of a guild.
    pub fn remove_member(&self, guild: &GuildId, user: &UserId) -> Option<Changed<Arc<Member>>> {
        let removed = self.kinds.members.remove(Some(guild), user);
        removed.map(|removed| removed.map(|known| known.member))
    }

    /// Brings a member up to date with an event: what the event leaves out stays.
    pub(crate) fn merge_member(
        &self,
        guild: &GuildId,
        user: &User,
        event: Option<&Member>,
    ) -> Option<Changed<Arc<Member>>> {
        if guild.is_empty() || user.id.is_empty() {
            return None;
        }
        let (members, owner) = (&self.kinds.members, Some(guild));
        let told = statement(self.kinds.index_hasher.build_hasher(), user, event);
        if told.is_some() && members.confirm(owner, &user.id, |known| known.told == told) {
            return None;
        }
        let changed = members.merge(owner, &user.id, |old| {
            if let Some(old) = old
                && !says_news(&old.member, user, event)
            {
                return Some(old.clone());
            }
            let mut new = old.map_or_else(Member::default, |old| Member::clone(&old.member));
            new.user = Some(merge_user(user, new.user.take()));
            if let Some(event) = event {
                keep_newer(&mut new.nick, &event.nick);
                keep_newer(&mut new.joined_at, &event.joined_at);
                keep_newer(&mut new.deaf, &event.deaf);
                keep_newer(&mut new.mute, &event.mute);
                keep_newer(&mut new.pending, &event.pending);
                // Every member has at least the role of all members: an empty list says nothing.
                if !event.roles.is_empty() {
                    new.roles.clone_from(&event.roles);
                }
            }
            Some(KnownMember::new(Arc::new(new)))
        });
        if changed.is_none() {
            members.amend(owner, &user.id, |known| {
                if !says_news(&known.member, user, event) {
                    known.told = told;
                }
            });
        }
        changed.map(|changed| changed.map(|known| known.member))
    }
}

/// A hash of everything that an event says of a member; `None` where it says more than this version knows.
fn statement(mut hasher: impl Hasher, user: &User, event: Option<&Member>) -> Option<u64> {
    if !user.extra.is_empty() {
        return None;
    }
    (&user.username, user.bot, &user.avatar).hash(&mut hasher);
    (&user.union_openid, &user.union_user_account).hash(&mut hasher);
    (user.public_flags, user.system, user.status).hash(&mut hasher);
    if let Some(event) = event {
        (&event.nick, &event.joined_at, &event.roles).hash(&mut hasher);
        (event.deaf, event.mute, event.pending).hash(&mut hasher);
    }
    Some(hasher.finish())
}

/// Whether an event says anything of a member that is not known. Most messages do not: no copy then.
fn says_news(old: &Member, user: &User, event: Option<&Member>) -> bool {
    fn is_news<T: PartialEq>(new: &Option<T>, old: &Option<T>) -> bool {
        new.is_some() && new != old
    }
    let user_is_news = old.user.as_ref().is_none_or(|old| {
        (!user.username.is_empty() && user.username != old.username)
            || user.bot != old.bot
            || is_news(&user.avatar, &old.avatar)
            || is_news(&user.union_openid, &old.union_openid)
            || is_news(&user.union_user_account, &old.union_user_account)
            || is_news(&user.public_flags, &old.public_flags)
            || is_news(&user.system, &old.system)
            || is_news(&user.status, &old.status)
            || (!user.extra.is_empty() && user.extra != old.extra)
    });
    let member_is_news = event.is_some_and(|event| {
        is_news(&event.nick, &old.nick)
            || is_news(&event.joined_at, &old.joined_at)
            || is_news(&event.deaf, &old.deaf)
            || is_news(&event.mute, &old.mute)
            || is_news(&event.pending, &old.pending)
            || (!event.roles.is_empty() && event.roles != old.roles)
    });
    user_is_news || member_is_news
}

fn merge_user(event: &User, old: Option<User>) -> User {
    let mut new = event.clone();
    if let Some(old) = old {
        if new.username.is_empty() {
            new.username = old.username;
        }
        new.avatar = new.avatar.or(old.avatar);
        new.union_openid = new.union_openid.or(old.union_openid);
        new.union_user_account = new.union_user_account.or(old.union_user_account);
        new.public_flags = new.public_flags.or(old.public_flags);
        new.system = new.system.or(old.system);
        new.status = new.status.or(old.status);
        if new.extra.is_empty() {
            new.extra = old.extra;
        }
    }
    new
}

fn keep_newer<T: Clone>(value: &mut Option<T>, newer: &Option<T>) {
    if newer.is_some() {
        value.clone_from(newer);
    }
}
