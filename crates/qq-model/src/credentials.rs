//! A bot's own credentials.

use std::fmt;
use std::sync::Arc;

use serde::Deserializer;
use zeroize::Zeroize;

use crate::id::AppId;
use crate::wire::{FromScalar, Lenient, Scalar, read_scalar};

/// The environment variable that [`Token::from_env`] reads the app id from.
pub const APP_ID_VARIABLE: &str = "QQ_BOT_APP_ID";
/// The environment variable that [`Token::from_env`] reads the secret from.
pub const SECRET_VARIABLE: &str = "QQ_BOT_SECRET";

/// A bot's app id and secret, from the console's development settings.
///
/// Access tokens are fetched with it and webhook signatures derived from it. The secret is never shown:
///
/// ```
/// use qq_model::Token;
///
/// let token = Token::new("102000000", "DG5g3B4j9X2KOErG");
/// assert_eq!(format!("{token:?}"), r#"Token { app_id: "102000000", secret: <redacted> }"#);
/// ```
#[derive(Clone)]
pub struct Token {
    app_id: AppId,
    secret: Secret,
}

impl Token {
    /// Credentials as the console shows them; surrounding white space is dropped.
    #[must_use]
    pub fn new(app_id: impl AsRef<str>, secret: impl AsRef<str>) -> Self {
        Self {
            app_id: AppId::new(app_id.as_ref().trim()),
            secret: Secret::new(secret.as_ref().trim()),
        }
    }

    /// Credentials from `QQ_BOT_APP_ID` and `QQ_BOT_SECRET`.
    ///
    /// # Errors
    ///
    /// [`InvalidToken`], which names the variable that is missing or malformed.
    pub fn from_env() -> Result<Self, InvalidToken> {
        let read = |variable| {
            std::env::var(variable).map_err(|_| InvalidToken {
                field: variable,
                why: "is not set",
            })
        };
        let token = Self::new(read(APP_ID_VARIABLE)?, read(SECRET_VARIABLE)?);
        token.validate().map_err(|error| InvalidToken {
            field: if error.field == APP_ID {
                APP_ID_VARIABLE
            } else {
                SECRET_VARIABLE
            },
            ..error
        })?;
        Ok(token)
    }

    /// Checks the form of both parts; only the platform knows whether they are right.
    ///
    /// # Errors
    ///
    /// [`InvalidToken`], which names the part and what is wrong with it.
    pub fn validate(&self) -> Result<(), InvalidToken> {
        let app_id = self.app_id.text();
        if app_id.is_empty() {
            return Err(InvalidToken {
                field: APP_ID,
                why: "is empty",
            });
        }
        if !app_id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidToken {
                field: APP_ID,
                why: "has characters other than digits",
            });
        }
        if self.secret.expose().is_empty() {
            return Err(InvalidToken {
                field: SECRET,
                why: "is empty",
            });
        }
        if self
            .secret
            .expose()
            .bytes()
            .any(|byte| byte.is_ascii_control() || byte == b' ')
        {
            return Err(InvalidToken {
                field: SECRET,
                why: "has white space or control characters",
            });
        }
        Ok(())
    }

    /// The app id.
    #[must_use]
    pub const fn app_id(&self) -> &AppId {
        &self.app_id
    }

    /// The secret.
    #[must_use]
    pub const fn secret(&self) -> &Secret {
        &self.secret
    }
}

const APP_ID: &str = "app_id";
const SECRET: &str = "secret";

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("app_id", &self.app_id)
            .field("secret", &self.secret)
            .finish()
    }
}

/// A text that must not be seen: `Debug` hides it, and its memory is overwritten when the last clone is dropped. Clones
/// share the text.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<Wiped>);

/// The text, in one place.
#[derive(PartialEq, Eq)]
struct Wiped(Box<str>);

impl Secret {
    /// Hides a text.
    #[must_use]
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(Arc::new(Wiped(text.into())))
    }

    /// The hidden text. Keep it out of logs, errors and anything that outlives the call.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0.0
    }
}

impl FromScalar for Secret {
    fn from_scalar(scalar: Scalar<'_>) -> Option<Self> {
        Box::<str>::from_scalar(scalar).map(Self::new)
    }
}

impl<'de> Lenient<'de> for Secret {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        read_scalar(deserializer)
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// Credentials that cannot be right: a part is missing or malformed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct InvalidToken {
    field: &'static str,
    why: &'static str,
}

impl InvalidToken {
    /// Which part: `app_id`, `secret`, or the name of an environment variable.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        self.field
    }
}

impl fmt::Display for InvalidToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}: copy the bot's AppID and AppSecret from the console's development settings",
            self.field, self.why
        )
    }
}

/// As `Display`: a program whose `main` returns one says what to do.
impl fmt::Debug for InvalidToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for InvalidToken {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_malformed_part_is_named() {
        for (app_id, secret, field) in [
            ("", "s", "app_id"),
            ("10a", "s", "app_id"),
            ("1", " ", "secret"),
            ("1", "a b", "secret"),
        ] {
            let error = Token::new(app_id, secret).validate().unwrap_err();
            assert_eq!(error.field(), field, "{app_id:?} {secret:?}");
            let text = format!("{error:?}");
            assert!(
                text.starts_with(field) && text.contains("console"),
                "{text}"
            );
        }
        Token::new(" 102000000\n", "DG5g3B4j9X2KOErG ")
            .validate()
            .unwrap();
    }
}
