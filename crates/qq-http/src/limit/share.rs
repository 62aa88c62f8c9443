//! Limits of the bot that several processes keep together.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::line::Line;
use crate::route::Route;

/// Shares the bot's limits with other processes: [`HttpClientBuilder::limit_store`](crate::HttpClientBuilder::limit_store).
///
/// What the platform counts for the whole bot is divided into places: a limit of 30 requests per minute has 30. A request
/// takes a place when it starts, and the place is free again when the limit's time has passed since the answer. A
/// process that shares starts with no places; its store gives it some, out of those that no other process has, and takes
/// back what it does not need. As long as all processes together have no more places than the limit, the
/// platform never counts too many, and a request asks nobody but the process's own memory.
///
/// Limits of single groups, users, channels and guilds are not shared: each conversation is best served by one process at
/// a time.
///
/// ```
/// use qq_http::{HttpClient, LimitStore, SharedLimits};
/// use qq_model::Token;
///
/// /// Half of everything, for the one of two processes.
/// struct Half;
///
/// impl LimitStore for Half {
///     fn open(&self, limits: SharedLimits) {
///         for limit in limits.limits() {
///             let half = limit.places() / 2;
///             limit.set_places(half, half);
///         }
///     }
/// }
///
/// let http = HttpClient::builder(Token::new("102000000", "secret")).limit_store(Half).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait LimitStore: Send + Sync + 'static {
    /// Called once for each client that is built, with its limits: their places are the store's to give from now on. Must
    /// return at once; what takes time is a task's.
    fn open(&self, limits: SharedLimits);
}

impl<T: LimitStore + ?Sized> LimitStore for Arc<T> {
    fn open(&self, limits: SharedLimits) {
        (**self).open(limits);
    }
}

/// The limits of a client that are shared.
pub struct SharedLimits {
    limits: Vec<SharedLimit>,
    wanted: Arc<Notify>,
}

impl SharedLimits {
    pub(super) const fn new(limits: Vec<SharedLimit>, wanted: Arc<Notify>) -> Self {
        Self { limits, wanted }
    }

    /// All of them: each limit of the whole bot, for each of its routes.
    #[must_use]
    pub fn limits(&self) -> &[SharedLimit] {
        &self.limits
    }

    /// Waits until a call found few places left, or none: [`LimitUsage::is_wanted`] says of which limit. Each limit tells
    /// once until its places are set.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn wanted(&self) {
        self.wanted.notified().await;
    }
}

impl fmt::Debug for SharedLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.limits).finish()
    }
}

/// One limit of one route.
#[derive(Clone)]
pub struct SharedLimit {
    lines: Weak<[Mutex<Line>]>,
    wanted: Arc<Notify>,
    line: usize,
    rule: usize,
    name: Box<str>,
    route: Route,
    places: u32,
    memory: Duration,
}

/// How a process uses its places of a [`SharedLimit`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitUsage {
    /// The places that it was given, or those that were taken then if they were more: so many must nobody else have.
    pub places: u32,
    /// The places that are taken.
    pub taken: u32,
    /// The calls to the route that wait for their turn, whatever for.
    pub waiting: u32,
    /// Whether more places are wanted.
    pub is_wanted: bool,
}

/// Places that are taken for some more time and are nobody's after it; see [`SharedLimit::settle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettledPlaces {
    /// When they are free again.
    pub free_at: Instant,
    /// How many.
    pub places: u32,
}

/// Where a limit is found.
#[derive(Clone, Copy)]
pub(super) struct Spot {
    pub(super) line: usize,
    pub(super) rule: usize,
    pub(super) route: Route,
}

impl SharedLimit {
    pub(super) fn new(
        lines: Weak<[Mutex<Line>]>,
        wanted: Arc<Notify>,
        spot: Spot,
        name: &str,
        places: u32,
        memory: Duration,
    ) -> Self {
        Self {
            lines,
            wanted,
            line: spot.line,
            rule: spot.rule,
            name: name.into(),
            route: spot.route,
            places,
            memory,
        }
    }

    /// The limit's name in [`Limits`](crate::Limits).
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The calls that it counts; other routes of the same limit are counted apart.
    #[must_use]
    pub const fn route(&self) -> Route {
        self.route
    }

    /// How many places there are for all processes together.
    #[must_use]
    pub const fn places(&self) -> u32 {
        self.places
    }

    /// How long after its answer a request keeps its place, at most.
    #[must_use]
    pub const fn memory(&self) -> Duration {
        self.memory
    }

    /// How this process uses its places; `None` when the client is gone.
    #[must_use]
    pub fn usage(&self) -> Option<LimitUsage> {
        self.with(Line::usage)
    }

    /// Gives this process so many places from now on, and says that it could get so many at most: a call whose turn would
    /// not even then come before its deadline fails at once, others wait. Places that are taken stay so, and count
    /// in what this returns; with 0 nothing starts. `None` when the client is gone.
    #[expect(
        clippy::must_use_candidate,
        reason = "most callers know what is taken, and who does not may ask"
    )]
    pub fn set_places(&self, places: u32, at_most: u32) -> Option<LimitUsage> {
        self.with(|line, rule, now| {
            line.set_places(rule, places, at_most, now);
            line.usage(rule, now)
        })
    }

    /// Takes out of this process's memory the requests that were answered and still count, with their places: whoever calls
    /// this has to keep them for so long. For limits of many hours, which have to outlive the process. A limit with
    /// a burst settles nothing.
    #[must_use]
    pub fn settle(&self) -> Vec<SettledPlaces> {
        self.with(Line::settle).unwrap_or_default()
    }

    fn with<T>(&self, change: impl FnOnce(&mut Line, usize, Instant) -> T) -> Option<T> {
        let lines = self.lines.upgrade()?;
        let (result, wakes, is_wanting) = {
            let mut line = lines
                .get(self.line)?
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let result = change(&mut line, self.rule, Instant::now());
            (result, line.take_wakes(), line.take_wanting())
        };
        for waker in wakes {
            waker.wake();
        }
        if is_wanting {
            self.wanted.notify_one();
        }
        Some(result)
    }
}

impl fmt::Debug for SharedLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedLimit")
            .field("name", &self.name)
            .field("route", &self.route)
            .field("usage", &self.usage())
            .finish_non_exhaustive()
    }
}

impl SettledPlaces {
    pub(super) const fn new(free_at: Instant, places: u32) -> Self {
        Self { free_at, places }
    }
}
