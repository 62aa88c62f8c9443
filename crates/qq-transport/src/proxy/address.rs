//! Where a proxy is, and who we are to it.

use std::fmt;
use std::str::FromStr;

/// A proxy: its address and credentials, which are never shown.
///
/// ```
/// use qq_transport::Proxy;
///
/// let proxy: Proxy = "http://user:secret@proxy.example:3128".parse()?;
/// assert_eq!(format!("{proxy:?}"), "Proxy(http://<redacted>@proxy.example:3128)");
/// assert_eq!(proxy.to_string(), "proxy.example:3128");
/// # Ok::<(), qq_transport::InvalidProxy>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    protocol: Protocol,
    host: Box<str>,
    port: u16,
    credentials: Option<Credentials>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// CONNECT.
    Http,
    /// CONNECT over TLS.
    Https,
    Socks5,
}

/// Not `Debug`: nothing of it is to be shown.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) user: Box<[u8]>,
    pub(super) password: Box<[u8]>,
}

impl Proxy {
    /// Reads `[scheme://][user[:password]@]host[:port]`. The scheme is `http` (which is also what a missing one
    /// stands for) or `https` for HTTP CONNECT, `socks5` or `socks5h` for SOCKS5, which are the same: the proxy
    /// resolves names. User and password may be percent-encoded. The port is 80, 443 or 1080 by default.
    ///
    /// # Errors
    ///
    /// [`InvalidProxy`] with the reason.
    pub fn parse(url: &str) -> Result<Self, InvalidProxy> {
        let url = url.trim();
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let (protocol, default_port) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (Protocol::Http, 80),
            "https" => (Protocol::Https, 443),
            "socks5" | "socks5h" => (Protocol::Socks5, 1080),
            _ => {
                return Err(InvalidProxy::new(
                    "its scheme is none of http, https, socks5 and socks5h",
                ));
            }
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (credentials, address) = match authority.rsplit_once('@') {
            Some((credentials, address)) => (Some(Credentials::parse(credentials)?), address),
            None => (None, authority),
        };
        let (host, port) = match address.rsplit_once(':') {
            // The colons inside an IPv6 address in brackets are no port.
            Some((host, port)) if !port.contains(']') => (
                host,
                port.parse()
                    .map_err(|_| InvalidProxy::new("its port is not a number from 0 to 65535"))?,
            ),
            _ => (address, default_port),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if !super::is_host(host) {
            return Err(InvalidProxy::new("its host is missing or malformed"));
        }
        Ok(Self {
            protocol,
            host: host.into(),
            port,
            credentials,
        })
    }

    /// Other credentials than those of the address.
    ///
    /// # Errors
    ///
    /// [`InvalidProxy`]: the user name has a colon, or either is longer than 255 bytes.
    pub fn credentials(self, user: &str, password: &str) -> Result<Self, InvalidProxy> {
        let credentials = Credentials::new(user.as_bytes(), password.as_bytes())?;
        Ok(Self {
            credentials: Some(credentials),
            ..self
        })
    }

    pub(super) const fn host(&self) -> &str {
        &self.host
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    pub(super) const fn protocol(&self) -> Protocol {
        self.protocol
    }

    pub(super) const fn known_as(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }
}

impl Credentials {
    fn parse(text: &str) -> Result<Self, InvalidProxy> {
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        Self::new(&percent_decoded(user)?, &percent_decoded(password)?)
    }

    fn new(user: &[u8], password: &[u8]) -> Result<Self, InvalidProxy> {
        if user.contains(&b':') {
            return Err(InvalidProxy::new("its user name has a colon"));
        }
        if user.len() > 255 || password.len() > 255 {
            return Err(InvalidProxy::new(
                "its user name or password is longer than 255 bytes",
            ));
        }
        Ok(Self {
            user: user.into(),
            password: password.into(),
        })
    }
}

fn percent_decoded(text: &str) -> Result<Vec<u8>, InvalidProxy> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let digits = tail.get(..2).and_then(|digits| str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(byte.ok_or_else(|| {
            InvalidProxy::new("its user name or password has a % without two digits")
        })?);
        rest = &tail[2..];
    }
    Ok(decoded)
}

impl FromStr for Proxy {
    type Err = InvalidProxy;

    fn from_str(url: &str) -> Result<Self, InvalidProxy> {
        Self::parse(url)
    }
}

/// Host and port.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.protocol {
            Protocol::Http => "http",
            Protocol::Https => "https",
            Protocol::Socks5 => "socks5",
        };
        let credentials = if self.credentials.is_some() {
            "<redacted>@"
        } else {
            ""
        };
        write!(f, "Proxy({scheme}://{credentials}{self})")
    }
}

/// What no proxy can be used by: a malformed address, of which only the reason is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidProxy {
    variable: Option<&'static str>,
    why: &'static str,
}

impl InvalidProxy {
    const fn new(why: &'static str) -> Self {
        Self {
            variable: None,
            why,
        }
    }

    pub(super) const fn in_variable(self, variable: &'static str) -> Self {
        Self {
            variable: Some(variable),
            ..self
        }
    }

    /// The environment variable that it stands in.
    #[must_use]
    pub const fn variable(&self) -> Option<&'static str> {
        self.variable
    }
}

impl fmt::Display for InvalidProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.variable {
            Some(variable) => write!(
                f,
                "the proxy of the environment variable {variable} cannot be used: {}",
                self.why
            ),
            None => write!(f, "the proxy's address cannot be used: {}", self.why),
        }
    }
}

impl std::error::Error for InvalidProxy {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_read() {
        for (url, protocol, shown, user, password) in [
            ("proxy", Protocol::Http, "proxy:80", None, ""),
            ("HTTP://proxy:3128/", Protocol::Http, "proxy:3128", None, ""),
            ("https://p", Protocol::Https, "p:443", None, ""),
            ("socks5h://[::1]", Protocol::Socks5, "[::1]:1080", None, ""),
            ("u:p@h:1", Protocol::Http, "h:1", Some("u"), "p"),
            ("http://u@h", Protocol::Http, "h:80", Some("u"), ""),
            (
                "http://a%40b:c:%2f@h",
                Protocol::Http,
                "h:80",
                Some("a@b"),
                "c:/",
            ),
        ] {
            let proxy = Proxy::parse(url).unwrap();
            assert_eq!(
                (proxy.protocol, proxy.to_string().as_str()),
                (protocol, shown)
            );
            let found = proxy.known_as();
            assert_eq!(found.map(|found| &*found.user), user.map(str::as_bytes));
            if let Some(found) = found {
                assert_eq!(&*found.password, password.as_bytes());
            }
        }
    }

    #[test]
    fn malformed_ones_are_refused_and_not_shown() {
        for url in [
            "",
            "http://",
            "ftp://canary",
            "http://canary:x",
            "http://canary canary",
            "http://canary%zz@h",
            "http://canary%@h",
            "http://canary%3a:b@h",
            "http://h\r\ncanary",
        ] {
            let error = Proxy::parse(url).unwrap_err();
            assert!(
                !format!("{error} {error:?}").contains("canary"),
                "{url}: {error}"
            );
        }
        let proxy = Proxy::parse("h")
            .unwrap()
            .credentials("canary", "canary")
            .unwrap();
        assert!(!format!("{proxy:?} {proxy}").contains("canary"));
        assert!(proxy.credentials("u", &"x".repeat(256)).is_err());
    }
}
