//! A member of a QQ group in 40 bytes.

use qq_model::Timestamp;
use qq_model::group;
use qq_model::id::UnionOpenid;
use qq_model::message::MemberRole;
use qq_model::wire::Extra;

use super::PackedText;
use super::moment::{self, Form};
use crate::store::Snapshot;

/// All but the ids of a member, which are the entry's key and owner.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PackedMember {
    name: PackedText,
    rare: Option<Box<Rare>>,
    joined: u32,
    flags: Flags,
}

/// What most members do not have.
#[derive(Clone, Debug, Default, PartialEq)]
struct Rare {
    union_openid: Option<UnionOpenid>,
    more: Option<Box<More>>,
}

/// What hardly any member has.
#[derive(Clone, Debug, Default, PartialEq)]
struct More {
    /// A role that this version does not know.
    role: Option<Box<str>>,
    /// A time in an unusual form.
    joined_at: Option<Timestamp>,
    extra: Extra,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Flags {
    named: bool,
    bot: Option<bool>,
    role: Role,
    joined: Option<Form>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Role {
    Member,
    Admin,
    Owner,
    /// Nobody has said it.
    Absent,
    /// In [`More::role`].
    Other,
}

/// What a source says of a member; what it does not say stays as it was.
#[derive(Clone, Copy, Default)]
pub(crate) struct MemberNews<'a> {
    pub(crate) username: Option<&'a str>,
    pub(crate) role: Option<&'a MemberRole>,
    pub(crate) bot: Option<bool>,
    pub(crate) joined_at: Option<&'a Timestamp>,
    pub(crate) union_openid: Option<&'a UnionOpenid>,
}

impl PackedMember {
    /// A member of whom nothing is known.
    const EMPTY: Self = Self {
        name: PackedText::EMPTY,
        rare: None,
        joined: 0,
        flags: Flags {
            named: false,
            bot: None,
            role: Role::Absent,
            joined: None,
        },
    };

    pub(crate) fn pack(member: &group::GroupMember) -> Self {
        let mut packed = Self::EMPTY.with(&MemberNews {
            username: member.username.as_deref(),
            role: Some(&member.member_role),
            bot: member.bot,
            joined_at: member.joined_at.as_ref(),
            union_openid: member.union_openid.as_ref(),
        });
        if !member.extra.is_empty() {
            packed.more_mut().extra = member.extra.clone();
        }
        packed
    }

    /// A member of whom only this is known.
    pub(crate) fn from_news(news: &MemberNews<'_>) -> Self {
        Self::EMPTY.with(news)
    }

    /// Whether the news are none.
    pub(crate) fn knows(&self, news: &MemberNews<'_>) -> bool {
        news.username
            .is_none_or(|name| self.username() == Some(name))
            && news.role.is_none_or(|role| self.role() == *role)
            && news.bot.is_none_or(|bot| self.bot() == Some(bot))
            && news
                .union_openid
                .is_none_or(|id| self.union_openid() == Some(id))
            && news
                .joined_at
                .is_none_or(|time| self.joined_at().as_ref() == Some(time))
    }

    /// This member with the news.
    pub(crate) fn with(&self, news: &MemberNews<'_>) -> Self {
        let mut new = self.clone();
        if let Some(name) = news.username {
            new.name = PackedText::new(name);
            new.flags.named = true;
        }
        if let Some(role) = news.role {
            new.set_role(role);
        }
        if news.bot.is_some() {
            new.flags.bot = news.bot;
        }
        if let Some(time) = news.joined_at {
            new.set_joined_at(time);
        }
        if let Some(union_openid) = news.union_openid
            && self.union_openid() != Some(union_openid)
        {
            new.rare.get_or_insert_default().union_openid = Some(union_openid.clone());
        }
        new
    }

    fn set_role(&mut self, role: &MemberRole) {
        if self.role() == *role {
            return;
        }
        if self.flags.role == Role::Other {
            self.more_mut().role = None;
        }
        self.flags.role = match role {
            MemberRole::Member => Role::Member,
            MemberRole::Admin => Role::Admin,
            MemberRole::Owner => Role::Owner,
            other if other.as_str().is_empty() => Role::Absent,
            other => {
                self.more_mut().role = Some(other.as_str().into());
                Role::Other
            }
        };
    }

    fn set_joined_at(&mut self, time: &Timestamp) {
        let packed = moment::pack(time);
        self.joined = packed.map_or(0, |(_, seconds)| seconds);
        self.flags.joined = packed.map(|(form, _)| form);
        let odd = packed.is_none().then(|| time.clone());
        if odd.is_some() || self.more().is_some() {
            self.more_mut().joined_at = odd;
        }
    }

    fn more_mut(&mut self) -> &mut More {
        self.rare
            .get_or_insert_default()
            .more
            .get_or_insert_default()
    }

