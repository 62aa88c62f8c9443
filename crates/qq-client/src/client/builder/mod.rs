//! Making a client.

mod dispatch;
mod knowledge;
mod reply;
mod stores;
#[cfg(feature = "webhook")]
mod webhook;

use std::sync::Arc;
use std::time::Duration;

use qq_gateway::{IdentifyQueue, ShardPlan};
use qq_http::{HttpClient, LimitStore, Limits, Proxy, RetryPolicy, TokenStore};
use qq_model::{Environment, Intents, Token};
use qq_transport::{Connect, Tcp, Tls};

use self::stores::SESSION_MAX_AGE;
use super::Client;
use crate::dispatch::{DispatchSettings, DuplicateSettings};
use crate::handlers::{Call, Handlers};
use crate::knowledge::KnowledgeSettings;
use crate::reply::ReplySettings;
use crate::shared::Shared;
#[cfg(feature = "webhook")]
use crate::webhook::WebhookSettings;
use crate::witness::Witness;
use crate::{BotError, EventHandler, EventSource, SessionStore};

/// The usual deadline of a REST call and of start-up.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The usual deadline of a stop.
const STOP_DEADLINE: Duration = Duration::from_secs(10);

/// Everything that can be chosen about a [`Client`].
///
/// ```
/// use std::time::Duration;
///
/// use qq_client::Client;
/// use qq_model::{Environment, Intents, Token};
///
/// let client = Client::builder(Token::new("102000000", "secret"), Intents::default().with_group_and_c2c())
///     .environment(Environment::custom("http://127.0.0.1:8787")?)
///     .timeout(Duration::from_secs(10))
///     .build()?;
/// # Ok::<(), qq_client::BotError>(())
/// ```
pub struct ClientBuilder<H = ()> {
    token: Token,
    handler: H,
    environment: Environment,
    timeout: Duration,
    connect: Option<Arc<dyn Connect>>,
    proxy: Option<Proxy>,
    tls: Tls,
    retry: Option<RetryPolicy>,
    limits: Option<Limits>,
    limit_store: Option<Arc<dyn LimitStore>>,
    token_store: Option<Arc<dyn TokenStore>>,
    settings: Settings,
    closures: Vec<Call>,
}

/// Which shards are run.
#[derive(Clone, Copy)]
pub(crate) enum ShardChoice {
    /// As many as the platform recommends.
    Recommended,
    Plan(ShardPlan),
}

/// Makes a source for a run.
type OpenSource = Arc<dyn Fn() -> Box<dyn EventSource> + Send + Sync>;

/// What a run of the client needs to know.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) intents: Intents,
    pub(crate) gateway_url: Option<Box<str>>,
    pub(crate) startup_deadline: Duration,
    pub(crate) stop_deadline: Duration,
    pub(crate) dispatch: DispatchSettings,
    pub(crate) reply: ReplySettings,
    pub(crate) knowledge: KnowledgeSettings,
    pub(crate) connect: Arc<dyn Connect>,
    pub(crate) tls: Tls,
    pub(crate) has_gateway: bool,
    pub(crate) sources: Vec<OpenSource>,
    pub(crate) duplicates: DuplicateSettings,
    pub(crate) session_store: Option<Arc<dyn SessionStore>>,
    pub(crate) session_max_age: Duration,
    pub(crate) shards: ShardChoice,
    pub(crate) identify_queue: Option<Arc<dyn IdentifyQueue>>,
    #[cfg(feature = "webhook")]
    pub(crate) webhook: Option<WebhookSettings>,
    #[cfg(feature = "webhook")]
    pub(crate) webhook_sink: Option<Arc<dyn qq_webhook::EventSink>>,
}

impl ClientBuilder {
    pub(crate) fn new(token: Token, intents: Intents) -> Self {
        let connect: Arc<dyn Connect> = Arc::new(Tcp);
        let tls = Tls::new();
        Self {
            token,
            handler: (),
            environment: Environment::production(),
            timeout: TIMEOUT,
            connect: None,
            proxy: None,
            tls: tls.clone(),
            retry: None,
            limits: None,
            limit_store: None,
            token_store: None,
            settings: Settings {
                intents,
                gateway_url: None,
                startup_deadline: TIMEOUT,
                stop_deadline: STOP_DEADLINE,
                dispatch: DispatchSettings::default(),
                reply: ReplySettings::default(),
                knowledge: KnowledgeSettings::default(),
                connect,
                tls,
                has_gateway: true,
                sources: Vec::new(),
                duplicates: DuplicateSettings::default(),
                session_store: None,
                session_max_age: SESSION_MAX_AGE,
                shards: ShardChoice::Recommended,
                identify_queue: None,
                #[cfg(feature = "webhook")]
                webhook: None,
                #[cfg(feature = "webhook")]
                webhook_sink: None,
            },
            closures: Vec::new(),
        }
    }
}

