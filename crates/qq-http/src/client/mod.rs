//! The REST client.

mod builder;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::uri::{Authority, Parts, PathAndQuery, Scheme, Uri};
use http::{HeaderMap, HeaderValue, Method};
use qq_model::gateway::{Gateway, GatewayBot};
use qq_model::id::{ChannelId, GroupOpenid, GuildId, UserOpenid};
use qq_model::message::Conversation;
use qq_model::user::SelfUser;
use qq_model::{Environment, Token};
use qq_transport::Connect;
use serde_json::Value;

pub use self::builder::{BuildError, HttpClientBuilder};
use crate::download::Downloads;
use crate::error::Error;
use crate::execute;
use crate::limit::Limiter;
use crate::observer::Observed;
use crate::request::{Call, RawCall, Request};
use crate::response::Response;
use crate::retry::{Purse, RetryPolicy};
use crate::route::Route;
use crate::scope::{ChannelScope, ConversationScope, DirectScope, GroupScope, UserScope};
use crate::token::TokenManager;
use crate::transport::Transport;
use crate::upload::{Storage, UploadCache};

/// The REST client of one bot.
///
/// Cheap to clone: clones share connections and access token. Two clients built apart share nothing, so several
/// bots live in one process. It must be used within a Tokio runtime; nothing of it runs outside of calls, but for
/// the open connections.
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use qq_http::HttpClient;
/// use qq_model::Token;
///
/// let http = HttpClient::new(Token::from_env()?)?;
/// println!("I am {}", http.me().await?.username);
/// http.group("FEC0ACE0EE8970E6BC3ADAFB5BEC6152").send("hi").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct HttpClient {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    environment: Environment,
    base: Base,
    /// Those of every request; that for the access token has no value yet.
    headers: HeaderMap,
    timeout: Duration,
    pub(crate) retry: RetryPolicy,
    /// What all calls together may still repeat.
    pub(crate) purse: Purse,
    pub(crate) limiter: Limiter,
    connect: Arc<dyn Connect>,
    pub(crate) transport: Transport,
    pub(crate) tokens: Arc<TokenManager>,
    pub(crate) storage: Storage,
    pub(crate) uploads: UploadCache,
    pub(crate) downloads: Downloads,
    pub(crate) observer: Observed,
}

/// The environment's REST address, in the parts that each request's address is made of.
struct Base {
    scheme: Scheme,
    authority: Authority,
    path: Box<str>,
}

impl HttpClient {
    /// A client for the public platform.
    ///
    /// # Errors
    ///
    /// [`BuildError`]: a part of the credentials is missing or malformed.
    pub fn new(token: Token) -> Result<Self, BuildError> {
        Self::builder(token).build()
    }

    /// A client for another environment, or with other settings.
    pub fn builder(token: Token) -> HttpClientBuilder {
        HttpClientBuilder::new(token)
    }

    /// The bot itself.
    pub fn me(&self) -> Call<SelfUser> {
        Call::new(self, Request::new(Route::GetMe, &[]), |response| {
            let me: SelfUser = response.json()?;
            if me.id.is_empty() {
                Err(lacks(response, "id"))
            } else {
                Ok(me)
            }
        })
    }

    /// The gateway's address. The platform allows 2 calls per minute: keep it.
    pub fn gateway(&self) -> Call<Gateway> {
        Call::new(self, Request::new(Route::GetGateway, &[]), |response| {
            let gateway: Gateway = response.json()?;
            if gateway.url.is_empty() {
                Err(lacks(response, "url"))
            } else {
                Ok(gateway)
            }
        })
    }

    /// The gateway's address, the recommended number of shards, and how many sessions may be opened.
    pub fn gateway_bot(&self) -> Call<GatewayBot> {
        Call::new(self, Request::new(Route::GetGatewayBot, &[]), |response| {
            let gateway: GatewayBot = response.json()?;
            if gateway.url.is_empty() {
                Err(lacks(response, "url"))
            } else {
                Ok(gateway)
            }
        })
    }

    /// A QQ group.
    pub fn group(&self, group: impl Into<GroupOpenid>) -> GroupScope {
        GroupScope::new(self.clone(), group.into())
    }

    /// A user in one-to-one chats.
    pub fn user(&self, user: impl Into<UserOpenid>) -> UserScope {
        UserScope::new(self.clone(), user.into())
    }

