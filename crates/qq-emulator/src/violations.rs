//! What clients did that the platform's documents forbid.

use serde::Serialize;

/// One breach of the protocol by a client.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Violation {
    /// Its number, from 1.
    pub n: u64,
    /// When, RFC 3339 with milliseconds.
    pub at: String,
    /// How bad it is.
    pub level: Level,
    /// A stable name: `token.…`, `rest.…`, `ws.…` or `webhook.…`.
    pub code: String,
    /// The rule it breaks.
    pub rule: String,
    /// What the client did.
    pub message: String,
    /// Who: the `User-Agent`, or the address of a client that does not say.
    pub client: String,
    /// The gateway session, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The number of the request in `GET requests`, if it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<u64>,
}

/// How bad a [`Violation`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Level {
    /// Breaks the documents.
    Error,
    /// Tolerated by the platform.
    Warn,
    /// Worth knowing.
    Info,
}

/// A breach before it is known who did it.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub(crate) level: Level,
    pub(crate) code: &'static str,
    pub(crate) rule: &'static str,
    pub(crate) message: String,
}

impl Finding {
    pub(crate) fn error(
        code: &'static str,
        rule: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self::new(Level::Error, code, rule, message)
    }

    pub(crate) fn warn(code: &'static str, rule: &'static str, message: impl Into<String>) -> Self {
        Self::new(Level::Warn, code, rule, message)
    }

    pub(crate) fn info(code: &'static str, rule: &'static str, message: impl Into<String>) -> Self {
        Self::new(Level::Info, code, rule, message)
    }

    fn new(
        level: Level,
        code: &'static str,
        rule: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            level,
            code,
            rule,
            message: message.into(),
        }
    }
}
