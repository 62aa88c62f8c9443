//! What can be chosen about answers.

/// How many answered messages are remembered.
const LEDGER_CAPACITY: usize = 100_000;

/// See `client/builder/reply.rs`.
#[derive(Clone, Debug)]
pub(crate) struct ReplySettings {
    /// How many answered messages are remembered.
    pub(crate) ledger_capacity: usize,
}

impl Default for ReplySettings {
    fn default() -> Self {
        Self {
            ledger_capacity: LEDGER_CAPACITY,
        }
    }
}
