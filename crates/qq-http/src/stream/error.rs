//! Why a stream cannot go on.

use std::error::Error as StdError;
use std::fmt;

use crate::error::Error;

/// What kind of failure a [`StreamError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StreamErrorKind {
    /// The new text does not begin with what may be on the user's screen already. Nothing was sent, and the stream
    /// goes on with the text it had.
    PrefixChanged {
        /// The first character that differs, counted from 0.
        position: usize,
    },
    /// The platform refused it, or could not be reached in time; the source says which. The stream has ended.
    Send,
}

/// Why a stream cannot go on.
#[derive(Clone, Debug)]
pub struct StreamError {
    kind: StreamErrorKind,
    source: Option<Error>,
}

const _: () = assert!(size_of::<StreamError>() <= 64);

impl StreamError {
    pub(super) const fn prefix_changed(position: usize) -> Self {
        Self {
            kind: StreamErrorKind::PrefixChanged { position },
            source: None,
        }
    }

    /// What kind of failure this is.
    #[must_use]
    pub const fn kind(&self) -> StreamErrorKind {
        self.kind
    }

    /// The failed call, where there was one.
    #[must_use]
    pub const fn http(&self) -> Option<&Error> {
        self.source.as_ref()
    }
}

impl From<Error> for StreamError {
    fn from(error: Error) -> Self {
        Self {
            kind: StreamErrorKind::Send,
            source: Some(error),
        }
    }
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind, &self.source) {
            (StreamErrorKind::PrefixChanged { position }, _) => write!(
                f,
                "the text differs at character {position} from what was sent already: a stream can only grow"
            ),
            (StreamErrorKind::Send, Some(error)) => write!(f, "the stream has ended: {error}"),
            (StreamErrorKind::Send, None) => f.write_str("the stream has ended"),
        }
    }
}

impl StdError for StreamError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_ref()
            .map(|error| error as &(dyn StdError + 'static))
    }
}
