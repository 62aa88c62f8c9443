//! A WebSocket that one task polls, for reading as well as for writing.
//!
//! That is all a shard needs, and it spares what a socket that two tasks may share does for every frame: to note
//! who is to be woken for which of the two.

use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use qq_transport::Connection;
use tokio::io::AsyncWrite;
use tungstenite::client::client_with_config;
use tungstenite::handshake::MidHandshake;
use tungstenite::handshake::client::Request;
use tungstenite::protocol::{WebSocket, WebSocketConfig};
use tungstenite::{ClientHandshake, Error, HandshakeError, Message, Result};

use super::intake::Intake;

/// What the library keeps for reading. It sees few frames, and these are small.
const LIBRARY_BUFFER: usize = 256;

pub(super) struct Socket(WebSocket<Polled>);

/// What came.
pub(super) enum Incoming {
    /// A text frame, whose text was not looked at yet.
    Text(Bytes),
    /// Anything else.
    Message(Message),
}

impl Socket {
    /// Asks the server for a WebSocket. Of the settings, the size of the read buffer is that while little comes.
    pub(super) async fn open(
        request: Request,
        connection: Connection,
        settings: WebSocketConfig,
    ) -> Result<Self> {
        let limits = [settings.max_frame_size, settings.max_message_size];
        let max_frame = limits.into_iter().flatten().min().unwrap_or(usize::MAX);
        let stream = Polled {
            intake: Intake::new(connection, settings.read_buffer_size, max_frame),
            waker: Waker::noop().clone(),
        };
        let settings = settings.read_buffer_size(LIBRARY_BUFFER);
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
                Ok((mut socket, _)) => {
                    socket.get_mut().intake.upgraded();
                    Poll::Ready(Ok(Self(socket)))
                }
                Err(HandshakeError::Interrupted(handshake)) => {
                    step = Some(Step::Goes(handshake));
                    Poll::Pending
                }
                Err(HandshakeError::Failure(error)) => Poll::Ready(Err(error)),
            }
        })
        .await
    }

    /// What comes next; `None` after the end.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Incoming>>> {
        loop {
            if let Some(text) = ready!(self.0.get_mut().intake.poll_text(cx)) {
                return Poll::Ready(Some(Ok(Incoming::Text(text))));
            }
            self.0.get_mut().wake(cx);
            return match self.0.read() {
                Ok(message) => Poll::Ready(Some(Ok(Incoming::Message(message)))),
                Err(Error::AlreadyClosed | Error::ConnectionClosed) => Poll::Ready(None),
                Err(error) if would_block(&error) => {
                    if self.0.get_ref().intake.is_between_frames() {
                        // It wants the next frame of a message.
                        continue;
                    }
                    Poll::Pending
                }
                Err(error) => Poll::Ready(Some(Err(error))),
            };
        }
    }

    /// A text frame that has been read, if it comes next.
    pub(super) fn read_text(&mut self) -> Option<Bytes> {
        self.0.get_mut().intake.read_text()
    }

    /// Gives back the text that was taken last.
    pub(super) fn put_back(&mut self, text: Bytes) {
        self.0.get_mut().intake.put_back(text);
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

    /// The connection below, for writing.
    pub(super) fn connection(&mut self) -> &mut Connection {
        self.0.get_mut().intake.connection()
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
    intake: Intake,
    waker: Waker,
}

impl Polled {
    /// Wakes this task from now on.
    fn wake(&mut self, cx: &Context<'_>) {
        self.waker.clone_from(cx.waker());
    }

    fn poll<T>(
        &mut self,
        step: impl FnOnce(&mut Intake, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> io::Result<T> {
        let mut cx = Context::from_waker(&self.waker);
        match step(&mut self.intake, &mut cx) {
            Poll::Ready(result) => result,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl Read for Polled {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.poll(|intake, cx| intake.poll_lent(cx, buffer))
    }
}

impl Write for Polled {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.poll(|intake, cx| Pin::new(intake.connection()).poll_write(cx, bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.poll(|intake, cx| Pin::new(intake.connection()).poll_flush(cx))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use fastrand::Rng;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tungstenite::Utf8Bytes;
    use tungstenite::client::IntoClientRequest;
    use tungstenite::handshake::derive_accept_key;
    use tungstenite::protocol::Role;

    use super::*;

    const MAX_FRAME: usize = 20_000;

    fn settings() -> WebSocketConfig {
        WebSocketConfig::default()
            .read_buffer_size(1024)
            .max_frame_size(Some(MAX_FRAME))
            .max_message_size(Some(MAX_FRAME))
    }

    /// What the library alone makes of these bytes.
    fn reference(bytes: &[u8]) -> Vec<String> {
        /// The answers go nowhere.
        struct OneWay(Cursor<Vec<u8>>);

        impl Read for OneWay {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                Read::read(&mut self.0, buffer)
            }
        }

        impl Write for OneWay {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                Ok(bytes.len())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        let stream = OneWay(Cursor::new(bytes.to_vec()));
        let mut socket = WebSocket::from_raw_socket(stream, Role::Client, Some(settings()));
        let mut seen = Vec::new();
        loop {
            match socket.read() {
                Ok(message) => seen.push(format!("{message:?}")),
                Err(Error::ConnectionClosed) => return seen,
                Err(error) => {
                    seen.push(error.to_string());
                    return seen;
                }
            }
        }
    }

    /// What the socket makes of them, which come in pieces.
    async fn received(bytes: &[u8], rng: &mut Rng) -> Vec<String> {
        let (mut server, client) = duplex(rng.usize(1..3) << rng.u32(1..18));
        let mut intake = Intake::new(Box::new(client), 1 << rng.u32(6..13), MAX_FRAME);
        intake.upgraded();
        let stream = Polled {
            intake,
            waker: Waker::noop().clone(),
        };
        let settings = settings().read_buffer_size(LIBRARY_BUFFER);
        let mut socket = Socket(WebSocket::from_raw_socket(
            stream,
            Role::Client,
            Some(settings),
        ));
        let pieces: Vec<usize> = (0..20).map(|_| 1 << rng.u32(0..17)).collect();
        let write = async {
            let (mut reader, mut writer) = tokio::io::split(&mut server);
            let answers = async {
                let mut answers = Vec::new();
                let _ = reader.read_to_end(&mut answers).await;
            };
            let write = async {
                let mut rest = bytes;
                for piece in pieces.iter().cycle() {
                    let (piece, behind) = rest.split_at(rest.len().min(*piece));
                    if piece.is_empty() || writer.write_all(piece).await.is_err() {
                        break;
                    }
                    rest = behind;
                    tokio::task::yield_now().await;
                }
                let _ = writer.shutdown().await;
            };
            tokio::join!(answers, write);
        };
        let read = async {
            let mut seen = Vec::new();
            loop {
                match poll_fn(|cx| socket.poll_next(cx)).await {
                    Some(Ok(Incoming::Text(bytes))) => match Utf8Bytes::try_from(bytes) {
                        Ok(text) => seen.push(format!("{:?}", Message::Text(text))),
                        Err(error) => {
                            seen.push(Error::from(error).to_string());
                            break;
                        }
                    },
                    Some(Ok(Incoming::Message(message))) => seen.push(format!("{message:?}")),
                    Some(Err(error)) => {
                        seen.push(error.to_string());
                        break;
                    }
                    None => break,
                }
            }
            drop(socket);
            seen
        };
        tokio::join!(write, read).1
    }

    /// A frame of any kind, mostly sound.
    fn frame(rng: &mut Rng) -> Vec<u8> {
        let first = match rng.u32(0..60) {
            0..30 => 0x81,
            30..34 => 0x82,
            34..40 => 0x89,
            40..43 => 0x8a,
            43..49 => 0x80,
            49..55 => 0x01,
            55..58 => 0x00,
            58 => 0x88,
            _ => rng.u8(..),
        };
        let is_control = first & 0x08 != 0;
        let length = match rng.u32(0..10) {
            0..5 => rng.usize(0..126),
            _ if is_control => rng.usize(0..20),
            5..8 => rng.usize(0..2_000),
            8 => rng.usize(0..MAX_FRAME / 3),
            _ => rng.usize(0..MAX_FRAME + 100),
        };
        let mut frame = vec![first];
        let mask = if rng.u32(0..200) == 0 { 0x80 } else { 0 };
        match length {
            0..126 => frame.push(u8::try_from(length).unwrap() | mask),
            _ => {
                frame.push(126 | mask);
                frame.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
        }
        if mask != 0 {
            frame.extend([0; 4]);
        }
        let text = "{\"op\":0,\"d\":\"你好，世界\"}".as_bytes();
        frame.extend(text.iter().cycle().take(length));
        if length > 0 && first == 0x81 {
            // The text may end within a character; seldom it stays so.
            let start = frame.len() - length;
            let sound =
                str::from_utf8(&frame[start..]).map_or_else(|error| error.valid_up_to(), str::len);
            if rng.u32(0..20) > 0 {
                frame[start + sound..].fill(b' ');
            }
        }
        frame
    }

    /// Cutting frames out of the stream changes nothing about what is in it.
    #[tokio::test]
    async fn it_sees_what_the_library_sees() {
        let mut rng = Rng::with_seed(11);
        let mut endings = std::collections::HashSet::new();
        for round in 0..600 {
            let mut bytes = Vec::new();
            for _ in 0..rng.usize(1..30) {
                bytes.extend(frame(&mut rng));
            }
            match rng.u32(0..4) {
                0 => bytes.truncate(rng.usize(0..=bytes.len())),
                1 => bytes.extend((0..rng.usize(0..30)).map(|_| rng.u8(..))),
                _ => {}
            }
            let expected = reference(&bytes);
            let seen = received(&bytes, &mut rng).await;
            assert_eq!(seen, expected, "round {round}");
            endings.extend(
                seen.last()
                    .map(|last| last.chars().take(42).collect::<String>()),
            );
        }
        assert!(endings.len() > 10, "{endings:?}");
    }

    /// Frames may come together with the answer to the upgrade, and both cut anywhere.
    #[tokio::test]
    async fn frames_may_follow_the_upgrade_at_once() {
        let name = "sec-websocket-key: ";
        for cut in 0..160 {
            let (mut server, client) = duplex(1 << 16);
            let serve = async {
                let mut asked = Vec::new();
                while !asked.ends_with(b"\r\n\r\n") {
                    asked.push(server.read_u8().await.unwrap());
                }
                let asked = String::from_utf8(asked).unwrap();
                let key = asked
                    .lines()
                    .find(|line| line.to_lowercase().starts_with(name))
                    .map(|line| derive_accept_key(&line.as_bytes()[name.len()..]))
                    .unwrap();
                let mut answer = format!("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {key}\r\n\r\n").into_bytes();
                answer.extend(b"\x81\x05first\x81\x06second");
                let (before, behind) = answer.split_at(cut.min(answer.len()));
                server.write_all(before).await.unwrap();
                tokio::task::yield_now().await;
                server.write_all(behind).await.unwrap();
                server
            };
            let read = async {
                let request = "ws://localhost/".into_client_request().unwrap();
                let client = Box::new(client);
                let mut socket = Socket::open(request, client, settings()).await.unwrap();
                for expected in ["first", "second"] {
                    match poll_fn(|cx| socket.poll_next(cx)).await {
                        Some(Ok(Incoming::Text(text))) => assert_eq!(text, expected, "{cut}"),
                        _ => panic!("{cut}"),
                    }
                }
            };
            tokio::join!(serve, read);
        }
    }
}
