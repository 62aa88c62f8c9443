//! What keeps a bot from working, and what to do about it.

use std::error::Error;
use std::fmt;

use qq_gateway::{ShardError, ShardErrorKind};
use qq_http::ErrorKind;

/// In which language the doctor speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Simplified Chinese.
    Chinese,
}

impl Language {
    /// The language of this process by `LC_ALL`, `LC_MESSAGES` or `LANG`: Chinese if it begins with `zh`.
    #[must_use]
    pub fn from_env() -> Self {
        let set = |variable| {
            std::env::var(variable)
                .ok()
                .filter(|value| !value.is_empty())
        };
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set);
        match locale {
            Some(locale) if locale.to_ascii_lowercase().starts_with("zh") => Self::Chinese,
            _ => Self::English,
        }
    }

    pub(super) const fn pick<T: Copy>(self, english: T, chinese: T) -> T {
        match self {
            Self::English => english,
            Self::Chinese => chinese,
        }
    }
}

macro_rules! causes {
    ($($(#[$doc:meta])* $name:ident [$($code:literal),*]
        $english:literal $next:literal
        $chinese:literal $next_chinese:literal;)*) => {
        /// What keeps a bot from working.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Cause {
            $($(#[$doc])* $name,)*
        }

        impl Cause {
            /// Every cause.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The codes that the platform gives for it: of REST calls, of closed connections, and of the console's
            /// check of a webhook.
            #[must_use]
            pub const fn codes(self) -> &'static [i64] {
                match self {
                    $(Self::$name => &[$($code),*],)*
                }
            }

            /// What is wrong, in a sentence.
            #[must_use]
            pub const fn text(self, language: Language) -> &'static str {
                match self {
                    $(Self::$name => language.pick($english, $chinese),)*
                }
            }

            /// What to do about it.
            #[must_use]
            pub const fn next_step(self, language: Language) -> &'static str {
                match self {
                    $(Self::$name => language.pick($next, $next_chinese),)*
                }
            }
        }
    };
}

