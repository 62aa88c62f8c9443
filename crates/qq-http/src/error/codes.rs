//! The platform's error codes as a table: what each means, and what to do about it.
//!
//! It covers the token endpoint and the calls of the route table. Source: the platform's error-code pages.

use self::Remedy::{
    Again, Audit, Budget, Change, Configure, Duplicate, Forbidden, Once, Pause, Refresh, Window,
};

/// What to do about a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// A failure inside the platform: the same request may work.
    Again,
    /// A failure inside the platform's own checks: the documentation allows one repeat.
    Once,
    /// A rate: the same request works after a pause.
    Pause,
    /// The access token is missing, unknown or over.
    Refresh,
    /// What is answered is too old, or was answered too often.
    Window,
    /// A daily or monthly number is used up.
    Budget,
    /// The pair of `msg_id` and `msg_seq` was used before.
    Duplicate,
    /// The bot may not do this here.
    Forbidden,
    /// Something outside the request has to be set up.
    Configure,
    /// The request itself has to change.
    Change,
    /// No failure: the message waits for an audit.
    Audit,
}

/// What is known about a code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Code {
    pub(crate) remedy: Remedy,
    pub(crate) meaning: &'static str,
}

/// The pair of `msg_id` and `msg_seq` was used: an earlier attempt with the same pair arrived.
pub(crate) const DUPLICATE: i64 = 40_054_005;

/// What is known about a code, as the token endpoint or as every other call means it.
pub(crate) fn find(number: i64, is_token_endpoint: bool) -> Option<Code> {
    let table = if is_token_endpoint {
        TOKEN_ENDPOINT
    } else {
        CALLS
    };
    let index = table.binary_search_by_key(&number, |row| row.0).ok()?;
    let (_, remedy, meaning) = table[index];
    Some(Code { remedy, meaning })
}

