//! Saving sessions now and then.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use qq_gateway::Session;
use qq_model::gateway::ShardId;
use qq_model::id::AppId;
use qq_model::{Intents, Timestamp};
use tokio::time::{Instant, timeout, timeout_at};

use super::{Health, SessionKey, SessionSave, SessionStore, within};
use crate::BotError;
use crate::dispatch::Progress;
use crate::error::ErrorKind;

/// The least time between two saves.
const THROTTLE: Duration = Duration::from_secs(1);
/// A session that is not saved for so long looks older than it is.
const REFRESH: Duration = Duration::from_secs(60);

/// Saves the sessions of one run.
pub(crate) struct SessionKeeper {
    store: Arc<dyn SessionStore>,
    app_id: AppId,
    intents: Intents,
    max_age: Duration,
    health: Health,
    shards: Mutex<Vec<Arc<Kept>>>,
}

/// One shard.
struct Kept {
    key: SessionKey,
    progress: Arc<Progress>,
    saved: tokio::sync::Mutex<Saved>,
}

/// What the store has.
#[derive(Default)]
struct Saved {
    revision: Option<u64>,
    /// Another process writes to the same place: it is left to it.
    is_lost: bool,
    position: Option<(qq_model::id::SessionId, u64)>,
}

impl SessionKeeper {
    pub(crate) fn new(
        store: Arc<dyn SessionStore>,
        app_id: AppId,
        intents: Intents,
        max_age: Duration,
    ) -> Self {
        Self {
            store,
            app_id,
            intents,
            max_age,
            health: Health::default(),
            shards: Mutex::default(),
        }
    }

    /// Looks after a shard; its session, if one can be resumed.
    pub(crate) async fn keep(
        &self,
        shard: ShardId,
        progress: &Arc<Progress>,
    ) -> Result<Option<Session>, BotError> {
        let key = SessionKey {
            app_id: self.app_id.clone(),
            shard,
        };
        let loaded = within(self.store.load(&key)).await;
        let loaded = self.health.check("the session store", loaded);
        let (stored, failed) = match loaded {
            Ok(stored) => (stored, None),
            Err(error) => (None, error),
        };
        let kept = Arc::new(Kept {
            key,
            progress: Arc::clone(progress),
            saved: tokio::sync::Mutex::new(Saved {
                revision: stored.as_ref().map(|stored| stored.revision),
                ..Saved::default()
            }),
        });
        self.lock().push(kept);
        let session = stored
            .map(|stored| stored.session)
            .filter(|session| self.is_fresh(session, shard));
        if let Some(session) = &session {
            progress.restart(session.id.clone(), session.sequence);
        }
        failed.map_or(Ok(session), Err)
    }

    /// Saves what has changed, now and then; `report` is told of the first failure of an outage.
    pub(crate) async fn run(&self, report: impl Fn(BotError)) {
        let shards = self.lock().clone();
        if shards.is_empty() {
            return;
        }
        loop {
            let news = futures_util::future::select_all(
                shards.iter().map(|kept| Box::pin(kept.progress.changed())),
            );
            let is_due = timeout(REFRESH, news).await.is_err();
            self.save(&shards, is_due, &report).await;
            tokio::time::sleep(THROTTLE).await;
        }
    }

    /// Saves everything for the last time; how many sessions the store has now.
    pub(crate) async fn finish(&self, deadline: Instant, report: impl Fn(BotError)) -> usize {
        let shards = self.lock().clone();
        timeout_at(deadline, self.save(&shards, true, &report))
            .await
            .unwrap_or(0)
    }

    async fn save(&self, shards: &[Arc<Kept>], is_due: bool, report: &impl Fn(BotError)) -> usize {
        let mut count = 0;
        for kept in shards {
            let Some((id, sequence)) = kept.progress.session() else {
                continue;
            };
            let mut saved = kept.saved.lock().await;
            let position = Some((id.clone(), sequence));
            if saved.is_lost || (!is_due && saved.position == position) {
                continue;
            }
            let session = Session {
                id,
                sequence,
                shard: kept.key.shard,
                intents: self.intents,
                saved_at: Timestamp::from(SystemTime::now()),
            };
            let result = within(self.store.save(&kept.key, &session, saved.revision)).await;
            match self.health.check("the session store", result) {
                Ok(SessionSave::Saved(revision)) => {
                    saved.revision = Some(revision);
                    saved.position = position;
                    count += 1;
                }
                Ok(SessionSave::Conflict) => {
                    saved.is_lost = true;
                    report(BotError::new(
                        ErrorKind::Store,
                        format!(
                            "another process saves the session of {}: two run the same shard",
                            kept.key
                        ),
                    ));
                }
                Err(Some(error)) => report(error),
                Err(None) => {}
            }
        }
        count
    }

    /// Whether the platform may still know a session, and it is of use to this shard.
    fn is_fresh(&self, session: &Session, shard: ShardId) -> bool {
        let age = SystemTime::now()
            .duration_since(
                session
                    .saved_at
                    .to_system_time()
                    .unwrap_or(SystemTime::UNIX_EPOCH),
            )
            .unwrap_or_default();
        let fits = session.shard == shard && session.intents == self.intents;
        if !fits || age > self.max_age {
            tracing::info!(%shard, ?age, fits, "the saved session is of no use: a new one is opened");
        }
        fits && age <= self.max_age
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Kept>>> {
        self.shards.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
