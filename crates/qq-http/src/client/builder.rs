//! Making a client.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::uri::Uri;
use http::{HeaderMap, HeaderName, HeaderValue};
use qq_model::{Environment, Token};
use qq_transport::{Connect, Proxied, Proxies, Proxy, Tcp, Tls};

use super::{Base, HttpClient, Inner};
use crate::download::{Downloads, MediaPolicy};
use crate::limit::{LimitStore, Limiter, Limits};
use crate::observer::{CallObserver, Observed};
use crate::retry::RetryPolicy;
use crate::token::{Fetcher, TokenManager, TokenStore};
use crate::transport::Transport;
use crate::upload::{Storage, UploadCache};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
const DEFAULT_MAX_BODY: usize = 8 * 1024 * 1024;
/// A fetch of an access token ends after this long, so that a second one fits in most calls' deadlines.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(10);
const DEFAULT_USER_AGENT: &str = concat!(
    "qq-http/",
    env!("CARGO_PKG_VERSION"),
    " (",
    env!("CARGO_PKG_REPOSITORY"),
    ")"
);
/// The official SDKs send it; the documentation does not ask for it.
pub(super) const APP_ID: HeaderName = HeaderName::from_static("x-union-appid");

/// Settings of an [`HttpClient`]: [`HttpClient::builder`].
///
/// ```
/// use std::time::Duration;
/// use qq_http::{HttpClient, RetryPolicy};
/// use qq_model::{Environment, Token};
///
/// let http = HttpClient::builder(Token::new("102000000", "secret"))
///     .environment(Environment::custom("http://127.0.0.1:8787")?)
///     .timeout(Duration::from_secs(10))
///     .retry(RetryPolicy::never())
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a client is made by `build`"]
pub struct HttpClientBuilder {
    token: Token,
    environment: Environment,
    timeout: Duration,
    retry: RetryPolicy,
    limits: Limits,
    limit_store: Option<Arc<dyn LimitStore>>,
    connect: Option<Arc<dyn Connect>>,
    proxies: Option<Proxies>,
    tls: Tls,
    token_store: Option<Arc<dyn TokenStore>>,
    observer: Option<Arc<dyn CallObserver>>,
    user_agent: Option<String>,
    max_body: usize,
    media: MediaPolicy,
}

impl HttpClientBuilder {
    pub(super) fn new(token: Token) -> Self {
        Self {
            token,
            environment: Environment::production(),
            timeout: DEFAULT_TIMEOUT,
            retry: RetryPolicy::default(),
            limits: Limits::default(),
            limit_store: None,
            connect: None,
            proxies: None,
            tls: Tls::new(),
            token_store: None,
            observer: None,
            user_agent: None,
            max_body: DEFAULT_MAX_BODY,
            media: MediaPolicy::default(),
        }
    }

    /// Which servers it talks to; the public platform by default.
    pub fn environment(self, environment: Environment) -> Self {
        Self {
            environment,
            ..self
        }
    }

    /// The deadline of each call, which covers all of it: access token, connection, attempts and waits between
    /// them, headers and body. 30 seconds by default; below five, slow sends end with an unknown outcome.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// How failed calls are repeated.
    pub fn retry(self, retry: RetryPolicy) -> Self {
        Self { retry, ..self }
    }

    /// How fast calls are made: by the platform's documented limits for bots that are not verified by default, in
    /// turn; see [`Limits`].
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Shares the limits of the whole bot with other processes: with nobody by default. See [`LimitStore`].
    pub fn limit_store(self, store: impl LimitStore) -> Self {
        Self {
            limit_store: Some(Arc::new(store)),
            ..self
        }
    }

    /// How connections are opened: TCP by default, or a simulated network. The proxies of the environment are for
    /// the default only.
    pub fn connect(self, connect: impl Connect) -> Self {
        Self {
            connect: Some(Arc::new(connect)),
            ..self
        }
    }

    /// Sends everything through this proxy (HTTP CONNECT or SOCKS5), also calls to this machine itself.
    ///
    /// By default the environment decides, by `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`; see
    /// [`Proxies::from_env`](qq_transport::Proxies::from_env).
    ///
    /// ```
    /// use qq_http::{HttpClient, Proxy};
    /// use qq_model::Token;
    ///
    /// let http = HttpClient::builder(Token::new("102000000", "secret"))
    ///     .proxy(Proxy::parse("http://user:password@proxy.example:3128")?)
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn proxy(self, proxy: Proxy) -> Self {
        Self {
            proxies: Some(Proxies::all(proxy)),
            ..self
        }
    }

