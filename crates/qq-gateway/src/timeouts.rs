//! How long each phase of a connection may take.

use std::fmt;
use std::time::Duration;

/// A phase of a connection; each has a deadline in [`Timeouts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Waiting for a turn to IDENTIFY. Without a deadline: the queue decides.
    Queue,
    /// Getting an access token.
    Token,
    /// Resolving the host and connecting to it.
    Connect,
    /// The TLS handshake.
    Tls,
    /// The WebSocket upgrade.
    Upgrade,
    /// From the upgrade to HELLO.
    Hello,
    /// From IDENTIFY to READY.
    Ready,
    /// From RESUME, or the last replayed event, to RESUMED.
    Resumed,
    /// From a heartbeat to its ACK.
    Heartbeat,
    /// From our close frame to the server's.
    Close,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Queue => "waiting for a turn to IDENTIFY",
            Self::Token => "getting an access token",
            Self::Connect => "connecting to the gateway",
            Self::Tls => "the TLS handshake",
            Self::Upgrade => "the WebSocket upgrade",
            Self::Hello => "waiting for HELLO",
            Self::Ready => "waiting for READY",
            Self::Resumed => "waiting for RESUMED",
            Self::Heartbeat => "waiting for a heartbeat's ACK",
            Self::Close => "the closing handshake",
        })
    }
}

/// The deadline of each [`Phase`]. The ACK of a heartbeat may take one heartbeat interval.
///
/// ```
/// use std::time::Duration;
///
/// let mut timeouts = qq_gateway::Timeouts::default();
/// timeouts.hello = Duration::from_secs(5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// Getting an access token; 30 s.
    pub token: Duration,
    /// Resolving the host and connecting to it; 10 s.
    pub connect: Duration,
    /// The TLS handshake; 10 s.
    pub tls: Duration,
    /// The WebSocket upgrade; 10 s.
    pub upgrade: Duration,
    /// From the upgrade to HELLO; 15 s.
    pub hello: Duration,
    /// From IDENTIFY to READY; 30 s.
    pub ready: Duration,
    /// From RESUME, or the last replayed event, to RESUMED; 30 s.
    pub resumed: Duration,
    /// From our close frame to the server's; 3 s.
    pub close: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            token: Duration::from_secs(30),
            connect: Duration::from_secs(10),
            tls: Duration::from_secs(10),
            upgrade: Duration::from_secs(10),
            hello: Duration::from_secs(15),
            ready: Duration::from_secs(30),
            resumed: Duration::from_secs(30),
            close: Duration::from_secs(3),
        }
    }
}

impl Timeouts {
    /// The same, but no phase takes longer than this.
    #[must_use]
    pub fn at_most(self, limit: Duration) -> Self {
        Self {
            token: self.token.min(limit),
            connect: self.connect.min(limit),
            tls: self.tls.min(limit),
            upgrade: self.upgrade.min(limit),
            hello: self.hello.min(limit),
            ready: self.ready.min(limit),
            resumed: self.resumed.min(limit),
            close: self.close.min(limit),
        }
    }

    /// The deadline of a phase on the way to an open connection; `None` for those that have none.
    pub(crate) const fn of(&self, phase: Phase) -> Option<Duration> {
        match phase {
            Phase::Token => Some(self.token),
            Phase::Connect => Some(self.connect),
            Phase::Tls => Some(self.tls),
            Phase::Upgrade => Some(self.upgrade),
            Phase::Hello => Some(self.hello),
            Phase::Ready => Some(self.ready),
            Phase::Resumed => Some(self.resumed),
            Phase::Close => Some(self.close),
            Phase::Queue | Phase::Heartbeat => None,
        }
    }
}
