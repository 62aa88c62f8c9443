//! What a shard reports.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use qq_model::gateway::{CloseAction, CloseCode};

use crate::machine::{Fault, SequenceGap, SequenceRepeat};
use crate::timeouts::Phase;

/// What a [`ShardError`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ShardErrorKind {
    /// The shard's settings cannot work: its address, or what the gateway refused about its IDENTIFY
    /// (shard, intents, version).
    Configuration,
    /// No access token could be had, or the gateway refused it.
    Authentication,
    /// The connection could not be made, or was lost.
    Network,
    /// A deadline passed; [`ShardError::phase`] says which.
    Timeout,
    /// The gateway closed the connection; [`ShardError::close_code`] says why.
    Closed,
    /// The gateway asked for a new connection (op 7).
    Reconnect,
    /// The gateway refused the session, or the IDENTIFY (op 9).
    InvalidSession,
    /// The server broke the WebSocket protocol, or a frame exceeds the limit.
    Protocol,
    /// A frame is malformed, or an event nested too deep. It was dropped, the connection lives.
    Decode,
    /// Events are missing; [`ShardError::sequence_gap`] says which. The connection lives.
    SequenceGap,
    /// An event came again that nobody had asked for. It was dropped; [`ShardError::sequence_repeat`] says
    /// which. The connection lives.
    SequenceRepeat,
    /// No session may be opened before the quota starts anew; see [`ShardError::retry_after`].
    SessionQuota,
}

/// Why a shard lost its connection, could not get one, or dropped a frame.
///
/// Unless [`is_fatal`](Self::is_fatal), the shard goes on by itself.
pub struct ShardError {
    fault: Fault,
    phase: Option<Phase>,
    end: End,
    source: Option<Source>,
}

pub(crate) type Source = Box<dyn Error + Send + Sync>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The connection lives on.
    None,
    /// The shard tries again after so many milliseconds.
    Retry(u32),
    /// The shard has stopped.
    Fatal,
}

impl ShardError {
    /// A fault that leaves the connection alone.
    pub(crate) fn harmless(fault: Fault, source: Option<Source>) -> Self {
        Self {
            fault,
            phase: None,
            end: End::None,
            source,
        }
    }

    pub(crate) fn fatal(fault: Fault, phase: Option<Phase>, source: Option<Source>) -> Self {
        Self {
            fault,
            phase,
            end: End::Fatal,
            source,
        }
    }

    pub(crate) fn retried(
        fault: Fault,
        phase: Option<Phase>,
        after: Duration,
        source: Option<Source>,
    ) -> Self {
        let after = u32::try_from(after.as_millis()).unwrap_or(u32::MAX);
        Self {
            fault,
            phase,
            end: End::Retry(after),
            source,
        }
    }

    /// What this is about.
    #[must_use]
    pub const fn kind(&self) -> ShardErrorKind {
        self.fault.kind()
    }

