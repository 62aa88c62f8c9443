//! What can go wrong, as the machine sees it.

use std::time::Duration;

use qq_model::gateway::{CloseAction, CloseCode};

/// A hole in the numbers of a session's events.
///
/// In a replay, a single missing number may be that of an earlier RESUMED, which is not sent again: where one may have been
/// missed, it is no hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SequenceGap {
    /// The newest event before the hole.
    pub after: u64,
    /// The event that showed the hole.
    pub received: u64,
}

/// An event that the session had had before, and nobody had asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SequenceRepeat {
    /// The newest event before it.
    pub newest: u64,
    /// The event that came again.
    pub received: u64,
}

/// What went wrong. In which phase is kept beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No access token could be had; asking again is of no use when `is_final`.
    Token { is_final: bool },
    /// No session may be opened before the quota starts anew.
    Quota { reset_after: Duration },
    /// The phase failed.
    Failed,
    /// The server answered the WebSocket upgrade with another HTTP status.
    UpgradeRefused(u16),
    /// The deadline of the phase passed.
    Timeout,
    /// The server closed the connection with a code.
    Closed(CloseCode),
    /// The connection ended without a close code.
    Lost,
    /// The server broke the WebSocket protocol.
    Protocol,
    /// A frame exceeds the limit.
    TooLarge,
    /// Op 7.
    Reconnect,
    /// Op 9.
    InvalidSession { resumable: bool },
    /// A frame is no envelope; the connection lives.
    Malformed,
    /// An event is nested deeper than the limit; the connection lives.
    TooDeep,
    /// Events are missing; the connection lives.
    Gap(SequenceGap),
    /// An event came twice; the connection lives.
    Repeat(SequenceRepeat),
    /// The shard's address cannot be used.
    Address,
    /// The shard's address is not encrypted.
    PlainAddress,
    /// The environment names a proxy that cannot be used.
    Proxy,
}

impl Fault {
    /// What follows when a connection, or an attempt to get one, ends with this.
    pub(crate) const fn action(self) -> CloseAction {
        match self {
            Self::Token { is_final: true } | Self::Address | Self::PlainAddress | Self::Proxy => {
                CloseAction::Stop
            }
            Self::InvalidSession { resumable: false } => CloseAction::Identify,
            Self::Closed(code) => code.action(),
            Self::Token { is_final: false }
            | Self::Quota { .. }
            | Self::Failed
            | Self::UpgradeRefused(_)
            | Self::Timeout
            | Self::Lost
            | Self::Protocol
            | Self::TooLarge
            | Self::Reconnect
            | Self::InvalidSession { resumable: true }
            | Self::Malformed
            | Self::TooDeep
            | Self::Gap(_)
            | Self::Repeat(_) => CloseAction::Resume,
        }
    }
}
