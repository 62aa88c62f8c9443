//! What a client leads to: guilds, menu, panels, interactions, rules, links.

use qq_model::dms::{CreateDirectMessageSession, DirectMessageSession};
use qq_model::guild::{Guild, ListMyGuilds};
use qq_model::id::{GuildId, InteractionId, UserId};
use qq_model::panel::{ListPanels, PanelScope};
use qq_model::share_link::GenerateUrlLink;

use super::at::At;
use super::{
    GuildScope, InteractionScope, JoinApprovalStrategies, JoinApprovalStrategyScope, MenuScope,
    PanelIdScope, Panels, WebhookSessions,
};
use crate::client::HttpClient;
use crate::error::Error;
use crate::request::{self, Call, Paged, Query, QueryCall};
use crate::response::Response;
use crate::route::Route;

impl HttpClient {
    /// The guilds that the bot is in, at most and by default 100 per page.
    pub fn guilds(&self) -> QueryCall<ListMyGuilds> {
        At::root(self).query(Route::ListMyGuilds, ListMyGuilds::default())
    }

    /// A guild.
    pub fn guild(&self, guild: impl Into<GuildId>) -> GuildScope {
        GuildScope(At::new(self, &guild.into()))
    }

    /// Opens a direct conversation with a member of a guild. Its `guild_id` is what
    /// [`direct`](Self::direct) takes.
    pub fn create_direct(
        &self,
        recipient: impl Into<UserId>,
        source_guild: impl Into<GuildId>,
    ) -> Call<DirectMessageSession> {
        let body = CreateDirectMessageSession::new(recipient, source_guild);
        At::root(self).write(Route::CreateDms, &body, |response| {
            request::having(response, "guild_id", |session: &DirectMessageSession| {
                session.guild_id.is_empty()
            })
        })
    }

    /// An interaction, by its own id: not the outer id of the event.
    pub fn interaction(&self, interaction: impl Into<InteractionId>) -> InteractionScope {
        InteractionScope(At::new(self, &interaction.into()))
    }

    /// The menu below one-to-one chats.
    #[must_use]
    pub fn menu(&self) -> MenuScope {
        MenuScope(At::root(self))
    }

    /// The panels above the input box.
    #[must_use]
    pub fn panels(&self) -> Panels {
        Panels(At::root(self))
    }

    /// The panels of one kind of chat.
    pub fn panels_of(&self, scope: PanelScope) -> QueryCall<ListPanels> {
        self.panels().list(scope)
    }

    /// A panel.
    #[must_use]
    pub fn panel(&self, panel_id: &str) -> PanelIdScope {
        PanelIdScope(At::root(self).and_text(panel_id))
    }

    /// A link that leads people to the bot; its address.
    pub fn share_link(&self, link: &GenerateUrlLink) -> Call<Box<str>> {
        At::root(self).write(Route::GenerateUrlLink, link, request::share_link)
    }

    /// The rules that approve requests to join groups.
    #[must_use]
    pub fn join_approval_strategies(&self) -> JoinApprovalStrategies {
        JoinApprovalStrategies(At::root(self))
    }

    /// A rule that approves requests to join groups.
    #[must_use]
    pub fn join_approval_strategy(&self, strategy_id: &str) -> JoinApprovalStrategyScope {
        JoinApprovalStrategyScope(At::root(self).and_text(strategy_id))
    }

    /// The webhook sessions that came before the console's callback address. Legacy; known from SDKs only.
    #[must_use]
    pub fn webhook_sessions(&self) -> WebhookSessions {
        WebhookSessions(At::root(self))
    }
}

impl Query for ListMyGuilds {
    type Answer = Vec<Guild>;

    fn read(response: &Response) -> Result<Vec<Guild>, Error> {
        request::list(response)
    }
}

/// Pages end with one that is not full.
impl Paged for ListMyGuilds {
    type Item = Guild;
    type Key = GuildId;

    fn in_large_pages(mut self) -> Self {
        self.limit.get_or_insert(100);
        self
    }

    fn following(&self, page: &Vec<Guild>) -> Option<Self> {
        let is_full = self
            .limit
            .is_none_or(|limit| usize::try_from(limit).is_ok_and(|limit| page.len() >= limit));
        let last = page.last().filter(|_| is_full)?.id.clone();
        let mut next = self.clone();
        if next.before.is_some() {
            next.before = Some(last);
        } else {
            next.after = Some(last);
        }
        Some(next)
    }

    fn entries(page: Vec<Guild>) -> Vec<Guild> {
        page
    }

    fn key(guild: &Guild) -> Option<GuildId> {
        Some(guild.id.clone()).filter(|id| !id.is_empty())
    }
}

impl QueryCall<ListMyGuilds> {
    /// Pages backwards from this guild; the platform ignores [`after`](Self::after) then.
    pub fn before(self, guild: impl Into<GuildId>) -> Self {
        self.map(|query| query.before(guild))
    }

    /// Pages forwards from this guild.
    pub fn after(self, guild: impl Into<GuildId>) -> Self {
        self.map(|query| query.after(guild))
    }

    /// How many per page, at most 100.
    pub fn limit(self, limit: u32) -> Self {
        self.map(|query| query.limit(limit))
    }
}
