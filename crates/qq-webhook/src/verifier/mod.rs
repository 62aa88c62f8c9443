//! Who signed a request, for which bot, and when.

mod builder;
mod head;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use qq_model::id::AppId;
use qq_model::{EventKinds, Token};

pub use self::builder::{BuildError, VerifierBuilder};
pub(crate) use self::head::Head;
use crate::error::{Error, ErrorKind};
use crate::headers::Headers;
use crate::replay::Replay;
use crate::signature::KeyPair;
use crate::stats::{Counters, Stats};

/// Verifies callbacks and answers them. Clones share everything: bots, memory for ids, counters.
///
/// * [`verify`](Self::verify) only looks at the signature.
/// * [`handle`](Self::handle) does everything for one request: what a serverless function needs.
/// * [`receive`](Self::receive) is the same, with the last word about an event left to the caller.
///
/// None of them waits or does I/O, and none knows a runtime. Requests for several bots may come to one
/// address: the header `X-Bot-Appid` says which bot each is for.
#[derive(Clone)]
pub struct Verifier {
    shared: Arc<Shared>,
}

/// What the clones of a verifier share.
pub(crate) struct Shared {
    /// More than one key pair only while a bot's secret is being changed.
    bots: HashMap<AppId, Vec<KeyPair>>,
    /// In seconds.
    freshness: u64,
    clock: Box<dyn Fn() -> SystemTime + Send + Sync>,
    pub(crate) events: EventKinds,
    pub(crate) replay: Replay,
    pub(crate) counters: Counters,
}

impl Shared {
    /// Seconds since 1970.
    pub(crate) fn now(&self) -> u64 {
        (self.clock)()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs())
    }
}

/// A request that a bot's platform signed. See [`Verifier::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The bot that the request is for.
    pub app_id: AppId,
    /// When it was signed, in seconds since 1970.
    pub timestamp: u64,
}

impl Verifier {
    /// For one bot, with the defaults of [`VerifierBuilder`].
    ///
    /// # Errors
    ///
    /// [`BuildError`] when the app id or the secret is malformed.
    pub fn new(token: &Token) -> Result<Self, BuildError> {
        Self::builder().bot(token).build()
    }

    /// For several bots, or with other limits.
    pub fn builder() -> VerifierBuilder {
        VerifierBuilder::default()
    }

    /// Whether the platform signed a request, and not too long ago.
    ///
    /// `body` is what came, byte for byte: decoding and encoding it again breaks the signature. Nothing is
    /// counted, and a request that is sent twice is verified twice.
    ///
    /// ```
    /// use qq_model::Token;
    /// use qq_webhook::{ErrorKind, Verifier};
    ///
    /// let verifier = Verifier::new(&Token::new("102000000", "DG5g3B4j9X2KOErG"))?;
    /// let error = verifier.verify(&[("X-Bot-Appid", "102000000")], b"{}").unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::MissingSignature);
    /// assert_eq!(error.status(), 401);
    /// # Ok::<(), qq_webhook::BuildError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MissingAppId`], [`UnknownApp`](ErrorKind::UnknownApp),
    /// [`MissingSignature`](ErrorKind::MissingSignature), [`MalformedSignature`](ErrorKind::MalformedSignature),
    /// [`MissingTimestamp`](ErrorKind::MissingTimestamp), [`MalformedTimestamp`](ErrorKind::MalformedTimestamp),
    /// [`InvalidSignature`](ErrorKind::InvalidSignature), [`StaleTimestamp`](ErrorKind::StaleTimestamp).
    pub fn verify<H: Headers + ?Sized>(&self, headers: &H, body: &[u8]) -> Result<Verified, Error> {
        let head = self.head(headers)?;
        self.authenticate(&head, body)?;
        Ok(Verified {
            app_id: head.app_id,
            timestamp: head.seconds,
        })
    }

    /// What became of all requests so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.counters.snapshot()
    }

    /// Reads the headers: everything that can be refused before the body is there.
    pub(crate) fn head<H: Headers + ?Sized>(&self, headers: &H) -> Result<Head, ErrorKind> {
        Head::read(headers, &self.shared.bots)
    }

    /// The key pair that the request was signed with.
    ///
    /// The signature comes first, so that a stale timestamp says something about a clock and not about a stranger.
    pub(crate) fn authenticate(&self, head: &Head, body: &[u8]) -> Result<&KeyPair, ErrorKind> {
        let keys = self
            .shared
            .bots
            .get(&head.app_id)
            .ok_or(ErrorKind::UnknownApp)?
            .iter()
            .find(|keys| keys.verify_event(&head.timestamp, body, &head.signature))
            .ok_or(ErrorKind::InvalidSignature)?;
        if head.seconds.abs_diff(self.shared.now()) > self.shared.freshness {
            return Err(ErrorKind::StaleTimestamp);
        }
        Ok(keys)
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Counts a refusal.
    pub(crate) fn counted<T, E: Into<Error>>(&self, result: Result<T, E>) -> Result<T, Error> {
        result.map_err(|error| {
            let error = error.into();
            self.shared.counters.refused(error.kind());
            error
        })
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("bots", &self.shared.bots.keys())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
