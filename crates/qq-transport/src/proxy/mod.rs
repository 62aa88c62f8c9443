//! Connections through a proxy: HTTP CONNECT or SOCKS5.

mod address;
mod error;
mod proxies;
mod socks;
mod tunnel;

use std::fmt;
use std::io;
use std::sync::OnceLock;

use self::address::Protocol;
pub use self::address::{InvalidProxy, Proxy};
pub use self::error::{ProxyError, ProxyErrorKind};
pub use self::proxies::Proxies;
use crate::{Connect, ConnectFuture, Connection, Endpoint, Tcp, Tls};

/// Opens connections through the proxies that are meant for them, and the others as it is.
///
/// The proxy sees host and port of the server, and the traffic as it is: TLS is spoken with the server, through
/// the proxy. Names are resolved by the proxy.
///
/// # Errors
///
/// What the proxy has to do with is an [`io::Error`] around a [`ProxyError`]; [`ProxyError::find`] gets it out.
///
/// ```
/// use qq_transport::{Proxied, Proxies, Proxy, Tcp};
///
/// let given = Proxied::new(Tcp, Proxies::all(Proxy::parse("http://user:password@proxy.example:3128")?));
/// let by_environment = Proxied::from_env()?;
/// # Ok::<(), qq_transport::InvalidProxy>(())
/// ```
pub struct Proxied<C = Tcp> {
    connect: C,
    proxies: Proxies,
    tls: OnceLock<Tls>,
}

impl Proxied {
    /// TCP, through the proxies of the environment; see [`Proxies::from_env`].
    ///
    /// # Errors
    ///
    /// [`InvalidProxy`], which names the variable.
    pub fn from_env() -> Result<Self, InvalidProxy> {
        Ok(Self::new(Tcp, Proxies::from_env()?))
    }
}

impl<C: Connect> Proxied<C> {
    /// Connections by `connect`, to the proxies or to the servers themselves.
    pub const fn new(connect: C, proxies: Proxies) -> Self {
        Self {
            connect,
            proxies,
            tls: OnceLock::new(),
        }
    }

    /// Which certificates are trusted of proxies that are spoken to by TLS (`https://`); Mozilla's roots by
    /// default.
    #[must_use]
    pub fn tls(self, tls: Tls) -> Self {
        Self {
            tls: OnceLock::from(tls),
            ..self
        }
    }

    async fn open(&self, host: &str, port: u16, is_encrypted: bool) -> io::Result<Connection> {
        let Some(proxy) = self.proxies.of(host, port, is_encrypted) else {
            return self.connect.connect(host, port).await;
        };
        let fail = |kind, source| ProxyError::new(kind, proxy, source);
        let connection = self
            .connect
            .connect(proxy.host(), proxy.port())
            .await
            .map_err(|error| fail(ProxyErrorKind::Connect, Some(error)))?;
        let mut connection = match proxy.protocol() {
            Protocol::Http | Protocol::Socks5 => connection,
            Protocol::Https => self
                .tls
                .get_or_init(Tls::new)
                .handshake(proxy.host(), connection)
                .await
                .map_err(|error| fail(ProxyErrorKind::Tls, Some(error)))?,
        };
        let opened = match proxy.protocol() {
            Protocol::Http | Protocol::Https => {
                tunnel::open(&mut connection, proxy, host, port).await
            }
            Protocol::Socks5 => socks::open(&mut connection, proxy, host, port).await,
        };
        match opened {
            Ok(()) => Ok(connection),
            Err(failure) => Err(fail(failure.kind, failure.source).into()),
        }
    }
}

impl<C: Connect> Connect for Proxied<C> {
    /// Port 80 alone is taken for traffic that is not encrypted; [`connect_to`](Connect::connect_to) knows.
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> ConnectFuture<'a> {
        Box::pin(self.open(host, port, port != 80))
    }

    fn connect_to<'a>(&'a self, endpoint: &'a Endpoint) -> ConnectFuture<'a> {
        Box::pin(self.open(endpoint.host(), endpoint.port(), endpoint.is_encrypted()))
    }
}

impl<C> fmt::Debug for Proxied<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxied")
            .field("proxies", &self.proxies)
            .finish_non_exhaustive()
    }
}

/// Why a proxy did not open a way to the server.
struct Failure {
    kind: ProxyErrorKind,
    source: Option<io::Error>,
}

impl From<ProxyErrorKind> for Failure {
    fn from(kind: ProxyErrorKind) -> Self {
        Self { kind, source: None }
    }
}

/// The connection to the proxy broke.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self {
            kind: ProxyErrorKind::Protocol,
            source: Some(error),
        }
    }
}

/// A proxy's address with the server's, as both protocols write it, must not end a line or a length early.
fn is_host(host: &str) -> bool {
    !host.is_empty() && host.len() <= 255 && host.bytes().all(|byte| byte.is_ascii_graphic())
}
