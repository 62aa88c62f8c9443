//! QQ groups.

use std::sync::Arc;

use qq_model::group::{GroupBotState, GroupInfo};
use qq_model::id::GroupOpenid;

use super::Visible;
use super::weigh::Weigh;
use crate::Cache;
use crate::store::Kind;
use crate::update::Changed;

/// What is known of a QQ group that the bot is in.
///
/// Events only say that the bot is there and whether it may send unasked; the rest comes from REST calls.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct CachedGroup {
    /// Which group.
    pub group_openid: GroupOpenid,
    /// Its name and description, once a REST call has told them.
    pub info: Option<GroupInfo>,
    /// The bot in the group, once a REST call has told it.
    pub bot: Option<GroupBotState>,
    /// Whether the bot may send unasked, by the latest event or REST call that said so.
    pub allow_proactive_msg: Option<bool>,
}

impl CachedGroup {
    fn new(group: &GroupOpenid) -> Self {
        Self {
            group_openid: group.clone(),
            ..Self::default()
        }
    }
}

impl Weigh for CachedGroup {
    fn owned_bytes(&self) -> usize {
        self.info.as_ref().map_or(0, |info| {
            info.group_name.owned_bytes()
                + info.group_finger_memo.owned_bytes()
                + info.group_class_text.owned_bytes()
                + info.group_tags.owned_bytes()
        })
    }
}

pub(crate) struct Groups;

impl Kind for Groups {
    type Owner = ();
    type Key = GroupOpenid;
    type Value = Arc<CachedGroup>;
    const INDEXED: bool = false;
    const SCOPED: bool = false;
}

impl Visible for Groups {
    type Seen = CachedGroup;

    fn show<R>(
        _: &GroupOpenid,
        value: &Arc<CachedGroup>,
        look: impl FnOnce(&CachedGroup) -> R,
    ) -> R {
        look(value)
    }
}

impl Cache {
    /// A QQ group.
    #[must_use]
    pub fn group(&self, group: &GroupOpenid) -> Option<Arc<CachedGroup>> {
        self.kinds.groups.get(None, group)
    }

    /// Keeps what a REST call told of a group.
    pub fn insert_group_info(&self, info: GroupInfo) -> Option<Changed<Arc<CachedGroup>>> {
        let group = info.group_openid.clone();
        self.change_group(&group, move |group| group.info = Some(info.clone()))
    }

    /// Keeps what a REST call told of the bot in a group.
    pub fn insert_group_bot_state(
        &self,
        group: &GroupOpenid,
        state: GroupBotState,
    ) -> Option<Changed<Arc<CachedGroup>>> {
        self.change_group(group, move |group| {
            group.allow_proactive_msg = Some(state.allow_proactive_msg);
            group.bot = Some(state.clone());
        })
    }

    /// Forgets a group with its members.
    pub fn remove_group(&self, group: &GroupOpenid) -> Option<Changed<Arc<CachedGroup>>> {
        self.kinds.group_members.remove_owned(group);
        self.kinds.groups.remove(None, group)
    }

    /// Notes that the bot is in a group, and what an event says of it.
    pub(crate) fn change_group(
        &self,
        group: &GroupOpenid,
        change: impl Fn(&mut CachedGroup),
    ) -> Option<Changed<Arc<CachedGroup>>> {
        if group.is_empty() {
            return None;
        }
        self.kinds.groups.merge(None, group, |old| {
            let mut new =
                old.map_or_else(|| CachedGroup::new(group), |old| CachedGroup::clone(old));
            change(&mut new);
            Some(Arc::new(new))
        })
    }

    /// Notes that the bot is in a group.
    pub(crate) fn see_group(&self, group: &GroupOpenid) -> Option<Changed<Arc<CachedGroup>>> {
        if group.is_empty() {
            return None;
        }
        if self.kinds.groups.confirm(None, group, |_| true) {
            return None;
        }
        self.kinds.groups.merge(None, group, |old| {
            Some(old.map_or_else(|| Arc::new(CachedGroup::new(group)), Arc::clone))
        })
    }
}
