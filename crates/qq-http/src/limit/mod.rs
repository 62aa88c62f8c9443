//! How fast calls are made: the platform's limits, kept before the platform has to refuse.
//!
//! Nothing runs in the background: whoever waits for a turn drives the line it stands in.

mod hold;
mod kind;
mod limits;
mod line;
mod meter;
mod peers;
mod share;
mod table;

#[cfg(test)]
mod share_tests;
#[cfg(test)]
mod tests;

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, ready};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use self::hold::Lesson;
pub use self::limits::{Certification, Counted, Limit, LimitMode, LimitScope, Limits};
use self::line::{Ended, Entry, Kind, LaneId, Line, Plan, Turn};
use self::meter::Rate;
use self::peers::PeerId;
use self::share::Spot;
pub use self::share::{LimitStore, LimitUsage, SettledPlaces, SharedLimit, SharedLimits};
use crate::error::Error;
use crate::request::Request;
use crate::route::Route;

/// How long a call that may not wait for its turn waits for its process's share of a limit.
const SHARE: Duration = Duration::from_secs(1);
/// A pause that nobody wants to wait for, where none is known.
const UNKNOWN: &str = "an answer to an earlier call decides when this one may start";

/// What a client counts of its calls, and how long the next one would wait:
/// [`HttpClient::limits`](crate::HttpClient::limits).
///
/// * Each route is counted alone; each limit of it for the whole bot, or for each group, user, channel or guild.
/// * Any number of calls may be in flight, as long as the platform cannot count too many.
/// * Calls to one peer start in the order they came in; peers take turns. Answers do not wait behind active messages.
/// * After 429, and after the codes of the rate limits, whatever was refused is held back: as long as the platform
///   says, or longer each time; then one call tries first.
///
/// Two clients that were built apart share nothing, not even for the same bot, unless a [`LimitStore`] divides the bot's
/// limits among them; clones share everything. Counts are in memory: after a restart the platform remembers more than
/// the bot does.
pub struct Limiter {
    limits: Limits,
    /// In the order of [`Route::ALL`], then one for paths that no route is known of.
    lines: Arc<[Mutex<Line>]>,
    /// Told when more places of a shared limit are wanted.
    wanted: Option<Arc<Notify>>,
    /// For each line, whether active messages count more than others.
    tells_kinds_apart: Box<[bool]>,
}

/// How much a [`Limiter`] keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimiterStats {
    /// Groups, users, channels and guilds that are remembered, on all routes.
    pub keys: usize,
    /// Calls that wait for their turn.
    pub waiting: usize,
    /// Calls that were started and not answered.
    pub in_flight: usize,
}

impl Limiter {
    pub(crate) fn new(limits: Limits) -> Self {
        Self::open(limits, None)
    }

    /// A limiter whose store gives it its places.
    pub(crate) fn shared(limits: Limits, store: &dyn LimitStore) -> Self {
        let wanted = Arc::new(Notify::new());
        let limiter = Self::open(limits, Some(Arc::clone(&wanted)));
        let mut shared = Vec::new();
        for (line, route) in Route::ALL.iter().enumerate() {
            let of_bot = limiter
                .limits
                .limits()
                .iter()
                .filter(|limit| limit.is_for(*route) && limit.parts().1 == LimitScope::Bot);
            for (rule, limit) in of_bot.enumerate() {
                let rate = rate(limit);
                let spot = Spot {
                    line,
                    rule,
                    route: *route,
                };
                let lines = Arc::downgrade(&limiter.lines);
                let (places, memory) = (rate.most(), rate.memory());
                let wanted = Arc::clone(&wanted);
                let name = limit.name();
                shared.push(SharedLimit::new(lines, wanted, spot, name, places, memory));
            }
        }
        if limiter.mode() != LimitMode::Off {
            store.open(SharedLimits::new(shared, wanted));
        }
        limiter
    }

