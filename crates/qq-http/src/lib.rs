#![forbid(unsafe_code)]
//! The REST API of the QQ bot platform.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use qq_http::{HttpClient, Sent, Token};
//!
//! let http = HttpClient::new(Token::from_env()?)?;
//! match http.group("FEC0ACE0EE8970E6BC3ADAFB5BEC6152").send("hi").await {
//!     Ok(Sent::PendingAudit(audit)) => println!("waits for audit {}", audit.audit_id),
//!     Ok(sent) => println!("sent as {:?}", sent.id()),
//!     Err(error) => eprintln!("{error}"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A script that has no runtime runs it with [`block_on`].
//!
//! # Where to begin
//!
//! | To do | Call |
//! |---|---|
//! | answer a message that came | `http.group(id).send("hi").reply_to(msg_id).msg_seq(1)` |
//! | speak unasked, which counts against an allowance | `http.group(id).send("hi")` |
//! | the same elsewhere | [`user`](HttpClient::user), [`channel`](HttpClient::channel), [`direct`](HttpClient::direct), or [`conversation`](HttpClient::conversation) for wherever a message came from |
//! | send a file | `let file = http.group(id).upload(Upload::file("a.png")).await?`, then `http.group(id).send(&file)` |
//! | an answer that grows while it is written | [`http.user(id).stream()`](UserScope::stream) |
//! | all members of a guild | [`http.guild(id).members().items()`](QueryCall::items) |
//! | a call that this version does not know | [`http.request(method, path, body)`](HttpClient::request) |
//! | look at a call without making it | `try_into_request()` |
//! | call another server, such as the emulator | [`HttpClientBuilder::environment`], or `Environment::from_env()` with `QQ_BOT_BASE_URL` |
//!
//! # What there is
//!
//! * [`HttpClient`]: calls by what they are about. Each is a plain [`Request`] first and a future second.
//! * [`QueryCall`]: lists, one page or all of them ([`Pages`], [`Items`]).
//! * [`Error`]: kind, status, code, trace id, route and advice; [`Sent`]: what became of a message.
//! * [`TokenManager`]: access tokens, fetched once for all callers and renewed in time. [`TokenStore`]: keeping
//!   them beyond one process.
//! * [`RetryPolicy`]: repeats that never show a message twice, within a [`RetryBudget`]. [`Route`]: the table of calls.
//! * [`CallObserver`]: seeing every call, for statistics and logs.
//! * [`Limits`]: the platform's rate limits, kept before it has to refuse; on by default.
//!
//! Each call ends before its deadline, whatever the server does. Secrets and tokens never show in errors, logs or
//! `Debug`, and go to the hosts of the [`Environment`] only.
//!
//! # Tracing
//!
//! Each call is a `debug` span `qq.http.request` with `method` and `route` (the template, without ids). Within it
//! each attempt ends in a `debug` event with `attempt`, `status`, `code` and `trace_id`. A failed fetch of an access
//! token is a `warn` event with `failures` and `error`. Bodies and ids are never recorded.

mod client;
mod download;
mod error;
mod execute;
mod limit;
mod observer;
mod random;
mod request;
mod response;
mod retry;
mod route;
mod scope;
mod script;
mod sent;
mod stream;
mod token;
mod transport;
mod upload;

#[doc(no_inline)]
pub use http::{Method, StatusCode};
/// What is said on the wire: ids, objects, message bodies, error codes.
#[doc(no_inline)]
pub use qq_model as model;
#[doc(no_inline)]
pub use qq_model::{Advice, Environment, Token};
#[doc(no_inline)]
pub use qq_transport::{Proxy, ProxyError, ProxyErrorKind};

pub use self::client::{BuildError, HttpClient, HttpClientBuilder};
pub use self::download::{Download, Downloaded, DownloadedFile, MediaBody, MediaPolicy};
pub use self::error::{Error, ErrorKind};
pub use self::limit::{
    Certification, Counted, Limit, LimitMode, LimitScope, LimitStore, LimitUsage, Limiter,
    LimiterStats, Limits, SettledPlaces, SharedLimit, SharedLimits,
};
pub use self::observer::{CallObserver, CallRefused, OutgoingMessage};
pub use self::request::{
    Call, CallFuture, Items, Paged, Pages, Query, QueryCall, RawCall, Request, SendMessage,
};
pub use self::response::Response;
pub use self::retry::{RetryBudget, RetryPolicy};
pub use self::route::{Quota, Route};
pub use self::scope::{
    ChannelAnnounces, ChannelMemberScope, ChannelMessageScope, ChannelMessages, ChannelPins,
    ChannelRoleScope, ChannelSchedules, ChannelScope, ChannelThreads, CheckWebhookSessions,
    ConversationScope, DirectMessageScope, DirectScope, GroupMemberScope, GroupMessageScope,
    GroupScope, GuildAnnounces, GuildMemberScope, GuildRoleScope, GuildScope, InteractionScope,
    JoinApprovalStrategies, JoinApprovalStrategyScope, MenuScope, PanelIdScope, Panels,
    ScheduleScope, ThreadScope, UserMessageScope, UserScope, WebhookSessions,
};
pub use self::script::block_on;
pub use self::sent::{PendingAudit, Sent};
pub use self::stream::{MessageStream, StreamBuilder, StreamError, StreamErrorKind, Streamed};
pub use self::token::{
    StoredToken, TokenFile, TokenLease, TokenManager, TokenStore, TokenStoreError, TokenStoreFuture,
};
pub use self::upload::{
    Upload, UploadFile, UploadLimits, UploadPolicy, UploadProgress, UploadStep, Uploaded,
};
