//! The server behind the proxy.

use std::io;
use std::time::Duration;

use http::Uri;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long connecting may take, TLS included.
const CONNECT: Duration = Duration::from_secs(15);

/// A connection to a server.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    tls: bool,
    host: String,
    port: u16,
    /// What every path begins with, without a slash at the end.
    prefix: String,
}

impl Address {
    /// Reads `http://host:port/prefix` and the like; `ws` is `http`, `wss` is `https`.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        let uri: Uri = url
            .parse()
            .map_err(|why| format!("{url:?} is no address: {why}"))?;
        let tls = match uri.scheme_str() {
            Some("http" | "ws") => false,
            Some("https" | "wss") => true,
            _ => return Err(format!("{url:?} begins with neither http:// nor https://")),
        };
        if tls && !cfg!(feature = "tls") {
            return Err(format!("{url:?} needs the feature tls of this crate"));
        }
        let host = uri.host().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| format!("{url:?} has no host"))?;
        Ok(Self {
            tls,
            host: host.to_owned(),
            port: uri.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// `host`, or `host:port` where the port is not the usual one.
    pub(super) fn authority(&self) -> String {
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => self.host.clone(),
            (_, port) => format!("{}:{port}", self.host),
        }
    }

    /// The path of a call there.
    pub(super) fn path(&self, path_and_query: &str) -> String {
        format!("{}{path_and_query}", self.prefix)
    }

    /// The whole address of the gateway, for the handshake.
    pub(super) fn websocket(&self) -> String {
        let scheme = if self.tls { "wss" } else { "ws" };
        format!("{scheme}://{}{}/", self.authority(), self.prefix)
    }

    /// A place below this one.
    pub(super) fn below(&self, path: &str) -> Self {
        Self {
            prefix: self.path(path),
            ..self.clone()
        }
    }

    /// Connects.
    ///
    /// # Errors
    /// There is nobody, or not in time, or not with a certificate that can be trusted.
    pub(super) async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        let dialled = async {
            let host = self.host.trim_start_matches('[').trim_end_matches(']');
            let stream = TcpStream::connect((host, self.port)).await?;
            stream.set_nodelay(true)?;
            if self.tls {
                encrypt(host, stream).await
            } else {
                let stream: Box<dyn Stream> = Box::new(stream);
                Ok(stream)
            }
        };
        let late = |_| Err(io::Error::from(io::ErrorKind::TimedOut));
        timeout(CONNECT, dialled).await.unwrap_or_else(late)
    }
}

/// TLS with the roots that browsers trust; certificates are always verified.
#[cfg(feature = "tls")]
async fn encrypt(host: &str, stream: TcpStream) -> io::Result<Box<dyn Stream>> {
    use std::sync::Arc;

    use tokio_rustls::TlsConnector;
    use tokio_rustls::rustls::crypto::ring::default_provider;
    use tokio_rustls::rustls::pki_types::ServerName;
    use tokio_rustls::rustls::{ClientConfig, RootCertStore};

    let roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await?;
    Ok(Box::new(stream))
}

#[cfg(not(feature = "tls"))]
async fn encrypt(_: &str, _: TcpStream) -> io::Result<Box<dyn Stream>> {
    // `Address::parse` refuses such addresses.
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let plain = Address::parse("http://127.0.0.1:8787").unwrap();
        assert_eq!(plain.authority(), "127.0.0.1:8787");
        assert_eq!(plain.path("/users/@me?x=1"), "/users/@me?x=1");
        let nested = Address::parse("http://host/a/b/").unwrap();
        assert_eq!(
            (nested.authority().as_str(), nested.path("/c").as_str()),
            ("host", "/a/b/c")
        );
        let gateway = Address::parse("ws://127.0.0.1:1/websocket/").unwrap();
        assert_eq!(gateway.websocket(), "ws://127.0.0.1:1/websocket/");
        for bad in ["", "host", "ftp://host", "http://", "http:///x"] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
    }
}
