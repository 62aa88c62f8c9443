//! Users of guild scenes, and the bot itself.

use crate::id::{GuildId, RoleId, UnionOpenid, UserId};
use crate::timestamp::Timestamp;

object! {
    /// A user as guild scenes know them.
    pub struct User {
        /// Who.
        pub id: UserId,
        /// The display name; missing in some events.
        pub username: Box<str>,
        /// The address of the avatar.
        pub avatar: Option<Box<str>>,
        /// Whether it is a bot.
        pub bot: bool,
        /// The id across bots of one owner; only with a grant, only from the single-member call.
        pub union_openid: Option<UnionOpenid>,
        /// A linked account; with the same grant.
        pub union_user_account: Option<Box<str>>,
        /// Seen in samples only.
        pub public_flags: Option<u64>,
        /// Seen in samples only.
        pub system: Option<bool>,
        /// In READY only.
        pub status: Option<i64>,
    }

    /// The bot itself, from `GET /users/@me`.
    pub struct SelfUser {
        /// The bot's id.
        pub id: UserId,
        /// The bot's name.
        pub username: Box<str>,
        /// The address of the avatar.
        pub avatar: Option<Box<str>>,
        /// Documented as `true`, often left out.
        pub bot: Option<bool>,
        /// The id across bots of one owner; with a grant.
        pub union_openid: Option<UnionOpenid>,
        /// A linked account; with a grant, may be empty.
        pub union_user_account: Option<Box<str>>,
        /// The link that shares the bot.
        pub share_url: Option<Box<str>>,
        /// The greeting.
        pub welcome_msg: Option<Box<str>>,
    }

    /// A member of a guild.
    pub struct Member {
        /// Who; left out beside a message, whose `author` says it.
        pub user: Option<User>,
        /// The name in this guild; may be empty.
        pub nick: Option<Box<str>>,
        /// The member's roles.
        pub roles: Vec<RoleId>,
        /// When the member joined.
        pub joined_at: Option<Timestamp>,
        /// Seen in samples only.
        pub deaf: Option<bool>,
        /// Seen in samples only.
        pub mute: Option<bool>,
        /// Seen in samples only.
        pub pending: Option<bool>,
        /// Which guild; in events only.
        pub guild_id: Option<GuildId>,
        /// Who did it; in events only.
        pub op_user_id: Option<UserId>,
    }
}
