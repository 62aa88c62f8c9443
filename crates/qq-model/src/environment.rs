//! Which servers a bot talks to. The only place that knows the platform's host names.

use std::fmt;
use std::net::IpAddr;

/// The environment variable that [`Environment::from_env`] reads.
pub const BASE_URL_VARIABLE: &str = "QQ_BOT_BASE_URL";

/// The hosts, with those below them, that the platform's media come from.
///
/// Source: the addresses of attachments in the platform's documents and in captures.
pub const MEDIA_HOSTS: &[&str] = &[
    "qq.com",
    "qq.com.cn",
    "qpic.cn",
    "ugcimg.cn",
    "myqcloud.com",
    "tencentcos.com",
];

/// The addresses of one platform: REST, token endpoint, and optionally a fixed gateway.
///
/// The gateway's address normally comes from the platform itself (`GET /gateway/bot`).
///
/// Source: the platform's access-token and changelog pages; the single domain since 2026-08-10.
///
/// ```
/// use qq_model::Environment;
///
/// let local = Environment::custom("http://127.0.0.1:8787/")?;
/// assert_eq!(local.api(), "http://127.0.0.1:8787");
/// assert_eq!(local.token(), "http://127.0.0.1:8787/app/getAppAccessToken");
/// assert!(Environment::custom("http://bots.example").is_err());
/// # Ok::<(), qq_model::environment::InvalidUrl>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    api: Box<str>,
    token: Box<str>,
    gateway: Option<Box<str>>,
}

impl Environment {
    /// The public platform, on its single domain.
    #[must_use]
    pub fn production() -> Self {
        Self::at(
            "https://api.bot.qq.com",
            "https://api.bot.qq.com/app/getAppAccessToken",
        )
    }

    /// The public platform, on the hosts it had before August 2026.
    #[must_use]
    pub fn legacy() -> Self {
        Self::at(
            "https://api.sgroup.qq.com",
            "https://bots.qq.com/app/getAppAccessToken",
        )
    }

    /// The sandbox, which sees sandbox guilds only. No sandbox host is documented for the single domain.
    #[must_use]
    pub fn sandbox() -> Self {
        Self::at(
            "https://sandbox.api.sgroup.qq.com",
            "https://bots.qq.com/app/getAppAccessToken",
        )
    }

    /// One server that answers everything, such as the emulator: `https://`, or `http://` to this machine.
    ///
    /// # Errors
    ///
    /// [`InvalidUrl`] when the address is malformed, or plain `http` to another machine: the secret and every
    /// token would cross the network unencrypted.
    pub fn custom(base_url: impl AsRef<str>) -> Result<Self, InvalidUrl> {
        let base = Base::parse(base_url.as_ref())?;
        if !base.is_encrypted && !base.is_loopback {
            return Err(base.refuse("plain http to another machine would show the bot's secret: use https, or Environment::insecure"));
        }
        Ok(base.into_environment())
    }

    /// Like [`custom`](Self::custom), and plain `http` to any host is allowed, as between containers of one
    /// test network. Never use it across a network that others can read.
    ///
    /// # Errors
    ///
    /// [`InvalidUrl`] when the address is malformed.
    pub fn insecure(base_url: impl AsRef<str>) -> Result<Self, InvalidUrl> {
        Ok(Base::parse(base_url.as_ref())?.into_environment())
    }

    /// [`custom`](Self::custom) with `QQ_BOT_BASE_URL` where it is set, otherwise [`production`](Self::production).
    ///
    /// # Errors
    ///
    /// [`InvalidUrl`] when the variable holds no usable address.
    pub fn from_env() -> Result<Self, InvalidUrl> {
        match std::env::var(BASE_URL_VARIABLE) {
            Ok(url) if !url.trim().is_empty() => Self::custom(url.trim()),
            _ => Ok(Self::production()),
        }
    }

    /// Asks this address for access tokens instead.
    ///
    /// # Errors
    ///
    /// [`InvalidUrl`] as for [`custom`](Self::custom).
    pub fn with_token_url(self, url: impl AsRef<str>) -> Result<Self, InvalidUrl> {
        let url = url.as_ref();
        let base = Base::parse(url)?;
        if !base.is_encrypted && !base.is_loopback {
            return Err(base.refuse("the secret is sent there: use https"));
        }
        Ok(Self {
            token: url.into(),
            ..self
        })
    }

