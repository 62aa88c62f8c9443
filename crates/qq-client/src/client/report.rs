//! How a client stopped.

/// How a client stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StopReport {
    /// Callbacks that had not finished by the deadline and were ended.
    pub unfinished: usize,
    /// Connections that were not closed properly by the deadline and were cut.
    pub cut: usize,
}

impl StopReport {
    /// Whether everything finished in time.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.unfinished == 0 && self.cut == 0
    }
}