    fn open(limits: Limits, wanted: Option<Arc<Notify>>) -> Self {
        let (_, max_keys, max_waiting) = limits.settings();
        let now = Instant::now();
        let line = |plan| Line::new(plan, wanted.is_some(), max_keys, max_waiting, now);
        let plans = Route::ALL.iter().map(|route| plan(&limits, *route));
        let lines: Vec<Line> = plans.chain([Plan::default()]).map(line).collect();
        let of_table = Route::ALL
            .iter()
            .map(|route| table::tells_active_apart(*route));
        let tells_kinds_apart = lines
            .iter()
            .zip(of_table.chain([false]))
            .map(|(line, of_table)| of_table || line.tells_kinds_apart());
        Self {
            limits,
            tells_kinds_apart: tells_kinds_apart.collect(),
            lines: lines.into_iter().map(Mutex::new).collect(),
            wanted,
        }
    }

    /// What is kept.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How long a call would wait for its turn if it were made now, behind those that wait already; zero if it would
    /// start at once. The time that earlier calls take to be answered may come on top.
    ///
    /// ```
    /// use std::time::Duration;
    /// use qq_http::HttpClient;
    /// use qq_model::Token;
    ///
    /// let http = HttpClient::new(Token::new("102000000", "secret"))?;
    /// let request = http.group("FEC0ACE0EE8970E6BC3ADAFB5BEC6152").send("hi").try_into_request()?;
    /// assert_eq!(http.limits().wait_for(&request), Duration::ZERO);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn wait_for(&self, request: &Request) -> Duration {
        if self.mode() == LimitMode::Off {
            return Duration::ZERO;
        }
        let target = self.target(request);
        let now = Instant::now();
        let expected = target.with(|line| line.expected_now(target.peer, target.kind, now));
        expected.map_or(Duration::ZERO, |expected| expected - now)
    }

    /// How much is kept now.
    #[must_use]
    pub fn stats(&self) -> LimiterStats {
        let mut stats = LimiterStats::default();
        for line in &*self.lines {
            let line = line.lock().unwrap_or_else(PoisonError::into_inner);
            let (keys, waiting, in_flight) = line.counts();
            stats.keys += keys;
            stats.waiting += waiting;
            stats.in_flight += in_flight as usize;
        }
        stats
    }

    /// The right to make one request, which must start before `deadline`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives up the turn; the next in line gets it.
    pub(crate) async fn permit<'a>(
        &'a self,
        request: &'a Request,
        deadline: Instant,
    ) -> Result<Permit<'a>, Error> {
        let mode = self.mode();
        if mode == LimitMode::Off {
            return Ok(Permit { taken: None });
        }
        let target = self.target(request);
        let now = Instant::now();
        let deadline = if mode == LimitMode::Queue {
            Some(deadline)
        } else if target.with(|line| line.lacks_places(target.kind, now)) {
            // What it asks for comes in a moment, and then it is known whether it is too early.
            Some(deadline.min(now + SHARE))
        } else {
            None
        };
        let entry = target.with(|line| line.enter(target.peer, target.kind, deadline, now));
        let (peer, since) = match (entry, deadline) {
            (Entry::Start(peer), _) => (peer, now),
            (Entry::Wait(peer, number), Some(deadline)) => {
                let waiting = Waiting {
                    target,
                    lane: (peer, target.kind),
                    number,
                    is_over: false,
                };
                // Few calls wait: the others need not carry a timer about.
                Box::pin(waiting.turn(deadline)).await?;
                (Some(peer), Instant::now())
            }
            (Entry::Wait(..), None) => return Err(too_early(None, now)),
            (Entry::Refuse(expected), _) => return Err(too_early(expected, now)),
        };
        Ok(Permit {
            taken: Some(Taken {
                target,
                peer,
                since,
                ended: Ended::unsent(),
            }),
        })
    }

    const fn mode(&self) -> LimitMode {
        self.limits.settings().0
    }

    fn target<'a>(&'a self, request: &'a Request) -> Target<'a> {
        let route = kind::route_of(request);
        let at = route.map_or(Route::ALL.len(), |route| route as usize);
        Target {
            line: &self.lines[at],
            wanted: self.wanted.as_deref(),
            peer: kind::peer_of(request, route),
            kind: if self.tells_kinds_apart[at] {
                kind::kind_of(request)
            } else {
                Counted::All
            },
        }
    }
}