    /// Whether the shard has stopped and its stream ends. Otherwise it goes on by itself.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        self.end == End::Fatal
    }

    /// Whether this is the normal end of a connection, every half hour or so: op 7, or close code 4009. The
    /// session is resumed and no event is lost.
    #[must_use]
    pub const fn is_routine(&self) -> bool {
        matches!(
            self.fault,
            Fault::Reconnect | Fault::Closed(CloseCode::SESSION_TIMED_OUT)
        )
    }

    /// The phase that failed; `None` when the session was live.
    #[must_use]
    pub const fn phase(&self) -> Option<Phase> {
        self.phase
    }

    /// The code that the gateway closed the connection with.
    #[must_use]
    pub const fn close_code(&self) -> Option<CloseCode> {
        match self.fault {
            Fault::Closed(code) => Some(code),
            _ => None,
        }
    }

    /// The hole in the events' numbers.
    #[must_use]
    pub const fn sequence_gap(&self) -> Option<SequenceGap> {
        match self.fault {
            Fault::Gap(gap) => Some(gap),
            _ => None,
        }
    }

    /// The event that came again.
    #[must_use]
    pub const fn sequence_repeat(&self) -> Option<SequenceRepeat> {
        match self.fault {
            Fault::Repeat(repeat) => Some(repeat),
            _ => None,
        }
    }

    /// Whether the bot has too many guilds for so few shards (close code 4011). The shard has stopped; see
    /// [`ShardGroup::reshard`](crate::ShardGroup::reshard) for what to do.
    #[must_use]
    pub const fn needs_resharding(&self) -> bool {
        matches!(self.fault, Fault::Closed(CloseCode::SHARDING_REQUIRED))
    }

    /// When the shard tries again, from the moment of the error; `None` when it has no need to, or stopped.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self.end {
            End::Retry(milliseconds) => Some(Duration::from_millis(milliseconds as u64)),
            End::None | End::Fatal => None,
        }
    }

    fn cause(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.fault, self.phase) {
            (Fault::Token { is_final: false }, _) => f.write_str("no access token could be had"),
            (Fault::Token { is_final: true }, _) => {
                f.write_str("the platform refused the bot's credentials: check its AppID and AppSecret")
            }
            (Fault::Quota { .. }, _) => f.write_str("the bot has used up its session starts"),
            (Fault::Failed, Some(phase)) => write!(f, "{phase} failed"),
            (Fault::Failed, None) => f.write_str("the connection failed"),
            (Fault::UpgradeRefused(status), _) => {
                write!(f, "the server answered the WebSocket upgrade with HTTP status {status}: is this a gateway address?")
            }
            (Fault::Timeout, Some(phase)) => write!(f, "{phase} took too long"),
            (Fault::Timeout, None) => f.write_str("a deadline passed"),
            (Fault::Closed(code), Some(phase)) => write!(f, "the gateway closed the connection during {phase}: {code}"),
            (Fault::Closed(code), None) => write!(f, "the gateway closed the connection: {code}"),
            (Fault::Lost, Some(phase)) => write!(f, "the connection was lost during {phase}"),
            (Fault::Lost, None) => f.write_str("the connection was lost"),
            (Fault::Protocol, _) => f.write_str("the server broke the WebSocket protocol"),
            (Fault::TooLarge, _) => f.write_str("a frame exceeds the limit (Limits::max_frame)"),
            (Fault::Reconnect, _) => f.write_str("the gateway asked for a new connection"),
            (Fault::InvalidSession { .. }, Some(Phase::Ready)) => {
                f.write_str("the gateway refused IDENTIFY: are all intents granted, and is the bot published?")
            }
            (Fault::InvalidSession { .. }, Some(Phase::Resumed)) => f.write_str("the gateway refused to resume the session"),
            (Fault::InvalidSession { .. }, _) => f.write_str("the gateway ended the session"),
            (Fault::TooDeep, _) => {
                f.write_str("an event nested deeper than the limit (Limits::max_depth) was dropped")
            }
            (Fault::Malformed, _) => f.write_str("a malformed frame was dropped"),
            (Fault::Gap(gap), _) => {
                write!(f, "events are missing: number {} came after {}", gap.received, gap.after)
            }
            (Fault::Repeat(repeat), _) => {
                write!(f, "event number {} came again after {} and was dropped", repeat.received, repeat.newest)
            }
            (Fault::Address, _) => f.write_str("the gateway's address cannot be used: a wss:// address is needed"),
            (Fault::Proxy, _) => f.write_str("the environment names a proxy that cannot be used"),
            (Fault::PlainAddress, _) => f.write_str(
                "the gateway's address is not encrypted: use wss://, or allow_plain(true) for a test network",
            ),
        }
    }
}

