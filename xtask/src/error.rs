//! One error for all tasks: what was being done, and why it failed.

use std::fmt;

pub(crate) type Result<T> = std::result::Result<T, Error>;

/// What went wrong, outermost first, joined by `: ` when printed.
#[derive(Debug)]
pub(crate) struct Error {
    message: String,
}

impl Error {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Adds what was being done to whatever error came out of it.
pub(crate) trait Context<T> {
    fn context(self, doing: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: fmt::Display> Context<T> for std::result::Result<T, E> {
    fn context(self, doing: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| Error::new(format!("{}: {error}", doing())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn context_comes_before_the_cause() {
        let inner: std::result::Result<(), &str> = Err("no such file");
        let error = inner.context(|| "reading README.md".into()).unwrap_err();
        assert_eq!(error.to_string(), "reading README.md: no such file");
    }
}
