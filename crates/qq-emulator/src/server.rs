//! The one port: accepts connections and serves HTTP on them.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::routing::get;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use tower_service::Service;

use crate::platform::Platform;
use crate::{control, faults, gateway, page, rest};

/// Connections served at once; more wait to be accepted.
const MAX_CONNECTIONS: usize = 10_000;
/// How long a stopping server lets requests finish.
const DRAIN: Duration = Duration::from_millis(200);

/// Held by every task of the server: when the last is gone, the receiver knows.
pub(crate) type Guard = mpsc::Sender<Infallible>;

/// What a handler can learn about the other end of its connection.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    pub(crate) guard: Guard,
}

/// Serves until the platform stops. Every task it starts holds a clone of `guard`.
pub(crate) async fn serve(platform: Arc<Platform>, listener: TcpListener, guard: Guard) {
    let router = router(Arc::clone(&platform));
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut stopping = platform.stopping();
    loop {
        let accept = async {
            let permit = Arc::clone(&permits).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            () = stopping.requested() => return,
            accepted = accept => accepted,
        };
        let Ok((stream, address)) = accepted else {
            // Out of file descriptors, or the peer is gone already: go on a little later.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let peer = Peer {
            address,
            guard: guard.clone(),
        };
        let (router, platform) = (router.clone(), Arc::clone(&platform));
        tokio::spawn(async move {
            connection(&platform, router, stream, peer).await;
            drop(permit);
        });
    }
}

async fn connection(platform: &Platform, router: Router, stream: TcpStream, peer: Peer) {
    let service = service_fn(move |request: Request<Incoming>| {
        let (mut router, peer) = (router.clone(), peer.clone());
        async move {
            let mut request = request.map(axum::body::Body::new);
            request.extensions_mut().insert(peer);
            let Ok(response) = router.call(request).await;
            match response.extensions().get::<faults::rest::Lost>() {
                // An error of the service ends the connection.
                Some(_) => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
                None => Ok(response),
            }
        }
    });
    // Small answers shall leave at once; a socket that refuses the option still works.
    let _ = stream.set_nodelay(true);
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new());
    let connection = http
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let mut stopping = platform.stopping();
    tokio::select! {
        // How a connection ended matters to its client alone.
        _ = connection.as_mut() => {}
        () = stopping.requested() => {
            connection.as_mut().graceful_shutdown();
            let _ = timeout(DRAIN, connection).await;
        }
    }
}

/// Everything that the port serves.
pub(crate) fn router(platform: Arc<Platform>) -> Router {
    Router::new()
        .merge(page::router())
        .nest("/emulator/v1", control::router())
        // A nested router has no route for its own path with a slash.
        .route("/emulator/v1/", get(control::index))
        .nest("/cos", rest::storage::routes())
        .route("/websocket", get(gateway::upgrade))
        .route("/websocket/", get(gateway::upgrade))
        .fallback(faults::rest::handle)
        .with_state(platform)
}
