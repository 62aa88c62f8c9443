//! Opening connections only to where media may come from.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use qq_transport::{Connect, ConnectFuture, Connection, Endpoint};

use super::policy::MediaPolicy;

/// A connector that resolves a name once, judges what it resolves to, and connects to exactly that, so that a second
/// look-up cannot lead elsewhere.
pub(super) struct Guard {
    pub(super) inner: Arc<dyn Connect>,
    pub(super) policy: MediaPolicy,
    /// The environment's own server.
    pub(super) home: (Box<str>, u16),
}

/// A name or address that leads into a private network.
#[derive(Debug)]
pub(super) struct Private(pub(super) Box<str>);

impl fmt::Display for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} leads into a private network", self.0)
    }
}

impl std::error::Error for Private {}

impl Guard {
    async fn open(&self, endpoint: &Endpoint) -> io::Result<Connection> {
        let (host, port) = (endpoint.host(), endpoint.port());
        if (host, port) == (&*self.home.0, self.home.1) {
            return self.inner.connect_to(endpoint).await;
        }
        let private = || io::Error::new(io::ErrorKind::PermissionDenied, Private(host.into()));
        if let Ok(address) = host.parse::<IpAddr>() {
            if !self.policy.allows_address(address) {
                return Err(private());
            }
            return self.inner.connect_to(endpoint).await;
        }
        if self.policy.resolves_elsewhere {
            return self.inner.connect_to(endpoint).await;
        }
        let resolved = tokio::net::lookup_host((host, port)).await?;
        let mut last = private();
        for address in resolved.filter(|address| self.policy.allows_address(address.ip())) {
            let exact = at(endpoint, address)?;
            match self.inner.connect_to(&exact).await {
                Ok(connection) => return Ok(connection),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

impl Connect for Guard {
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> ConnectFuture<'a> {
        Box::pin(async move {
            let host = if host.contains(':') {
                format!("[{host}]")
            } else {
                host.to_owned()
            };
            let endpoint =
                Endpoint::parse(&format!("http://{host}:{port}")).map_err(io::Error::other)?;
            self.open(&endpoint).await
        })
    }

    fn connect_to<'a>(&'a self, endpoint: &'a Endpoint) -> ConnectFuture<'a> {
        Box::pin(self.open(endpoint))
    }
}

/// The same endpoint at one of the addresses that its name has.
fn at(endpoint: &Endpoint, address: SocketAddr) -> io::Result<Endpoint> {
    let scheme = if endpoint.is_encrypted() {
        "https"
    } else {
        "http"
    };
    Endpoint::parse(&format!("{scheme}://{address}")).map_err(io::Error::other)
}
