//! Few reads while much comes, and little memory while nothing does.
//!
//! The WebSocket library keeps up to four times its read buffer per connection for as long as the connection lives,
//! so that buffer is small. When a read fills it, more is waiting: from then on one read of the socket fetches what
//! many small ones would, until nothing is left.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use qq_transport::Connection;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How much is fetched at once while much comes.
const AHEAD: usize = 64 << 10;

pub(super) struct ReadAhead {
    inner: Connection,
    ahead: Option<Ahead>,
}

/// What was fetched and not yet asked for: `start..end` of the buffer.
struct Ahead {
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
}

impl ReadAhead {
    pub(super) const fn new(inner: Connection) -> Self {
        Self { inner, ahead: None }
    }
}

impl Ahead {
    fn new() -> Self {
        Self {
            buffer: vec![0; AHEAD].into(),
            start: 0,
            end: 0,
        }
    }

    /// How many bytes came; 0 at the end.
    fn poll_fill(
        &mut self,
        inner: &mut Connection,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(&mut self.buffer);
        ready!(Pin::new(inner).poll_read(cx, &mut buffer))?;
        (self.start, self.end) = (0, buffer.filled().len());
        Poll::Ready(Ok(self.end))
    }

    fn serve(&mut self, buffer: &mut ReadBuf<'_>) {
        let fetched = &self.buffer[self.start..self.end];
        let served = fetched.len().min(buffer.remaining());
        buffer.put_slice(&fetched[..served]);
        self.start += served;
    }
}

impl AsyncRead for ReadAhead {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { inner, ahead } = self.get_mut();
        let wanted = buffer.remaining();
        let Some(fetched) = ahead else {
            ready!(Pin::new(inner).poll_read(cx, buffer))?;
            if wanted > 0 && buffer.remaining() == 0 {
                *ahead = Some(Ahead::new());
            }
            return Poll::Ready(Ok(()));
        };
        if fetched.start == fetched.end {
            let filled = fetched.poll_fill(inner, cx);
            // Nothing, or no more than fits without.
            if !matches!(filled, Poll::Ready(Ok(filled)) if filled > wanted) {
                let last = ahead.take();
                ready!(filled)?;
                if let Some(mut last) = last {
                    last.serve(buffer);
                }
                return Poll::Ready(Ok(()));
            }
        }
        fetched.serve(buffer);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ReadAhead {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn every_byte_comes_in_order_and_the_end_after_them() {
        let mut rng = fastrand::Rng::with_seed(5);
        for _ in 0..50 {
            let (mut server, client) = duplex(rng.usize(1..3 * AHEAD));
            let sent: Vec<u8> = (0..rng.usize(0..5 * AHEAD)).map(|_| rng.u8(..)).collect();
            let mut stream = ReadAhead::new(Box::new(client));
            let mut seed = rng.fork();
            let read = async {
                let mut received = Vec::new();
                loop {
                    let mut buffer = vec![0; seed.usize(1..10_000)];
                    let count = stream.read(&mut buffer).await.unwrap();
                    if count == 0 {
                        return received;
                    }
                    received.extend_from_slice(&buffer[..count]);
                }
            };
            let write = async {
                for part in sent.chunks(rng.usize(1..2 * AHEAD)) {
                    server.write_all(part).await.unwrap();
                    if rng.bool() {
                        tokio::task::yield_now().await;
                    }
                }
                drop(server);
            };
            let (received, ()) = tokio::join!(read, write);
            assert!(received == sent);
        }
    }

    #[tokio::test]
    async fn it_takes_memory_only_while_much_comes() {
        let (mut server, client) = duplex(1 << 20);
        let mut stream = ReadAhead::new(Box::new(client));
        let mut buffer = [0; 4096];
        for round in 0..3 {
            server.write_all(&[1; 100]).await.unwrap();
            assert_eq!(stream.read(&mut buffer).await.unwrap(), 100);
            assert!(stream.ahead.is_none(), "{round}");

            server.write_all(&[2; 40_000]).await.unwrap();
            let mut missing = 40_000;
            while missing > 0 {
                missing -= stream.read(&mut buffer).await.unwrap();
                assert!(stream.ahead.is_some(), "{round}: {missing}");
            }
            assert!(stream.read(&mut buffer).now_or_never().is_none());
            assert!(stream.ahead.is_none(), "{round}: idle");
        }
    }
}
