//! A file while it is downloaded.

use std::fs::File;
use std::future::poll_fn;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Uri};
use hyper::body::{Body, Incoming};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

use crate::error::{Error, Reach};

/// A file while it is downloaded: [`Download::open`](crate::Download::open). Dropping it ends the download.
#[derive(Debug)]
pub struct MediaBody {
    body: Incoming,
    content_type: Option<Box<str>>,
    length: Option<u64>,
    host: Box<str>,
    max_bytes: u64,
    taken: u64,
    deadline: Instant,
}

/// A downloaded file.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Downloaded {
    /// What is in it.
    pub bytes: Bytes,
    /// What its server says it is; not what it is.
    pub content_type: Option<Box<str>>,
}

/// A file that was downloaded to this machine.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DownloadedFile {
    /// Bytes.
    pub size: u64,
    /// What its server says it is; not what it is.
    pub content_type: Option<Box<str>>,
}

impl MediaBody {
    pub(super) fn new(
        headers: &HeaderMap,
        body: Incoming,
        url: &Uri,
        max_bytes: u64,
        deadline: Instant,
    ) -> Result<Self, Error> {
        let content_type = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .map(Into::into);
        let length = body.size_hint().exact();
        let file = Self {
            body,
            content_type,
            length,
            host: url.host().unwrap_or_default().into(),
            max_bytes,
            taken: 0,
            deadline,
        };
        match length {
            Some(length) if length > max_bytes => Err(file.too_long()),
            _ => Ok(file),
        }
    }

    /// What its server says it is; not what it is.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// How many bytes it has, where its server says so.
    #[must_use]
    pub const fn content_length(&self) -> Option<u64> {
        self.length
    }

    /// The host that it comes from, redirects followed.
    #[must_use]
    pub const fn host(&self) -> &str {
        &self.host
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    ///
    /// The connection broke, the time is over, or the file is too long.
    ///
    /// # Cancel safety
    ///
    /// No byte is lost when the future is dropped.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            let frame = poll_fn(|task| Pin::new(&mut self.body).poll_frame(task));
            let frame = match timeout_at(self.deadline, frame).await {
                Ok(Some(Ok(frame))) => frame,
                Ok(Some(Err(error))) => {
                    let what = "the connection broke within the file";
                    return Err(Error::network(Reach::Refused, what).with_source(error));
                }
                Ok(None) => return Ok(None),
                Err(_) => {
                    let what = "the file did not arrive in time";
                    return Err(Error::timed_out(Reach::Refused, what));
                }
            };
            let Ok(data) = frame.into_data() else {
                continue;
            };
            self.taken += data.len() as u64;
            if self.taken > self.max_bytes {
                return Err(self.too_long());
            }
            if !data.is_empty() {
                return Ok(Some(data));
            }
        }
    }

    pub(super) async fn read(mut self) -> Result<Downloaded, Error> {
        let mut bytes = BytesMut::new();
        while let Some(chunk) = self.chunk().await? {
            bytes.extend_from_slice(&chunk);
        }
        Ok(Downloaded {
            bytes: bytes.freeze(),
            content_type: self.content_type,
        })
    }

    pub(super) async fn save(mut self, path: PathBuf) -> Result<DownloadedFile, Error> {
        let mut file = PartialFile::create(path).await?;
        while let Some(chunk) = self.chunk().await? {
            file = file.write(chunk).await?;
        }
        file.finish().await?;
        Ok(DownloadedFile {
            size: self.taken,
            content_type: self.content_type,
        })
    }

    fn too_long(&self) -> Error {
        Error::media(format!(
            "the file is longer than the {} bytes that are allowed: Download::max_bytes allows more",
            self.max_bytes
        ))
    }
}

/// A file beside its place, removed unless it is finished.
struct PartialFile {
    file: Option<File>,
    /// Its name until it is finished.
    partial: Option<PathBuf>,
    path: PathBuf,
}

impl PartialFile {
    async fn create(path: PathBuf) -> Result<Self, Error> {
        let mut name = path.file_name().map(ToOwned::to_owned).unwrap_or_default();
        name.push(".part");
        let partial = path.with_file_name(name);
        blocking(&path.clone(), move || {
            let file = Some(File::create(&partial)?);
            Ok(Self {
                file,
                partial: Some(partial),
                path,
            })
        })
        .await
    }

    async fn write(mut self, chunk: Bytes) -> Result<Self, Error> {
        let path = self.path.clone();
        blocking(&path, move || {
            if let Some(file) = &mut self.file {
                file.write_all(&chunk)?;
            }
            Ok(self)
        })
        .await
    }

    async fn finish(mut self) -> Result<(), Error> {
        let path = self.path.clone();
        blocking(&path, move || {
            // Closed first, for systems that rename no open file.
            self.file = None;
            if let Some(partial) = &self.partial {
                std::fs::rename(partial, &self.path)?;
            }
            self.partial.take();
            Ok(())
        })
        .await
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        if let Some(partial) = self.partial.take() {
            self.file = None;
            // It is gone, or nobody can remove it.
            let _ = std::fs::remove_file(partial);
        }
    }
}

async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let result = spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error)));
    result.map_err(|error| {
        Error::io(format!("{} cannot be written: {error}", path.display())).with_source(error)
    })
}
