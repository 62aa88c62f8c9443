//! What can be chosen about dispatch.

/// How many events usually wait or run at a time.
const CAPACITY: usize = 4096;

/// See `client/builder/dispatch.rs`.
#[derive(Clone, Debug)]
pub(crate) struct DispatchSettings {
    /// How many events wait or run at a time.
    pub(crate) capacity: usize,
}

impl Default for DispatchSettings {
    fn default() -> Self {
        Self { capacity: CAPACITY }
    }
}
