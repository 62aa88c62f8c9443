//! Members of QQ groups, of which there are most: packed.

use qq_model::Timestamp;
use qq_model::group::{GroupMember, LegacyGroupMember};
use qq_model::id::{GroupOpenid, MemberOpenid, UnionOpenid};
use qq_model::message::MemberRole;

use super::Visible;
use crate::Cache;
use crate::packed::{MemberNews, PackedMember};
use crate::store::Kind;
use crate::update::Changed;

/// A member of a QQ group: a copy of 64 bytes, in which a name of up to 22 bytes needs no allocation.
///
/// Members seen in messages have a name and a role, but no [`joined_at`](Self::joined_at).
#[derive(Clone, Debug, PartialEq)]
pub struct CachedGroupMember {
    member_openid: MemberOpenid,
    packed: PackedMember,
}

impl CachedGroupMember {
    /// Who.
    #[must_use]
    pub const fn member_openid(&self) -> &MemberOpenid {
        &self.member_openid
    }

    /// The display name.
    #[must_use]
    pub fn username(&self) -> Option<&str> {
        self.packed.username()
    }

    /// The role; unknown and empty as long as nobody has said it.
    #[must_use]
    pub fn role(&self) -> MemberRole {
        self.packed.role()
    }

    /// Whether it is a bot, where that is known.
    #[must_use]
    pub const fn bot(&self) -> Option<bool> {
        self.packed.bot()
    }

    /// When the member joined.
    #[must_use]
    pub fn joined_at(&self) -> Option<Timestamp> {
        self.packed.joined_at()
    }

    /// The id across bots of one owner.
    #[must_use]
    pub fn union_openid(&self) -> Option<&UnionOpenid> {
        self.packed.union_openid()
    }

    /// The member as the REST call gives it.
    #[must_use]
    pub fn to_group_member(&self) -> GroupMember {
        let mut member = GroupMember::default();
        member.member_openid = self.member_openid.clone();
        member.username = self.username().map(Into::into);
        member.member_role = self.role();
        member.bot = self.bot();
        member.joined_at = self.joined_at();
        member.union_openid = self.union_openid().cloned();
        member.extra = self.packed.extra();
        member
    }

    fn new(member_openid: &MemberOpenid, packed: PackedMember) -> Self {
        Self {
            member_openid: member_openid.clone(),
            packed,
        }
    }
}

impl From<&GroupMember> for CachedGroupMember {
    fn from(member: &GroupMember) -> Self {
        Self::new(&member.member_openid, PackedMember::pack(member))
    }
}

pub(crate) struct GroupMembers;

impl Kind for GroupMembers {
    type Owner = GroupOpenid;
    type Key = MemberOpenid;
    type Value = PackedMember;
    const INDEXED: bool = true;
    const SCOPED: bool = true;
}

impl Visible for GroupMembers {
    type Seen = CachedGroupMember;

    fn show<R>(
        key: &MemberOpenid,
        value: &PackedMember,
        look: impl FnOnce(&CachedGroupMember) -> R,
    ) -> R {
        look(&CachedGroupMember::new(key, value.clone()))
    }
}

impl Cache {
    /// A member of a QQ group.
    #[must_use]
    pub fn group_member(
        &self,
        group: &GroupOpenid,
        member: &MemberOpenid,
    ) -> Option<CachedGroupMember> {
        let packed = self.kinds.group_members.get(Some(group), member)?;
        Some(CachedGroupMember::new(member, packed))
    }

    /// The cached members of a group, in no order. Takes time in proportion to their number; not counted as
    /// reads.
    #[must_use]
    pub fn group_members(&self, group: &GroupOpenid) -> Vec<CachedGroupMember> {
        self.kinds
            .group_members
            .list(group)
            .into_iter()
            .map(|(member_openid, packed)| CachedGroupMember {
                member_openid,
                packed,
            })
            .collect()
    }

    /// Keeps a member as a REST call gave it, in place of what was known.
    pub fn insert_group_member(
        &self,
        group: &GroupOpenid,
        member: &GroupMember,
    ) -> Option<Changed<CachedGroupMember>> {
        self.write_group_member(group, &member.member_openid, |_| PackedMember::pack(member))
    }

    /// Keeps what the older list of members tells: when a member joined.
    pub fn insert_legacy_group_member(
        &self,
        group: &GroupOpenid,
        member: &LegacyGroupMember,
    ) -> Option<Changed<CachedGroupMember>> {
        let news = MemberNews {
            joined_at: member.join_timestamp.as_ref(),
            ..MemberNews::default()
        };
        self.merge_group_member(group, &member.member_openid, &news)
    }

    /// Forgets a member of a group.
    pub fn remove_group_member(
        &self,
        group: &GroupOpenid,
        member: &MemberOpenid,
    ) -> Option<Changed<CachedGroupMember>> {
        self.kinds
            .group_members
            .remove(Some(group), member)
            .map(|changed| changed.map(|packed| CachedGroupMember::new(member, packed)))
    }

    /// Brings a member up to date.
    pub(crate) fn merge_group_member(
        &self,
        group: &GroupOpenid,
        member: &MemberOpenid,
        news: &MemberNews<'_>,
    ) -> Option<Changed<CachedGroupMember>> {
        let members = &self.kinds.group_members;
        if members.confirm(Some(group), member, |known| known.knows(news)) {
            return None;
        }
        self.write_group_member(group, member, |old| {
            old.map_or_else(|| PackedMember::from_news(news), |old| old.with(news))
        })
    }

    fn write_group_member(
        &self,
        group: &GroupOpenid,
        member: &MemberOpenid,
        write: impl Fn(Option<&PackedMember>) -> PackedMember,
    ) -> Option<Changed<CachedGroupMember>> {
        if group.is_empty() || member.is_empty() {
            return None;
        }
        let changed = self
            .kinds
            .group_members
            .merge(Some(group), member, |old| Some(write(old)))?;
        Some(changed.map(|packed| CachedGroupMember::new(member, packed)))
    }
}
