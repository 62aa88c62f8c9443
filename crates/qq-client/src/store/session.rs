//! Where gateway sessions are kept, to be resumed.

use std::collections::HashMap;
use std::fmt;
use std::future::ready;
use std::sync::{Arc, Mutex, PoisonError};

use qq_gateway::Session;
use qq_model::gateway::ShardId;
use qq_model::id::AppId;

use super::StoreFuture;

/// Keeps gateway sessions beyond one process: [`ClientBuilder::session_store`](crate::ClientBuilder::session_store).
///
/// A session is loaded once for each shard at start, and saved about once a second while events are handled, every
/// minute otherwise, and at stop. Its position is that of the last event before which everything was handled, so that
/// what was not is sent again. Whatever a store does, the bot goes on: one that fails, or takes longer than two seconds,
/// is reported once to [`EventHandler::error`](crate::EventHandler::error) and tried again at the next save.
pub trait SessionStore: Send + Sync + 'static {
    /// The session of a shard.
    fn load<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, Option<StoredSession>>;

    /// Sets the session of a shard if what is kept is still at this revision (`None`: if nothing is kept).
    fn save<'a>(
        &'a self,
        key: &'a SessionKey,
        session: &'a Session,
        expected: Option<u64>,
    ) -> StoreFuture<'a, SessionSave>;
}

/// Several clients, or the same one started again, may share a store.
impl<T: SessionStore + ?Sized> SessionStore for Arc<T> {
    fn load<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, Option<StoredSession>> {
        (**self).load(key)
    }

    fn save<'a>(
        &'a self,
        key: &'a SessionKey,
        session: &'a Session,
        expected: Option<u64>,
    ) -> StoreFuture<'a, SessionSave> {
        (**self).save(key, session, expected)
    }
}

/// Whose session it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SessionKey {
    /// The bot.
    pub app_id: AppId,
    /// Which shard of how many: with another number of shards a bot has other sessions.
    pub shard: ShardId,
}

impl fmt::Display for SessionKey {
    /// `102000000/0/1`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.app_id, self.shard)
    }
}

/// What a [`SessionStore`] has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSession {
    /// The session, as it was saved.
    pub session: Session,
    /// Which save it was.
    pub revision: u64,
}

/// What became of a save.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionSave {
    /// It was done; this is the revision from now on.
    Saved(u64),
    /// Somebody else has saved something meanwhile: another process runs the same shard.
    Conflict,
}

/// A [`SessionStore`] in memory: for clients of one process that follow each other, and for tests.
#[derive(Debug, Default)]
pub struct InMemorySessionStore(Mutex<HashMap<SessionKey, StoredSession>>);

impl SessionStore for InMemorySessionStore {
    fn load<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, Option<StoredSession>> {
        let sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Box::pin(ready(Ok(sessions.get(key).cloned())))
    }

    fn save<'a>(
        &'a self,
        key: &'a SessionKey,
        session: &'a Session,
        expected: Option<u64>,
    ) -> StoreFuture<'a, SessionSave> {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let revision = sessions.get(key).map(|stored| stored.revision);
        let save = if revision == expected {
            let revision = revision.unwrap_or(0) + 1;
            let session = session.clone();
            sessions.insert(key.clone(), StoredSession { session, revision });
            SessionSave::Saved(revision)
        } else {
            SessionSave::Conflict
        };
        Box::pin(ready(Ok(save)))
    }
}
