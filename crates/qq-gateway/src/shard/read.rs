//! What comes in: the steps of connecting, then WebSocket messages.

use std::str::Utf8Error;
use std::task::{Context, Poll};
use std::time::Instant;

use tungstenite::error::ProtocolError;
use tungstenite::{Error, Message};

use super::Shard;
use super::drive::Progress;
use super::frame::Item;
use super::link::Link;
use super::socket::Incoming;
use crate::error::Source;
use crate::machine::Fault;
use crate::timeouts::Phase;

impl Shard {
    /// Goes on connecting, or reads a frame.
    pub(super) fn poll_link<T: Item>(&mut self, cx: &mut Context<'_>, now: Instant) -> Progress<T> {
        let next = match &mut self.link {
            Link::Down => return Progress::None,
            Link::Open(_) => return self.poll_message(cx, now),
            Link::Queue(step) => step.as_mut().poll(cx).map(|turn| match turn {
                Ok(turn) => {
                    self.turn = Some(turn);
                    Ok((Phase::Token, Link::token(&self.config)))
                }
                Err(error) => Err((
                    Fault::Quota {
                        reset_after: error.reset_after(),
                    },
                    Some(error.into()),
                )),
            }),
            Link::Token(step) => step.as_mut().poll(cx).map(|token| match token {
                Ok(token) => {
                    self.bearer = Some(token);
                    Ok((Phase::Connect, Link::connect(&self.config)))
                }
                Err(error) => Err((
                    Fault::Token {
                        is_final: error.is_final(),
                    },
                    Some(error.into_source()),
                )),
            }),
            Link::Connect(step) => step.as_mut().poll(cx).map(|connection| match connection {
                Ok(connection) if self.config.endpoint.is_encrypted() => {
                    Ok((Phase::Tls, Link::tls(&self.config, connection)))
                }
                Ok(connection) => Ok((Phase::Upgrade, Link::upgrade(&self.config, connection))),
                Err(error) => Err((Fault::Failed, Some(error.into()))),
            }),
            Link::Tls(step) => step.as_mut().poll(cx).map(|connection| match connection {
                Ok(connection) => Ok((Phase::Upgrade, Link::upgrade(&self.config, connection))),
                Err(error) => Err((Fault::Failed, Some(error.into()))),
            }),
            Link::Upgrade(step) => step.as_mut().poll(cx).map(|socket| match socket {
                Ok(socket) => Ok((Phase::Hello, Link::Open(Box::new(socket)))),
                // The answer's body is left out: it is the server's, of any size.
                Err(Error::Http(response)) => {
                    Err((Fault::UpgradeRefused(response.status().as_u16()), None))
                }
                Err(error) => Err((Fault::Failed, Some(Box::new(error) as Source))),
            }),
        };
        match next {
            Poll::Pending => return Progress::None,
            Poll::Ready(Ok((Phase::Hello, link))) => {
                self.link = link;
                self.stats.connections += 1;
                self.machine.opened(now);
            }
            Poll::Ready(Ok((phase, link))) => {
                self.link = link;
                self.machine.reached(phase, now);
            }
            Poll::Ready(Err((fault, source))) => {
                self.source = source;
                self.machine.failed(fault, now);
            }
        }
        Progress::Some
    }

    fn poll_message<T: Item>(&mut self, cx: &mut Context<'_>, now: Instant) -> Progress<T> {
        let Link::Open(socket) = &mut self.link else {
            return Progress::None;
        };
        if self.outbox.is_mid_frame() {
            return Progress::None;
        }
        match socket.poll_next(cx) {
            Poll::Pending => return Progress::None,
            Poll::Ready(Some(Ok(Incoming::Text(bytes)))) => return self.text(bytes, now),
            Poll::Ready(Some(Ok(Incoming::Message(message)))) => match message {
                Message::Text(text) => return self.text(text.into(), now),
                Message::Binary(bytes) => match utf8(&bytes) {
                    Ok(_) => return self.text(bytes, now),
                    Err(error) => self.malformed(error.into()),
                },
                Message::Close(frame) => {
                    // The answer to it; the connection is given up either way.
                    let _ = socket.poll_flush(cx);
                    self.machine
                        .closed(frame.map(|frame| frame.code.into()), now);
                }
                // The socket has queued the answer.
                Message::Ping(_) => self.outbox.unflushed = true,
                Message::Pong(_) | Message::Frame(_) => {}
            },
            Poll::Ready(Some(Err(error))) => self.broken(error, now),
            Poll::Ready(None) => self.machine.lost(Fault::Lost, now),
        }
        Progress::Some
    }

    /// The socket failed.
    pub(super) fn broken(&mut self, error: Error, now: Instant) {
        let fault = match &error {
            Error::Capacity(_) => Fault::TooLarge,
            Error::Protocol(
                ProtocolError::ResetWithoutClosingHandshake | ProtocolError::SendAfterClosing,
            )
            | Error::ConnectionClosed
            | Error::AlreadyClosed
            | Error::Io(_) => Fault::Lost,
            _ => Fault::Protocol,
        };
        self.source = Some(Box::new(error));
        self.machine.lost(fault, now);
    }
}

pub(super) fn utf8(bytes: &[u8]) -> Result<&str, Utf8Error> {
    // Which place is wrong is found by the second look.
    simdutf8::basic::from_utf8(bytes).or_else(|_| str::from_utf8(bytes))
}
