//! The last word about an event.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::Response;

use crate::answer;
use crate::error::Error;
use crate::replay::Fingerprint;
use crate::verifier::Shared;

/// An event that was verified and is not answered yet. As long as the claim lives, the same event is not given to another
/// request; when it is dropped, the event can come again.
#[must_use = "a claim that is dropped gives the event back"]
pub struct Claim {
    shared: Arc<Shared>,
    event: Fingerprint,
    is_accepted: bool,
}

impl Claim {
    pub(crate) fn new(shared: &Arc<Shared>, event: Fingerprint) -> Self {
        Self {
            shared: Arc::clone(shared),
            event,
            is_accepted: false,
        }
    }

    /// The event is taken: when it comes again, it is acknowledged and dropped. Returns the answer to send.
    #[must_use = "the platform waits for the answer"]
    pub fn accept(mut self) -> Response<Bytes> {
        self.is_accepted = true;
        let forgotten = self.shared.replay.accept(self.event, self.shared.now());
        self.shared.counters.forgotten.add(forgotten);
        self.shared.counters.accepted.add(1);
        answer::success()
    }

    /// The event is not taken: when it comes again, it is as if it had not come before. Returns the answer to send.
    #[must_use = "the platform waits for the answer"]
    pub fn refuse(self, error: &Error) -> Response<Bytes> {
        self.shared.counters.refused(error.kind());
        error.response()
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.is_accepted {
            self.shared.replay.release(self.event);
        }
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim").finish_non_exhaustive()
    }
}
