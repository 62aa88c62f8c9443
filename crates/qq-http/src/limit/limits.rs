//! The limits of a client, as a value.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Deserialize;

use super::table::DOCUMENTED;
use crate::route::Route;

const DEFAULT_MAX_KEYS: usize = 32_768;
const DEFAULT_MAX_WAITING: usize = 16_384;
/// No window is longer; sums of times cannot overflow then.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// What happens to a call that is too early.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitMode {
    /// It waits for its turn. It fails at once when its turn would come after its deadline.
    #[default]
    Queue,
    /// It fails at once, and its error says how long it would have waited.
    FailFast,
    /// It is made: nothing is counted, and nothing learned.
    Off,
}

/// Whether the platform verified who is behind the bot; the allowance of active messages depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certification {
    /// The larger allowance.
    Verified,
    /// The smaller allowance, which suits every bot.
    #[default]
    Unverified,
}

/// What a limit counts together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitScope {
    /// All requests of the bot to one route.
    Bot,
    /// The requests to one group, user, channel or guild: whatever the first parameter of the path names.
    Peer,
}

/// Which requests a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// All.
    All,
    /// Messages that answer nothing: without `msg_id` and `event_id`.
    Active,
}

/// One limit: so many requests in so long, on each of some routes.
///
/// Within any time of that length no more requests are made, however they are spread. A day is 24 hours, not a date.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    name: Cow<'static, str>,
    routes: Vec<Cow<'static, str>>,
    counted: Counted,
    scope: LimitScope,
    requests: u32,
    per: Duration,
    burst: Option<u32>,
}

impl Limit {
    /// A limit on all requests of the bot to a route.
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        route: Route,
        requests: u32,
        per: Duration,
    ) -> Self {
        Self {
            name: name.into(),
            routes: vec![route.id().into()],
            counted: Counted::All,
            scope: LimitScope::Bot,
            requests,
            per,
            burst: None,
        }
    }

    /// One more route, counted apart.
    #[must_use]
    pub fn route(mut self, route: Route) -> Self {
        self.routes.push(route.id().into());
        self
    }

    /// What it counts together.
    #[must_use]
    pub const fn scope(mut self, scope: LimitScope) -> Self {
        self.scope = scope;
        self
    }

    /// Which requests it counts.
    #[must_use]
    pub const fn counted(mut self, counted: Counted) -> Self {
        self.counted = counted;
        self
    }

    /// So many may come at once after a rest; then one after the other as the rate allows.
    #[must_use]
    pub const fn burst(mut self, burst: u32) -> Self {
        self.burst = Some(burst);
        self
    }

    /// Its name in [`Limits`].
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of requests.
    #[must_use]
    pub const fn requests(&self) -> u32 {
        self.requests
    }

    /// The time they are counted in.
    #[must_use]
    pub const fn per(&self) -> Duration {
        self.per
    }

    pub(super) fn parts(&self) -> (Counted, LimitScope, Option<u32>) {
        (self.counted, self.scope, self.burst)
    }

    pub(super) fn is_for(&self, route: Route) -> bool {
        self.routes.iter().any(|id| id == route.id())
    }

    fn validate(&self) -> Result<(), InvalidLimits> {
        let why = if self.requests == 0 {
            "requests is 0: leave the limit out, or set `off`"
        } else if self.burst == Some(0) {
            "burst is 0"
        } else if self.per.is_zero() {
            "the time is zero"
        } else if self.per > LONGEST {
            "the time is longer than a year"
        } else if (self.per / self.requests).is_zero() {
            "that is more than a request per nanosecond"
        } else if self.routes.is_empty() {
            "it has no routes"
        } else {
            return Ok(());
        };
        Err(InvalidLimits(format!("{}: {why}", self.name)))
    }
}

/// The limits that a client keeps: the documented ones, changed as you like.
///
/// Some documented limits cannot be kept from here, because no request says what they count; the platform's refusals
/// teach them:
///
/// * active messages to at most 2 channels of a guild per day,
/// * new schedule entries of a guild, 100 per day: the 10 per administrator are counted for each channel,
/// * wake-up messages of a one-to-one chat, one in each of four periods after the user last spoke,
/// * the time and the number of answers to one message. `qq-client` counts those, as it sees the messages.
///
/// Limits that count for a whole day are kept from the start of the process on: what was sent before is not known.
///
/// ```
/// use std::time::Duration;
/// use qq_http::{Certification, HttpClient, Limit, LimitMode, LimitScope, Limits, Route};
/// use qq_model::Token;
///
/// let limits = Limits::documented(Certification::Verified)
///     .mode(LimitMode::FailFast)
///     .without("channel.active")
///     .with(Limit::new("group.mine", Route::SendGroupMessage, 1, Duration::from_secs(3)).scope(LimitScope::Peer));
/// let http = HttpClient::builder(Token::new("102000000", "secret")).limits(limits).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// They are read from a file with serde, over the documented ones. Every member may be missing; `limits` changes some
/// of those of the same name and adds the others:
///
/// ```
/// use qq_http::Limits;
///
/// let limits: Limits = serde_json::from_str(r#"{
///     "mode": "queue",
///     "certification": "verified",
///     "limits": {
///         "group.active.bot": {"requests": 120},
///         "channel.active": {"off": true},
///         "mine": {"routes": ["send_group_message"], "scope": "peer", "requests": 1, "seconds": 3}
///     }
/// }"#)?;
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Settings")]
pub struct Limits {
    mode: LimitMode,
    limits: Vec<Limit>,
    max_keys: usize,
    max_waiting: usize,
}

