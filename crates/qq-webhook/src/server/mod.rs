//! A server for callbacks alone.

mod builder;
mod certificate;
mod connection;
mod error;
mod stall;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

pub use self::builder::WebhookServerBuilder;
use self::connection::Settings;
pub use self::error::{ServerError, ServerErrorKind};
use crate::service::WebhookService;
use crate::stats::Counter;

/// How long to wait after no connection could be accepted: most often there are no file descriptors left.
const AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(100);

/// Listens for callbacks by itself: HTTP/1.1, plain behind a proxy or with TLS from certificate files.
///
/// ```no_run
/// use qq_model::Token;
/// use qq_webhook::{Verifier, WebhookServer, WebhookService};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let (service, mut events) = WebhookService::new(Verifier::new(&Token::from_env()?)?);
/// let server = WebhookServer::builder(service)
///     .path("/qqbot")
///     .tls_files("fullchain.pem", "privkey.pem")
///     .bind("0.0.0.0:8443")
///     .await?;
/// let handle = server.handle();
/// let running = tokio::spawn(server.run());
/// while let Some(event) = events.next().await {
///     println!("{}", event.dispatch.event.name());
/// }
/// handle.stop(std::time::Duration::from_secs(5));
/// running.await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a server answers nothing until `run`"]
pub struct WebhookServer {
    listener: TcpListener,
    address: SocketAddr,
    settings: Arc<Settings>,
    connection_limit: usize,
    control: Arc<Control>,
}

/// Stops a [`WebhookServer`] and shows how it is. Clones are handles of the same server.
#[derive(Clone)]
pub struct ServerHandle {
    control: Arc<Control>,
}

/// What became of the connections of a [`WebhookServer`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerStats {
    /// Connections that were opened.
    pub opened: u64,
    /// Connections that were closed again.
    pub closed: u64,
    /// Connections that ended without a TLS handshake.
    pub handshakes_failed: u64,
    /// Connections that broke: a header that came too slowly, no HTTP, an answer that nobody read.
    pub broken: u64,
    /// Connections that were cut because [`ServerHandle::stop`] could not wait for them any longer.
    pub cut: u64,
    /// How often a new certificate was taken from the files.
    pub certificates_loaded: u64,
    /// How often the files had changed but could not be used, so that the old certificate stayed.
    pub certificates_refused: u64,
}

/// What handles and connections share.
struct Control {
    /// Until when connections may go on, once the server is to stop.
    stop: watch::Sender<Option<Instant>>,
    counters: ConnectionCounters,
}

impl Control {
    /// Returns when the server is to stop.
    async fn stopped(&self) {
        // It cannot fail: the sender is here.
        let _ = self.stop.subscribe().wait_for(Option::is_some).await;
    }
}

#[derive(Default)]
struct ConnectionCounters {
    opened: Counter,
    closed: Counter,
    handshakes_failed: Counter,
    broken: Counter,
    cut: Counter,
    certificates_loaded: Counter,
    certificates_refused: Counter,
}

impl WebhookServer {
    /// A server that answers with this service.
    pub fn builder(service: WebhookService) -> WebhookServerBuilder {
        WebhookServerBuilder::new(service)
    }

    /// The address that is listened on, with the port that the system chose if it was asked for port 0.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// A handle, to keep when [`run`](Self::run) takes the server.
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        ServerHandle {
            control: Arc::clone(&self.control),
        }
    }

    /// Answers requests until [`ServerHandle::stop`] is called and the connections are done.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the listener and every connection; no task survives it. Events that were acknowledged are
    /// in the queue by then.
    pub async fn run(self) {
        let Self {
            listener,
            settings,
            connection_limit,
            control,
            ..
        } = self;
        let mut connections = JoinSet::new();
        tokio::select! {
            biased;
            () = control.stopped() => {}
            () = accept(listener, connection_limit, &settings, &control, &mut connections) => {}
            () = settings.keep_certificate_fresh(&control.counters) => {}
        }
        let deadline = control.stop.borrow().unwrap_or_else(Instant::now);
        let all_done = async {
            while let Some(ended) = connections.join_next().await {
                log_panic(ended);
            }
        };
        if tokio::time::timeout_at(deadline, all_done).await.is_err() {
            control.counters.cut.add(connections.len() as u64);
            connections.shutdown().await;
        }
    }
}

/// Never returns.
async fn accept(
    listener: TcpListener,
    connection_limit: usize,
    settings: &Arc<Settings>,
    control: &Arc<Control>,
    connections: &mut JoinSet<()>,
) {
    let places = Arc::new(Semaphore::new(connection_limit));
    loop {
        // Above the limit, connections wait in the system's backlog.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let stream = loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => break stream,
                    Err(error) => {
                        tracing::warn!(%error, "no connection could be accepted");
                        sleep_until(Instant::now() + AFTER_FAILED_ACCEPT).await;
                    }
                },
                Some(ended) = connections.join_next(), if !connections.is_empty() => log_panic(ended),
            }
        };
        control.counters.opened.add(1);
        let (settings, control) = (Arc::clone(settings), Arc::clone(control));
        let open = OpenConnection {
            control,
            _place: place,
        };
        connections.spawn(async move { connection::serve(stream, &settings, &open.control).await });
    }
}

/// Gives its place back and is counted, however the connection ends.
struct OpenConnection {
    control: Arc<Control>,
    _place: OwnedSemaphorePermit,
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.control.counters.closed.add(1);
    }
}

/// A panic can only come from a sink. It costs its connection and nothing else.
fn log_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection ended with a panic");
    }
}

impl ServerHandle {
    /// Accepts no more connections, lets requests that are being answered finish, and cuts what is left after `deadline`.
    /// Returns at once; [`WebhookServer::run`] returns when it is done. Calling it again moves the deadline only before
    /// connections have begun to end.
    pub fn stop(&self, deadline: Duration) {
        let now = Instant::now();
        let at = now.checked_add(deadline).unwrap_or(now);
        self.control.stop.send_replace(Some(at));
    }

    /// What became of the connections so far. What became of requests: [`Verifier::stats`](crate::Verifier::stats).
    #[must_use]
    pub fn stats(&self) -> ServerStats {
        let counters = &self.control.counters;
        ServerStats {
            opened: counters.opened.get(),
            closed: counters.closed.get(),
            handshakes_failed: counters.handshakes_failed.get(),
            broken: counters.broken.get(),
            cut: counters.cut.get(),
            certificates_loaded: counters.certificates_loaded.get(),
            certificates_refused: counters.certificates_refused.get(),
        }
    }
}

impl fmt::Debug for WebhookServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookServer")
            .field("address", &self.address)
            .field("path", &self.settings.path)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ServerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerHandle")
            .field("stats", &self.stats())
            .finish()
    }
}
