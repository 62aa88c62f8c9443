//! The platform's error codes: what they mean, and what to do.
//!
//! An error body has up to two numbers, `code` and `err_code`, which differ; the table has both kinds. Source: the
//! platform's error pages of 2025 and 2026, the constants of official SDKs, captures.

#[macro_use]
mod table;

use std::fmt;

use crate::api_error::ApiError;

/// What to do about a refused call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Advice {
    /// Nothing is wrong: the message waits for its audit, whose outcome is pushed.
    Pending,
    /// The platform failed inside: one careful repeat. Sends only with the same `msg_id` and `msg_seq`.
    Retry,
    /// Too fast, or not at this time of day: wait, then repeat.
    RetryAfter,
    /// Get another access token, then repeat once.
    RefreshToken,
    /// What is answered or recalled is too old, or was answered as often as allowed: send unasked, or not.
    WindowClosed,
    /// A quota is used up until its day or period ends.
    BudgetUsed,
    /// It was done before. For a repeated send this means that the first one arrived.
    Duplicate,
    /// The bot may not do this here: a grant, a role or a consent is missing.
    NotPermitted,
    /// A setting of the console must change: credentials, address lists, registered hosts.
    Configuration,
    /// The platform's safety check refused what was said.
    ContentRefused,
    /// The request is wrong: a member, an id, a size. Repeating it is of no use.
    InvalidRequest,
    /// The bot was banned, cancelled or taken down: stop.
    Fatal,
    /// Nobody knows what helps.
    Unknown,
}

impl Advice {
    /// Whether the same call may succeed later without anybody's doing.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        matches!(
            self,
            Self::Retry | Self::RetryAfter | Self::RefreshToken | Self::BudgetUsed
        )
    }

    /// A sentence for people.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Pending => "the message waits for its audit; the outcome arrives as an event",
            Self::Retry => "the platform failed inside; try once more",
            Self::RetryAfter => "wait, then try again",
            Self::RefreshToken => "get another access token, then try once more",
            Self::WindowClosed => {
                "the time or the number of answers is over; do not answer this again"
            }
            Self::BudgetUsed => "the quota is used up; try again when its period is over",
            Self::Duplicate => "it was done before; do nothing",
            Self::NotPermitted => "the bot lacks a grant, a role or a consent; ask for it",
            Self::Configuration => "change the bot's settings in the console",
            Self::ContentRefused => "the safety check refused the content; say it differently",
            Self::InvalidRequest => "correct the request; repeating it is of no use",
            Self::Fatal => "the bot was banned, cancelled or taken down; stop",
            Self::Unknown => "nobody knows what helps; report the trace id",
        }
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}

/// Whether repeating the call helps, as far as the platform says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Retryable {
    /// It does not.
    No,
    /// It does.
    Yes,
    /// One repeat, which the platform's pages allow.
    Once,
    /// Perhaps: an error inside the platform.
    Maybe,
    /// After another token was fetched.
    RefreshToken,
    /// After a pause.
    AfterPause,
    /// Later in the day.
    Later,
    /// On the next day.
    Tomorrow,
    /// In the next period.
    NextPeriod,
    /// With another `msg_seq`, if it is another message.
    NewSequence,
    /// After the gateway was connected.
    AfterConnecting,
    /// There is no error.
    NotAnError,
}

/// Which calls a code belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCategory {
    /// The bot, its guild or its channel.
    Account,
    /// Announcements and pins.
    Announce,
    /// Grants of calls.
    ApiPermission,
    /// Tokens and rights.
    Auth,
    /// Channels.
    Channel,
    /// Permissions in channels.
    ChannelPermission,
    /// Forums.
    Forum,
    /// Members of groups.
    GroupManagement,
    /// Guild messages.
    GuildMessage,
    /// Sending guild messages.
    GuildSend,
    /// Headers that the platform adds inside.
    Header,
    /// Interactions.
    Interaction,
    /// Uploads.
    Media,
    /// Menus and panels.
    MenuAndPanel,
    /// Changing messages.
    MessageEdit,
    /// The safety check of messages.
    MessageSafety,
    /// How often a bot may speak.
    MessageSetting,
    /// Mutes.
    Mute,
    /// Limits of calls per time.
    RateLimit,
    /// Reactions.
    Reaction,
    /// Recalls.
    Recall,
    /// The request as such.
    Request,
    /// Schedules.
    Schedule,
    /// Share links.
    ShareLink,
    /// Streams.
    Stream,
    /// The access token call.
    TokenEndpoint,
    /// Messages of groups and one-to-one chats.
    V2Message,
}

/// What is known of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorInfo {
    /// The code.
    pub code: i64,
    /// What the platform means by it.
    pub meaning: &'static str,
    /// Which calls it belongs to.
    pub category: ErrorCategory,
    /// Whether repeating the call helps.
    pub retryable: Retryable,
    /// What to do.
    pub advice: Advice,
}

macro_rules! define_codes {
    ($($code:literal $category:ident $retryable:ident $advice:ident $meaning:literal;)*) => {
        /// Every known code, in ascending order.
        static CODES: &[ErrorInfo] = &[$(ErrorInfo {
            code: $code,
            meaning: $meaning,
            category: ErrorCategory::$category,
            retryable: Retryable::$retryable,
            advice: Advice::$advice,
        },)*];
    };
}

error_code_table!(define_codes);

