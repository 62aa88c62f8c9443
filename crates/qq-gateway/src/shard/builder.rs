//! Describing a shard.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, OnceLock};

use fastrand::Rng;
use qq_model::event::{EventKind, EventKinds};
use qq_model::gateway::{Header, ShardId};
use qq_model::{AccessToken, Intents};
use qq_transport::{Connect, Proxied, Tls};

use super::Shard;
use super::config::{Config, Filter, WantedKinds, check_address};
use super::decode::Decoder;
use super::link::Link;
use super::outbox::Outbox;
use super::sender::ShardSender;
use super::throttle::Throttle;
use crate::machine::{Fault, Machine, Rules};
use crate::{
    AckMode, Backoff, IdentifyQueue, InMemoryIdentifyQueue, Limits, Session, ShardError,
    ShardStats, Timeouts,
};

/// Describes a shard; see [`Shard::builder`].
#[must_use = "a builder does nothing until it is built"]
pub struct ShardBuilder {
    url: String,
    token: Arc<dyn AccessToken>,
    intents: Intents,
    shard: ShardId,
    session: Option<Session>,
    connect: Option<Arc<dyn Connect>>,
    tls: Option<Tls>,
    queue: Option<Arc<dyn IdentifyQueue>>,
    rules: Rules,
    limits: Limits,
    kinds: Option<EventKinds>,
    kinds_when: Option<Box<WantedKinds>>,
    keep_unknown: bool,
    filter: Option<Box<Filter>>,
    seed: Option<u64>,
    allow_plain: bool,
}

impl ShardBuilder {
    pub(super) fn new(url: String, token: Arc<dyn AccessToken>, intents: Intents) -> Self {
        Self {
            url,
            token,
            intents,
            shard: ShardId::ONE,
            session: None,
            connect: None,
            tls: None,
            queue: None,
            rules: Rules::default(),
            limits: Limits::default(),
            kinds: None,
            kinds_when: None,
            keep_unknown: true,
            filter: None,
            seed: None,
            allow_plain: false,
        }
    }

    /// Which shard; the only one by default.
    pub const fn shard(mut self, shard: ShardId) -> Self {
        self.shard = shard;
        self
    }

    /// Takes up this session with RESUME. One of another shard or with other intents is of no use to this
    /// shard: it is logged and left alone.
    pub fn session(mut self, session: impl Into<Option<Session>>) -> Self {
        self.session = session.into();
        self
    }

    /// How byte streams are opened; TCP by default, through the proxy of the environment where one is named
    /// ([`Proxies::from_env`](qq_transport::Proxies::from_env)).
    ///
    /// ```
    /// use qq_gateway::Shard;
    /// use qq_gateway::transport::{Connect, ConnectFuture, Tcp};
    /// use qq_model::{BearerToken, Intents};
    ///
    /// /// Whatever the gateway's address says, a tunnel on this machine leads there.
    /// struct Tunnel;
    ///
    /// impl Connect for Tunnel {
    ///     fn connect<'a>(&'a self, _host: &'a str, _port: u16) -> ConnectFuture<'a> {
    ///         Tcp.connect("127.0.0.1", 8443)
    ///     }
    /// }
    ///
    /// let token = BearerToken::new("an access token");
    /// let url = "wss://gateway.example/websocket/";
    /// let shard = Shard::builder(url, token, Intents::default()).connect(Tunnel).build()?;
    /// # Ok::<(), qq_gateway::ShardError>(())
    /// ```
    pub fn connect(mut self, connect: impl Connect) -> Self {
        self.connect = Some(Arc::new(connect));
        self
    }

