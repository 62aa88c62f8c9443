//! The seam: opening a byte stream to a host and port.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, sleep};

use crate::Endpoint;

/// How much earlier than the next address of a host each one is tried (RFC 8305, section 5).
const HEAD_START: Duration = Duration::from_millis(250);

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
///
/// A host with several addresses is tried at all of them, a quarter of a second apart, IPv6 and IPv4 in turns, and the
/// first that answers is taken: an address that nobody answers at does not use up the deadline.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tcp;

impl Connect for Tcp {
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> ConnectFuture<'a> {
        Box::pin(async move {
            let addresses: Vec<SocketAddr> = lookup_host((host, port)).await?.collect();
            let stream = first_open(in_turns(&addresses), TcpStream::connect).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as Connection)
        })
    }
}

/// Addresses with their families in turns, each family in the resolver's order.
fn in_turns(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let is_like_the_first = |address: &SocketAddr| address.is_ipv6() == addresses[0].is_ipv6();
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.iter().partition(|own| is_like_the_first(own));
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    std::iter::from_fn(|| Some([first.next(), second.next()]))
        .take(addresses.len())
        .flat_map(|pair| pair.into_iter().flatten())
        .collect()
}

/// The first of several ways that opens. The next one is begun when the one before fails, or takes too long.
async fn first_open<T, F>(
    addresses: Vec<SocketAddr>,
    open: impl Fn(SocketAddr) -> F,
) -> io::Result<T>
where
    F: Future<Output = io::Result<T>>,
{
    let mut waiting = addresses.into_iter();
    let mut running: Vec<Pin<Box<F>>> = Vec::new();
    let mut failure = None;
    let mut is_due = true;
    let mut head_start = pin!(sleep(Duration::ZERO));
    poll_fn(|cx| {
        loop {
            let mut at = 0;
            while let Some(way) = running.get_mut(at) {
                match way.as_mut().poll(cx) {
                    Poll::Ready(Ok(opened)) => return Poll::Ready(Ok(opened)),
                    Poll::Ready(Err(error)) => {
                        drop(running.swap_remove(at));
                        failure = Some(error);
                        is_due = true;
                    }
                    Poll::Pending => at += 1,
                }
            }
            if waiting.len() == 0 {
                return match failure.take_if(|_| running.is_empty()) {
                    Some(error) => Poll::Ready(Err(error)),
                    None if running.is_empty() => Poll::Ready(Err(io::Error::new(
                        io::ErrorKind::NotFound,
                        "the host has no address",
                    ))),
                    None => Poll::Pending,
                };
            }
            if !is_due && head_start.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            running.extend(waiting.next().map(|address| Box::pin(open(address))));
            is_due = false;
            head_start.as_mut().reset(Instant::now() + HEAD_START);
        }
    })
    .await
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

    fn addresses(hosts: &[&str]) -> Vec<SocketAddr> {
        let parse = |host: &&str| SocketAddr::new(host.parse().unwrap(), 443);
        hosts.iter().map(parse).collect()
    }

    #[test]
    fn families_take_turns() {
        for (resolved, tried) in [
            (
                &["::1", "::2", "::3", "1.1.1.1", "1.1.1.2"][..],
                &["::1", "1.1.1.1", "::2", "1.1.1.2", "::3"][..],
            ),
            (&["1.1.1.1", "::1", "::2"], &["1.1.1.1", "::1", "::2"]),
            (&["::1"], &["::1"]),
            (&[], &[]),
        ] {
            assert_eq!(in_turns(&addresses(resolved)), addresses(tried));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_nobody_answers_at_delays_by_its_head_start() {
        let begun = Instant::now();
        let opened = first_open(addresses(&["::1", "::2", "1.1.1.1"]), async |address| {
            if address.is_ipv4() {
                sleep(Duration::from_millis(70)).await;
                return Ok(address);
            }
            std::future::pending().await
        });
        assert!(opened.await.unwrap().is_ipv4());
        assert_eq!(begun.elapsed(), HEAD_START * 2 + Duration::from_millis(70));
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_refuses_delays_nothing() {
        let begun = Instant::now();
        let refuse = |address: SocketAddr| io::Error::other(address.to_string());
        let opened = first_open(addresses(&["::1", "::2", "1.1.1.1"]), async |address| {
            if address.is_ipv4() {
                Ok(())
            } else {
                Err(refuse(address))
            }
        });
        opened.await.unwrap();
        let failed = first_open(addresses(&["::1", "1.1.1.1"]), async |address| {
            Err::<(), _>(refuse(address))
        });
        assert_eq!(failed.await.unwrap_err().to_string(), "1.1.1.1:443");
        assert_eq!(begun.elapsed(), Duration::ZERO);
        let nowhere = first_open(Vec::new(), async |_| Ok(())).await.unwrap_err();
        assert_eq!(nowhere.kind(), io::ErrorKind::NotFound);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_address_may_still_be_the_first() {
        let opened = first_open(addresses(&["::1", "1.1.1.1"]), async |address| {
            sleep(Duration::from_millis(if address.is_ipv6() {
                400
            } else {
                900
            }))
            .await;
            Ok(address)
        });
        assert!(opened.await.unwrap().is_ipv6());
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
