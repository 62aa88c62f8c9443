//! A WebSocket that one task polls, for reading as well as for writing.
//!
//! That is all a shard needs, and it spares what a socket that two tasks may share does for every frame: to note
//! who is to be woken for which of the two.

use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use qq_transport::Connection;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tungstenite::client::client_with_config;
use tungstenite::handshake::MidHandshake;
use tungstenite::handshake::client::Request;
use tungstenite::protocol::{WebSocket, WebSocketConfig};
use tungstenite::{ClientHandshake, Error, HandshakeError, Message, Result};

use super::readahead::ReadAhead;

pub(super) struct Socket(WebSocket<Polled>);

impl Socket {
    /// Asks the server for a WebSocket.
    pub(super) async fn open(
        request: Request,
        connection: Connection,
        settings: WebSocketConfig,
    ) -> Result<Self> {
        let stream = Polled {
            stream: ReadAhead::new(connection),
            waker: Waker::noop().clone(),
        };
        let mut step = Some(Step::Start(request, stream));
        poll_fn(|cx| {
            let result = match step.take() {
                Some(Step::Start(request, mut stream)) => {
                    stream.wake(cx);
                    client_with_config(request, stream, Some(settings))
                }
                Some(Step::Goes(mut handshake)) => {
                    handshake.get_mut().get_mut().wake(cx);
                    handshake.handshake()
                }
                None => return Poll::Pending,
            };
            match result {
                Ok((socket, _)) => Poll::Ready(Ok(Self(socket))),
                Err(HandshakeError::Interrupted(handshake)) => {
                    step = Some(Step::Goes(handshake));
                    Poll::Pending
                }
                Err(HandshakeError::Failure(error)) => Poll::Ready(Err(error)),
            }
        })
        .await
    }

    /// The next message; `None` after the end.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message>>> {
        self.0.get_mut().wake(cx);
        match self.0.read() {
            Ok(message) => Poll::Ready(Some(Ok(message))),
            Err(Error::AlreadyClosed | Error::ConnectionClosed) => Poll::Ready(None),
            Err(error) if would_block(&error) => Poll::Pending,
            Err(error) => Poll::Ready(Some(Err(error))),
        }
    }

    /// Takes a message; what the connection does not take at once leaves with [`poll_flush`](Self::poll_flush).
    pub(super) fn send(&mut self, message: Message, cx: &mut Context<'_>) -> Result<()> {
        self.0.get_mut().wake(cx);
        match self.0.write(message) {
            Err(error) if !would_block(&error) => Err(error),
            _ => Ok(()),
        }
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.0.get_mut().wake(cx);
        match self.0.flush() {
            // Everything was written.
            Ok(()) | Err(Error::ConnectionClosed) => Poll::Ready(Ok(())),
            Err(error) if would_block(&error) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    /// The connection below.
    pub(super) fn stream(&mut self) -> &mut ReadAhead {
        &mut self.0.get_mut().stream
    }
}

enum Step {
    Start(Request, Polled),
    Goes(MidHandshake<ClientHandshake<Polled>>),
}

fn would_block(error: &Error) -> bool {
    matches!(error, Error::Io(error) if error.kind() == io::ErrorKind::WouldBlock)
}

/// The connection as the library sees it: not ready is [`WouldBlock`](io::ErrorKind::WouldBlock).
struct Polled {
    stream: ReadAhead,
    waker: Waker,
}

impl Polled {
    /// Wakes this task from now on.
    fn wake(&mut self, cx: &Context<'_>) {
        self.waker.clone_from(cx.waker());
    }

    fn poll<T>(
        &mut self,
        step: impl FnOnce(Pin<&mut ReadAhead>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> io::Result<T> {
        let mut cx = Context::from_waker(&self.waker);
        match step(Pin::new(&mut self.stream), &mut cx) {
            Poll::Ready(result) => result,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl Read for Polled {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut buffer = ReadBuf::new(buffer);
        self.poll(|stream, cx| stream.poll_read(cx, &mut buffer))?;
        Ok(buffer.filled().len())
    }
}

impl Write for Polled {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.poll(|stream, cx| stream.poll_write(cx, bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.poll(AsyncWrite::poll_flush)
    }
}
