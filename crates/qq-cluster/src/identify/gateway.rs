//! What the platform says of its gateway. It may be asked twice a minute, so one process asks for all of them.

use std::time::{Duration, SystemTime};

use futures_util::TryStreamExt;
use qq_gateway::SessionQuotaError;
use qq_http::HttpClient;
use qq_model::gateway::GatewayBot;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::PREFIX;
use crate::nats::{Bucket, Entry, Layout, interrupted};
use crate::{ClusterError, ClusterErrorKind};

/// The answer that all processes use.
const ANSWER: &str = "gateway";
/// What lives as long as somebody asks.
const ASKING: &str = "gateway-asking";
/// How long an answer is used.
const FRESH: Duration = Duration::from_secs(60);
/// How long an answer is used that allows no session any more.
const USED_UP: Duration = Duration::from_secs(30);
/// How often those look who wait for another's answer.
const PAUSE: Duration = Duration::from_millis(250);

/// `GET /gateway/bot` of the cluster, and the sessions that may still be opened today.
#[derive(Clone, Debug)]
pub(crate) struct ClusterGateway {
    state: Bucket,
    brief: Bucket,
    http: HttpClient,
}

/// What the platform said, less what was begun since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) url: Box<str>,
    /// The recommended number of shards.
    pub(crate) shards: u32,
    /// How many sessions may be opened within five seconds.
    pub(crate) slots: u32,
    /// How many in a day; 0 when the platform does not say.
    total: u32,
    /// How many of them were left when the platform was asked.
    said: u32,
    /// How many are left now.
    left: u32,
    /// When the day is over, in milliseconds since 1970. The same clock for the next.
    resets_at: u64,
    asked_at: u64,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Unanswered {
    Cluster(ClusterError),
    Platform(qq_http::Error),
}

/// What became of the wish to open a session.
#[derive(Debug)]
pub(crate) enum Session {
    /// It may be opened, and is counted.
    Granted,
    /// It may be that none is left: the platform is asked again in a while.
    Later,
    /// None is left of the day.
    UsedUp(SessionQuotaError),
}

impl ClusterGateway {
    pub(crate) fn new(layout: &Layout, http: HttpClient) -> Self {
        Self {
            state: layout.state.clone(),
            brief: layout.brief.clone(),
            http,
        }
    }

    /// The last answer, where it is not too old; otherwise another.
    pub(crate) async fn answer(&self) -> Result<Answer, Unanswered> {
        let entry = self.fresh(0).await?;
        Ok(entry.value)
    }

    /// Takes one of the day's sessions, for somebody who has a slot.
    pub(super) async fn take_session(&self) -> Result<Session, Unanswered> {
        loop {
            let Entry {
                value: mut answer,
                revision,
            } = self.fresh(1).await?;
            if answer.total == 0 {
                return Ok(Session::Granted);
            }
            let Some(left) = answer.left.checked_sub(1) else {
                return Ok(answer.refusal());
            };
            answer.left = left;
            match self.state.update(ANSWER, &answer, revision).await {
                Ok(_) => return Ok(Session::Granted),
                Err(error) if error.kind() == ClusterErrorKind::Conflict => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// An answer that can be used, for somebody who has so many slots.
    async fn fresh(&self, own: u32) -> Result<Entry<Answer>, Unanswered> {
        loop {
            let entry = self.state.load::<Answer>(ANSWER).await?;
            let revision = entry.as_ref().map(|entry| entry.revision);
            if let Some(entry) = entry.filter(|entry| entry.value.is_fresh(now())) {
                return Ok(entry);
            }
            match self.brief.create(ASKING, &()).await {
                Ok(turn) => {
                    // When it fails the turn ends by itself, so that a platform in trouble is not asked by everybody.
                    let entry = self.ask(own, revision).await?;
                    if let Err(error) = self.brief.erase(turn).await {
                        tracing::debug!(error = ?error, "a turn to ask for the gateway ends by itself");
                    }
                    return Ok(entry);
                }
                Err(error) if error.kind() == ClusterErrorKind::Conflict => sleep(PAUSE).await,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Asks the platform, and writes its answer down instead of the one of this revision.
    async fn ask(&self, own: u32, mut revision: Option<u64>) -> Result<Entry<Answer>, Unanswered> {
        let gateway = self
            .http
            .gateway_bot()
            .await
            .map_err(Unanswered::Platform)?;
        loop {
            // The platform may not count those yet that were just opened, or are about to be.
            let others = self.taken().await?.saturating_sub(own);
            let answer = Answer::new(&gateway, others, now());
            let saved = match revision {
                Some(revision) => self.state.update(ANSWER, &answer, revision).await,
                None => self.state.create(ANSWER, &answer).await,
            };
            match saved {
                Ok(revision) => {
                    return Ok(Entry {
                        value: answer,
                        revision,
                    });
                }
                // Somebody took a session meanwhile, by the answer before.
                Err(error) if error.kind() == ClusterErrorKind::Conflict => {
                    let entry = self.state.load_bytes(ANSWER).await?;
                    revision = entry.map(|entry| entry.revision);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// How many slots are taken.
    async fn taken(&self) -> Result<u32, ClusterError> {
        const FAILED: &str = "NATS could not be asked for the slots";
        let store = self.brief.store();
        let subjects = store
            .stream
            .info_with_subjects(format!("{}{PREFIX}.>", store.prefix))
            .await
            .map_err(|error| interrupted(FAILED, error))?;
        subjects
            .try_fold(
                0,
                |count: u32, _| async move { Ok(count.saturating_add(1)) },
            )
            .await
            .map_err(|error| interrupted(FAILED, error))
    }
}

impl Answer {
    fn new(gateway: &GatewayBot, others: u32, now: u64) -> Self {
        let limit = &gateway.session_start_limit;
        Self {
            url: gateway.url.clone(),
            shards: gateway.shards.max(1),
            slots: limit.max_concurrency.max(1),
            total: limit.total,
            said: limit.remaining,
            left: limit.remaining.saturating_sub(others),
            resets_at: now.saturating_add(limit.reset_after_ms),
            asked_at: now,
        }
    }

    fn is_fresh(&self, now: u64) -> bool {
        let is_used_up = self.total > 0 && self.left == 0;
        let limit = if is_used_up { USED_UP } else { FRESH };
        u128::from(now.abs_diff(self.asked_at)) < limit.as_millis() && now < self.resets_at
    }

    /// What somebody hears when none is left.
    fn refusal(&self) -> Session {
        if self.said > 0 {
            return Session::Later;
        }
        let reset_after = Duration::from_millis(self.resets_at.saturating_sub(now()));
        Session::UsedUp(SessionQuotaError::new(1, 0, reset_after))
    }
}

impl From<ClusterError> for Unanswered {
    fn from(error: ClusterError) -> Self {
        Self::Cluster(error)
    }
}

/// The clocks of the machines agree within a second or so.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}
