//! Stands between a bot and a server and writes down what they say to each other.

mod calls;
mod relay;
mod upstream;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::builder::StartError;
use crate::gateway::accept_key;
use crate::platform::Stopping;
use crate::recording::Recorder;
use upstream::Address;

/// Connections served at once; more wait to be accepted.
const MOST_CONNECTIONS: usize = 1_000;
/// How long [`Proxy::stop`] waits for the tasks.
const STOP_DEADLINE: Duration = Duration::from_millis(800);

/// Sets a [`Proxy`] up.
#[derive(Debug, Clone)]
#[must_use]
pub struct ProxyBuilder {
    upstream: Address,
    shown: String,
    file: PathBuf,
    host: IpAddr,
    port: u16,
}

/// A server that passes everything on to another one, and records it. Dropping it stops it.
///
/// A bot whose hosts point at [`Proxy::base_url`] talks to the server behind it: token, REST and
/// gateway; the gateway's address in the answers is exchanged. Secrets and tokens are not written.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use qq_emulator::{Emulator, Proxy};
///
/// # let file = std::env::temp_dir().join(format!("qq-emulator-doc-{}.jsonl", std::process::id()));
/// let emulator = Emulator::builder().start().await?;
/// let proxy = Proxy::builder(emulator.base_url(), &file)?.start().await?;
/// // Point a bot at proxy.base_url() ...
/// proxy.stop().await;
/// # std::fs::remove_file(file)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Proxy {
    base_url: String,
    shared: Arc<Shared>,
    stopping: watch::Sender<bool>,
    tasks: mpsc::Receiver<std::convert::Infallible>,
}

/// What every connection knows.
#[derive(Debug)]
struct Shared {
    upstream: Address,
    /// The gateway, once the server has said where it is.
    gateway: Mutex<Option<Address>>,
    recorder: Recorder,
    base_url: String,
    connections: AtomicU64,
}

impl ProxyBuilder {
    /// The port to listen on; 0, the default, takes a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The address to listen on; 127.0.0.1 unless told otherwise.
    pub fn host(mut self, host: IpAddr) -> Self {
        self.host = host;
        self
    }

    /// Listens, in tasks of the current Tokio runtime.
    ///
    /// # Errors
    /// The address is taken, or the file is there already or cannot be made.
    ///
    /// # Panics
    /// Outside a Tokio runtime with I/O and time enabled.
    pub async fn start(self) -> Result<Proxy, StartError> {
        let wanted = SocketAddr::new(self.host, self.port);
        let failed = |source| StartError::listen(wanted, source);
        let listener = TcpListener::bind(wanted).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let recorder = Recorder::create(&self.file, Some(&self.shown))
            .map_err(|source| StartError::file(self.file.clone(), source))?;
        let reachable = match address.ip() {
            ip if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            ip => ip,
        };
        let base_url = format!("http://{}", SocketAddr::new(reachable, address.port()));
        let shared = Arc::new(Shared {
            upstream: self.upstream,
            gateway: Mutex::new(None),
            recorder,
            base_url: base_url.clone(),
            connections: AtomicU64::new(0),
        });
        let stopping = watch::Sender::new(false);
        let (guard, tasks) = mpsc::channel(1);
        tokio::spawn(serve(
            Arc::clone(&shared),
            listener,
            stopping.subscribe(),
            guard,
        ));
        Ok(Proxy {
            base_url,
            shared,
            stopping,
            tasks,
        })
    }
}

impl Proxy {
    /// Between a bot and the server at `upstream`, recording to a new file. `upstream` is where the
    /// REST API is, such as `http://127.0.0.1:8787` or, with the feature `tls`, `https://…`.
    ///
    /// # Errors
    /// A sentence that says why this is no address.
    pub fn builder(upstream: &str, file: impl Into<PathBuf>) -> Result<ProxyBuilder, String> {
        Ok(ProxyBuilder {
            upstream: Address::parse(upstream)?,
            shown: upstream.split('?').next().unwrap_or_default().to_owned(),
            file: file.into(),
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
        })
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Why the recording is not whole, if it is not.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        self.shared.recorder.problem()
    }