impl Fault {
    /// What users call this.
    pub(crate) const fn kind(self) -> ShardErrorKind {
        match self {
            Fault::Token { .. } | Fault::Closed(CloseCode::AUTHENTICATION_FAILED) => {
                ShardErrorKind::Authentication
            }
            Fault::Address
            | Fault::PlainAddress
            | Fault::Proxy
            | Fault::Closed(
                CloseCode::INVALID_SHARD
                | CloseCode::SHARDING_REQUIRED
                | CloseCode::INVALID_VERSION
                | CloseCode::INVALID_INTENTS
                | CloseCode::DISALLOWED_INTENTS,
            ) => ShardErrorKind::Configuration,
            Fault::Quota { .. } => ShardErrorKind::SessionQuota,
            Fault::Failed | Fault::UpgradeRefused(_) | Fault::Lost => ShardErrorKind::Network,
            Fault::Timeout => ShardErrorKind::Timeout,
            Fault::Closed(_) => ShardErrorKind::Closed,
            Fault::Reconnect => ShardErrorKind::Reconnect,
            Fault::InvalidSession { .. } => ShardErrorKind::InvalidSession,
            Fault::Protocol | Fault::TooLarge => ShardErrorKind::Protocol,
            Fault::Malformed | Fault::TooDeep => ShardErrorKind::Decode,
            Fault::Gap(_) => ShardErrorKind::SequenceGap,
            Fault::Repeat(_) => ShardErrorKind::SequenceRepeat,
        }
    }
}

impl fmt::Display for ShardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause(f)?;
        match self.end {
            End::None => Ok(()),
            End::Retry(milliseconds) => {
                let seconds = f64::from(milliseconds) / 1000.0;
                write!(f, "; the shard tries again in {seconds:.1} s")
            }
            End::Fatal => match self.fault {
                Fault::Closed(code) if code.action() == CloseAction::RefreshToken => {
                    f.write_str("; new tokens were refused as well: the shard has stopped")
                }
                Fault::Address | Fault::PlainAddress | Fault::Proxy => Ok(()),
                _ => f.write_str("; the shard has stopped"),
            },
        }
    }
}

impl fmt::Debug for ShardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} ({:?})", self.kind())?;
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl Error for ShardError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}

const _: () = assert!(size_of::<ShardError>() <= 64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_cause_and_consequence() {
        let closed = |code| Fault::Closed(CloseCode(code));
        for (error, text) in [
            (
                ShardError::fatal(closed(4014), Some(Phase::Ready), None),
                "the gateway closed the connection during waiting for READY: 4014 (an intent was not granted to this \
                 bot: apply for it, or ask for fewer); the shard has stopped",
            ),
            (
                ShardError::retried(
                    Fault::Timeout,
                    Some(Phase::Hello),
                    Duration::from_millis(1250),
                    None,
                ),
                "waiting for HELLO took too long; the shard tries again in 1.2 s",
            ),
            (
                ShardError::harmless(
                    Fault::Gap(SequenceGap {
                        after: 4,
                        received: 9,
                    }),
                    None,
                ),
                "events are missing: number 9 came after 4",
            ),
        ] {
            assert_eq!(error.to_string(), text);
        }
    }

    #[test]
    fn debug_tells_the_whole_chain() {
        let source = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let after = Duration::from_millis(300);
        let error = ShardError::retried(
            Fault::Failed,
            Some(Phase::Connect),
            after,
            Some(source.into()),
        );
        assert_eq!(
            format!("{error:?}"),
            "connecting to the gateway failed; the shard tries again in 0.3 s (Network): connection refused"
        );
    }

    #[test]
    fn questions_are_answered() {
        let error = ShardError::retried(
            Fault::Closed(CloseCode(4009)),
            None,
            Duration::from_millis(300),
            None,
        );
        assert_eq!(error.kind(), ShardErrorKind::Closed);
        assert_eq!(error.close_code(), Some(CloseCode(4009)));
        assert_eq!(error.retry_after(), Some(Duration::from_millis(300)));
        assert!(!error.is_fatal() && error.is_routine());
        let fatal = ShardError::fatal(Fault::Closed(CloseCode(4013)), Some(Phase::Ready), None);
        assert!(fatal.is_fatal() && !fatal.is_routine());
        assert_eq!(
            (fatal.kind(), fatal.retry_after()),
            (ShardErrorKind::Configuration, None)
        );
    }
}
