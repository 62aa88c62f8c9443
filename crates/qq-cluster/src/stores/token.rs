//! One access token for the cluster, and one process at a time that fetches it.

use std::time::Duration;

use qq_http::{StoredToken, TokenLease, TokenStore, TokenStoreError, TokenStoreFuture};
use qq_model::id::AppId;

use crate::nats::{BRIEF_AGE, Bucket, Layout};
use crate::{ClusterError, ClusterErrorKind};

const TOKEN: &str = "token";
const LEASE: &str = "token-lease";

/// A [`TokenStore`] that all processes of a cluster share.
#[derive(Clone, Debug)]
pub(crate) struct ClusterTokenStore {
    state: Bucket,
    brief: Bucket,
}

impl ClusterTokenStore {
    pub(crate) fn new(layout: &Layout) -> Self {
        Self {
            state: layout.state.clone(),
            brief: layout.brief.clone(),
        }
    }
}

impl TokenStore for ClusterTokenStore {
    fn load<'a>(&'a self, app_id: &'a AppId) -> TokenStoreFuture<'a, Option<StoredToken>> {
        Box::pin(async move {
            match self.state.load_bytes(TOKEN).await.map_err(failed)? {
                None => Ok(None),
                Some(entry) => StoredToken::from_bytes(app_id, &entry.value).map(Some),
            }
        })
    }

    fn save<'a>(
        &'a self,
        app_id: &'a AppId,
        token: &'a StoredToken,
        seen: Option<&'a StoredToken>,
    ) -> TokenStoreFuture<'a, bool> {
        Box::pin(async move {
            let kept = self.state.load_bytes(TOKEN).await.map_err(failed)?;
            // What cannot be read counts as nothing, and is replaced.
            let known = kept
                .as_ref()
                .and_then(|entry| StoredToken::from_bytes(app_id, &entry.value).ok());
            if known.as_ref() != seen {
                return Ok(false);
            }
            let bytes = token.to_bytes(app_id).into();
            let revision = kept.map(|entry| entry.revision);
            match self.state.save_bytes(TOKEN, bytes, revision).await {
                Ok(_) => Ok(true),
                Err(error) if error.kind() == ClusterErrorKind::Conflict => Ok(false),
                Err(error) => Err(failed(error)),
            }
        })
    }

    fn lease<'a>(&'a self, _: &'a AppId, at_most: Duration) -> TokenStoreFuture<'a, TokenLease> {
        Box::pin(async move {
            // The entry vanishes by itself; a fetch that takes longer is joined by another, which does no harm.
            match self.brief.create(LEASE, &()).await {
                Ok(revision) => Ok(TokenLease::Granted(revision)),
                Err(error) if error.kind() == ClusterErrorKind::Conflict => {
                    Ok(TokenLease::Held(at_most.min(BRIEF_AGE)))
                }
                Err(error) => Err(failed(error)),
            }
        })
    }

    fn release<'a>(&'a self, _: &'a AppId, lease: u64) -> TokenStoreFuture<'a, ()> {
        Box::pin(async move { self.brief.erase(lease).await.map_err(failed) })
    }
}

fn failed(error: ClusterError) -> TokenStoreError {
    TokenStoreError::new("the cluster's token could not be read or written").with_source(error)
}
