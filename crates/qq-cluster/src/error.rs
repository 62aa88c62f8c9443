//! What can go wrong with a cluster.

use std::error::Error;
use std::fmt;

/// A failure of the cluster: its [`kind`](Self::kind) and the cause.
pub struct ClusterError(Box<Inner>);

struct Inner {
    kind: ClusterErrorKind,
    message: Box<str>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// The kinds of [`ClusterError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClusterErrorKind {
    /// No NATS server answers at the given addresses.
    Unreachable,
    /// NATS refused the credentials, or they lack a permission.
    Credentials,
    /// The server runs without JetStream, or the account may not use it.
    JetStreamDisabled,
    /// NATS answers, and cannot serve yet: its servers elect a leader, or too few of them are up.
    NotReady,
    /// The server is older than 2.9.
    ServerTooOld,
    /// A stream or bucket of this name exists and is not laid out as this version needs it.
    ForeignLayout,
    /// The cluster of this name belongs to another bot, or its processes disagree about a setting.
    Mismatch,
    /// A setting that cannot be used.
    Configuration,
    /// The stream is full: events wait at the platform until workers have caught up.
    Full,
    /// NATS answered too late, or the connection broke on the way.
    Interrupted,
    /// Another process was faster: the entry was changed in between.
    Conflict,
    /// Another cluster of the same bot is running.
    Rival,
    /// What was asked for does not exist.
    NotFound,
    /// Something stored cannot be read.
    Corrupt,
    /// Anything else.
    Other,
}

impl ClusterError {
    /// What kind of failure.
    #[must_use]
    pub const fn kind(&self) -> ClusterErrorKind {
        self.0.kind
    }

    /// Whether the same attempt may succeed later without any change.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(
            self.0.kind,
            ClusterErrorKind::Unreachable
                | ClusterErrorKind::NotReady
                | ClusterErrorKind::Full
                | ClusterErrorKind::Interrupted
                | ClusterErrorKind::Conflict
        )
    }

    pub(crate) fn new(kind: ClusterErrorKind, message: impl Into<Box<str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            source: None,
        }))
    }

    pub(crate) fn with_source(
        kind: ClusterErrorKind,
        message: impl Into<Box<str>>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            source: Some(source.into()),
        }))
    }
}

impl fmt::Display for ClusterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for ClusterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.0.kind, self.0.message)?;
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl Error for ClusterError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
