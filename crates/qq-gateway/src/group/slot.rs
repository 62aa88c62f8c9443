//! One shard of a group.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::ShardStream;
use super::ready::{ReadyQueue, Signal};
use crate::{CloseMode, ShardError, ShardStatus};

/// What a shard is to a change of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It belongs to the plan.
    Current,
    /// It is new, and was not live yet.
    Incoming,
    /// It is replaced when every new one is live.
    Outgoing,
    /// It closes, and is dropped when it has.
    Leaving,
}

pub(super) struct Slot<S> {
    pub(super) stream: S,
    pub(super) role: Role,
    /// The stream has ended.
    pub(super) has_ended: bool,
    /// Woken while nothing was read.
    pub(super) is_deferred: bool,
    pub(super) signal: Arc<Signal>,
    waker: Waker,
    /// The group's time without reading, as of the last look.
    unread: Duration,
}

impl<S: ShardStream> Slot<S> {
    pub(super) fn new(stream: S, role: Role, unread: Duration, queue: &Arc<ReadyQueue>) -> Self {
        let signal = Signal::new(stream.as_ref().id(), queue);
        signal.raise();
        Self {
            stream,
            role,
            has_ended: false,
            is_deferred: false,
            waker: Waker::from(Arc::clone(&signal)),
            signal,
            unread,
        }
    }

    /// Reads on; `unread` is how long the group has not read in all.
    pub(super) fn poll_next(
        &mut self,
        unread: Duration,
    ) -> Poll<Option<Result<S::Event, ShardError>>> {
        let missed = unread.saturating_sub(self.unread);
        self.unread = unread;
        self.stream.as_mut().was_not_read_for(missed);
        let mut cx = Context::from_waker(&self.waker);
        std::pin::Pin::new(&mut self.stream).poll_next(&mut cx)
    }

    /// Sends heartbeats without reading.
    pub(super) fn keep_alive(&mut self) {
        let mut cx = Context::from_waker(&self.waker);
        // When the connection broke, reading will say so.
        let _ = self.stream.as_mut().poll_keep_alive(&mut cx);
    }

    pub(super) fn close(&mut self, mode: CloseMode) {
        self.stream.as_mut().start_close(mode);
        self.signal.raise();
    }

    pub(super) fn is_live(&self) -> bool {
        matches!(self.stream.as_ref().status(), ShardStatus::Ready { .. })
    }
}
