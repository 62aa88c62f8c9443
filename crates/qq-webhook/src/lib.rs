#![forbid(unsafe_code)]
//! Signed webhook callbacks of the QQ bot platform: verified, acknowledged, delivered as events.
//!
//! The platform can push events to a web address of the bot instead of a WebSocket connection. Each request is signed
//! with a key made of the bot's secret. This crate verifies it, answers the platform's checks of the address,
//! acknowledges events, drops repeated ones, and gives out the same [`Dispatch`](qq_model::Dispatch) that a gateway
//! session gives.
//!
//! * [`Verifier`]: everything about one request, without I/O, for any web framework or function runtime.
//! * `WebhookService` and `WebhookEvents` (feature `server`): a tower service that mounts in axum or any other tower or
//!   hyper application, with limits and deadlines, and the stream of what it took.
//! * `WebhookServer` (feature `server`): listens by itself, behind a proxy or with TLS.
//! * [`signature`]: the key pair and its signatures.
//!
//! Platform page: <https://bot.q.qq.com/wiki/develop/api-v2/dev-prepare/interface-framework/event-emit.html>.

mod answer;
mod error;
mod event;
pub mod headers;
mod receive;
mod replay;
#[cfg(feature = "server")]
mod server;
#[cfg(feature = "server")]
mod service;
pub mod signature;
mod stats;
mod verifier;

pub use self::error::{Error, ErrorKind};
pub use self::event::{RawEvent, WebhookEvent};
pub use self::receive::{Claim, Handled, Received};
#[cfg(feature = "server")]
pub use self::server::{
    ServerError, ServerErrorKind, ServerHandle, ServerStats, WebhookServer, WebhookServerBuilder,
};
#[cfg(feature = "server")]
pub use self::service::{
    AcceptFuture, AnswerBody, AnswerFuture, EventQueue, EventSink, WebhookEvents, WebhookService,
    WebhookServiceBuilder,
};
pub use self::stats::Stats;
pub use self::verifier::{BuildError, Verified, Verifier, VerifierBuilder};
