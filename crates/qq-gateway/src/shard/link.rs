//! The way to an open WebSocket, step by step.

use std::io;
use std::pin::Pin;
use std::sync::Arc;

use qq_model::{AccessTokenError, BearerToken};
use qq_transport::{Connection, Tls};
use tungstenite::Error;
use tungstenite::client::IntoClientRequest;
use tungstenite::http::HeaderValue;
use tungstenite::http::header::USER_AGENT;
use tungstenite::protocol::WebSocketConfig;

use super::config::Config;
use super::socket::Socket;
use crate::{IdentifyTurn, Limits, SessionQuotaError};

/// How the shard calls itself.
const CLIENT: &str = concat!("qq-gateway/", env!("CARGO_PKG_VERSION"));

type Step<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// What a shard has of a connection.
pub(super) enum Link {
    Down,
    Queue(Step<IdentifyTurn, SessionQuotaError>),
    Token(Step<BearerToken, AccessTokenError>),
    Connect(Step<Connection, io::Error>),
    Tls(Step<Connection, io::Error>),
    Upgrade(Step<Socket, Error>),
    Open(Box<Socket>),
}

impl Link {
    pub(super) fn queue(config: &Arc<Config>) -> Self {
        let config = Arc::clone(config);
        Self::Queue(Box::pin(
            async move { config.queue.wait(config.shard).await },
        ))
    }

    pub(super) fn token(config: &Arc<Config>) -> Self {
        let config = Arc::clone(config);
        Self::Token(Box::pin(async move { config.token.get().await }))
    }

    pub(super) fn connect(config: &Arc<Config>) -> Self {
        let config = Arc::clone(config);
        Self::Connect(Box::pin(async move {
            config.connect.connect_to(&config.endpoint).await
        }))
    }

    pub(super) fn tls(config: &Arc<Config>, connection: Connection) -> Self {
        let config = Arc::clone(config);
        // One configuration for every connection of this shard, so that TLS sessions are resumed.
        let tls = config.tls.get_or_init(Tls::new).clone();
        Self::Tls(Box::pin(async move {
            tls.handshake(config.endpoint.host(), connection).await
        }))
    }

    pub(super) fn upgrade(config: &Arc<Config>, connection: Connection) -> Self {
        let config = Arc::clone(config);
        Self::Upgrade(Box::pin(async move {
            let settings = websocket_config(&config.limits);
            let mut request = (&*config.url).into_client_request()?;
            request
                .headers_mut()
                .insert(USER_AGENT, HeaderValue::from_static(CLIENT));
            Socket::open(request, connection, settings).await
        }))
    }
}

fn websocket_config(limits: &Limits) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(limits.read_buffer.max(1024))
        .max_frame_size(Some(limits.max_frame))
        .max_message_size(Some(limits.max_frame))
        // Frames are small and leave at once.
        .write_buffer_size(0)
        .max_write_buffer_size(limits.max_outgoing_frame.saturating_add(64 << 10))
}