    /// Connects to this `wss://` (or `ws://`) address instead of the one that the platform returns.
    #[must_use]
    pub fn with_gateway_url(self, url: impl Into<Box<str>>) -> Self {
        Self {
            gateway: Some(url.into()),
            ..self
        }
    }

    /// The base of every REST route, without a slash at the end.
    #[must_use]
    pub const fn api(&self) -> &str {
        &self.api
    }

    /// The token endpoint.
    #[must_use]
    pub const fn token(&self) -> &str {
        &self.token
    }

    /// The fixed gateway address, if there is one.
    #[must_use]
    pub fn gateway(&self) -> Option<&str> {
        self.gateway.as_deref()
    }

    fn at(api: &str, token: &str) -> Self {
        Self {
            api: api.into(),
            token: token.into(),
            gateway: None,
        }
    }
}

impl Default for Environment {
    fn default() -> Self {
        Self::production()
    }
}

struct Base<'a> {
    url: &'a str,
    is_encrypted: bool,
    is_loopback: bool,
}

impl<'a> Base<'a> {
    fn parse(url: &'a str) -> Result<Self, InvalidUrl> {
        let refuse = |why| InvalidUrl {
            url: redact(url),
            why,
        };
        let (is_encrypted, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://"))
        {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => {
                return Err(refuse(
                    "it must start with https:// (or http:// for this machine)",
                ));
            }
        };
        if rest
            .bytes()
            .any(|byte| byte.is_ascii_whitespace() || byte.is_ascii_control() || !byte.is_ascii())
        {
            return Err(refuse("it has characters that an address cannot have"));
        }
        if rest.contains(['?', '#']) {
            return Err(refuse("a base address has no query and no fragment"));
        }
        let authority = rest.split('/').next().unwrap_or_default();
        if authority.contains('@') {
            return Err(refuse("it must not carry a user name or password"));
        }
        let (host, port) = split_port(authority);
        if host.is_empty() {
            return Err(refuse("the host is missing"));
        }
        if port.is_some_and(|port| port.parse::<u16>().is_err()) {
            return Err(refuse("the port is not a number from 0 to 65535"));
        }
        let address = host.trim_start_matches('[').trim_end_matches(']');
        let is_loopback =
            host == "localhost" || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        Ok(Self {
            url: url.trim_end_matches('/'),
            is_encrypted,
            is_loopback,
        })
    }

    fn refuse(&self, why: &'static str) -> InvalidUrl {
        InvalidUrl {
            url: redact(self.url),
            why,
        }
    }

    fn into_environment(self) -> Environment {
        Environment::at(self.url, &format!("{}/app/getAppAccessToken", self.url))
    }
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        // The colons inside an IPv6 address in brackets are no port.
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

/// The address without what stands before an `@`, which may be a password.
fn redact(url: &str) -> Box<str> {
    match url.rsplit_once('@') {
        Some((_, host)) => format!("<redacted>@{host}").into(),
        None => url.into(),
    }
}

/// An address that cannot be used.
#[derive(Clone, PartialEq, Eq)]
pub struct InvalidUrl {
    url: Box<str>,
    why: &'static str,
}

impl fmt::Display for InvalidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the address {:?} cannot be used: {}", self.url, self.why)
    }
}

/// As `Display`: a program whose `main` returns one says what to do.
impl fmt::Debug for InvalidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for InvalidUrl {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_cannot_work_are_refused_with_the_reason() {
        for (url, why) in [
            ("", "https://"),
            ("api.example", "https://"),
            ("https://", "host"),
            ("https://a b", "characters"),
            ("https://u:p@host", "password"),
            ("https://host:99999", "port"),
            ("https://host/?x", "query"),
            ("http://192.168.1.7:80", "Environment::insecure"),
        ] {
            let error = Environment::custom(url).unwrap_err();
            assert_eq!(format!("{error:?}"), error.to_string());
            let error = error.to_string();
            assert!(error.contains(why), "{url}: {error}");
            assert!(!error.contains("u:p"), "{error}");
        }
    }

    #[test]
    fn this_machine_may_be_reached_without_tls() {
        for url in [
            "http://127.0.0.1:1",
            "http://localhost:1",
            "http://[::1]:1",
            "https://bots.example/qq",
        ] {
            assert_eq!(Environment::custom(url).unwrap().api(), url);
        }
        assert!(Environment::insecure("http://emulator:8787").is_ok());
    }
}
