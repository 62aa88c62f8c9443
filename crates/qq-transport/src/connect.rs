//! The seam: opening a byte stream to a host and port.

use std::io;
use std::pin::Pin;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::Endpoint;

/// A byte stream in both directions.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// An open byte stream of any kind.
pub type Connection = Box<dyn ByteStream>;

/// What [`Connect::connect`] returns.
pub type ConnectFuture<'a> = Pin<Box<dyn Future<Output = io::Result<Connection>> + Send + 'a>>;

/// Opens byte streams. Deadlines and TLS are the caller's.
///
/// ```
/// use qq_transport::{Connect, ConnectFuture, Tcp};
///
/// /// Sends everything to one machine, whatever host is asked for.
/// struct Redirect;
///
/// impl Connect for Redirect {
///     fn connect<'a>(&'a self, _host: &'a str, port: u16) -> ConnectFuture<'a> {
///         Tcp.connect("127.0.0.1", port)
///     }
/// }
/// ```
pub trait Connect: Send + Sync + 'static {
    /// Resolves the host and connects to it. Dropping the future gives up.
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> ConnectFuture<'a>;

    /// The same, for whoever opens connections for encrypted traffic in another way than for the rest.
    fn connect_to<'a>(&'a self, endpoint: &'a Endpoint) -> ConnectFuture<'a> {
        self.connect(endpoint.host(), endpoint.port())
    }
}

impl<T: Connect + ?Sized> Connect for Arc<T> {
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> ConnectFuture<'a> {
        (**self).connect(host, port)
    }

    fn connect_to<'a>(&'a self, endpoint: &'a Endpoint) -> ConnectFuture<'a> {
        (**self).connect_to(endpoint)
    }
}

/// TCP, by the system's resolver, without Nagle's delay.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tcp;

impl Connect for Tcp {
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> ConnectFuture<'a> {
        Box::pin(async move {
            let stream = TcpStream::connect((host, port)).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as Connection)
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn tcp_carries_bytes_both_ways() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (client, server) = tokio::join!(Tcp.connect("127.0.0.1", port), listener.accept());
        let (mut client, (mut server, _)) = (client.unwrap(), server.unwrap());
        client.write_all(b"ping").await.unwrap();
        let mut buffer = [0; 4];
        server.read_exact(&mut buffer).await.unwrap();
        server.write_all(&buffer).await.unwrap();
        client.read_exact(&mut buffer).await.unwrap();
        assert_eq!(&buffer, b"ping");
    }

    #[tokio::test]
    async fn a_closed_port_is_an_error() {
        let port = TcpListener::bind("127.0.0.1:0")
            .await
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        assert!(Tcp.connect("127.0.0.1", port).await.is_err());
    }
}
