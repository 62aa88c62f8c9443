//! How a client stopped.

use std::time::Duration;

/// How a client stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StopReport {
    /// Events that were waiting or being handled when the stop began, and were handled before its end.
    pub drained: usize,
    /// Callbacks that had not finished by the deadline and were ended.
    pub unfinished: usize,
    /// Events that had been taken and no callback was called for. With a
    /// [`SessionStore`](crate::ClientBuilder::session_store) the next start is sent them again, and so are those whose
    /// callbacks were ended.
    pub unhandled: usize,
    /// Connections that were not closed properly by the deadline and were cut.
    pub cut: usize,
    /// Sessions that were saved to be resumed.
    pub sessions_saved: usize,
    /// Answers that waited for a next message ([`WhenClosed::Queue`](crate::WhenClosed::Queue)) when the stop began.
    /// None can come, so they were not sent and ended with [`ErrorKind::ReplyClosed`](crate::ErrorKind::ReplyClosed).
    pub answers_given_up: usize,
    /// Answers, of callbacks that had ended or of tasks of the bot's own, that were still being sent at the deadline.
    /// Nobody ends them.
    pub answers_on_their_way: usize,
    /// Messages that the [`QuoteStore`](crate::QuoteStore) did not take in time: after a restart quotes of them are not
    /// found.
    pub quotes_unsaved: usize,
    /// How long the stop took.
    pub duration: Duration,
}

impl StopReport {
    /// Whether nothing was left undone.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.unfinished == 0
            && self.unhandled == 0
            && self.cut == 0
            && self.answers_given_up == 0
            && self.answers_on_their_way == 0
            && self.quotes_unsaved == 0
    }
}
