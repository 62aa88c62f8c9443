//! Which connections go through which proxy.

use std::net::IpAddr;

use super::{InvalidProxy, Proxy};

/// Which connections go through which proxy.
///
/// ```
/// use qq_transport::{Proxies, Proxy};
///
/// let all = Proxies::all(Proxy::parse("socks5://127.0.0.1:1080")?);
/// let some = Proxies::from_env()?;
/// assert!(Proxies::none().is_none() && !all.is_none());
/// # Ok::<(), qq_transport::InvalidProxy>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    encrypted: Option<Proxy>,
    plain: Option<Proxy>,
    /// Hosts that are connected to directly.
    except: Vec<Exception>,
    /// Whether this machine itself is reached through a proxy as well.
    includes_loopback: bool,
}

/// An entry of `NO_PROXY`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Exception {
    Everything,
    /// A domain and what is below it.
    Domain {
        name: Box<str>,
        port: Option<u16>,
    },
    /// Addresses that begin with the same bits.
    Network {
        address: IpAddr,
        bits: u32,
        port: Option<u16>,
    },
}

impl Proxies {
    /// Every connection is direct.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Every connection goes through this proxy, also one to this machine itself.
    #[must_use]
    pub fn all(proxy: Proxy) -> Self {
        Self {
            encrypted: Some(proxy.clone()),
            plain: Some(proxy),
            except: Vec::new(),
            includes_loopback: true,
        }
    }

    /// What the environment says: `HTTPS_PROXY` for encrypted traffic, `HTTP_PROXY` for the rest, `ALL_PROXY` for
    /// what has no variable of its own. `NO_PROXY` lists what is connected to directly, separated by commas:
    /// domains with all below them, addresses, networks such as `10.0.0.0/8`, each with or without a port, and `*`
    /// for everything. Each name may be in lower case too, which then comes first. This machine itself is never
    /// reached through a proxy. In a CGI program `HTTP_PROXY` is a header of the request, and is ignored.
    ///
    /// # Errors
    ///
    /// [`InvalidProxy`], which names the variable whose value is no proxy.
    pub fn from_env() -> Result<Self, InvalidProxy> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(get: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidProxy> {
        let get = |name: &str| get(name).filter(|value| !value.trim().is_empty());
        let is_cgi = get("REQUEST_METHOD").is_some();
        let proxy = |names: &[&'static str]| {
            let mut set = names.iter().filter_map(|name| Some((*name, get(name)?)));
            set.find(|(name, _)| !(is_cgi && *name == "HTTP_PROXY"))
                .map(|(name, value)| Proxy::parse(&value).map_err(|error| error.in_variable(name)))
                .transpose()
        };
        let except = get("no_proxy").or_else(|| get("NO_PROXY"));
        Ok(Self {
            encrypted: proxy(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])?,
            plain: proxy(&["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])?,
            except: except.map_or_else(Vec::new, |list| {
                list.split(',').filter_map(Exception::parse).collect()
            }),
            includes_loopback: false,
        })
    }

    /// Whether no connection goes through a proxy.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.encrypted.is_none() && self.plain.is_none()
    }

    /// The proxy for connections to this server.
    pub(super) fn of(&self, host: &str, port: u16, is_encrypted: bool) -> Option<&Proxy> {
        let proxy = if is_encrypted {
            self.encrypted.as_ref()
        } else {
            self.plain.as_ref()
        }?;
        let host = host.trim_end_matches('.');
        let address = host
            .parse::<IpAddr>()
            .ok()
            .map(|address| address.to_canonical());
        let is_direct = (!self.includes_loopback && is_loopback(host, address))
            || self
                .except
                .iter()
                .any(|exception| exception.covers(host, address, port));
        (!is_direct).then_some(proxy)
    }
}

fn is_loopback(host: &str, address: Option<IpAddr>) -> bool {
    address.map_or_else(
        || is_below(host, "localhost"),
        |address| address.is_loopback(),
    )
}

/// Whether a name is a domain or one below it.
fn is_below(name: &str, domain: &str) -> bool {
    let Some(start) = name.len().checked_sub(domain.len()) else {
        return false;
    };
    name.as_bytes()[start..].eq_ignore_ascii_case(domain.as_bytes())
        && (start == 0 || name.as_bytes()[start - 1] == b'.')
}

impl Exception {
    fn parse(entry: &str) -> Option<Self> {
        let entry = entry.trim();
        if entry == "*" {
            return Some(Self::Everything);
        }
        if let Some(network) = Self::network(entry, None) {
            return Some(network);
        }
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (entry, None),
        };
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if let Some(network) = Self::network(bare, port) {
            return Some(network);
        }
        let name = host.strip_prefix('*').unwrap_or(host);
        let name = name.trim_matches('.');
        (!name.is_empty()).then(|| Self::Domain {
            name: name.into(),
            port,
        })
    }