impl Limits {
    /// The documented limits for bots of this certification.
    #[must_use]
    pub fn documented(certification: Certification) -> Self {
        let rows = DOCUMENTED
            .iter()
            .filter(|row| row.certification.is_none_or(|own| own == certification));
        let limits = rows.map(|row| Limit {
            name: row.name.into(),
            routes: row.routes.iter().map(|&id| id.into()).collect(),
            counted: row.counted,
            scope: row.scope,
            requests: row.requests,
            per: Duration::from_secs(row.seconds),
            burst: row.burst,
        });
        Self {
            mode: LimitMode::default(),
            limits: limits.collect(),
            max_keys: DEFAULT_MAX_KEYS,
            max_waiting: DEFAULT_MAX_WAITING,
        }
    }

    /// No limits but those that the platform's refusals teach.
    #[must_use]
    pub fn learned() -> Self {
        Self {
            limits: Vec::new(),
            ..Self::default()
        }
    }

    /// None at all.
    #[must_use]
    pub fn off() -> Self {
        Self::learned().mode(LimitMode::Off)
    }

    /// What happens to a call that is too early.
    #[must_use]
    pub const fn mode(mut self, mode: LimitMode) -> Self {
        self.mode = mode;
        self
    }

    /// Adds a limit, or replaces the one of its name.
    #[must_use]
    pub fn with(mut self, limit: Limit) -> Self {
        match self.limits.iter_mut().find(|own| own.name == limit.name) {
            Some(own) => *own = limit,
            None => self.limits.push(limit),
        }
        self
    }

    /// Takes the limit of this name out.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.limits.retain(|limit| limit.name != name);
        self
    }

    /// How many groups, users, channels and guilds are counted on each route; 32,768 by default. Beyond, those that
    /// used least of their allowance are forgotten first. Calls under way are never forgotten.
    #[must_use]
    pub const fn max_keys(mut self, keys: usize) -> Self {
        self.max_keys = keys;
        self
    }

    /// How many calls may wait on each route; 16,384 by default. One more fails at once.
    #[must_use]
    pub const fn max_waiting(mut self, calls: usize) -> Self {
        self.max_waiting = calls;
        self
    }

    /// What they are.
    #[must_use]
    pub fn limits(&self) -> &[Limit] {
        &self.limits
    }

    pub(super) const fn settings(&self) -> (LimitMode, usize, usize) {
        (self.mode, self.max_keys, self.max_waiting)
    }

    pub(crate) fn validate(&self) -> Result<(), InvalidLimits> {
        self.limits.iter().try_for_each(Limit::validate)
    }
}

/// The documented limits for bots that are not verified.
impl Default for Limits {
    fn default() -> Self {
        Self::documented(Certification::default())
    }
}

/// Which limit cannot be kept, and why.
#[derive(Debug)]
pub(crate) struct InvalidLimits(String);

impl fmt::Display for InvalidLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidLimits {}

/// [`Limits`] in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct Settings {
    mode: LimitMode,
    certification: Certification,
    max_keys: Option<usize>,
    max_waiting: Option<usize>,
    limits: BTreeMap<String, Setting>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Setting {
    routes: Option<Vec<String>>,
    counted: Option<Counted>,
    scope: Option<LimitScope>,
    requests: Option<u32>,
    seconds: Option<f64>,
    burst: Option<u32>,
    #[serde(default)]
    off: bool,
}

impl TryFrom<Settings> for Limits {
    type Error = InvalidLimits;

    fn try_from(settings: Settings) -> Result<Self, InvalidLimits> {
        let mut limits = Self::documented(settings.certification).mode(settings.mode);
        limits.max_keys = settings.max_keys.unwrap_or(limits.max_keys);
        limits.max_waiting = settings.max_waiting.unwrap_or(limits.max_waiting);
        for (name, setting) in settings.limits {
            limits = if setting.off {
                limits.without(&name)
            } else {
                let own = limits.limits.iter().find(|limit| limit.name == name);
                let limit = setting.over(own, name)?;
                limits.with(limit)
            };
        }
        limits.validate()?;
        Ok(limits)
    }
}