macro_rules! define_other_meanings {
    ($($code:literal $category:ident $meaning:literal;)*) => {
        static OTHER_MEANINGS: &[(i64, ErrorCategory, &str)] =
            &[$(($code, ErrorCategory::$category, $meaning),)*];
    };
}

other_meanings_table!(define_other_meanings);

/// Categories of codes that are not in the table, by range.
const RANGES: [(i64, i64, ErrorCategory); 9] = [
    (301_000, 301_099, ErrorCategory::ChannelPermission),
    (501_000, 501_999, ErrorCategory::Announce),
    (502_000, 502_099, ErrorCategory::Mute),
    (504_000, 504_999, ErrorCategory::MessageSetting),
    (610_000, 619_999, ErrorCategory::ApiPermission),
    (620_001, 629_999, ErrorCategory::Reaction),
    (630_001, 639_999, ErrorCategory::Interaction),
    (1_000_000, 2_999_999, ErrorCategory::MessageSafety),
    (3_000_000, 3_999_999, ErrorCategory::MessageEdit),
];

/// A code of an error body: `code` or `err_code`.
///
/// ```
/// use qq_model::{Advice, ErrorCode};
///
/// assert_eq!(ErrorCode(40054005).advice(), Advice::Duplicate);
/// assert_eq!(ErrorCode(11244).meaning(), Some("token does not exist or has expired"));
/// assert_eq!(ErrorCode(7).advice(), Advice::Unknown);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorCode(pub i64);

impl ErrorCode {
    /// What is known of this code.
    #[must_use]
    pub fn info(self) -> Option<&'static ErrorInfo> {
        let index = CODES.binary_search_by_key(&self.0, |info| info.code).ok()?;
        CODES.get(index)
    }

    /// Everything that is known, in ascending order.
    pub fn all() -> impl Iterator<Item = &'static ErrorInfo> {
        CODES.iter()
    }

    /// What the platform means by this code.
    #[must_use]
    pub fn meaning(self) -> Option<&'static str> {
        self.info().map(|info| info.meaning)
    }

    /// What this code means in other calls.
    pub fn other_meanings(self) -> impl Iterator<Item = (ErrorCategory, &'static str)> {
        OTHER_MEANINGS
            .iter()
            .filter(move |(code, ..)| *code == self.0)
            .map(|(_, category, meaning)| (*category, *meaning))
    }

    /// Which calls it belongs to, by its row or its range.
    #[must_use]
    pub fn category(self) -> Option<ErrorCategory> {
        self.info().map(|info| info.category).or_else(|| {
            RANGES
                .iter()
                .find(|(first, last, _)| (*first..=*last).contains(&self.0))
                .map(|(.., category)| *category)
        })
    }

    /// What to do; [`Advice::Unknown`] for codes without a row.
    #[must_use]
    pub fn advice(self) -> Advice {
        self.info().map_or(Advice::Unknown, |info| info.advice)
    }
}

impl From<i64> for ErrorCode {
    fn from(code: i64) -> Self {
        Self(code)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.meaning() {
            Some(meaning) => write!(f, "{} ({meaning})", self.0),
            None => fmt::Display::fmt(&self.0, f),
        }
    }
}

impl ApiError {
    /// What to do, by the first of its two numbers that says something.
    #[must_use]
    pub fn advice(&self) -> Advice {
        self.codes()
            .map(|code| ErrorCode(code).advice())
            .find(|advice| *advice != Advice::Unknown)
            .unwrap_or(Advice::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_without_doubles() {
        assert!(CODES.windows(2).all(|pair| pair[0].code < pair[1].code));
        for info in ErrorCode::all() {
            assert_eq!(ErrorCode(info.code).info(), Some(info));
        }
    }

    #[test]
    fn advice_agrees_with_whether_repeating_helps() {
        for info in ErrorCode::all() {
            let fits = match info.retryable {
                Retryable::No => !matches!(
                    info.advice,
                    Advice::Retry | Advice::RetryAfter | Advice::RefreshToken | Advice::Pending
                ),
                Retryable::Yes | Retryable::Once | Retryable::Maybe => info.advice == Advice::Retry,
                Retryable::RefreshToken => info.advice == Advice::RefreshToken,
                Retryable::AfterPause | Retryable::Later => info.advice == Advice::RetryAfter,
                Retryable::Tomorrow | Retryable::NextPeriod => info.advice == Advice::BudgetUsed,
                Retryable::NewSequence => info.advice == Advice::Duplicate,
                Retryable::AfterConnecting => info.advice == Advice::Configuration,
                Retryable::NotAnError => info.advice == Advice::Pending,
            };
            assert!(fits, "{info:?}");
        }
    }

    #[test]
    fn either_number_of_a_body_gives_advice() {
        let error: ApiError = serde_json::from_str(r#"{"code":11244,"err_code":999}"#).unwrap();
        assert_eq!(error.advice(), Advice::RefreshToken);
        assert_eq!(ApiError::default().advice(), Advice::Unknown);
    }

    #[test]
    fn codes_without_a_row_have_a_range() {
        assert_eq!(ErrorCode(501_999).category(), Some(ErrorCategory::Announce));
        assert_eq!(ErrorCode(1).category(), None);
        assert_eq!(ErrorCode(10_001).other_meanings().count(), 1);
        assert_eq!(ErrorCode(1).to_string(), "1");
    }
}