    /// An address, or a network with the number of its bits.
    fn network(text: &str, port: Option<u16>) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(width);
        (bits <= width).then_some(Self::Network {
            address,
            bits,
            port,
        })
    }

    fn covers(&self, host: &str, address: Option<IpAddr>, to: u16) -> bool {
        match self {
            Self::Everything => true,
            Self::Domain { name, port } => {
                address.is_none() && port.is_none_or(|port| port == to) && is_below(host, name)
            }
            Self::Network {
                address: network,
                bits,
                port,
            } => {
                port.is_none_or(|port| port == to)
                    && address.is_some_and(|address| same_bits(address, *network, *bits))
            }
        }
    }
}

fn same_bits(one: IpAddr, other: IpAddr, bits: u32) -> bool {
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            let differing = one.to_bits() ^ other.to_bits();
            differing.leading_zeros() >= bits
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => {
            let differing = one.to_bits() ^ other.to_bits();
            differing.leading_zeros() >= bits
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Result<Proxies, InvalidProxy> {
        Proxies::from_variables(|name| {
            let found = variables.iter().find(|(own, _)| *own == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    fn of(variables: &[(&str, &str)], host: &str, port: u16, encrypted: bool) -> Option<String> {
        let proxies = proxies(variables).unwrap();
        proxies.of(host, port, encrypted).map(ToString::to_string)
    }

    #[test]
    fn each_kind_of_traffic_has_its_variable() {
        let all: &[_] = &[
            ("HTTPS_PROXY", "s:1"),
            ("HTTP_PROXY", "p:1"),
            ("ALL_PROXY", "a:1"),
        ];
        assert_eq!(of(all, "x", 443, true).unwrap(), "s:1");
        assert_eq!(of(all, "x", 80, false).unwrap(), "p:1");
        assert_eq!(of(&all[2..], "x", 80, false).unwrap(), "a:1");
        assert_eq!(of(&all[1..2], "x", 443, true), None);
        let lower = [("https_proxy", "l:1"), ("HTTPS_PROXY", "s:1")];
        assert_eq!(of(&lower, "x", 443, true).unwrap(), "l:1");
        let empty = [("https_proxy", " "), ("HTTPS_PROXY", "s:1")];
        assert_eq!(of(&empty, "x", 443, true).unwrap(), "s:1");
        let cgi = [("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "evil:1")];
        assert_eq!(of(&cgi, "x", 80, false), None);
        assert!(proxies(&[]).unwrap().is_none());
        let error = proxies(&[("ALL_PROXY", "gopher://canary")]).unwrap_err();
        assert_eq!(error.variable(), Some("ALL_PROXY"));
        assert!(error.to_string().contains("ALL_PROXY") && !error.to_string().contains("canary"));
    }

    #[test]
    fn this_machine_is_reached_directly_unless_given() {
        let given = Proxies::all(Proxy::parse("p").unwrap());
        for host in [
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "127.0.0.1",
            "127.9.9.9",
            "::1",
            "::ffff:127.0.0.1",
        ] {
            assert_eq!(of(&[("ALL_PROXY", "p")], host, 443, true), None, "{host}");
            assert!(given.of(host, 443, true).is_some(), "{host}");
        }
        for host in ["notlocalhost", "128.0.0.1", "localhost.example"] {
            assert!(
                of(&[("ALL_PROXY", "p")], host, 443, true).is_some(),
                "{host}"
            );
        }
    }

    #[test]
    fn exceptions_are_domains_addresses_and_networks() {
        let list = "a.example, .b.example,*.c.example:8443 ,10.0.0.0/8,192.168.7.7,fd00::/8,[::5]:80,,:x,1.2.3.4/33";
        let direct = |host: &str, port| {
            of(&[("ALL_PROXY", "p"), ("no_proxy", list)], host, port, true).is_none()
        };
        for (host, port) in [
            ("a.example", 443),
            ("x.A.example.", 443),
            ("b.example", 1),
            ("x.b.example", 1),
            ("x.c.example", 8443),
            ("10.255.0.1", 443),
            ("192.168.7.7", 443),
            ("fd12::1", 443),
            ("::5", 80),
            ("::ffff:10.1.1.1", 443),
        ] {
            assert!(direct(host, port), "{host}:{port}");
        }
        for (host, port) in [
            ("ba.example", 443),
            ("example", 443),
            ("x.c.example", 443),
            ("11.0.0.1", 443),
            ("192.168.7.8", 443),
            ("::5", 81),
            ("1.2.3.4", 443),
        ] {
            assert!(!direct(host, port), "{host}:{port}");
        }
        let all = [("ALL_PROXY", "p"), ("NO_PROXY", "*")];
        assert_eq!(of(&all, "anything", 443, true), None);
    }
}
