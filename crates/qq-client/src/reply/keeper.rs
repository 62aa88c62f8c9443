//! The store of answers, as the client uses it: with deadlines, and going on without it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use qq_model::outgoing::ReplyTo;
use tokio::time::{Instant, timeout};

use super::ledger::Entry;
use super::record::Record;
use super::reporter::Reporter;
use super::store::{ReplySave, ReplyStore, StoredReply};
use crate::error::ErrorKind;
use crate::{BotError, StoreError};

/// A record is kept for so long after its window: a message that is handled again later is not answered again.
const AFTERWARDS: Duration = Duration::from_secs(60 * 60);
/// How often a save is tried that others come in between.
const ATTEMPTS: u32 = 8;

/// A store, and whether it works.
pub(crate) struct Keeper {
    store: Arc<dyn ReplyStore>,
    timeout: Duration,
    has_failed: AtomicBool,
    failures: AtomicU64,
    /// Told once when the store stops working.
    reporter: Reporter,
}

impl Keeper {
    pub(crate) fn new(store: Arc<dyn ReplyStore>, timeout: Duration, reporter: Reporter) -> Self {
        Self {
            store,
            timeout,
            has_failed: AtomicBool::new(false),
            failures: AtomicU64::new(0),
            reporter,
        }
    }

    pub(crate) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Takes over what the store has of a page, once. When it fails, the page begins empty.
    pub(crate) async fn load(&self, target: &ReplyTo, entry: &Entry) {
        if entry.saved().is_loaded {
            return;
        }
        // The gate is never closed.
        let _turn = entry.gate.acquire().await;
        if entry.saved().is_loaded {
            return;
        }
        let key = key(target);
        let loaded = self
            .call(self.store.load(&key))
            .await
            .and_then(|stored| self.read(stored));
        let mut saved = entry.saved();
        saved.is_loaded = true;
        if let Some(Some((record, revision))) = loaded {
            entry
                .page()
                .adopt(record.clone(), Instant::now(), unix_now());
            saved.revision = Some(revision);
            saved.record = record;
        }
    }

    /// Writes a page; whether answers may be sent from here. `begun` is a slot that nothing was sent from: it may get
    /// another number.
    pub(crate) async fn save(&self, target: &ReplyTo, entry: &Entry, begun: Option<usize>) -> bool {
        // The gate is never closed.
        let _turn = entry.gate.acquire().await;
        let key = key(target);
        for _ in 0..ATTEMPTS {
            let unix = unix_now();
            let record = entry.page().to_record(Instant::now(), unix);
            let keep_for = record.closes_at.saturating_sub(unix) + AFTERWARDS;
            let expected = {
                let saved = entry.saved();
                if saved.revision.is_some() && saved.record == record {
                    return true;
                }
                saved.revision
            };
            let json = record.to_json();
            let save = self.store.save(&key, &json, expected, keep_for);
            match self.call(save).await {
                Some(ReplySave::Saved(revision)) => {
                    let mut saved = entry.saved();
                    saved.revision = Some(revision);
                    saved.record = record;
                    return true;
                }
                Some(ReplySave::Revoked) => return false,
                Some(ReplySave::Conflict) => {
                    let Some(stored) = self.call(self.store.load(&key)).await else {
                        return true;
                    };
                    let mut saved = entry.saved();
                    match self.read(stored) {
                        Some(Some((record, revision))) => {
                            entry.page().merge(record.clone(), &saved.record, begun);
                            saved.revision = Some(revision);
                            saved.record = record;
                        }
                        // It was forgotten there, or nobody can read it: it is written anew.
                        Some(None) => saved.revision = None,
                        None => return true,
                    }
                }
                None => return true,
            }
        }
        self.fail("somebody else saves the same answers all the time".into());
        true
    }

    async fn call<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Option<T> {
        match timeout(self.timeout, call).await {
            Ok(Ok(value)) => {
                self.has_failed.store(false, Ordering::Relaxed);
                Some(value)
            }
            Ok(Err(error)) => {
                self.fail(error.into());
                None
            }
            Err(_) => {
                let seconds = self.timeout.as_secs_f32();
                self.fail(format!("it did not answer within {seconds} s").into());
                None
            }
        }
    }

    /// `None` when nobody can read it.
    fn read(&self, stored: Option<StoredReply>) -> Option<Option<(Record, u64)>> {
        let Some(stored) = stored else {
            return Some(None);
        };
        match Record::from_json(&stored.value) {
            Ok(record) => Some(Some((record, stored.revision))),
            Err(error) => {
                self.fail(error.into());
                None
            }
        }
    }

    fn fail(&self, cause: Box<dyn std::error::Error + Send + Sync>) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        if !self.has_failed.swap(true, Ordering::Relaxed) {
            self.reporter.report(BotError::with_source(
                ErrorKind::Store,
                "the store of replies failed: answers are remembered in memory only until it works again",
                cause,
            ));
        }
    }
}

fn key(target: &ReplyTo) -> String {
    match target {
        ReplyTo::Message(id) => format!("m:{id}"),
        ReplyTo::Event(id) => format!("e:{id}"),
    }
}

fn unix_now() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}