    /// Which certificates are trusted; Mozilla's roots by default. Shards of one bot should be given clones of
    /// one [`Tls`], which share their memory and TLS sessions.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// The deadline of each phase.
    pub const fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.rules.timeouts = timeouts;
        self
    }

    /// How long to wait between attempts.
    pub const fn backoff(mut self, backoff: Backoff) -> Self {
        self.rules.backoff = backoff;
        self
    }

    /// Where turns to IDENTIFY come from. Shards of one bot must share one; the default is a queue of its own
    /// with one IDENTIFY per five seconds.
    pub fn identify_queue(mut self, queue: Arc<dyn IdentifyQueue>) -> Self {
        self.queue = Some(queue);
        self
    }

    /// Limits on what goes in and out.
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What moves the position that RESUME replays from.
    pub const fn acknowledge_mode(mut self, mode: AckMode) -> Self {
        self.rules.ack_mode = mode;
        self
    }

    /// Yields only these kinds, besides READY and RESUMED. Other known kinds are dropped before their payload is even
    /// looked at; unknown ones are a matter of [`keep_unknown`](Self::keep_unknown).
    pub const fn kinds(mut self, kinds: EventKinds) -> Self {
        self.kinds = Some(kinds);
        self
    }

    /// Yields only kinds that pass this test, asked anew for each event by its name alone: for consumers whose wishes
    /// change. READY, RESUMED, unknown events and what [`kinds`](Self::kinds) rules out are not asked about. It must be
    /// quick.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicBool, Ordering};
    ///
    /// # use qq_gateway::Shard;
    /// # use qq_model::{BearerToken, EventKind, Intents};
    /// # let builder = Shard::builder("wss://x", BearerToken::new("x"), Intents::default());
    /// let listens = Arc::new(AtomicBool::new(false));
    /// let asked = Arc::clone(&listens);
    /// let builder = builder.kinds_when(move |kind| kind == EventKind::GuildCreate || asked.load(Ordering::Relaxed));
    /// ```
    pub fn kinds_when(
        mut self,
        is_wanted: impl Fn(EventKind) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.kinds_when = Some(Box::new(is_wanted));
        self
    }

    /// Whether events that this version does not know are yielded; they are by default.
    pub const fn keep_unknown(mut self, keep: bool) -> Self {
        self.keep_unknown = keep;
        self
    }

    /// Yields only events that pass this test, which sees the header and the whole frame as text before anything is
    /// decoded. READY, RESUMED and what [`kinds`](Self::kinds) rules out are not asked about.
    ///
    /// ```
    /// # use qq_gateway::Shard;
    /// # use qq_model::{BearerToken, Intents};
    /// # let builder = Shard::builder("wss://x", BearerToken::new("x"), Intents::default());
    /// let builder = builder.filter(|header, frame| header.sequence.is_some() && frame.contains("!ping"));
    /// ```
    pub fn filter(
        mut self,
        filter: impl Fn(&Header<'_>, &str) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.filter = Some(Box::new(filter));
        self
    }

    /// Makes delays and jitter repeatable.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Whether the token may be sent unencrypted to other machines. For test networks only.
    pub const fn allow_plain(mut self, allow: bool) -> Self {
        self.allow_plain = allow;
        self
    }

    /// Builds the shard. It connects when it is first polled.
    ///
    /// # Errors
    ///
    /// [`ShardErrorKind::Configuration`](crate::ShardErrorKind::Configuration) when the address cannot be
    /// used, or is not encrypted, or the environment names a proxy that cannot be used.
    pub fn build(self) -> Result<Shard, ShardError> {
        let endpoint = check_address(&self.url, self.allow_plain)?;
        let (shard, intents) = (self.shard, self.intents);
        let resume = self.session.and_then(|session| {
            let fits = session.shard == shard && session.intents == intents;
            if !fits {
                tracing::warn!(%shard, "the saved session has another shard or other intents: a new one is opened");
            }
            fits.then_some((session.id, session.sequence))
        });
        let rng = self.seed.map_or_else(Rng::new, Rng::with_seed);
        let (sender, requests) = ShardSender::new(self.limits.max_outgoing_frame);
        let config = Config {
            url: self.url.into(),
            endpoint,
            token: self.token,
            intents,
            shard,
            connect: match self.connect {
                Some(connect) => connect,
                None => connect_by_environment(self.tls.as_ref())?,
            },
            tls: self.tls.map_or_else(OnceLock::new, OnceLock::from),
            queue: self
                .queue
                .unwrap_or_else(|| Arc::new(InMemoryIdentifyQueue::unlimited(1))),
            limits: self.limits,
            kinds: self.kinds,
            kinds_when: self.kinds_when,
            keep_unknown: self.keep_unknown,
            filter: self.filter,
        };
        Ok(Shard {
            config: Arc::new(config),
            machine: Machine::new(self.rules, rng, resume),
            link: Link::Down,
            outbox: Outbox::default(),
            decoder: Decoder::default(),
            turn: None,
            bearer: None,
            source: None,
            errors: VecDeque::new(),
            sender,
            requests,
            timer: None,
            throttle: Throttle::new(self.limits.max_rate),
            held_up: None,
            stats: ShardStats::default(),
        })
    }
}

fn connect_by_environment(tls: Option<&Tls>) -> Result<Arc<dyn Connect>, ShardError> {
    let proxied = Proxied::from_env()
        .map_err(|error| ShardError::fatal(Fault::Proxy, None, Some(Box::new(error))))?;
    Ok(match tls {
        Some(tls) => Arc::new(proxied.tls(tls.clone())),
        None => Arc::new(proxied),
    })
}

impl fmt::Debug for ShardBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShardBuilder")
            .field("shard", &self.shard)
            .field("intents", &self.intents)
            .finish_non_exhaustive()
    }
}
