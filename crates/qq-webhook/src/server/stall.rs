//! Answers that nobody reads.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// A stream whose writes fail when the other side has taken nothing for a while. Without it, a client that sends requests
/// and reads no answers would keep its connection for ever.
pub(super) struct WriteDeadline<S> {
    stream: S,
    deadline: Duration,
    /// Made when a write has to wait for the first time.
    timer: Option<Pin<Box<Sleep>>>,
    is_waiting: bool,
}

impl<S> WriteDeadline<S> {
    pub(super) const fn new(stream: S, deadline: Duration) -> Self {
        Self {
            stream,
            deadline,
            timer: None,
            is_waiting: false,
        }
    }
}

impl<S: AsyncWrite + Unpin> WriteDeadline<S> {
    /// One attempt to write, with the clock running as long as attempts have to wait.
    fn attempt<T>(
        &mut self,
        context: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut S>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if let Poll::Ready(done) = write(Pin::new(&mut self.stream), context) {
            self.is_waiting = false;
            return Poll::Ready(done);
        }
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep(self.deadline)));
        if !self.is_waiting {
            self.is_waiting = true;
            let now = Instant::now();
            timer
                .as_mut()
                .reset(now.checked_add(self.deadline).unwrap_or(now));
        }
        ready!(timer.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the answer is not being read",
        )))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WriteDeadline<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WriteDeadline<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.attempt(context, |stream, context| stream.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.attempt(context, |stream, context| {
            stream.poll_write_vectored(context, slices)
        })
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.attempt(context, AsyncWrite::poll_flush)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.attempt(context, AsyncWrite::poll_shutdown)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::timeout;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(10);
    const HANG: Duration = Duration::from_secs(3600);

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_stops_is_given_up() {
        let (near, _far) = duplex(4);
        let start = Instant::now();
        let mut near = WriteDeadline::new(near, DEADLINE);
        let written = timeout(HANG, near.write_all(b"12345678")).await.unwrap();
        let error = written.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(start.elapsed(), DEADLINE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_reader_is_not() {
        let (near, mut far) = duplex(4);
        let mut near = WriteDeadline::new(near, DEADLINE);
        let read = async {
            let mut bytes = [0; 4];
            for _ in 0..8 {
                sleep(DEADLINE - Duration::from_secs(1)).await;
                far.read_exact(&mut bytes).await.unwrap();
            }
        };
        let both = async { tokio::join!(near.write_all(&[7; 32]), read) };
        timeout(HANG, both).await.unwrap().0.unwrap();
    }
}