    /// A guild channel.
    pub fn channel(&self, channel: impl Into<ChannelId>) -> ChannelScope {
        ChannelScope::new(self.clone(), channel.into())
    }

    /// A guild direct conversation, by its own guild id: not that of the guild it was opened from.
    pub fn direct(&self, guild: impl Into<GuildId>) -> DirectScope {
        DirectScope::new(self.clone(), guild.into())
    }

    /// A chat of any scene, such as the one that a message came from.
    #[must_use]
    pub fn conversation(&self, conversation: &Conversation) -> ConversationScope {
        ConversationScope::new(self.clone(), conversation.clone())
    }

    /// A call that this version does not know, with the same access token, deadline and errors as the others. It
    /// is repeated after a failure as the method allows: `GET` like other reads, the rest only while nothing of it
    /// was written.
    ///
    /// The path starts with a slash and may have a query; it must be percent-encoded.
    ///
    /// ```no_run
    /// # async fn run(http: qq_http::HttpClient) -> Result<(), qq_http::Error> {
    /// use qq_http::Method;
    ///
    /// let guilds: Vec<serde_json::Value> = http.request(Method::GET, "/users/@me/guilds?limit=10", None).await?.json()?;
    /// # Ok(())
    /// # }
    /// ```
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a body is made for the call and given away"
    )]
    pub fn request(&self, method: Method, path: impl Into<String>, body: Option<Value>) -> RawCall {
        RawCall::new(self, method, path.into(), body.as_ref())
    }

    /// The bot's access tokens, for a gateway connection.
    #[must_use]
    pub fn access_token(&self) -> Arc<TokenManager> {
        Arc::clone(&self.inner.tokens)
    }

    /// How connections are opened, by the same proxy: for a gateway connection.
    #[must_use]
    pub fn connect(&self) -> Arc<dyn Connect> {
        Arc::clone(&self.inner.connect)
    }

    /// The bot's app id.
    #[must_use]
    pub fn app_id(&self) -> &str {
        let header = self.inner.headers.get(builder::APP_ID);
        // It was made of digits, so it is text.
        header.and_then(|id| id.to_str().ok()).unwrap_or_default()
    }

    /// What is counted of this client's calls, and how long the next one would wait.
    #[must_use]
    pub fn limits(&self) -> &Limiter {
        &self.inner.limiter
    }

    /// Where this client's calls go.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.inner.environment
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    pub(crate) async fn run(
        &self,
        request: &Request,
        timeout: Option<Duration>,
    ) -> Result<Response, Error> {
        let Inner {
            observer,
            timeout: usual,
            ..
        } = &*self.inner;
        observer.before(request)?;
        let outcome = execute::call(&self.inner, request, timeout.unwrap_or(*usual)).await;
        observer.after(request, outcome.as_ref());
        outcome
    }
}

impl Inner {
    /// The request as it goes to the server, but for the access token.
    pub(crate) fn prepare(
        &self,
        request: &Request,
        authorization: HeaderValue,
    ) -> Result<http::Request<Option<Bytes>>, Error> {
        let body = request.shared_body();
        let mut headers = self.headers.clone();
        match (&body, request.content_type()) {
            (None, _) => drop(headers.remove(CONTENT_TYPE)),
            (Some(_), Some(kind)) => drop(headers.insert(CONTENT_TYPE, kind.clone())),
            (Some(_), None) => {}
        }
        headers.insert(AUTHORIZATION, authorization);
        let mut prepared = http::Request::new(body);
        *prepared.method_mut() = request.method().clone();
        *prepared.headers_mut() = headers;
        *prepared.uri_mut() = self.base.join(request.target()).map_err(|error| {
            Error::invalid_request("the path cannot be part of an address").with_source(error)
        })?;
        Ok(prepared)
    }
}

impl Base {
    fn join(&self, target: &PathAndQuery) -> Result<Uri, http::Error> {
        let mut parts = Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(if self.path.is_empty() {
            target.clone()
        } else {
            PathAndQuery::try_from(format!("{}{target}", self.path))?
        });
        Ok(Uri::from_parts(parts)?)
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient")
            .field("environment", &self.inner.environment)
            .field("tokens", &self.inner.tokens)
            .field("timeout", &self.inner.timeout)
            .finish_non_exhaustive()
    }
}

fn lacks(response: &Response, member: &str) -> Error {
    response.undecodable(format!("the answer has no `{member}`"))
}
