//! The route table: every REST call of the platform that this crate makes, written once.

use std::fmt;

use http::Method;

/// Which of the platform's limits a call counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Quota {
    /// The token endpoint: no published number, too many calls are answered 100001.
    Token,
    /// The gateway's address: 2 per minute, bursts of 10.
    Gateway,
    /// The bot's own account: 50 per second.
    Account,
    /// Messages to one guild channel: 5 per second and channel.
    ChannelMessage,
    /// Guild direct messages: active ones 2 per user and day, 200 per bot and day.
    DirectMessage,
    /// Group messages: 100 per second; active ones 20 per minute and 1000 per day for one group.
    GroupMessage,
    /// One-to-one messages: 100 per second; active ones 20 per minute and 1000 per day for one user.
    C2CMessage,
}

macro_rules! routes {
    ($($(#[$doc:meta])* $route:ident = $id:literal, $method:ident $template:literal, $quota:ident, idempotent: $idempotent:literal;)*) => {
        /// A REST call of the platform.
        ///
        /// ```
        /// use qq_http::Route;
        ///
        /// assert_eq!(Route::SendGroupMessage.to_string(), "POST /v2/groups/{group_openid}/messages");
        /// assert!(!Route::SendGroupMessage.is_idempotent());
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Route {
            $($(#[$doc])* $route,)*
        }

        impl Route {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$route,)*];

            /// The call's name in the platform's data, in snake case.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$route => $id,)* }
            }

            /// The HTTP method.
            #[must_use]
            pub const fn method(self) -> Method {
                match self { $(Self::$route => Method::$method,)* }
            }

            /// The path, with its parameters in braces.
            #[must_use]
            pub const fn template(self) -> &'static str {
                match self { $(Self::$route => $template,)* }
            }

            /// The limit it counts against.
            #[must_use]
            pub const fn quota(self) -> Quota {
                match self { $(Self::$route => Quota::$quota,)* }
            }

            /// Whether making the call twice does no more than making it once.
            #[must_use]
            pub const fn is_idempotent(self) -> bool {
                match self { $(Self::$route => $idempotent,)* }
            }
        }
    };
}

routes! {
    /// Fetches an access token. The only call without an `Authorization` header.
    GetAppAccessToken = "get_app_access_token", POST "/app/getAppAccessToken", Token, idempotent: true;
    /// The gateway's address.
    GetGateway = "get_gateway", GET "/gateway", Gateway, idempotent: true;
    /// The gateway's address with the advice on sharding.
    GetGatewayBot = "get_gateway_bot", GET "/gateway/bot", Gateway, idempotent: true;
    /// The bot itself.
    GetMe = "get_me", GET "/users/@me", Account, idempotent: true;
    /// A message to a guild channel.
    SendChannelMessage = "send_channel_message", POST "/channels/{channel_id}/messages", ChannelMessage, idempotent: false;
    /// A guild direct message.
    SendDmsMessage = "send_dms_message", POST "/dms/{guild_id}/messages", DirectMessage, idempotent: false;
    /// A one-to-one message.
    SendC2CMessage = "send_c2c_message", POST "/v2/users/{user_openid}/messages", C2CMessage, idempotent: false;
    /// A group message.
    SendGroupMessage = "send_group_message", POST "/v2/groups/{group_openid}/messages", GroupMessage, idempotent: false;
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method(), self.template())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_rows_are_the_same_call() {
        let calls: HashSet<String> = Route::ALL.iter().map(ToString::to_string).collect();
        let ids: HashSet<&str> = Route::ALL.iter().map(|route| route.id()).collect();
        assert_eq!(
            (calls.len(), ids.len()),
            (Route::ALL.len(), Route::ALL.len())
        );
    }

    #[test]
    fn only_posts_can_repeat_their_effect() {
        for route in Route::ALL {
            assert!(
                route.is_idempotent() || route.method() == Method::POST,
                "{route}"
            );
        }
    }
}