type Row = (i64, Remedy, &'static str);

/// Sorted by number.
const TOKEN_ENDPOINT: &[Row] = &[
    (10004, Configure, "no bot has this app id"),
    (100_001, Pause, "too many token requests"),
    (
        100_007,
        Configure,
        "the app id is invalid, or the bot was banned or deleted",
    ),
    (100_016, Configure, "the app id or the secret is wrong"),
];

/// Sorted by number.
#[rustfmt::skip]
const CALLS: &[Row] = &[
    (11241, Refresh, "no token in the request"),
    (11242, Once, "token check failed inside the platform"),
    (11243, Refresh, "token rejected"),
    (11244, Refresh, "token does not exist or has expired"),
    (11251, Configure, "appid not recognised"),
    (11252, Once, "application privilege check failed inside the platform"),
    (11255, Change, "request invalid: mostly an openid of another bot, a wrong event_id, or refused markdown"),
    (11263, Once, "guild privilege check failed inside the platform"),
    (11281, Once, "administrator check failed inside the platform"),
    (11298, Configure, "source address is not on the allow list of the console"),
    (20028, Pause, "channel message rate exceeded"),
    (22006, Change, "msg_type does not fit the content"),
    (22009, Pause, "message quota exceeded"),
    (50006, Change, "message is empty"),
    (50035, Change, "form data invalid"),
    (50037, Change, "markdown goes alone or with keyboard only"),
    (50038, Change, "not the same guild or channel"),
    (50040, Change, "wrong template kind"),
    (50041, Change, "markdown has an empty value"),
    (50042, Change, "markdown list too long"),
    (50045, Change, "cannot answer an own message"),
    (50046, Forbidden, "message does not mention the bot"),
    (50047, Forbidden, "message neither from the bot nor mentioning it"),
    (50048, Change, "message id missing"),
    (50054, Change, "markdown template parameter wrong"),
    (50055, Change, "markdown content invalid"),
    (50056, Forbidden, "native markdown not allowed"),
    (50057, Change, "native and templated markdown exclude each other"),
    (50059, Change, "input type wrong"),
    (100_017, Pause, "call rate exceeded"),
    (304_003, Configure, "URL not registered"),
    (304_004, Forbidden, "no right to send ark"),
    (304_005, Change, "embed too long"),
    (304_010, Again, "picture could not be copied"),
    (304_011, Change, "template unknown"),
    (304_014, Forbidden, "no right to the template"),
    (304_016, Again, "sending failed"),
    (304_017, Again, "picture upload failed"),
    (304_018, Configure, "bot has no gateway session"),
    (304_019, Budget, "mentions of everybody used up"),
    (304_020, Change, "file too big"),
    (304_021, Again, "file could not be downloaded"),
    (304_022, Pause, "active message outside the allowed hours"),
    (304_023, Audit, "active message accepted, waits for audit"),
    (304_024, Audit, "answer accepted, waits for audit"),
    (304_025, Change, "blocked"),
    (304_026, Change, "answered message id wrong"),
    (304_027, Window, "answered message too old"),
    (304_028, Forbidden, "only messages mentioning the bot can be answered"),
    (304_029, Again, "corpus service failed"),
    (304_030, Change, "text not in the registered corpus"),
    (304_031, Forbidden, "direct messages switched off"),
    (304_032, Change, "conversation does not exist"),
    (304_033, Again, "cannot open the conversation"),
    (304_034, Forbidden, "not part of the conversation"),
    (304_035, Budget, "too many channels for active messages"),
    (304_036, Forbidden, "no right to markdown templates"),
    (304_037, Forbidden, "no right to buttons"),
    (304_038, Change, "button template unknown"),
    (304_039, Change, "buttons cannot be parsed"),
    (304_040, Change, "button content wrong"),
    (304_045, Budget, "active messages of the channel used up"),
    (304_046, Forbidden, "active messages forbidden in this channel"),
    (304_047, Budget, "active messages went to too many channels"),
    (304_048, Forbidden, "active messages forbidden in this guild"),
    (304_049, Budget, "active direct messages to this user used up"),
    (304_050, Budget, "active direct messages used up"),
    (304_061, Change, "content invalid"),
    (304_062, Change, "too many subscription buttons"),
    (304_064, Forbidden, "subscription not granted"),
    (304_080, Change, "file_info invalid"),
    (304_082, Again, "media could not be fetched"),
    (304_083, Again, "media could not be converted"),
    (304_103, Window, "message id too old for an answer"),
    (305_007, Change, "keyboard style wrong (groups)"),
    (340_067, Again, "cannot read the bot"),
    (340_069, Change, "msg_type invalid (groups)"),
    (1_100_100, Pause, "safety: rate exceeded"),
    (1_100_101, Change, "safety: sensitive content"),
    (1_100_103, Change, "safety: refused"),
    (1_100_308, Pause, "guild rate exceeded"),
    (40_011_028, Change, "user or group does not exist for this bot"),
    (40_023_001, Pause, "call rate exceeded"),
    (40_034_004, Again, "media could not be copied"),
    (40_034_005, Window, "answered msg_id has expired"),
    (40_034_006, Change, "content violates the rules"),
    (40_034_008, Change, "markdown parameter empty"),
    (40_034_009, Change, "markdown parameter has a line break"),
    (40_034_010, Change, "template parameter has markdown syntax"),
    (40_034_011, Change, "markdown invalid"),
    (40_034_024, Change, "msg_id invalid or not yours"),
    (40_034_025, Change, "event_id invalid"),
    (40_034_026, Window, "event_id has expired"),
    (40_034_027, Forbidden, "event cannot be answered"),
    (40_034_029, Change, "too many keyboard rows or columns"),
    (40_034_100, Pause, "active messages exceed the rate"),
    (40_034_101, Forbidden, "bot is not in the group"),
    (40_034_105, Forbidden, "no right to active messages (switched off by user or group)"),
    (40_034_106, Change, "command kind not supported, for instance enter in groups"),
    (40_034_108, Change, "command argument too long"),
    (40_034_109, Change, "command argument not parsable"),
    (40_034_122, Budget, "recall messages of this period used up"),
    (40_034_123, Forbidden, "recall messages not supported here"),
    (40_034_124, Change, "markdown parameter error"),
    (40_034_127, Forbidden, "no right to the markdown template"),
    (40_034_128, Window, "passive window over or too many answers"),
    (40_054_002, Forbidden, "bot is muted"),
    (40_054_003, Forbidden, "bot is not a member"),
    (40_054_004, Forbidden, "not a friend"),
    (40_054_005, Duplicate, "duplicate: the pair of msg_id and msg_seq was used"),
    (40_054_006, Again, "friendship check failed"),
    (40_054_007, Change, "too long"),
    (40_054_010, Configure, "URL not allowed"),
    (40_054_013, Forbidden, "user refuses messages"),
    (40_054_016, Configure, "bot is offline"),
    (40_054_018, Change, "too long or malformed"),
    (50_055_001, Again, "sending failed (groups)"),
    (50_055_002, Again, "sending failed (C2C)"),
    (50_055_006, Again, "card sending failed (groups)"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_for_the_search() {
        for table in [TOKEN_ENDPOINT, CALLS] {
            assert!(table.is_sorted_by(|a, b| a.0 < b.0));
        }
    }

    #[test]
    fn one_number_means_what_its_endpoint_means() {
        assert_eq!(find(10004, true).unwrap().remedy, Configure);
        assert!(find(10004, false).is_none());
        assert_eq!(find(DUPLICATE, false).unwrap().remedy, Duplicate);
    }
}
