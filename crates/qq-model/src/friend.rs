//! Who adds the bot, removes it, and switches its messages on and off.

use crate::id::{UnionOpenid, UserOpenid};
use crate::timestamp::Timestamp;

object! {
    /// A user added the bot: the payload of `FRIEND_ADD`. It may be answered through its event id.
    pub struct FriendAddEvent {
        /// When.
        pub timestamp: Timestamp,
        /// Who.
        pub openid: UserOpenid,
        /// How they found the bot.
        pub scene: Option<FriendAddScene>,
        /// `callback_data` of the share link that they followed.
        pub scene_param: Option<Box<str>>,
        /// The user's other id.
        pub author: Option<FriendAuthor>,
        /// The code of the share link.
        pub short_code: Option<Box<str>>,
        /// The display name; seldom there.
        pub nick: Option<Box<str>>,
        /// The address of the avatar; seldom there.
        pub avatar: Option<Box<str>>,
    }

    /// A user removed the bot: the payload of `FRIEND_DEL`.
    pub struct FriendDelEvent {
        /// When.
        pub timestamp: Timestamp,
        /// Who.
        pub openid: UserOpenid,
        /// The user's other id.
        pub author: Option<FriendAuthor>,
    }

    /// A user's id across bots.
    pub struct FriendAuthor {
        /// The id across bots of one owner.
        pub union_openid: Option<UnionOpenid>,
    }

    /// A user switched unasked messages of the bot on or off: the payload of `C2C_MSG_RECEIVE` and
    /// `C2C_MSG_REJECT`.
    pub struct UserSwitchEvent {
        /// When.
        pub timestamp: Timestamp,
        /// Who.
        pub openid: UserOpenid,
    }

    /// A user opened the chat with the bot: the payload of `ENTER_AIO`. Known from the Go SDK only.
    pub struct EnterAioEvent {
        /// Who.
        pub user_openid: Option<UserOpenid>,
        /// Where they came from.
        pub from_source: Option<Box<str>>,
    }
}

open_enum! {
    /// How a user found the bot.
    pub enum FriendAddScene: i64 {
        /// Not told.
        Default = 1000,
        /// By search.
        SearchAll = 1001,
        /// By search among bots.
        SearchBot = 1002,
        /// In a group.
        Group = 1003,
        /// In a user's space.
        Qzone = 1004,
        /// By a profile shared inside QQ.
        ShareInside = 2001,
        /// By a profile shared outside QQ.
        ShareOutside = 2002,
        /// By a share link inside QQ.
        LinkInside = 2003,
        /// By a share link outside QQ.
        LinkOutside = 2004,
    }
}
