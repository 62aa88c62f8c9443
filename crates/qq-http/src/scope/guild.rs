//! One guild.

use qq_model::announce::{Announces, CreateAnnounce};
use qq_model::api_permission::{
    ApiPermission, ApiPermissionDemand, ApiPermissions, CreateApiPermissionDemand,
};
use qq_model::channel::{Channel, CreateChannel};
use qq_model::guild::{Guild, ListGuildMembers};
use qq_model::id::{MessageId, RoleId, UserId};
use qq_model::message_setting::MessageSetting;
use qq_model::mute::{Mute, MuteMembers, MuteResult};
use qq_model::role::{CreateRole, GuildRoles, RoleResult};
use qq_model::user::Member;

use super::at::At;
use super::role::read_role;
use super::{GuildMemberScope, GuildRoleScope};
use crate::error::Error;
use crate::request::{self, Call, Paged, Query, QueryCall};
use crate::response::Response;
use crate::route::Route;

/// One guild: [`HttpClient::guild`](crate::HttpClient::guild).
#[derive(Clone, Debug)]
pub struct GuildScope(pub(super) At);

impl GuildScope {
    /// The guild itself.
    pub fn get(&self) -> Call<Guild> {
        self.0.read(Route::GetGuild, |response| {
            request::having(response, "id", |guild: &Guild| guild.id.is_empty())
        })
    }

    /// Its channels.
    pub fn channels(&self) -> Call<Vec<Channel>> {
        self.0.list(Route::ListGuildChannels)
    }

    /// Makes a channel. Private-domain bots that are administrators only.
    pub fn create_channel(&self, channel: &CreateChannel) -> Call<Channel> {
        self.0
            .write(Route::CreateGuildChannel, channel, read_channel)
    }

    /// Its members, 1 per page by default and at most 400.
    ///
    /// ```no_run
    /// # async fn run(http: qq_http::HttpClient) -> Result<(), qq_http::Error> {
    /// let first = http.guild(1234).members().limit(400).await?;
    /// let mut all = http.guild(1234).members().items();
    /// while let Some(member) = all.next().await {
    ///     println!("{:?}", member?.nick);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn members(&self) -> QueryCall<ListGuildMembers> {
        self.0
            .query(Route::ListGuildMembers, ListGuildMembers::default())
    }

    /// One of its members.
    pub fn member(&self, user: impl Into<UserId>) -> GuildMemberScope {
        GuildMemberScope(self.0.and(user.into()))
    }

    /// Its roles, and how many it may have.
    pub fn roles(&self) -> Call<GuildRoles> {
        self.0.get(Route::ListGuildRoles)
    }

    /// Makes a role.
    pub fn create_role(&self, role: &CreateRole) -> Call<RoleResult> {
        self.0.write(Route::CreateGuildRole, role, read_role)
    }

    /// One of its roles.
    pub fn role(&self, role: impl Into<RoleId>) -> GuildRoleScope {
        GuildRoleScope(self.0.and(role.into()))
    }

    /// Mutes everyone who is no administrator, or lifts it.
    pub fn mute(&self, mute: &Mute) -> Call<()> {
        self.0.put(Route::MuteGuild, mute)
    }

    /// Mutes several members, or lifts it. Answers whom it reached.
    pub fn mute_members(&self, mute: &MuteMembers) -> Call<MuteResult> {
        self.0.write(Route::MuteGuildMembers, mute, request::json)
    }

    /// Its announcements.
    #[must_use]
    pub fn announces(&self) -> GuildAnnounces {
        GuildAnnounces(self.0.clone())
    }

    /// The calls, and which of them the guild grants to the bot.
    pub fn api_permissions(&self) -> Call<Vec<ApiPermission>> {
        self.0.read(Route::GetApiPermission, |response| {
            response.json().map(|answer: ApiPermissions| answer.apis)
        })
    }

    /// Asks the administrators for a call, with a card: at most 3 per day.
    pub fn demand_api_permission(
        &self,
        demand: &CreateApiPermissionDemand,
    ) -> Call<ApiPermissionDemand> {
        self.0
            .write(Route::PostApiPermissionDemand, demand, request::json)
    }

    /// How often the bot may speak unasked.
    pub fn message_setting(&self) -> Call<MessageSetting> {
        self.0.get(Route::GetGuildMessageSetting)
    }
}

/// The announcements of one guild: [`GuildScope::announces`]. The platform lists none.
#[derive(Clone, Debug)]
pub struct GuildAnnounces(At);

impl GuildAnnounces {
    /// Announces a message, or recommends channels: the two kinds replace each other.
    pub fn create(&self, announce: &CreateAnnounce) -> Call<Announces> {
        self.0
            .write(Route::CreateGuildAnnounce, announce, request::json)
    }

    /// Takes the announcement of this message back.
    pub fn delete(&self, message: impl Into<MessageId>) -> Call<()> {
        self.0.and(message.into()).act(Route::DeleteGuildAnnounce)
    }

    /// Takes back whatever is announced or recommended.
    pub fn clear(&self) -> Call<()> {
        self.0.and_text("all").act(Route::DeleteGuildAnnounce)
    }
}

pub(super) fn read_channel(response: &Response) -> Result<Channel, Error> {
    request::having(response, "id", |channel: &Channel| channel.id.is_empty())
}

impl Query for ListGuildMembers {
    type Answer = Vec<Member>;

    fn read(response: &Response) -> Result<Vec<Member>, Error> {
        request::list(response)
    }
}

/// Pages end with an empty one: any other may hold fewer than asked for.
impl Paged for ListGuildMembers {
    type Item = Member;
    type Key = UserId;

    fn in_large_pages(mut self) -> Self {
        self.limit.get_or_insert(400);
        self
    }

    fn following(&self, page: &Vec<Member>) -> Option<Self> {
        let last = Self::key(page.last()?)?;
        Some(self.clone().after(last))
    }

    fn entries(page: Vec<Member>) -> Vec<Member> {
        page
    }

    fn key(member: &Member) -> Option<UserId> {
        let id = &member.user.as_ref()?.id;
        Some(id.clone()).filter(|id| !id.is_empty())
    }
}

impl QueryCall<ListGuildMembers> {
    /// Goes on after this member.
    pub fn after(self, user: impl Into<UserId>) -> Self {
        self.map(|query| query.after(user))
    }

    /// How many per page, 1 to 400.
    pub fn limit(self, limit: u32) -> Self {
        self.map(|query| query.limit(limit))
    }
}
