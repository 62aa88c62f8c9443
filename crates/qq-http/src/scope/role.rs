//! One role, in its guild and in a channel.

use qq_model::guild::ListGuildMembers;
use qq_model::id::UserId;
use qq_model::permission::{ChannelPermissions, ModifyChannelPermissions};
use qq_model::role::{ListRoleMembers, ModifyRole, RoleMembers, RoleResult};
use qq_model::user::Member;

use super::at::At;
use crate::error::Error;
use crate::request::{self, Call, Paged, Query, QueryCall};
use crate::response::Response;
use crate::route::Route;

/// One role of a guild: [`GuildScope::role`](crate::GuildScope::role).
#[derive(Clone, Debug)]
pub struct GuildRoleScope(pub(super) At);

impl GuildRoleScope {
    /// Changes it; what is not set stays.
    pub fn modify(&self, role: &ModifyRole) -> Call<RoleResult> {
        self.0.write(Route::ModifyGuildRole, role, read_role)
    }

    /// Deletes it.
    pub fn delete(&self) -> Call<()> {
        self.0.act(Route::DeleteGuildRole)
    }

    /// Who has it, 1 per page by default and at most 400; a page may be larger or smaller than asked for.
    pub fn members(&self) -> QueryCall<ListRoleMembers> {
        self.0
            .query(Route::ListGuildRoleMembers, ListRoleMembers::default())
    }
}

/// One role in a channel: [`ChannelScope::role`](crate::ChannelScope::role).
#[derive(Clone, Debug)]
pub struct ChannelRoleScope(pub(super) At);

impl ChannelRoleScope {
    /// What it may do there.
    pub fn permissions(&self) -> Call<ChannelPermissions> {
        self.0.get(Route::GetChannelRolePermissions)
    }

    /// Changes what it may do there.
    pub fn modify_permissions(&self, permissions: &ModifyChannelPermissions) -> Call<()> {
        self.0.put(Route::PutChannelRolePermissions, permissions)
    }
}

pub(super) fn read_role(response: &Response) -> Result<RoleResult, Error> {
    request::having(response, "role_id", |result: &RoleResult| {
        result.role_id.is_empty()
    })
}

impl Query for ListRoleMembers {
    type Answer = RoleMembers;

    fn read(response: &Response) -> Result<RoleMembers, Error> {
        response.json()
    }
}

impl Paged for ListRoleMembers {
    type Item = Member;
    type Key = UserId;

    fn in_large_pages(mut self) -> Self {
        self.limit.get_or_insert(400);
        self
    }

    fn following(&self, page: &RoleMembers) -> Option<Self> {
        Some(self.clone().start_index(page.next_page()?))
    }

    fn entries(page: RoleMembers) -> Vec<Member> {
        page.data
    }

    fn key(member: &Member) -> Option<UserId> {
        ListGuildMembers::key(member)
    }
}

impl QueryCall<ListRoleMembers> {
    /// Goes on where the previous page ended.
    pub fn start_index(self, index: impl Into<Box<str>>) -> Self {
        self.map(|query| query.start_index(index))
    }

    /// How many per page, 1 to 400.
    pub fn limit(self, limit: u32) -> Self {
        self.map(|query| query.limit(limit))
    }
}
