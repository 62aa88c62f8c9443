//! One line of a recording.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Millis;

/// The version of the format.
pub(crate) const VERSION: u32 = 1;

/// Which members a line has depends on its kind; [`Line::check`] knows.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Line {
    /// Since the recording began.
    pub(crate) ms: Millis,
    pub(crate) kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) upstream: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) connection: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<Side>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) frame: Option<Value>,
    /// A frame or body that is no JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<u16>,
    /// Of the bot that a callback is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) app_id: Option<String>,
    /// The address of a callback, without its query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// How a callback was spoiled before it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) corrupt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) query: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) headers: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) answer: Option<Value>,
    /// Why there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

/// What a line tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// The first line.
    Recording,
    /// A gateway connection begins.
    Open,
    Frame,
    Close,
    /// A REST call with its answer.
    Call,
    /// A webhook callback with the bot's answer; every attempt is one.
    Callback,
}

/// Who said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Side {
    /// The platform.
    Server,
    /// The bot.
    Client,
}

impl Line {
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            ms: 0,
            kind,
            version: None,
            upstream: None,
            connection: None,
            from: None,
            frame: None,
            text: None,
            code: None,
            app_id: None,
            url: None,
            corrupt: None,
            method: None,
            path: None,
            query: None,
            headers: None,
            body: None,
            status: None,
            answer: None,
            error: None,
        }
    }

    /// The name of a member that its kind needs and it has not.
    pub(crate) fn missing(&self) -> Option<&'static str> {
        let needed: &[(&'static str, bool)] = match self.kind {
            Kind::Recording => &[("version", self.version.is_some())],
            Kind::Open | Kind::Close => &[("connection", self.connection.is_some())],
            Kind::Frame => &[
                ("connection", self.connection.is_some()),
                ("from", self.from.is_some()),
                ("frame", self.frame.is_some() || self.text.is_some()),
            ],
            Kind::Call => &[
                ("method", self.method.is_some()),
                ("path", self.path.is_some()),
                ("status", self.status.is_some()),
            ],
            Kind::Callback => &[
                ("url", self.url.is_some()),
                ("body", self.body.is_some() || self.text.is_some()),
                ("status", self.status.is_some() || self.error.is_some()),
            ],
        };
        needed
            .iter()
            .find(|(_, there)| !there)
            .map(|(name, _)| *name)
    }
}
