//! A token with the moment at which it ends, and the form in which stores write it.

use std::time::{Duration, SystemTime};

use qq_model::BearerToken;
use qq_model::id::AppId;
use serde::{Deserialize, Serialize};

use super::TokenStoreError;

/// An access token as a [`TokenStore`](super::TokenStore) keeps it. `Debug` hides the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredToken {
    token: BearerToken,
    expires_at: SystemTime,
}

/// What is written. The app id is in it so that two bots on one file or key never take each other's token.
#[derive(Serialize, Deserialize)]
struct Written<'a> {
    app_id: &'a str,
    access_token: &'a str,
    expires_at_ms: u64,
}

impl StoredToken {
    /// A token that ends at `expires_at`, kept to the millisecond.
    #[must_use]
    pub fn new(token: BearerToken, expires_at: SystemTime) -> Self {
        Self {
            token,
            expires_at: from_millis(to_millis(expires_at)),
        }
    }

    /// The token.
    #[must_use]
    pub const fn token(&self) -> &BearerToken {
        &self.token
    }

    /// The end of its life, by the clock of the machine that fetched it.
    #[must_use]
    pub const fn expires_at(&self) -> SystemTime {
        self.expires_at
    }

    /// As bytes, for files and key-value stores. They contain the token.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use qq_http::StoredToken;
    /// use qq_model::{BearerToken, id::AppId};
    ///
    /// let app_id = AppId::new("102000000");
    /// let token = StoredToken::new(BearerToken::new("abc"), SystemTime::now() + Duration::from_secs(7200));
    /// assert_eq!(StoredToken::from_bytes(&app_id, &token.to_bytes(&app_id)).unwrap(), token);
    /// ```
    #[must_use]
    pub fn to_bytes(&self, app_id: &AppId) -> Vec<u8> {
        let written = Written {
            app_id: &app_id.text(),
            access_token: self.token.expose(),
            expires_at_ms: to_millis(self.expires_at),
        };
        // Two texts and a number can always be written.
        serde_json::to_vec(&written).unwrap_or_default()
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote for the same bot.
    ///
    /// # Errors
    ///
    /// The bytes are something else, or belong to another bot. The error does not show them.
    pub fn from_bytes(app_id: &AppId, bytes: &[u8]) -> Result<Self, TokenStoreError> {
        Self::read(app_id, bytes).map_err(|unread| match unread {
            Unread::Foreign => TokenStoreError::new(
                "it holds the access token of another app id: give each bot a place of its own",
            ),
            Unread::Corrupt(why) => TokenStoreError::new(why),
        })
    }

    pub(super) fn read(app_id: &AppId, bytes: &[u8]) -> Result<Self, Unread> {
        // What serde_json quotes may be part of the token.
        let written: Written<'_> = serde_json::from_slice(bytes).map_err(|error| {
            Unread::Corrupt(format!(
                "it holds no access token: {:?} error at line {}, column {}",
                error.classify(),
                error.line(),
                error.column()
            ))
        })?;
        if written.app_id != &*app_id.text() {
            return Err(Unread::Foreign);
        }
        let is_printable = |byte: u8| byte.is_ascii_graphic();
        if written.access_token.is_empty() || !written.access_token.bytes().all(is_printable) {
            return Err(Unread::Corrupt(
                "its access token is empty or has characters that no token has".to_owned(),
            ));
        }
        Ok(Self {
            token: BearerToken::new(written.access_token),
            expires_at: from_millis(written.expires_at_ms),
        })
    }
}

/// Why bytes are not the token of a bot.
#[derive(Debug)]
pub(super) enum Unread {
    /// They are that of another bot.
    Foreign,
    Corrupt(String),
}

fn to_millis(time: SystemTime) -> u64 {
    let since = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A moment too far away to be told is none at all: the token counts as ended.
fn from_millis(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH
        .checked_add(Duration::from_millis(millis))
        .unwrap_or(SystemTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<StoredToken, String> {
        StoredToken::from_bytes(&AppId::new("7"), text.as_bytes())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_written_is_read_by_the_same_bot_only() {
        let token = StoredToken::new(
            BearerToken::new("canary"),
            SystemTime::UNIX_EPOCH + Duration::from_micros(1_500),
        );
        let bytes = token.to_bytes(&AppId::new("7"));
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(
            text,
            r#"{"app_id":"7","access_token":"canary","expires_at_ms":1}"#
        );
        assert_eq!(read(&text).unwrap(), token);
        let foreign = read(&text.replace("\"7\"", "\"8\"")).unwrap_err();
        assert!(foreign.contains("another app id"), "{foreign}");
        assert!(!format!("{token:?}").contains("canary"));
    }

    #[test]
    fn what_is_corrupt_says_why_without_showing_it() {
        for text in [
            "",
            "null",
            "[]",
            r#"{"app_id":"7","access_token":"canary","expires_at_ms":1"#,
            r#"{"app_id":"7","access_token":"canary","expires_at_ms":"canary"}"#,
            r#"{"app_id":"7","access_token":"","expires_at_ms":1}"#,
            r#"{"app_id":"7","access_token":"can ary","expires_at_ms":1}"#,
            "canary-token",
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains("access token"), "{text}: {error}");
            assert!(!error.contains("canary"), "{text}: {error}");
        }
        let far = r#"{"app_id":"7","access_token":"t","expires_at_ms":18446744073709551615}"#;
        let far = read(far).unwrap();
        assert!(far.expires_at() >= SystemTime::UNIX_EPOCH);
    }
}
