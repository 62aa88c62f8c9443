//! What a group is, and what the bot is in it.

use crate::id::{GroupOpenid, MemberOpenid};
use crate::message::MemberRole;
use crate::timestamp::Timestamp;

object! {
    /// A group.
    pub struct GroupInfo {
        /// Which group.
        pub group_openid: GroupOpenid,
        /// Its name.
        pub group_name: Box<str>,
        /// Its introduction.
        pub group_finger_memo: Option<Box<str>>,
        /// Its class.
        pub group_class_text: Option<Box<str>>,
        /// Its tags.
        pub group_tags: Vec<Box<str>>,
        /// How many members it has.
        pub group_member_num: u64,
    }

    /// The bot in a group.
    pub struct GroupBotState {
        /// The bot's own id in the group.
        pub member_openid: MemberOpenid,
        /// Since when.
        pub joined_at: Timestamp,
        /// Whether it may send unasked.
        pub allow_proactive_msg: bool,
        /// What it receives.
        pub recv_msg_setting: RecvMsgSetting,
        /// Its role.
        pub member_role: MemberRole,
    }
}

open_enum! {
    /// What a bot receives in a group.
    pub enum RecvMsgSetting: str {
        /// Every message.
        All = "all",
        /// Messages that mention it.
        OnlyMention = "only_mention",
        /// Messages that mention it, with context.
        MentionAndContext = "mention_and_context",
    }
}