    pub(crate) fn username(&self) -> Option<&str> {
        self.flags.named.then(|| self.name.as_str())
    }

    pub(crate) fn role(&self) -> MemberRole {
        match self.flags.role {
            Role::Member => MemberRole::Member,
            Role::Admin => MemberRole::Admin,
            Role::Owner => MemberRole::Owner,
            Role::Absent => MemberRole::default(),
            Role::Other => MemberRole::from(
                self.more()
                    .and_then(|more| more.role.as_deref())
                    .unwrap_or_default(),
            ),
        }
    }

    pub(crate) const fn bot(&self) -> Option<bool> {
        self.flags.bot
    }

    pub(crate) fn joined_at(&self) -> Option<Timestamp> {
        match self.flags.joined {
            Some(form) => Some(moment::unpack(form, self.joined)),
            None => self.more()?.joined_at.clone(),
        }
    }

    pub(crate) fn union_openid(&self) -> Option<&UnionOpenid> {
        self.rare.as_ref()?.union_openid.as_ref()
    }

    pub(crate) fn extra(&self) -> Extra {
        self.more()
            .map(|more| more.extra.clone())
            .unwrap_or_default()
    }

    fn more(&self) -> Option<&More> {
        self.rare.as_ref()?.more.as_deref()
    }
}

impl Snapshot for PackedMember {
    fn same(&self, other: &Self) -> bool {
        self == other
    }

    fn heap_bytes(&self) -> usize {
        let rare = self.rare.as_ref().map_or(0, |rare| {
            size_of::<Rare>() + rare.more.as_ref().map_or(0, |_| size_of::<More>())
        });
        self.name.heap_bytes() + rare
    }
}

const _: () = assert!(size_of::<PackedMember>() == 40);

#[cfg(test)]
mod tests {
    use super::*;

    fn roundtrip(json: &str) {
        let member: group::GroupMember = serde_json::from_str(json).unwrap();
        let packed = PackedMember::pack(&member);
        assert_eq!(packed.username(), member.username.as_deref(), "{json}");
        assert_eq!(packed.role(), member.member_role, "{json}");
        assert_eq!(packed.bot(), member.bot, "{json}");
        assert_eq!(packed.joined_at(), member.joined_at, "{json}");
        assert_eq!(
            packed.union_openid(),
            member.union_openid.as_ref(),
            "{json}"
        );
        assert_eq!(packed.extra(), member.extra, "{json}");
    }

    #[test]
    fn nothing_is_lost() {
        for json in [
            "{}",
            r#"{"username":"","member_role":"member","bot":false}"#,
            r#"{"username":"小明","member_role":"owner","bot":true,"joined_at":"2026-05-23T10:00:00+08:00"}"#,
            r#"{"username":"a name of more than twenty-two bytes","member_role":"admin","joined_at":1779501600}"#,
            r#"{"member_role":"elder","joined_at":"yesterday","union_openid":"AB","new":{"a":1}}"#,
            r#"{"union_openid":"C9F778FE6ADF9D1D1DBE395BF744A33A"}"#,
        ] {
            roundtrip(json);
        }
    }

    #[test]
    fn news_change_only_what_they_say() {
        let member: group::GroupMember = serde_json::from_str(
            r#"{"username":"a","member_role":"elder","bot":false,"joined_at":"soon","union_openid":"U"}"#,
        )
        .unwrap();
        let old = PackedMember::pack(&member);
        assert_eq!(old.with(&MemberNews::default()), old);
        assert!(old.knows(&MemberNews::default()));
        let time = Timestamp::from_unix_seconds(5);
        let union_openid = "V".into();
        let news = MemberNews {
            username: Some("b"),
            role: Some(&MemberRole::Admin),
            bot: Some(true),
            joined_at: Some(&time),
            union_openid: Some(&union_openid),
        };
        let new = old.with(&news);
        assert!(new.knows(&news));
        for one in 0..5 {
            let news = MemberNews {
                username: news.username.filter(|_| one == 0),
                role: news.role.filter(|_| one == 1),
                bot: news.bot.filter(|_| one == 2),
                joined_at: news.joined_at.filter(|_| one == 3),
                union_openid: news.union_openid.filter(|_| one == 4),
            };
            assert!(!old.knows(&news), "{one}");
        }
        assert_eq!(new.username(), Some("b"));
        assert_eq!(new.role(), MemberRole::Admin);
        assert_eq!(new.bot(), Some(true));
        assert_eq!(new.joined_at(), Some(time));
        assert_eq!(new.union_openid(), Some(&"V".into()));
    }

    #[test]
    fn an_ordinary_member_owns_nothing_on_the_heap() {
        let member = serde_json::from_str(
            r#"{"username":"王小明的小号","member_role":"member","joined_at":"2026-05-23T10:00:00+08:00"}"#,
        )
        .unwrap();
        assert_eq!(PackedMember::pack(&member).heap_bytes(), 0);
    }
}