causes! {
    /// The credentials are missing or malformed.
    Credentials []
        "The app id or the secret is missing or malformed."
        "Copy both from the console (Development settings) into QQ_BOT_APP_ID and QQ_BOT_SECRET: the app id is a number, the secret has neither quotes nor spaces."
        "AppID 或 AppSecret 缺失，或格式不对。"
        "在开放平台控制台的“开发设置”里复制这两项，写入环境变量 QQ_BOT_APP_ID 和 QQ_BOT_SECRET：AppID 是数字，AppSecret 不带引号和空格。";
    /// No such app id, or its bot is gone.
    AppId [100007, 11251, 11261, 11275]
        "The platform does not know this app id, or its bot was banned or deleted."
        "Compare QQ_BOT_APP_ID with the console; if it is right, look there at the state of the bot."
        "平台不认识这个 AppID，或者该机器人已被封禁或删除。"
        "核对 QQ_BOT_APP_ID 与控制台是否一致；一致的话，到控制台查看机器人的状态。";
    /// The secret is wrong.
    Secret [100016]
        "The app id and the secret do not belong together."
        "Copy the secret from the console again; if somebody has reset it there, only the new one works."
        "AppID 与 AppSecret 不匹配。"
        "到控制台重新复制 AppSecret；如果有人重置过，只有新的那个有效。";
    /// Access tokens were asked for too often.
    TokenRate [100001]
        "Access tokens were asked for too often."
        "Wait a minute. If it comes back, look for a second program with this app id that restarts again and again."
        "获取 access_token 太频繁。"
        "等一分钟再试。如果反复出现，检查是否有另一个使用同一 AppID 的程序在不断重启。";
    /// The address of this machine is not on the allow list.
    SourceAddress [11298, 40_023_002]
        "The public address of this machine is not on the bot's IP allow list."
        "Add this machine's outgoing public address in the console (Development settings, IP allow list); the platform's message names the address that it saw. Behind a proxy or a changing address, use a fixed one."
        "本机的公网出口 IP 不在机器人的 IP 白名单里。"
        "到控制台“开发设置”的“IP 白名单”里加入本机的公网出口 IP，平台返回的消息里写有它看到的 IP。如果用代理或 IP 会变，请换成固定出口。";
    /// Calls with the old kind of token.
    OldToken [11245]
        "The call was made with the old, fixed token (Bot appid.token), which the platform has closed."
        "Use app id and secret: access tokens are then fetched and renewed by themselves. Remove the old token from the settings."
        "请求使用了旧的固定 Token（Bot appid.token），平台已停用这种方式。"
        "改用 AppID 和 AppSecret，access_token 会自动获取和续期；请从配置中删掉旧 Token。";
    /// The access token was refused.
    AccessToken [4004, 11241, 11243, 11244]
        "The platform refused the access token."
        "Usually another one helps, which is fetched by itself. If it stays so, correct the clock of this machine, and see that base address and app id belong to the same platform."
        "平台拒绝了 access_token。"
        "通常会自动换一个。如果一直这样，请校准本机时间，并确认接口地址与 AppID 属于同一个平台。";
    /// The bot has no privilege for a call.
    Privilege [11253, 11254, 11703]
        "The bot lacks the privilege for this call."
        "Apply for it in the console (Features, permissions). Some calls are for invited or private bots only; do without them until the grant is there."
        "机器人没有调用该接口的权限。"
        "到控制台的“功能/权限”里申请。部分接口只对受邀或私域机器人开放，获得授权之前请不要调用。";
    /// An undefined intent was asked for.
    UndefinedIntents [4013]
        "The intents have bits that the platform does not define."
        "Build them with the names of Intents instead of numbers."
        "intents 里有平台没有定义的位。"
        "请用 Intents 提供的名字来组合，不要直接写数字。";
    /// An intent was asked for that was not granted.
    RefusedIntents [4014, 4903]
        "The bot asked for events that it was not granted."
        "Ask for fewer intents, or apply for them in the console. All messages of guilds and forums are for private bots; groups and one-to-one chats must be switched on for the bot."
        "机器人订阅了没有权限的事件。"
        "减少 intents，或到控制台申请对应的事件。频道全量消息和论坛事件只给私域机器人；群聊和单聊需要先在控制台为机器人开通。";
    /// The bot is not published.
    Offline [4914]
        "The bot was taken down or is not published: only the sandbox lets it connect."
        "Publish the bot in the console, or run it against the sandbox until then."
        "机器人已下架或尚未上线，只能连接沙箱环境。"
        "到控制台上线机器人；上线之前请连接沙箱环境。";
    /// The bot was banned.
    Banned [4915, 11265, 11700]
        "The bot was banned or cancelled."
        "Look for the reason in the console's messages, and appeal there. Trying again is of no use."
        "机器人已被封禁或注销。"
        "到控制台的消息里查看原因并申诉，反复重试没有用。";
    /// A close code that nobody documents.
    RefusedConnection [4924]
        "The gateway refused the connection with a code that the platform does not document; it was seen when the IP allow list did not have the machine's address."
        "Check the IP allow list in the console first, then the state of the bot. If both are right, ask the platform's support."
        "网关以一个没有文档的代码拒绝了连接；已知它会在 IP 白名单没有本机地址时出现。"
        "先检查控制台的 IP 白名单，再检查机器人的状态；都没有问题就联系平台客服。";
    /// The console could not reach the webhook.
    WebhookUnreachable [10020]
        "The console's check could not reach the webhook address."
        "It must be https with a valid certificate and its whole chain, on port 80, 443, 8080 or 8443, reachable from the public network. Look whether the request shows in the proxy's log; some tunnels are refused."
        "控制台校验时访问不到回调地址。"
        "回调地址必须是 https，证书有效且证书链完整，端口为 80、443、8080 或 8443，并且公网可以访问。请查看反向代理的日志里有没有这个请求；部分内网穿透域名会被拒绝。";
    /// The console did not like the answer of the webhook.
    WebhookAnswer [13007]
        "The webhook address answered the console's check, but not rightly."
        "See that the path leads to this bot, that its secret is the bot's, and that no proxy changes the body or asks for a login; the answer is the op 13 signature, within about 3 s."
        "回调地址有响应，但校验结果不对。"
        "确认路径指向本机器人、使用的是该机器人的 AppSecret，并且代理没有改动请求体、没有要求登录；应在大约 3 秒内返回 op 13 的签名。";
    /// No session is left today.
    SessionQuota []
        "No session may be opened before the quota starts anew."
        "Wait until then. A bot that uses up a day's sessions restarts or reconnects again and again: find out why before you start it."
        "今天可用的会话次数已经用完。"
        "等到次数重置。一天的会话被用完，说明程序在不断重启或重连：请先找到原因再启动。";
    /// The clock of this machine is wrong.
    Clock []
        "The clock of this machine is wrong."
        "Switch on time synchronisation (NTP): signed callbacks with another time are refused, and tokens seem to expire early."
        "本机时间不准。"
        "打开时间同步（NTP）：时间不准时，签名回调会被拒绝，access_token 也会被误判过期。";
    /// No connection to the platform.
    Network []
        "The platform cannot be reached from here."
        "Check the network, the proxy and the base address (QQ_BOT_BASE_URL, if it is set)."
        "从这里连不上平台。"
        "检查网络、代理和接口地址（如果设置了 QQ_BOT_BASE_URL）。";
    /// The platform did not answer in time.
    Timeout []
        "The platform did not answer in time."
        "Try again. If it stays so, check the network and the proxy, WebSocket connections above all."
        "平台没有及时响应。"
        "稍后再试。如果一直这样，请检查网络和代理，特别是 WebSocket 连接。";
    /// Too many calls.
    Rate []
        "Calls were made too often."
        "Wait, then try again. Look for a second program with the same app id."
        "调用太频繁。"
        "等一会儿再试，并检查是否有另一个使用同一 AppID 的程序。";
    /// Somebody else answers.
    NotThePlatform []
        "Something answers that is not the platform."
        "Check the base address (QQ_BOT_BASE_URL, if it is set), and proxies that show pages of their own."
        "响应的不是平台接口。"
        "检查接口地址（如果设置了 QQ_BOT_BASE_URL），以及会返回自己页面的代理。";
    /// Something else.
    Other []
        "The platform refused for another reason, named below."
        "Look the code up in the platform's documents, or ask its support with the trace id."
        "平台因其他原因拒绝，详见下方。"
        "按错误码查阅平台文档，或带上 trace id 联系平台客服。";
}

