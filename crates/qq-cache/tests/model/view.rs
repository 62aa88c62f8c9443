//! What can be seen of the cache, in the terms of the naive one.

use qq_cache::{Cache, Change, Changed};

use crate::naive::{Kind, Report, Value};

fn small<K>(id: &qq_model::id::Id<K>) -> u8 {
    u8::try_from(id.as_u64().unwrap()).unwrap()
}

fn guild(guild: &qq_model::guild::Guild) -> Value {
    (Some(guild.name.to_string()), guild.owner, None)
}

fn channel(channel: &qq_model::channel::Channel) -> Value {
    (Some(channel.name.to_string()), None, None)
}

fn member(member: &qq_model::user::Member) -> Value {
    (member.nick.as_deref().map(Into::into), member.mute, None)
}

fn group(group: &qq_cache::CachedGroup) -> Value {
    (None, group.allow_proactive_msg, None)
}

fn group_member(member: &qq_cache::CachedGroupMember) -> Value {
    let joined = member.joined_at().and_then(|time| time.unix_seconds());
    (member.username().map(Into::into), member.bot(), joined)
}

fn user(user: &qq_cache::CachedUser) -> Value {
    (
        user.username.as_deref().map(Into::into),
        user.allow_proactive_msg,
        None,
    )
}

pub(crate) fn report(change: &Change) -> Report {
    fn sides<T>(
        changed: &Changed<T>,
        value: impl Fn(&T) -> Value,
    ) -> (Option<Value>, Option<Value>) {
        (changed.old().map(&value), changed.new_value().map(&value))
    }
    fn any<T>(changed: &Changed<T>) -> &T {
        changed.new_value().or(changed.old()).unwrap()
    }
    let (kind, owner, key, (old, new)) = match change {
        Change::Guild(c) => (Kind::Guild, 0, small(&any(c).id), sides(c, |v| guild(v))),
        Change::Channel(c) => {
            let owner = small(&any(c).guild_id);
            (
                Kind::Channel,
                owner,
                small(&any(c).id),
                sides(c, |v| channel(v)),
            )
        }
        Change::Member { guild, member: c } => {
            let key = small(&any(c).user.as_ref().unwrap().id);
            (Kind::Member, small(guild), key, sides(c, |v| member(v)))
        }
        Change::Group(c) => (
            Kind::Group,
            0,
            small(&any(c).group_openid),
            sides(c, |v| group(v)),
        ),
        Change::GroupMember { group, member: c } => (
            Kind::GroupMember,
            small(group),
            small(any(c).member_openid()),
            sides(c, group_member),
        ),
        Change::User(c) => (
            Kind::User,
            0,
            small(&any(c).user_openid),
            sides(c, |v| user(v)),
        ),
        other => panic!("{other:?}"),
    };
    (kind, owner, key, old, new)
}

pub(crate) fn read(cache: &Cache, kind: Kind, owner: u8, key: u8) -> Option<Value> {
    let (owner, key) = (u64::from(owner), u64::from(key));
    match kind {
        Kind::Guild => cache.guild(&key.into()).map(|v| guild(&v)),
        Kind::Channel => cache.channel(&key.into()).map(|v| channel(&v)),
        Kind::Member => cache.member(&owner.into(), &key.into()).map(|v| member(&v)),
        Kind::Group => cache.group(&key.into()).map(|v| group(&v)),
        Kind::GroupMember => cache
            .group_member(&owner.into(), &key.into())
            .map(|v| group_member(&v)),
        Kind::User => cache.user(&key.into()).map(|v| user(&v)),
    }
}

pub(crate) fn list(cache: &Cache, kind: Kind, owner: u8) -> Vec<Report> {
    let id = u64::from(owner);
    let entry = |key: u8, value: Value| (kind, owner, key, Some(value), None);
    match kind {
        Kind::Channel => cache
            .guild_channels(&id.into())
            .iter()
            .map(|v| entry(small(&v.id), channel(v)))
            .collect(),
        Kind::Member => cache
            .guild_members(&id.into())
            .iter()
            .map(|v| entry(small(&v.user.as_ref().unwrap().id), member(v)))
            .collect(),
        Kind::GroupMember => cache
            .group_members(&id.into())
            .iter()
            .map(|v| entry(small(v.member_openid()), group_member(v)))
            .collect(),
        Kind::Guild | Kind::Group | Kind::User => vec![],
    }
}
