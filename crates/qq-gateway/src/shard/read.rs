//! What comes in: the steps of connecting, then frames.

use std::task::{Context, Poll};
use std::time::Instant;

use futures_util::{SinkExt, StreamExt};
use qq_model::Dispatch;
use qq_model::event::Event;
use qq_model::gateway::{Envelope, OpCode};
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::Shard;
use super::drive::Progress;
use super::link::Link;
use crate::ShardError;
use crate::error::Source;
use crate::machine::{Fault, Verdict};
use crate::timeouts::Phase;

impl Shard {
    /// Goes on connecting, or reads a frame.
    pub(super) fn poll_link(&mut self, cx: &mut Context<'_>, now: Instant) -> Progress {
        let next = match &mut self.link {
            Link::Down => return Progress::None,
            Link::Open(_) => return self.poll_frame(cx, now),
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

    fn poll_frame(&mut self, cx: &mut Context<'_>, now: Instant) -> Progress {
        let Link::Open(socket) = &mut self.link else {
            return Progress::None;
        };
        if self.outbox.is_mid_frame() {
            return Progress::None;
        }
        match socket.poll_next_unpin(cx) {
            Poll::Pending => return Progress::None,
            Poll::Ready(Some(Ok(message))) => match message {
                Message::Text(text) => return self.frame(&text, now),
                Message::Binary(bytes) => match std::str::from_utf8(&bytes) {
                    Ok(text) => return self.frame(text, now),
                    Err(error) => self.malformed(error.into()),
                },
                Message::Close(frame) => {
                    // The answer to it; the connection is given up either way.
                    let _ = socket.poll_flush_unpin(cx);
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

    fn frame(&mut self, text: &str, now: Instant) -> Progress {
        let envelope = match Envelope::scan(text) {
            Ok(envelope) => envelope,
            Err(error) => {
                self.malformed(error.into());
                return Progress::Some;
            }
        };
        let wanted = envelope.op != OpCode::Dispatch || self.config.wants(&envelope);
        match self.machine.frame(&envelope, wanted, now) {
            Verdict::Handled => Progress::Some,
            Verdict::Repeat(repeat) => {
                self.stats.repeats += 1;
                tracing::debug!(shard = %self.config.shard, sequence = envelope.sequence, "repeated event dropped");
                if let Some(repeat) = repeat {
                    self.errors
                        .push_back(ShardError::harmless(Fault::Repeat(repeat), None));
                }
                Progress::Some
            }
            Verdict::Deliver(gap) => {
                if let Some(gap) = gap {
                    self.stats.gaps += 1;
                    tracing::warn!(shard = %self.config.shard, after = gap.after, received = gap.received, "events are missing");
                    self.errors
                        .push_back(ShardError::harmless(Fault::Gap(gap), None));
                }
                if !wanted {
                    self.stats.unwanted += 1;
                    return Progress::Some;
                }
                let Some(dispatch) = Dispatch::decode(&envelope) else {
                    return Progress::Some;
                };
                self.log_session(&dispatch);
                Progress::Event(dispatch)
            }
        }
    }

    fn log_session(&self, dispatch: &Dispatch) {
        let how = match &dispatch.event {
            Event::Ready(_) => "ready",
            Event::Resumed(_) => "resumed",
            _ => return,
        };
        if let Some((session, sequence)) = self.machine.session() {
            tracing::info!(shard = %self.config.shard, %session, sequence, "{how}");
        }
    }

    fn malformed(&mut self, source: Source) {
        self.stats.malformed += 1;
        tracing::warn!(shard = %self.config.shard, error = &*source as &dyn std::error::Error, "malformed frame dropped");
        self.errors
            .push_back(ShardError::harmless(Fault::Malformed, Some(source)));
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
