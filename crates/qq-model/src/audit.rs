//! Outcomes of message audits.

use crate::id::{AuditId, ChannelId, GroupOpenid, GuildId, MessageId, UserOpenid};
use crate::timestamp::Timestamp;

object! {
    /// A message was audited: the payload of `MESSAGE_AUDIT_PASS` and `MESSAGE_AUDIT_REJECT`.
    pub struct MessageAudited {
        /// Which audit, as the answer to the send named it.
        pub audit_id: AuditId,
        /// The message; only when it passed.
        pub message_id: Option<MessageId>,
        /// The guild, for guild messages.
        pub guild_id: Option<GuildId>,
        /// The channel, for guild messages.
        pub channel_id: Option<ChannelId>,
        /// The user, for one-to-one messages; seen by one SDK.
        pub user_openid: Option<UserOpenid>,
        /// The group, for group messages; seen by one SDK.
        pub group_openid: Option<GroupOpenid>,
        /// When it was decided.
        pub audit_time: Option<Timestamp>,
        /// When the audit began.
        pub create_time: Option<Timestamp>,
        /// Order inside the channel.
        pub seq_in_channel: Option<Box<str>>,
    }
}
