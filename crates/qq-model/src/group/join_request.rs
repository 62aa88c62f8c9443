//! Requests to join a group.

use crate::id::{GroupOpenid, MemberOpenid, UnionOpenid};
use crate::request::{BodyError, RequestBody};
use crate::timestamp::Timestamp;

object! {
    /// Somebody asks to join.
    pub struct JoinRequest {
        /// What approving takes; opaque, some 160 characters.
        pub join_request_id: Box<str>,
        /// A warning of the platform.
        pub risk_tips: Option<Box<str>>,
        /// The id across bots of one owner.
        pub union_openid: Option<UnionOpenid>,
        /// Who.
        pub member_openid: MemberOpenid,
        /// The display name.
        pub username: Option<Box<str>>,
        /// When.
        pub apply_at: Timestamp,
        /// By themselves or invited.
        pub apply_source: ApplySource,
        /// Who invited them.
        pub invited_by: Option<MemberOpenid>,
        /// Whether it is a bot.
        pub bot: Option<bool>,
        /// What they answered; absent for invitations.
        pub verify_info: Option<Box<VerifyInfo>>,
    }

    /// A page of requests.
    pub struct JoinRequestList {
        /// The requests.
        pub list: Vec<JoinRequest>,
        /// What the next page takes; empty at the end.
        pub next_cursor: Option<Box<str>>,
    }

    /// The query of a group's requests.
    pub struct ListJoinRequests {
        /// `next_cursor` of the previous page.
        pub cursor: Option<Box<str>>,
        /// How many, at most 50, 20 by default.
        pub limit: Option<u32>,
    }

    /// What somebody who asks to join answered.
    pub struct VerifyInfo {
        /// What was asked.
        pub method: VerifyMethod,
        /// Their message.
        pub verify_message: Option<Box<str>>,
        /// Their answers.
        pub review_qa_list: Vec<ReviewQa>,
    }

    /// A question with its answer.
    pub struct ReviewQa {
        /// The question.
        pub question: Box<str>,
        /// The answer.
        pub answer: Box<str>,
    }

    /// Somebody asks to join a group: the payload of `GROUP_JOIN_REQUEST`. Empty members are left out.
    pub struct GroupJoinRequestEvent {
        /// Which group.
        pub group_openid: GroupOpenid,
        /// What approving takes; opaque, some 160 characters.
        pub join_request_id: Box<str>,
        /// A warning of the platform.
        pub risk_tips: Option<Box<str>>,
        /// The id across bots of one owner.
        pub union_openid: Option<UnionOpenid>,
        /// Who.
        pub member_openid: MemberOpenid,
        /// The display name.
        pub username: Option<Box<str>>,
        /// When.
        pub apply_at: Timestamp,
        /// By themselves or invited.
        pub apply_source: ApplySource,
        /// Who invited them.
        pub invited_by: Option<MemberOpenid>,
        /// Whether it is a bot.
        pub bot: Option<bool>,
        /// What they answered; absent for invitations.
        pub verify_info: Option<Box<VerifyInfo>>,
        /// Set when a rule has approved the request: it needs no answer any more.
        pub auto_approved: Option<AutoApproved>,
    }

    /// The rule that approved a request.
    pub struct AutoApproved {
        /// Which rule.
        pub strategy_id: Box<str>,
    }

    /// The body of answering a request. Made by [`ApproveJoinRequest::approve`] or
    /// [`ApproveJoinRequest::decline`]: only a refusal has a reason.
    pub struct ApproveJoinRequest {
        /// The answer.
        pub(crate) op: JoinRequestOp,
        /// Which request.
        pub(crate) join_request_id: Option<Box<str>>,
        /// Why it is refused.
        pub(crate) reject_reason: Option<Box<str>>,
        /// Whether to ban the applicant as well.
        pub(crate) add_to_member_blacklist: Option<bool>,
    }
}

open_enum! {
    /// How somebody came to ask.
    pub enum ApplySource: str {
        /// By themselves.
        SelfApply = "self_apply",
        /// Invited.
        Invited = "invited",
    }

    /// What somebody who asks is asked.
    pub enum VerifyMethod: str {
        /// For a message.
        VerifyMessage = "verify_message",
        /// Questions.
        AdminReviewQa = "admin_review_qa",
    }

    /// The answer to a request.
    pub enum JoinRequestOp: str {
        /// Let in.
        Approve = "approve",
        /// Refused.
        Decline = "decline",
    }
}

setters! { ListJoinRequests {
    /// Goes on where the previous page ended.
    cursor: Box<str>,
    /// How many, at most 50.
    limit: u32,
}}

impl GroupJoinRequestEvent {
    /// Whether somebody has to answer.
    #[must_use]
    pub const fn wants_answer(&self) -> bool {
        self.auto_approved.is_none()
    }
}

impl ApproveJoinRequest {
    /// Lets the applicant in.
    #[must_use]
    pub fn approve() -> Self {
        Self {
            op: JoinRequestOp::Approve,
            ..Self::default()
        }
    }

    /// Refuses, for this reason.
    #[must_use]
    pub fn decline(reason: impl Into<Option<Box<str>>>) -> Self {
        Self {
            op: JoinRequestOp::Decline,
            reject_reason: reason.into(),
            ..Self::default()
        }
    }

    /// Refuses, for this reason, and bans the applicant.
    #[must_use]
    pub fn ban(reason: impl Into<Option<Box<str>>>) -> Self {
        Self {
            add_to_member_blacklist: Some(true),
            ..Self::decline(reason)
        }
    }

    /// The answer.
    #[must_use]
    pub const fn op(&self) -> &JoinRequestOp {
        &self.op
    }
}

setters! { ApproveJoinRequest {
    /// Which request, if the applicant has several.
    join_request_id: Box<str>,
}}

impl RequestBody for ApproveJoinRequest {
    fn validate(&self) -> Result<(), BodyError> {
        if self.op != JoinRequestOp::Decline
            && (self.reject_reason.is_some() || self.add_to_member_blacklist == Some(true))
        {
            return Err(BodyError::new(
                "reject_reason or add_to_member_blacklist",
                "goes with a refusal only",
            ));
        }
        Ok(())
    }
}
