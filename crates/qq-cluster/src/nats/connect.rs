//! Connecting to NATS, with an error that names what is wrong.

use std::time::Duration;

use async_nats::jetstream::{self, ErrorCode};
use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event, RequestErrorKind, ServerAddr};
use bytes::Bytes;
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::config::{ClusterConfig, Credentials};
use crate::{ClusterError, ClusterErrorKind};

/// How long a request may take. Leases are renewed several times within their life, so a slow answer costs nothing.
const REQUEST: Duration = Duration::from_secs(2);
/// How long connecting may take, all addresses together.
const CONNECT: Duration = Duration::from_secs(10);
/// The oldest server that works.
const OLDEST: (u64, u64) = (2, 9);

/// A connection that was made, and is made again when it breaks.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) context: jetstream::Context,
    /// Changes whenever it was made again.
    pub(crate) made: watch::Receiver<()>,
}

/// Connects, and makes sure that JetStream is there.
pub(crate) async fn connect(
    config: &ClusterConfig,
    client_name: &str,
) -> Result<Connection, ClusterError> {
    let addresses = addresses(&config.servers)?;
    let (making, made) = watch::channel(());
    let options = options(config)
        .await?
        .name(client_name)
        .event_callback(move |event| {
            tracing::info!(%event, "NATS");
            if matches!(event, Event::Connected) {
                making.send_replace(());
            }
            std::future::ready(())
        });
    let client = match timeout(CONNECT, options.connect(addresses)).await {
        Ok(Ok(client)) => client,
        Ok(Err(error)) => return Err(refused(error)),
        Err(_) => {
            return Err(ClusterError::new(
                ClusterErrorKind::Unreachable,
                format!("NATS does not answer within {CONNECT:?}"),
            ));
        }
    };
    check_version(&client)?;
    let mut context = jetstream::new(client);
    context.set_timeout(REQUEST);
    check_jetstream(&context).await?;
    Ok(Connection { context, made })
}

fn addresses(servers: &str) -> Result<Vec<ServerAddr>, ClusterError> {
    servers
        .split(',')
        .map(str::trim)
        .filter(|address| !address.is_empty())
        .map(|address| {
            address.parse().map_err(|error: std::io::Error| {
                ClusterError::with_source(
                    ClusterErrorKind::Configuration,
                    "servers: an address is not of the form nats://host:port or tls://host:port",
                    error,
                )
            })
        })
        .collect()
}

async fn options(config: &ClusterConfig) -> Result<ConnectOptions, ClusterError> {
    let options = ConnectOptions::new()
        .connection_timeout(CONNECT / 2)
        .request_timeout(Some(REQUEST))
        .ping_interval(Duration::from_secs(5))
        // A short pause, so that a restarted server has its processes back before their leases end.
        .reconnect_delay_callback(|attempts| {
            Duration::from_millis(50 * u64::try_from(attempts).unwrap_or(u64::MAX).clamp(1, 10))
        });
    let options = match &config.credentials {
        None => options,
        Some(Credentials::Token(token)) => options.token(token.to_string()),
        Some(Credentials::User { name, password }) => {
            options.user_and_password(name.to_string(), password.to_string())
        }
        Some(Credentials::NKey(seed)) => options.nkey(seed.to_string()),
        Some(Credentials::File(path)) => options.credentials_file(path).await.map_err(|error| {
            ClusterError::with_source(
                ClusterErrorKind::Configuration,
                format!("credentials_file: {} cannot be read", path.display()),
                error,
            )
        })?,
    };
    let tls = &config.tls;
    let mut options = options.require_tls(tls.is_required);
    if let Some(roots) = &tls.roots {
        options = options.add_root_certificates(roots.clone());
    }
    if let Some((certificate, key)) = &tls.identity {
        options = options.add_client_certificate(certificate.clone(), key.clone());
    }
    Ok(options)
}

fn refused(error: async_nats::ConnectError) -> ClusterError {
    let (kind, message) = match error.kind() {
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => (
            ClusterErrorKind::Credentials,
            "NATS refused the credentials",
        ),
        ConnectErrorKind::ServerParse => (
            ClusterErrorKind::Configuration,
            "servers: an address cannot be read",
        ),
        ConnectErrorKind::Tls => (ClusterErrorKind::Unreachable, "TLS with NATS failed"),
        ConnectErrorKind::Dns => (
            ClusterErrorKind::Unreachable,
            "the name of a NATS server cannot be resolved",
        ),
        _ => (
            ClusterErrorKind::Unreachable,
            "no NATS server answers; start one with `nats-server -js -sd <folder>`, or correct the addresses",
        ),
    };
    ClusterError::with_source(kind, message, error)
}

fn check_version(client: &Client) -> Result<(), ClusterError> {
    let version = client.server_info().version;
    let mut numbers = version.split('.').map(str::parse::<u64>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) if (major, minor) < OLDEST => Err(ClusterError::new(
            ClusterErrorKind::ServerTooOld,
            format!("the NATS server is {version}; 2.9 or newer is needed"),
        )),
        _ => Ok(()),
    }
}

async fn check_jetstream(context: &jetstream::Context) -> Result<(), ClusterError> {
    // Servers before 2.10 leave out members that the library's own reading of this answer insists on.
    #[derive(Deserialize)]
    struct Answer {
        error: Option<jetstream::Error>,
    }
    let client = context.client();
    let mut last = None;
    // Servers that have just started elect a leader first.
    for pause in [0, 250, 500, 1000, 2000] {
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let answer = match client.request("$JS.API.INFO", Bytes::new()).await {
            Ok(answer) => answer,
            Err(error) if error.kind() == RequestErrorKind::NoResponders => {
                return Err(ClusterError::with_source(
                    ClusterErrorKind::JetStreamDisabled,
                    "the NATS server runs without JetStream; start it with `nats-server -js -sd <folder>`",
                    error,
                ));
            }
            Err(error) => {
                last = Some(ClusterError::with_source(
                    ClusterErrorKind::NotReady,
                    "JetStream does not answer",
                    error,
                ));
                continue;
            }
        };
        let error = match serde_json::from_slice(&answer.payload) {
            Ok(Answer { error: None }) => return Ok(()),
            Ok(Answer { error: Some(error) }) => error,
            Err(error) => {
                return Err(ClusterError::with_source(
                    ClusterErrorKind::Other,
                    "what answers for JetStream is not JetStream",
                    error,
                ));
            }
        };
        if matches!(
            error.error_code(),
            ErrorCode::JETSTREAM_NOT_ENABLED | ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT
        ) {
            return Err(ClusterError::with_source(
                ClusterErrorKind::JetStreamDisabled,
                "the NATS account may not use JetStream; enable it in the server's configuration",
                error,
            ));
        }
        last = Some(ClusterError::with_source(
            ClusterErrorKind::NotReady,
            "JetStream is not ready",
            error,
        ));
    }
    Err(last.unwrap_or_else(|| {
        ClusterError::new(ClusterErrorKind::NotReady, "JetStream does not answer")
    }))
}
