//! Driving the machine: the order of things is in [`crate::machine`].

use std::task::{Context, Poll};
use std::time::Instant;

use qq_model::EventKinds;
use qq_model::gateway::{Identify, OpCode, Resume};
use serde::Serialize;
use tungstenite::Error;

use super::frame::Item;
use super::link::Link;
use super::outbox::{Outbox, farewell};
use super::throttle::Throttle;
use super::{Shard, now};
use crate::ShardError;
use crate::machine::{Action, Fault, Outgoing, Report, Start, State};

/// Frames that may be read in one go without one of them being for the consumer.
const BATCH: u32 = 128;

/// What became of an attempt to make progress.
pub(super) enum Progress<T> {
    /// Something to yield.
    Item(T),
    /// An event that nobody wants was dropped, and nothing else happened.
    Dropped,
    /// Something happened; look again.
    Some,
    /// Nothing; the task will be woken.
    None,
}

impl Shard {
    pub(super) fn poll_item<T: Item>(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<T, ShardError>>> {
        let mut now = now();
        self.machine.reading(now, self.held_up.take());
        let mut steps = 0;
        loop {
            self.act(cx, now);
            if let Some(error) = self.errors.pop_front() {
                self.held_up = Some(now);
                return Poll::Ready(Some(Err(error)));
            }
            if self.machine.state() == State::Closed {
                self.requests.end();
                return Poll::Ready(None);
            }
            if !self.requests.is_empty() && self.poll_requests(cx, now) {
                continue;
            }
            if self.poll_write(cx, now) {
                continue;
            }
            let progress = loop {
                match self.poll_link_in_time(cx, now) {
                    // There is nothing to do but read on.
                    Progress::Dropped if steps < BATCH && self.errors.is_empty() => steps += 1,
                    progress => break progress,
                }
            };
            match progress {
                Progress::Item(item) => {
                    self.stats.events += 1;
                    self.held_up = Some(now);
                    return Poll::Ready(Some(Ok(item)));
                }
                Progress::Some | Progress::Dropped if steps < BATCH => {
                    steps += 1;
                    continue;
                }
                Progress::Some | Progress::Dropped => {
                    // Others have a turn, and time passes here too.
                    self.machine.flooded(super::now());
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Progress::None => {}
            }
            if self.poll_requests(cx, now) {
                continue;
            }
            // The timer comes last. When the runtime makes this task yield, reading is pending although there
            // is something to read; the timer is pending then as well, and nothing is judged.
            let deadline = [self.machine.deadline(), self.throttle.until()];
            match self.poll_timer(deadline.into_iter().flatten().min(), cx) {
                Poll::Ready(time) => now = time,
                Poll::Pending => return Poll::Pending,
            }
            self.machine.expire(now);
        }
    }

    /// See [`Shard::next_read`].
    pub(super) fn read_ahead<T: Item>(&mut self, kinds: EventKinds) -> Option<T> {
        let now = now();
        // Whatever else there is to do comes first.
        let is_idle = matches!(self.machine.state(), State::Ready { .. })
            && self
                .machine
                .deadline()
                .is_none_or(|deadline| now < deadline)
            && self.throttle.until().is_none()
            && self.errors.is_empty()
            && self.requests.is_empty()
            && self.outbox.is_empty();
        let Link::Open(socket) = &mut self.link else {
            return None;
        };
        if !is_idle {
            return None;
        }
        let bytes = socket.read_text()?;
        let Some((text, header)) = self.wanted_ahead(&bytes, kinds) else {
            if let Link::Open(socket) = &mut self.link {
                socket.put_back(bytes);
            }
            return None;
        };
        self.machine.reading(now, self.held_up.take());
        let progress = self.wanted(text, &header, now);
        self.throttle.count(now);
        match progress {
            Progress::Item(mut item) => {
                self.stats.events += 1;
                self.held_up = Some(now);
                T::keep(&mut item, bytes, &mut self.decoder);
                Some(item)
            }
            _ => None,
        }
    }

    pub(crate) fn poll_keep_alive(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut now = now();
        self.machine.not_reading(now);
        loop {
            if !self.machine.is_beating() {
                let closing = self.poll_requests(cx, now);
                return if closing {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                };
            }
            self.act(cx, now);
            if self.poll_write(cx, now) {
                return Poll::Ready(());
            }
            if self.poll_requests(cx, now) {
                if !self.machine.is_beating() {
                    return Poll::Ready(());
                }
                continue;
            }
            match self.poll_timer(self.machine.beat_deadline(), cx) {
                Poll::Ready(time) => now = time,
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Does what the machine asks for.
    fn act(&mut self, cx: &mut Context<'_>, now: Instant) {
        self.machine.tick(now);
        while let Some(action) = self.machine.next_action() {
            match action {
                Action::Open(Start::Identify) => self.link = Link::queue(&self.config),
                Action::Open(Start::Resume) => self.link = Link::token(&self.config),
                Action::Send(frame) => self.send(&frame, now),
                Action::Close(code) => self.outbox.close(code),
                Action::Abort(code) => {
                    // Half a frame before it would make no sense of the close frame.
                    if let Link::Open(socket) = &mut self.link
                        && !self.outbox.is_mid_frame()
                    {
                        farewell(socket, code, cx);
                    }
                    self.hang_up();
                }
                Action::Drop => self.hang_up(),
                Action::RefuseToken => {
                    if let Some(bearer) = &self.bearer {
                        self.config.token.refused(bearer);
                    }
                }
                Action::Report(report) => self.report(report),
            }
        }
        // What nobody reported now explains no later report.
        self.source = None;
    }

    fn hang_up(&mut self) {
        self.link = Link::Down;
        self.throttle = Throttle::new(self.config.limits.max_rate);
        self.outbox = Outbox::default();
        self.turn = None;
        self.bearer = None;
    }

    fn send(&mut self, frame: &Outgoing, now: Instant) {
        let shard = self.config.shard;
        match frame {
            Outgoing::Heartbeat(sequence) => {
                tracing::trace!(%shard, sequence, "heartbeat");
                self.stats.heartbeats += 1;
                self.outbox.heartbeat(*sequence);
            }
            Outgoing::Identify => {
                let intents = self.config.intents;
                tracing::debug!(%shard, intents = intents.bits(), "identify");
                self.stats.identifies += 1;
                if let Some(turn) = self.turn.take() {
                    turn.spend();
                }
                self.send_first(now, |token| {
                    frame_text(
                        OpCode::Identify,
                        Identify {
                            token,
                            intents,
                            shard,
                            properties: Default::default(),
                        },
                    )
                });
            }
            Outgoing::Resume {
                session_id,
                sequence,
            } => {
                let seq = *sequence;
                tracing::debug!(%shard, session = %session_id, sequence, "resume");
                self.stats.resumes += 1;
                self.send_first(now, |token| {
                    frame_text(
                        OpCode::Resume,
                        Resume {
                            token,
                            session_id,
                            seq,
                        },
                    )
                });
            }
        }
    }

    /// Sends the frame that carries the token.
    fn send_first(&mut self, now: Instant, text: impl FnOnce(&str) -> serde_json::Result<String>) {
        // The token was fetched before the connection was opened.
        let Some(bearer) = &self.bearer else {
            return self.machine.lost(Fault::Token { is_final: false }, now);
        };
        let queued = text(bearer.authorization().expose())
            .map_err(|error| Error::Io(error.into()))
            .and_then(|text| self.outbox.secret(&text));
        if let Err(error) = queued {
            self.broken(error, now);
        }
    }

    fn report(&mut self, report: Report) {
        let Report {
            fault,
            phase,
            retry_after,
            is_loud,
        } = report;
        let source = self.source.take();
        let error = match retry_after {
            Some(after) => ShardError::retried(fault, phase, after, source),
            None => ShardError::fatal(fault, phase, source),
        };
        let shard = self.config.shard;
        let code = error.close_code().map(|code| code.0);
        let cause = std::error::Error::source(&error);
        if is_loud {
            tracing::error!(%shard, code, cause, "{error}");
        } else {
            tracing::info!(%shard, code, cause, "{error}");
        }
        self.errors.push_back(error);
    }

    /// Whether a request was taken.
    fn poll_requests(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        if let Poll::Ready(Some(mode)) = self.requests.close.poll_recv(cx) {
            self.machine.close(mode, now);
            return true;
        }
        let is_ready = matches!(self.machine.state(), State::Ready { .. });
        if is_ready
            && self.outbox.has_room()
            && let Poll::Ready(Some(frame)) = self.requests.frames.poll_recv(cx)
        {
            self.outbox.frame(frame);
            return true;
        }
        false
    }

    /// Whether the connection broke.
    fn poll_write(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        let Link::Open(socket) = &mut self.link else {
            return false;
        };
        match self.outbox.poll_write(socket, cx) {
            Poll::Ready(Err(error)) => {
                self.broken(error, now);
                true
            }
            Poll::Ready(Ok(())) | Poll::Pending => false,
        }
    }

    /// Reads no faster than [`Limits::max_rate`](crate::Limits::max_rate) allows.
    fn poll_link_in_time<T: Item>(&mut self, cx: &mut Context<'_>, now: Instant) -> Progress<T> {
        let Link::Open(_) = &self.link else {
            return self.poll_link(cx, now);
        };
        if let Some(pause) = self.throttle.end(now) {
            self.stats.held_back += pause;
            self.machine.reading(now, None);
        } else if self.throttle.until().is_some() {
            self.machine.not_reading(now);
            return Progress::None;
        }
        let progress = self.poll_link(cx, now);
        if !matches!(progress, Progress::None) && self.throttle.count(now) {
            tracing::debug!(shard = %self.config.shard, "reading pauses: more frames came than Limits::max_rate");
        }
        progress
    }

    /// Waits until the deadline; ready with the time.
    fn poll_timer(&mut self, deadline: Option<Instant>, cx: &mut Context<'_>) -> Poll<Instant> {
        let Some(deadline) = deadline else {
            return Poll::Pending;
        };
        let deadline = tokio::time::Instant::from_std(deadline);
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        timer.as_mut().poll(cx).map(|()| now())
    }
}

fn frame_text<T: Serialize>(op: OpCode, d: T) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Frame<T> {
        op: i64,
        d: T,
    }
    serde_json::to_string(&Frame { op: op.value(), d })
}
