//! Why the server closed a connection, and what to do about it.

use std::fmt;

/// What a client does after a connection was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseAction {
    /// Connect again and RESUME the session.
    Resume,
    /// The client was too fast: wait, then RESUME the session.
    ResumeAfterPause,
    /// Get another access token, then RESUME the session.
    RefreshToken,
    /// The session is gone: connect again and IDENTIFY.
    Identify,
    /// Nobody knows what this code means: IDENTIFY again, slowly and loudly.
    IdentifySlowly,
    /// Trying again is of no use until the bot or its settings change.
    Stop,
}

macro_rules! close_codes {
    ($($code:literal $name:ident $action:ident $meaning:literal $(+ $last:literal)?;)*) => {
        impl CloseCode {
            /// Every code, for the coverage report.
            pub(crate) const VALUES: &'static [crate::describe::Value] = &[
                $(crate::describe::Value::Number($code), $(crate::describe::Value::Number($last),)?)*
            ];

            $(
                #[doc = concat!($meaning, " (", stringify!($action), ").")]
                pub const $name: Self = Self($code);
            )*

            /// What the platform means by this code.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self.0 {
                    $($code $(..= $last)? => $meaning,)*
                    1000..=1999 => "closed by the WebSocket layer",
                    _ => "undocumented",
                }
            }

            /// What to do after this code.
            #[must_use]
            pub const fn action(self) -> CloseAction {
                match self.0 {
                    $($code $(..= $last)? => CloseAction::$action,)*
                    1000..=1999 => CloseAction::Resume,
                    _ => CloseAction::IdentifySlowly,
                }
            }
        }
    };
}

/// A close code of the gateway.
///
/// Source: the platform's WebSocket and error pages, the constants of the official SDKs, and field reports
/// where both are silent.
///
/// ```
/// use qq_model::gateway::{CloseAction, CloseCode};
///
/// assert_eq!(CloseCode(4009).action(), CloseAction::Resume);
/// assert_eq!(CloseCode::DISALLOWED_INTENTS.action(), CloseAction::Stop);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CloseCode(pub u16);

close_codes! {
    4000 UNKNOWN_ERROR Resume "unknown error";
    4001 INVALID_OPCODE Stop "invalid opcode";
    4002 INVALID_PAYLOAD Stop "invalid payload";
    4003 NOT_AUTHENTICATED Identify "a frame was sent before IDENTIFY";
    4004 AUTHENTICATION_FAILED RefreshToken "the access token was refused";
    4005 ALREADY_AUTHENTICATED Identify "IDENTIFY was sent twice";
    4006 INVALID_SESSION Identify "the session does not exist";
    4007 INVALID_SEQUENCE Identify "the sequence of RESUME is wrong";
    4008 RATE_LIMITED ResumeAfterPause "frames were sent too fast";
    4009 SESSION_TIMED_OUT Resume "the connection expired";
    4010 INVALID_SHARD Stop "the shard is invalid";
    4011 SHARDING_REQUIRED Stop "too many guilds for one shard: use more shards";
    4012 INVALID_VERSION Stop "the gateway version is invalid";
    4013 INVALID_INTENTS Stop "the intents have undefined bits";
    4014 DISALLOWED_INTENTS Stop "an intent was not granted to this bot: apply for it, or ask for fewer";
    4900 INTERNAL_ERROR Identify "internal error of the platform";
    4901 INTERNAL_ERROR_1 Identify "internal error of the platform";
    4902 RESUME_REFUSED Identify "the session was reset by RESUME";
    4903 SESSION_NOT_CREATED Identify "the session could not be created: intents, publication state, or too many starts";
    4904 INTERNAL_ERROR_4 Identify "internal error of the platform" + 4913;
    4914 BOT_OFFLINE Stop "the bot was taken down: only the sandbox may connect";
    4915 BOT_BANNED Stop "the bot was banned";
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0, self.meaning())
    }
}

impl From<u16> for CloseCode {
    fn from(code: u16) -> Self {
        Self(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_platform() {
        use CloseAction::{Identify, IdentifySlowly, RefreshToken, Resume, ResumeAfterPause, Stop};
        let expected = |code| match code {
            1000..=1999 | 4000 | 4009 => Resume,
            4008 => ResumeAfterPause,
            4004 => RefreshToken,
            4003 | 4005..=4007 | 4900..=4913 => Identify,
            4001 | 4002 | 4010..=4014 | 4914 | 4915 => Stop,
            _ => IdentifySlowly,
        };
        for code in 1000..5000 {
            assert_eq!(CloseCode(code).action(), expected(code), "{code}");
            assert!(!CloseCode(code).meaning().is_empty());
        }
    }
}
