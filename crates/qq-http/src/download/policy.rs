//! Where media may be downloaded from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use qq_model::environment::MEDIA_HOSTS;

const MAX_BYTES: u64 = 32 * 1024 * 1024;
const TIMEOUT: Duration = Duration::from_secs(60);
const MAX_REDIRECTS: u32 = 3;

/// Where media may be downloaded from, and how much of them.
///
/// The address of a received file comes from the platform, but what it leads to is somebody else's: so a host must
/// be known, each redirect is judged like the first address, and nothing that a name resolves to may lie in a private
/// network. The host and port of the [`Environment`](qq_model::Environment) itself, such as an emulator, are always
/// allowed.
///
/// ```
/// use qq_http::{HttpClient, MediaPolicy};
/// use qq_model::Token;
///
/// let policy = MediaPolicy::default().host("media.example").max_bytes(5_000_000);
/// let http = HttpClient::builder(Token::new("102000000", "secret")).media(policy).build()?;
/// # Ok::<(), qq_http::BuildError>(())
/// ```
#[derive(Clone, Debug)]
pub struct MediaPolicy {
    hosts: Vec<Box<str>>,
    is_any_host: bool,
    allows_benchmark_network: bool,
    pub(super) resolves_elsewhere: bool,
    pub(super) max_bytes: u64,
    pub(super) timeout: Duration,
    pub(super) max_redirects: u32,
}

impl Default for MediaPolicy {
    fn default() -> Self {
        Self {
            hosts: MEDIA_HOSTS.iter().map(|host| (*host).into()).collect(),
            is_any_host: false,
            allows_benchmark_network: false,
            resolves_elsewhere: false,
            max_bytes: MAX_BYTES,
            timeout: TIMEOUT,
            max_redirects: MAX_REDIRECTS,
        }
    }
}

impl MediaPolicy {
    /// Allows one more host, and those below it.
    #[must_use]
    pub fn host(mut self, host: impl Into<Box<str>>) -> Self {
        self.hosts.push(host.into());
        self
    }

    /// Allows every host with a public address.
    #[must_use]
    pub const fn any_host(mut self) -> Self {
        self.is_any_host = true;
        self
    }

    /// Allows 198.18.0.0/15, which some proxies hand out for every name.
    #[must_use]
    pub const fn allow_benchmark_network(mut self) -> Self {
        self.allows_benchmark_network = true;
        self
    }

    /// Leaves it to the connector to resolve names: what they resolve to is then not judged here. So it is anyway with
    /// a proxy that is set at the builder or found in the environment.
    #[must_use]
    pub const fn resolve_elsewhere(mut self) -> Self {
        self.resolves_elsewhere = true;
        self
    }

    /// How many bytes a file may have, 32 MiB unless said otherwise.
    #[must_use]
    pub const fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// How long a download may take, redirects and body included; 60 s unless said otherwise.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many redirects are followed, 3 unless said otherwise.
    #[must_use]
    pub const fn max_redirects(mut self, redirects: u32) -> Self {
        self.max_redirects = redirects;
        self
    }

    pub(super) fn allows_host(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        self.is_any_host
            || self.hosts.iter().any(|allowed| {
                host.strip_suffix(&*allowed.to_ascii_lowercase())
                    .is_some_and(|below| below.is_empty() || below.ends_with('.'))
            })
    }

    pub(super) fn allows_address(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => self.allows_v4(address),
            IpAddr::V6(address) => match embedded_v4(address) {
                Some(inner) => self.allows_v4(inner),
                None => is_public_v6(address),
            },
        }
    }

    fn allows_v4(&self, address: Ipv4Addr) -> bool {
        if is_benchmark(address) {
            return self.allows_benchmark_network;
        }
        is_public_v4(address)
    }
}

/// 198.18.0.0/15.
const fn is_benchmark(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    a == 198 && (b & 0xfe) == 18
}

const fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || a >= 224
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        // Shared between a provider's customers.
        || (a == 100 && (b & 0xc0) == 64)
        // Protocol assignments and the old relay of IPv6.
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99))
}

const fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    // Everything public is in 2000::/3; documentation and the old tunnels lie in there, too.
    (first & 0xe000) == 0x2000
        && !(first == 0x2001 && (second == 0x0db8 || second < 0x0200))
        && !(first == 0x3fff && second < 0x1000)
}

/// The IPv4 address within an IPv6 address: mapped, compatible, translated, or of a 6to4 network.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let last = || {
        let [.., a, b, c, d] = address.octets();
        Ipv4Addr::new(a, b, c, d)
    };
    match segments {
        [0, 0, 0, 0, 0, 0 | 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => Some(last()),
        [0x2002, high, low, ..] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            Some(Ipv4Addr::new(a, b, c, d))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_the_platform_and_those_below_are_allowed() {
        let policy = MediaPolicy::default().host("Media.Example");
        for host in [
            "multimedia.nt.qq.com.cn",
            "gchat.qpic.cn",
            "QQ.com",
            "grouptalk.c2c.qq.com.",
            "media.example",
            "a.media.example",
        ] {
            assert!(policy.allows_host(host), "{host}");
        }
        for host in [
            "",
            "evilqq.com",
            "qq.com.evil.example",
            "example",
            "qq.comm",
        ] {
            assert!(!policy.allows_host(host), "{host}");
        }
        assert!(
            MediaPolicy::default()
                .any_host()
                .allows_host("anything.example")
        );
    }

    #[test]
    fn private_networks_are_refused_in_every_spelling() {
        let policy = MediaPolicy::default();
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "192.168.1.1",
            "192.0.2.1",
            "198.18.0.1",
            "198.19.255.255",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
        ] {
            assert!(
                !policy.allows_address(address.parse().unwrap()),
                "{address}"
            );
        }
        for address in [
            "93.184.216.34",
            "198.20.0.1",
            "100.128.0.1",
            "2400:3200::1",
            "::ffff:93.184.216.34",
        ] {
            assert!(policy.allows_address(address.parse().unwrap()), "{address}");
        }
        let proxied = policy.allow_benchmark_network();
        assert!(proxied.allows_address("198.18.0.1".parse().unwrap()));
        assert!(proxied.allows_address("::ffff:198.19.0.1".parse().unwrap()));
        assert!(!proxied.allows_address("10.0.0.1".parse().unwrap()));
    }
}
