//! QQ groups and their members.

use std::sync::Arc;

use qq_cache::{CachedGroup, CachedGroupMember};
use qq_http::Sent;
use qq_model::group::{GroupBotState, GroupMember};
use qq_model::id::{GroupOpenid, MemberOpenid};
use qq_model::message::Conversation;
use qq_model::outgoing::MessageBody;

use super::{cache, define_manager};
use crate::BotError;
use crate::shared::Shared;

define_manager! {
    /// QQ groups and their members, from the cache and by REST. The platform has no list of the bot's groups.
    GroupManager
}

impl GroupManager {
    /// A group, if it is in the cache.
    #[must_use]
    pub fn get(&self, group: impl Into<GroupOpenid>) -> Option<Arc<CachedGroup>> {
        cache(&self.shared).group(&group.into())
    }

    /// A group with its name and description, as the platform has them now. Only invited bots may ask.
    ///
    /// # Errors
    ///
    /// What the platform or the network said.
    pub async fn fetch(&self, group: impl Into<GroupOpenid>) -> Result<Arc<CachedGroup>, BotError> {
        fetch(Arc::clone(&self.shared), group.into()).await
    }

    /// A group with its name and description: from the cache if they are there, else from the platform, asked once
    /// for all who ask at the same time.
    ///
    /// # Errors
    ///
    /// What the platform or the network said, now or within
    /// [`remember_missing`](crate::ClientBuilder::remember_missing).
    pub async fn resolve(
        &self,
        group: impl Into<GroupOpenid>,
    ) -> Result<Arc<CachedGroup>, BotError> {
        let group = group.into();
        // Events only say that the bot is in the group.
        if let Some(known) = cache(&self.shared).group(&group)
            && known.info.is_some()
        {
            return Ok(known);
        }
        let shared = Arc::clone(&self.shared);
        let flights = &self.shared.knowledge.flights.groups;
        flights
            .resolve(group.clone(), || fetch(shared, group))
            .await
    }

    /// What the bot may do in a group. Only invited bots may ask.
    ///
    /// # Errors
    ///
    /// What the platform or the network said.
    pub async fn fetch_bot_state(
        &self,
        group: impl Into<GroupOpenid>,
    ) -> Result<GroupBotState, BotError> {
        let group = group.into();
        let state = self
            .shared
            .access
            .api
            .group(group.clone())
            .bot_state()
            .await?;
        cache(&self.shared).insert_group_bot_state(&group, state.clone());
        Ok(state)
    }

    /// A member of a group, if it is in the cache.
    #[must_use]
    pub fn get_member(
        &self,
        group: impl Into<GroupOpenid>,
        member: impl Into<MemberOpenid>,
    ) -> Option<CachedGroupMember> {
        cache(&self.shared).group_member(&group.into(), &member.into())
    }

    /// A member of a group, as the platform has it now. Only invited bots may ask.
    ///
    /// # Errors
    ///
    /// What the platform or the network said.
    pub async fn fetch_member(
        &self,
        group: impl Into<GroupOpenid>,
        member: impl Into<MemberOpenid>,
    ) -> Result<CachedGroupMember, BotError> {
        let (shared, group, member) = (Arc::clone(&self.shared), group.into(), member.into());
        let member = fetch_member(shared, group, member).await?;
        Ok(CachedGroupMember::from(&*member))
    }

    /// A member of a group from the cache, else from the platform, asked once for all who ask at the same time.
    ///
    /// Members seen in messages are in the cache with name and role, and without the time at which they joined.
    ///
    /// # Errors
    ///
    /// What the platform or the network said, now or within
    /// [`remember_missing`](crate::ClientBuilder::remember_missing).
    pub async fn resolve_member(
        &self,
        group: impl Into<GroupOpenid>,
        member: impl Into<MemberOpenid>,
    ) -> Result<CachedGroupMember, BotError> {
        let (group, member) = (group.into(), member.into());
        if let Some(known) = cache(&self.shared).group_member(&group, &member) {
            return Ok(known);
        }
        let shared = Arc::clone(&self.shared);
        let flights = &self.shared.knowledge.flights.group_members;
        let member = flights
            .resolve((group.clone(), member.clone()), || {
                fetch_member(shared, group, member)
            })
            .await?;
        Ok(CachedGroupMember::from(&*member))
    }

    /// All members of a group, page by page. Only invited bots may ask.
    ///
    /// # Errors
    ///
    /// What the platform or the network said. The pages before the failure are in the cache.
    pub async fn fetch_members(
        &self,
        group: impl Into<GroupOpenid>,
    ) -> Result<Vec<GroupMember>, BotError> {
        let group = group.into();
        let mut pages = self
            .shared
            .access
            .api
            .group(group.clone())
            .members()
            .pages();
        let mut members = Vec::new();
        while let Some(page) = pages.next().await {
            for member in page? {
                cache(&self.shared).insert_group_member(&group, &member);
                members.push(member);
            }
        }
        Ok(members)
    }

    /// Sends a message to a group, answering nothing. The platform counts such messages narrowly; an answer is
    /// [`Context::reply`](crate::Context::reply).
    ///
    /// # Errors
    ///
    /// What the platform or the network said.
    pub async fn send(
        &self,
        group: impl Into<GroupOpenid>,
        body: impl Into<MessageBody>,
    ) -> Result<Sent, BotError> {
        let conversation = Conversation::Group(group.into());
        super::send(&self.shared, &conversation, body.into()).await
    }
}

async fn fetch(shared: Arc<Shared>, group: GroupOpenid) -> Result<Arc<CachedGroup>, BotError> {
    let mut info = shared.access.api.group(group.clone()).info().await?;
    if info.group_openid.is_empty() {
        info.group_openid = group.clone();
    }
    cache(&shared).insert_group_info(info.clone());
    // The cache may know more of the group; without a cache this is all.
    Ok(cache(&shared).group(&group).unwrap_or_else(|| {
        let mut fetched = CachedGroup::default();
        fetched.group_openid = group;
        fetched.info = Some(info);
        Arc::new(fetched)
    }))
}

async fn fetch_member(
    shared: Arc<Shared>,
    group: GroupOpenid,
    member: MemberOpenid,
) -> Result<Arc<GroupMember>, BotError> {
    let call = shared
        .access
        .api
        .group(group.clone())
        .member(member.clone())
        .get();
    let mut fetched = call.await?;
    if fetched.member_openid.is_empty() {
        fetched.member_openid = member;
    }
    cache(&shared).insert_group_member(&group, &fetched);
    Ok(Arc::new(fetched))
}