impl Setting {
    fn over(self, own: Option<&Limit>, name: String) -> Result<Limit, InvalidLimits> {
        let missing = |member: &str| {
            InvalidLimits(format!(
                "{name}: `{member}` is missing, and no documented limit has this name"
            ))
        };
        let per = match self.seconds {
            Some(seconds) => Duration::try_from_secs_f64(seconds)
                .map_err(|error| InvalidLimits(format!("{name}: seconds: {error}")))?,
            None => own.ok_or_else(|| missing("seconds"))?.per,
        };
        let routes = match self.routes {
            Some(routes) => {
                let is_known = |id: &String| Route::ALL.iter().any(|route| route.id() == id);
                if let Some(id) = routes.iter().find(|&id| !is_known(id)) {
                    return Err(InvalidLimits(format!("{name}: there is no route `{id}`")));
                }
                routes.into_iter().map(Cow::Owned).collect()
            }
            None => own.ok_or_else(|| missing("routes"))?.routes.clone(),
        };
        let requests = match self.requests {
            Some(requests) => requests,
            None => own.ok_or_else(|| missing("requests"))?.requests,
        };
        Ok(Limit {
            routes,
            counted: self
                .counted
                .unwrap_or(own.map_or(Counted::All, |own| own.counted)),
            scope: self
                .scope
                .unwrap_or(own.map_or(LimitScope::Bot, |own| own.scope)),
            requests,
            per,
            burst: self.burst.or(own.and_then(|own| own.burst)),
            name: name.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Limits, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    fn find<'l>(limits: &'l Limits, name: &str) -> &'l Limit {
        limits
            .limits()
            .iter()
            .find(|limit| limit.name() == name)
            .unwrap()
    }

    #[test]
    fn a_file_changes_the_documented_limits() {
        assert_eq!(read("{}").unwrap(), Limits::default());
        let limits = read(
            r#"{"mode": "fail_fast", "certification": "verified", "max_keys": 5, "max_waiting": 6, "limits": {
                "group.active.bot": {"requests": 120}, "channel.active": {"off": true},
                "mine": {"routes": ["get_me"], "requests": 1, "seconds": 0.5, "burst": 3, "scope": "peer", "counted": "active"}}}"#,
        )
        .unwrap();
        let bot = find(&limits, "group.active.bot");
        assert_eq!((bot.requests(), bot.per()), (120, Duration::from_secs(60)));
        let mine = Limit::new("mine", Route::GetMe, 1, Duration::from_millis(500))
            .burst(3)
            .scope(LimitScope::Peer)
            .counted(Counted::Active);
        assert_eq!(find(&limits, "mine"), &mine);
        let verified = Limits::documented(Certification::Verified);
        let expected = verified
            .mode(LimitMode::FailFast)
            .max_keys(5)
            .max_waiting(6)
            .without("channel.active")
            .with(bot.clone())
            .with(mine);
        assert_eq!(limits, expected);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (json, words) in [
            (
                r#"{"limits": {"x": {"requests": 1, "seconds": 1}}}"#,
                "x: `routes` is missing",
            ),
            (
                r#"{"limits": {"x": {"routes": ["get_me"], "seconds": 1}}}"#,
                "x: `requests` is missing",
            ),
            (
                r#"{"limits": {"x": {"routes": ["get_me"], "requests": 1}}}"#,
                "x: `seconds` is missing",
            ),
            (
                r#"{"limits": {"x": {"routes": ["get_you"], "requests": 1, "seconds": 1}}}"#,
                "x: there is no route `get_you`",
            ),
            (
                r#"{"limits": {"x": {"routes": [], "requests": 1, "seconds": 1}}}"#,
                "x: it has no routes",
            ),
            (
                r#"{"limits": {"account": {"requests": 0}}}"#,
                "account: requests is 0",
            ),
            (
                r#"{"limits": {"account": {"burst": 0}}}"#,
                "account: burst is 0",
            ),
            (
                r#"{"limits": {"account": {"seconds": 0}}}"#,
                "account: the time is zero",
            ),
            (
                r#"{"limits": {"account": {"seconds": 1e9}}}"#,
                "account: the time is longer",
            ),
            (
                r#"{"limits": {"account": {"seconds": -1}}}"#,
                "account: seconds: ",
            ),
            (
                r#"{"limits": {"account": {"seconds": 1e-9, "requests": 2}}}"#,
                "account: that is more",
            ),
            (
                r#"{"limits": {"account": {"second": 1}}}"#,
                "unknown field `second`",
            ),
            (r#"{"mode": "never"}"#, "unknown variant `never`"),
            (r#"{"modes": "queue"}"#, "unknown field `modes`"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
