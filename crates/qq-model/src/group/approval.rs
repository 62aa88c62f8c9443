//! Rules that approve requests to join by themselves.

use super::ListOp;
use crate::id::GroupOpenid;
use crate::request::{BodyError, RequestBody, max_chars, max_len, not_empty};
use crate::timestamp::Timestamp;
use crate::wire::Patch;

/// How many groups one call may name.
pub const MAX_STRATEGY_GROUPS: usize = 100;
/// How many QQ numbers one call may name; a rule holds 100,000 in all.
pub const MAX_WHITELIST: usize = 10_000;
const MAX_REMARK: usize = 255;

object! {
    /// A rule that approves requests.
    pub struct JoinApprovalStrategy {
        /// Which rule.
        pub strategy_id: Box<str>,
        /// Its groups.
        pub group_openids: Vec<GroupOpenid>,
        /// Its groups by their real numbers, which the platform masks.
        pub group_ids: Vec<Box<str>>,
        /// About how many users it lets in.
        pub whitelist_user_count: u64,
        /// Whether it is switched on.
        pub is_enable: OnOff,
        /// Until when.
        pub expire_at: Timestamp,
        /// When it was made.
        pub created_at: Timestamp,
        /// When it was changed.
        pub updated_at: Timestamp,
        /// A note.
        pub remark: Option<Box<str>>,
    }

    /// A page of rules.
    pub struct JoinApprovalStrategyPage {
        /// The rules, the newest first.
        pub strategies: Vec<JoinApprovalStrategy>,
        /// What the next page takes; empty at the end.
        pub next_cursor: Option<Box<str>>,
    }

    /// The query of the rules.
    pub struct ListJoinApprovalStrategies {
        /// `next_cursor` of the previous page.
        pub cursor: Option<Box<str>>,
        /// How many, at most 50, 20 by default.
        pub limit: Option<u32>,
    }

    /// A rule that was made or changed.
    pub struct JoinApprovalStrategyResult {
        /// Which rule; only when it was made.
        pub strategy_id: Option<Box<str>>,
        /// Whether it is switched on.
        pub is_enable: OnOff,
        /// Until when.
        pub expire_at: Timestamp,
    }

    /// The body of making a rule. Made by [`CreateJoinApprovalStrategy::groups`] or
    /// [`CreateJoinApprovalStrategy::group_numbers`]: exactly one kind of group ids.
    pub struct CreateJoinApprovalStrategy {
        /// Its groups.
        pub(crate) group_openids: Vec<GroupOpenid>,
        /// Its groups by their real numbers.
        pub(crate) group_ids: Vec<u64>,
        /// Whether it is switched on; it is by default.
        pub is_enable: Option<OnOff>,
        /// Until when; for a year by default.
        pub expire_at: Option<Timestamp>,
        /// A note, at most 255 characters.
        pub remark: Option<Box<str>>,
    }

    /// The body of changing a rule: what is not set stays.
    pub struct ModifyJoinApprovalStrategy {
        /// Whether it is switched on.
        pub is_enable: Patch<OnOff>,
        /// Until when.
        pub expire_at: Patch<Timestamp>,
        /// Groups to add or to take out, by the kind of ids that the rule was made with.
        pub group_action: Patch<GroupAction>,
        /// A note, at most 255 characters.
        pub remark: Patch<Box<str>>,
    }

    /// Groups to add to a rule or to take out of it. Made by [`GroupAction::groups`] or
    /// [`GroupAction::group_numbers`].
    pub struct GroupAction {
        /// Add or take out.
        pub(crate) op: ListOp,
        /// The groups.
        pub(crate) group_openids: Vec<GroupOpenid>,
        /// The groups by their real numbers.
        pub(crate) group_ids: Vec<u64>,
    }

    /// The body of changing whom a rule lets in.
    pub struct ModifyWhitelist {
        /// Add or take out.
        pub op: ListOp,
        /// QQ numbers, at most [`MAX_WHITELIST`].
        pub whitelist_users: Vec<Box<str>>,
    }

    /// What came of it.
    pub struct WhitelistResult {
        /// Which rule.
        pub strategy_id: Box<str>,
        /// About how many users it lets in.
        pub whitelist_user_count: u64,
        /// When it was changed.
        pub updated_at: Timestamp,
    }
}

