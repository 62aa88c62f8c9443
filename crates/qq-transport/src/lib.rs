#![forbid(unsafe_code)]
//! How connections to the platform are opened, for REST and gateway alike.
//!
//! * [`Connect`] opens a byte stream to a host and port: [`Tcp`] by default, a proxy or a simulated network
//!   where one is given.
//! * [`Proxied`] connects through proxies: given ones, or those of the environment ([`Proxies`]).
//! * [`Tls`] speaks TLS over it. Certificates are always verified; only the set of trusted roots can be
//!   chosen, and no [`Connect`] can switch TLS off.
//! * [`Endpoint`] reads `https://`, `http://`, `wss://` and `ws://` addresses.

mod connect;
mod endpoint;
mod proxy;
mod tls;

pub use self::connect::{ByteStream, Connect, ConnectFuture, Connection, Tcp};
pub use self::endpoint::{Endpoint, InvalidEndpoint};
pub use self::proxy::{InvalidProxy, Proxied, Proxies, Proxy, ProxyError, ProxyErrorKind};
pub use self::tls::{InvalidRootCertificate, Tls};
