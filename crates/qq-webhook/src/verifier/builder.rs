//! Building a verifier.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use qq_model::credentials::InvalidToken;
use qq_model::id::AppId;
use qq_model::{EventKinds, Token};

use super::{Shared, Verifier};
use crate::replay::Replay;
use crate::signature::{InvalidSecret, KeyPair};
use crate::stats::Counters;

/// Builds a [`Verifier`]. At least one [`bot`](Self::bot) is needed; everything else has a default.
///
/// ```
/// use std::time::Duration;
///
/// use qq_webhook::Verifier;
/// use qq_model::Token;
///
/// let verifier = Verifier::builder()
///     .bot(&Token::new("102000000", "DG5g3B4j9X2KOErG"))
///     .bot(&Token::new("102000001", "naOC0ocQE3shWLAfffVLB1rhYPG7"))
///     .freshness(Duration::from_secs(60))
///     .build()?;
/// # Ok::<(), qq_webhook::BuildError>(())
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct VerifierBuilder {
    bots: Vec<Token>,
    freshness: Duration,
    clock: Box<dyn Fn() -> SystemTime + Send + Sync>,
    events: EventKinds,
    replay_capacity: usize,
    replay_retention: Duration,
}

impl Default for VerifierBuilder {
    fn default() -> Self {
        Self {
            bots: Vec::new(),
            freshness: Duration::from_secs(300),
            clock: Box::new(SystemTime::now),
            events: EventKinds::all(),
            replay_capacity: 1 << 16,
            replay_retention: Duration::ZERO,
        }
    }
}

impl VerifierBuilder {
    /// Adds a bot. The same app id with another secret adds a secret: while a secret is being changed, callbacks signed
    /// with either are taken.
    pub fn bot(mut self, token: &Token) -> Self {
        self.bots.push(token.clone());
        self
    }

    /// How far the time of a signature may be from this machine's clock, in either direction; whole seconds. 5 minutes
    /// by default.
    pub const fn freshness(mut self, window: Duration) -> Self {
        self.freshness = window;
        self
    }

    /// What time it is; the system's clock by default.
    pub fn clock(mut self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Box::new(now);
        self
    }

    /// The kinds of events that are wanted; all by default. Others are acknowledged and dropped without being decoded.
    /// Events whose name this version does not know are always wanted.
    pub const fn events(mut self, kinds: EventKinds) -> Self {
        self.events = kinds;
        self
    }

    /// How many taken events are remembered, so that a repeated one is not taken twice; 65,536 by default, which need
    /// 5 MiB at most. At least 1.
    pub const fn replay_capacity(mut self, events: usize) -> Self {
        self.replay_capacity = events;
        self
    }

    /// For how long taken events are remembered. Never less than twice the [freshness](Self::freshness) window,
    /// which is also the default: until then, a signed request could be repeated.
    pub const fn replay_retention(mut self, retention: Duration) -> Self {
        self.replay_retention = retention;
        self
    }

    /// Builds it.
    ///
    /// # Errors
    ///
    /// [`BuildError`] when there is no bot, or an app id or secret is malformed.
    pub fn build(self) -> Result<Verifier, BuildError> {
        if self.bots.is_empty() {
            return Err(BuildError(Problem::NoBot));
        }
        let mut bots: HashMap<AppId, Vec<KeyPair>> = HashMap::new();
        for token in &self.bots {
            let invalid = |problem| BuildError(Problem::Token(token.app_id().clone(), problem));
            token.validate().map_err(invalid)?;
            let keys = KeyPair::from_secret(token.secret())
                .map_err(|error| BuildError(Problem::Secret(error)))?;
            let known = bots.entry(token.app_id().clone()).or_default();
            if known
                .iter()
                .all(|other| other.public_key() != keys.public_key())
            {
                known.push(keys);
            }
        }
        let freshness = self.freshness.as_secs();
        let retention = self
            .replay_retention
            .as_secs()
            .max(freshness.saturating_mul(2));
        Ok(Verifier {
            shared: Arc::new(Shared {
                bots,
                freshness,
                clock: self.clock,
                events: self.events,
                replay: Replay::new(self.replay_capacity.max(1), retention),
                counters: Counters::default(),
            }),
        })
    }
}

impl fmt::Debug for VerifierBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifierBuilder")
            .field("bots", &self.bots)
            .field("freshness", &self.freshness)
            .field("events", &self.events)
            .field("replay_capacity", &self.replay_capacity)
            .field("replay_retention", &self.replay_retention)
            .finish_non_exhaustive()
    }
}

/// A [`Verifier`] that cannot be built.
#[derive(Clone, PartialEq, Eq)]
pub struct BuildError(Problem);

#[derive(Clone, PartialEq, Eq)]
enum Problem {
    NoBot,
    Token(AppId, InvalidToken),
    Secret(InvalidSecret),
}

/// As `Display`, with the causes: a program whose `main` returns one says what to do.
impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Problem::NoBot => {
                f.write_str("there is no bot to verify callbacks for: call `bot` first")
            }
            Problem::Token(app_id, _) => {
                write!(f, "the credentials of the bot {app_id:?} cannot be used")
            }
            Problem::Secret(_) => f.write_str("no key can be made of the secret"),
        }
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Problem::NoBot => None,
            Problem::Token(_, source) => Some(source),
            Problem::Secret(source) => Some(source),
        }
    }
}

const _: () = assert!(size_of::<BuildError>() <= 64);