    /// Uses no proxy, whatever the environment says.
    pub fn no_proxy(self) -> Self {
        Self {
            proxies: Some(Proxies::none()),
            ..self
        }
    }

    /// Which certificates are trusted; they are always verified.
    pub fn tls(self, tls: Tls) -> Self {
        Self { tls, ..self }
    }

    /// Where access tokens are kept beyond this process: nowhere by default. See [`TokenStore`].
    pub fn token_store(self, store: impl TokenStore) -> Self {
        Self {
            token_store: Some(Arc::new(store)),
            ..self
        }
    }

    /// Who sees every call: nobody by default. See [`CallObserver`].
    pub fn observer(self, observer: impl CallObserver) -> Self {
        Self {
            observer: Some(Arc::new(observer)),
            ..self
        }
    }

    /// What it calls itself: `User-Agent`.
    pub fn user_agent(self, user_agent: impl Into<String>) -> Self {
        Self {
            user_agent: Some(user_agent.into()),
            ..self
        }
    }

    /// The longest answer that is read, in bytes; 8 MiB by default. A longer one is an error.
    pub fn max_answer_bytes(self, bytes: usize) -> Self {
        Self {
            max_body: bytes,
            ..self
        }
    }

    /// Where received media may be downloaded from, and how much of them.
    pub fn media(self, policy: MediaPolicy) -> Self {
        Self {
            media: policy,
            ..self
        }
    }

    /// The client. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// [`BuildError`], which names the setting and what is wrong with it.
    pub fn build(self) -> Result<HttpClient, BuildError> {
        self.token
            .validate()
            .map_err(|error| BuildError::new("token", error))?;
        if self.timeout.is_zero() {
            return Err(BuildError::new(
                "timeout",
                "it is zero: no call could succeed",
            ));
        }
        self.limits
            .validate()
            .map_err(|error| BuildError::new("limits", error))?;
        let user_agent =
            HeaderValue::from_str(self.user_agent.as_deref().unwrap_or(DEFAULT_USER_AGENT))
                .map_err(|error| BuildError::new("user_agent", error))?;
        let app_id = HeaderValue::from_str(&self.token.app_id().text())
            .map_err(|error| BuildError::new("token", error))?;
        let base = Base::parse(self.environment.api())?;
        let token_url = parse_url(self.environment.token())?;
        let headers = headers(user_agent.clone(), app_id);
        let proxies = match (self.proxies, &self.connect) {
            (Some(proxies), _) => proxies,
            (None, Some(_)) => Proxies::none(),
            (None, None) => Proxies::from_env().map_err(|error| BuildError::new("proxy", error))?,
        };
        let connect = self.connect.unwrap_or_else(|| Arc::new(Tcp));
        let proxies_are_used = !proxies.is_none();
        let connect: Arc<dyn Connect> = if proxies_are_used {
            Arc::new(Proxied::new(connect, proxies).tls(self.tls.clone()))
        } else {
            connect
        };
        let media = if proxies_are_used {
            // Behind a proxy names may mean nothing here.
            self.media.resolve_elsewhere()
        } else {
            self.media
        };
        let home = qq_transport::Endpoint::parse(self.environment.api())
            .map_err(|error| BuildError::new("environment", error))?;
        let downloads = Downloads::new(
            Arc::clone(&connect),
            &self.tls,
            media,
            user_agent.clone(),
            (home.host().into(), home.port()),
        );
        let transport = Transport::new(Arc::clone(&connect), &self.tls, self.max_body);
        let fetcher = Fetcher::new(
            self.token,
            token_url,
            user_agent,
            transport.clone(),
            self.timeout.min(TOKEN_TIMEOUT),
        );
        let observer = Observed::by(self.observer);
        let tokens = TokenManager::new(fetcher, self.token_store, observer.clone());
        Ok(HttpClient {
            inner: Arc::new(Inner {
                environment: self.environment,
                base,
                headers,
                timeout: self.timeout,
                purse: self.retry.purse(),
                retry: self.retry,
                limiter: match self.limit_store {
                    None => Limiter::new(self.limits),
                    Some(store) => Limiter::shared(self.limits, &*store),
                },
                storage: Storage::new(transport.connector().clone()),
                uploads: UploadCache::default(),
                connect,
                downloads,
                transport,
                tokens: Arc::new(tokens),
                observer,
            }),
        })
    }
}

