//! Building a server.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::uri::PathAndQuery;
use tokio::net::{TcpListener, ToSocketAddrs};
use tokio::sync::watch;

use super::certificate::Certificate;
use super::connection::Settings;
use super::error::{ServerError, ServerErrorKind};
use super::{ConnectionCounters, Control, WebhookServer};
use crate::service::WebhookService;

/// Builds a [`WebhookServer`].
#[derive(Debug)]
#[must_use = "a builder does nothing until `bind`"]
pub struct WebhookServerBuilder {
    service: WebhookService,
    path: String,
    files: Option<(PathBuf, PathBuf)>,
    reload_interval: Duration,
    header_deadline: Duration,
    answer_deadline: Duration,
    connection_limit: usize,
}

impl WebhookServerBuilder {
    pub(super) fn new(service: WebhookService) -> Self {
        Self {
            service,
            path: "/".to_owned(),
            files: None,
            reload_interval: Duration::from_secs(10),
            header_deadline: Duration::from_secs(10),
            answer_deadline: Duration::from_secs(10),
            connection_limit: 512,
        }
    }

    /// The path of the callback address as the console has it; `/` by default. Other paths are answered with 404.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Speaks TLS with the certificates and the private key of these PEM files. The file of certificates begins with the
    /// server's own, then come those that vouch for it ("full chain"). Without this call the server speaks plain HTTP, for
    /// behind a proxy: the platform only calls HTTPS addresses.
    ///
    /// The files are read again when they change, without a restart. While they do not fit together, as between the
    /// writing of one and of the other, the old certificate stays.
    pub fn tls_files(mut self, certificates: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.files = Some((certificates.into(), key.into()));
        self
    }

    /// How often the files are looked at; every 10 seconds by default.
    pub const fn tls_reload_interval(mut self, interval: Duration) -> Self {
        self.reload_interval = interval;
        self
    }

    /// How long a TLS handshake may take, then how long a connection may wait for the header of a request, the first and
    /// each further one; 10 seconds by default.
    pub const fn header_deadline(mut self, deadline: Duration) -> Self {
        self.header_deadline = deadline;
        self
    }

    /// How long a client may leave an answer unread; 10 seconds by default.
    pub const fn answer_deadline(mut self, deadline: Duration) -> Self {
        self.answer_deadline = deadline;
        self
    }

    /// How many connections are open at most; 512 by default, at least 1. More wait in the system's backlog.
    pub const fn connection_limit(mut self, connections: usize) -> Self {
        self.connection_limit = connections;
        self
    }

    /// Reads the certificate files, if any, and listens. Requests are answered from [`WebhookServer::run`] on.
    ///
    /// # Errors
    ///
    /// [`ServerError`] with the file and the reason when a file or the address cannot be used.
    pub async fn bind(self, address: impl ToSocketAddrs) -> Result<WebhookServer, ServerError> {
        let is_path = self.path.starts_with('/') && !self.path.contains(['?', '#']);
        PathAndQuery::try_from(self.path.as_str())
            .map_err(|error| ServerError::new(ServerErrorKind::Path, error))
            .and_then(|_| {
                if is_path {
                    Ok(())
                } else {
                    Err(ServerError::new(ServerErrorKind::Path, self.path.clone()))
                }
            })?;
        let certificate = match self.files {
            Some((certificates, key)) => {
                Some(Certificate::load(certificates, key, self.reload_interval).await?)
            }
            None => None,
        };
        let (listener, address) = listen(address)
            .await
            .map_err(|error| ServerError::new(ServerErrorKind::Bind, error))?;
        Ok(WebhookServer {
            listener,
            address,
            settings: Arc::new(Settings {
                service: self.service,
                path: self.path,
                certificate,
                header_deadline: self.header_deadline,
                answer_deadline: self.answer_deadline,
            }),
            connection_limit: self
                .connection_limit
                .clamp(1, tokio::sync::Semaphore::MAX_PERMITS),
            control: Arc::new(Control {
                stop: watch::Sender::new(None),
                counters: ConnectionCounters::default(),
            }),
        })
    }
}

async fn listen(address: impl ToSocketAddrs) -> std::io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}