open_enum! {
    /// A switch; the wire has no boolean here.
    pub enum OnOff: str {
        /// On.
        On = "on",
        /// Off.
        Off = "off",
    }
}

impl From<bool> for OnOff {
    fn from(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}

setters! { ListJoinApprovalStrategies {
    /// Goes on where the previous page ended.
    cursor: Box<str>,
    /// How many, at most 50.
    limit: u32,
}}

impl CreateJoinApprovalStrategy {
    /// A rule for these groups.
    #[must_use]
    pub fn groups(groups: impl IntoIterator<Item = impl Into<GroupOpenid>>) -> Self {
        Self {
            group_openids: groups.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// A rule for the groups with these real numbers.
    #[must_use]
    pub fn group_numbers(numbers: impl IntoIterator<Item = u64>) -> Self {
        Self {
            group_ids: numbers.into_iter().collect(),
            ..Self::default()
        }
    }
}

setters! { CreateJoinApprovalStrategy {
    /// Switches it on or off.
    is_enable: OnOff,
    /// Until when.
    expire_at: Timestamp,
    /// A note, at most 255 characters.
    remark: Box<str>,
}}

setters! { ModifyJoinApprovalStrategy {
    /// Switches it on or off.
    is_enable: OnOff,
    /// Until when.
    expire_at: Timestamp,
    /// Adds groups or takes them out.
    group_action: GroupAction,
    /// A note, at most 255 characters.
    remark: Box<str>,
}}

impl GroupAction {
    /// Adds or takes out these groups.
    #[must_use]
    pub fn groups(op: ListOp, groups: impl IntoIterator<Item = impl Into<GroupOpenid>>) -> Self {
        Self {
            op,
            group_openids: groups.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// Adds or takes out the groups with these real numbers.
    #[must_use]
    pub fn group_numbers(op: ListOp, numbers: impl IntoIterator<Item = u64>) -> Self {
        Self {
            op,
            group_ids: numbers.into_iter().collect(),
            ..Self::default()
        }
    }
}

impl ModifyWhitelist {
    /// Adds or takes out these QQ numbers.
    #[must_use]
    pub fn new(op: ListOp, users: impl IntoIterator<Item = impl Into<Box<str>>>) -> Self {
        Self {
            op,
            whitelist_users: users.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }
}

impl RequestBody for CreateJoinApprovalStrategy {
    fn validate(&self) -> Result<(), BodyError> {
        one_kind_of_ids(&self.group_openids, &self.group_ids)?;
        max_chars(
            "remark",
            self.remark.as_deref().unwrap_or_default(),
            MAX_REMARK,
        )
    }
}

impl RequestBody for ModifyJoinApprovalStrategy {
    fn validate(&self) -> Result<(), BodyError> {
        if let Some(action) = self.group_action.value() {
            one_kind_of_ids(&action.group_openids, &action.group_ids)?;
        }
        let remark = self.remark.value().map(|remark| &**remark);
        max_chars("remark", remark.unwrap_or_default(), MAX_REMARK)
    }
}

impl RequestBody for ModifyWhitelist {
    fn validate(&self) -> Result<(), BodyError> {
        not_empty("whitelist_users", &self.whitelist_users)?;
        max_len("whitelist_users", &self.whitelist_users, MAX_WHITELIST)
    }
}

fn one_kind_of_ids(openids: &[GroupOpenid], numbers: &[u64]) -> Result<(), BodyError> {
    if openids.is_empty() == numbers.is_empty() {
        return Err(BodyError::new(
            "group_openids or group_ids",
            "must be there, and not both",
        ));
    }
    max_len("group_openids", openids, MAX_STRATEGY_GROUPS)?;
    max_len("group_ids", numbers, MAX_STRATEGY_GROUPS)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn groups_are_named_in_one_way() {
        CreateJoinApprovalStrategy::group_numbers([1])
            .validate()
            .unwrap();
        assert!(CreateJoinApprovalStrategy::default().validate().is_err());
        let many = CreateJoinApprovalStrategy::group_numbers(0..101);
        assert_eq!(many.validate().unwrap_err().field(), "group_ids");
    }

    #[test]
    fn a_switch_is_a_text() {
        let body = ModifyJoinApprovalStrategy::default().is_enable(false);
        assert_eq!(json!(body), json!({"is_enable": "off"}));
    }
}