impl Cause {
    /// The cause behind a code of the platform, whether of a REST call, a closed connection, or the console's check of
    /// a webhook.
    ///
    /// ```
    /// use qq_client::{Cause, Language};
    ///
    /// let cause = Cause::of_code(11298).unwrap();
    /// assert!(cause.text(Language::English).contains("IP allow list"));
    /// assert!(cause.next_step(Language::Chinese).contains("白名单"));
    /// ```
    #[must_use]
    pub fn of_code(code: i64) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|cause| cause.codes().contains(&code))
    }

    /// The cause of a failure, with the code that tells it.
    pub(super) fn of(error: &(dyn Error + 'static)) -> (Self, Option<i64>) {
        let mut best = (Self::Other, None);
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(error) = error.downcast_ref::<qq_http::Error>() {
                return Self::of_rest(error);
            }
            if let Some(error) = error.downcast_ref::<ShardError>() {
                best = Self::of_shard(error);
                // What became of the token says more.
                if error.kind() != ShardErrorKind::Authentication {
                    return best;
                }
            }
            next = error.source();
        }
        best
    }

    fn of_rest(error: &qq_http::Error) -> (Self, Option<i64>) {
        let codes = [error.code(), error.err_code()];
        for code in codes.into_iter().flatten() {
            if let Some(cause) = Self::of_code(code) {
                return (cause, Some(code));
            }
        }
        let cause = match error.kind() {
            ErrorKind::Authentication => Self::AccessToken,
            ErrorKind::Network => Self::Network,
            ErrorKind::Timeout => Self::Timeout,
            ErrorKind::RateLimited => Self::Rate,
            ErrorKind::Http | ErrorKind::Decode => Self::NotThePlatform,
            _ => Self::Other,
        };
        (cause, codes.into_iter().flatten().next())
    }

    fn of_shard(error: &ShardError) -> (Self, Option<i64>) {
        if let Some(code) = error.close_code() {
            let code = i64::from(code.0);
            return (Self::of_code(code).unwrap_or(Self::Other), Some(code));
        }
        let cause = match error.kind() {
            ShardErrorKind::Authentication => Self::AccessToken,
            ShardErrorKind::Network => Self::Network,
            ShardErrorKind::Timeout => Self::Timeout,
            ShardErrorKind::SessionQuota => Self::SessionQuota,
            ShardErrorKind::InvalidSession => Self::RefusedIntents,
            _ => Self::Other,
        };
        (cause, None)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text(Language::English))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_one_cause_and_every_cause_speaks_both_languages() {
        let mut seen = std::collections::HashSet::new();
        for cause in Cause::ALL {
            for code in cause.codes() {
                assert!(seen.insert(*code), "{code} has two causes");
                assert_eq!(Cause::of_code(*code), Some(*cause));
            }
            for text in [
                cause.text(Language::Chinese),
                cause.next_step(Language::Chinese),
            ] {
                assert!(text.ends_with('。') && !text.is_ascii(), "{text}");
            }
            for text in [
                cause.text(Language::English),
                cause.next_step(Language::English),
            ] {
                assert!(text.ends_with('.') && text.is_ascii(), "{text}");
            }
        }
        for code in [
            11298, 40_023_002, 4914, 4915, 4924, 4013, 4014, 11253, 11245, 100_007, 100_016, 10020,
            13007,
        ] {
            assert!(Cause::of_code(code).is_some(), "{code}");
        }
        assert_eq!(Cause::of_code(1), None);
    }
}
