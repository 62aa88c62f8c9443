//! Access tokens: fetched once for all callers, renewed in time, replaced when they are refused.
//!
//! The platform keeps one token per bot and hands out the same one until its last 60 seconds; the old one stays
//! valid while its successor is already there. So a token is renewed within those 60 seconds and not before, by
//! whichever calls are under way, while they go on with the old one.
//!
//! No task is spawned. A fetch is a shared future that every waiting caller polls: any of them may go away, and
//! the next one carries on.

mod fetch;
mod schedule;
mod shared;
mod store;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use http::HeaderValue;
use qq_model::access_token::AccessTokenFuture;
use qq_model::{AccessToken, AccessTokenError, BearerToken};
use tokio::time::{Instant, timeout, timeout_at};

use self::fetch::Fetched;
pub(crate) use self::fetch::Fetcher;
use self::shared::Source;
pub use self::store::{
    StoredToken, TokenFile, TokenLease, TokenStore, TokenStoreError, TokenStoreFuture,
};
use crate::error::{Error, ErrorKind, Reach};
use crate::observer::Observed;
use crate::random::chance;

/// How long [`AccessToken::get`] waits for a fresher token while the old one is still good.
const COURTESY: Duration = Duration::from_secs(2);
/// How long [`AccessToken::get`] may wait for its turn after failures.
const PATIENCE: Duration = Duration::from_secs(30);

/// The access tokens of one bot.
///
/// [`HttpClient`](crate::HttpClient) uses it for its own calls; [`HttpClient::access_token`](crate::HttpClient::access_token)
/// shares it with a gateway connection.
///
/// * A thousand callers that find no token make one fetch.
/// * A token is renewed in its last 60 seconds; the old one is used until the new one is there.
/// * After a failure fetches back off, from one second to 15; there is no number of failures after which it gives up.
/// * Fetches are at least a second apart.
/// * With a [`TokenStore`] a restart takes over the token that is left, and among several processes one fetches.
///
/// ```
/// use std::sync::Arc;
/// use qq_http::HttpClient;
/// use qq_model::{AccessToken, Token};
///
/// let http = HttpClient::new(Token::new("102000000", "secret"))?;
/// let for_the_gateway: Arc<dyn AccessToken> = http.access_token();
/// # Ok::<(), qq_http::BuildError>(())
/// ```
pub struct TokenManager {
    source: Arc<Source>,
    state: Mutex<State>,
    observer: Observed,
}

#[derive(Default)]
struct State {
    held: Option<Fetched>,
    flight: Option<Flight>,
    flights: u64,
    failures: u32,
    /// No fetch begins before.
    not_before: Option<Instant>,
    last_failure: Option<Error>,
    /// The last token that was refused, while no other one is there.
    refused: Option<BearerToken>,
}

/// A fetch under way, shared by its callers.
#[derive(Clone)]
pub(crate) struct Flight {
    number: u64,
    begins: Instant,
    outcome: Shared<BoxFuture<'static, Result<Fetched, Error>>>,
}

/// A token to make one call with.
pub(crate) struct Acquired {
    pub(crate) token: BearerToken,
    pub(crate) authorization: HeaderValue,
    /// A renewal that this call should drive while it waits for its own answer.
    pub(crate) renewal: Option<Flight>,
}

enum Plan {
    Use(Acquired),
    Wait(Flight),
    Fail(Error),
}

impl TokenManager {
    pub(crate) fn new(
        fetcher: Fetcher,
        store: Option<Arc<dyn TokenStore>>,
        observer: Observed,
    ) -> Self {
        Self {
            source: Arc::new(Source { fetcher, store }),
            state: Mutex::default(),
            observer,
        }
    }

    /// A token for a call that ends at `deadline`.
    ///
    /// # Cancel safety
    ///
    /// A fetch under way is carried on by whoever waits for it next.
    pub(crate) async fn acquire(&self, deadline: Instant) -> Result<Acquired, Error> {
        let flight = match self.plan(deadline) {
            Plan::Use(acquired) => return Ok(acquired),
            Plan::Fail(error) => return Err(error),
            Plan::Wait(flight) => flight,
        };
        // Few calls wait: the others need not carry a timer about.
        match Box::pin(timeout_at(deadline, self.follow(flight))).await {
            Ok(outcome) => outcome.map(|fetched| fetched.acquired(None)),
            Err(_) => Err(self.none_in_time()),
        }
    }

    /// Carries a fetch on to its end.
    pub(crate) async fn follow(&self, flight: Flight) -> Result<Fetched, Error> {
        let outcome = flight.outcome.clone().await;
        self.settle(flight.number, &outcome);
        outcome
    }