impl Base {
    fn parse(url: &str) -> Result<Self, BuildError> {
        let parts = parse_url(url)?.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(BuildError::new(
                "environment",
                "its address has no scheme or no host",
            ));
        };
        let path = parts.path_and_query.as_ref().map_or("", |path| path.path());
        let path = path.trim_end_matches('/').into();
        Ok(Self {
            scheme,
            authority,
            path,
        })
    }
}

/// The headers of every request, with room for those that the HTTP stack adds.
fn headers(user_agent: HeaderValue, app_id: HeaderValue) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(12);
    headers.insert(USER_AGENT, user_agent);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    // Without it an answer may be compressed in any way.
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(APP_ID, app_id);
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/json; charset=utf-8"),
    );
    headers.insert(AUTHORIZATION, HeaderValue::from_static(""));
    headers
}

fn parse_url(url: &str) -> Result<Uri, BuildError> {
    qq_transport::Endpoint::parse(url).map_err(|error| BuildError::new("environment", error))?;
    url.parse()
        .map_err(|error: http::uri::InvalidUri| BuildError::new("environment", error))
}

impl fmt::Debug for HttpClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClientBuilder")
            .field("token", &self.token)
            .field("environment", &self.environment)
            .field("timeout", &self.timeout)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

/// A setting that no client can be made with.
pub struct BuildError {
    setting: &'static str,
    source: Box<dyn StdError + Send + Sync>,
}

impl BuildError {
    fn new(setting: &'static str, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            setting,
            source: source.into(),
        }
    }

    /// Which setting: a method of [`HttpClientBuilder`], or `token`.
    #[must_use]
    pub const fn setting(&self) -> &'static str {
        self.setting
    }
}

/// As `Display`: a program whose `main` returns one says what to do.
impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the setting `{}` cannot be used: {}",
            self.setting, self.source
        )
    }
}

impl StdError for BuildError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}

#[cfg(test)]
mod tests {
    use http::uri::PathAndQuery;

    use super::*;
    use crate::limit::Limit;
    use crate::route::Route;

    fn token() -> Token {
        Token::new("102000000", "canary-secret")
    }

    #[test]
    fn each_bad_setting_is_named() {
        for (builder, setting) in [
            (HttpClient::builder(Token::new("", "s")), "token"),
            (HttpClient::builder(Token::new("1", "")), "token"),
            (
                HttpClient::builder(token()).timeout(Duration::ZERO),
                "timeout",
            ),
            (
                HttpClient::builder(token()).user_agent("a\nb"),
                "user_agent",
            ),
            (
                HttpClient::builder(token()).limits(Limits::default().with(Limit::new(
                    "mine",
                    Route::GetMe,
                    0,
                    Duration::from_secs(1),
                ))),
                "limits",
            ),
        ] {
            let error = builder.build().unwrap_err();
            assert_eq!(error.setting(), setting);
            assert!(error.to_string().contains(setting), "{error}");
        }
    }

    #[test]
    fn secrets_do_not_show() {
        let builder = HttpClient::builder(token());
        let shown = format!("{builder:?}");
        let shown = format!("{shown}{:?}", builder.build().unwrap());
        assert!(
            shown.contains("102000000") && !shown.contains("canary"),
            "{shown}"
        );
    }

    #[test]
    fn addresses_may_have_a_path() {
        let base = Base::parse("http://127.0.0.1:8787/qq/").unwrap();
        assert_eq!(
            base.join(&PathAndQuery::from_static("/a?b=1")).unwrap(),
            "http://127.0.0.1:8787/qq/a?b=1"
        );
        let base = Base::parse("https://api.example").unwrap();
        let joined = base.join(&PathAndQuery::from_static("/a")).unwrap();
        assert_eq!(joined, "https://api.example/a");
    }
}
