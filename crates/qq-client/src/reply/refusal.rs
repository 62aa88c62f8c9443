//! What a refusal of the platform says about answers.

use std::fmt;

use qq_http::Error;
use serde::{Deserialize, Serialize};

/// What becomes of the ledger after a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Correction {
    /// The number was used by somebody else, such as another process.
    NumberUsed,
    /// What is answered takes no more answers.
    Closed(Closed),
    /// The chat takes no messages that answer nothing.
    NoActive,
    /// No more messages that answer nothing, for a while.
    ActiveUsedUp,
}

/// Why something takes no more answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Closed {
    /// Its window is over.
    Window,
    /// It has as many answers as it may have.
    Budget,
    /// The platform does not know it, or does not let it be answered.
    Refused,
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Window => "the time for answers is over",
            Self::Budget => "there are as many answers as there may be",
            Self::Refused => "it cannot be answered",
        })
    }
}

struct Row {
    code: i64,
    /// For an answer.
    passive: Option<Correction>,
    /// For a message that answers nothing.
    active: Option<Correction>,
}

const fn passive(code: i64, correction: Correction) -> Row {
    Row {
        code,
        passive: Some(correction),
        active: None,
    }
}

const fn active(code: i64, correction: Correction) -> Row {
    Row {
        code,
        passive: None,
        active: Some(correction),
    }
}

/// The platform's page of error codes.
const TABLE: [Row; 13] = [
    passive(40_054_005, Correction::NumberUsed),
    passive(40_034_005, Correction::Closed(Closed::Window)),
    passive(40_034_026, Correction::Closed(Closed::Window)),
    passive(304_027, Correction::Closed(Closed::Window)),
    passive(40_034_128, Correction::Closed(Closed::Budget)),
    Row {
        code: 22_009,
        passive: Some(Correction::Closed(Closed::Budget)),
        active: Some(Correction::ActiveUsedUp),
    },
    passive(40_034_024, Correction::Closed(Closed::Refused)),
    passive(40_034_025, Correction::Closed(Closed::Refused)),
    passive(40_034_027, Correction::Closed(Closed::Refused)),
    passive(304_026, Correction::Closed(Closed::Refused)),
    active(40_034_105, Correction::NoActive),
    active(40_054_013, Correction::NoActive),
    active(304_046, Correction::NoActive),
];

/// The right to markdown is missing, or the text is no markdown: the same as plain text may pass.
const MARKDOWN: [i64; 7] = [
    40_034_011, 40_034_012, 40_034_090, 40_034_127, 50_056, 304_036, 304_041,
];

impl Correction {
    /// What a refusal of an answer (`is_passive`) or of another message says.
    pub(crate) fn of(error: &Error, is_passive: bool) -> Option<Self> {
        let row = TABLE.iter().find(|row| error.has_code(row.code))?;
        if is_passive { row.passive } else { row.active }
    }
}

/// Whether plain text may pass where markdown was refused.
pub(crate) fn refuses_markdown(error: &Error) -> bool {
    MARKDOWN.iter().any(|code| error.has_code(*code))
}
