//! How the crates that talk to the platform get their access token.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use crate::credentials::Secret;

/// What [`AccessToken::get`] returns.
pub type AccessTokenFuture<'a> =
    Pin<Box<dyn Future<Output = Result<BearerToken, AccessTokenError>> + Send + 'a>>;

/// Where access tokens come from.
///
/// `qq-http` implements it with a manager that fetches and renews tokens by itself. A [`BearerToken`] is one
/// that never changes, for whoever gets tokens elsewhere.
pub trait AccessToken: Send + Sync {
    /// A token that can be used now. Dropping the future early is safe.
    fn get(&self) -> AccessTokenFuture<'_>;

    /// Says that the platform refused this token, so that the next [`get`](Self::get) brings another one.
    fn refused(&self, token: &BearerToken);
}

/// An access token. `Debug` hides it; clones share it.
#[derive(Clone, PartialEq, Eq)]
pub struct BearerToken(Arc<Secret>);

impl BearerToken {
    /// A token as the token endpoint returned it.
    #[must_use]
    pub fn new(token: impl Into<Box<str>>) -> Self {
        Self(Arc::new(Secret::new(token)))
    }

    /// The bare token.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// `QQBot <token>`: the `Authorization` header, and `token` in IDENTIFY and RESUME.
    #[must_use]
    pub fn authorization(&self) -> Secret {
        Secret::new(format!("QQBot {}", self.expose()))
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken(<redacted>)")
    }
}

impl AccessToken for BearerToken {
    fn get(&self) -> AccessTokenFuture<'_> {
        Box::pin(std::future::ready(Ok(self.clone())))
    }

    fn refused(&self, _: &BearerToken) {}
}

impl<T: AccessToken + ?Sized> AccessToken for Arc<T> {
    fn get(&self) -> AccessTokenFuture<'_> {
        (**self).get()
    }

    fn refused(&self, token: &BearerToken) {
        (**self).refused(token);
    }
}

/// No access token could be had.
#[derive(Debug)]
pub struct AccessTokenError {
    is_final: bool,
    source: Box<dyn Error + Send + Sync>,
}

impl AccessTokenError {
    /// A failure that may pass: no network, an overloaded server.
    pub fn transient(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            is_final: false,
            source: source.into(),
        }
    }

    /// A failure that asking again does not mend: unknown app id, wrong secret.
    pub fn refused(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            is_final: true,
            source: source.into(),
        }
    }

    /// Whether asking again is of no use until the credentials change.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        self.is_final
    }

    /// The cause, for callers that know its type.
    #[must_use]
    pub fn into_source(self) -> Box<dyn Error + Send + Sync> {
        self.source
    }
}

impl fmt::Display for AccessTokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_final {
            "the platform refused the credentials"
        } else {
            "no access token at the moment"
        })
    }
}

impl Error for AccessTokenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_hidden() {
        let token = BearerToken::new("canary");
        assert!(!format!("{token:?} {:?}", token.authorization()).contains("canary"));
        assert_eq!(token.authorization().expose(), "QQBot canary");
    }
}
