//! Guilds, and who joins and leaves them.

use crate::channel::Channel;
use crate::id::{GuildId, RoleId, UserId};
use crate::request::RequestBody;
use crate::timestamp::Timestamp;
use crate::user::User;

object! {
    /// A guild, from REST and in `GUILD_*` events.
    ///
    /// Events leave out `owner`, and some of them `joined_at` and `op_user_id`. READY brings no guilds.
    pub struct Guild {
        /// Which guild.
        pub id: GuildId,
        /// Its name.
        pub name: Box<str>,
        /// The address of its icon; the form is not fixed.
        pub icon: Option<Box<str>>,
        /// The owner.
        pub owner_id: UserId,
        /// Whether this bot owns it; absent in events.
        pub owner: Option<bool>,
        /// When the bot joined; absent in some update events.
        pub joined_at: Option<Timestamp>,
        /// How many members it has.
        pub member_count: Option<u64>,
        /// How many members it may have.
        pub max_members: Option<u64>,
        /// What it is about.
        pub description: Option<Box<str>>,
        /// Who did it; in events only.
        pub op_user_id: Option<UserId>,
        /// Its channels; known from SDKs only.
        pub channels: Vec<Channel>,
        /// A linked game world; known from SDKs only.
        pub union_world_id: Option<Box<str>>,
        /// A linked game organisation; known from SDKs only.
        pub union_org_id: Option<Box<str>>,
    }

    /// A member joined, changed or left: the payload of `GUILD_MEMBER_*`.
    ///
    /// The platform warns that `joined_at` and `roles` are not in their final form here.
    pub struct GuildMemberEvent {
        /// Which guild.
        pub guild_id: GuildId,
        /// The member.
        pub user: User,
        /// The name in this guild; often empty.
        pub nick: Option<Box<str>>,
        /// The member's roles.
        pub roles: Vec<RoleId>,
        /// When the member joined.
        pub joined_at: Option<Timestamp>,
        /// Who did it.
        pub op_user_id: Option<UserId>,
    }

    /// The body of removing a member. Private-domain bots that are administrators only; administrators cannot
    /// be removed.
    pub struct RemoveMember {
        /// Whether to ban the member as well.
        pub add_blacklist: Option<bool>,
        /// Whose messages to recall, by age; nothing by default.
        pub delete_history_msg_days: Option<DeleteHistoryMsgDays>,
    }

    /// The query of the bot's guilds.
    pub struct ListMyGuilds {
        /// Guilds before this one; the server reverses first and pages after.
        pub before: Option<GuildId>,
        /// Guilds after this one; ignored when `before` is there.
        pub after: Option<GuildId>,
        /// How many, at most and by default 100.
        pub limit: Option<u32>,
    }

    /// The query of a guild's members.
    pub struct ListGuildMembers {
        /// The last member of the previous page.
        pub after: Option<UserId>,
        /// How many, 1 to 400; 1 by default.
        pub limit: Option<u32>,
    }
}

open_enum! {
    /// Which messages of a removed member are recalled.
    pub enum DeleteHistoryMsgDays: i64 {
        /// All of them.
        All = -1,
        /// None.
        None = 0,
        /// Those of 3 days.
        Days3 = 3,
        /// Those of 7 days.
        Days7 = 7,
        /// Those of 15 days.
        Days15 = 15,
        /// Those of 30 days.
        Days30 = 30,
    }
}

setters! { RemoveMember {
    /// Bans the member as well.
    add_blacklist: bool,
    /// Recalls the member's messages of so many days.
    delete_history_msg_days: DeleteHistoryMsgDays,
}}

setters! { ListMyGuilds {
    /// Pages backwards from this guild.
    before: GuildId,
    /// Pages forwards from this guild.
    after: GuildId,
    /// How many, at most 100.
    limit: u32,
}}

setters! { ListGuildMembers {
    /// Goes on after this member.
    after: UserId,
    /// How many, 1 to 400.
    limit: u32,
}}

impl RequestBody for RemoveMember {}
