//! Why there is no connection through a proxy.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use super::Proxy;

/// How far a connection through a proxy came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyErrorKind {
    /// There is no connection to the proxy itself.
    Connect,
    /// TLS with the proxy itself failed, as by a certificate that is not trusted.
    Tls,
    /// The proxy wants credentials, or other ones: HTTP status 407, or its counterpart in SOCKS5.
    Credentials,
    /// The proxy answered CONNECT with this HTTP status: it does not, or cannot, connect to the server.
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// The proxy answered with this SOCKS5 code: it does not, or cannot, connect to the server.
    Unreachable {
        /// The code; 2 is "not allowed", 4 "host unreachable", 5 "connection refused".
        code: u8,
    },
    /// What answers there speaks another protocol, or broke the connection off.
    Protocol,
}

/// A connection through a proxy could not be opened; which part of the way failed, and which proxy it was.
#[derive(Debug)]
pub struct ProxyError {
    kind: ProxyErrorKind,
    proxy: Box<str>,
    source: Option<io::Error>,
}

const _: () = assert!(size_of::<ProxyError>() <= 64);

impl ProxyError {
    pub(super) fn new(kind: ProxyErrorKind, proxy: &Proxy, source: Option<io::Error>) -> Self {
        Self {
            kind,
            proxy: proxy.to_string().into(),
            source,
        }
    }

    /// How far it came.
    #[must_use]
    pub const fn kind(&self) -> ProxyErrorKind {
        self.kind
    }

    /// The proxy's host and port.
    #[must_use]
    pub const fn proxy(&self) -> &str {
        &self.proxy
    }

    /// Whether other settings are needed, and another attempt is of no use.
    #[must_use]
    pub const fn is_configuration(&self) -> bool {
        matches!(
            self.kind,
            ProxyErrorKind::Credentials | ProxyErrorKind::Tls | ProxyErrorKind::Protocol
        )
    }

    /// The error of a proxy among an error and its causes.
    #[must_use]
    pub fn find<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Self> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            // An `io::Error` does not count what it wraps among its causes.
            let wrapped = error
                .downcast_ref::<io::Error>()
                .and_then(io::Error::get_ref);
            if let Some(found) = wrapped.and_then(|wrapped| Self::find(wrapped)) {
                return Some(found);
            }
            cause = error.source();
        }
        None
    }
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let proxy = &self.proxy;
        match self.kind {
            ProxyErrorKind::Connect => write!(f, "no connection to the proxy {proxy}")?,
            ProxyErrorKind::Tls => write!(f, "no TLS with the proxy {proxy}")?,
            ProxyErrorKind::Credentials => write!(
                f,
                "the proxy {proxy} refused: give it a user name and password that it knows"
            )?,
            ProxyErrorKind::Refused { status } => {
                write!(f, "the proxy {proxy} refused with status {status}")?;
            }
            ProxyErrorKind::Unreachable { code } => {
                write!(f, "the proxy {proxy} refused with SOCKS code {code}")?;
            }
            ProxyErrorKind::Protocol => {
                write!(f, "the proxy {proxy} did not answer as a proxy does")?;
            }
        }
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl StdError for ProxyError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.source {
            Some(source) => Some(source),
            None => None,
        }
    }
}

impl From<ProxyError> for io::Error {
    fn from(error: ProxyError) -> Self {
        let kind = match (error.kind, &error.source) {
            (_, Some(source)) => source.kind(),
            (ProxyErrorKind::Credentials, None) => io::ErrorKind::PermissionDenied,
            (ProxyErrorKind::Refused { .. } | ProxyErrorKind::Unreachable { .. }, None) => {
                io::ErrorKind::ConnectionRefused
            }
            _ => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}