impl<H> ClientBuilder<H> {
    /// What to do about events.
    #[must_use]
    pub fn handler<T: EventHandler>(self, handler: T) -> ClientBuilder<T> {
        ClientBuilder {
            token: self.token,
            handler,
            environment: self.environment,
            timeout: self.timeout,
            connect: self.connect,
            proxy: self.proxy,
            tls: self.tls,
            retry: self.retry,
            limits: self.limits,
            limit_store: self.limit_store,
            token_store: self.token_store,
            settings: self.settings,
            closures: self.closures,
        }
    }

    /// Which platform; the public one unless said otherwise.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// The deadline of each REST call, body included, and of start-up; 30 s unless said otherwise.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self.settings.startup_deadline = timeout;
        self
    }

    /// How long the gateway may take at start until [`Client::start`] gives up; the same as
    /// [`timeout`](Self::timeout) unless said otherwise. Once a session stood, interruptions are mended for ever.
    #[must_use]
    pub const fn startup_deadline(mut self, deadline: Duration) -> Self {
        self.settings.startup_deadline = deadline;
        self
    }

    /// The deadline of [`Client::stop`]; 10 s unless said otherwise.
    #[must_use]
    pub const fn stop_deadline(mut self, deadline: Duration) -> Self {
        self.settings.stop_deadline = deadline;
        self
    }

    /// Which failed REST calls are tried again, and when.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = Some(policy);
        self
    }

    /// Which rate limits REST calls keep; those that the platform documents unless said otherwise.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// Shares the rate limits of the whole bot with its other processes; see [`LimitStore`]. With nobody unless said
    /// otherwise.
    #[must_use]
    pub fn limit_store(mut self, store: impl LimitStore) -> Self {
        self.limit_store = Some(Arc::new(store));
        self
    }

    /// Keeps access tokens beyond one process; see [`TokenStore`]. In memory unless said otherwise.
    #[must_use]
    pub fn token_store(mut self, store: impl TokenStore) -> Self {
        self.token_store = Some(Arc::new(store));
        self
    }

    /// How connections are opened, for REST and gateway alike: TCP by default, or a simulated network.
    #[must_use]
    pub fn connect(mut self, connect: impl Connect) -> Self {
        self.connect = Some(Arc::new(connect));
        self
    }

    /// Sends everything through this proxy, REST and gateway alike. By default the environment decides, by
    /// `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`.
    #[must_use]
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// Which root certificates are trusted.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }
}

impl<H: EventHandler> ClientBuilder<H> {
    /// The client.
    ///
    /// # Errors
    ///
    /// Credentials that cannot be right, or an address that cannot be used.
    pub fn build(self) -> Result<Client<H>, BotError> {
        self.token.validate()?;
        let mut http = HttpClient::builder(self.token.clone())
            .environment(self.environment.clone())
            .timeout(self.timeout)
            .tls(self.tls.clone());
        if let Some(connect) = self.connect {
            http = http.connect(connect);
        }
        if let Some(proxy) = self.proxy {
            http = http.proxy(proxy);
        }
        if let Some(policy) = self.retry {
            http = http.retry(policy);
        }
        if let Some(limits) = self.limits {
            http = http.limits(limits);
        }
        if let Some(store) = self.limit_store {
            http = http.limit_store(store);
        }
        if let Some(policy) = self.settings.knowledge.media.clone() {
            http = http.media(policy);
        }
        if let Some(store) = self.token_store {
            http = http.token_store(store);
        }
        let witness = Arc::<Witness>::default();
        let http = http.observer(Arc::clone(&witness)).build()?;
        let settings = Settings {
            gateway_url: self.environment.gateway().map(Into::into),
            connect: http.connect(),
            tls: self.tls,
            ..self.settings
        };
        let handlers = Handlers::new(self.closures);
        let shared = Arc::new(Shared::new(http, self.token, handlers, &settings));
        witness.tell(&shared);
        Ok(Client {
            shared,
            handler: Arc::new(self.handler),
            settings,
        })
    }
}

impl<H> std::fmt::Debug for ClientBuilder<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("token", &self.token)
            .field("environment", &self.environment)
            .finish_non_exhaustive()
    }
}

/// The platform that a flag means: its sandbox or the public one, and the server of `QQ_BOT_BASE_URL` where that
/// is set.
pub(super) fn environment_from_flag(is_sandbox: bool) -> Result<Environment, BotError> {
    let environment = Environment::from_env()?;
    Ok(if is_sandbox && environment == Environment::production() {
        Environment::sandbox()
    } else {
        environment
    })
}
