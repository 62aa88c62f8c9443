//! Which calls a guild grants to the bot.

use crate::id::{ChannelId, GuildId};
use crate::request::{BodyError, RequestBody, has_id, not_blank};

object! {
    /// The calls, and which of them are granted.
    pub struct ApiPermissions {
        /// The calls.
        pub apis: Vec<ApiPermission>,
    }

    /// A call, and whether it is granted.
    pub struct ApiPermission {
        /// The path, with its parameters in braces.
        pub path: Box<str>,
        /// The HTTP method.
        pub method: Box<str>,
        /// What it is called.
        pub desc: Option<Box<str>>,
        /// 1 granted, 0 not; see [`is_granted`](Self::is_granted).
        pub auth_status: i64,
    }

    /// Which call.
    pub struct ApiPermissionDemandIdentify {
        /// The path, with its parameters in braces.
        pub path: Box<str>,
        /// The HTTP method.
        pub method: Box<str>,
    }

    /// A request for a call that was posted.
    pub struct ApiPermissionDemand {
        /// The guild.
        pub guild_id: GuildId,
        /// The channel with the card.
        pub channel_id: ChannelId,
        /// The call.
        pub api_identify: ApiPermissionDemandIdentify,
        /// The card's title.
        pub title: Box<str>,
        /// The card's text.
        pub desc: Box<str>,
    }

    /// The body of asking a guild's administrators for a call, with a card. Three times per guild and day.
    pub struct CreateApiPermissionDemand {
        /// Where the card goes.
        pub channel_id: ChannelId,
        /// The call.
        pub api_identify: ApiPermissionDemandIdentify,
        /// What the bot will be able to do.
        pub desc: Option<Box<str>>,
    }
}

impl ApiPermission {
    /// Whether the guild grants the call.
    #[must_use]
    pub const fn is_granted(&self) -> bool {
        self.auth_status == 1
    }
}

impl CreateApiPermissionDemand {
    /// A card in this channel for the call with this method and path template.
    #[must_use]
    pub fn new(
        channel: impl Into<ChannelId>,
        method: impl Into<Box<str>>,
        path: impl Into<Box<str>>,
    ) -> Self {
        let api_identify = ApiPermissionDemandIdentify {
            path: path.into(),
            method: method.into(),
            ..ApiPermissionDemandIdentify::default()
        };
        Self {
            channel_id: channel.into(),
            api_identify,
            ..Self::default()
        }
    }
}

setters! { CreateApiPermissionDemand {
    /// What the bot will be able to do.
    desc: Box<str>,
}}

impl RequestBody for CreateApiPermissionDemand {
    fn validate(&self) -> Result<(), BodyError> {
        has_id("channel_id", &self.channel_id)?;
        not_blank("api_identify.path", &self.api_identify.path)?;
        not_blank("api_identify.method", &self.api_identify.method)
    }
}
