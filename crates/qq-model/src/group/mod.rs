//! QQ groups: what they are, who is in them, who wants to be, who may speak.
//!
//! The calls of this module need a grant, and most of them a bot that is administrator of the group.

pub(crate) mod approval;
pub(crate) mod blacklist;
pub(crate) mod event;
pub(crate) mod info;
pub(crate) mod join_request;
pub(crate) mod member;
pub(crate) mod restrict_chat;

pub use self::approval::{
    CreateJoinApprovalStrategy, GroupAction, JoinApprovalStrategy, JoinApprovalStrategyPage,
    JoinApprovalStrategyResult, ListJoinApprovalStrategies, MAX_STRATEGY_GROUPS, MAX_WHITELIST,
    ModifyJoinApprovalStrategy, ModifyWhitelist, OnOff, WhitelistResult,
};
pub use self::blacklist::{
    BlacklistPage, BlacklistResult, BlacklistUser, ListBlacklist, ModifyBlacklist,
};
pub use self::event::{GroupMemberEvent, GroupRobotEvent};
pub use self::info::{GroupBotState, GroupInfo, RecvMsgSetting};
pub use self::join_request::{
    ApplySource, ApproveJoinRequest, AutoApproved, GroupJoinRequestEvent, JoinRequest,
    JoinRequestList, JoinRequestOp, ListJoinRequests, ReviewQa, VerifyInfo, VerifyMethod,
};
pub use self::member::{
    BatchRemoveMembers, BatchRemoveResult, GroupMember, GroupMemberList, LegacyGroupMember,
    LegacyGroupMemberList, ListGroupMembers, ListGroupMembersLegacy, ListOp, MAX_MEMBERS_PER_CALL,
};
pub use self::restrict_chat::{
    GlobalMuteRule, GroupMuteMode, MemberMuteState, MuteOp, MuteRecurringRule, MuteScheduleRule,
    RestrictChatSetting, SetMemberMuteState, SetRestrictChat,
};
