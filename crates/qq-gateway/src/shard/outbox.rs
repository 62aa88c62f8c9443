//! What waits to be written to one connection.
//!
//! One order: IDENTIFY or RESUME, then the heartbeat, then frames of senders, then the close frame. IDENTIFY
//! and RESUME carry the access token, and the WebSocket library logs every frame it writes at its `trace`
//! level; so the shard encodes these two itself and the library never sees them.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use qq_transport::Connection;
use tokio::io::AsyncWrite;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::{Error, Message, Result};

use super::socket::Socket;

#[derive(Default)]
pub(super) struct Outbox {
    secret: Option<Secret>,
    heartbeat: Option<String>,
    frame: Option<Box<str>>,
    close: Option<u16>,
    /// Something was handed to the socket and not flushed.
    pub(super) unflushed: bool,
}

/// An encoded frame and how much of it was written.
struct Secret {
    bytes: Vec<u8>,
    written: usize,
}

impl Outbox {
    /// Queues the first frame of a connection, which holds the access token.
    pub(super) fn secret(&mut self, text: &str) -> Result<()> {
        let mask = fastrand::u32(..).to_be_bytes();
        let header = FrameHeader {
            is_final: true,
            opcode: OpCode::Data(Data::Text),
            mask: Some(mask),
            ..FrameHeader::default()
        };
        let mut bytes = Vec::with_capacity(text.len() + 14);
        header.format(text.len() as u64, &mut bytes)?;
        bytes.extend(
            text.bytes()
                .zip(mask.iter().cycle())
                .map(|(byte, mask)| byte ^ mask),
        );
        self.secret = Some(Secret { bytes, written: 0 });
        // The socket may still hold the end of an answer to a ping.
        self.unflushed = true;
        Ok(())
    }

    /// Queues a heartbeat; one that still waits is replaced.
    pub(super) fn heartbeat(&mut self, sequence: Option<u64>) {
        self.heartbeat = Some(match sequence {
            Some(sequence) => format!(r#"{{"op":1,"d":{sequence}}}"#),
            None => r#"{"op":1,"d":null}"#.to_owned(),
        });
    }

    pub(super) fn frame(&mut self, text: Box<str>) {
        self.frame = Some(text);
    }

    /// Whether nothing waits.
    pub(super) const fn is_empty(&self) -> bool {
        self.secret.is_none()
            && self.heartbeat.is_none()
            && self.frame.is_none()
            && self.close.is_none()
            && !self.unflushed
    }

    /// Whether another sender's frame can be taken.
    pub(super) const fn has_room(&self) -> bool {
        self.frame.is_none()
    }

    pub(super) const fn close(&mut self, code: u16) {
        self.close = Some(code);
    }

    /// Whether nothing may be read, because reading may write an answer into the middle of a frame.
    pub(super) fn is_mid_frame(&self) -> bool {
        self.secret
            .as_ref()
            .is_some_and(|secret| secret.written > 0)
    }

    /// Writes as much as the socket takes; ready when nothing is left.
    pub(super) fn poll_write(
        &mut self,
        socket: &mut Socket,
        cx: &mut Context<'_>,
    ) -> Poll<Result<()>> {
        loop {
            if self.unflushed {
                ready!(socket.poll_flush(cx))?;
                self.unflushed = false;
            }
            if let Some(secret) = &mut self.secret {
                ready!(secret.poll_write(socket.connection(), cx))?;
                self.secret = None;
                continue;
            }
            let message = if let Some(text) = self.heartbeat.take() {
                Message::text(text)
            } else if let Some(text) = self.frame.take() {
                Message::text(String::from(text))
            } else if let Some(code) = self.close.take() {
                close_frame(code)
            } else {
                return Poll::Ready(Ok(()));
            };
            // Everything before was flushed, so the socket takes the next message.
            socket.send(message, cx)?;
            self.unflushed = true;
        }
    }
}

impl Secret {
    fn poll_write(&mut self, stream: &mut Connection, cx: &mut Context<'_>) -> Poll<Result<()>> {
        while self.written < self.bytes.len() {
            match ready!(Pin::new(&mut *stream).poll_write(cx, &self.bytes[self.written..]))? {
                0 => return Poll::Ready(Err(Error::Io(std::io::ErrorKind::WriteZero.into()))),
                written => self.written += written,
            }
        }
        ready!(Pin::new(stream).poll_flush(cx))?;
        Poll::Ready(Ok(()))
    }
}

/// A close frame with one of our codes.
pub(super) fn close_frame(code: u16) -> Message {
    Message::Close(Some(CloseFrame {
        code: code.into(),
        reason: "".into(),
    }))
}

/// Says goodbye if the socket takes it at once.
pub(super) fn farewell(socket: &mut Socket, code: u16, cx: &mut Context<'_>) {
    if socket.send(close_frame(code), cx).is_ok() {
        // The connection is given up either way.
        let _ = socket.poll_flush(cx);
    }
}
