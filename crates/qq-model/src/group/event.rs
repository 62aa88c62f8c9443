//! What happens to groups and to the bot in them.

use crate::id::{GroupOpenid, MemberOpenid, UserOpenid};
use crate::timestamp::Timestamp;

object! {
    /// The bot was added to or removed from a group, or its unasked messages were switched on or off: the
    /// payload of `GROUP_ADD_ROBOT`, `GROUP_DEL_ROBOT`, `GROUP_MSG_RECEIVE` and `GROUP_MSG_REJECT`.
    pub struct GroupRobotEvent {
        /// When.
        pub timestamp: Timestamp,
        /// Which group.
        pub group_openid: GroupOpenid,
        /// Who did it.
        pub op_member_openid: MemberOpenid,
    }

    /// A member joined or left: the payload of `GROUP_MEMBER_ADD` and `GROUP_MEMBER_REMOVE`. Leaving and being
    /// removed look the same.
    pub struct GroupMemberEvent {
        /// When.
        pub timestamp: Timestamp,
        /// Which group.
        pub group_openid: GroupOpenid,
        /// Who.
        pub member_openid: MemberOpenid,
        /// The same user in one-to-one chats; often absent.
        pub user_openid: Option<UserOpenid>,
        /// Who did it; known from one SDK only.
        pub op_member_openid: Option<MemberOpenid>,
    }
}