    /// The error of a call whose deadline came before a token; it names why the last fetch failed, if one did.
    fn none_in_time(&self) -> Error {
        match self.lock().last_failure.clone() {
            Some(cause) => Error::timed_out(
                Reach::Unsent,
                format!("no access token in time: {}", cause.what()),
            )
            .with_source(cause),
            None => Error::timed_out(Reach::Unsent, "no access token in time"),
        }
    }

    /// Until when the token at hand is good; `None` while there is none. A token is fetched when a call needs one.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        let state = self.lock();
        let held = state.held.as_ref()?;
        (Instant::now() < held.validity.expires_at).then(|| held.ends_at())
    }

    /// Why the last fetch failed; `None` once one succeeded.
    #[must_use]
    pub fn last_failure(&self) -> Option<Error> {
        self.lock().last_failure.clone()
    }

    fn plan(&self, deadline: Instant) -> Plan {
        let now = Instant::now();
        let mut state = self.lock();
        // Nobody carried it on for so long that its connection and its answer are stale.
        if state
            .flight
            .as_ref()
            .is_some_and(|flight| flight.begins + self.source.patience() < now)
        {
            state.flight = None;
        }
        if let Some(held) = state
            .held
            .clone()
            .filter(|held| now < held.validity.expires_at)
        {
            let is_due =
                now >= held.validity.renew_at && state.not_before.is_none_or(|at| at <= now);
            let renewal = if is_due || state.flight.is_some() {
                Some(self.join(&mut state, now))
            } else {
                None
            };
            return Plan::Use(held.acquired(renewal));
        }
        let begins = state
            .flight
            .as_ref()
            .map_or(state.not_before, |flight| Some(flight.begins));
        let has_begun = begins.is_none_or(|at| at <= now);
        match &state.last_failure {
            Some(error)
                if !has_begun && (is_final(error) || begins.is_some_and(|at| at >= deadline)) =>
            {
                Plan::Fail(error.clone())
            }
            _ => Plan::Wait(self.join(&mut state, now)),
        }
    }

    /// The fetch under way, or a new one.
    fn join(&self, state: &mut State, now: Instant) -> Flight {
        if let Some(flight) = &state.flight {
            return flight.clone();
        }
        state.flights += 1;
        let begins = state.not_before.map_or(now, |at| at.max(now));
        let held = state.held.as_ref().map(|held| held.token.clone());
        let avoid = held.or_else(|| state.refused.clone());
        let outcome = Arc::clone(&self.source)
            .obtain(begins, avoid)
            .boxed()
            .shared();
        let flight = Flight {
            number: state.flights,
            begins,
            outcome,
        };
        state.flight = Some(flight.clone());
        flight
    }

    /// Takes over the outcome of a fetch; the first of its callers does.
    fn settle(&self, number: u64, outcome: &Result<Fetched, Error>) {
        let mut state = self.lock();
        if state
            .flight
            .as_ref()
            .is_none_or(|flight| flight.number != number)
        {
            return;
        }
        state.flight = None;
        match outcome {
            Ok(fetched) => {
                state.not_before = Some(fetched.started + schedule::GAP);
                state.failures = 0;
                state.last_failure = None;
                state.refused = None;
                state.held = Some(fetched.clone());
            }
            Err(error) => {
                state.failures = state.failures.saturating_add(1);
                state.not_before =
                    Some(Instant::now() + schedule::backoff(state.failures, chance()));
                state.last_failure = Some(error.clone());
                tracing::warn!(failures = state.failures, %error, "no access token");
            }
        }
        drop(state);
        self.observer.token(outcome.as_ref().map(Fetched::ends_at));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that runs under the lock leaves the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AccessToken for TokenManager {
    fn get(&self) -> AccessTokenFuture<'_> {
        Box::pin(async move {
            let acquired = match self.acquire(Instant::now() + PATIENCE).await {
                Ok(acquired) => acquired,
                Err(error) if is_final(&error) => return Err(AccessTokenError::refused(error)),
                Err(error) => return Err(AccessTokenError::transient(error)),
            };
            let Some(flight) = acquired.renewal else {
                return Ok(acquired.token);
            };
            match timeout(COURTESY, self.follow(flight)).await {
                Ok(Ok(fetched)) => Ok(fetched.token),
                // Noted by `settle`; the old token is still good.
                Ok(Err(_)) | Err(_) => Ok(acquired.token),
            }
        })
    }

    fn refused(&self, token: &BearerToken) {
        let mut state = self.lock();
        if state.held.as_ref().is_some_and(|held| held.token == *token) {
            state.held = None;
            state.refused = Some(token.clone());
            tracing::debug!("access token refused");
        }
    }
}

impl fmt::Debug for TokenManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenManager")
            .field("app_id", self.source.fetcher.app_id())
            .finish_non_exhaustive()
    }
}

/// Whether only other credentials help.
pub(crate) fn is_final(error: &Error) -> bool {
    error.kind() == ErrorKind::Authentication
}
