//! What outlives a process.

mod dedupe;
mod file;
mod health;
mod journal;
mod keeper;
mod quote;
mod session;

pub use self::dedupe::{Begun, DedupeStore, InMemoryDedupeStore};
pub use self::file::{FileStore, FileStoreError};
pub(crate) use self::health::Health;
pub(crate) use self::keeper::SessionKeeper;
pub use self::quote::{InMemoryQuoteStore, QuoteStore};
pub use self::session::{
    InMemorySessionStore, SessionKey, SessionSave, SessionStore, StoredSession,
};

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// The longest that a store is waited for.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(2);

/// What the methods of stores return: [`SessionStore`], [`DedupeStore`], [`QuoteStore`] and
/// [`ReplyStore`](crate::ReplyStore).
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Why a store failed.
#[derive(Debug)]
pub struct StoreError(Box<dyn Error + Send + Sync>);

impl StoreError {
    /// An error with its cause.
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store failed: {}", self.0)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// Waits for a store, but not for ever.
pub(crate) async fn within<T>(work: StoreFuture<'_, T>) -> Result<T, StoreError> {
    match tokio::time::timeout(TIMEOUT, work).await {
        Ok(result) => result,
        Err(_) => Err(StoreError::new(format!("no answer within {TIMEOUT:?}"))),
    }
}
