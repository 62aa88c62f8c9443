//! Addresses of servers.

use std::fmt;

/// The parts of an `https://`, `http://`, `wss://` or `ws://` address that opening a connection needs.
///
/// ```
/// use qq_transport::Endpoint;
///
/// let gateway = Endpoint::parse("wss://gateway.example/websocket/")?;
/// assert_eq!((gateway.host(), gateway.port(), gateway.is_encrypted()), ("gateway.example", 443, true));
/// # Ok::<(), qq_transport::InvalidEndpoint>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    is_encrypted: bool,
    host: Box<str>,
    port: u16,
}

impl Endpoint {
    /// Reads an address; the path is ignored.
    ///
    /// # Errors
    ///
    /// [`InvalidEndpoint`] with the reason.
    pub fn parse(url: &str) -> Result<Self, InvalidEndpoint> {
        let (scheme, rest) = url
            .split_once("://")
            .ok_or(InvalidEndpoint("it has no scheme"))?;
        let is_encrypted = match scheme {
            "https" | "wss" => true,
            "http" | "ws" => false,
            _ => {
                return Err(InvalidEndpoint(
                    "its scheme is none of https, http, wss and ws",
                ));
            }
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(InvalidEndpoint("it carries a user name or password"));
        }
        let (host, port) = match authority.rsplit_once(':') {
            // The colons inside an IPv6 address in brackets are no port.
            Some((host, port)) if !port.contains(']') => (
                host,
                port.parse()
                    .map_err(|_| InvalidEndpoint("its port is not a number from 0 to 65535"))?,
            ),
            _ => (authority, if is_encrypted { 443 } else { 80 }),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty()
            || host
                .bytes()
                .any(|byte| byte.is_ascii_whitespace() || byte.is_ascii_control())
        {
            return Err(InvalidEndpoint("its host is missing or malformed"));
        }
        Ok(Self {
            is_encrypted,
            host: host.into(),
            port,
        })
    }

    /// Whether TLS is spoken.
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// A name or address; IPv6 addresses without brackets.
    #[must_use]
    pub const fn host(&self) -> &str {
        &self.host
    }

    /// The port, given or by the scheme.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// An address that no connection can be opened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidEndpoint(&'static str);

impl fmt::Display for InvalidEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server's address cannot be used: {}", self.0)
    }
}

impl std::error::Error for InvalidEndpoint {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_come_from_the_address_or_the_scheme() {
        for (url, host, port, is_encrypted) in [
            ("https://a", "a", 443, true),
            ("wss://a:1/x", "a", 1, true),
            ("ws://127.0.0.1:8787/websocket/", "127.0.0.1", 8787, false),
            ("http://[::1]:7?x", "::1", 7, false),
            ("http://[::1]", "::1", 80, false),
        ] {
            let endpoint = Endpoint::parse(url).unwrap();
            assert_eq!(
                (endpoint.host(), endpoint.port(), endpoint.is_encrypted()),
                (host, port, is_encrypted),
                "{url}"
            );
        }
    }

    #[test]
    fn malformed_addresses_are_refused() {
        for url in [
            "",
            "a",
            "ftp://a",
            "https://",
            "https://a:x",
            "https://a:70000",
            "https://u@a",
            "https://a b",
        ] {
            assert!(Endpoint::parse(url).is_err(), "{url}");
        }
    }
}
