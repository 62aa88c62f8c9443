//! What to do when something takes no more answers.

use std::time::Duration;

/// What becomes of an answer to something whose window is over or whose budget is used up: for the whole client
/// ([`ClientBuilder::when_closed`](crate::ClientBuilder::when_closed)) or for one answer
/// ([`ReplyCall::when_closed`](crate::ReplyCall::when_closed)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenClosed {
    /// [`ErrorKind::ReplyClosed`](crate::ErrorKind::ReplyClosed); nothing is sent.
    #[default]
    Error,
    /// It is sent as a message that answers nothing, which counts against the active quota. The result says so:
    /// [`ReplyKind::Active`](crate::ReplyKind::Active).
    GoActive,
    /// It waits for the next message of the same chat and answers that, leaving one answer of it to its own
    /// callback. Longer than this, and it is the error; so it is when the client stops, since no message comes then.
    ///
    /// A callback that awaits this keeps the next callback of its conversation waiting, so answers that may wait
    /// long belong into a task of their own.
    Queue(Duration),
}

impl WhenClosed {
    /// [`Queue`](Self::Queue) for at most a minute.
    #[must_use]
    pub const fn queue() -> Self {
        Self::Queue(Duration::from_secs(60))
    }
}