/// The limits of one route.
fn plan(limits: &Limits, route: Route) -> Plan {
    let mut plan = Plan::default();
    for limit in limits.limits().iter().filter(|limit| limit.is_for(route)) {
        let (counted, scope, _) = limit.parts();
        let rate = rate(limit);
        match scope {
            LimitScope::Bot => plan.bot.push((counted, rate)),
            LimitScope::Peer => {
                plan.peer_counted.push(counted);
                plan.peer_rates.push(rate);
            }
        }
    }
    plan
}

fn rate(limit: &Limit) -> Rate {
    Rate {
        requests: limit.requests(),
        per: limit.per(),
        burst: limit.parts().2,
    }
}

fn too_early(expected: Option<Instant>, now: Instant) -> Error {
    match expected {
        Some(expected) => {
            let wait = expected.saturating_duration_since(now);
            let what = format!(
                "the limit of this call leaves no room before its deadline: it would wait {:.3} s",
                wait.as_secs_f64()
            );
            Error::too_early(what, Some(wait))
        }
        None => Error::too_early(UNKNOWN, None),
    }
}

/// Where a request is counted.
#[derive(Clone, Copy)]
struct Target<'a> {
    line: &'a Mutex<Line>,
    wanted: Option<&'a Notify>,
    peer: &'a str,
    kind: Kind,
}

impl Target<'_> {
    /// Does something to the line, and wakes whom it concerns once the line is unlocked.
    fn with<T>(&self, change: impl FnOnce(&mut Line) -> T) -> T {
        let (result, wakes, is_wanting) = {
            let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
            (change(&mut line), line.take_wakes(), line.take_wanting())
        };
        for waker in wakes {
            waker.wake();
        }
        if let Some(wanted) = self.wanted.filter(|_| is_wanting) {
            wanted.notify_one();
        }
        result
    }
}

/// A place in a line; dropping it gives it up.
struct Waiting<'a> {
    target: Target<'a>,
    lane: LaneId,
    number: u64,
    is_over: bool,
}

impl Waiting<'_> {
    async fn turn(mut self, deadline: Instant) -> Result<(), Error> {
        let mut alarm = pin!(sleep_until(deadline));
        poll_fn(|cx| {
            loop {
                let now = Instant::now();
                let turn = self
                    .target
                    .with(|line| line.turn(self.lane, self.number, deadline, cx.waker(), now));
                match turn {
                    Turn::SleepUntil(time) => {
                        alarm.as_mut().reset(time);
                        ready!(alarm.as_mut().poll(cx));
                    }
                    Turn::Start => {
                        self.is_over = true;
                        return Poll::Ready(Ok(()));
                    }
                    Turn::Refuse(expected) => {
                        self.is_over = true;
                        return Poll::Ready(Err(too_early(expected, now)));
                    }
                }
            }
        })
        .await
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            let now = Instant::now();
            self.target
                .with(|line| line.leave(self.lane, self.number, now));
        }
    }
}

/// The right to make one request. Dropping it gives it back, if nothing was sent; else its place is free again after
/// the limit's time.
#[must_use = "a request is counted as long as its permit lives"]
pub(crate) struct Permit<'a> {
    taken: Option<Taken<'a>>,
}

struct Taken<'a> {
    target: Target<'a>,
    peer: Option<PeerId>,
    since: Instant,
    ended: Ended,
}

impl Permit<'_> {
    /// The request goes out.
    pub(crate) fn send(&mut self) {
        if let Some(taken) = &mut self.taken {
            taken.ended.sent = Some(taken.since);
        }
    }

    /// The request was answered, or failed.
    pub(crate) fn end(mut self, error: Option<&Error>) {
        if let Some(taken) = &mut self.taken {
            taken.ended.lesson = Lesson::of(error);
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if let Some(Taken {
            target,
            peer,
            ended,
            ..
        }) = self.taken.take()
        {
            let now = Instant::now();
            target.with(|line| line.end(peer, target.peer, target.kind, ended, now));
        }
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter")
            .field("mode", &self.mode())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
