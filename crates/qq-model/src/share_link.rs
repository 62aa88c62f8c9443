//! Links that lead people to the bot.

use crate::request::{BodyError, RequestBody, max_chars};

/// How many characters [`GenerateUrlLink::callback_data`] may have.
pub const MAX_CALLBACK_DATA: usize = 32;

object! {
    /// The body of making a share link.
    pub struct GenerateUrlLink {
        /// What comes back as [`FriendAddEvent::scene_param`](crate::friend::FriendAddEvent::scene_param);
        /// at most [`MAX_CALLBACK_DATA`] characters.
        pub callback_data: Option<Box<str>>,
    }

    /// A share link. A failure may come with HTTP 200 and a `retcode` other than 0.
    pub struct UrlLinkResult {
        /// 0 when it worked.
        pub retcode: Option<i64>,
        /// The outcome for people.
        pub msg: Option<Box<str>>,
        /// The link.
        pub data: Option<UrlLink>,
    }

    /// A link.
    pub struct UrlLink {
        /// Its address.
        pub url: Box<str>,
    }
}

setters! { GenerateUrlLink {
    /// What comes back when somebody adds the bot through the link.
    callback_data: Box<str>,
}}

impl UrlLinkResult {
    /// The address, unless the call failed.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        if self.retcode.is_some_and(|code| code != 0) {
            return None;
        }
        self.data
            .as_ref()
            .map(|link| &*link.url)
            .filter(|url| !url.is_empty())
    }
}

impl RequestBody for GenerateUrlLink {
    fn validate(&self) -> Result<(), BodyError> {
        max_chars(
            "callback_data",
            self.callback_data.as_deref().unwrap_or_default(),
            MAX_CALLBACK_DATA,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_count_not_bytes() {
        let body = |n: usize| GenerateUrlLink::default().callback_data("文".repeat(n));
        body(32).validate().unwrap();
        assert_eq!(body(33).validate().unwrap_err().limit(), Some(32));
    }

    #[test]
    fn a_failure_inside_a_success_has_no_link() {
        let failed: UrlLinkResult =
            serde_json::from_str(r#"{"retcode":10001,"data":{"url":"x"}}"#).unwrap();
        assert_eq!(failed.url(), None);
    }
}
