//! What all answers of a client share.

use std::sync::{Mutex, PoisonError};

use qq_model::outgoing::ReplyTo;
use tokio::time::Instant;

use super::{ReplyLedger, ReplySettings};

/// The answers of one client.
pub(crate) struct Replies {
    ledger: Mutex<ReplyLedger>,
}

impl Replies {
    pub(crate) fn new(settings: &ReplySettings) -> Self {
        Self {
            ledger: Mutex::new(ReplyLedger::new(settings.ledger_capacity)),
        }
    }

    /// A number that no other answer to this target has.
    pub(crate) fn next_number(&self, target: &ReplyTo) -> u32 {
        // The ledger is whole after every statement, so a panic elsewhere spoils nothing.
        self.ledger
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .next_number(target, Instant::now())
    }
}