    /// Ends every connection and waits, for less than a second, until the tasks have ended.
    pub async fn stop(mut self) {
        self.stopping.send_replace(true);
        // Nothing is ever sent: the channel ends when the last task has dropped its guard.
        let _ = timeout(STOP_DEADLINE, self.tasks.recv()).await;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stopping.send_replace(true);
    }
}

impl Shared {
    /// Where the gateway is; without a word of the server, where the emulator has it.
    fn gateway(&self) -> Address {
        let known = self.gateway.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .clone()
            .unwrap_or_else(|| self.upstream.below("/websocket"))
    }

    fn learn_gateway(&self, url: &str) {
        if let Ok(address) = Address::parse(url) {
            let mut known = self.gateway.lock().unwrap_or_else(PoisonError::into_inner);
            *known = Some(address);
        }
    }
}

type Guard = mpsc::Sender<std::convert::Infallible>;

async fn serve(
    shared: Arc<Shared>,
    listener: TcpListener,
    stop: watch::Receiver<bool>,
    guard: Guard,
) {
    let permits = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut stopping = Stopping::of(stop.clone());
    loop {
        let accept = async {
            let permit = Arc::clone(&permits).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            () = stopping.requested() => return,
            accepted = accept => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors, or the peer is gone already: go on a little later.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let (shared, stop, guard) = (Arc::clone(&shared), stop.clone(), guard.clone());
        tokio::spawn(async move {
            connection(shared, stream, stop, guard).await;
            drop(permit);
        });
    }
}

async fn connection(
    shared: Arc<Shared>,
    stream: TcpStream,
    stop: watch::Receiver<bool>,
    guard: Guard,
) {
    let mut stopping = Stopping::of(stop.clone());
    let service = service_fn(move |request: Request<Incoming>| {
        let (shared, stop, guard) = (Arc::clone(&shared), stop.clone(), guard.clone());
        async move {
            if request.headers().contains_key(header::SEC_WEBSOCKET_KEY) {
                return Ok::<_, io::Error>(upgrade(shared, request, stop, guard).await);
            }
            Ok(calls::pass_on(&shared, request).await)
        }
    });
    // Small answers shall leave at once; a socket that refuses the option still works.
    let _ = stream.set_nodelay(true);
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new());
    let served = http
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::select! {
        () = stopping.requested() => {}
        // How a connection ended matters to its client alone.
        _ = served => {}
    }
}

/// Connects to the gateway first: a client shall not believe in one that is not there.
async fn upgrade(
    shared: Arc<Shared>,
    request: Request<Incoming>,
    stop: watch::Receiver<bool>,
    guard: Guard,
) -> Response<Body> {
    let refused = |status, why: String| {
        let mut response = Response::new(Body::from(why));
        *response.status_mut() = status;
        response
    };
    let key = match accept_key(request.headers()) {
        Ok(key) => key,
        Err(why) => return refused(StatusCode::UPGRADE_REQUIRED, why.to_owned()),
    };
    let server = match relay::open(&shared.gateway()).await {
        Ok(server) => server,
        Err(why) => return refused(StatusCode::BAD_GATEWAY, format!("gateway: {why}")),
    };
    let number = shared.connections.fetch_add(1, Ordering::Relaxed) + 1;
    tokio::spawn(async move {
        if let Ok(upgraded) = hyper::upgrade::on(request).await
            && let Ok(parts) = upgraded.downcast::<TokioIo<TcpStream>>()
        {
            let client = WebSocketStream::from_partially_read(
                parts.io.into_inner(),
                parts.read_buf.to_vec(),
                Role::Server,
                Some(relay::config()),
            )
            .await;
            relay::run(&shared, number, client, server, Stopping::of(stop)).await;
        }
        drop(guard);
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, key);
    response
}
