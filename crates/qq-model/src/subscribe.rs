//! Subscriptions to message templates.

use crate::id::{GroupOpenid, UserOpenid};
use crate::timestamp::Timestamp;

object! {
    /// A user or a group changed what the bot may send: the payload of `SUBSCRIBE_MESSAGE_STATUS`.
    pub struct SubscribeMessageStatus {
        /// The group.
        pub group_openid: Option<GroupOpenid>,
        /// The user.
        pub openid: Option<UserOpenid>,
        /// What became of each template.
        pub result: Vec<SubscribeMsgTemplateResult>,
    }

    /// What became of a template.
    pub struct SubscribeMsgTemplateResult {
        /// A template of the platform.
        pub template_id: Option<u64>,
        /// A template of the bot.
        pub custom_template_id: Option<Box<str>>,
        /// Allowed or refused.
        pub op: SubscribeOp,
        /// What sending takes.
        pub subscribe_id: Option<Box<str>>,
        /// When it was subscribed to.
        pub subscribe_ts: Option<Timestamp>,
        /// When it was changed.
        pub update_ts: Option<Timestamp>,
    }
}

open_enum! {
    /// Whether a template may be sent.
    pub enum SubscribeOp: i64 {
        /// It may.
        Allow = 1,
        /// It may not.
        Refuse = 2,
    }
}
