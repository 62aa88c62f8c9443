//! A token that others may have fetched already: what the manager does with its store.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use qq_model::BearerToken;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::fetch::{Fetched, Fetcher};
use super::schedule::GAP;
use super::store::{StoredToken, TokenLease, TokenStore, TokenStoreError, TokenStoreFuture};
use crate::error::Error;

/// How long one step of a store may take.
const STEP: Duration = Duration::from_secs(2);
/// How often the store is looked at while somebody else fetches.
const POLL: Duration = Duration::from_millis(250);

/// Where tokens come from: the platform, or a store in which somebody left one.
pub(super) struct Source {
    pub(super) fetcher: Fetcher,
    pub(super) store: Option<Arc<dyn TokenStore>>,
}

impl Source {
    /// A token other than `avoid`, which was refused or is about to end. Nothing is done before `begins`.
    pub(super) async fn obtain(
        self: Arc<Self>,
        begins: Instant,
        avoid: Option<BearerToken>,
    ) -> Result<Fetched, Error> {
        sleep_until(begins).await;
        match &self.store {
            Some(store) => self.obtain_from(&**store, avoid.as_ref()).await,
            None => self.fetcher.fetch().await,
        }
    }

    /// How long obtaining a token takes at most, if somebody carries it on.
    pub(super) fn patience(&self) -> Duration {
        let fetch = self.fetcher.timeout() + Duration::from_secs(1);
        match self.store {
            Some(_) => fetch + self.lease_for() + STEP * 6,
            None => fetch,
        }
    }

    /// A lease outlives the fetch that it is for.
    fn lease_for(&self) -> Duration {
        self.fetcher.timeout() + STEP * 2
    }

    async fn obtain_from(
        &self,
        store: &dyn TokenStore,
        avoid: Option<&BearerToken>,
    ) -> Result<Fetched, Error> {
        let app_id = self.fetcher.app_id();
        let usable =
            |kept: &Option<StoredToken>| kept.as_ref().and_then(|kept| usable(kept, avoid));
        let mut kept = step("read", store.load(app_id)).await.flatten();
        if let Some(found) = usable(&kept) {
            return Ok(found);
        }
        let patience = Instant::now() + self.lease_for();
        let lease = loop {
            match step("leased", store.lease(app_id, self.lease_for())).await {
                Some(TokenLease::Granted(lease)) => break Some(lease),
                Some(TokenLease::Held(left)) if Instant::now() < patience => {
                    sleep(left.clamp(Duration::from_millis(10), POLL)).await;
                }
                Some(TokenLease::Held(_)) => {
                    tracing::warn!(
                        "the lease of the token store does not end: fetching without it"
                    );
                    break None;
                }
                None => break None,
            }
            kept = step("read", store.load(app_id)).await.flatten();
            if let Some(found) = usable(&kept) {
                return Ok(found);
            }
        };
        let outcome = async {
            // Whoever had the lease before may have left a token.
            if lease.is_some() {
                kept = step("read", store.load(app_id)).await.flatten();
                if let Some(found) = usable(&kept) {
                    return Ok(found);
                }
            }
            let fetched = self.fetcher.fetch().await?;
            self.save(store, &fetched, kept, avoid).await;
            Ok(fetched)
        }
        .await;
        if let Some(lease) = lease {
            step("released", store.release(app_id, lease)).await;
        }
        outcome
    }

    /// Leaves a token for others, unless one of them left a better one meanwhile.
    async fn save(
        &self,
        store: &dyn TokenStore,
        fetched: &Fetched,
        mut kept: Option<StoredToken>,
        avoid: Option<&BearerToken>,
    ) {
        let app_id = self.fetcher.app_id();
        let token = StoredToken::new(fetched.token.clone(), fetched.ends_at());
        for _ in 0..2 {
            if step("written", store.save(app_id, &token, kept.as_ref())).await != Some(false) {
                return;
            }
            kept = step("read", store.load(app_id)).await.flatten();
            let is_better = |kept: &StoredToken| {
                Some(kept.token()) != avoid && kept.expires_at() >= token.expires_at()
            };
            if kept.as_ref().is_some_and(is_better) {
                return;
            }
        }
        tracing::debug!("the token store changes too fast to be written");
    }
}

/// A stored token that calls can be made with.
fn usable(kept: &StoredToken, avoid: Option<&BearerToken>) -> Option<Fetched> {
    let left = kept.expires_at().duration_since(SystemTime::now()).ok()?;
    if left < GAP || Some(kept.token()) == avoid {
        return None;
    }
    let found = Fetched::new(kept.token().clone(), Instant::now(), left).ok()?;
    tracing::debug!(
        lifetime_s = left.as_secs(),
        "access token found in the store"
    );
    Some(found)
}

/// One step of a store. A store that fails is passed over: tokens can always be fetched.
async fn step<T>(verb: &'static str, work: TokenStoreFuture<'_, T>) -> Option<T> {
    let outcome = timeout(STEP, work).await.unwrap_or_else(|_| {
        Err(TokenStoreError::new(format!(
            "no answer within {} s",
            STEP.as_secs()
        )))
    });
    outcome
        .inspect_err(|error| tracing::warn!(%error, "the token store cannot be {verb}"))
        .ok()
}
