//! Why a server could not be started.

use std::fmt;
use std::path::{Path, PathBuf};

/// Why a server could not be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerErrorKind {
    /// The path of the callback address does not begin with `/`, or has characters that no request has.
    Path,
    /// The address cannot be listened on.
    Bind,
    /// A certificate or key file cannot be read.
    FileUnreadable,
    /// A file holds no certificate, or no private key, in PEM form.
    FileMalformed,
    /// The key is not the certificate's, or its kind cannot be used.
    KeyMismatch,
}

/// A server that could not be started.
pub struct ServerError {
    kind: ServerErrorKind,
    file: Option<PathBuf>,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl ServerError {
    pub(super) fn new(
        kind: ServerErrorKind,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            kind,
            file: None,
            source: source.into(),
        }
    }

    pub(super) fn of_file(self, file: &Path) -> Self {
        Self {
            file: Some(file.into()),
            ..self
        }
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> ServerErrorKind {
        self.kind
    }
}

/// As `Display`, with the causes: a program whose `main` returns one says what to do.
impl fmt::Debug for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self
            .file
            .as_deref()
            .unwrap_or_else(|| Path::new(""))
            .display();
        match self.kind {
            ServerErrorKind::Path => {
                f.write_str("the callback path must begin with / and have no query")
            }
            ServerErrorKind::Bind => f.write_str("the address cannot be listened on"),
            ServerErrorKind::FileUnreadable => write!(f, "cannot read {file}"),
            ServerErrorKind::FileMalformed => {
                write!(f, "{file} is not what it should be in PEM form")
            }
            ServerErrorKind::KeyMismatch => {
                write!(f, "{file} is not a usable key of the certificate")
            }
        }
    }
}

impl std::error::Error for ServerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.source)
    }
}

const _: () = assert!(size_of::<ServerError>() <= 64);
