//! Where access tokens are kept beyond one process.

mod file;
mod stored;

use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use qq_model::id::AppId;

pub use self::file::TokenFile;
pub use self::stored::StoredToken;

/// What the methods of a [`TokenStore`] return.
pub type TokenStoreFuture<'a, T> =
    Pin<Box<dyn Future<Output = Result<T, TokenStoreError>> + Send + 'a>>;

/// Keeps access tokens beyond one process: for a bot that restarts often, or one that runs in several processes.
///
/// The [`TokenManager`](crate::TokenManager) asks it before it fetches a token, and gives it what it fetched.
/// Without one ([`HttpClientBuilder::token_store`](crate::HttpClientBuilder::token_store)) tokens stay in
/// memory; [`TokenFile`] is one for processes on one machine.
///
/// Before a fetch the manager takes the [`lease`](Self::lease), so that among all who share the store one fetches
/// and the others wait for what it [`save`](Self::save)s. A store without leases works too: then each process
/// that finds no good token fetches by itself, which the platform answers with the same token.
///
/// Whatever a store does, tokens go on: one that fails, or takes longer than two seconds for a step, is passed
/// over with a warning in the log.
///
/// ```
/// use std::sync::Mutex;
/// use qq_http::{StoredToken, TokenStore, TokenStoreFuture};
/// use qq_model::id::AppId;
///
/// /// Shared by the clients of one process.
/// #[derive(Default)]
/// struct Shared(Mutex<Option<StoredToken>>);
///
/// impl TokenStore for Shared {
///     fn load<'a>(&'a self, _: &'a AppId) -> TokenStoreFuture<'a, Option<StoredToken>> {
///         Box::pin(async { Ok(self.0.lock().unwrap().clone()) })
///     }
///
///     fn save<'a>(
///         &'a self,
///         _: &'a AppId,
///         token: &'a StoredToken,
///         seen: Option<&'a StoredToken>,
///     ) -> TokenStoreFuture<'a, bool> {
///         Box::pin(async move {
///             let mut kept = self.0.lock().unwrap();
///             let is_as_seen = kept.as_ref() == seen;
///             if is_as_seen {
///                 *kept = Some(token.clone());
///             }
///             Ok(is_as_seen)
///         })
///     }
/// }
/// ```
pub trait TokenStore: Send + Sync + 'static {
    /// The token that is kept for this bot.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing. The same holds for the other methods, but that what they were to
    /// change may be changed all the same.
    fn load<'a>(&'a self, app_id: &'a AppId) -> TokenStoreFuture<'a, Option<StoredToken>>;

    /// Keeps `token` if what is kept now is `seen`, and says whether it did. `None` stands for nothing, and for
    /// something that cannot be read.
    fn save<'a>(
        &'a self,
        app_id: &'a AppId,
        token: &'a StoredToken,
        seen: Option<&'a StoredToken>,
    ) -> TokenStoreFuture<'a, bool>;

    /// Asks to be the one who fetches, until [`release`](Self::release) or for so long: whoever took a lease may
    /// be gone before it gives it back. Without an implementation everybody may.
    fn lease<'a>(
        &'a self,
        app_id: &'a AppId,
        at_most: Duration,
    ) -> TokenStoreFuture<'a, TokenLease> {
        let _ = (app_id, at_most);
        Box::pin(std::future::ready(Ok(TokenLease::Granted(0))))
    }

    /// Gives a lease back, by its number; one that ended or that somebody else holds by now stays as it is.
    fn release<'a>(&'a self, app_id: &'a AppId, lease: u64) -> TokenStoreFuture<'a, ()> {
        let _ = (app_id, lease);
        Box::pin(std::future::ready(Ok(())))
    }
}

impl<T: TokenStore + ?Sized> TokenStore for Arc<T> {
    fn load<'a>(&'a self, app_id: &'a AppId) -> TokenStoreFuture<'a, Option<StoredToken>> {
        (**self).load(app_id)
    }

    fn save<'a>(
        &'a self,
        app_id: &'a AppId,
        token: &'a StoredToken,
        seen: Option<&'a StoredToken>,
    ) -> TokenStoreFuture<'a, bool> {
        (**self).save(app_id, token, seen)
    }

    fn lease<'a>(
        &'a self,
        app_id: &'a AppId,
        at_most: Duration,
    ) -> TokenStoreFuture<'a, TokenLease> {
        (**self).lease(app_id, at_most)
    }

    fn release<'a>(&'a self, app_id: &'a AppId, lease: u64) -> TokenStoreFuture<'a, ()> {
        (**self).release(app_id, lease)
    }
}

/// The answer to [`TokenStore::lease`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenLease {
    /// The caller is the one who fetches. The number is the store's, for [`TokenStore::release`].
    Granted(u64),
    /// Somebody else is, for so long at most.
    Held(Duration),
}

/// A store did not do what it was asked for.
#[derive(Debug)]
pub struct TokenStoreError {
    what: Box<str>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl TokenStoreError {
    /// An error that says what failed and why: it is logged, so it must not show a token.
    pub fn new(what: impl Into<Box<str>>) -> Self {
        Self {
            what: what.into(),
            source: None,
        }
    }

    /// The same error with its cause.
    #[must_use]
    pub fn with_source(self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            source: Some(source.into()),
            ..self
        }
    }
}

impl fmt::Display for TokenStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl StdError for TokenStoreError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}
