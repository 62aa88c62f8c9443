//! The states of a shard's connection, and what the machine asks for.

use std::time::{Duration, Instant};

use qq_model::id::SessionId;

use super::fault::{Fault, SequenceGap, SequenceRepeat};
use crate::timeouts::Phase;

/// Where a shard stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum State {
    /// Never started.
    Idle,
    /// Between attempts.
    Waiting { until: Instant, cause: Fault },
    /// On the way to an open WebSocket.
    Opening {
        phase: Phase,
        deadline: Option<Instant>,
    },
    /// Open; HELLO has not come.
    Hello { deadline: Instant },
    /// IDENTIFY was sent.
    Identifying { deadline: Instant },
    /// RESUME was sent, for the events after `from`. `progress`: one came since.
    Resuming {
        deadline: Instant,
        from: u64,
        progress: bool,
    },
    /// The session is live.
    Ready { since: Instant },
    /// Our close frame was sent; the server's has not come.
    Closing { deadline: Instant, then: Then },
    /// Ended for good.
    Closed,
}

/// What follows a closing handshake.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Then {
    Wait { until: Instant, cause: Fault },
    Stop,
}

impl State {
    /// The phase whose deadline runs; `None` when the session is live or nothing is under way.
    pub(crate) const fn phase(&self) -> Option<Phase> {
        match self {
            Self::Opening { phase, .. } => Some(*phase),
            Self::Hello { .. } => Some(Phase::Hello),
            Self::Identifying { .. } => Some(Phase::Ready),
            Self::Resuming { .. } => Some(Phase::Resumed),
            Self::Closing { .. } => Some(Phase::Close),
            Self::Idle | Self::Waiting { .. } | Self::Ready { .. } | Self::Closed => None,
        }
    }

    pub(super) const fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Waiting { until, .. } => Some(*until),
            Self::Opening { deadline, .. } => *deadline,
            Self::Hello { deadline }
            | Self::Identifying { deadline }
            | Self::Resuming { deadline, .. }
            | Self::Closing { deadline, .. } => Some(*deadline),
            Self::Idle | Self::Ready { .. } | Self::Closed => None,
        }
    }
}

/// What the first frame of the next connection will be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    Identify,
    Resume,
}

/// A frame to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outgoing {
    Identify,
    Resume {
        session_id: SessionId,
        sequence: u64,
    },
    Heartbeat(Option<u64>),
}

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    /// Get a connection: a turn in the identify queue (for IDENTIFY only), a token, TCP, TLS, the upgrade.
    Open(Start),
    /// Send this frame.
    Send(Outgoing),
    /// Send a close frame and go on reading.
    Close(u16),
    /// Send a close frame without waiting for anything, and drop the connection.
    Abort(u16),
    /// Drop the connection, or the attempt to get one.
    Drop,
    /// Tell the token's source that the token was refused.
    RefuseToken,
    /// Tell the consumer what went wrong.
    Report(Report),
}

/// What went wrong, and what follows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Report {
    pub(crate) fault: Fault,
    pub(crate) phase: Option<Phase>,
    /// How long the shard waits before the next attempt; `None` when it has stopped.
    pub(crate) retry_after: Option<Duration>,
    /// Whether something is wrong that needs a look although the shard goes on.
    pub(crate) is_loud: bool,
}

/// What to do with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// An event for the consumer.
    Deliver(Option<SequenceGap>),
    /// An event that the session has had before; to be told to the consumer unless RESUME asked for it.
    Repeat(Option<SequenceRepeat>),
    /// Nothing more: the machine has dealt with it.
    Handled,
}
