//! What to do about an error, for programs.

use std::fmt;
use std::time::Duration;

/// What to do about an [`Error`](super::Error).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Advice {
    /// The same call may work later.
    Retry {
        /// How long to wait, where it is known.
        after: Option<Duration>,
    },
    /// The access token was refused although it had just been renewed: nothing to do but to try again later, or
    /// to see whether something else uses up this bot's tokens.
    RefreshToken,
    /// What is answered is too old or was answered too often: only an active message can still be sent.
    WindowClosed,
    /// A quota is used up: wait for its next period.
    BudgetUsed,
    /// This answer was sent before: a new one needs a new `msg_seq`.
    Duplicate,
    /// The bot may not do this here.
    NotPermitted,
    /// Something has to be set up first: credentials, the console, the network, the gateway session.
    Configuration,
    /// The same call will fail again: it has to change.
    Fatal,
    /// Nothing is known about this failure.
    Unknown,
}

/// One clause that tells a person what to do.
impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retry { after: Some(after) } => {
                write!(f, "try again in {} s", after.as_secs_f32().ceil())
            }
            Self::Retry { after: None } => f.write_str("try again later"),
            Self::RefreshToken => {
                f.write_str("a new access token was refused too: try again later")
            }
            Self::WindowClosed => f.write_str(
                "the time or number of answers is over: only an active message is possible",
            ),
            Self::BudgetUsed => f.write_str("the quota is used up: wait for its next period"),
            Self::Duplicate => f.write_str("it was sent before: a new answer needs a new msg_seq"),
            Self::NotPermitted => f.write_str(
                "the bot may not do this here: see its rights in the console or the group",
            ),
            Self::Configuration => {
                f.write_str("check the bot's settings: credentials, environment, console")
            }
            Self::Fatal => f.write_str("the same call will fail again: change it"),
            Self::Unknown => {
                f.write_str("no advice is known: give the trace id to the platform's support")
            }
        }
    }
}
